//! What messages need so that a reader's shell reaches the Vault of the provider block, which has no
//! effect there. Without it, a command would store a token somewhere else and report success.

use crate::env::{self, Environment};
use crate::protocol::Site;
use crate::protocol::wire::printable_line;
use crate::sdk::Field;
use crate::token::name::{HIDDEN, has_token};
use crate::vault::has_credential;

/// Collects the settings that the provider block has, and those of them that the environment does
/// not have.
pub(super) fn site(
    address: &Field<String>,
    namespace: &Field<String>,
    environment: &dyn Environment,
) -> Site {
    let settings: Vec<_> = [
        (env::VAULT_ADDR, "at", address),
        (env::VAULT_NAMESPACE, "in namespace", namespace),
    ]
    .into_iter()
    .filter_map(|(name, word, argument)| {
        let value = argument.known().filter(|value| !value.is_empty())?;
        Some((name, word, value))
    })
    .collect();
    // An agent's address in the shell would take precedence over ours.
    let is_shadowed = settings.iter().any(|(name, ..)| *name == env::VAULT_ADDR)
        && environment.get(env::VAULT_AGENT_ADDR).is_some();
    let agent = is_shadowed.then(|| (env::VAULT_AGENT_ADDR, String::new()));
    let missing = settings
        .iter()
        .filter(|(name, _, value)| environment.get(name).as_ref() != Some(value))
        .map(|(name, _, value)| (*name, shown(value)));
    let place: Vec<_> = settings
        .iter()
        .map(|(_, word, value)| format!("{word} {}", shown(value)))
        .collect();
    Site {
        variables: agent.into_iter().chain(missing).collect(),
        place: match place.is_empty() {
            true => String::new(),
            false => format!(" ({})", place.join(" ")),
        },
    }
}

/// Hides a credential that is set instead of a name: the command then fails and stores nothing.
fn shown(value: &str) -> String {
    if has_token(value) || has_credential(value) {
        HIDDEN.to_owned()
    } else {
        printable_line(value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::protocol::{Command, Text};

    fn with(address: &str, namespace: &str, environment: &[(&str, &str)]) -> Site {
        let environment: BTreeMap<_, _> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let known = |text: &str| Field::Known(text.to_owned());
        site(&known(address), &known(namespace), &environment)
    }

    fn command(site: &Site) -> String {
        Text::from(Command::new("run")).render(&site.variables)
    }

    #[test]
    fn a_shell_is_told_what_only_the_block_says() {
        let alone = with("http://vault:8200", "team a", &[]);
        assert_eq!(
            command(&alone),
            "    VAULT_ADDR='http://vault:8200' VAULT_NAMESPACE='team a' run"
        );
        let seen = [
            ("VAULT_ADDR", "http://vault:8200"),
            ("VAULT_NAMESPACE", "of the shell"),
        ];
        let assigned = with("http://vault:8200", "team", &seen);
        assert_eq!(command(&assigned), "    VAULT_NAMESPACE=team run");
        assert_eq!(assigned.place, " (at http://vault:8200 in namespace team)");
        assert_eq!(with("", "", &seen), Site::default());
        let agent = [("VAULT_AGENT_ADDR", "http://agent:8100")];
        assert_eq!(
            command(&with("http://vault:8200", "", &agent)),
            "    VAULT_AGENT_ADDR= VAULT_ADDR='http://vault:8200' run"
        );
        let nothing = site(&Field::Null, &Field::Unknown, &BTreeMap::new());
        assert_eq!(nothing, Site::default());
    }

    #[test]
    fn no_credential_is_repeated_and_nothing_acts_on_a_terminal() {
        let token = format!("sk-ant-oat01-{}", "a".repeat(95));
        let hidden = with("", &token, &[]);
        assert_eq!(hidden.variables, [("VAULT_NAMESPACE", HIDDEN.to_owned())]);
        let odd = with("", "a\u{1b}[2J\nvault ", &[]);
        assert!(!command(&odd).contains(['\u{1b}', '\n']), "{odd:?}");
        assert!(!odd.place.contains(['\u{1b}', '\n']), "{odd:?}");
    }
}
