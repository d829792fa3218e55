//! A token that is handed on and kept nowhere.

use serde_json::{Value, json};

use super::stack::{
    AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, change, errors, fingerprint, instant, stamp,
    warnings,
};
use super::writing::ago;
use crate::support::lacks;
use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, malformed, token};

const OPEN: &str =
    "ephemeral \"claude_oauth_token\" \"agent\" {\n  path = \"claude-agent-service\"\n}\n";

/// A copy in another secret, written again when `version` changes.
fn copy(version: &str) -> String {
    format!(
        "resource \"claude_oauth_token\" \"agent\" {{
  path             = \"copy\"
  token_wo         = ephemeral.claude_oauth_token.agent.token
  token_wo_version = {version}
}}
"
    )
}

/// Starts a deployment; none where the command line knows no ephemeral values.
async fn start(name: &str) -> Option<Stack> {
    if lacks("ephemeral resources", |host| host.ephemeral_resources) {
        return None;
    }
    Some(Stack::start(name).await)
}

async fn copied(stack: &Stack) -> Value {
    let copy = stack.bao.must("GET", "secret/data/copy", Value::Null).await;
    copy["data"]["data"][FIELD].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_token_reaches_a_write_only_argument_and_nothing_else() {
    let Some(mut stack) = start("ephemeral").await else {
        return;
    };
    stack.workspace.trace();
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), ago(100)))
        .await;
    let mut search = LeakSearch::new();
    search.plant("primary", &token("primary"));
    search.plant("another", &token("another"));

    // By way of a local and of a module's output.
    stack.workspace.write("module.tf", "");
    std::fs::create_dir(stack.workspace.folder().join("source")).unwrap();
    let module = format!(
        "terraform {{\n  required_providers {{\n    claude = {{\n      source = \"terraform.local/claude-ops/claude\"\n    }}\n  }}\n}}\n\
         {OPEN}output \"token\" {{\n  value     = ephemeral.claude_oauth_token.agent\n  ephemeral = true\n}}\n"
    );
    stack.workspace.write("source/main.tf", &module);
    let block = |version: &str| {
        format!(
            "module \"source\" {{\n  source = \"./source\"\n}}\nlocals {{\n  opened = module.source.token\n}}\n{}",
            copy(version).replace("ephemeral.claude_oauth_token.agent", "local.opened")
        )
    };
    stack.write(&block("1"));
    stack.workspace.run(["get"]).exits(0).search(&mut search);
    let before = (stack.everything(PRIMARY).await, stack.bao.requests().len());
    let plan = stack.workspace.plan();
    plan.exits(2).search(&mut search);
    let reads = |from: usize| {
        let requests = stack.bao.requests().split_off(from);
        let of_primary = requests
            .iter()
            .filter(|request| request.path.ends_with(PRIMARY));
        let operations: Vec<_> = of_primary
            .map(|request| request.operation.clone())
            .collect();
        operations
    };
    assert_eq!(reads(before.1), ["read"]);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(planned["after"]["token_wo"], Value::Null);
    let apply = stack.workspace.apply_saved();
    apply.exits(0).search(&mut search);
    assert_eq!(reads(before.1), ["read", "read"]);
    assert_eq!(copied(&stack).await, token("primary"));
    assert_eq!(stack.everything(PRIMARY).await, before.0);
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("primary"))
    );
    let quiet = stack.workspace.plan();
    quiet.changes_nothing().search(&mut search);
    assert_eq!(warnings(&quiet), [""; 0]);

    // Another token follows with the next version, and the old one is looked for all the same.
    stack.put(PRIMARY, json!({ FIELD: token("another") })).await;
    stack.workspace.plan().changes_nothing();
    stack.write(&block("2"));
    stack.apply().search(&mut search);
    assert_eq!(copied(&stack).await, token("another"));
    stack.workspace.destroy().exits(0).search(&mut search);

    let logged = apply.log.as_deref().unwrap_or_default();
    assert!(
        logged.contains("OpenEphemeralResource"),
        "nothing is logged"
    );
    stack.workspace.search(&mut search);
    search.assert_clean();
}

#[tokio::test]
async fn a_copy_follows_its_source_with_the_date_of_its_source() {
    let Some(stack) = start("ephemeral-copy").await else {
        return;
    };
    let (old, new) = (ago(100), ago(5));
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), old))
        .await;
    let data = "data \"claude_oauth_token\" \"source\" {\n  path = \"claude-agent-service\"\n}\n";
    let copy = copy("data.claude_oauth_token.source.kv_version").replace(
        "  token_wo  ",
        "  token_minted_at = data.claude_oauth_token.source.minted_at\n  token_wo  ",
    );
    stack.applied(&format!("{OPEN}{data}{copy}"));
    let state = stack.attributes(AGENT);
    assert_eq!(instant(&state["minted_at"]), old);
    stack.workspace.plan().changes_nothing();

    stack.put(PRIMARY, json!({ FIELD: token("another") })).await;
    stack
        .set_metadata(PRIMARY, stamp(&token("another"), new))
        .await;
    let plan = stack.workspace.plan();
    plan.exits(2);
    assert_eq!(
        plan.drift_lines(),
        [
            "# claude_oauth_token.agent will be updated in-place",
            "Plan: 0 to add, 1 to change, 0 to destroy."
        ]
    );
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token("another")));
    assert_eq!(instant(&state["minted_at"]), new);
    stack.workspace.plan().changes_nothing();
}

#[tokio::test]
async fn what_is_no_usable_token_is_not_handed_out() {
    let Some(mut stack) = start("ephemeral-refused").await else {
        return;
    };
    let mut search = LeakSearch::new();
    let minted_at = ago(400);
    let expired = stamp(&token("primary"), minted_at);
    stack.set_metadata(PRIMARY, expired).await;
    let (_, wrapped) = malformed("wrapped").swap_remove(0);
    search.plant("wrapped", &wrapped);
    stack.put("wrong", json!({ FIELD: wrapped })).await;
    stack.put("no-field", json!({ "other": "x" })).await;
    let expires_at = minted_at + super::stack::days(365);
    let cases = [
        (
            PRIMARY,
            format!("Token {PRIMARY_ID} expired {expires_at}"),
            "set allow_expired = true",
        ),
        (
            "wrong",
            format!("No usable token at secret/wrong#{FIELD}"),
            "Field claude_oauth_token of secret/wrong does not hold a token",
        ),
        (
            "no-field",
            format!("No usable token at secret/no-field#{FIELD}"),
            "secret/no-field has no field claude_oauth_token",
        ),
        (
            "absent",
            format!("No usable token at secret/absent#{FIELD}"),
            "There is no secret at secret/absent",
        ),
    ];
    let paths = cases.each_ref().map(|(path, ..)| *path);
    for (allowed, refused) in [(false, &cases[..]), (true, &cases[1..])] {
        stack.write(&format!(
            "ephemeral \"claude_oauth_token\" \"each\" {{\n  for_each      = toset({paths:?})\n  \
             path          = each.key\n  allow_expired = {allowed}\n}}\n"
        ));
        let plan = stack.workspace.plan();
        plan.exits(1).search(&mut search);
        let mut told = errors(&plan);
        told.sort();
        let mut expected: Vec<_> = refused
            .iter()
            .map(|(_, summary, _)| summary.clone())
            .collect();
        expected.sort();
        assert_eq!(told, expected);
        for (_, _, advice) in refused {
            plan.says(advice);
        }
    }
    // An expired one that is wanted all the same.
    stack.write(&format!(
        "{}{}",
        OPEN.replace("}\n", "  allow_expired = true\n}\n"),
        copy("1")
    ));
    stack.apply();
    assert_eq!(copied(&stack).await, token("primary"));

    let rules = r#"path "secret/data/copy" { capabilities = ["read"] }"#;
    let limited = stack.bao.token_named("limited", rules).await;
    stack.workspace.set("VAULT_TOKEN", limited);
    stack.write(OPEN);
    let plan = stack.workspace.plan();
    plan.exits(1)
        .says("path \"secret/data/claude-agent-service\" { capabilities = [\"read\"] }");
    assert_eq!(
        errors(&plan),
        [format!("Vault denied access: {PRIMARY_ID}")]
    );
    stack
        .bao
        .must("POST", "sys/mounts/old", json!({ "type": "kv" }))
        .await;
    stack.workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    stack.write(&OPEN.replace("}\n", "  mount = \"old\"\n}\n"));
    let plan = stack.workspace.plan();
    plan.exits(1).says("vault kv enable-versioning old");
    assert_eq!(
        errors(&plan),
        [format!("Mount is KV version 1: old/{PRIMARY}#{FIELD}")]
    );
    let wrong =
        "  mount = \"/\"\n  field = \"\"\n  rotate_before_days = -1\n  token = \"set here\"\n";
    stack.write(&OPEN.replace("}\n", &format!("{wrong}}}\n")));
    let run = stack.workspace.run(["validate"]);
    run.exits(1);
    assert_eq!(
        errors(&run),
        [
            "Unexpected argument token",
            "Invalid mount",
            "Invalid field",
            "Invalid number of days"
        ]
    );
    assert!(!run.stderr.contains("set here"), "{}", run.stderr);
    stack.workspace.search(&mut search);
    search.assert_clean();
}

#[tokio::test]
async fn a_provider_that_is_not_known_yet_opens_during_the_apply() {
    let Some(mut stack) = start("ephemeral-unknown").await else {
        return;
    };
    stack.workspace.set("VAULT_ADDR", "http://127.0.0.1:1");
    let source = format!(
        "resource \"terraform_data\" \"source\" {{\n  input = \"{}\"\n}}\n",
        stack.bao.address()
    );
    let write = |open: &str| {
        stack.write_with_provider(
            "  address = terraform_data.source.output",
            &format!("{source}{open}{}", copy("1")),
        );
    };
    write(OPEN);
    let plan = stack.workspace.plan();
    plan.exits(1)
        .says("add that resource to depends_on in this block (OpenTofu)");
    assert_eq!(
        errors(&plan),
        ["This ephemeral resource needs the provider's address, which is not known yet"]
    );
    let later = match stack.workspace.capabilities().is_terraform {
        true => "  mount = terraform_data.source.id == \"\" ? \"other\" : \"secret\"\n}\n",
        false => "  depends_on = [terraform_data.source]\n}\n",
    };
    write(&OPEN.replace("}\n", later));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 2 to add, 0 to change, 0 to destroy.");
    assert_eq!(warnings(&plan), [""; 0]);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(copied(&stack).await, token("primary"));
    stack.workspace.plan().changes_nothing();
}

#[tokio::test]
async fn a_refused_token_is_passed_on_with_a_warning() {
    let Some(stack) = start("ephemeral-seen-refused").await else {
        return;
    };
    let digits = &fingerprint(&token("primary"))["sha256:".len()..][..16];
    let at = ago(2);
    let verdict = |finding: &str| {
        json!({ "custom_metadata": {
            format!("{FIELD}.verified"): format!("{digits} {finding} {} revoked", at.as_second()),
        } })
    };
    stack.set_metadata(PRIMARY, verdict("refused")).await;
    stack.write(&format!("{OPEN}{}", copy("1")));
    let plan = stack.workspace.plan();
    plan.exits(2).says(&format!(
        "Claude Code reported on {at} that this token is refused (revoked)."
    ));
    assert_eq!(warnings(&plan), [format!("Token {PRIMARY_ID} was refused")]);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(copied(&stack).await, token("primary"));

    stack.set_metadata(PRIMARY, verdict("works")).await;
    assert_eq!(warnings(&stack.workspace.plan()), [""; 0]);
}

/// The copy is planned while the old token is current, and written with the new one.
#[tokio::test]
async fn the_expected_token_is_opened_after_its_promotion() {
    let Some(stack) = start("ephemeral-expected").await else {
        return;
    };
    let spares = format!("  spare_paths = {SPARES:?}\n}}\n");
    let open =
        |fingerprint: &str| OPEN.replace("}\n", &format!("  fingerprint = {fingerprint}\n}}\n"));
    let managed = format!(
        "{}{}{}",
        super::stack::AGENT_BLOCK.replace("}\n", &spares),
        open("claude_oauth_token.agent.fingerprint"),
        copy("claude_oauth_token.agent.kv_version").replace(
            "\"claude_oauth_token\" \"agent\"",
            "\"claude_oauth_token\" \"copy\""
        )
    );
    stack.applied(&managed);
    assert_eq!(copied(&stack).await, token("primary"));
    stack.workspace.plan().changes_nothing();

    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), ago(340)))
        .await;
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    let promoted = &stack.attributes(AGENT)["fingerprint"];
    assert_eq!(*promoted, fingerprint(&token(SPARES[0])));
    assert_eq!(copied(&stack).await, token(SPARES[0]));
    stack.workspace.plan().changes_nothing();

    // Any other token is refused.
    let old = fingerprint(&token("primary"));
    stack.write(&open(&format!("{old:?}")));
    let plan = stack.workspace.plan();
    plan.exits(1).says(&format!(
        "The secret holds the token {}, but fingerprint is set to {}.",
        &promoted.as_str().unwrap()[7..15],
        &old[7..15]
    ));
    assert_eq!(
        errors(&plan),
        [format!("Token {PRIMARY_ID} is not the expected token")]
    );
    stack.write(&open("\"sha256:1\""));
    let run = stack.workspace.run(["validate"]);
    run.exits(1).says("64 lowercase hexadecimal digits");
}
