//! How messages name one field of one secret, and the commands that put a token there.

use jiff::Timestamp;

use crate::protocol::{Command, Text};
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
    /// Two commands that put a token into a document and keep its other fields; either is enough.
    /// Ours checks the token and records its date. The other does not need our program.
    pub(in crate::provider) fn store_commands(self) -> Text {
        self.commands(None)
    }

    pub(super) fn create_commands(self) -> Text {
        self.commands(Some(0))
    }

    fn commands(self, over: Option<u64>) -> Text {
        Text::from(self.store_command())
            + "Or the same without that program:"
            + self.vault_command(over)
    }

    /// Our own command that stores a token there, to which options can be added.
    pub(in crate::provider) fn store_command(self) -> Command {
        self.own_command("store")
    }

    /// Our own command of this name for the token.
    fn own_command(self, name: &str) -> Command {
        let command = own_command(name, self.secret.mount());
        let command = match self.field {
            DEFAULT_FIELD => command,
            field => command.option("--field", field),
        };
        command.word(self.secret.path())
    }

    /// Our own command that stamps the token there with a mint time.
    pub(in crate::provider) fn stamp_command(self, minted_at: Timestamp) -> Command {
        let at = format_instant(minted_at);
        self.store_command()
            .plain(format!(" --stamp-only --minted-at={at}"))
    }

    /// Our own command that extracts the only token in a malformed value and stores just that
    /// token.
    pub(in crate::provider) fn repair_command(self) -> Command {
        self.own_command("store --repair")
    }

    /// Our own command that asks Claude Code whether the token works.
    pub(in crate::provider) fn verify_command(self) -> Command {
        self.own_command("verify")
    }

    /// The command that puts a token into a secret without our program: as the only field over this
    /// version (0 for a new secret), or next to the other fields.
    pub(super) fn vault_command(self, over: Option<u64>) -> Command {
        let command = match over {
            Some(version) => kv(self.secret, "put", &[("-cas", &version.to_string())]),
            None => kv(self.secret, "patch", &[]),
        };
        command.word(self.field).plain("=-").reading_paste()
    }
}

/// Our own command of this name, in a mount.
pub(super) fn own_command(name: &str, mount: &str) -> Command {
    let command = Command::new(format!("{} {name}", env!("CARGO_PKG_NAME")));
    match mount {
        DEFAULT_MOUNT => command,
        mount => command.option("--mount", mount),
    }
}

/// A command of Vault's own CLI about a secret.
pub(in crate::provider) fn kv(
    secret: &SecretPath,
    verb: &str,
    options: &[(&str, &str)],
) -> Command {
    let command = Command::new(format!("vault kv {verb}")).option("-mount", secret.mount());
    options
        .iter()
        .fold(command, |command, (name, value)| {
            command.option(name, *value)
        })
        .word(secret.path())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_take_a_token_that_is_pasted() {
        let secret = SecretPath::new("secret", "agent").unwrap();
        let place = Place {
            secret: &secret,
            field: "token",
        };
        assert_eq!(
            place.store_commands().to_string(),
            "    terraform-provider-claude store --field=token agent\n\n\
             Or the same without that program:\n\n    (read -rs T && [ -n \"$T\" ] && \
             printf %s \"$T\" | vault kv patch -mount=secret agent token=-)"
        );
        let secret = SecretPath::new("kv/team", "two words").unwrap();
        let place = Place {
            secret: &secret,
            field: DEFAULT_FIELD,
        };
        assert_eq!(
            place.create_commands().to_string(),
            "    terraform-provider-claude store --mount=kv/team 'two words'\n\n\
             Or the same without that program:\n\n    (read -rs T && [ -n \"$T\" ] && \
             printf %s \"$T\" | vault kv put -mount=kv/team -cas=0 'two words' \
             claude_oauth_token=-)"
        );
    }
}
