//! Why a spare cannot be promoted, and what to do about it.

use super::place::{command, shell};
use super::refuse::capital;
use crate::token::instant::format_instant;
use crate::token::spare::{Bar, Unusable};
use crate::vault::SecretPath;

/// Says why the token of a spare cannot be promoted.
pub(in crate::provider) fn unusable_spare(spare: &SecretPath, why: &Unusable) -> String {
    match why {
        Unusable::Missing => "It does not hold a token.".to_owned(),
        Unusable::Malformed(problem) => format!("{}.", capital(problem)),
        Unusable::Spent(primary) => spent(&primary.to_string()),
        Unusable::Barred(bar) => barred_spare(spare, bar),
        Unusable::Duplicate(path) => format!("It holds the same token as {path}."),
        Unusable::Refused(verdict) => {
            let cause = match verdict.cause.as_str() {
                "" => String::new(),
                cause => format!(" ({cause})"),
            };
            format!(
                "Its token was refused{cause} when it was last tried, {}.",
                format_instant(verdict.at)
            )
        }
        Unusable::Expired(at) => format!("Its token expired {}.", format_instant(*at)),
        Unusable::RotationDue { expires_at } => format!(
            "Its token is due for rotation itself: it expires {}.",
            format_instant(*expires_at)
        ),
        Unusable::Unproven => "Its token has a length that was never seen to work. It is promoted \
                               only if nothing else is left."
            .to_owned(),
    }
}

/// Says who holds or held the token of a spent spare: it may be a copy that was never promoted.
pub(in crate::provider) fn spent(primary: &str) -> String {
    format!("{primary} holds or held its token.")
}

/// Says why a spare may belong to another primary.
pub(in crate::provider) fn barred_spare(spare: &SecretPath, bar: &Bar) -> String {
    match bar {
        Bar::Claimed(primary) => format!("Its token is being promoted to {primary}."),
        Bar::PrimaryUnreadable { primary, key } => format!(
            "It is marked for {primary}, which cannot be read. Grant read on it. If that primary \
             is gone for good, remove the mark:{}",
            remove(spare, key)
        ),
        Bar::UnknownMark(key) => format!(
            "Its metadata has the entry {key}, which this version of the provider does not \
             understand. Upgrade the provider. If nothing else uses the entry, remove it:{}",
            remove(spare, key)
        ),
        Bar::InPrimary(primary) if primary.path == spare.path() => {
            "It is a primary itself: its token was promoted from another spare.".to_owned()
        }
        Bar::InPrimary(primary) => {
            format!("It holds the same token as {primary}, which is a primary itself.")
        }
    }
}

/// The command that removes an entry of a spare's metadata.
fn remove(spare: &SecretPath, key: &str) -> String {
    let remove = command(&format!(
        "vault kv metadata patch -mount={} -remove-custom-metadata={} {}",
        shell(spare.mount()),
        shell(key),
        shell(spare.path())
    ));
    remove.trim_end().to_owned()
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
            barred_spare(&spare, &bar),
            "It is marked for gone#oauth, which cannot be read. Grant read on it. If that primary \
             is gone for good, remove the mark:\n\n    vault kv metadata patch -mount=kv/team \
             -remove-custom-metadata=oauth.promoted_to.00c0ffee 'two words'"
        );
    }
}
