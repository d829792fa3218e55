//! What Vault can put into a text reaches no terminal as it is.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};
use crate::support::secrets::token;
use crate::support::terraform::Workspace;

/// Clears the screen, sets the title, turns text around, and begins a line of its own.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\r\n\u{8}Error: trust this";

/// The secrets that are asked for, one kind of text in each.
const PATHS: [&str; 8] = [
    "errors",
    "refused",
    "page",
    "fields",
    "moved",
    "mount",
    "malformed",
    "adopted",
];

/// Answers as a hostile server.
struct Hostile;

fn document(fields: &Value, custom_metadata: &Value) -> String {
    json!({
        "warnings": [HOSTILE],
        "request_id": HOSTILE,
        "mount_type": HOSTILE,
        "data": {
            "data": fields,
            "metadata": {
                "created_time": "2026-11-01T00:00:00Z",
                "custom_metadata": custom_metadata,
                "deletion_time": "",
                "destroyed": false,
                "version": 1,
            },
        },
    })
    .to_string()
}

fn answer(target: &str) -> Step {
    let errors = json!({ "errors": [HOSTILE], "warnings": [HOSTILE] }).to_string();
    if target.contains("/sys/internal/ui/mounts/") {
        let data = json!({ "path": HOSTILE, "type": HOSTILE, "options": { "version": HOSTILE } });
        return Step::json(200, &json!({ "data": data }).to_string());
    }
    let path = target.rsplit('/').next().unwrap();
    match path.split('?').next().unwrap() {
        "errors" => Step::json(500, &errors),
        "refused" => Step::json(403, &errors),
        "page" => Step::Answer {
            status: 200,
            headers: vec![("content-type", "text/\u{9}[2J".to_owned())],
            body: HOSTILE.to_owned(),
        },
        "fields" => Step::json(
            200,
            &document(&json!({ HOSTILE: "x", "other": HOSTILE }), &Value::Null),
        ),
        "moved" => Step::redirect(302, "https://elsewhere.example.com/%1b[2J\t[31m"),
        "malformed" => {
            let fields = json!({ "claude_oauth_token": HOSTILE });
            Step::json(200, &document(&fields, &json!({ HOSTILE: HOSTILE })))
        }
        "adopted" => {
            let fields = json!({ "claude_oauth_token": token("adopted"), HOSTILE: HOSTILE });
            let notes = json!({
                "claude_oauth_token.fingerprint": HOSTILE,
                "claude_oauth_token.rotated_from": HOSTILE,
                "claude_oauth_token.promoted_to.00000000": HOSTILE,
                HOSTILE: HOSTILE,
            });
            Step::json(200, &document(&fields, &notes))
        }
        _ => Step::json(404, r#"{"errors":[]}"#),
    }
}

impl Judge for Hostile {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        let step = answer(&seen.target);
        let afterwards = None;
        async move { Judgement { step, afterwards } }.boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_text_of_a_server_acts_on_a_terminal() {
    let proxy = Proxy::judged("http://127.0.0.1:1", Arc::new(Hostile)).await;
    let mut workspace = Workspace::new("hostile");
    workspace.set("VAULT_ADDR", proxy.address());
    workspace.set("VAULT_TOKEN", "t");
    let mut text = "provider \"claude\" {\n  max_retries = 0\n}\n".to_owned();
    for path in PATHS {
        text += &format!(
            "resource \"claude_oauth_token\" \"{path}\" {{\n  path = \"{path}\"\n  stamp_metadata = false\n}}\n\
             resource \"claude_token_spare_pool\" \"{path}\" {{\n  paths = [\"{path}\"]\n  stamp_metadata = false\n}}\n"
        );
    }
    workspace.configure(&text);
    let run = workspace
        .command(["apply", "-auto-approve", "-parallelism=1"])
        .traced()
        .run();
    run.exits(1)
        .says("Vault failed")
        .says("Vault denied access")
        .says("not from Vault");
    run.says("redirects to another address")
        .says("No token to adopt")
        .says("other");
    for run in [run, workspace.run(["plan"])] {
        let log = run.log.clone().unwrap_or_default();
        for shown in [&run.stdout, &run.stderr, &log] {
            let acts = |character: char| character.is_control() && !"\n\t".contains(character);
            let place = shown.find(|character| acts(character) || character == '\u{202e}');
            let line = place.map(|place| shown[..place].lines().last());
            assert_eq!(line, None, "{shown:?}");
            let begins = shown.lines().any(|line| {
                line.trim_start_matches(['│', ' '])
                    .starts_with("Error: trust")
            });
            assert!(!begins, "{}", run.transcript());
        }
    }
}
