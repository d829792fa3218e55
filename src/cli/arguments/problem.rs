//! Why a command line is rejected.

use thiserror::Error;

use super::Topic;

/// Why a command line is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(in crate::cli) enum Problem {
    /// The first word is not a command.
    #[error("there is no such command{}", suggestion(.0))]
    UnknownCommand(Option<&'static str>),
    /// The command does not have this option.
    #[error("there is no such option{}", suggestion(.0))]
    UnknownOption(Option<&'static str>),
    /// There are more words than the command accepts.
    #[error("there are too many arguments")]
    TooMany,
    /// A token, or an option that takes one in other programs.
    #[error("a token is never an argument")]
    Token,
    /// A word that is not UTF-8.
    #[error("an argument is not UTF-8 text")]
    NotText,
    /// An option lacks its value.
    #[error("{0} needs a value")]
    NoValue(&'static str),
    /// An option without a value was given one.
    #[error("an option has a value, but takes none")]
    NeedlessValue,
    /// An invalid number of days.
    #[error("{0} takes a whole number of days")]
    NotDays(&'static str),
    /// An invalid age.
    #[error("{0} takes a time such as 7d, 12h, or 30m")]
    NotAge(&'static str),
    /// An invalid name of a variable.
    #[error("{0} takes the name of an environment variable")]
    NotVariable(&'static str),
    /// No path.
    #[error("PATH is missing")]
    NoPath,
    /// Nothing to run.
    #[error("COMMAND is missing; write it after --")]
    NoCommand,
    /// No spare to promote from.
    #[error("--spare is missing")]
    NoSpare,
    /// Two options that cannot be combined.
    #[error("{0} and {1} cannot be combined")]
    Conflict(&'static str, &'static str),
    /// An option that makes sense only with another one.
    #[error("{0} needs {1}")]
    Needs(&'static str, &'static str),
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
}

/// A command line that is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct UsageError {
    /// The reason.
    pub(in crate::cli) problem: Problem,
    /// The command whose help explains more.
    pub(in crate::cli) topic: Topic,
    /// Whether exit code 2 would mean a finding to the caller, so that this must be 1.
    pub(in crate::cli) two_is_taken: bool,
}
