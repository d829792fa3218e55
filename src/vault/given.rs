//! What the answers of Vault say about a given token: whether it is the token of a wrapped response.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OnceCell, RwLock, RwLockReadGuard};
use tokio::time::timeout;

use super::channel::{Caller, Channel};
use super::error::{TokenSource, VaultError};
use super::landing::Landing;
use super::retry::Budget;

/// Tells a token that is good for a single request, as the one of a wrapped response is: Vault
/// denies its first request, and does not know it afterwards.
#[derive(Default)]
pub(super) struct GivenToken {
    /// Vault has carried out a request with it.
    served: AtomicBool,
    /// Whether Vault forgot it with its first request; looked up once for all requests.
    used_up: OnceCell<bool>,
    /// Read while a request is under way, until it is known what a denial means.
    under_way: RwLock<()>,
}

/// A request that is under way.
pub(super) type UnderWay<'a> = Option<RwLockReadGuard<'a, ()>>;

impl GivenToken {
    /// Takes note of a request that is about to be sent.
    pub(super) async fn begin(&self) -> UnderWay<'_> {
        if self.served.load(Ordering::Acquire) {
            return None;
        }
        Some(self.under_way.read().await)
    }

    /// Takes note of a request that was carried out.
    pub(super) fn served(&self) {
        self.served.store(true, Ordering::Release);
    }

    /// Returns the real cause of a failure. Every other failure stays what it is.
    pub(super) async fn recognize(
        &self,
        error: VaultError,
        request: UnderWay<'_>,
        caller: Caller<'_>,
        channel: &Channel,
        budget: &Budget,
    ) -> VaultError {
        let TokenSource::Given(origin) = caller.source else {
            return error;
        };
        let used_up = match error {
            VaultError::Forbidden { .. } => {
                let caller = Caller {
                    landing: &Landing::default(),
                    ..caller
                };
                let lookup = || async {
                    !self.served.load(Ordering::Acquire)
                        && !channel.knows_token(caller, budget).await
                };
                *self.used_up.get_or_init(lookup).await
            }
            VaultError::Unauthenticated { .. } => {
                // The one request that Vault denied may be answered after those that came too late.
                drop(request);
                let answered = timeout(channel.limits.attempt, self.under_way.write()).await;
                answered.is_ok() && self.used_up.get() == Some(&true)
            }
            _ => return error,
        };
        if used_up {
            VaultError::TokenUsedUp { origin }
        } else {
            error
        }
    }
}
