//! The arguments that all lookups share, with their defaults.

use crate::protocol::{Diagnostic, Number};
use crate::provider::block::configured::Configured;
use crate::provider::block::days::{self, Days};
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::diagnose;
use crate::provider::diagnose::refuse;
use crate::provider::observe::Observer;
use crate::sdk::{Diagnostics, Field};
use crate::token::expiry::Lifetime;

/// Implements what every model with these arguments has.
macro_rules! asks {
    ($model:ident) => {
        impl $model {
            /// Returns the arguments as they are configured.
            fn arguments(&self) -> $crate::provider::lookup::arguments::Arguments<'_> {
                $crate::provider::lookup::arguments::Arguments {
                    mount: &self.mount,
                    field: &self.field,
                    lifetime_days: &self.lifetime_days,
                    rotate_before_days: &self.rotate_before_days,
                }
            }

            /// Records the resolved arguments.
            fn fill_in(&mut self, asked: &$crate::provider::lookup::arguments::Asked<'_>) {
                self.mount = $crate::sdk::Field::text(&asked.mount);
                self.field = $crate::sdk::Field::text(&asked.field);
                self.lifetime_days = asked.days.lifetime_days.clone();
                self.rotate_before_days = asked.days.rotate_before_days.clone();
            }
        }
    };
}

pub(in crate::provider) use asks;

/// The arguments as they are configured.
#[derive(Clone, Copy)]
pub(in crate::provider) struct Arguments<'a> {
    /// KV v2 mount.
    pub(in crate::provider) mount: &'a Field<String>,
    /// Field of the secret.
    pub(in crate::provider) field: &'a Field<String>,
    /// Days from mint to expiry.
    pub(in crate::provider) lifetime_days: &'a Field<Number>,
    /// Days before the expiry from which a token is due.
    pub(in crate::provider) rotate_before_days: &'a Field<Number>,
}

/// The resolved arguments of a lookup, all of them known.
pub(in crate::provider) struct Asked<'a> {
    /// The observer, which reads.
    pub(in crate::provider) observer: &'a Observer,
    /// KV v2 mount.
    pub(in crate::provider) mount: String,
    /// Field of the secret.
    pub(in crate::provider) field: String,
    /// The days as attributes.
    pub(in crate::provider) days: Days,
    /// The days as a lifetime.
    pub(in crate::provider) lifetime: Lifetime,
}

/// The reason why a lookup is not possible.
pub(in crate::provider) enum Obstacle {
    /// This argument of the provider is not known yet.
    Unknown(&'static str),
    /// The arguments do not fit together.
    Wrong(Diagnostic),
}

impl Obstacle {
    /// Reports the obstacle. `what` is the type that needs the argument, and `remedy` says how to
    /// read it during the apply.
    pub(in crate::provider) fn into_diagnostic(self, what: &str, remedy: &str) -> Diagnostic {
        match self {
            Self::Unknown(name) => diagnose::unknown_until_apply(name, what, remedy),
            Self::Wrong(diagnostic) => diagnostic,
        }
    }
}

impl Arguments<'_> {
    /// Checks the arguments; unknown values pass.
    pub(in crate::provider) fn validate(self) -> Diagnostics {
        let mut found = Diagnostics::new();
        found.extend(refuse::mount(self.mount));
        found.extend(refuse::field(self.field));
        found.extend(days::validate(
            self.lifetime_days,
            self.rotate_before_days,
            days::Defaults::UNKNOWN,
        ));
        found
    }

    /// Fills in the defaults. Hosts read only if the whole configuration is known, so anything that
    /// is unknown here comes from the provider.
    pub(in crate::provider) fn resolve(
        self,
        configured: &Configured,
    ) -> Result<Asked<'_>, Obstacle> {
        let observer = configured.observer().map_err(Obstacle::Unknown)?;
        let mount = self.mount.clone().or(configured.mount.clone());
        let days = configured
            .defaults
            .resolve(self.lifetime_days, self.rotate_before_days);
        let Some(mount) = mount.known().cloned() else {
            return Err(Obstacle::Unknown("mount"));
        };
        let Some(lifetime) = days.lifetime().map_err(Obstacle::Wrong)? else {
            return Err(Obstacle::Unknown(if days.lifetime_days.is_unknown() {
                "lifetime_days"
            } else {
                "rotate_before_days"
            }));
        };
        Ok(Asked {
            observer,
            mount,
            field: self
                .field
                .known()
                .cloned()
                .unwrap_or_else(|| DEFAULT_FIELD.to_owned()),
            days,
            lifetime,
        })
    }
}
