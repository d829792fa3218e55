//! What programs read of the command `status`.

use std::process::Stdio;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::process;
use crate::support::promtool::promtool;
use crate::support::secrets::token;

use super::program::{FIELD, Program, in_days};

async fn two_tokens() -> (OpenBao, Program) {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ FIELD: token("agent") }))
        .await;
    let program = Program::at(&bao);
    program
        .fed(&["store", "a \"b\" \\c"], token("odd"))
        .exits(0);
    (bao, program)
}

#[tokio::test]
async fn metrics_are_what_prometheus_takes() {
    let (_bao, program) = two_tokens().await;
    let minted = in_days(-100);
    let stamp = ["store", "agent", "--stamp-only", "--minted-at", &minted];
    program.run(&stamp).exits(0);
    let expiry = minted.parse::<Timestamp>().unwrap().as_second() + 365 * 86_400;
    let ran = program.run(&["status", "--metrics", "agent", "a \"b\" \\c", "gone"]);
    ran.exits(0)
        .prints(&format!(
            "claude_oauth_token_expiry_timestamp{{mount=\"secret\",path=\"agent\",field=\"claude_oauth_token\"}} {expiry}"
        ))
        .prints("claude_oauth_token_status{mount=\"secret\",path=\"gone\",field=\"claude_oauth_token\",status=\"missing\"} 1")
        .prints("claude_oauth_token_status{mount=\"secret\",path=\"gone\",field=\"claude_oauth_token\",status=\"in_date\"} 0")
        .prints("claude_oauth_token_status{mount=\"secret\",path=\"a \\\"b\\\" \\\\c\",field=\"claude_oauth_token\",status=\"in_date\"} 1")
        .prints("claude_oauth_expiry_monitor_last_push_timestamp{mount=\"secret\",field=\"claude_oauth_token\"} 1");
    let Some(promtool) = promtool() else {
        return;
    };
    let checked = process::run(
        std::process::Command::new(promtool).args(["check", "metrics"]),
        ran.stdout.as_bytes(),
        Duration::from_secs(30),
    )
    .unwrap();
    assert_eq!(
        (
            checked.status.code(),
            checked.stdout.as_str(),
            checked.stderr.as_str()
        ),
        (Some(0), "", "")
    );
}

#[tokio::test]
async fn the_json_document_has_its_shape() {
    let (_bao, program) = two_tokens().await;
    let minted = in_days(-100);
    let after = |days: i64| {
        let minted: Timestamp = minted.parse().unwrap();
        (minted + SignedDuration::from_hours(24 * days)).to_string()
    };
    let (due, end) = (after(335), after(365));
    let stamp = ["store", "agent", "--stamp-only", "--minted-at", &minted];
    program.run(&stamp).exits(0);
    let mut document = program.run(&["status", "--json", "agent"]).json();
    for (pointer, start) in [("/as_of", "20"), ("/tokens/0/fingerprint", "sha256:")] {
        let value = document.pointer_mut(pointer).unwrap();
        assert!(
            value.as_str().unwrap().starts_with(start),
            "{pointer}: {value}"
        );
        *value = Value::Null;
    }
    assert_eq!(
        document,
        json!({
            "format_version": "1.0",
            "as_of": null,
            "complete": true,
            "mount": "secret",
            "field": FIELD,
            "lifetime_days": 365,
            "rotate_before_days": 30,
            "tokens": [{
                "id": "secret/agent#claude_oauth_token",
                "path": "agent",
                "field": FIELD,
                "role": null,
                "status": "in_date",
                "fingerprint": null,
                "kv_version": 1,
                "minted_at": minted,
                "minted_at_source": "stamp",
                "expires_at": end,
                "expires_at_unix": end.parse::<Timestamp>().unwrap().as_second(),
                "rotate_at": due,
                "account": null,
                "verdict": null,
                "verdict_cause": null,
                "verified_at": null,
                "rotated_from": null,
                "promoted_to": null,
                "same_token_as": [],
                "same_token_count": 0,
                "problem": null,
            }],
        })
    );
}

#[tokio::test]
async fn a_reader_that_leaves_is_no_trouble() {
    let (_bao, program) = two_tokens().await;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = program
        .command(&["status", "agent"])
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut errors).unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), errors.as_str()),
        (Some(0), "")
    );
}

#[tokio::test]
async fn names_reach_no_terminal_raw() {
    let bao = OpenBao::start().await;
    let odd = "a\u{1b}[2J\u{9b}1m\u{202e}b";
    bao.put("secret", "agent", json!({ odd: "changeme" })).await;
    let program = Program::at(&bao);
    let wrong = format!("secret{odd}");
    for arguments in [
        &["status", "--field", odd][..],
        &["status", "--field", odd, "--json"],
        &["status", "--field", odd, "--metrics"],
        &["status", "--field", odd, "nowhere"],
        &["status", "--field", &wrong],
        &["status", "--mount", odd],
        &["status", odd],
        &["status", odd, "--metrics"],
        &["store", odd],
        &["store", "agent", "--minted-at", odd],
        &["store", "agent", "--field", odd],
        &["store", "agent", "--stamp-only", "--field", odd],
        &["store", "agent", "--mount", odd],
        &["install", "--dir", odd],
        &["install", "--dir", "/proc/\u{1b}[2J"],
        &[odd],
        &["status", &format!("--{odd}")],
    ] {
        let ran = program.fed(arguments, "");
        let acts = |character: char| {
            character.is_control() && character != '\n' || character == '\u{202e}'
        };
        assert!(
            !ran.stdout.contains(acts),
            "{arguments:?}: {:?}",
            ran.stdout
        );
        assert!(
            !ran.stderr.contains(acts),
            "{arguments:?}: {:?}",
            ran.stderr
        );
        assert!(!ran.stdout.is_empty() || !ran.stderr.is_empty());
    }
}
