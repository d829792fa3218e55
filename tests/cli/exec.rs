//! The command `exec`: another program with a token in its environment.

use std::process::Stdio;

use serde_json::json;

use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, digest, malformed, token};

use super::program::{FIELD, Program, in_days};

const PATH: &str = "/usr/bin:/bin";

async fn with_token(seed: &str) -> (OpenBao, Program) {
    let bao = OpenBao::start().await;
    bao.put(
        "secret",
        "agent",
        json!({ FIELD: token(seed), "other": "x" }),
    )
    .await;
    let program = Program::at(&bao).with("PATH", PATH);
    (bao, program)
}

#[tokio::test]
async fn the_program_takes_the_place_of_this_one() {
    let (_bao, program) = with_token("exec").await;
    let script = "echo $$; test \"$CLAUDE_CODE_OAUTH_TOKEN\" = \"$EXPECTED\" && exit 42";
    let program = program.with("EXPECTED", &token("exec"));
    let child = program
        .command(&["exec", "agent", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(42), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), id);
    assert_eq!(output.stderr, b"");
}

#[tokio::test]
async fn arguments_and_streams_belong_to_the_program() {
    let (_bao, program) = with_token("streams").await;
    let mut search = LeakSearch::new();
    search.plant("streams", &token("streams"));
    let ran = program.fed(
        &[
            "exec",
            "agent",
            "--",
            "sh",
            "-c",
            "cat; echo \"$@\" >&2",
            "-",
            "--json",
            "-h",
        ],
        "typed",
    );
    ran.exits(0).prints("typed").tells("--json -h");
    ran.search(&mut search);
    let ran = program.run(&[
        "exec",
        "--env",
        "MY_TOKEN",
        "agent",
        "--",
        "sh",
        "-c",
        "echo ${#MY_TOKEN}${CLAUDE_CODE_OAUTH_TOKEN:+also}",
    ]);
    ran.exits(0).prints("108");
    assert_eq!(ran.stdout, "108\n");
    search.assert_clean();
}

#[tokio::test]
async fn other_credentials_do_not_reach_the_program() {
    let (_bao, program) = with_token("others").await;
    let program = program
        .with("ANTHROPIC_API_KEY", "some-key")
        .with("CLAUDE_CODE_OAUTH_SCOPES", "none")
        .with("CLAUDE_CODE_USE_BEDROCK", "1")
        .with("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
        .with("ANTHROPIC_MODEL", "some-model");
    let ran = program.run(&["exec", "agent", "--", "env"]);
    ran.exits(0)
        .prints("ANTHROPIC_MODEL=some-model")
        .prints("ANTHROPIC_BASE_URL=http://127.0.0.1:1")
        .tells(
            "removed from the environment of COMMAND: ANTHROPIC_API_KEY, \
             CLAUDE_CODE_OAUTH_SCOPES, CLAUDE_CODE_USE_BEDROCK; ANTHROPIC_BASE_URL is set, so \
             the token is sent to that address",
        );
    for absent in ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_SCOPES", "BEDROCK"] {
        assert!(!ran.stdout.contains(absent), "{}", ran.stdout);
    }
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[tokio::test]
async fn nothing_runs_without_a_token() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao).with("PATH", PATH);
    let run = |path: &str| program.run(&["exec", path, "--", "echo", "it ran"]);
    run("absent")
        .exits(1)
        .prints_nothing()
        .tells("No usable token at secret/absent");
    for (kind, value) in malformed("exec") {
        if kind == "line break at the end" {
            continue;
        }
        bao.put("secret", "agent", json!({ FIELD: value })).await;
        run("agent").exits(1).prints_nothing();
    }
    program
        .run(&["exec", "agent"])
        .exits(1)
        .tells("COMMAND is missing");
    program
        .run(&["exec", "agent", "--"])
        .exits(1)
        .tells("COMMAND is missing");
    program
        .run(&["exec", "--", "echo", "it ran"])
        .exits(1)
        .prints_nothing()
        .tells("PATH is missing");
    let elsewhere = Program::new().with("VAULT_ADDR", "http://127.0.0.1:1");
    let elsewhere = elsewhere.with("VAULT_TOKEN", "x").with("PATH", PATH);
    elsewhere
        .run(&["exec", "agent", "--", "echo", "it ran"])
        .exits(1)
        .prints_nothing();
}

#[tokio::test]
async fn a_program_that_cannot_be_run_has_the_codes_of_a_shell() {
    let (_bao, program) = with_token("codes").await;
    program
        .run(&["exec", "agent", "--", "there-is-no-such-program"])
        .exits(127)
        .prints_nothing()
        .tells("COMMAND was not found");
    let file = program.home().join("file");
    std::fs::write(&file, "text").unwrap();
    program
        .run(&["exec", "agent", "--", file.to_str().unwrap()])
        .exits(126)
        .prints_nothing()
        .tells("COMMAND cannot be run");
}

#[tokio::test]
async fn a_token_that_does_not_work_is_handed_on_with_a_line() {
    let (bao, program) = with_token("old").await;
    let minted = in_days(-400);
    program
        .run(&["store", "--stamp-only", "--minted-at", &minted, "agent"])
        .exits(0);
    let short = &digest(&token("old"))[..16];
    let verdict = format!("{short} refused 1772366400 revoked");
    let metadata = json!({ "custom_metadata": { format!("{FIELD}.verified"): verdict } });
    bao.must("PATCH", "secret/metadata/agent", metadata).await;
    let ran = program.run(&["exec", "agent", "--", "echo", "it ran"]);
    ran.exits(0)
        .prints("it ran")
        .tells("the token secret/agent#claude_oauth_token expired ")
        .tells("was refused when it was last verified, 2026-03-01T12:00:00Z");
}
