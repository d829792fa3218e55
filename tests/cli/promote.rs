//! The command `promote`: the action, without a host.

use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, token};

use super::program::{FIELD, Program, in_days};

async fn current(bao: &OpenBao) -> Value {
    bao.must("GET", "secret/data/agent", Value::Null).await["data"].clone()
}

#[tokio::test]
async fn the_best_spare_is_promoted_and_first_named() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let mut search = LeakSearch::new();
    for (path, days) in [("agent", -300), ("spare-1", -200), ("spare-2", -100)] {
        search.plant(path, &token(path));
        let minted = in_days(days);
        program
            .fed(&["store", path, "--minted-at", &minted], token(path))
            .exits(0);
    }
    let arguments = ["promote", "agent", "--spare", "spare-{1,2}"];
    let ran = program.run(&[&arguments[..], &["--dry-run"]].concat());
    ran.exits(0)
        .prints("secret/agent#claude_oauth_token would get the token of spare-2")
        .prints("Nothing was changed.");
    ran.search(&mut search);
    assert_eq!(current(&bao).await["metadata"]["version"], 1);
    let metadata = bao
        .must("GET", "secret/metadata/spare-2", Value::Null)
        .await;
    let notes = metadata["data"]["custom_metadata"].as_object().unwrap();
    assert!(
        !notes.keys().any(|key| key.contains("promoted_to")),
        "{notes:?}"
    );

    let ran = program.run(&arguments);
    ran.exits(0)
        .prints("secret/agent#claude_oauth_token holds the token of spare-2 since version 2")
        .prints("Restart the workloads that use the token");
    ran.search(&mut search);
    assert_eq!(
        current(&bao).await["data"],
        json!({ FIELD: token("spare-2") })
    );
    program
        .run(&arguments)
        .exits(0)
        .prints("of spare-1 since version 3");
    program
        .run(&arguments)
        .exits(1)
        .prints_nothing()
        .tells("No spare for secret/agent#claude_oauth_token")
        .tells("If you store it in a spare, run this again.");
    program
        .run(&[&arguments[..], &["--dry-run"]].concat())
        .exits(1)
        .prints_nothing()
        .tells("No spare for secret/agent#claude_oauth_token");
    search.assert_clean();
}

#[tokio::test]
async fn what_cannot_be_promoted_is_refused() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    for (arguments, code, told) in [
        (&["promote", "agent"][..], 2, "--spare is missing"),
        (&["promote", "--spare", "a"], 2, "PATH is missing"),
        (&["promote", "a", "--spare", "a"], 2, "a"),
        (
            &["promote", "a", "--spare", "team/"],
            2,
            "Error: Invalid --spare",
        ),
        (&["promote", "absent", "--spare", "a"], 1, "secret/absent"),
        (
            &["promote", "absent", "--spare", "a", "--dry-run"],
            1,
            "secret/absent",
        ),
    ] {
        program
            .run(arguments)
            .exits(code)
            .prints_nothing()
            .tells(told);
    }
    let rehearsed = Program::at(&bao).with("TF_CLAUDE_NOW", "2027-01-01T00:00:00Z");
    rehearsed
        .run(&["promote", "agent", "--spare", "a"])
        .exits(1)
        .tells("TF_CLAUDE_NOW is set");
}

#[tokio::test]
async fn a_denied_promotion_shows_every_line_that_the_policy_needs() {
    let bao = OpenBao::start().await;
    for path in ["agent", "spare-1", "spare-2"] {
        bao.put("secret", path, json!({ FIELD: token(path) })).await;
    }
    let read = "path \"secret/data/*\" { capabilities = [\"read\"] }";
    let program = Program::at(&bao).with("VAULT_TOKEN", &bao.token(read).await);
    let ran = program.run(&["promote", "agent", "--spare", "spare-{1,2}"]);
    ran.exits(1)
        .prints_nothing()
        .tells("Error: Vault denied access: secret/agent#claude_oauth_token")
        .tells("path \"secret/data/agent\" { capabilities = [\"update\"] }")
        .tells("path \"secret/metadata/agent\" { capabilities = [\"patch\"] }")
        .tells("path \"secret/metadata/spare-1\" { capabilities = [\"patch\"] }")
        .tells("path \"secret/metadata/spare-2\" { capabilities = [\"patch\"] }");
}
