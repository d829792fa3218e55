//! The context of every call, made from the provider block and the environment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::deadline::Deadline;
use crate::env::Environment;
use crate::protocol::{Diagnostic, Number, Site};
use crate::provider::block::days;
use crate::provider::block::now::Now;
use crate::provider::block::schema::{ProviderConfig, blamed};
use crate::provider::block::settings::{Sources, settings_advice, unknown_argument};
use crate::provider::block::site::site;
use crate::provider::defaults::DEFAULT_MOUNT;
use crate::provider::diagnose::refuse::capital;
use crate::provider::observe::Observer;
use crate::sdk::{Diagnostics, Field};
use crate::token::instant::format_instant;
use crate::vault::Store;

/// How far two clocks may be apart before there is a warning.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// The context of one call; clones share what the process has learned.
#[derive(Clone)]
pub struct Configured {
    /// What is wrong with the environment.
    problems: Arc<Diagnostics>,
    /// Warnings about the environment, which the first request reports.
    warnings: Arc<Mutex<Diagnostics>>,
    time: Arc<Now>,
    vault: Vault,
    skew_reported: Arc<AtomicBool>,
    /// The Vault of the block, for readers.
    pub(in crate::provider) site: Site,
    /// KV v2 mount of resources that set none; unknown during some plans, never null.
    pub(in crate::provider) mount: Field<String>,
    /// Days of resources that set none.
    pub(in crate::provider) defaults: days::Defaults,
}

/// Vault, or the argument that is not known yet.
#[derive(Clone)]
enum Vault {
    Known(Observer),
    Unknown(&'static str),
}

impl Configured {
    /// Combines the block, the environment, and the defaults. It reads files and uses no network.
    ///
    /// # Errors
    ///
    /// Fails if a file that the block names is not usable. Problems with the environment are
    /// reported by [`Configured::begin`], because a host configures the provider for functions as
    /// well, which need no Vault.
    pub(in crate::provider) fn new(
        config: &ProviderConfig,
        environment: &dyn Environment,
        time: Arc<Now>,
        has_arguments: bool,
    ) -> Result<Self, Diagnostics> {
        let mut warnings = Diagnostics::new();
        let mut problems = Diagnostics::new();
        match time.check() {
            Ok(warning) => warnings.extend(warning),
            Err(error) => problems.push(error),
        }
        let vault = match unknown_argument(config) {
            Some(name) => Vault::Unknown(name),
            None => match store(config, environment, has_arguments, &mut warnings) {
                Ok(store) => Vault::Known(Observer::new(store)),
                // About an argument of the block, which can be distinguished at once.
                Err(found) if found.iter().any(|error| error.path.is_some()) => return Err(found),
                Err(mut found) => {
                    problems.append(&mut found);
                    Vault::Unknown("address")
                }
            },
        };
        let configured = Self {
            problems: Arc::new(problems),
            warnings: Arc::new(Mutex::new(warnings)),
            time,
            vault,
            skew_reported: Arc::default(),
            site: site(&config.address, &config.namespace, environment),
            mount: config.mount.clone().or(Field::text(DEFAULT_MOUNT)),
            defaults: days::Defaults {
                lifetime_days: default_days(
                    &config.lifetime_days,
                    days::Defaults::BUILT_IN.lifetime_days,
                ),
                rotate_before_days: default_days(
                    &config.rotate_before_days,
                    days::Defaults::BUILT_IN.rotate_before_days,
                ),
            },
        };
        Ok(configured)
    }

    /// Returns the current time: the machine's, or the rehearsed one.
    pub(in crate::provider) fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Reports whether plans keep the mount in state for a resource that sets none: while the
    /// provider's mount is unknown, and after that until it turns out to be a different one.
    pub(in crate::provider) fn leaves_mount(&self, mount: &Field<String>, before: bool) -> bool {
        self.mount.is_unknown() || (before && self.mount == *mount)
    }

    /// Reports whether a date is rehearsed; if so, nothing may be written to Vault.
    pub(in crate::provider) fn is_rehearsed(&self) -> bool {
        self.time.is_rehearsed()
    }

    /// Returns Vault's time, or this machine's time before Vault has answered, even while a date is
    /// rehearsed.
    pub(in crate::provider) fn server_now(&self) -> Timestamp {
        match &self.vault {
            Vault::Known(observer) => observer.store().server_time().map(|time| time.now()),
            Vault::Unknown(_) => None,
        }
        .unwrap_or_else(clock::now)
    }

    /// Returns the date of Vault's last answer, or the time of this machine if it had none.
    pub(in crate::provider) fn server_date(&self) -> Timestamp {
        match &self.vault {
            Vault::Known(observer) => observer.store().server_time().map(|time| time.date),
            Vault::Unknown(_) => None,
        }
        .unwrap_or_else(clock::now)
    }

    /// Returns the observer of secrets.
    ///
    /// # Errors
    ///
    /// Fails if a provider argument is not known yet. The error is its name.
    pub(in crate::provider) fn observer(&self) -> Result<&Observer, &'static str> {
        match &self.vault {
            Vault::Known(observer) => Ok(observer),
            Vault::Unknown(name) => Err(name),
        }
    }

    /// Returns the context of a request that must be over by `deadline`, and warnings that no
    /// request has reported yet.
    ///
    /// # Errors
    ///
    /// Fails if a value of the environment is not usable.
    pub(in crate::provider) fn begin(
        &self,
        deadline: Deadline,
    ) -> Result<(Self, Diagnostics), Diagnostics> {
        if !self.problems.is_empty() {
            return Err((*self.problems).clone());
        }
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((self.until(deadline), std::mem::take(&mut *warnings)))
    }

    /// Returns the context of a request that must be over by `deadline`.
    pub(in crate::provider) fn until(&self, deadline: Deadline) -> Self {
        let mut request = self.clone();
        if let Vault::Known(observer) = &mut request.vault {
            *observer = observer.until(deadline);
        }
        request
    }

    /// Reports whether the clocks of Vault and of this machine are too far apart to act on a date.
    pub(in crate::provider) fn clocks_differ(&self) -> bool {
        clock::now().duration_since(self.server_now()).abs() > SKEW
    }

    /// Reports once when the clocks of Vault and of this machine are too far apart.
    pub(in crate::provider) fn skew_warning(&self) -> Option<Diagnostic> {
        let (ours, theirs) = (clock::now(), self.server_now());
        (self.clocks_differ() && !self.skew_reported.swap(true, Ordering::Relaxed)).then(|| {
            Diagnostic::warning(
                "Vault's clock and this machine's clock differ",
                format!(
                    "It is {} here and {} on the Vault server. Tokens are judged by this machine's \
                     clock. Correct the clock that is wrong.",
                    format_instant(ours),
                    format_instant(theirs)
                ),
            )
        })
    }

    /// Revokes the login of this process, if there was one.
    pub(in crate::provider) async fn close(&self) {
        if let Vault::Known(observer) = &self.vault {
            observer.store().close().await;
        }
    }
}

fn store(
    config: &ProviderConfig,
    environment: &dyn Environment,
    has_arguments: bool,
    warnings: &mut Diagnostics,
) -> Result<Store, Diagnostics> {
    let settings = Sources {
        config,
        environment,
        has_arguments,
    }
    .settings(warnings)?;
    Store::new(settings).map_err(|error| {
        let wrong = Diagnostic::error(
            "Cannot prepare the connection to Vault",
            format!("{}. {}", capital(&error), settings_advice(&error)),
        );
        vec![match blamed(&error, config) {
            Some(path) => wrong.at(path),
            None => wrong,
        }]
    })
}

fn default_days(configured: &Field<Number>, default: Option<i64>) -> Option<i64> {
    match configured {
        Field::Null => default,
        Field::Unknown => None,
        Field::Known(days) => days.as_i64(),
    }
}
