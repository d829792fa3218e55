//! What an answer means: the result, a failure, or a reason to ask again.

mod texts;

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use self::texts::Texts;
use super::error::{Server, TokenSource, VaultError};
use super::problem::ConnectionProblem;
use super::text::Censor;

/// How the storage rejects a document because of its size, after `put failed due to`.
pub(super) const TOO_LARGE: &str = "value being too large";
/// How a server that expects HTTPS answers HTTP.
const PLAIN_HTTP: &str = "Client sent an HTTP request to an HTTPS server";

/// One answer of the server, with any status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    /// The whole body, wiped when dropped.
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// What to do about an answer or a failed attempt.
pub(super) enum Verdict {
    /// It is the requested result, or a 404, which each caller interprets in its own way.
    Settled,
    /// Sending the request again would not help.
    Failed(VaultError),
    /// Sending the request again may help.
    Retry(VaultError),
}

/// The request, as errors describe it.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// The server.
    pub(super) address: &'a Server,
    pub(super) api_path: &'a str,
    pub(super) capability: &'static str,
    pub(super) token: TokenSource,
    /// How long the server asks to wait.
    pub(super) retry_after: Option<Duration>,
}

impl Answer {
    /// Reports whether the body is a JSON object.
    pub(super) fn is_json(&self) -> bool {
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        first == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(&self.body).is_ok()
    }

    /// Returns the first error texts of the body as they were sent; empty if there are none.
    pub(super) fn errors(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Errors {
            #[serde(default)]
            errors: Texts,
        }
        serde_json::from_slice::<Errors>(&self.body)
            .map_or_else(|_| Vec::new(), |body| body.errors.into_list())
    }

    /// Reports whether this answer to a write means that the write certainly did nothing, because
    /// the server refused it before writing.
    ///
    /// Other answers leave doubt, especially those of proxies: the server behind a proxy may have
    /// done its work. 412, 472 and 473 are doubtful as well, since nothing shows which node sent
    /// them.
    pub(super) fn refuses_before_writing(&self) -> bool {
        match self.status {
            413 | 429 => true,
            400 => self.has_errors() || self.starts_with(PLAIN_HTTP),
            401 | 403 | 404 => self.has_errors(),
            500 => self.says(TOO_LARGE),
            503 => self.says("Vault is sealed") || self.says("OpenBao is sealed"),
            _ => false,
        }
    }

    /// Decides what the answer means.
    pub(super) fn judge(&self, question: Question<'_>, censor: &Censor) -> Verdict {
        let errors = if self.status < 400 {
            Vec::new()
        } else {
            self.errors()
        };
        let says = |text: &str| errors.iter().any(|error| error.contains(text));
        let server = || VaultError::Server {
            api_path: question.api_path.to_owned(),
            status: self.status,
            errors: censor.show_all(&errors),
        };
        match self.status {
            200..=299 if self.is_wrapped() => Verdict::Failed(VaultError::Wrapped {
                api_path: question.api_path.to_owned(),
            }),
            200..=299 if self.body.is_empty() || self.is_json() => Verdict::Settled,
            // A PATCH that finds nothing gets a 404 with an empty body.
            404 if self.is_json() || self.is_empty_json() => Verdict::Settled,
            400 if says("Upgrading from non-versioned to versioned data")
                || says("Waiting for the primary to upgrade") =>
            {
                Verdict::Retry(server())
            }
            400 | 401 if says("missing client token") => unauthenticated(question),
            400 if self.starts_with(PLAIN_HTTP) => Verdict::Failed(VaultError::HttpsExpected {
                address: question.address.clone(),
            }),
            401 if self.is_json() => unauthenticated(question),
            403 if self.is_json() => {
                // For an unknown token, Vault sends the bare words. For a policy that does not
                // grant the request, it sends a list with one entry. Newer servers also name the
                // token.
                let bare = errors.len() == 1 && errors[0].trim() == "permission denied";
                if bare || says("invalid token") || says("bad token") || says("token expired") {
                    return unauthenticated(question);
                }
                Verdict::Failed(VaultError::Forbidden {
                    api_path: question.api_path.to_owned(),
                    capability: question.capability,
                    errors: further(censor.show_all(&errors)),
                })
            }
            412 | 472 | 473 => Verdict::Retry(VaultError::Standby {
                status: self.status,
            }),
            407 => Verdict::Failed(VaultError::Unreachable {
                address: question.address.clone(),
                problem: ConnectionProblem::ProxyCredentials,
            }),
            429 => Verdict::Retry(VaultError::RateLimited {
                seconds: question.retry_after.map(|wait| wait.as_secs()),
            }),
            501 | 505 => Verdict::Failed(server()),
            // Raft refuses a document for its size this way: waiting does not make it smaller.
            500 if says(TOO_LARGE) => Verdict::Failed(server()),
            500..=599 if says("Vault is sealed") || says("OpenBao is sealed") => {
                Verdict::Retry(VaultError::Sealed)
            }
            500..=599 if says("local node not active") || says("in standby mode") => {
                Verdict::Retry(VaultError::Standby {
                    status: self.status,
                })
            }
            500..=599 => Verdict::Retry(server()),
            _ if !self.is_json() => Verdict::Failed(VaultError::NotJson {
                address: question.address.clone(),
                api_path: question.api_path.to_owned(),
                status: self.status,
                content_type: censor.show(&self.content_type),
            }),
            _ => Verdict::Failed(server()),
        }
    }

    /// Reports whether the answer has a wrapping token instead of its content.
    fn is_wrapped(&self) -> bool {
        #[derive(Deserialize)]
        struct Envelope {
            wrap_info: Option<IgnoredAny>,
            data: Option<IgnoredAny>,
            auth: Option<IgnoredAny>,
        }
        serde_json::from_slice::<Envelope>(&self.body).is_ok_and(|body| {
            body.wrap_info.is_some() && body.data.is_none() && body.auth.is_none()
        })
    }

    /// Reports whether the body has the form in which Vault refuses: an object with a list of
    /// errors.
    fn has_errors(&self) -> bool {
        #[derive(Deserialize)]
        struct Errors {
            #[serde(rename = "errors")]
            _errors: Vec<IgnoredAny>,
        }
        serde_json::from_slice::<Errors>(&self.body).is_ok()
    }

    fn says(&self, text: &str) -> bool {
        self.errors().iter().any(|error| error.contains(text))
    }

    fn is_empty_json(&self) -> bool {
        self.body.is_empty() && self.content_type.starts_with("application/json")
    }

    fn starts_with(&self, text: &str) -> bool {
        self.body.starts_with(text.as_bytes())
    }
}

/// Omits the texts that only repeat what the status means.
fn further(mut errors: Vec<String>) -> Vec<String> {
    errors.retain(|error| {
        let text = error.trim_start_matches("1 error occurred:");
        text.trim_matches([' ', '*']) != "permission denied"
    });
    errors
}

fn unauthenticated(question: Question<'_>) -> Verdict {
    Verdict::Failed(VaultError::Unauthenticated {
        token: question.token,
    })
}

#[cfg(test)]
mod tests;
