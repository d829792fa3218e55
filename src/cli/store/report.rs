//! The report of `store`.

use crate::cli::arguments::Source;
use crate::cli::output;
use crate::provider::operations::{Before, Role, Stamping, Stored};

/// Reports what was done, where the token is, what was there before, when it expires, and what to
/// do next.
pub(super) fn text(stored: &Stored, source: Source) -> String {
    let now = stored.fingerprint.id();
    let version = stored.version;
    let mut text = if stored.is_new {
        let before = match stored.before {
            Before::Nothing if stored.version == 1 => "nothing: the secret is new".to_owned(),
            Before::Nothing => "nothing".to_owned(),
            Before::Token(fingerprint) if fingerprint == stored.fingerprint => {
                "the same token, in a version that Vault deletes".to_owned()
            }
            Before::Token(fingerprint) => {
                format!(
                    "token {} (it stays in the KV history, unless max_versions is 1)",
                    fingerprint.id()
                )
            }
            Before::NoToken => {
                "a value that is not a token (it stays in the KV history, unless max_versions is 1)"
                    .to_owned()
            }
        };
        format!(
            "Stored at {}\n\n  before   {before}\n  now      token {now}, version {version}\n",
            stored.name
        )
    } else {
        let done = match (stored.stamping, source) {
            (Stamping::Written, Source::Current) => "Dated the token at",
            (_, Source::Current) => "Nothing to do: the token already has this date, at",
            _ => "Nothing to store: the token is already stored at",
        };
        let name = &stored.name;
        format!("{done} {name}\n\n  token    {now}, version {version}\n")
    };
    let stamp = match stored.stamping {
        Stamping::Written => "stamped",
        Stamping::Kept => "stamped already",
        Stamping::Missing => "not stamped",
    };
    text.push_str(&format!(
        "  minted   {} ({stamp})\n  expires  {}\n",
        stored.minted_at, stored.expires_at
    ));
    if let Some(account) = &stored.account {
        text.push_str(&format!("  account  {account}\n"));
    }
    if stored.is_new {
        text.push('\n');
        text.push_str(next_step(stored.role));
        if let Before::Token(before) = stored.before
            && before != stored.fingerprint
        {
            text.push_str(&format!(
                "\nTo list every place that still holds the previous token:\n\n    \
                 {} find --fingerprint {}\n",
                env!("CARGO_PKG_NAME"),
                before.id()
            ));
        }
    }
    output::plain_lines(&text)
}

fn next_step(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Spare) => {
            "The next plan counts this spare as available. Nothing needs a restart.\n"
        }
        Some(Role::Primary) => {
            "The next plan picks it up. Processes read the token only at startup: restart them\n\
             once the Secret has it.\n"
        }
        None => {
            "The next plan picks it up. Processes read the token only at startup: if any use\n\
             this one, restart them once the Secret has it. A spare needs no restart.\n"
        }
    }
}
