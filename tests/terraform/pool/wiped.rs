//! Bookkeeping that others wipe: state remembers it, reports it, and an apply puts it back.

use serde_json::{Value, json};

use crate::support::secrets::token;
use crate::terraform::stack::{
    FIELD, POOL, POOL_BLOCK, PRIMARY, SPARES, Stack, days, fingerprint, stamp, warnings,
};

/// Returns what is noted at a secret.
async fn notes(stack: &Stack, path: &str) -> Value {
    let target = format!("secret/metadata/{path}");
    let answer = stack.bao.must("GET", &target, Value::Null).await;
    answer["data"]["custom_metadata"].clone()
}

#[tokio::test]
async fn a_mark_and_a_stamp_that_are_wiped_come_back() {
    let stack = Stack::start("pool-wiped").await;
    let now = stack.written_at(SPARES[0], 1).await;
    let spent = token(SPARES[0]);
    let short = &fingerprint(&spent)["sha256:".len()..][..16];
    let value = format!("{short} 0 {} {PRIMARY}#{FIELD}", now.as_second());
    let mark = json!({ "custom_metadata": { format!("{FIELD}.promoted_to.00c0ffee"): value } });
    stack.set_metadata(SPARES[0], mark).await;
    let minted_at = now - days(100);
    stack
        .set_metadata(SPARES[1], stamp(&token(SPARES[1]), minted_at))
        .await;
    let pool = |arguments: &str| {
        let arguments = format!("\n  min_available = 1\n{arguments}\n}}\n");
        POOL_BLOCK.replace("\n}\n", &arguments)
    };
    stack.applied(&pool(""));
    stack.is_quiet();

    // What `vault kv metadata put -custom-metadata=owner=team` does.
    for path in SPARES {
        let replaced = json!({ "custom_metadata": { "owner": "team" } });
        stack.set_metadata(path, replaced).await;
    }
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    let gone = SPARES.map(|path| format!("Records about token secret/{path}#{FIELD} are missing"));
    assert_eq!(warnings(&plan), gone, "{}", plan.transcript());
    stack.refresh_only().changes_nothing();
    let spares = &stack.attributes(POOL)["spares"];
    assert_eq!(spares[SPARES[0]]["status"], "spent");
    assert_eq!(spares[SPARES[1]]["minted_at"], minted_at.to_string());

    stack.write(&pool("  secret_key_prefix = \"SPARE_\""));
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(warnings(&apply), [""; 0], "{}", apply.transcript());
    let marked = notes(&stack, SPARES[0]).await;
    let mark = marked.as_object().unwrap().iter().find(|(key, value)| {
        let value = value.as_str().unwrap();
        key.starts_with(&format!("{FIELD}.promoted_to."))
            && value.starts_with(&format!("{short} 0 "))
            && value.ends_with(&format!(" {PRIMARY}#{FIELD}"))
    });
    assert!(mark.is_some(), "{marked:#}");
    assert_eq!(marked["owner"], "team");
    let stamped = notes(&stack, SPARES[1]).await;
    assert_eq!(stamped[format!("{FIELD}.minted_at")], minted_at.to_string());
    stack.is_quiet();
}

#[tokio::test]
async fn what_went_with_a_primary_that_was_created_again_is_part_of_the_command() {
    let stack = Stack::start("pool-recreated").await;
    let block = |leak: &str| {
        let pool = format!("  min_available = 1\n  primary_path = \"{PRIMARY}\"\n}}\n");
        format!(
            "resource \"claude_oauth_token\" \"agent\" {{\n  path = \"{PRIMARY}\"\n  \
             spare_paths = [\"{}\", \"{}\"]\n  rotate_when_changed = {leak}\n}}\n{}",
            SPARES[0],
            SPARES[1],
            POOL_BLOCK.replace("}\n", &pool)
        )
    };
    stack.applied(&block("null"));
    stack.applied(&block("{ leak = \"1\" }"));
    stack.apply();
    stack.is_quiet();

    let target = format!("secret/metadata/{PRIMARY}");
    stack.bao.must("DELETE", &target, Value::Null).await;
    stack.put(PRIMARY, json!({ FIELD: token("anew") })).await;
    let owner = json!({ "custom_metadata": { "owner": "team" } });
    stack.set_metadata(SPARES[0], owner).await;
    let gone = [PRIMARY, SPARES[0]];
    let gone = gone.map(|path| format!("Records about token secret/{path}#{FIELD} are missing"));
    let leaked = &fingerprint(&token("primary"))["sha256:".len()..][..16];
    let spent = &fingerprint(&token(SPARES[0]))["sha256:".len()..][..16];
    for _ in 0..2 {
        let plan = stack.workspace.plan();
        let mut told = warnings(&plan);
        told.sort();
        assert_eq!(told, gone, "{}", plan.transcript());
        plan.says(&format!("{FIELD}.retired={leaked}:"))
            .says(&format!("={spent} 0 "))
            .says(&format!(" {PRIMARY}#{FIELD}'"));
        assert_eq!(
            stack.attributes(POOL)["spares"][SPARES[0]]["status"],
            "spent"
        );
        let refresh = ["apply", "-refresh-only", "-auto-approve"];
        stack.workspace.run(refresh).exits(0);
    }
}
