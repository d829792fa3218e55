//! The text of a message, as data until it is sent: sentences, blocks, and commands.

use std::fmt;
use std::ops::{Add, AddAssign};

/// A text that is put together from parts. Only [`Text::render`] knows how they are separated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Block(String),
    Command(Command),
    /// The line breaks between two parts, instead of the usual ones.
    Break(&'static str),
}

/// A shell command that reaches the server of the provider block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    words: Vec<Word>,
    reads_paste: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Plain(String),
    Quoted(String),
}

/// Creates a [`Text`] as `format!` creates a string.
macro_rules! text {
    ($($argument:tt)*) => {
        $crate::protocol::Text::from(format!($($argument)*))
    };
}
pub(crate) use text;

impl Text {
    /// Creates a block of lines, which must be indented: hosts do not wrap such lines.
    pub fn block(lines: impl Into<String>) -> Self {
        Self(vec![Part::Block(lines.into())])
    }

    /// Adds a text that begins on a new line.
    #[must_use]
    pub fn line(self, text: impl Into<Self>) -> Self {
        self.after("\n", text)
    }

    /// Adds a text that begins below an empty line.
    #[must_use]
    pub fn paragraph(self, text: impl Into<Self>) -> Self {
        self.after("\n\n", text)
    }

    fn after(mut self, lines: &'static str, text: impl Into<Self>) -> Self {
        self.0.push(Part::Break(lines));
        self + text
    }

    /// Reports whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        !self.0.iter().any(|part| !matches!(part, Part::Break(_)))
    }

    /// Reports whether it has a command to run.
    pub fn has_command(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Command(_)))
    }

    /// Writes the text. The variables are set for each command.
    pub fn render(&self, variables: &[(&str, String)]) -> String {
        let mut text = String::new();
        let mut lines = "";
        let mut follows_block = None;
        for part in &self.0 {
            let (is_block, words) = match part {
                Part::Break(more) => {
                    lines = lines.max(more);
                    continue;
                }
                Part::Words(words) => (false, words),
                Part::Block(lines) => (true, lines),
                Part::Command(command) => (true, &format!("    {}", command.render(variables))),
            };
            text += match (follows_block, lines, is_block) {
                (None, ..) => "",
                (Some(false), "", false) => " ",
                (Some(true), "", true) => "\n",
                (_, "", _) => "\n\n",
                (_, lines, _) => lines,
            };
            text += words;
            (lines, follows_block) = ("", Some(is_block));
        }
        text
    }
}

/// Writes the text without variables.
impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(&[]))
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self(if words.is_empty() {
            Vec::new()
        } else {
            vec![Part::Words(words)]
        })
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl From<Command> for Text {
    fn from(command: Command) -> Self {
        Self(vec![Part::Command(command)])
    }
}

impl<T: Into<Self>> Add<T> for Text {
    type Output = Self;

    fn add(mut self, text: T) -> Self {
        self += text;
        self
    }
}

impl<T: Into<Self>> AddAssign<T> for Text {
    fn add_assign(&mut self, text: T) {
        self.0.extend(text.into().0);
    }
}

impl Command {
    /// Starts with a program and its subcommands, which are not quoted.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            words: vec![Word::Plain(program.into())],
            reads_paste: false,
        }
    }

    /// Appends a text that is not quoted, with its own space.
    #[must_use]
    pub fn plain(mut self, text: impl Into<String>) -> Self {
        self.words.push(Word::Plain(text.into()));
        self
    }

    /// Adds a word.
    #[must_use]
    pub fn word(mut self, word: impl Into<String>) -> Self {
        self.words
            .extend([Word::Plain(" ".to_owned()), Word::Quoted(word.into())]);
        self
    }

    /// Adds an option with its value.
    #[must_use]
    pub fn option(mut self, name: &str, value: impl Into<String>) -> Self {
        self.words
            .extend([Word::Plain(format!(" {name}=")), Word::Quoted(value.into())]);
        self
    }

    /// Passes a line that is pasted to the program: an argument would stay in the shell's history,
    /// and a line break at its end would be stored. Empty input, the end of input, and a shell
    /// without `read -s` all stop before the program, because an empty value would replace a
    /// working one.
    #[must_use]
    pub fn reading_paste(mut self) -> Self {
        self.reads_paste = true;
        self
    }

    fn render(&self, variables: &[(&str, String)]) -> String {
        let variables = variables.iter().map(|(name, value)| match value.as_str() {
            "" => format!("{name}= "),
            value => format!("{name}={} ", quoted(value)),
        });
        let words = self.words.iter().map(|word| match word {
            Word::Plain(text) => text.clone(),
            Word::Quoted(word) => quoted(word),
        });
        let line: String = variables.chain(words).collect();
        if self.reads_paste {
            format!("(read -rs T && [ -n \"$T\" ] && printf %s \"$T\" | {line})")
        } else {
            line
        }
    }
}

/// Quotes a word for a shell, if necessary.
pub fn quoted(word: &str) -> String {
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
        assert_eq!(quoted("team/agent-1.x_y"), "team/agent-1.x_y");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$(reboot)"), "'$(reboot)'");
    }

    #[test]
    fn parts_are_separated_by_what_they_are() {
        let policy = || Text::block("  path {\n  }");
        for (text, expected) in [
            (Text::from("") + "Denied." + "", "Denied."),
            (Text::from("Denied.") + "Unchanged.", "Denied. Unchanged."),
            (
                Text::from("Add:") + policy() + policy() + "Unchanged.",
                "Add:\n\n  path {\n  }\n  path {\n  }\n\nUnchanged.",
            ),
            (
                Text::from("Run:") + Command::new("ls") + "Unchanged.",
                "Run:\n\n    ls\n\nUnchanged.",
            ),
            (
                Text::from("None:").line("- a:") + policy().line("").line("Unchanged."),
                "None:\n- a:\n\n  path {\n  }\nUnchanged.",
            ),
            (
                Text::from("")
                    .line("")
                    .paragraph("One.")
                    .line("")
                    .paragraph("Two.")
                    .line(""),
                "One.\n\nTwo.",
            ),
        ] {
            assert_eq!(text.to_string(), expected);
        }
    }

    #[test]
    fn every_command_has_the_variables_and_nothing_else_does() {
        let list = Command::new("kv list").option("-mount", "a b");
        let text = Text::from("Compare with `kv list`. Run:")
            + list
            + "Or:"
            + Command::new("kv put")
                .word("it's")
                .plain(" x=-")
                .reading_paste()
            + "Add:"
            + Text::block("    kv = list");
        let variables = [("AGENT", String::new()), ("NAMESPACE", "a team".to_owned())];
        assert_eq!(
            text.render(&variables),
            "Compare with `kv list`. Run:\n\n    AGENT= NAMESPACE='a team' kv list -mount='a b'\n\n\
             Or:\n\n    (read -rs T && [ -n \"$T\" ] && printf %s \"$T\" | \
             AGENT= NAMESPACE='a team' kv put 'it'\\''s' x=-)\n\nAdd:\n\n    kv = list"
        );
    }
}
