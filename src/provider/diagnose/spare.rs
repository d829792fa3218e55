//! Why a spare cannot be promoted, and what to do about it.

use super::place::kv;
use super::refuse::capital;
use crate::protocol::{Command, Text, text};
use crate::token::instant::format_instant;
use crate::token::spare::{Bar, Unusable};
use crate::vault::SecretPath;

/// Says why the token of a spare cannot be promoted.
pub(in crate::provider) fn unusable_spare(spare: &SecretPath, why: &Unusable) -> Text {
    match why {
        Unusable::Missing => "It does not hold a token.".into(),
        Unusable::Malformed(problem) => text!("{}.", capital(problem)),
        Unusable::Spent(primary) => spent(&primary.to_string()),
        Unusable::Barred(bar) => barred_spare(spare, bar),
        Unusable::Duplicate(path) => text!("It holds the same token as {path}."),
        Unusable::Refused(verdict) => {
            let cause = match verdict.cause.as_str() {
                "" => String::new(),
                cause => format!(" ({cause})"),
            };
            text!(
                "Its token was refused{cause} when it was last tried, {}.",
                format_instant(verdict.at)
            )
        }
        Unusable::Expired(at) => text!("Its token expired {}.", format_instant(*at)),
        Unusable::RotationDue { expires_at } => text!(
            "Its token is due for rotation itself: it expires {}.",
            format_instant(*expires_at)
        ),
        Unusable::Unproven => "Its token has a length that was never seen to work. It is promoted \
                               only if nothing else is left."
            .into(),
    }
}

/// Says who holds or held the token of a spent spare: it may be a copy that was never promoted.
pub(in crate::provider) fn spent(primary: &str) -> Text {
    text!("{primary} holds or held its token.")
}

/// Says why a spare may belong to another primary.
pub(in crate::provider) fn barred_spare(spare: &SecretPath, bar: &Bar) -> Text {
    match bar {
        Bar::Claimed(primary) => text!("Its token is being promoted to {primary}."),
        Bar::PrimaryUnreadable { primary, key } => {
            text!(
                "It is marked for {primary}, which cannot be read. Grant read on it. If that \
                 primary is gone for good, remove the mark:"
            ) + remove(spare, key)
        }
        Bar::UnknownMark(key) => {
            text!(
                "Its metadata has the entry {key}, which this version of the provider does not \
                 understand. Upgrade the provider. If nothing else uses the entry, remove it:"
            ) + remove(spare, key)
        }
        Bar::InPrimary(primary) if primary.path == spare.path() => {
            "It is a primary itself: its token was promoted from another spare.".into()
        }
        Bar::InPrimary(primary) => {
            text!("It holds the same token as {primary}, which is a primary itself.")
        }
    }
}

/// The command that removes an entry of a spare's metadata.
fn remove(spare: &SecretPath, key: &str) -> Command {
    kv(spare, "metadata patch", &[("-remove-custom-metadata", key)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_nobody_can_judge_is_removed_by_a_whole_command() {
        let spare = SecretPath::new("kv/team", "two words").unwrap();
        let bar = Bar::PrimaryUnreadable {
            primary: "gone#oauth".parse().unwrap(),
            key: "oauth.promoted_to.00c0ffee".to_owned(),
        };
        assert_eq!(
            barred_spare(&spare, &bar).to_string(),
            "It is marked for gone#oauth, which cannot be read. Grant read on it. If that primary \
             is gone for good, remove the mark:\n\n    vault kv metadata patch -mount=kv/team \
             -remove-custom-metadata=oauth.promoted_to.00c0ffee 'two words'"
        );
    }
}
