//! The newest cluster state that an answer reported, sent back with each request so that a standby
//! that lags behind forwards the request to the active node.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Deserialize;

/// Keeps the newest `X-Vault-Index`.
#[derive(Default)]
pub(super) struct NewestIndex(Mutex<Option<(HeaderValue, Option<Index>)>>);

/// The part of an index that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Index {
    cluster: String,
    value: (u64, u64),
}

impl NewestIndex {
    /// Returns the newest index.
    pub(super) fn get(&self) -> Option<HeaderValue> {
        let newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        newest.as_ref().map(|(header, _)| header.clone())
    }

    /// Records an answer's index. An index that cannot be compared counts as newer, since it came
    /// later.
    pub(super) fn note(&self, header: &HeaderValue) {
        let index = Index::parse(header);
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some((_, Some(old))), Some(new)) = (newest.as_ref(), &index)
            && old.cluster == new.cluster
            && old.value >= new.value
        {
            return;
        }
        *newest = Some((header.clone(), index));
    }
}

impl Index {
    /// Reads both forms: base64 of `{"cluster":…,"value":"37"}` (OpenBao), and base64 of
    /// `v1:<cluster>:<local>:<replicated>:<signature>` (Vault Enterprise).
    fn parse(header: &HeaderValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct OpenBao {
            cluster: String,
            value: String,
        }
        let text = STANDARD.decode(header.as_bytes()).ok()?;
        if let Ok(index) = serde_json::from_slice::<OpenBao>(&text) {
            return Some(Self {
                cluster: index.cluster,
                value: (index.value.parse().ok()?, 0),
            });
        }
        let text = String::from_utf8(text).ok()?;
        let mut parts = text.split(':');
        if parts.next() != Some("v1") {
            return None;
        }
        Some(Self {
            cluster: parts.next()?.to_owned(),
            value: (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> HeaderValue {
        HeaderValue::from_str(&STANDARD.encode(text)).unwrap()
    }

    #[test]
    fn an_older_answer_that_comes_late_does_not_count() {
        for (old, new) in [
            (
                encoded(r#"{"cluster":"a","value":"9"}"#),
                encoded(r#"{"cluster":"a","value":"10"}"#),
            ),
            (encoded("v1:a:9:1:sig"), encoded("v1:a:10:0:sig")),
        ] {
            let newest = NewestIndex::default();
            newest.note(&new);
            newest.note(&old);
            assert_eq!(newest.get(), Some(new));
        }
    }

    #[test]
    fn what_cannot_be_compared_counts_as_newer() {
        let newest = NewestIndex::default();
        assert_eq!(newest.get(), None);
        for header in [
            encoded(r#"{"cluster":"a","value":"9"}"#),
            encoded(r#"{"cluster":"b","value":"1"}"#),
            HeaderValue::from_static("opaque"),
            encoded("v2:what"),
        ] {
            newest.note(&header);
            assert_eq!(newest.get(), Some(header));
        }
    }
}
