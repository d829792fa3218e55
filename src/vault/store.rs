//! The operations on a KV v2 engine.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use rustify::endpoint::Endpoint;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore};
use vaultrs::api::kv2::requests::ReadSecretRequest;

use super::answer::Answer;
use super::channel::{Caller, Channel, token_header};
use super::document::{self, Reading};
use super::error::VaultError;
use super::landing::Landing;
use super::request::Request;
use super::retry::Budget;
use super::secret_path::SecretPath;
use super::server_time::ServerTime;
use super::session::Session;
use super::settings::{Credentials, Settings};
use super::text::Censor;
use super::tls::{SettingsError, TlsMaterial};
use super::transport::Transport;
use crate::deadline::Deadline;

/// A KV v2 store in Vault or OpenBao, as one request uses it: clones share everything except the
/// deadline.
///
/// Every operation ends within [`Limits::operation`](super::Limits::operation), including waits and
/// logins, and by the deadline of [`Store::until`]; only a write in progress continues after that
/// to learn its outcome. Dropping its future cancels it. An operation that has begun keeps its
/// place among [`Limits::concurrency`](super::Limits::concurrency) requests: a caller that stops
/// polling it to wait for another one may wait forever.
#[derive(Clone)]
pub struct Store {
    pub(super) shared: Arc<Shared>,
    deadline: Option<Deadline>,
}

/// What all requests of a process share.
pub(super) struct Shared {
    pub(super) channel: Channel,
    session: Session,
    /// Mounts that are known to be KV v2.
    pub(super) known_mounts: Mutex<HashSet<String>>,
    /// The callers that write, or wait to write, to a secret or to its metadata.
    writers: Mutex<Writers>,
}

type Writers = HashMap<(SecretPath, Part), Arc<AsyncMutex<()>>>;

/// A part of a secret that has its own turns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Data,
    Metadata,
}

/// The right to write to a secret, until it is dropped.
#[must_use]
pub struct Turn {
    _guard: OwnedMutexGuard<()>,
}

impl Store {
    /// Prepares a store. Files are read and checked; nothing is sent before the first operation.
    ///
    /// # Errors
    ///
    /// Fails if a file or a value cannot be used; the error names it.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let tls = TlsMaterial::load(&settings.tls)?;
        let censor = Censor::default();
        match &settings.credentials {
            Credentials::None => {}
            Credentials::Token(token, _) => {
                token_header(token).map_err(|_| SettingsError::Token)?;
                censor.hide(token);
            }
            Credentials::Login(login) => {
                SecretPath::check(&login.mount).map_err(SettingsError::LoginMount)?;
                censor.hide(login.secret());
            }
        }
        let header = |namespace: &Option<String>| {
            let namespace = namespace.as_deref().map(HeaderValue::from_str);
            namespace.transpose().map_err(|_| SettingsError::Namespace)
        };
        let namespace = header(&settings.namespace)?;
        let login_namespace = match &settings.credentials {
            Credentials::Login(login) => header(&login.namespace)?,
            Credentials::None | Credentials::Token(..) => None,
        };
        let shared = Shared {
            channel: Channel {
                permits: Semaphore::new(settings.limits.concurrency),
                transport: Transport::new(
                    &settings.address,
                    tls,
                    settings.tls.server_name,
                    settings.proxies,
                    settings.origin,
                    &settings.limits,
                ),
                censor,
                namespace,
                limits: settings.limits,
                max_retries: settings.max_retries,
                date: Default::default(),
                index: Default::default(),
                pace: Default::default(),
            },
            session: Session::new(settings.credentials, login_namespace),
            known_mounts: Mutex::default(),
            writers: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            deadline: None,
        })
    }

    /// Returns the store for a request: none of its operations begins after the deadline.
    pub fn until(&self, deadline: Deadline) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            deadline: Some(deadline),
        }
    }

    /// Reports whether the deadline has passed.
    pub fn is_time_over(&self) -> bool {
        self.deadline.is_some_and(Deadline::is_over)
    }

    /// Waits until nobody else in this process changes a secret. A caller that reads the secret,
    /// changes one field and writes it back must hold the turn meanwhile, or it conflicts with the
    /// write of a sibling field.
    ///
    /// # Errors
    ///
    /// Fails if the time is over before it is our turn.
    pub async fn turn(&self, path: &SecretPath) -> Result<Turn, VaultError> {
        self.turn_at(path, Part::Data).await
    }

    /// Waits until nobody else in this process reads the metadata of a secret and writes them back
    /// as a whole. The turn for the secret itself may be held meanwhile.
    pub(crate) async fn metadata_turn(&self, path: &SecretPath) -> Result<Turn, VaultError> {
        self.turn_at(path, Part::Metadata).await
    }

    async fn turn_at(&self, path: &SecretPath, part: Part) -> Result<Turn, VaultError> {
        let writer = {
            let writers = self.shared.writers.lock();
            let mut writers = writers.unwrap_or_else(PoisonError::into_inner);
            Arc::clone(writers.entry((path.clone(), part)).or_default())
        };
        let limits = &self.shared.channel.limits;
        let deadline = self
            .deadline
            .unwrap_or_else(|| Deadline::within(limits.operation));
        tokio::time::timeout_at(deadline.ends(), writer.lock_owned())
            .await
            .map(|guard| Turn { _guard: guard })
            .map_err(|_| self.shared.channel.too_late(deadline.limit()))
    }

    /// Reads the current version of a secret. If the secret exists, this costs one request.
    ///
    /// # Errors
    ///
    /// Fails if Vault refuses the request or gives no usable answer. If nothing is found, one more
    /// request asks whether the mount is a KV v2 engine, unless that is already known; if that
    /// request is refused, the secret counts as absent.
    pub async fn read(&self, path: &SecretPath) -> Result<Reading, VaultError> {
        self.read_at(path, None).await
    }

    /// Reads a given version of a secret.
    ///
    /// # Errors
    ///
    /// Fails as [`Store::read`] does.
    pub async fn read_version(
        &self,
        path: &SecretPath,
        version: u64,
    ) -> Result<Reading, VaultError> {
        self.read_at(path, Some(version)).await
    }

    /// Returns the time that the server reported in its last answer.
    pub fn server_time(&self) -> Option<ServerTime> {
        self.shared.channel.date.get()
    }

    /// Closes the store. A token from the store's own login is revoked, if that succeeds within
    /// [`Limits::close`](super::Limits::close); a token that was given never is. Later operations
    /// return [`VaultError::Cancelled`].
    pub async fn close(&self) {
        let limit = self.shared.channel.limits.close;
        if tokio::time::timeout(limit, self.shared.session.close(&self.shared.channel))
            .await
            .is_err()
        {
            tracing::debug!("the token of the login was not revoked in time");
        }
    }

    async fn read_at(
        &self,
        path: &SecretPath,
        version: Option<u64>,
    ) -> Result<Reading, VaultError> {
        let budget = self.budget();
        self.within(&budget, async {
            let request = ReadSecretRequest {
                mount: path.mount().to_owned(),
                path: path.path().to_owned(),
                version,
            };
            let answer = self.call(&request, "read", &budget).await?;
            match document::parse(&answer.body, answer.status != 404) {
                Ok(Some(reading)) => {
                    self.learn(path.mount());
                    Ok(reading)
                }
                Ok(None) => {
                    self.found(path, &request, answer, &budget).await?;
                    Ok(Reading::Absent)
                }
                Err(odd) => Err(self.unexpected(path, &request, odd.0, &budget).await),
            }
        })
        .await
    }

    /// Sends a request with our token, and once more after a new login if Vault no longer accepts
    /// the token from our last one.
    pub(super) async fn call<E: Endpoint>(
        &self,
        endpoint: &E,
        capability: &'static str,
        budget: &Budget,
    ) -> Result<Answer, VaultError> {
        let request = Request::of(endpoint)?;
        self.call_landing(&request, capability, &Landing::default(), budget)
            .await
    }

    /// Does the same as [`Store::call`], and records whether the request may have landed without an
    /// answer.
    pub(super) async fn call_landing(
        &self,
        request: &Request,
        capability: &'static str,
        landing: &Landing,
        budget: &Budget,
    ) -> Result<Answer, VaultError> {
        let session = &self.shared.session;
        let channel = &self.shared.channel;
        let mut renewed = false;
        loop {
            let lease = session.lease(channel, budget).await?;
            let caller = Caller {
                token: lease.token.as_ref(),
                source: lease.source,
                namespace: None,
                capability,
                landing,
            };
            let begun = session.given.begin().await;
            match channel.exchange(request, caller, budget).await {
                Err(VaultError::Unauthenticated { .. })
                    if !renewed && session.forget(&lease).await =>
                {
                    renewed = true;
                }
                Err(error) => {
                    let given = &session.given;
                    let error = given.recognize(error, begun, caller, channel, budget);
                    return Err(error.await);
                }
                Ok(answer) => {
                    session.given.served();
                    return Ok(answer);
                }
            }
        }
    }

    pub(super) fn budget(&self) -> Budget {
        Budget::start(&self.shared.channel.limits, self.deadline)
    }

    pub(super) async fn within<T>(
        &self,
        budget: &Budget,
        operation: impl Future<Output = Result<T, VaultError>>,
    ) -> Result<T, VaultError> {
        tokio::time::timeout_at(budget.ends(), operation)
            .await
            .unwrap_or_else(|_| Err(self.shared.channel.time_is_over(budget)))
    }
}
