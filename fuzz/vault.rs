//! Entry points for fuzz targets to the code that reads answers. With `cfg(fuzzing)`, this is the
//! module `vault::fuzzing` of the library, because that code is private to it.

use std::fmt::Write as _;

use http::HeaderMap;
use http::header::{DATE, HeaderValue, RETRY_AFTER};
use zeroize::Zeroizing;

use super::answer::{Answer, Question, Verdict};
use super::document::{self, Document, Reading};
use super::error::{TokenOrigin, TokenSource};
use super::new_document::NewDocument;
use super::text::Censor;
use super::{channel, consistency, list, metadata, mount, server_time, session, write};
use crate::secret::Secret;

/// Judges an answer to a read, and returns every text about it that could be shown.
pub fn judge(status: u16, content_type: &str, body: &[u8], credential: &str) -> String {
    let answer = Answer {
        status,
        content_type: content_type.to_owned(),
        body: Zeroizing::new(body.to_vec()),
    };
    let censor = Censor::default();
    censor.hide(&Secret::new(credential));
    let question = Question {
        address: &"https://vault.example.com".into(),
        api_path: "secret/data/agent",
        capability: "read",
        token: TokenSource::Given(TokenOrigin::File),
        retry_after: None,
    };
    let _ = answer.refuses_before_writing();
    let mut text = String::new();
    if let Verdict::Failed(error) | Verdict::Retry(error) = answer.judge(question, &censor) {
        let _ = write!(text, "{error} {error:?}");
    }
    text
}

/// Reads a body as each kind of small answer.
pub fn read_everything(body: &[u8]) {
    let _ = metadata::parse(body);
    let _ = mount::parse(body);
    let _ = write::parse(body);
    let answer = Answer {
        status: 200,
        content_type: String::new(),
        body: Zeroizing::new(body.to_vec()),
    };
    let _ = session::client_token(&answer);
}

/// Reads a body as the listing of a folder, and returns how many names it has.
pub fn names(body: &[u8]) -> Option<usize> {
    let listing = list::parse(body)?;
    Some(listing.secrets.len() + listing.folders.len())
}

/// Reads a text as the value of each header that is read, and records its content.
pub fn headers(text: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(text) else {
        return;
    };
    let now = HeaderValue::from_static("Tue, 24 Nov 2026 08:09:53 GMT");
    for (asked, date) in [(&value, &now), (&now, &value), (&value, &value)] {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, asked.clone()), (DATE, date.clone())]);
        if let Some(wait) = channel::retry_after(&headers) {
            let _ =
                super::retry::backoff(std::time::Duration::from_millis(250), 1, Some(wait), 0.5);
        }
    }
    let date = server_time::LastDate::default();
    date.note(&value);
    let _ = date.get().map(|time| time.now());
    let index = consistency::NewestIndex::default();
    index.note(&value);
    index.note(&value);
    assert!(
        index.get() == Some(value),
        "the index is sent back as it came"
    );
}

/// Reads a body as a document, from a 200 or a 404; the error is the text that would be shown.
pub fn document(body: &[u8], found: bool) -> Result<Option<Reading>, String> {
    document::parse(body, found).map_err(|odd| format!("{odd:?}"))
}

/// Returns names and JSON texts of all fields.
pub fn raw_fields(document: &Document) -> Vec<(String, String)> {
    let fields = document.raw_fields();
    fields
        .map(|(name, json)| (name.to_owned(), json.expose().to_owned()))
        .collect()
}

/// Returns the text that a write would send.
pub fn json(document: &NewDocument) -> String {
    String::from_utf8_lossy(document.expose()).into_owned()
}
