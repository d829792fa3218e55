//! The words that the program accepts, and the nearest one to a mistyped word.

use std::ffi::OsString;

use super::Problem;
use crate::words::words;

/// Minimum similarity, from 0 to 1, of a word that is suggested for another.
const ALIKE: f64 = 0.8;

words! {
    /// The topic of a help text.
    pub(in crate::cli) enum Topic {
        /// The whole program.
        Program = "help",
        /// The command `install`.
        Install = "install",
        /// The command `store`.
        Store = "store",
        /// The command `status`.
        Status = "status",
        /// The command `verify`.
        Verify = "verify",
        /// The command `exec`.
        Exec = "exec",
        /// The command `find`.
        Find = "find",
        /// The command `promote`.
        Promote = "promote",
    }
}

/// Returns the command with this name.
pub(super) fn topic_of(word: &OsString) -> Option<Topic> {
    Topic::parse(word.to_str()?)
}

/// Returns the program's own flag with this name.
pub(super) fn program_flag(word: &OsString) -> Option<&'static str> {
    match word.to_str()? {
        "--version" | "-version" | "-V" => Some("--version"),
        "--help" | "-help" | "-h" => Some("--help"),
        "--debug" | "-debug" => Some("--debug"),
        _ => None,
    }
}

/// Rejects a first word that the program does not accept.
pub(super) fn unknown(word: &OsString) -> Problem {
    let word = word.to_string_lossy();
    if word.trim_start_matches('-').split('=').next() == Some("token") {
        return Problem::Token;
    }
    if word.starts_with('-') {
        let flags = ["--version", "--help", "--debug"];
        return Problem::UnknownOption(nearest(&word, flags));
    }
    Problem::UnknownCommand(nearest(&word, Topic::ALL.map(Topic::as_str)))
}

/// Returns the accepted word that is most similar to a mistyped one.
pub(super) fn nearest(
    word: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let bare = |word: &str| word.trim_start_matches('-').to_lowercase();
    let word = bare(word);
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&bare(known), &word), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// Returns the arguments without those of the program to run, which has its own.
pub(super) fn own_part(topic: Topic, arguments: &[OsString]) -> &[OsString] {
    let end = match topic {
        Topic::Verify | Topic::Exec => arguments.iter().position(|argument| argument == "--"),
        _ => None,
    };
    &arguments[..end.unwrap_or(arguments.len())]
}
