//! What one run of `claude` shows about a token.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::cause::{self, Cause};
use crate::secret::Secret;

/// Maximum length of a quoted line.
const QUOTED: usize = 200;
/// Number of consecutive characters of a token that are never shown.
const SHOWN_OF_TOKEN: usize = 8;

/// How a run ended, and its output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output<'a> {
    /// The exit code; none after a signal.
    pub(super) code: Option<i32>,
    /// Standard output.
    pub(super) stdout: &'a str,
    /// Standard error.
    pub(super) stderr: &'a str,
}

/// The finding about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// It was seen to work.
    Works,
    /// It was refused.
    Refused(Cause),
    /// Neither.
    Unclear(Cause),
}

impl Finding {
    /// Returns the word for it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Refused(_) => "refused",
            Self::Unclear(_) => "unclear",
        }
    }

    /// Returns the cause of anything but success.
    pub(super) fn cause(self) -> Option<Cause> {
        match self {
            Self::Works => None,
            Self::Refused(cause) | Self::Unclear(cause) => Some(cause),
        }
    }
}

impl From<Cause> for Finding {
    fn from(cause: Cause) -> Self {
        if cause.is_refusal() {
            Self::Refused(cause)
        } else {
            Self::Unclear(cause)
        }
    }
}

/// The response of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// What was found.
    pub(super) finding: Finding,
    /// The line that the finding is based on, without any part of the token.
    pub(super) said: Option<String>,
    /// Version of Claude Code.
    pub(super) claude_version: Option<String>,
    /// Model that was used.
    pub(super) model: Option<String>,
    /// Whether the API gave the error a type, which a web page would not. Versions before 2.1.332
    /// never report one.
    pub(super) has_error_type: bool,
}

impl Answer {
    /// A response without text.
    pub(super) fn silent(finding: Finding) -> Self {
        Self {
            finding,
            said: None,
            claude_version: None,
            model: None,
            has_error_type: false,
        }
    }

    /// Reads Claude Code's output as a stream of JSON events.
    pub(super) fn of_claude(output: Output<'_>, token: &Secret) -> Self {
        let mut answer = Self::silent(Finding::Unclear(Cause::NoResult));
        let mut result = None;
        let mut other_source = false;
        let mut plain = Vec::new();
        for line in output.stdout.lines() {
            match serde_json::from_str::<Event>(line) {
                Ok(event) if event.kind == "result" => result = Some(event),
                Ok(event) if event.kind == "system" && event.subtype.as_deref() == Some("init") => {
                    other_source = event.api_key_source.is_some_and(|source| source != "none");
                    answer.claude_version = event.claude_code_version;
                    answer.model = event.model;
                }
                Ok(_) => {}
                Err(_) => plain.push(line),
            }
        }
        let (finding, said) = match result {
            Some(event) => {
                answer.has_error_type = event.api_error_type.is_some();
                event.judge(output.code, other_source)
            }
            None => judge_text(output, &plain.join("\n"), Cause::NoResult),
        };
        answer.finding = finding;
        answer.said = said.and_then(|said| quoted(&said, token));
        answer
    }

    /// Reads the output of any other program. Only exit code 0 means success, and only the listed
    /// texts are a refusal.
    pub(super) fn of_command(output: Output<'_>, token: &Secret) -> Self {
        if output.code == Some(0) {
            return Self::silent(Finding::Works);
        }
        let (finding, said) = judge_text(output, output.stdout, Cause::Other);
        Self {
            said: said.and_then(|said| quoted(&said, token)),
            ..Self::silent(finding)
        }
    }
}

/// The relevant parts of an event.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    subtype: Option<String>,
    is_error: Option<bool>,
    api_error_status: Option<u16>,
    /// The type of error that the API reports.
    api_error_type: Option<IgnoredAny>,
    result: Option<String>,
    #[serde(rename = "apiKeySource")]
    api_key_source: Option<String>,
    claude_code_version: Option<String>,
    model: Option<String>,
}

impl Event {
    /// Judges a result event.
    fn judge(self, code: Option<i32>, other_source: bool) -> (Finding, Option<String>) {
        let said = self.result.unwrap_or_default();
        let succeeded = self.subtype.as_deref() == Some("success") && self.is_error != Some(true);
        let finding = if code == Some(0) && succeeded {
            // A captive portal responds with status 200, and some versions treat its page as the
            // model's response.
            if cause::is_page(&said) {
                Finding::Unclear(Cause::Proxy)
            } else {
                Finding::Works
            }
        } else {
            match Cause::of(self.api_error_status, &said) {
                Some(cause) => cause.into(),
                None if said.is_empty() => Finding::Unclear(Cause::NoResult),
                None => Finding::Unclear(Cause::Other),
            }
        };
        if other_source {
            return (Finding::Unclear(Cause::OtherCredential), Some(said));
        }
        let said = (finding != Finding::Works).then_some(said);
        (finding, said)
    }
}

/// Judges plain text, if the program printed no events.
fn judge_text(output: Output<'_>, stdout: &str, otherwise: Cause) -> (Finding, Option<String>) {
    let last = |text: &str| {
        text.lines()
            .rfind(|line| !line.trim().is_empty())
            .map(str::to_owned)
    };
    let said = last(stdout).or_else(|| last(output.stderr));
    if let Some(126 | 127) = output.code {
        return (Finding::Unclear(Cause::NoClaude), said);
    }
    for text in [stdout, output.stderr] {
        if let Some(cause) = Cause::of(None, text) {
            // The line that decides is more useful than the last one.
            let line = text
                .lines()
                .find(|line| Cause::of(None, line) == Some(cause))
                .map(str::to_owned);
            return (cause.into(), line.or(said));
        }
    }
    (Finding::Unclear(otherwise), said)
}

/// Returns the last line of a text in printable form, unless it contains a part of the token.
fn quoted(text: &str, token: &Secret) -> Option<String> {
    let line = text.lines().rfind(|line| !line.trim().is_empty())?;
    let bytes = token.expose().as_bytes();
    let has_token = line.contains("sk-ant-")
        || bytes
            .get("sk-ant-oat01-".len()..)
            .unwrap_or_default()
            .windows(SHOWN_OF_TOKEN)
            .any(|part| line.as_bytes().windows(SHOWN_OF_TOKEN).any(|of| of == part));
    if has_token {
        return Some("(a line with a part of the token in it)".to_owned());
    }
    let mut shown: String = line.trim().chars().take(QUOTED).collect();
    if line.trim().chars().count() > QUOTED {
        shown.push('…');
    }
    Some(shown)
}

#[cfg(test)]
mod tests;
