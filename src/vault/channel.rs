//! One exchange with the server: attempts until an answer is final or the budget is spent.

use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use vaultrs::api::token::requests::LookupTokenSelfRequest;
use zeroize::Zeroizing;

use super::answer::{Answer, Question, Verdict};
use super::consistency::NewestIndex;
use super::error::{TokenSource, VaultError};
use super::headers::{Headers, X_VAULT_INDEX};
use super::landing::Landing;
use super::pace::Pace;
use super::request::Request;
use super::retry::{Budget, backoff};
use super::server_time::{LastDate, parse_http_date};
use super::settings::Limits;
use super::text::Censor;
use super::transport::{Message, NoAnswer, Transport};
use crate::random::jitter;
use crate::secret::Secret;

/// Everything that requests share, except for the token.
pub(super) struct Channel {
    pub(super) transport: Transport,
    pub(super) censor: Censor,
    pub(super) date: LastDate,
    pub(super) limits: Limits,
    pub(super) max_retries: u32,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) index: NewestIndex,
    pub(super) permits: Semaphore,
    pub(super) pace: Pace,
}

/// Who sends a request, and the capability that it needs.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) token: Option<&'a Secret>,
    pub(super) source: TokenSource,
    /// Namespace to use instead of the channel's.
    pub(super) namespace: Option<&'a HeaderValue>,
    pub(super) capability: &'static str,
    /// Records whether the request may have landed without an answer.
    pub(super) landing: &'a Landing,
}

impl Channel {
    /// Sends a request until an answer is final.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        caller: Caller<'_>,
        budget: &Budget,
    ) -> Result<Answer, VaultError> {
        let mut attempt = 1;
        loop {
            let outcome = self.attempt(request, caller, attempt, budget).await;
            let (error, retry_after, sent) = match outcome {
                Ok(answer) => {
                    budget.forget();
                    return Ok(answer);
                }
                Err(Failed::ForGood(error)) => return Err(error),
                Err(Failed::ForNow {
                    error,
                    retry_after,
                    sent,
                }) => (error, retry_after, sent),
            };
            budget.note(&error);
            if attempt > self.max_retries {
                return Err(error);
            }
            let mut wait = backoff(self.limits.backoff, attempt, retry_after, jitter());
            if matches!(error, VaultError::RateLimited { .. }) {
                // The limit applies to all requests, so waiting for their turn delays them.
                self.pace.refused(sent, retry_after, wait);
                wait = self.pace.wait().unwrap_or_default();
            }
            if !budget.allows(wait, caller.landing.is_possible()) {
                return Err(error);
            }
            if !matches!(error, VaultError::RateLimited { .. }) {
                tokio::time::sleep(wait).await;
            }
            attempt += 1;
        }
    }

    /// Asks once whether Vault knows a token. Any outcome other than a plain refusal is treated as
    /// a yes.
    pub(super) async fn knows_token(&self, caller: Caller<'_>, budget: &Budget) -> bool {
        let Ok(request) = Request::of(&LookupTokenSelfRequest {}) else {
            return true;
        };
        !matches!(
            self.attempt(&request, caller, 1, budget).await,
            Err(Failed::ForGood(VaultError::Unauthenticated { .. }))
        )
    }

    async fn attempt(
        &self,
        request: &Request,
        caller: Caller<'_>,
        attempt: u32,
        budget: &Budget,
    ) -> Result<Answer, Failed> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(Failed::ForGood(VaultError::Cancelled));
        };
        let may_have_landed = caller.landing.is_possible();
        self.pace.turn(budget, may_have_landed).await;
        if !budget.allows(Duration::ZERO, may_have_landed) {
            return Err(Failed::ForGood(self.time_is_over(budget)));
        }
        if caller.landing.is_overdue() {
            return Err(Failed::ForGood(VaultError::Overdue));
        }
        let Request {
            method, api_path, ..
        } = request;
        let sent = Instant::now();
        // Before sending, so that it is recorded even if nobody waits for the outcome.
        let before = caller.landing.begin();
        let answered = self.send(request, caller).await;
        let milliseconds = sent.elapsed().as_secs_f64() * 1000.0;
        let (answer, headers) = match answered {
            Ok(answered) => answered,
            Err(NoAnswer {
                error,
                may_have_landed,
            }) => {
                if !may_have_landed {
                    caller.landing.restore(before);
                }
                tracing::debug!(?method, api_path, attempt, milliseconds, %error, "no answer");
                return Err(match error {
                    VaultError::Unreachable { .. } | VaultError::DeadlineExceeded { .. } => {
                        Failed::ForNow {
                            error,
                            retry_after: None,
                            sent,
                        }
                    }
                    error => Failed::ForGood(error),
                });
            }
        };
        let status = answer.status;
        tracing::debug!(?method, api_path, attempt, milliseconds, status, "answer");
        if answer.refuses_before_writing() {
            caller.landing.restore(before);
        }
        if let Some(date) = headers.get(DATE) {
            self.date.note(date);
        }
        if let Some(index) = headers.get(X_VAULT_INDEX) {
            self.index.note(index);
        }
        let server = self.transport.server();
        let question = Question {
            address: &server,
            api_path,
            capability: caller.capability,
            token: caller.source,
            retry_after: retry_after(&headers),
        };
        let verdict = answer.judge(question, &self.censor);
        if !matches!(verdict, Verdict::Retry(VaultError::RateLimited { .. })) {
            self.pace.served(sent);
        }
        match verdict {
            Verdict::Settled => Ok(answer),
            Verdict::Failed(error) => Err(Failed::ForGood(error)),
            Verdict::Retry(error) => Err(Failed::ForNow {
                error,
                retry_after: retry_after(&headers),
                sent,
            }),
        }
    }

    async fn send(
        &self,
        request: &Request,
        caller: Caller<'_>,
    ) -> Result<(Answer, HeaderMap), NoAnswer> {
        let message = self.message(request, caller).map_err(NoAnswer::unsent)?;
        let response = tokio::time::timeout(self.limits.attempt, self.transport.send(message))
            .await
            .map_err(|_| NoAnswer::unknown(self.too_late(self.limits.attempt)))?
            .map_err(|error| self.fit_to_show(error))?;
        let (parts, body) = response.into_parts();
        let content_type = parts.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let answer = Answer {
            status: parts.status.as_u16(),
            content_type: content_type.unwrap_or_default().to_owned(),
            body: Zeroizing::new(body),
        };
        Ok((answer, parts.headers))
    }

    /// Addresses a request and adds what its sender adds.
    fn message(&self, request: &Request, caller: Caller<'_>) -> Result<Message, VaultError> {
        let headers = Headers {
            token: caller.token.map(token_header).transpose()?,
            namespace: caller.namespace.or(self.namespace.as_ref()).cloned(),
            index: self.index.get(),
        };
        let query = request.query.as_deref();
        Ok(Message {
            url: self.transport.url(&request.api_path, query)?,
            headers: headers.of(&request.method, !request.body.is_empty()),
            method: request.method.clone(),
            body: request.body.clone(),
        })
    }

    /// Returns the error of an operation whose time is over: the reason why it has not succeeded so
    /// far.
    pub(super) fn time_is_over(&self, budget: &Budget) -> VaultError {
        budget
            .last_cause()
            .unwrap_or_else(|| self.too_late(budget.limit()))
    }

    /// Returns the error of something that took longer than allowed.
    pub(super) fn too_late(&self, allowed: Duration) -> VaultError {
        VaultError::DeadlineExceeded {
            address: self.transport.server(),
            seconds: allowed.as_secs(),
        }
    }

    fn fit_to_show(&self, mut failure: NoAnswer) -> NoAnswer {
        if let VaultError::Redirected { to, .. } = &mut failure.error {
            *to = self.censor.show(to);
        }
        failure
    }
}

/// Why an attempt got no final answer.
enum Failed {
    ForGood(VaultError),
    ForNow {
        error: VaultError,
        retry_after: Option<Duration>,
        sent: Instant,
    },
}

/// Turns a token into a header value; it is marked as sensitive so that no lower layer prints it.
pub(super) fn token_header(token: &Secret) -> Result<HeaderValue, VaultError> {
    let mut header = HeaderValue::from_str(token.expose()).map_err(|_| VaultError::Unsendable)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Reads how long the server asks to wait: seconds, or a date from which its own `Date` is
/// subtracted.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?;
    if let Ok(seconds) = value.to_str().ok()?.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = parse_http_date(value)?;
    let now = parse_http_date(headers.get(DATE)?)?;
    Duration::try_from(then.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_may_ask_for_seconds_or_a_date() {
        let asked = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            retry_after(&headers)
        };
        let now = ("date", "Tue, 24 Nov 2026 08:09:53 GMT");
        let later = ("retry-after", "Tue, 24 Nov 2026 08:10:03 GMT");
        assert_eq!(asked(&[("retry-after", "3")]), Some(Duration::from_secs(3)));
        assert_eq!(asked(&[later, now]), Some(Duration::from_secs(10)));
        assert_eq!(asked(&[later]), None);
        assert_eq!(asked(&[("retry-after", "soon"), now]), None);
        assert_eq!(asked(&[("retry-after", "-1")]), None);
    }
}
