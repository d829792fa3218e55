//! From a dead token to one that works: `verify`, plan, and apply, with Terraform, OpenBao, and
//! Claude Code themselves.

use serde_json::{Value, json};
use terraform_provider_claude::env::{Environment as _, ProcessEnvironment};

use crate::support::claude::{self, Reply, V2_1_332};
use crate::support::openbao::OpenBao;
use crate::support::proxy::Step;
use crate::support::secrets::{LeakSearch, token};
use crate::support::terraform::Workspace;

use super::program::{FIELD, Program};

const CONFIGURATION: &str = r#"
resource "claude_token_spare_pool" "spares" {
  paths         = ["spare-dead", "spare-good", "spare-busy"]
  primary_path  = "agent"
  min_available = 1
}

resource "claude_oauth_token" "agent" {
  path        = "agent"
  spare_paths = claude_token_spare_pool.spares.paths
}
"#;

async fn current(bao: &OpenBao) -> Value {
    bao.must("GET", "secret/data/agent", Value::Null).await["data"]["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_primary_gets_the_spare_that_works() {
    let Some(claude) = V2_1_332.program() else {
        return;
    };
    let paths = ["agent", "spare-dead", "spare-good", "spare-busy"];
    let bao = OpenBao::start().await;
    let mut search = LeakSearch::new();
    for path in paths {
        bao.put(
            "secret",
            path,
            json!({ FIELD: token(path), "other": "kept" }),
        )
        .await;
        search.plant(path, &token(path));
    }
    let revoked = || vec![Reply::error(403, "OAuth token has been revoked.")];
    let limit = Step::json(
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error"}}"#,
    )
    .with("anthropic-ratelimit-unified-status", "rejected")
    .with("anthropic-ratelimit-unified-reset", "4000000000")
    .with(
        "anthropic-ratelimit-unified-representative-claim",
        "five_hour",
    );
    let api = claude::api([
        (token("agent"), revoked()),
        (token("spare-dead"), revoked()),
        (token("spare-good"), vec![Reply::Works]),
        (token("spare-busy"), vec![Reply::Step(limit)]),
    ])
    .await;

    let mut workspace = Workspace::new("failover");
    workspace.set("VAULT_ADDR", bao.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure(CONFIGURATION);
    workspace.apply().exits(0);
    workspace.plan().changes_nothing();

    let path = ProcessEnvironment.get("PATH").unwrap_or_default();
    let program = Program::at(&bao)
        .with("PATH", &path)
        .with("ANTHROPIC_BASE_URL", api.address())
        .with("HTTPS_PROXY", "http://127.0.0.1:1")
        .with("NO_PROXY", "127.0.0.1")
        .with("TF_CLAUDE_ASK_AGAIN_AFTER", "0")
        .limit(std::time::Duration::from_secs(300));
    let verify = |options: &[&str]| {
        let mut arguments = vec!["verify", "--claude", claude.to_str().unwrap()];
        arguments.extend(["--keep-env", "ANTHROPIC_BASE_URL"]);
        arguments.extend(options);
        program.run(&arguments)
    };
    let ran = verify(&paths);
    ran.exits(2)
        .prints("refused revoked")
        .prints("works")
        .prints("unclear busy");
    ran.search(&mut search);

    let run = workspace.plan();
    run.exits(2).says("refused");
    run.search(&mut search);
    let run = workspace.apply();
    run.exits(0);
    run.search(&mut search);
    assert_eq!(
        current(&bao).await,
        json!({ FIELD: token("spare-good"), "other": "kept" })
    );
    let state = workspace.state_json();
    let resources = state["values"]["root_module"]["resources"]
        .as_array()
        .unwrap();
    let values = |address: &str| {
        let found = resources
            .iter()
            .find(|resource| resource["address"] == address);
        found.unwrap()["values"].clone()
    };
    let agent = values("claude_oauth_token.agent");
    assert_eq!(agent["status"], "in_date");
    assert_eq!(agent["rotated_from"], "spare-good");
    let pool = values("claude_token_spare_pool.spares");
    assert_eq!(pool["spares"]["spare-dead"]["status"], "refused");

    // The verdict came along, so a nightly job asks about it no more than about any other, and the
    // same verdict again moves nothing.
    let ran = verify(&["--if-older-than", "7d", "agent"]);
    ran.exits(0).prints("works").prints("not asked");
    verify(&["agent"]).exits(0);
    workspace.apply().exits(0);
    verify(&["spare-dead", "agent"]).exits(2);
    workspace.plan().changes_nothing();

    workspace.search(&mut search);
    search.folder(program.home(), &[]);
    search.text("the log of the server", &bao.log());
    search.assert_clean();
}
