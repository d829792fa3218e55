//! What the answers of Vault show about a given token: whether it belongs to a wrapped response.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OnceCell, RwLock, RwLockReadGuard};
use tokio::time::timeout;

use super::channel::{Caller, Channel};
use super::error::{TokenSource, VaultError};
use super::landing::Landing;
use super::retry::Budget;

/// Recognizes a token that is good for a single request, such as the token of a wrapped response:
/// Vault denies its first request, and does not know it afterwards.
#[derive(Default)]
pub(super) struct GivenToken {
    /// Vault has carried out a request with it.
    served: AtomicBool,
    /// Whether its first request used it up; looked up once for all requests.
    used_up: OnceCell<bool>,
    /// Locked for reading while a request is in progress, until the meaning of a denial is known.
    under_way: RwLock<()>,
}

/// A request that is in progress.
pub(super) type UnderWay<'a> = Option<RwLockReadGuard<'a, ()>>;

impl GivenToken {
    /// Records a request that is about to be sent.
    pub(super) async fn begin(&self) -> UnderWay<'_> {
        if self.served.load(Ordering::Acquire) {
            return None;
        }
        Some(self.under_way.read().await)
    }

    /// Records that a request was carried out.
    pub(super) fn served(&self) {
        self.served.store(true, Ordering::Release);
    }

    /// Returns the real cause of a failure. Every other failure is returned unchanged.
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
                // The answer to the one request that Vault denied may arrive after those of later
                // requests.
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
