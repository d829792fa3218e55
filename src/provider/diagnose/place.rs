//! How messages name one field of one secret, and the commands that put a token there.

use jiff::Timestamp;

use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::defaults::DEFAULT_MOUNT;
use crate::token::instant::format_instant;
use crate::vault::SecretPath;

/// One field of one secret, as messages name it.
#[derive(Clone, Copy, Debug)]
pub(in crate::provider) struct Place<'a> {
    /// The secret.
    pub(in crate::provider) secret: &'a SecretPath,
    /// The field.
    pub(in crate::provider) field: &'a str,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}#{}", self.secret, self.field)
    }
}

impl Place<'_> {
    /// The commands that put a token into a document and keep its other fields.
    pub(in crate::provider) fn store_commands(self) -> String {
        let (mount, path) = (self.secret.mount(), shell(self.secret.path()));
        store_commands(None, mount, &path, self.field)
    }

    pub(super) fn create_commands(self) -> String {
        let (mount, path) = (self.secret.mount(), shell(self.secret.path()));
        store_commands(Some(0), mount, &path, self.field)
    }

    /// Our own command that stores a token there, to which options can be added.
    pub(in crate::provider) fn store_command(self) -> String {
        self.own_command("store")
    }

    /// Our own command of this name for the token.
    pub(in crate::provider) fn own_command(self, name: &str) -> String {
        let (mount, path) = (self.secret.mount(), shell(self.secret.path()));
        own_command(name, mount, &path, self.field)
    }

    /// Our own command that stamps the token there with a mint time.
    pub(in crate::provider) fn stamp_command(self, minted_at: Timestamp) -> String {
        let at = format_instant(minted_at);
        format!("{} --stamp-only --minted-at={at}", self.store_command())
    }

    /// Our own command that extracts the only token in a malformed value and stores just that
    /// token.
    pub(in crate::provider) fn repair_command(self) -> String {
        self.own_command("store --repair")
    }

    /// Our own command that asks Claude Code whether the token works.
    pub(in crate::provider) fn verify_command(self) -> String {
        self.own_command("verify")
    }

    /// The command that writes a token as the only field over this version of a secret (0 for a new
    /// secret), without our program.
    pub(super) fn vault_put_command(self, version: u64) -> String {
        let (mount, path) = (self.secret.mount(), shell(self.secret.path()));
        vault_command(Some(version), mount, &path, self.field)
    }

    pub(super) fn version_command(self, verb: &str, version: u64) -> String {
        format!(
            "vault kv {verb} -mount={mount} -versions={version} {path}",
            mount = shell(self.secret.mount()),
            path = shell(self.secret.path()),
        )
    }
}

/// Two commands that put a token into a secret; either is enough. Ours checks the token and records
/// its date. The other does not need our program. The token is pasted into both: an argument would
/// stay in the shell's history, and a line break at its end would be stored. `path` is already
/// quoted, or is a placeholder.
fn store_commands(over: Option<u64>, mount: &str, path: &str, field: &str) -> String {
    format!(
        "{}Or the same without that program:{}",
        command(&own_command("store", mount, path, field)),
        command(&vault_command(over, mount, path, field))
    )
}

/// The part of a command before the program that receives a pasted token. Empty input, the end of
/// input, and a shell without `read -s` all stop before that program, because an empty token would
/// replace a working one.
pub(super) const PIPE: &str = "&& printf %s \"$T\" | ";

fn own_command(name: &str, mount: &str, path: &str, field: &str) -> String {
    let option = |name: &str, value: &str, default: &str| match value {
        value if value == default => String::new(),
        value => format!(" --{name}={}", shell(value)),
    };
    format!(
        "{program} {name}{mount}{field} {path}",
        program = env!("CARGO_PKG_NAME"),
        mount = option("mount", mount, DEFAULT_MOUNT),
        field = option("field", field, DEFAULT_FIELD),
    )
}

/// `over` is the version that a whole document is written over. `None` keeps the other fields.
fn vault_command(over: Option<u64>, mount: &str, path: &str, field: &str) -> String {
    let (verb, option) = match over {
        Some(version) => ("put", format!(" -cas={version}")),
        None => ("patch", String::new()),
    };
    format!(
        "(read -rs T && [ -n \"$T\" ] {PIPE}vault kv {verb} -mount={mount}{option} {path} {field}=-)",
        mount = shell(mount),
        field = shell(field),
    )
}

/// Adds a sentence to a text, on a line of its own after a command or a policy.
pub(in crate::provider) fn add(detail: &mut String, sentence: &str) {
    let follows_block = detail
        .lines()
        .last()
        .is_some_and(|line| line.starts_with(' '));
    if !detail.ends_with('\n') {
        detail.push_str(if follows_block { "\n\n" } else { " " });
    }
    detail.push_str(sentence);
}

/// What a path without a secret was most likely meant to be, if it has quotes, or begins with the
/// mount or with the `data/` or `metadata/` of the API.
pub(in crate::provider) fn otherwise(secret: &SecretPath) -> Option<&str> {
    let path = secret.path().trim_matches(['"', '\'']);
    let path = path
        .strip_prefix(secret.mount())
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(path);
    let of_api = ["data/", "metadata/"];
    let path = of_api
        .iter()
        .find_map(|kind| path.strip_prefix(kind))
        .unwrap_or(path);
    (path != secret.path() && !path.is_empty()).then_some(path)
}

/// Puts a command on a line of its own, which hosts do not wrap because it is indented.
pub(in crate::provider) fn command(text: &str) -> String {
    format!("\n\n    {text}\n\n")
}

/// Quotes a word for a shell, if necessary.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(shell("team/agent-1.x_y"), "team/agent-1.x_y");
        assert_eq!(shell("two words"), "'two words'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell("$(reboot)"), "'$(reboot)'");
    }

    #[test]
    fn commands_take_a_token_that_is_pasted() {
        let secret = SecretPath::new("secret", "agent").unwrap();
        let place = Place {
            secret: &secret,
            field: "token",
        };
        assert_eq!(
            place.store_commands(),
            "\n\n    terraform-provider-claude store --field=token agent\n\n\
             Or the same without that program:\n\n    (read -rs T && [ -n \"$T\" ] && \
             printf %s \"$T\" | vault kv patch -mount=secret agent token=-)\n\n"
        );
        let secret = SecretPath::new("kv/team", "two words").unwrap();
        let place = Place {
            secret: &secret,
            field: DEFAULT_FIELD,
        };
        assert_eq!(
            place.create_commands(),
            "\n\n    terraform-provider-claude store --mount=kv/team 'two words'\n\n\
             Or the same without that program:\n\n    (read -rs T && [ -n \"$T\" ] && \
             printf %s \"$T\" | vault kv put -mount=kv/team -cas=0 'two words' \
             claude_oauth_token=-)\n\n"
        );
    }

    #[test]
    fn a_sentence_stands_below_a_block() {
        for (detail, expected) in [
            ("Denied.", "Denied. Unchanged."),
            (
                "Add:\n\n  path {\n  }",
                "Add:\n\n  path {\n  }\n\nUnchanged.",
            ),
            ("Run:\n\n    ls\n\n", "Run:\n\n    ls\n\nUnchanged."),
        ] {
            let mut detail = detail.to_owned();
            add(&mut detail, "Unchanged.");
            assert_eq!(detail, expected);
        }
    }
}
