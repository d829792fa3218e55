//! What a user reads about places that a walk had to skip.

use std::ops::Add as _;

use super::vault::policy;
use crate::protocol::{Diagnostic, Text};
use crate::provider::observe::walk::{SkipReason, Skipped};
use crate::vault::VaultError;

/// Places and policy lines that are shown; the others are counted.
const SHOWN: usize = 20;

/// One warning that names all places below a prefix that could not be read; `None` if there are
/// none.
pub(in crate::provider) fn skipped(
    mount: &str,
    prefix: &str,
    skipped: &[Skipped],
) -> Option<Diagnostic> {
    if skipped.is_empty() {
        return None;
    }
    let mut detail = Text::from("These are left out:");
    for place in skipped.iter().take(SHOWN) {
        // Somebody else chose the name, and readers would believe a line that looks like ours.
        let path = place.path.replace(char::is_control, "\u{fffd}");
        let path = cut(&path);
        detail += Text::block(format!("    {mount}/{path}: {}", why(place)));
    }
    if skipped.len() > SHOWN {
        detail += Text::block(format!("    and {} more", skipped.len() - SHOWN));
    }
    detail += "Everything else is included.";
    let is_any = |kind: fn(&SkipReason) -> bool| skipped.iter().any(|place| kind(&place.reason));
    if is_any(|reason| matches!(reason, SkipReason::Name(_))) {
        detail += "To include a secret with an unsupported name, store it under another name.";
    }
    if is_any(|reason| matches!(reason, SkipReason::Token)) {
        detail += "Anyone who can list a folder can read the names in it. Store the token as the \
                   value of a field, remove the name that contains it with `vault kv metadata \
                   delete`, and revoke the token in the account settings of claude.ai.";
    }
    if is_any(|reason| matches!(reason, SkipReason::Bound)) {
        detail += "To include what is too deep or comes after too many others, use a longer \
                   prefix.";
    }
    if is_any(|reason| matches!(reason, SkipReason::Time)) {
        detail += "All of them must be read within a minute. Use a longer prefix to read fewer, \
                   or add stamps, so that older versions need not be read.";
    }
    let mut lines = skipped.iter().filter_map(|place| match &place.reason {
        SkipReason::Vault(VaultError::Forbidden {
            api_path,
            capability,
            ..
        }) => Some(policy(api_path, capability)),
        _ => None,
    });
    if let Some(first) = lines.next() {
        detail += "To include those that Vault denied, add lines such as these to your Vault \
                   token's policy:";
        detail = lines.take(SHOWN - 1).fold(detail + first, Text::add);
    }
    Some(Diagnostic::warning(
        format!(
            "{} of {mount}/{prefix}* could not be read",
            match skipped.len() {
                1 => "1 place".to_owned(),
                count => format!("{count} places"),
            }
        ),
        detail,
    ))
}

/// Cuts a name that would fill the screen.
fn cut(path: &str) -> String {
    const LONGEST: usize = 300;
    match path.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &path[..end]),
        None => path.to_owned(),
    }
}

fn why(place: &Skipped) -> String {
    let what = if place.path.is_empty() || place.path.ends_with('/') {
        "this folder"
    } else {
        "this secret"
    };
    match &place.reason {
        SkipReason::Vault(VaultError::Forbidden { capability, .. }) => {
            format!("Vault denied {capability}")
        }
        SkipReason::Vault(error) => error.to_string(),
        SkipReason::Name(error) => format!("{what} has an unsupported name: {error}"),
        SkipReason::Token => format!("{what} has a token in its name"),
        SkipReason::Bound => format!("{what} is too deep, or comes after too many others"),
        SkipReason::Time => format!("no time was left for {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(path: &str, kind: &str, capability: &'static str) -> Skipped {
        Skipped {
            path: path.to_owned(),
            reason: SkipReason::Vault(VaultError::Forbidden {
                api_path: format!("secret/{kind}/{path}"),
                capability,
                errors: vec![],
            }),
        }
    }

    #[test]
    fn places_are_named_with_the_lines_that_open_them() {
        assert_eq!(skipped("secret", "", &[]), None);
        let places = [
            denied("team/a", "data", "read"),
            denied("team/b/", "metadata", "list"),
            Skipped {
                path: "team/c/".to_owned(),
                reason: SkipReason::Bound,
            },
        ];
        let warning = skipped("secret", "team", &places).unwrap();
        assert_eq!(
            warning.summary,
            "3 places of secret/team* could not be read"
        );
        assert_eq!(
            warning.detail.to_string(),
            "These are left out:\n\n    secret/team/a: Vault denied read\n    secret/team/b/: \
             Vault denied list\n    secret/team/c/: this folder is too deep, or comes after too \
             many others\n\nEverything else is included. To include what is too deep or comes \
             after too many others, use a longer prefix. To include those that Vault denied, add \
             lines such as these to your Vault token's policy:\n\n  path \"secret/data/team/a\" \
             {\n    capabilities = [\"read\"]\n  }\n  path \"secret/metadata/team/b/\" {\n    \
             capabilities = [\"list\"]\n  }"
        );
    }

    #[test]
    fn places_without_time_are_named_with_what_saves_some() {
        let warning = skipped("secret", "team/", &[Skipped::late("team/a")]).unwrap();
        assert_eq!(
            warning.detail.to_string(),
            "These are left out:\n\n    secret/team/a: no time was left for this secret\n\n\
             Everything else is included. All of them must be read within a minute. Use a longer \
             prefix to read fewer, or add stamps, so that older versions need not be read."
        );
    }

    #[test]
    fn a_name_stays_on_its_line_and_in_its_quotes() {
        let places = [
            Skipped {
                path: "a\n\nRun this:".to_owned(),
                reason: SkipReason::Bound,
            },
            denied(r#"b"c\d"#, "data", "read"),
        ];
        let detail = skipped("secret", "", &places).unwrap().detail.to_string();
        assert!(
            detail.contains("secret/a\u{fffd}\u{fffd}Run this:: this"),
            "{detail}"
        );
        assert!(
            detail.contains(r#"path "secret/data/b\"c\\d" {"#),
            "{detail}"
        );
    }

    #[test]
    fn many_places_are_counted() {
        let places: Vec<_> = (0..=SHOWN)
            .map(|number| denied(&format!("a{number}"), "data", "read"))
            .collect();
        let warning = skipped("secret", "", &places).unwrap();
        let detail = warning.detail.to_string();
        assert!(detail.contains("\n    and 1 more\n"), "{detail}");
        assert_eq!(detail.matches("capabilities").count(), SHOWN);
    }
}
