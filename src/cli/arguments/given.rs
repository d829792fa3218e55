//! The options and words given to one command.

use std::ffi::OsString;

use lexopt::{Arg, Parser};

use super::Problem;
use super::words;
use crate::provider::operations::Scope;

/// What a command accepts.
pub(super) struct Spec {
    /// Options without a value, besides `--help`.
    pub(super) flags: &'static [&'static str],
    /// Options with a value.
    pub(super) values: &'static [&'static [&'static str]],
    /// Whether a program to run may follow two hyphens.
    pub(super) runs_command: bool,
}

impl Spec {
    fn flags(&self) -> impl Iterator<Item = &'static str> {
        self.flags.iter().copied().chain(["--help"])
    }

    fn options(&self) -> impl Iterator<Item = &'static str> {
        self.flags()
            .chain(self.values.iter().flat_map(|names| names.iter().copied()))
    }
}

/// Converts an option with one hyphen, as in Terraform and Vault, to the form with two. Apart from
/// `-h`, none of our options is a single letter.
fn with_two_hyphens(argument: OsString) -> OsString {
    match argument.to_str() {
        Some(text) if text.starts_with('-') && !text.starts_with("--") && text.len() > 2 => {
            OsString::from(format!("-{text}"))
        }
        _ => argument,
    }
}

/// The arguments of one command.
pub(super) struct Given {
    flags: Vec<&'static str>,
    values: Vec<(&'static str, OsString)>,
    words: Vec<OsString>,
    command: Option<Vec<OsString>>,
}

impl Given {
    /// Sorts the arguments of a command.
    pub(super) fn read(spec: &Spec, mut arguments: Vec<OsString>) -> Result<Self, Problem> {
        let hyphens = arguments.iter().position(|argument| argument == "--");
        let command = match hyphens {
            Some(at) if spec.runs_command => {
                let command = arguments.split_off(at + 1);
                arguments.pop();
                Some(command)
            }
            _ => None,
        };
        let options = hyphens.unwrap_or(arguments.len()).min(arguments.len());
        let words = arguments.split_off(options);
        let arguments = arguments.into_iter().map(with_two_hyphens).chain(words);
        let mut given = Self {
            flags: Vec::new(),
            values: Vec::new(),
            words: Vec::new(),
            command,
        };
        let mut parser = Parser::from_args(arguments);
        loop {
            let argument = match parser.next() {
                Ok(Some(argument)) => argument,
                Ok(None) => return Ok(given),
                Err(lexopt::Error::UnexpectedValue { .. }) => return Err(Problem::NeedlessValue),
                Err(_) => return Err(Problem::NotText),
            };
            let name = match argument {
                Arg::Value(word) => {
                    given.words.push(word);
                    continue;
                }
                Arg::Short('h') => "help".to_owned(),
                Arg::Short(_) => return Err(Problem::UnknownOption(None)),
                Arg::Long("token") => return Err(Problem::Token),
                Arg::Long(name) => name.to_owned(),
            };
            let is = |option: &&'static str| option[2..] == *name;
            if let Some(flag) = spec.flags().find(is) {
                given.flags.push(flag);
            } else if let Some(option) = spec.options().find(is) {
                let value = parser.value().map_err(|_| Problem::NoValue(option))?;
                let is_option = value.to_string_lossy().starts_with('-');
                if value.is_empty() || is_option {
                    return Err(Problem::NoValue(option));
                }
                given.values.push((option, value));
            } else {
                return Err(Problem::UnknownOption(words::nearest(
                    &name,
                    spec.options(),
                )));
            }
        }
    }

    /// Reports whether a flag was given.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.flags.contains(&name)
    }

    /// Returns the last value of an option.
    pub(super) fn raw(&mut self, name: &str) -> Option<OsString> {
        let at = self
            .values
            .iter()
            .rposition(|(option, _)| *option == name)?;
        Some(self.values.remove(at).1)
    }

    /// Returns the last value of an option as text.
    pub(super) fn value(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.raw(name).map(text).transpose()
    }

    /// Returns all values of an option, in order.
    pub(super) fn values(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let (of_it, rest) = std::mem::take(&mut self.values)
            .into_iter()
            .partition(|(option, _)| *option == name);
        self.values = rest;
        let of_it: Vec<(&str, OsString)> = of_it;
        of_it.into_iter().map(|(_, value)| text(value)).collect()
    }

    /// Returns the names of variables in all values of an option.
    pub(super) fn variables(&mut self, name: &'static str) -> Result<Vec<String>, Problem> {
        let names: Vec<String> = self
            .values(name)?
            .iter()
            .flat_map(|value| value.split(','))
            .map(str::to_owned)
            .collect();
        let is_name = |name: &String| {
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if names.iter().all(is_name) {
            Ok(names)
        } else {
            Err(Problem::NotVariable(name))
        }
    }

    /// Reads a time such as `7d`, in seconds.
    pub(super) fn age(&mut self, name: &'static str) -> Result<Option<i64>, Problem> {
        let Some(value) = self.value(name)? else {
            return Ok(None);
        };
        let units = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
        let seconds = units.into_iter().find_map(|(unit, seconds)| {
            let number: u32 = value.strip_suffix(unit)?.parse().ok()?;
            i64::from(number).checked_mul(seconds)
        });
        seconds.map(Some).ok_or(Problem::NotAge(name))
    }

    /// Returns the options for where tokens are and how long they live.
    pub(super) fn scope(&mut self) -> Result<Scope, Problem> {
        Ok(Scope {
            mount: self.value("--mount")?,
            field: self.value("--field")?,
            every_field: false,
            lifetime_days: self.days("--lifetime-days")?,
            rotate_before_days: self.days("--rotate-before-days")?,
        })
    }

    /// Returns the same options, with `*` as every field that holds a token.
    pub(super) fn scope_of_fields(&mut self) -> Result<Scope, Problem> {
        let mut scope = self.scope()?;
        if scope.field.as_deref() == Some("*") {
            scope.field = None;
            scope.every_field = true;
        }
        Ok(scope)
    }

    fn days(&mut self, name: &'static str) -> Result<Option<i64>, Problem> {
        let days = self.value(name)?.map(|days| days.parse());
        days.transpose().map_err(|_| Problem::NotDays(name))
    }

    /// Returns the only word, or the given problem if there are more.
    pub(super) fn only_word(&mut self, more: Problem) -> Result<String, Problem> {
        let mut words = self.words()?;
        match (words.pop(), words.is_empty()) {
            (Some(word), true) => Ok(word),
            (Some(_), false) => Err(more),
            (None, _) => Err(Problem::NoPath),
        }
    }

    /// Returns all words.
    pub(super) fn words(&mut self) -> Result<Vec<String>, Problem> {
        std::mem::take(&mut self.words)
            .into_iter()
            .map(text)
            .collect()
    }

    /// Returns the program to run and its arguments, after two hyphens.
    pub(super) fn command(&mut self) -> Option<Vec<OsString>> {
        self.command.take()
    }
}

fn text(word: OsString) -> Result<String, Problem> {
    word.into_string().map_err(|_| Problem::NotText)
}
