//! Claude Code itself, in versions that behave differently, and an API on this machine for it.
//!
//! The packages come from the registry of Node's packages, by version and SHA-512, through `npm`,
//! and stay under `target/tools`. Without Node, tests that need them say that they are left out.
#![expect(clippy::expect_used, reason = "a helper that fails ends its test")]

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::proxy::{Judge, Judgement, Proxy, Seen, Step};
use super::{leave_out, process, provision};

const FETCH_LIMIT: Duration = Duration::from_secs(600);
const START_LIMIT: Duration = Duration::from_secs(30);

/// A version of Claude Code.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) version: &'static str,
    /// Whether the package is a script for Node, which serves every machine.
    is_script: bool,
    /// SHA-512 of the package by operating system and processor; a script has one.
    packages: &'static [(&'static str, &'static str, &'static str)],
}

const ANY: &str = "any";

/// Lacks options that `verify` needs.
pub(crate) const OLD: Release = Release {
    version: "2.0.1",
    is_script: true,
    packages: &[(
        ANY,
        ANY,
        "2SboYcdJ+dsE2K784dbJ4ohVWlAkLZhU7mZG1lebyG6TvGLXLhjc2qTEfCxSeelCjJHhIh/YkNpe06veB4IgBw==",
    )],
};

/// Takes a page with status 200 for an answer.
pub(crate) const V2_0_77: Release = Release {
    version: "2.0.77",
    is_script: true,
    packages: &[(
        ANY,
        ANY,
        "qsB3W3wBvS2hRDbsnA7PwPhD+4GhuKMoBeT0vUrcpIPRfqnK8YYrgQ/CcSY8mv6k11M/4492nxh8joMuTTCwqQ==",
    )],
};

/// Calls a revoked token an account without access.
pub(crate) const V2_1_49: Release = Release {
    version: "2.1.49",
    is_script: true,
    packages: &[(
        ANY,
        ANY,
        "PonEmTZlB5IZbBu9TmtOpGZnupU7OxOXTsJKcXE/4Ak5qp3ptN1wSBRdgKYnn6GDYhXijTXuVVwrCQU+NAgwPA==",
    )],
};

/// Answers a refused token with a stored login.
pub(crate) const V2_1_177: Release = Release {
    version: "2.1.177",
    is_script: false,
    packages: &[(
        "linux",
        "x86_64",
        "syChhLEXI82sld9V3QN8+IkgQy6dtScWmlMVvV2wSlG5/Zjl8UyB+ARoCcsnFCZ6dK9OzjT9TInQovrkt2ZsYw==",
    )],
};

/// As the one before.
pub(crate) const V2_1_214: Release = Release {
    version: "2.1.214",
    is_script: false,
    packages: &[(
        "linux",
        "x86_64",
        "NSQjXX8QjjjYdDlYbPvlse5yQ3UwsmV2vuPNR3eFaXnGVv7ymFHvDSMIkTFRLXQlmPjp+tvAN5fbH3e1C38SOw==",
    )],
};

/// The newest.
pub(crate) const V2_1_332: Release = Release {
    version: "2.1.332",
    is_script: false,
    packages: &[(
        "linux",
        "x86_64",
        "f4JWhzwYutJIHScC7/dYOPX6s28tt7ZADhsOi8zwOHq5fFPEuUeChh2NMfinSg0GrUckYxaeebC4h0DqiKzLcw==",
    )],
};

impl Release {
    /// Returns the program, or nothing and says what is left out.
    #[track_caller]
    pub(crate) fn program(&'static self) -> Option<PathBuf> {
        match self.provide() {
            Ok(program) => Some(program),
            Err(reason) => {
                leave_out(&format!("Claude Code {}: {reason}", self.version));
                None
            }
        }
    }

    fn provide(&self) -> Result<PathBuf, String> {
        for tool in ["node", "npm", "tar"] {
            let mut command = Command::new(tool);
            process::run(command.arg("--version"), b"", START_LIMIT)
                .map_err(|error| format!("{tool} cannot be started ({error})"))?;
        }
        let (os, processor) = (std::env::consts::OS, std::env::consts::ARCH);
        let digest = self
            .packages
            .iter()
            .find(|package| [(ANY, ANY), (os, processor)].contains(&(package.0, package.1)))
            .map(|package| package.2)
            .ok_or_else(|| format!("no package is pinned for {os} on {processor}"))?;
        let tools = provision::target_folder().join("tools");
        let folder = tools.join(format!("claude-code-{}", self.version));
        let program = folder.join("claude");
        if program.is_file() {
            return Ok(program);
        }
        fs::create_dir_all(&tools).map_err(|error| error.to_string())?;
        // Released when the file is closed, however this process ends.
        let _held = File::create(tools.join(format!("claude-code-{}.lock", self.version)))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| error.to_string())?;
        if !program.is_file() {
            self.fetch(digest, &folder)?;
        }
        Ok(program)
    }

    /// Fills a folder beside the final one and renames it last: a folder that exists is complete.
    fn fetch(&self, digest: &str, folder: &Path) -> Result<(), String> {
        let said = |error: std::io::Error| error.to_string();
        let partial = folder.with_file_name(format!("claude-code-{}.partial", self.version));
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(said)?;
        }
        fs::create_dir_all(&partial).map_err(said)?;
        let package = if self.is_script {
            "@anthropic-ai/claude-code"
        } else {
            "@anthropic-ai/claude-code-linux-x64"
        };
        run(Command::new("npm")
            .args(["pack", "--silent", &format!("{package}@{}", self.version)])
            .current_dir(&partial))?;
        let archive = fs::read_dir(&partial)
            .and_then(|mut entries| entries.next().expect("npm packs one file"))
            .map_err(said)?
            .path();
        let bytes = fs::read(&archive).map_err(said)?;
        assert_eq!(
            STANDARD.encode(Sha512::digest(&bytes)),
            digest,
            "{package} {} is not what was pinned",
            self.version
        );
        run(Command::new("tar")
            .arg("-xzf")
            .arg(&archive)
            .arg("-C")
            .arg(&partial))?;
        fs::remove_file(&archive).map_err(said)?;
        let program = partial.join("claude");
        let launcher = if self.is_script {
            "exec node \"${0%/*}/package/cli.js\" \"$@\""
        } else {
            "exec \"${0%/*}/package/claude\" \"$@\""
        };
        fs::write(&program, format!("#!/bin/sh\n{launcher}\n")).map_err(said)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).map_err(said)?;
        fs::rename(&partial, folder).map_err(said)
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let finished =
        process::run(command, b"", FETCH_LIMIT).map_err(|error| format!("{command:?}: {error}"))?;
    if finished.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {}", finished.stderr))
}

/// What the API answers to one token.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// The model answers.
    Works,
    /// This instead.
    Step(Step),
}

impl Reply {
    /// An error as the API words it.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        let body = json!({
            "type": "error",
            "error": { "type": "authentication_error", "message": message },
        });
        Self::Step(Step::json(status, &body.to_string()))
    }

    /// A page, as gateways and portals send it.
    pub(crate) fn page(status: u16, title: &str) -> Self {
        Self::Step(Step::Answer {
            status,
            headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
            body: format!("<!DOCTYPE html><html><head><title>{title}</title></head></html>"),
        })
    }
}

/// Answers by the token of a request; one that it does not know is refused.
struct Api(
    HashMap<String, Vec<Reply>>,
    std::sync::Mutex<HashMap<String, usize>>,
);

/// Starts an API that knows these tokens, each with its replies in order; the last one stays.
pub(crate) async fn api(tokens: impl IntoIterator<Item = (String, Vec<Reply>)>) -> Proxy {
    let api = Api(tokens.into_iter().collect(), std::sync::Mutex::default());
    Proxy::judged("http://127.0.0.1:1", Arc::new(api)).await
}

impl Judge for Api {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        self.step(&seen).judged()
    }
}

impl Api {
    fn step(&self, seen: &Seen) -> Step {
        if !seen.target.starts_with("/v1/messages") {
            return Step::json(404, "{}");
        }
        let token = seen
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "))
            .or_else(|| seen.header("x-api-key"))
            .unwrap_or_default();
        let reply = match self.0.get(token) {
            Some(replies) => {
                let mut counts = self.1.lock().expect("no test panics with it");
                let count = counts.entry(token.to_owned()).or_default();
                *count += 1;
                let last = replies.len() - 1;
                replies.get((*count - 1).min(last)).cloned()
            }
            None => None,
        };
        match reply.unwrap_or_else(|| Reply::error(401, "OAuth access token is invalid.")) {
            Reply::Works => answer(&seen.body),
            Reply::Step(step) => step,
        }
    }
}

/// The model's answer, as a stream where that was asked for.
fn answer(request: &str) -> Step {
    let request: Value = serde_json::from_str(request).unwrap_or_default();
    let model = request["model"].as_str().unwrap_or("model");
    let message = |content: Value| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "content": content,
            "model": model, "stop_reason": Value::Null, "stop_sequence": Value::Null,
            "usage": { "input_tokens": 3, "output_tokens": 1 },
        })
    };
    if request["stream"] != true {
        let body = message(json!([{ "type": "text", "text": "ok" }]));
        return Step::json(200, &body.to_string());
    }
    let events = [
        json!({ "type": "message_start", "message": message(json!([])) }),
        json!({
            "type": "content_block_start", "index": 0,
            "content_block": { "type": "text", "text": "" },
        }),
        json!({
            "type": "content_block_delta", "index": 0,
            "delta": { "type": "text_delta", "text": "ok" },
        }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({
            "type": "message_delta",
            "delta": { "stop_reason": "end_turn", "stop_sequence": Value::Null },
            "usage": { "output_tokens": 2 },
        }),
        json!({ "type": "message_stop" }),
    ];
    let body = events
        .iter()
        .map(|event| {
            format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap_or("")
            )
        })
        .collect();
    Step::Answer {
        status: 200,
        headers: vec![("content-type", "text/event-stream".to_owned())],
        body,
    }
}
