//! One exchange with the server: attempts until an answer settles it or the budget is spent.

use std::time::Duration;

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::answer::{Answer, Question, Verdict};
use super::consistency::NewestIndex;
use super::error::{TokenSource, VaultError};
use super::headers::{Headers, X_VAULT_INDEX};
use super::landing::Landing;
use super::retry::{Budget, backoff};
use super::server_time::{LastDate, parse_http_date};
use super::settings::Limits;
use super::text::Censor;
use super::transport::{NoAnswer, Transport, unwrap_error};
use crate::random::jitter;
use crate::secret::Secret;

/// Everything that requests share, but for the token.
pub(super) struct Channel {
    pub(super) transport: Transport,
    pub(super) censor: Censor,
    pub(super) date: LastDate,
    pub(super) limits: Limits,
    pub(super) max_retries: u32,
    /// Path of the address, without a slash at the end.
    pub(super) prefix: String,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) index: NewestIndex,
    pub(super) permits: Semaphore,
}

/// Who asks, and for what right.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) token: Option<&'a Secret>,
    pub(super) source: TokenSource,
    pub(super) capability: &'static str,
    /// Where it is kept whether the request may have landed without an answer.
    pub(super) landing: &'a Landing,
}

impl Channel {
    /// Sends a request until an answer settles it.
    pub(super) async fn exchange<E: Endpoint>(
        &self,
        endpoint: &E,
        caller: Caller<'_>,
        budget: &Budget,
    ) -> Result<Answer, VaultError> {
        let mut attempt = 1;
        loop {
            let (verdict, retry_after) = self.attempt(endpoint, caller, attempt, budget).await;
            let error = match verdict {
                Ok(answer) => return Ok(answer),
                Err(Failed::ForGood(error)) => return Err(error),
                Err(Failed::ForNow(error)) => error,
            };
            if attempt > self.max_retries {
                return Err(error);
            }
            let wait = backoff(self.limits.backoff, attempt, retry_after, jitter());
            if !budget.allows(wait, caller.landing.is_possible()) {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt<E: Endpoint>(
        &self,
        endpoint: &E,
        caller: Caller<'_>,
        attempt: u32,
        budget: &Budget,
    ) -> (Result<Answer, Failed>, Option<Duration>) {
        let Ok(_permit) = self.permits.acquire().await else {
            return (Err(Failed::ForGood(VaultError::Cancelled)), None);
        };
        if !budget.allows(Duration::ZERO, caller.landing.is_possible()) {
            let late = self.too_late(budget.limit());
            return (Err(Failed::ForGood(late)), None);
        }
        if caller.landing.is_overdue() {
            return (Err(Failed::ForGood(VaultError::Overdue)), None);
        }
        let api_path = endpoint.path().trim().trim_start_matches('/').to_owned();
        let method = endpoint.method();
        let started = Instant::now();
        // Before the sending, so that it is noted where nobody waits for its end.
        let before = caller.landing.begin();
        let sent = self.send(endpoint, caller.token).await;
        let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
        let (answer, headers) = match sent {
            Ok(answered) => answered,
            Err(NoAnswer {
                error,
                may_have_landed,
            }) => {
                if !may_have_landed {
                    caller.landing.restore(before);
                }
                tracing::debug!(?method, api_path, attempt, milliseconds, %error, "no answer");
                let failed = match error {
                    VaultError::Unreachable { .. } | VaultError::DeadlineExceeded { .. } => {
                        Failed::ForNow(error)
                    }
                    error => Failed::ForGood(error),
                };
                return (Err(failed), None);
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
        let place = self.transport.place();
        let question = Question {
            address: &place,
            api_path: &api_path,
            capability: caller.capability,
            token: caller.source,
        };
        match answer.judge(question, &self.censor) {
            Verdict::Settled => (Ok(answer), None),
            Verdict::Failed(error) => (Err(Failed::ForGood(error)), None),
            Verdict::Retry(error) => (Err(Failed::ForNow(error)), retry_after(&headers)),
        }
    }

    async fn send<E: Endpoint>(
        &self,
        endpoint: &E,
        token: Option<&Secret>,
    ) -> Result<(Answer, HeaderMap), NoAnswer> {
        let headers = Headers {
            prefix: &self.prefix,
            token: token
                .map(token_header)
                .transpose()
                .map_err(NoAnswer::unsent)?,
            namespace: self.namespace.clone(),
            index: self.index.get(),
        };
        let endpoint = Borrowed(endpoint).with_middleware(&headers);
        let exec = endpoint.exec(&self.transport);
        let answered = tokio::time::timeout(self.limits.attempt, exec)
            .await
            .map_err(|_| NoAnswer::unknown(self.too_late(self.limits.attempt)))?;
        let response = answered.map_err(|error| self.fit_to_show(unwrap_error(error)))?;
        let (parts, body) = response.response.into_parts();
        let content_type = parts.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let answer = Answer {
            status: parts.status.as_u16(),
            content_type: content_type.unwrap_or_default().to_owned(),
            body: Zeroizing::new(body),
        };
        Ok((answer, parts.headers))
    }

    /// Returns the error of something that took longer than allowed.
    pub(super) fn too_late(&self, allowed: Duration) -> VaultError {
        VaultError::DeadlineExceeded {
            address: self.transport.place(),
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

/// Why an attempt gave no answer that settles.
enum Failed {
    ForGood(VaultError),
    ForNow(VaultError),
}

/// Makes a token fit for a header; it is marked so that nothing below prints it.
pub(super) fn token_header(token: &Secret) -> Result<HeaderValue, VaultError> {
    let mut header = HeaderValue::from_str(token.expose()).map_err(|_| VaultError::Unsendable)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Reads how long the server asks to wait: seconds, or a date that its own `Date` is taken from.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?;
    if let Ok(seconds) = value.to_str().ok()?.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = parse_http_date(value)?;
    let now = parse_http_date(headers.get(DATE)?)?;
    Duration::try_from(then.duration_since(now)).ok()
}

/// An endpoint that can be sent again: `rustify` takes them by value.
struct Borrowed<'a, E>(&'a E);

#[async_trait]
impl<E: Endpoint> Endpoint for Borrowed<'_, E> {
    type Response = E::Response;
    const REQUEST_BODY_TYPE: RequestType = E::REQUEST_BODY_TYPE;
    const RESPONSE_BODY_TYPE: ResponseType = E::RESPONSE_BODY_TYPE;

    fn path(&self) -> String {
        self.0.path()
    }

    fn method(&self) -> RequestMethod {
        self.0.method()
    }

    fn query(&self) -> Result<Option<String>, ClientError> {
        self.0.query()
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        self.0.body()
    }
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
