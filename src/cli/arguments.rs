//! What the command line asks for. Nothing that was typed is repeated in a refusal: it may be a
//! token that went to the wrong place.

use std::ffi::OsString;

use lexopt::{Arg, Parser};
use thiserror::Error;

use crate::provider::operations::Scope;

/// How credentials of Anthropic begin, as they are and in Base64.
const CREDENTIALS: [&str; 2] = ["sk-ant-", "c2stYW50"];

/// Every option with a name; `--token` is there to be refused.
const OPTIONS: [&str; 15] = [
    "--debug",
    "--detailed-exitcode",
    "--dir",
    "--field",
    "--help",
    "--json",
    "--lifetime-days",
    "--metrics",
    "--minted-at",
    "--mount",
    "--packed",
    "--rotate-before-days",
    "--stamp-only",
    "--version",
    "--token",
];

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
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
    /// Show how tokens stand.
    Status(Status),
}

/// What help is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// The whole program.
    Program,
    /// The command `install`.
    Install,
    /// The command `store`.
    Store,
    /// The command `status`.
    Status,
}

impl Topic {
    /// Returns the name of the command, empty for the program.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Program => "",
            Self::Install => "install",
            Self::Store => "store",
            Self::Status => "status",
        }
    }
}

/// Arguments of `install`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Install {
    /// Mirror to fill instead of the user's own.
    pub(super) dir: Option<OsString>,
    /// Whether the user's own mirror is packed.
    pub(super) packed: bool,
}

/// Arguments of `store`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Store {
    /// Where tokens are.
    pub(super) scope: Scope,
    /// Path of the secret.
    pub(super) path: String,
    /// When the token was minted.
    pub(super) minted_at: Option<String>,
    /// Whether only to date the token that is there.
    pub(super) stamp_only: bool,
}

/// Arguments of `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// Where tokens are.
    pub(super) scope: Scope,
    /// Paths, lists of paths and prefixes; none is the whole mount.
    pub(super) targets: Vec<String>,
    /// How to show them.
    pub(super) format: Format,
    /// Whether the exit code tells that something is due.
    pub(super) detailed_exitcode: bool,
}

/// How tokens are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For Prometheus.
    Metrics,
}

/// Why a command line is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Problem {
    /// The first word is none of the commands.
    #[error("there is no such command")]
    UnknownCommand,
    /// An option that the command does not have.
    #[error("there is no such option")]
    UnknownOption,
    /// More words than the command takes.
    #[error("there are more arguments than this takes")]
    TooMany,
    /// A token, or the option by which other programs take one.
    #[error("a token is never an argument")]
    Token,
    /// A word that is not UTF-8.
    #[error("an argument is not UTF-8 text")]
    NotText,
    /// An option without its value.
    #[error("{0} needs a value")]
    NoValue(&'static str),
    /// An option that has no value, with one.
    #[error("an option has a value, but takes none")]
    NeedlessValue,
    /// A number of days that is none.
    #[error("{0} takes a whole number of days")]
    NotDays(&'static str),
    /// No path to store at.
    #[error("PATH is missing")]
    NoPath,
    /// Two options that exclude each other.
    #[error("{0} and {1} exclude each other")]
    Conflict(&'static str, &'static str),
}

/// A command line that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UsageError {
    /// Why.
    pub(super) problem: Problem,
    /// Whose help tells more.
    pub(super) topic: Topic,
    /// Whether a reader takes exit code 2 for a token that is due, so that this is to be 1.
    pub(super) two_means_due: bool,
}

/// Reads the arguments of the program, which has at least one.
pub(super) fn parse(arguments: Vec<OsString>) -> Result<Command, UsageError> {
    let mut topic = Topic::Program;
    let mut options = true;
    let arguments: Vec<_> = arguments
        .into_iter()
        .map(|argument| {
            options &= argument != "--";
            if options {
                with_two_dashes(argument)
            } else {
                argument
            }
        })
        .collect();
    // A typing error in the name must not turn into the answer that a token is due.
    let two_means_due = arguments.iter().any(|argument| {
        let argument = argument.to_string_lossy();
        argument.starts_with("--detail") || argument.starts_with("--metric")
    });
    let credential = arguments.iter().any(|argument| {
        let argument = argument.to_string_lossy();
        CREDENTIALS.iter().any(|start| argument.contains(start))
    });
    let parsed = if credential {
        topic = arguments.first().and_then(topic_of).unwrap_or(topic);
        Err(Problem::Token)
    } else {
        command(Parser::from_args(arguments), &mut topic)
    };
    parsed.map_err(|problem| UsageError {
        problem,
        topic,
        two_means_due,
    })
}

fn command(mut parser: Parser, topic: &mut Topic) -> Result<Command, Problem> {
    let command = match next(&mut parser)? {
        Some(Argument::Word(word)) => word,
        Some(Argument::Option("--version" | "-V")) => return alone(parser, Command::Version),
        Some(Argument::Option("--help" | "-h")) => {
            return alone(parser, Command::Help(Topic::Program));
        }
        Some(Argument::Option("--debug")) => return alone(parser, Command::Debug),
        Some(Argument::Option(_)) => return Err(Problem::UnknownOption),
        None => return Err(Problem::UnknownCommand),
    };
    *topic = topic_of(&command).ok_or(Problem::UnknownCommand)?;
    match topic {
        Topic::Install => install(parser),
        Topic::Store => store(parser),
        Topic::Status => status(parser),
        Topic::Program => Err(Problem::UnknownCommand),
    }
}

/// Writes an option with one dash, as Terraform and Vault take it, with the two that it has here.
fn with_two_dashes(argument: OsString) -> OsString {
    let Some(text) = argument.to_str() else {
        return argument;
    };
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    if OPTIONS.iter().any(|option| option[1..] == *name) {
        return OsString::from(format!("-{text}"));
    }
    argument
}

/// Returns the command that a word names.
fn topic_of(word: &OsString) -> Option<Topic> {
    [Topic::Install, Topic::Store, Topic::Status]
        .into_iter()
        .find(|topic| topic.name() == word)
}

fn alone(mut parser: Parser, command: Command) -> Result<Command, Problem> {
    match next(&mut parser)? {
        None => Ok(command),
        Some(_) => Err(Problem::TooMany),
    }
}

fn install(mut parser: Parser) -> Result<Command, Problem> {
    let mut install = Install::default();
    while let Some(argument) = next(&mut parser)? {
        match argument {
            Argument::Option("--help" | "-h") => return Ok(Command::Help(Topic::Install)),
            Argument::Option("--dir") => install.dir = Some(raw_value(&mut parser, "--dir")?),
            Argument::Option("--packed") => install.packed = true,
            Argument::Option(_) => return Err(Problem::UnknownOption),
            Argument::Word(_) => return Err(Problem::TooMany),
        }
    }
    Ok(Command::Install(install))
}

fn store(mut parser: Parser) -> Result<Command, Problem> {
    let mut store = Store::default();
    let mut path = None;
    while let Some(argument) = next(&mut parser)? {
        match argument {
            Argument::Option("--help" | "-h") => return Ok(Command::Help(Topic::Store)),
            Argument::Option("--stamp-only") => store.stamp_only = true,
            Argument::Option("--minted-at") => {
                store.minted_at = Some(value(&mut parser, "--minted-at")?);
            }
            Argument::Option(name) => scope(&mut store.scope, &mut parser, name)?,
            Argument::Word(_) if path.is_some() => return Err(Problem::Token),
            Argument::Word(word) => path = Some(text(word)?),
        }
    }
    store.path = path.ok_or(Problem::NoPath)?;
    Ok(Command::Store(store))
}

fn status(mut parser: Parser) -> Result<Command, Problem> {
    let mut status = Status::default();
    let (mut json, mut metrics) = (false, false);
    while let Some(argument) = next(&mut parser)? {
        match argument {
            Argument::Option("--help" | "-h") => return Ok(Command::Help(Topic::Status)),
            Argument::Option("--json") => json = true,
            Argument::Option("--metrics") => metrics = true,
            Argument::Option("--detailed-exitcode") => status.detailed_exitcode = true,
            Argument::Option(name) => scope(&mut status.scope, &mut parser, name)?,
            Argument::Word(word) => status.targets.push(text(word)?),
        }
    }
    status.format = match (json, metrics) {
        (true, true) => return Err(Problem::Conflict("--json", "--metrics")),
        (true, false) => Format::Json,
        (false, true) => Format::Metrics,
        (false, false) => Format::Table,
    };
    if metrics && status.detailed_exitcode {
        return Err(Problem::Conflict("--metrics", "--detailed-exitcode"));
    }
    Ok(Command::Status(status))
}

/// Reads the options that name tokens, alike in all commands.
fn scope(scope: &mut Scope, parser: &mut Parser, name: &str) -> Result<(), Problem> {
    match name {
        "--mount" => scope.mount = Some(value(parser, "--mount")?),
        "--field" => scope.field = Some(value(parser, "--field")?),
        "--lifetime-days" => scope.lifetime_days = Some(days(parser, "--lifetime-days")?),
        "--rotate-before-days" => {
            scope.rotate_before_days = Some(days(parser, "--rotate-before-days")?);
        }
        _ => return Err(Problem::UnknownOption),
    }
    Ok(())
}

/// One argument; the name of an option that exists nowhere is empty.
enum Argument {
    Option(&'static str),
    Word(OsString),
}

fn next(parser: &mut Parser) -> Result<Option<Argument>, Problem> {
    let argument = match parser.next() {
        Ok(argument) => argument,
        Err(lexopt::Error::UnexpectedValue { .. }) => return Err(Problem::NeedlessValue),
        Err(_) => return Err(Problem::NotText),
    };
    Ok(Some(match argument {
        None => return Ok(None),
        Some(Arg::Value(word)) => Argument::Word(word),
        Some(Arg::Short('h')) => Argument::Option("-h"),
        Some(Arg::Short('V')) => Argument::Option("-V"),
        Some(Arg::Short(_)) => Argument::Option(""),
        Some(Arg::Long(name)) => {
            let known = OPTIONS.iter().find(|option| option[2..] == *name);
            match known {
                Some(&"--token") => return Err(Problem::Token),
                Some(option) => Argument::Option(option),
                None => return Err(Problem::UnknownOption),
            }
        }
    }))
}

fn raw_value(parser: &mut Parser, name: &'static str) -> Result<OsString, Problem> {
    let value = parser.value().map_err(|_| Problem::NoValue(name))?;
    let is_option = value.to_string_lossy().starts_with('-');
    if value.is_empty() || is_option {
        return Err(Problem::NoValue(name));
    }
    Ok(value)
}

fn value(parser: &mut Parser, name: &'static str) -> Result<String, Problem> {
    text(raw_value(parser, name)?)
}

fn days(parser: &mut Parser, name: &'static str) -> Result<i64, Problem> {
    value(parser, name)?
        .parse()
        .map_err(|_| Problem::NotDays(name))
}

fn text(word: OsString) -> Result<String, Problem> {
    word.into_string().map_err(|_| Problem::NotText)
}

#[cfg(test)]
mod tests;
