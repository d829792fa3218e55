//! The token that requests carry: given, or obtained by one login for all callers.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::Mutex;
use vaultrs::api::auth::approle::requests::LoginWithApproleRequest;
use vaultrs::api::auth::kubernetes::requests::LoginWithKubernetesRequest;
use vaultrs::api::auth::oidc::requests::JWTLoginRequest;
use vaultrs::api::token::requests::RevokeTokenSelfRequest;

use super::answer::Answer;
use super::channel::{Caller, Channel};
use super::error::{TokenSource, VaultError};
use super::given::GivenToken;
use super::landing::Landing;
use super::problem::LoginProblem;
use super::request::Request;
use super::retry::Budget;
use super::settings::{Credentials, Identity, Login};
use crate::secret::Secret;

/// Who we are, and the token that Vault issued for it.
pub(super) struct Session {
    credentials: Credentials,
    /// Namespace to log in to, if it differs from the namespace of all calls.
    namespace: Option<HeaderValue>,
    state: Mutex<State>,
    /// Number of logins that failed so far. Callers who waited for a login share its failure.
    failures: AtomicU64,
    pub(super) given: GivenToken,
}

#[derive(Default)]
struct State {
    token: Option<Secret>,
    generation: u64,
    last_failure: Option<VaultError>,
    /// A refusal is final: another login could lock the account.
    refused: bool,
    closed: bool,
}

/// A token for one request.
#[derive(Clone)]
pub(super) struct Lease {
    pub(super) token: Option<Secret>,
    pub(super) source: TokenSource,
    generation: u64,
}

impl Session {
    pub(super) fn new(credentials: Credentials, namespace: Option<HeaderValue>) -> Self {
        Self {
            credentials,
            namespace,
            state: Mutex::default(),
            failures: AtomicU64::new(0),
            given: GivenToken::default(),
        }
    }

    /// Returns the token, logging in first if necessary.
    pub(super) async fn lease(
        &self,
        channel: &Channel,
        budget: &Budget,
    ) -> Result<Lease, VaultError> {
        let login = match &self.credentials {
            Credentials::Login(login) => login,
            Credentials::Token(token, origin) => {
                let source = TokenSource::Given(*origin);
                return self.given(Some(token.clone()), source).await;
            }
            Credentials::None => return self.given(None, TokenSource::None).await,
        };
        let seen = self.failures.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if state.closed {
            return Err(VaultError::Cancelled);
        }
        if let Some(failure) = &state.last_failure
            && (state.refused || self.failures.load(Ordering::Acquire) != seen)
        {
            return Err(failure.clone());
        }
        let token = match &state.token {
            Some(token) => token.clone(),
            None => match log_in(login, self.namespace.as_ref(), channel, budget).await {
                Ok(token) => {
                    channel.censor.hide(&token);
                    state.last_failure = None;
                    state.generation += 1;
                    state.token = Some(token.clone());
                    token
                }
                Err(error) => {
                    state.refused = matches!(
                        error,
                        VaultError::LoginForbidden { .. }
                            | VaultError::LoginFailed { .. }
                            | VaultError::LoginWithoutToken { .. }
                            | VaultError::WrappingToken { .. }
                    );
                    state.last_failure = Some(error.clone());
                    self.failures.fetch_add(1, Ordering::Release);
                    return Err(error);
                }
            },
        };
        Ok(Lease {
            token: Some(token),
            source: TokenSource::Login(login.method()),
            generation: state.generation,
        })
    }

    /// Forgets a token from our own login that Vault no longer accepts. Reports whether another
    /// lease may help.
    pub(super) async fn forget(&self, lease: &Lease) -> bool {
        if !matches!(lease.source, TokenSource::Login(_)) {
            return false;
        }
        let mut state = self.state.lock().await;
        if state.generation == lease.generation {
            state.token = None;
        }
        true
    }

    /// Ends the session: no more leases, and the token from our own login is revoked.
    pub(super) async fn close(&self, channel: &Channel) {
        let (first, token) = {
            let mut state = self.state.lock().await;
            (
                !std::mem::replace(&mut state.closed, true),
                state.token.take(),
            )
        };
        let (true, Some(token), Credentials::Login(login)) = (first, token, &self.credentials)
        else {
            return;
        };
        let caller = Caller {
            token: Some(&token),
            source: TokenSource::Login(login.method()),
            namespace: self.namespace.as_ref(),
            capability: "update",
            landing: &Landing::default(),
        };
        let budget = Budget::start(&channel.limits, None);
        let revoked = async {
            let request = Request::of(&RevokeTokenSelfRequest {})?;
            channel.exchange(&request, caller, &budget).await
        };
        if let Err(error) = revoked.await {
            tracing::debug!(%error, "the token of the login was not revoked");
        }
    }

    async fn given(&self, token: Option<Secret>, source: TokenSource) -> Result<Lease, VaultError> {
        if self.state.lock().await.closed {
            return Err(VaultError::Cancelled);
        }
        Ok(Lease {
            token,
            source,
            generation: 0,
        })
    }
}

async fn log_in(
    login: &Login,
    namespace: Option<&HeaderValue>,
    channel: &Channel,
    budget: &Budget,
) -> Result<Secret, VaultError> {
    let landing = Landing::default();
    let caller = Caller {
        token: None,
        source: TokenSource::None,
        namespace,
        capability: "update",
        landing: &landing,
    };
    let mount = login.mount.clone();
    let request = match &login.identity {
        Identity::Kubernetes { role, jwt } => Request::of(&LoginWithKubernetesRequest {
            mount,
            role: role.clone(),
            jwt: jwt.expose().to_owned(),
        }),
        Identity::AppRole { role_id, secret_id } => Request::of(&LoginWithApproleRequest {
            mount,
            role_id: role_id.clone(),
            secret_id: secret_id.expose().to_owned(),
        }),
        Identity::Jwt { role, jwt } => Request::of(&JWTLoginRequest {
            mount,
            jwt: jwt.expose().to_owned(),
            role: Some(role.clone()),
        }),
    }?;
    let answered = channel.exchange(&request, caller, budget).await;
    let answer = answered.map_err(|error| refusal(error, login))?;
    client_token(&answer).map_err(|problem| VaultError::LoginWithoutToken {
        method: login.method(),
        mount: login.mount.clone(),
        problem,
    })
}

/// Marks a refusal as a refusal of the login.
fn refusal(error: VaultError, login: &Login) -> VaultError {
    let (method, mount) = (login.method(), login.mount.clone());
    if let (Identity::AppRole { secret_id, .. }, VaultError::Server { status: 400, .. }) =
        (&login.identity, &error)
        && is_vault_token(secret_id.expose())
    {
        return VaultError::WrappingToken { method, mount };
    }
    match error {
        VaultError::Forbidden { errors, .. } => VaultError::LoginForbidden {
            method,
            mount,
            errors,
        },
        VaultError::Unauthenticated { .. } => VaultError::LoginForbidden {
            method,
            mount,
            errors: Vec::new(),
        },
        VaultError::Wrapped { .. } => VaultError::LoginWithoutToken {
            method,
            mount,
            problem: LoginProblem::Wrapped,
        },
        VaultError::Server { status, errors, .. } if status < 500 => VaultError::LoginFailed {
            method,
            mount,
            status,
            errors,
        },
        error => error,
    }
}

/// Reports whether a text starts as tokens of Vault and OpenBao do; no secret id starts that way.
fn is_vault_token(text: &str) -> bool {
    ["hvs.", "hvb.", "hvr.", "s.", "b.", "r."]
        .iter()
        .any(|prefix| text.starts_with(prefix))
}

/// Reads the token out of the answer to a login.
pub(super) fn client_token(answer: &Answer) -> Result<Secret, LoginProblem> {
    #[derive(Deserialize)]
    struct Envelope {
        auth: Option<Auth>,
    }
    #[derive(Deserialize)]
    struct Auth {
        #[serde(default)]
        client_token: String,
        mfa_requirement: Option<IgnoredAny>,
    }

    let envelope: Envelope =
        serde_json::from_slice(&answer.body).map_err(|_| LoginProblem::NoToken)?;
    match envelope.auth {
        Some(auth) if !auth.client_token.is_empty() => Ok(Secret::new(auth.client_token)),
        Some(auth) if auth.mfa_requirement.is_some() => Err(LoginProblem::SecondFactor),
        _ => Err(LoginProblem::NoToken),
    }
}
