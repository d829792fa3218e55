//! A script that plays `claude`: what it says depends on the token alone.
#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::openbao::OpenBao;

use super::super::program::Program;

/// Notes what it was given, except the token.
const NOTES: &str = r#"#!/bin/sh
if read -r line; then input=open; else input=closed; fi
arguments=
for argument in "$@"; do arguments="$arguments$argument|"; done
{
  env | grep -v '^CLAUDE_CODE_OAUTH_TOKEN='
  echo "TOKEN_LENGTH=${#CLAUDE_CODE_OAUTH_TOKEN}"
  echo "FILES=$(find . "$CLAUDE_CONFIG_DIR" -mindepth 1 | wc -l | tr -d ' ')"
  echo "MODES=$(ls -ld . | cut -c2-10 | sed 's/rwx------/700/') $(ls -ld "$CLAUDE_CONFIG_DIR" | cut -c2-10 | sed 's/rwx------/700/')"
  echo "INPUT=$input"
  echo "ARGUMENTS=$arguments"
  echo "WORK=$PWD"
} > "$SCENE/seen.$$"
mv "$SCENE/seen.$$" "$SCENE/seen"
echo "$PWD $CLAUDE_CONFIG_DIR $$" > "$SCENE/.started.$$"
mv "$SCENE/.started.$$" "$SCENE/started.$$"
echo run >> "$SCENE/runs"
"#;

/// Writes the events that Claude Code ends with.
pub(in crate::cli) fn result(is_error: bool, status: Option<u16>, text: &str) -> String {
    let init = json!({
        "type": "system", "subtype": "init", "apiKeySource": "none",
        "claude_code_version": "2.1.332", "model": "haiku-of-tests",
    });
    let result = json!({
        "type": "result", "subtype": "success", "is_error": is_error,
        "api_error_status": status, "result": text,
    });
    format!("{init}\n{result}\n")
}

/// A script and the folder that it writes to.
pub(in crate::cli) struct Scene {
    folder: tempfile::TempDir,
    cases: String,
    otherwise: String,
    files: usize,
}

impl Scene {
    /// Refuses every token.
    pub(in crate::cli) fn new() -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
            cases: String::new(),
            otherwise: String::new(),
            files: 0,
        };
        let refused = "Failed to authenticate. API Error: 401 OAuth access token is invalid.";
        scene.otherwise(1, &result(true, Some(401), refused))
    }

    fn file(&mut self, text: &str) -> PathBuf {
        self.files += 1;
        let path = self.folder.path().join(format!("answer-{}", self.files));
        fs::write(&path, text).unwrap();
        path
    }

    /// Says this of a token.
    pub(in crate::cli) fn says(mut self, token: &str, code: i32, output: &str) -> Self {
        let file = self.file(output);
        let _ = writeln!(
            self.cases,
            "if [ \"$CLAUDE_CODE_OAUTH_TOKEN\" = '{token}' ]; then cat '{}'; exit {code}; fi",
            file.display()
        );
        self
    }

    /// Says this from the second time on; what was said before counts once.
    pub(in crate::cli) fn then(mut self, token: &str, code: i32, output: &str) -> Self {
        let file = self.file(output);
        let first = std::mem::take(&mut self.cases);
        let once = self.folder.path().join("once");
        let _ = writeln!(
            self.cases,
            "if [ \"$CLAUDE_CODE_OAUTH_TOKEN\" = '{token}' ]; then\n\
             if [ -e '{once}' ]; then cat '{}'; exit {code}; fi\n: > '{once}'\nfi",
            file.display(),
            once = once.display()
        );
        self.cases.push_str(&first);
        self
    }

    /// Says this of any other token.
    pub(in crate::cli) fn otherwise(mut self, code: i32, output: &str) -> Self {
        let file = self.file(output);
        self.otherwise = format!("cat '{}'; exit {code}\n", file.display());
        self
    }

    /// Never ends by itself.
    pub(in crate::cli) fn sleeps(mut self) -> Self {
        self.otherwise = "sleep 600\n".to_owned();
        self
    }

    /// Does so for one token.
    pub(in crate::cli) fn sleeps_for(mut self, token: &str) -> Self {
        let _ = writeln!(
            self.cases,
            "if [ \"$CLAUDE_CODE_OAUTH_TOKEN\" = '{token}' ]; then sleep 600; fi"
        );
        self
    }

    /// Returns the program with this `claude` on its path.
    pub(in crate::cli) fn program(&self, bao: &OpenBao) -> Program {
        let file = self.folder.path().join("claude");
        fs::write(&file, format!("{NOTES}{}{}", self.cases, self.otherwise)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let folder = self.folder.path().to_str().unwrap();
        Program::at(bao)
            .with("PATH", &format!("{folder}:/usr/bin:/bin"))
            .with("SCENE", folder)
            .with("TF_CLAUDE_ASK_AGAIN_AFTER", "0")
    }

    /// Returns what the last run was given.
    pub(in crate::cli) fn seen(&self) -> String {
        fs::read_to_string(self.folder.path().join("seen")).unwrap()
    }

    /// Waits for the run of a process that is meant, and returns its two folders and the process.
    pub(in crate::cli) fn until_started(
        &self,
        limit: Duration,
        is_meant: impl Fn(&str) -> bool,
    ) -> ([String; 2], String) {
        let deadline = Instant::now() + limit;
        loop {
            assert!(Instant::now() < deadline, "no process was started");
            match self
                .started()
                .into_iter()
                .find(|(_, process)| is_meant(process))
            {
                Some(started) => return started,
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Returns the two folders and the process of each run that has started: two run at a time.
    fn started(&self) -> Vec<([String; 2], String)> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let started = paths.filter(|path| path.file_stem().is_some_and(|stem| stem == "started"));
        started
            .map(|path| {
                let text = fs::read_to_string(path).unwrap();
                let mut words = text.split_whitespace().map(str::to_owned);
                let mut next = || words.next().unwrap();
                ([next(), next()], next())
            })
            .collect()
    }

    /// Returns how often it was run.
    pub(in crate::cli) fn runs(&self) -> usize {
        let runs = fs::read_to_string(self.folder.path().join("runs")).unwrap_or_default();
        runs.lines().count()
    }
}

/// Tells whether a process runs; one that has ended may stay listed until its parent takes note.
pub(in crate::cli) fn runs(process: &str) -> bool {
    let listed = Command::new("ps")
        .args(["-o", "stat=", "-p", process])
        .output()
        .unwrap();
    let state = String::from_utf8(listed.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}
