//! The commands and what each of them is given.

use std::ffi::OsString;

use super::Topic;
use crate::provider::operations::Scope;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Command {
    /// Serve whichever host comes.
    Debug,
    /// Print name and version.
    Version,
    /// Print how something is used.
    Help(Topic),
    /// Put this program where hosts find it.
    Install(Install),
    /// Store or date a token.
    Store(Store),
    /// Show tokens, their dates and states.
    Status(Status),
    /// Ask whether tokens work.
    Verify(Verify),
    /// Run a program with a token.
    Exec(Exec),
    /// List the places of a token.
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
    /// Whether a token of a length that nobody has seen is stored.
    pub(in crate::cli) any_length: bool,
    /// Whether the token must work before it is stored.
    pub(in crate::cli) verify: bool,
    /// The `claude` to ask, where it is not the one on `PATH`.
    pub(in crate::cli) claude: Option<OsString>,
}

/// Where the token that is stored or dated comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum Source {
    /// The prompt, or standard input.
    #[default]
    Input,
    /// The field holds it, and it is only dated.
    Current,
    /// The field holds it among other text.
    Inside,
}

/// Arguments of `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Status {
    /// Where tokens are.
    pub(in crate::cli) scope: Scope,
    /// Paths, lists of paths and prefixes; none is the whole mount.
    pub(in crate::cli) targets: Vec<String>,
    /// How to show them.
    pub(in crate::cli) format: Format,
    /// Whether the exit code shows that something is due.
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
    /// Paths, lists of paths and prefixes; `-` alone is a token from the prompt or standard input.
    pub(in crate::cli) targets: Vec<String>,
    /// What to run instead of `claude`.
    pub(in crate::cli) command: Option<Vec<OsString>>,
    /// The `claude` to ask, where it is not the one on `PATH`.
    pub(in crate::cli) claude: Option<OsString>,
    /// Variables that it gets all the same.
    pub(in crate::cli) keep_env: Vec<String>,
    /// Age in seconds up to which a verdict counts without asking.
    pub(in crate::cli) if_older_than: Option<i64>,
    /// Whether verdicts stay out of the metadata.
    pub(in crate::cli) no_stamp: bool,
    /// Whether a command is tried with a token that cannot work.
    pub(in crate::cli) control: bool,
    /// Whether the answer is JSON.
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
    /// Where to look.
    pub(in crate::cli) scope: Scope,
    /// Prefixes; none is the whole mount.
    pub(in crate::cli) targets: Vec<String>,
    /// The token by its digest; else it is asked for.
    pub(in crate::cli) fingerprint: Option<String>,
    /// Whether the answer is JSON.
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
    /// Whether only to say which spare would be promoted.
    pub(in crate::cli) dry_run: bool,
}
