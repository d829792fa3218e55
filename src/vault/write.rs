//! A new version of a secret under check-and-set.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError;
use serde::Deserialize;
use thiserror::Error;

use super::answer::TOO_LARGE;
use super::document::Revision;
use super::error::VaultError;
use super::landing::Landing;
use super::new_document::NewDocument;
use super::request::Request;
use super::retry::Budget;
use super::secret_path::SecretPath;
use super::store::Store;
use super::wiped::WipedBuffer;

/// How both servers refuse a version that is not the current one.
const CAS_MISMATCH: &str = "check-and-set parameter did not match the current version";
/// How both servers refuse a write without a version if they require one.
const CAS_REQUIRED: &str = "check-and-set parameter required";

/// The reason why a write is not known to have succeeded, and what may still happen to it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{error}")]
pub struct WriteFailure {
    /// Why the last attempt failed.
    pub error: WriteError,
    /// At least one attempt of this call may have landed or may still land, regardless of the last
    /// answer. If it is `false`, this call has written nothing and never will.
    pub unanswered: bool,
}

/// The reason why a write failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WriteError {
    /// The current version is not the one that the write was made for.
    #[error("the secret has changed")]
    CasMismatch,
    /// The server requires a version and received none. Each write here sends one, so something in
    /// between must have dropped it.
    #[error("the server received no check-and-set version")]
    CasRequired,
    /// The document is larger than the server stores.
    #[error("the document is larger than the server stores")]
    TooLarge,
    /// Any other failure.
    #[error(transparent)]
    Vault(VaultError),
}

impl Store {
    /// Writes a new version of a secret if the current one is `cas`; 0 means that there was never
    /// one. A deleted version counts, and neither deleting nor undeleting changes the number.
    /// Nothing is sent after `latest` by the clock of this machine.
    ///
    /// The same bytes are sent again after no answer, a cut connection, a 5xx and everything else
    /// that a read is repeated for, within the same limits. Under one `cas` at most one attempt
    /// takes effect, in whatever order they arrive. Either this call returns what was written, or
    /// an attempt that succeeded without an answer shows as [`WriteError::CasMismatch`] with
    /// `unanswered`.
    ///
    /// If no answer has shown yet that a mount is KV v2, the mount is checked first, since an
    /// engine of version 1 would accept the request and overwrite whatever it has at `data/<path>`.
    ///
    /// The bytes of each request are wiped once the last layer that holds them drops them. Some
    /// copies cannot be wiped: those in the buffers of the HTTP connection, of TLS and of the
    /// system.
    ///
    /// # Errors
    ///
    /// Fails if the version is not written, and with [`VaultError::Overdue`] once it is later than
    /// `latest`. A refusal by policy names `create` for `cas` 0 and `update` otherwise.
    ///
    /// `unanswered` is `false` only if each attempt was answered by a refusal that Vault gives
    /// before it writes, or was never sent: no connection was established, 400, 401, 403 and 404
    /// with a list of errors, 413, 429, a sealed server, a storage that finds the document too
    /// large, a redirect of status 307 or 308 that was not followed. It is `true` after everything
    /// else.
    pub async fn write(
        &self,
        path: &SecretPath,
        document: &NewDocument,
        cas: u64,
        latest: Timestamp,
    ) -> Result<Revision, WriteFailure> {
        let landing = Landing::no_later_than(latest);
        let budget = self.budget().for_write(&self.shared.channel.limits);
        let request = WriteRequest {
            path,
            document,
            cas,
        };
        self.within(&budget, self.write_within(&request, &landing, &budget))
            .await
            .map_err(|error| WriteFailure {
                error: write_error(error),
                unanswered: landing.is_possible(),
            })
    }

    async fn write_within(
        &self,
        request: &WriteRequest<'_>,
        landing: &Landing,
        budget: &Budget,
    ) -> Result<Revision, VaultError> {
        self.check_unknown_mount(request.path, budget).await?;
        let capability = if request.cas == 0 { "create" } else { "update" };
        let answer = self
            .call_landing(&Request::of(request)?, capability, landing, budget)
            .await?;
        let found = self.found(request.path, request, answer, budget).await?;
        let answer = found.ok_or_else(|| self.not_found(request.path(), &[]))?;
        let written = parse(&answer.body).ok_or_else(|| VaultError::UnexpectedAnswer {
            api_path: request.path(),
            what: "`data.version` or `data.created_time` is missing",
        })?;
        self.learn(request.path.mount());
        Ok(written)
    }
}

/// Recognizes the refusals that are specific to writes.
fn write_error(error: VaultError) -> WriteError {
    let says = |errors: &[String], text| errors.iter().any(|error| error.contains(text));
    match &error {
        VaultError::Server {
            status: 400,
            errors,
            ..
        } if says(errors, CAS_MISMATCH) => WriteError::CasMismatch,
        VaultError::Server {
            status: 400,
            errors,
            ..
        } if says(errors, CAS_REQUIRED) => WriteError::CasRequired,
        VaultError::Server { status: 413, .. } | VaultError::NotJson { status: 413, .. } => {
            WriteError::TooLarge
        }
        VaultError::Server {
            status: 500,
            errors,
            ..
        } if says(errors, TOO_LARGE) => WriteError::TooLarge,
        _ => WriteError::Vault(error),
    }
}

/// A request to write a version. The type of `vaultrs` takes the document as values, which lose the
/// text of their numbers.
struct WriteRequest<'a> {
    path: &'a SecretPath,
    document: &'a NewDocument,
    cas: u64,
}

impl Endpoint for WriteRequest<'_> {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        format!("{}/data/{}", self.path.mount(), self.path.path())
    }

    fn method(&self) -> RequestMethod {
        RequestMethod::POST
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        let head = format!(r#"{{"options":{{"cas":{}}},"data":"#, self.cas);
        let document = self.document.expose();
        let mut body = WipedBuffer::with_capacity(head.len() + document.len() + 1);
        body.extend(head.as_bytes());
        body.extend(document);
        body.extend(b"}");
        Ok(Some(body.take()))
    }
}

pub(super) fn parse(body: &[u8]) -> Option<Revision> {
    #[derive(Deserialize)]
    struct Envelope {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        version: u64,
        created_time: Timestamp,
        deletion_time: Option<String>,
        custom_metadata: Option<BTreeMap<String, String>>,
    }

    let data = serde_json::from_slice::<Envelope>(body).ok()?.data;
    Some(Revision {
        version: data.version,
        created_at: data.created_time,
        // A time that cannot be read is treated as absent here: the next read returns it again.
        deletion_at: data.deletion_time.and_then(|text| text.parse().ok()),
        custom_metadata: data.custom_metadata.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn the_version_stands_in_the_options() {
        let path = SecretPath::new("team/kv", "ci/agent").unwrap();
        let document = NewDocument::of_field("token", &Secret::new("x"));
        let request = WriteRequest {
            path: &path,
            document: &document,
            cas: u64::MAX,
        };
        assert_eq!(request.path(), "team/kv/data/ci/agent");
        assert_eq!(
            request.body().unwrap().unwrap(),
            br#"{"options":{"cas":18446744073709551615},"data":{"token":"x"}}"#
        );
    }

    #[test]
    fn refusals_of_writes_have_their_own_names() {
        let server = |status, text: &str| VaultError::Server {
            api_path: "secret/data/a".into(),
            status,
            errors: vec![text.into()],
        };
        let not_json = |status| VaultError::NotJson {
            address: "http://vault:8200".into(),
            api_path: "secret/data/a".into(),
            status,
            content_type: "text/html".into(),
        };
        let too_large = "put failed due to value being too large; got 156 bytes, max 1048576 bytes";
        let cases = [
            (server(400, CAS_MISMATCH), WriteError::CasMismatch),
            (
                server(400, "check-and-set parameter required for this call"),
                WriteError::CasRequired,
            ),
            (server(500, too_large), WriteError::TooLarge),
            (
                server(413, "http: request body too large"),
                WriteError::TooLarge,
            ),
            (not_json(413), WriteError::TooLarge),
        ];
        for (error, expected) in cases {
            assert_eq!(write_error(error), expected);
        }
        for other in [server(500, CAS_MISMATCH), server(400, "x"), not_json(400)] {
            assert_eq!(write_error(other.clone()), WriteError::Vault(other));
        }
    }
}
