//! The two numbers of days that turn a mint time into an expiry and a due date.

use crate::protocol::{AttributePath, Diagnostic, Number};
use crate::sdk::{Diagnostics, Field};
use crate::token::expiry::{
    Lifetime, LifetimeError, validate_lifetime_days, validate_rotate_before_days,
};

/// The days of resources that do not set them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) struct Defaults {
    /// `None` while the provider's value is unknown.
    pub(in crate::provider) lifetime_days: Option<i64>,
    /// `None` while the provider's value is unknown.
    pub(in crate::provider) rotate_before_days: Option<i64>,
}

impl Defaults {
    /// The values if neither the resource nor the provider sets any.
    pub(in crate::provider) const BUILT_IN: Self = Self {
        lifetime_days: Some(365),
        rotate_before_days: Some(30),
    };

    /// The values when a resource is validated without its provider.
    pub(in crate::provider) const UNKNOWN: Self = Self {
        lifetime_days: None,
        rotate_before_days: None,
    };

    /// Resolves the configured days.
    pub(in crate::provider) fn resolve(
        self,
        lifetime_days: &Field<Number>,
        rotate_before_days: &Field<Number>,
    ) -> Days {
        Days {
            lifetime_days: resolve(lifetime_days, self.lifetime_days),
            rotate_before_days: resolve(rotate_before_days, self.rotate_before_days),
        }
    }
}

/// The days of one resource after defaults: known or unknown, never null.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::provider) struct Days {
    /// Days from mint to expiry.
    pub(in crate::provider) lifetime_days: Field<Number>,
    /// Days before the expiry from which the token is due.
    pub(in crate::provider) rotate_before_days: Field<Number>,
}

impl Days {
    /// Returns the lifetime once both numbers are known.
    ///
    /// # Errors
    ///
    /// Fails if a default and a configured number do not fit together, on the attribute
    /// `lifetime_days`.
    pub(in crate::provider) fn lifetime(&self) -> Result<Option<Lifetime>, Diagnostic> {
        let (Some(lifetime), Some(rotate_before)) = (
            self.lifetime_days.known().and_then(Number::as_i64),
            self.rotate_before_days.known().and_then(Number::as_i64),
        ) else {
            return Ok(None);
        };
        Lifetime::new(lifetime, rotate_before)
            .map(Some)
            .map_err(|error| refuse(&error, "lifetime_days"))
    }
}

fn resolve(configured: &Field<Number>, default: Option<i64>) -> Field<Number> {
    let default = default.map_or(Field::Unknown, |days| Field::Known(Number::from(days)));
    configured.clone().or(default)
}

/// Checks both numbers, each on its attribute and then against each other.
pub(in crate::provider) fn validate(
    lifetime_days: &Field<Number>,
    rotate_before_days: &Field<Number>,
    defaults: Defaults,
) -> Diagnostics {
    let lifetime = whole(lifetime_days, "lifetime_days", |days| {
        validate_lifetime_days(days).map(drop)
    });
    let rotate_before = whole(rotate_before_days, "rotate_before_days", |days| {
        validate_rotate_before_days(days).map(drop)
    });
    let alone: Diagnostics = [lifetime, rotate_before].into_iter().flatten().collect();
    if !alone.is_empty() || (lifetime_days.is_null() && rotate_before_days.is_null()) {
        return alone;
    }
    let blame = if rotate_before_days.is_null() {
        "lifetime_days"
    } else {
        "rotate_before_days"
    };
    let days = defaults.resolve(lifetime_days, rotate_before_days);
    match days.lifetime() {
        Ok(_) => Diagnostics::new(),
        Err(diagnostic) => vec![diagnostic.at(AttributePath::attribute(blame))],
    }
}

fn whole(
    days: &Field<Number>,
    name: &'static str,
    check: impl FnOnce(i64) -> Result<(), LifetimeError>,
) -> Option<Diagnostic> {
    let days = days.known()?;
    match days.as_i64() {
        Some(days) => check(days).err().map(|error| refuse(&error, name)),
        None => Some(
            Diagnostic::error(
                "Invalid number of days",
                format!("{name} must be a whole number of days."),
            )
            .at(AttributePath::attribute(name)),
        ),
    }
}

fn refuse(error: &LifetimeError, name: &'static str) -> Diagnostic {
    Diagnostic::error(
        "Invalid number of days",
        format!(
            "{error}. If one of them is not set, the provider's value or the default applies (365 \
             for lifetime_days, 30 for rotate_before_days)."
        ),
    )
    .at(AttributePath::attribute(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> Field<Number> {
        match text {
            "" => Field::Null,
            "?" => Field::Unknown,
            text => Field::Known(Number::parse(text).unwrap()),
        }
    }

    #[test]
    fn days_are_judged_alone_and_then_together() {
        for (lifetime, rotate_before, blamed) in [
            ("", "", None),
            ("365", "30", None),
            ("365", "0", None),
            ("31", "", None),
            ("?", "400", None),
            ("30", "?", None),
            ("30", "", Some("lifetime_days")),
            ("", "365", Some("rotate_before_days")),
            ("10", "10", Some("rotate_before_days")),
            ("0", "", Some("lifetime_days")),
            ("-1", "", Some("lifetime_days")),
            ("1.5", "", Some("lifetime_days")),
            ("", "-1", Some("rotate_before_days")),
            ("", "0.5", Some("rotate_before_days")),
            ("1000000000000", "", Some("lifetime_days")),
        ] {
            let found = validate(&days(lifetime), &days(rotate_before), Defaults::BUILT_IN);
            let path = found.first().and_then(|diagnostic| diagnostic.path.clone());
            assert_eq!(
                path,
                blamed.map(AttributePath::attribute),
                "{lifetime}/{rotate_before}: {found:?}"
            );
        }
    }
}
