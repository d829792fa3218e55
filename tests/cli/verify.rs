//! The command `verify`, with a script that plays `claude`.

pub(super) mod standin;

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, digest, token};

use super::program::{ENDING, FIELD, Program};
use standin::{Scene, result};

const REVOKED: &str = "Failed to authenticate: OAuth token revoked. Please log in again.";
const BUSY: &str = "You've hit your session limit · resets 6:56pm (UTC)";

async fn verdict(bao: &OpenBao, path: &str) -> Value {
    let target = format!("secret/metadata/{path}");
    let metadata = bao.must("GET", &target, Value::Null).await;
    metadata["data"]["custom_metadata"][format!("{FIELD}.verified")].clone()
}

async fn put(bao: &OpenBao, path: &str) {
    bao.put("secret", path, json!({ FIELD: token(path) })).await;
}

#[tokio::test]
async fn each_token_gets_its_verdict() {
    let bao = OpenBao::start().await;
    let mut search = LeakSearch::new();
    for path in ["agent", "spare-1", "spare-2"] {
        put(&bao, path).await;
        search.plant(path, &token(path));
    }
    bao.put("secret", "broken", json!({ FIELD: "changeme" }))
        .await;
    let scene = Scene::new()
        .says(&token("agent"), 1, &result(true, Some(403), REVOKED))
        .says(&token("spare-1"), 0, &result(false, None, "ok"))
        .says(&token("spare-2"), 1, &result(true, Some(429), BUSY));
    let program = scene.program(&bao);
    let ran = program.run(&["verify", "agent", "spare-{1,2}", "broken", "absent"]);
    ran.exits(2)
        .prints("agent")
        .prints("refused revoked")
        .prints("works")
        .prints("unclear busy")
        .prints("spare-2: You've hit your session limit · resets 6:56pm (UTC)")
        .prints("broken - error")
        .tells("No usable token at secret/absent");
    ran.search(&mut search);

    let ran = program.run(&["verify", "--json", "agent", "spare-{1,2}", "broken"]);
    ran.exits(2);
    ran.search(&mut search);
    let document = ran.json();
    assert_eq!(document["format"], 1);
    assert_eq!(document["control"], "refused");
    let dead = &document["tokens"][0];
    assert_eq!(dead["path"], "agent");
    assert_eq!(dead["mount"], "secret");
    assert_eq!(dead["field"], FIELD);
    assert_eq!(
        dead["fingerprint"],
        format!("sha256:{}", digest(&token("agent")))
    );
    assert_eq!(dead["verdict"], "refused");
    assert_eq!(dead["cause"], "revoked");
    assert_eq!(dead["said"], REVOKED);
    assert_eq!(dead["claude_version"], "2.1.332");
    assert_eq!(dead["model"], "haiku-of-tests");
    assert_eq!(dead["stamped"], true);
    assert!(dead["asked_at"].is_string() && dead["seconds"].is_number());
    assert_eq!(document["tokens"][1]["verdict"], "works");
    assert_eq!(document["tokens"][1]["cause"], Value::Null);
    assert_eq!(document["tokens"][2]["verdict"], "unclear");
    assert_eq!(document["tokens"][2]["stamped"], false);
    assert_eq!(document["tokens"][3]["verdict"], "error");

    let short = digest(&token("agent"))[..16].to_owned();
    let stamped = verdict(&bao, "agent").await;
    let stamped = stamped.as_str().unwrap();
    assert!(
        stamped.starts_with(&format!("{short} refused ")) && stamped.ends_with(" revoked"),
        "{stamped}"
    );
    let stamped = verdict(&bao, "spare-1").await;
    assert!(stamped.as_str().unwrap().contains(" works "), "{stamped}");
    assert_eq!(verdict(&bao, "spare-2").await, Value::Null);

    program.run(&["status", "agent"]).prints("refused");
    let metrics = program.run(&["status", "--metrics", "agent"]).stdout;
    let refused = metrics
        .lines()
        .find(|line| line.contains("claude_oauth_token_status{") && line.contains("\"refused\""));
    assert!(
        refused.is_some_and(|line| line.ends_with(" 1")),
        "{metrics}"
    );
    search.assert_clean();
}

#[tokio::test]
async fn a_second_answer_counts_more_than_a_first_refusal() {
    let bao = OpenBao::start().await;
    put(&bao, "agent").await;
    let scene = Scene::new()
        .says(
            &token("agent"),
            1,
            &result(true, Some(401), "API Error: 401 Invalid bearer token"),
        )
        .then(&token("agent"), 0, &result(false, None, "ok"));
    let program = scene.program(&bao);
    program.run(&["verify", "agent"]).exits(0).is_quiet();
    assert_eq!(scene.runs(), 3, "a made-up token, and this one twice");
}

#[tokio::test]
async fn where_a_made_up_token_works_nothing_is_learnt() {
    let bao = OpenBao::start().await;
    for path in ["agent", "dead"] {
        put(&bao, path).await;
    }
    let scene = Scene::new()
        .says(&token("dead"), 1, &result(true, Some(403), REVOKED))
        .otherwise(0, &result(false, None, "ok"));
    let program = scene.program(&bao);
    let ran = program.run(&["verify", "agent", "dead"]);
    ran.exits(1)
        .prints("unclear other_credential")
        .prints("another credential answers instead of the tokens");
    for path in ["agent", "dead"] {
        assert_eq!(verdict(&bao, path).await, Value::Null);
    }
    let ran = program.run(&["verify", "--json", "agent"]);
    assert_eq!(ran.json()["control"], "works");
}

#[tokio::test]
async fn a_young_verdict_counts_without_a_question() {
    let bao = OpenBao::start().await;
    for path in ["agent", "dead"] {
        put(&bao, path).await;
    }
    let scene = Scene::new()
        .says(&token("agent"), 0, &result(false, None, "ok"))
        .says(&token("dead"), 1, &result(true, Some(403), REVOKED));
    let program = scene.program(&bao);
    program.run(&["verify", "agent", "dead"]).exits(2);
    let runs = scene.runs();
    let ran = program.run(&["verify", "--if-older-than", "7d", "agent", "dead"]);
    ran.exits(2).prints("refused revoked").prints("not asked");
    assert_eq!(scene.runs(), runs);
    program
        .run(&["verify", "--if-older-than=0s", "agent"])
        .exits(0);
    assert_eq!(scene.runs(), runs + 2);
    // Another token in the same place has no verdict.
    bao.put("secret", "agent", json!({ FIELD: token("other") }))
        .await;
    let ran = program.run(&["verify", "--no-stamp", "--if-older-than", "7d", "agent"]);
    ran.exits(2).prints("refused unknown_token");
    let stamped = verdict(&bao, "agent").await;
    assert!(stamped.as_str().unwrap().contains(" works "), "{stamped}");
}

#[tokio::test]
async fn the_question_is_asked_in_an_empty_room() {
    let bao = OpenBao::start().await;
    put(&bao, "agent").await;
    let scene = Scene::new().says(&token("agent"), 0, &result(false, None, "ok"));
    let program = scene
        .program(&bao)
        .with("ANTHROPIC_API_KEY", "other")
        .with("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
        .with("ANTHROPIC_MODEL", "other")
        .with("CLAUDE_CODE_HTTPS_PROXY", "http://127.0.0.1:2")
        .with("CLAUDECODE", "1")
        .with("TF_LOG", "TRACE");
    let mut search = LeakSearch::new();
    search.plant("agent", &token("agent"));
    let ran = program.run(&["verify", "--keep-env", "ANTHROPIC_BASE_URL", "agent"]);
    ran.exits(0);
    ran.search(&mut search);
    let seen = scene.seen();
    let value = |name: &str| {
        seen.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")))
            .map(str::to_owned)
    };
    for (name, expected) in [
        ("HOME", Some(program.home().to_str().unwrap())),
        ("ANTHROPIC_BASE_URL", Some("http://127.0.0.1:1")),
        ("CLAUDE_CODE_HTTPS_PROXY", Some("http://127.0.0.1:2")),
        ("CLAUDE_CODE_MAX_RETRIES", Some("1")),
        ("API_TIMEOUT_MS", Some("30000")),
        ("DISABLE_TELEMETRY", Some("1")),
        ("DISABLE_AUTOUPDATER", Some("1")),
        ("DISABLE_ERROR_REPORTING", Some("1")),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", Some("1")),
        ("ANTHROPIC_API_KEY", None),
        ("ANTHROPIC_MODEL", None),
        ("CLAUDECODE", None),
        ("VAULT_TOKEN", None),
        ("VAULT_ADDR", None),
        ("TF_LOG", None),
    ] {
        assert_eq!(value(name).as_deref(), expected, "{name}\n{seen}");
    }
    assert_eq!(value("TOKEN_LENGTH").as_deref(), Some("108"));
    assert_eq!(value("FILES").as_deref(), Some("0"), "{seen}");
    assert_eq!(value("MODES").as_deref(), Some("700 700"), "{seen}");
    assert_eq!(value("INPUT").as_deref(), Some("closed"), "{seen}");
    let arguments = value("ARGUMENTS").unwrap();
    assert!(
        arguments.starts_with("-p|ok|--model|haiku|--max-turns|1|--tools||"),
        "{arguments}"
    );
    search.text("the arguments", &arguments);
    for folder in ["CLAUDE_CONFIG_DIR", "WORK"] {
        let folder = value(folder).unwrap();
        assert!(!fs::exists(&folder).unwrap(), "{folder} is left behind");
    }
    search.assert_clean();
}

#[tokio::test]
async fn a_signal_leaves_neither_process_nor_folder() {
    let bao = OpenBao::start().await;
    put(&bao, "agent").await;
    for signal in ENDING {
        let scene = Scene::new().sleeps();
        let program = scene.program(&bao);
        let child = program
            .command(&["verify", "agent"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (folders, process) = scene.until_started(Duration::from_secs(30), |_| true);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal:?} {output:?}");
        for folder in folders {
            assert!(!fs::exists(&folder).unwrap(), "{folder} is left behind");
        }
        assert!(!standin::runs(&process), "process {process} runs on");
    }
}

/// Returns the processes that have a text in a file of theirs, where the system shows such files.
pub(super) fn having(file: &str, text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
        if bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
        {
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let parent = status
                .lines()
                .find_map(|line| line.strip_prefix("PPid:"))
                .unwrap_or_default();
            let id = entry.file_name().into_string().unwrap_or_default();
            found.push((id, parent.trim().to_owned()));
        }
    }
    found
}

#[tokio::test]
async fn only_the_process_that_is_asked_has_the_token() {
    if !cfg!(target_os = "linux") {
        crate::support::leave_out("environments of processes, which only Linux shows");
        return;
    }
    let bao = OpenBao::start().await;
    // Another run of this test may have its own processes.
    let value = token(&format!("agent of {}", std::process::id()));
    bao.put("secret", "agent", json!({ FIELD: value })).await;
    let scene = Scene::new().sleeps_for(&value);
    let program = scene.program(&bao);
    let child = program
        .command(&["verify", "agent"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The made-up token may be asked about first.
    let has_token = |process: &str| {
        having("environ", &value)
            .iter()
            .any(|(id, _)| id == process)
    };
    let (folders, process) = scene.until_started(Duration::from_secs(120), has_token);
    let mut search = LeakSearch::new();
    search.plant("agent", &value);
    for folder in &folders {
        search.folder(std::path::Path::new(folder), &[]);
    }
    search.folder(program.home(), &[]);
    let with_it = having("environ", &value);
    assert!(
        with_it.iter().all(|(id, parent)| *id == process
            || *parent == process
            || with_it.iter().any(|(other, _)| other == parent)),
        "{with_it:?}, {process}"
    );
    assert!(with_it.iter().all(|(id, _)| *id != child.id().to_string()));
    assert_eq!(having("cmdline", &value), []);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    search.raw("standard output", &output.stdout);
    search.raw("standard error", &output.stderr);
    search.assert_clean();
}

#[tokio::test]
async fn a_token_that_is_given_is_stamped_nowhere() {
    let bao = OpenBao::start().await;
    let scene = Scene::new().says(&token("given"), 1, &result(true, Some(403), REVOKED));
    let program = scene.program(&bao);
    let before = bao.requests().len();
    let ran = program.fed(&["verify", "-"], format!("{}\n", token("given")));
    ran.exits(2).prints("(given)").prints("refused revoked");
    assert_eq!(bao.requests().len(), before);
    program
        .fed(&["verify", "-"], "changeme")
        .exits(1)
        .tells("This is not a token");
    program
        .fed(&["verify", "-"], "")
        .exits(1)
        .tells("Standard input has no token");
}

#[tokio::test]
async fn a_command_answers_by_its_exit_code() {
    let bao = OpenBao::start().await;
    for path in ["agent", "dead"] {
        put(&bao, path).await;
    }
    let program = Scene::new().program(&bao).with("DEAD", &token("dead"));
    let script = "if [ \"$CLAUDE_CODE_OAUTH_TOKEN\" = \"$DEAD\" ]; then \
                  echo 'API Error: 401 OAuth token has expired'; exit 1; fi";
    let ran = program.run(&["verify", "agent", "dead", "--", "sh", "-c", script]);
    ran.exits(2).prints("works").prints("refused expired");
    // With a control, a command that takes any token proves nothing.
    let ran = program.run(&["verify", "--control", "agent", "--", "true"]);
    ran.exits(1).prints("unclear other_credential");
    let ran = program.run(&["verify", "agent", "--", "there-is-no-such-program"]);
    ran.exits(1)
        .prints("unclear no_claude")
        .tells("COMMAND was not found");
}

#[tokio::test]
async fn without_claude_nothing_is_found() {
    let bao = OpenBao::start().await;
    put(&bao, "agent").await;
    let program = Program::at(&bao);
    program
        .run(&["verify", "agent"])
        .exits(1)
        .prints("unclear no_claude")
        .tells("There is no `claude` on PATH");
    assert_eq!(verdict(&bao, "agent").await, Value::Null);
}

#[tokio::test]
async fn a_refused_token_is_not_stored() {
    let bao = OpenBao::start().await;
    let scene = Scene::new()
        .says(&token("good"), 0, &result(false, None, "ok"))
        .says(&token("dead"), 1, &result(true, Some(403), REVOKED))
        .says(&token("busy"), 1, &result(true, Some(429), BUSY));
    let program = scene.program(&bao);
    let store = |seed: &str| program.fed(&["store", "--verify", "agent"], token(seed));
    store("dead")
        .exits(2)
        .prints_nothing()
        .tells("The token was refused (revoked)")
        .tells("Nothing was stored.");
    store("busy")
        .exits(1)
        .prints_nothing()
        .tells("It is unclear whether the token works (busy)");
    assert_eq!(
        bao.call("GET", "secret/data/agent", Value::Null).await.0,
        404
    );
    store("good").exits(0).prints("Stored at");
}
