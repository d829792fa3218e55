//! Why a spare cannot be promoted, and what to do about it.

use super::place::{command, shell};
use super::refuse::capital;
use crate::token::instant::format_instant;
use crate::token::spare::Unusable;
use crate::vault::SecretPath;

/// Says why the token of a spare cannot be promoted.
pub(in crate::provider) fn unusable_spare(spare: &SecretPath, why: &Unusable) -> String {
    match why {
        Unusable::Missing => "It does not hold a token.".to_owned(),
        Unusable::Malformed(problem) => format!("{}.", capital(problem)),
        Unusable::Spent(primary) => format!("Its token was promoted to {primary}."),
        Unusable::Claimed(primary) => format!("Its token is being promoted to {primary}."),
        Unusable::PrimaryUnreadable { primary, key } => format!(
            "It is marked for {primary}, which cannot be read. Grant read on it. If that primary \
             is gone for good, remove the mark:{}",
            remove(spare, key)
        ),
        Unusable::UnknownMark(key) => format!(
            "Its metadata has the entry {key}, which this version of the provider does not \
             understand. Upgrade the provider. If nothing else uses the entry, remove it:{}",
            remove(spare, key)
        ),
        Unusable::InPrimary(primary) if primary.path == spare.path() => {
            "It is a primary itself: its token was promoted from another spare.".to_owned()
        }
        Unusable::InPrimary(primary) => {
            format!("It holds the same token as {primary}, which is a primary itself.")
        }
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
        let why = Unusable::PrimaryUnreadable {
            primary: "gone#oauth".parse().unwrap(),
            key: "oauth.promoted_to.00c0ffee".to_owned(),
        };
        assert_eq!(
            unusable_spare(&spare, &why),
            "It is marked for gone#oauth, which cannot be read. Grant read on it. If that primary \
             is gone for good, remove the mark:\n\n    vault kv metadata patch -mount=kv/team \
             -remove-custom-metadata=oauth.promoted_to.00c0ffee 'two words'"
        );
    }
}
