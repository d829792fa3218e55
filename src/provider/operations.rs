//! What the command line does with tokens: the same code as resources, without a plan around it.

mod find;
mod hand_out;
mod promote;
mod status;
mod store;
mod verify;

use std::sync::Arc;

pub use find::{Holder, Search, Sought};
pub use hand_out::HandedOut;
pub use promote::Promotion;
pub use status::{Overview, Role, State, TokenReport};
pub use store::{Before, Details, Repair, Stamping, Stored};
pub use verify::{Candidate, Candidates, LastVerdict, TokenPlace};

use super::defaults::DEFAULT_FIELD;
use super::diagnose::{self, refuse};
use crate::deadline::Deadline;
use crate::env::Environment;
use crate::protocol::{Diagnostic, Number};
use crate::provider::block::configured::Configured;
use crate::provider::block::now::Now;
use crate::provider::block::schema::{self, ProviderConfig};
use crate::provider::observe::Observer;
use crate::provider::observe::unusable::Unusable;
use crate::sdk::{Diagnostics, Field};
use crate::token::expiry::Lifetime;
use crate::vault::{FolderPath, SecretPath};

/// The options that say where tokens are and how long they live; the environment sets the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// KV v2 mount; `secret` if none is given.
    pub mount: Option<String>,
    /// Field of the secrets; `claude_oauth_token` if none is given.
    pub field: Option<String>,
    /// Whether every field that holds a token is included.
    pub every_field: bool,
    /// Days from mint to expiry; 365 if none are given.
    pub lifetime_days: Option<i64>,
    /// Days before the expiry from which a token is due; 30 if none are given.
    pub rotate_before_days: Option<i64>,
}

/// The reason why an operation was not carried out.
#[derive(Debug)]
pub enum Refusal {
    /// The request is invalid; nothing was read.
    Arguments(Diagnostics),
    /// The settings, Vault, or the token prevented it.
    Failed(Diagnostics),
}

impl Refusal {
    /// Returns the diagnostics, which include at least one error.
    pub fn diagnostics(&self) -> &Diagnostics {
        match self {
            Self::Arguments(diagnostics) | Self::Failed(diagnostics) => diagnostics,
        }
    }

    fn argument(diagnostic: Diagnostic) -> Self {
        Self::Arguments(vec![diagnostic])
    }

    fn failed(diagnostic: Diagnostic) -> Self {
        Self::Failed(vec![diagnostic])
    }
}

/// The operations on the Vault that the environment sets, within a scope.
#[derive(Clone)]
pub struct Operations {
    configured: Configured,
    mount: String,
    field: String,
    every_field: bool,
    lifetime: Lifetime,
}

impl Operations {
    /// Combines options, environment, and defaults, with the code that reads the provider block. It
    /// reads files and uses no network. It also returns warnings.
    ///
    /// # Errors
    ///
    /// Fails if an option, a variable, or a file is not usable.
    pub fn new(
        scope: Scope,
        environment: &dyn Environment,
    ) -> Result<(Self, Diagnostics), Refusal> {
        let days = |days: Option<i64>| days.map_or(Field::Null, |days| Field::Known(days.into()));
        let config = ProviderConfig {
            mount: scope.mount.map_or(Field::Null, Field::Known),
            lifetime_days: days(scope.lifetime_days),
            rotate_before_days: days(scope.rotate_before_days),
            ..ProviderConfig::default()
        };
        let field = scope.field.unwrap_or_else(|| DEFAULT_FIELD.to_owned());
        let mut refused = schema::validate(&config);
        refused.extend(refuse::field(&Field::Known(field.clone())));
        if !refused.is_empty() {
            return Err(Refusal::Arguments(refused));
        }
        let time = Arc::new(Now::new(environment));
        let (configured, warnings) = Configured::new(&config, environment, time, false)
            .and_then(|configured| configured.begin(Deadline::start()))
            .map_err(Refusal::Failed)?;
        let lifetime = configured
            .defaults
            .resolve(&Field::<Number>::Null, &Field::Null)
            .lifetime()
            .map_err(Refusal::argument)?
            .ok_or_else(|| Refusal::Arguments(Diagnostics::new()))?;
        let mount = configured.mount.known().cloned().unwrap_or_default();
        let operations = Self {
            configured,
            mount,
            field,
            every_field: scope.every_field,
            lifetime,
        };
        Ok((operations, warnings))
    }

    /// Returns the KV v2 mount.
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// Returns the field of the secrets, or `*` for every field that holds a token.
    pub fn fields(&self) -> &str {
        if self.every_field { "*" } else { &self.field }
    }

    /// Returns how long tokens live and when they are due, in days.
    pub fn days(&self) -> (u32, u32) {
        (
            self.lifetime.lifetime_days(),
            self.lifetime.rotate_before_days(),
        )
    }

    /// Returns the name of a secret as messages show it.
    pub fn secret_name(&self, path: &str) -> String {
        format!("{}/{path}", self.mount)
    }

    /// Returns the name of a token as messages show it.
    pub fn name(&self, path: &str) -> String {
        self.name_of(path, &self.field)
    }

    fn name_of(&self, path: &str, field: &str) -> String {
        format!("{}/{path}#{field}", self.mount)
    }

    /// Revokes the login of this process, if there was one.
    pub async fn close(&self) {
        self.configured.close().await;
    }

    /// Returns the operations on one secret, which share a deadline.
    #[must_use]
    pub fn for_one_secret(&self) -> Self {
        Self {
            configured: self.configured.until(Deadline::start()),
            ..self.clone()
        }
    }

    fn observer(&self) -> Result<&Observer, Refusal> {
        self.configured
            .observer()
            .map_err(|name| Refusal::failed(diagnose::not_configured(name, "This command")))
    }

    /// Tells a secret that does not exist from a folder that was written without its slash.
    async fn absent_or_folder(&self, secret: &SecretPath, unusable: Unusable) -> Unusable {
        let folder = FolderPath::new(secret.mount(), secret.path());
        let (Unusable::Absent, Ok(observer), Ok(folder)) = (&unusable, self.observer(), folder)
        else {
            return unusable;
        };
        match observer.store().list(&folder).await {
            Ok(listing) if !listing.is_empty() => Unusable::Folder,
            _ => unusable,
        }
    }

    /// Checks a path and joins it to the mount.
    fn secret(&self, path: &str) -> Result<SecretPath, Refusal> {
        if let Some(wrong) = refuse::path(&Field::Known(path.to_owned()), "path") {
            return Err(Refusal::argument(wrong));
        }
        SecretPath::new(self.mount.as_str(), path).map_err(|error| {
            Refusal::argument(Diagnostic::error(
                "Invalid path",
                format!("{}.", refuse::capital(&error)),
            ))
        })
    }
}
