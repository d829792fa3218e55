//! The commands and their arguments.

use std::ffi::OsString;

use super::Topic;
use crate::provider::operations::Scope;

/// The command to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Command {
    /// Serve any host.
    Debug,
    /// Print name and version.
    Version,
    /// Print help.
    Help(Topic),
    /// Install this program where hosts find it.
    Install(Install),
    /// Store or date a token.
    Store(Store),
    /// Show tokens with their dates and statuses.
    Status(Status),
    /// Verify whether tokens work.
    Verify(Verify),
    /// Run a program with a token.
    Exec(Exec),
    /// List the places that hold a token.
    Find(Find),
    /// Promote a spare.
    Promote(Promote),
}

/// Arguments of `install`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Install {
    /// Mirror to fill instead of the user's own.
    pub(in crate::cli) dir: Option<OsString>,
    /// Whether the user's own mirror is packed.
    pub(in crate::cli) packed: bool,
}

/// Arguments of `store`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Store {
    /// Where tokens are.
    pub(in crate::cli) scope: Scope,
    /// Path of the secret.
    pub(in crate::cli) path: String,
    /// When the token was minted.
    pub(in crate::cli) minted_at: Option<String>,
    /// The label of the account.
    pub(in crate::cli) account: Option<String>,
    /// Where the token comes from.
    pub(in crate::cli) source: Source,
    /// Whether to store a token of an unproven length.
    pub(in crate::cli) any_length: bool,
    /// Whether the token must work before it is stored.
    pub(in crate::cli) verify: bool,
    /// The `claude` to run, if it is not the one on `PATH`.
    pub(in crate::cli) claude: Option<OsString>,
}

/// Where the token that is stored or dated comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum Source {
    /// The prompt, or standard input.
    #[default]
    Input,
    /// The current token in the field, which is only dated.
    Current,
    /// The token that the field contains along with other text.
    Inside,
}

/// Arguments of `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Status {
    /// Where tokens are.
    pub(in crate::cli) scope: Scope,
    /// Paths, lists of paths, and prefixes. If empty, the whole mount.
    pub(in crate::cli) targets: Vec<String>,
    /// How to show them.
    pub(in crate::cli) format: Format,
    /// Whether the exit code reports that a token is due.
    pub(in crate::cli) detailed_exitcode: bool,
}

/// How tokens are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For Prometheus.
    Metrics,
}

/// Arguments of `verify`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Verify {
    /// Where tokens are.
    pub(in crate::cli) scope: Scope,
    /// Paths, lists of paths, and prefixes. A single `-` is a token from the prompt or standard
    /// input.
    pub(in crate::cli) targets: Vec<String>,
    /// What to run instead of `claude`.
    pub(in crate::cli) command: Option<Vec<OsString>>,
    /// The `claude` to run, if it is not the one on `PATH`.
    pub(in crate::cli) claude: Option<OsString>,
    /// Variables to pass on that are otherwise removed.
    pub(in crate::cli) keep_env: Vec<String>,
    /// Maximum age in seconds of a verdict that is used again.
    pub(in crate::cli) if_older_than: Option<i64>,
    /// Whether to leave verdicts out of the metadata.
    pub(in crate::cli) no_stamp: bool,
    /// Whether to run a command first with a token that cannot work.
    pub(in crate::cli) control: bool,
    /// Whether to print JSON.
    pub(in crate::cli) json: bool,
}

/// Arguments of `exec`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Exec {
    /// Where tokens are.
    pub(in crate::cli) scope: Scope,
    /// Path of the secret.
    pub(in crate::cli) path: String,
    /// Variable for the token.
    pub(in crate::cli) variable: Option<String>,
    /// The program and its arguments.
    pub(in crate::cli) command: Vec<OsString>,
}

/// Arguments of `find`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Find {
    /// Where to search.
    pub(in crate::cli) scope: Scope,
    /// Prefixes. If empty, the whole mount.
    pub(in crate::cli) targets: Vec<String>,
    /// The digest of the token. If absent, the command prompts for the token.
    pub(in crate::cli) fingerprint: Option<String>,
    /// Whether to print JSON.
    pub(in crate::cli) json: bool,
}

/// Arguments of `promote`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Promote {
    /// Where tokens are.
    pub(in crate::cli) scope: Scope,
    /// Path of the primary.
    pub(in crate::cli) path: String,
    /// Paths of the spares, in order of preference.
    pub(in crate::cli) spares: Vec<String>,
    /// Whether to report only which spare would be promoted.
    pub(in crate::cli) dry_run: bool,
}
