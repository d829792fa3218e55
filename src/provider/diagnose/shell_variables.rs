//! What the commands in messages need to reach the Vault of the provider block from a shell, where
//! the block has no effect. Without it, a token would be stored somewhere else, and the command
//! would report success.

use crate::env::{self, Environment};
use crate::protocol::wire::printable_line;
use crate::sdk::Field;
use crate::token::name::{HIDDEN, has_token};
use crate::vault::has_credential;

use super::place::PIPE;
use super::shell;

/// What a shell and a reader must know about the provider block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::provider) struct ShellVariables {
    /// Assignments for a shell, each followed by a space; empty if a shell needs none.
    assignments: String,
    /// What is added to a summary, because two Vaults may have the same path; empty if nothing is
    /// added.
    place: String,
}

impl ShellVariables {
    /// Collects the settings that the provider block has and the environment does not.
    pub(in crate::provider) fn new(
        address: &Field<String>,
        namespace: &Field<String>,
        environment: &dyn Environment,
    ) -> Self {
        let of_block = [
            (env::VAULT_ADDR, address),
            (env::VAULT_NAMESPACE, namespace),
        ];
        let assignments = of_block.into_iter().filter_map(|(name, argument)| {
            let value = argument.known().filter(|value| !value.is_empty())?;
            (environment.get(name).as_ref() != Some(value))
                .then(|| format!("{name}={} ", shell(&shown(value))))
        });
        // An agent's address in the shell would take precedence over ours.
        let is_shadowed = address.as_str().is_some_and(|value| !value.is_empty())
            && environment.get(env::VAULT_AGENT_ADDR).is_some();
        let agent = is_shadowed.then(|| format!("{}= ", env::VAULT_AGENT_ADDR));
        let place: Vec<_> = [("at", address), ("in namespace", namespace)]
            .into_iter()
            .filter_map(|(word, argument)| {
                let value = argument.known().filter(|value| !value.is_empty())?;
                Some(format!("{word} {}", shown(value)))
            })
            .collect();
        Self {
            assignments: agent.into_iter().chain(assignments).collect(),
            place: if place.is_empty() {
                String::new()
            } else {
                format!(" ({})", place.join(" "))
            },
        }
    }

    /// Reports whether commands are right as they are.
    pub(in crate::provider) fn is_empty(&self) -> bool {
        self.assignments.is_empty() && self.place.is_empty()
    }

    /// Returns the summary of a warning with the Vault that it is about.
    pub(in crate::provider) fn after_summary(&self, summary: &str) -> String {
        format!("{summary}{}", self.place)
    }

    /// Puts the assignments before the program of each command that is on a line of its own.
    pub(in crate::provider) fn before_commands(&self, detail: &str) -> String {
        let mut completed = String::with_capacity(detail.len());
        for line in detail.split_inclusive('\n') {
            let (before, program) = line.split_at(program(line).unwrap_or(line.len()));
            completed.push_str(before);
            if !program.is_empty() {
                completed.push_str(&self.assignments);
                completed.push_str(program);
            }
        }
        completed
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

/// Returns where the program begins in a line that is a command of ours against Vault.
fn program(line: &str) -> Option<usize> {
    const OWN: &str = concat!(env!("CARGO_PKG_NAME"), " ");
    let command = line.strip_prefix("    ")?;
    let start = line.len() - command.len();
    if command.starts_with("vault ") || command.starts_with(OWN) {
        return Some(start);
    }
    let pipe = command.starts_with('(').then(|| command.find(PIPE))??;
    let rest = start + pipe + PIPE.len();
    line[rest..].starts_with("vault ").then_some(rest)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::provider::diagnose::{Place, command};
    use crate::vault::SecretPath;

    fn variables(address: &str, namespace: &str, environment: &[(&str, &str)]) -> ShellVariables {
        let environment: BTreeMap<_, _> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let known = |text: &str| Field::Known(text.to_owned());
        ShellVariables::new(&known(address), &known(namespace), &environment)
    }

    #[test]
    fn a_shell_is_told_what_only_the_block_says() {
        let assigned = variables("http://vault:8200", "team a", &[]);
        assert_eq!(
            assigned.assignments,
            "VAULT_ADDR='http://vault:8200' VAULT_NAMESPACE='team a' "
        );
        let seen = [
            ("VAULT_ADDR", "http://vault:8200"),
            ("VAULT_NAMESPACE", "of the shell"),
        ];
        let assigned = variables("http://vault:8200", "team", &seen);
        assert_eq!(assigned.assignments, "VAULT_NAMESPACE=team ");
        assert!(variables("", "", &seen).is_empty());
        assert_eq!(
            variables("http://vault:8200", "team", &seen).after_summary("Token a is due"),
            "Token a is due (at http://vault:8200 in namespace team)"
        );
        let agent = [("VAULT_AGENT_ADDR", "http://agent:8100")];
        let assigned = variables("http://vault:8200", "", &agent);
        assert_eq!(
            assigned.assignments,
            "VAULT_AGENT_ADDR= VAULT_ADDR='http://vault:8200' "
        );
        let assigned = ShellVariables::new(&Field::Null, &Field::Unknown, &BTreeMap::new());
        assert!(assigned.is_empty());
    }

    #[test]
    fn no_credential_is_repeated_and_nothing_acts_on_a_terminal() {
        let token = format!("sk-ant-oat01-{}", "a".repeat(95));
        let assigned = variables("", &token, &[]);
        assert_eq!(
            assigned.assignments,
            format!("VAULT_NAMESPACE={} ", shell(HIDDEN))
        );
        let assigned = variables("", "a\u{1b}[2J\nvault ", &[]);
        assert!(
            !assigned.assignments.contains(['\u{1b}', '\n']),
            "{assigned:?}"
        );
    }

    #[test]
    fn every_command_says_it_and_nothing_else_does() {
        let secret = SecretPath::new("secret", "a) | vault b").unwrap();
        let place = Place {
            secret: &secret,
            field: "token",
        };
        let detail = format!(
            "Compare with `vault kv list`. Run:{}Or:{}Or:{}Add:\n\n  path \"a\" {{\n    \
             capabilities = [\"read\"]\n  }}",
            place.store_commands(),
            command(&place.version_command("undelete", 1)),
            command("terraform apply"),
        );
        assert_eq!(
            variables("", "team", &[]).before_commands(&detail),
            "Compare with `vault kv list`. Run:\n\n    VAULT_NAMESPACE=team \
             terraform-provider-claude store --field=token 'a) | vault b'\n\n\
             Or the same without that program:\n\n    (read -rs T && [ -n \"$T\" ] && \
             printf %s \"$T\" | VAULT_NAMESPACE=team vault kv patch -mount=secret \
             'a) | vault b' token=-)\n\n\
             Or:\n\n    VAULT_NAMESPACE=team vault kv undelete -mount=secret -versions=1 \
             'a) | vault b'\n\nOr:\n\n    terraform apply\n\nAdd:\n\n  path \"a\" {\n    \
             capabilities = [\"read\"]\n  }"
        );
    }
}
