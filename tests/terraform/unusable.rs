//! Secrets that hold no usable token: at creation, on refresh, in plans, at apply, and repaired.

use serde_json::{Value, json};

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, PRIMARY, PRIMARY_ID, Stack, change, differences, errors, unknown,
    warnings,
};
use crate::support::secrets::{malformed, token};

/// One way in which a secret holds no usable token.
struct Defect {
    /// Path of the secret.
    path: String,
    breakage: Breakage,
    status: &'static str,
    /// What every message about it says.
    told: &'static str,
}

enum Breakage {
    /// The field holds this, or is not there.
    Field(Option<Value>),
    /// The current version is deleted or destroyed.
    Version(&'static str),
    /// The whole secret is erased.
    Erased,
}

impl Defect {
    fn id(&self) -> String {
        format!("secret/{}#{FIELD}", self.path)
    }

    /// What a plan or an apply says of it.
    fn planned(&self) -> String {
        format!(
            "Token {} must be replaced: it is {}",
            self.id(),
            self.status
        )
    }

    fn summary(&self) -> String {
        format!("Token {} is {}", self.id(), self.status)
    }

    fn address(&self) -> String {
        format!("claude_oauth_token.each[\"{}\"]", self.path)
    }

    async fn mend(&self, stack: &Stack) {
        stack
            .put(
                &self.path,
                json!({ FIELD: token(&self.path), "other": true }),
            )
            .await;
    }

    async fn damage(&self, stack: &Stack) {
        match &self.breakage {
            Breakage::Field(value) => {
                let fields = match value {
                    Some(value) => json!({ FIELD: value, "other": true }),
                    None => json!({ "other": true, "another": true }),
                };
                stack.put(&self.path, fields).await;
            }
            Breakage::Version(verb) => {
                self.mend(stack).await;
                let version = stack.current_version(&self.path).await;
                stack.versions(verb, &self.path, &[version]).await;
            }
            Breakage::Erased => {
                let target = format!("secret/metadata/{}", self.path);
                stack.bao.must("DELETE", &target, Value::Null).await;
            }
        }
    }
}

fn defects() -> Vec<Defect> {
    let mut defects: Vec<_> = malformed("broken")
        .into_iter()
        .map(|(label, value)| Defect {
            path: label.replace(' ', "-"),
            breakage: Breakage::Field(Some(json!(value))),
            status: "malformed",
            told: match label {
                "refresh token" => "is a refresh token",
                "API key" => "is an API key",
                "credentials JSON" => "is Claude Code's credentials JSON",
                "other prefix" => "does not begin as an OAuth token does",
                "space inside" => "white space inside",
                "line break inside" => "it as leaked",
                "quotes" => "store --repair quotes",
                "wrapped at 80 columns" => "the first line of a wrapped token",
                "one character lost" => "the token has 107 of 108",
                "foreign character" => "that no token contains",
                _ => "does not hold a token",
            },
        })
        .collect();
    for (kind, value) in [
        ("number", json!(7)),
        ("boolean", json!(true)),
        ("null", Value::Null),
        ("object", json!({ "token": token("inside") })),
        ("array", json!([token("inside")])),
    ] {
        defects.push(Defect {
            path: format!("kind-{kind}"),
            breakage: Breakage::Field(Some(value)),
            status: "malformed",
            told: "a token is a string",
        });
    }
    for (path, breakage, told) in [
        (
            "no-field",
            Breakage::Field(None),
            "has no field claude_oauth_token.",
        ),
        (
            "deleted",
            Breakage::Version("delete"),
            "vault kv undelete -mount=secret",
        ),
        (
            "destroyed",
            Breakage::Version("destroy"),
            "was destroyed and cannot be brought back",
        ),
        (
            "erased",
            Breakage::Erased,
            "vault kv put -mount=secret -cas=0 erased",
        ),
    ] {
        defects.push(Defect {
            path: path.to_owned(),
            breakage,
            status: "missing",
            told,
        });
    }
    defects
}

#[tokio::test]
async fn every_defect_is_told_and_outlived() {
    let stack = Stack::empty("defects").await;
    let defects = defects();
    let paths: Vec<_> = defects.iter().map(|defect| defect.path.as_str()).collect();
    stack.write(&format!(
        "resource \"claude_oauth_token\" \"each\" {{
  for_each = toset({paths:?})
  path     = each.key
}}
"
    ));

    // Nothing to adopt: an error for each, and no state.
    for defect in &defects {
        defect.damage(&stack).await;
    }
    let apply = stack.workspace.apply();
    apply.exits(1);
    let mut told = errors(&apply);
    told.sort();
    let mut expected: Vec<_> = defects
        .iter()
        .map(|defect| format!("No token to adopt at {}", defect.id()))
        .collect();
    expected.sort();
    assert_eq!(told, expected);
    for defect in &defects {
        apply.says(defect.told);
    }
    let state = stack.workspace.run(["state", "list"]);
    assert_eq!(state.stdout, "", "{}", state.transcript());

    // Erased first: a version that is gone would leave the mint time open.
    for defect in &defects {
        let target = format!("secret/metadata/{}", defect.path);
        stack.bao.must("DELETE", &target, Value::Null).await;
        defect.mend(&stack).await;
    }
    stack.apply();
    stack.is_quiet();
    let before: Vec<_> = defects
        .iter()
        .map(|defect| stack.attributes(&defect.address()))
        .collect();

    // Broken under Terraform's hands: the resources stay and every plan says what to do.
    for defect in &defects {
        defect.damage(&stack).await;
    }
    stack.refresh_only().exits(2);
    let shows = || {
        let plan = stack.workspace.plan();
        plan.exits(2).says(&format!(
            "Plan: 0 to add, {} to change, 0 to destroy.",
            defects.len()
        ));
        assert_eq!(plan.drift_lines().len(), defects.len() + 1);
        let summaries = warnings(&plan);
        for defect in &defects {
            let count = summaries
                .iter()
                .filter(|summary| **summary == defect.summary())
                .count();
            assert_eq!(count, 1, "{}\n{}", defect.summary(), plan.transcript());
            plan.says(defect.told);
        }
    };
    shows();
    let planned = stack.workspace.show_json("saved.tfplan");
    for defect in &defects {
        let planned = change(&planned, &defect.address());
        assert_eq!(unknown(&planned), [""; 0]);
        assert_eq!(planned["after"]["rotation_reason"], defect.status);
    }

    // The apply fails for each, and leaves a state that is as good as before.
    let apply = stack.workspace.apply_saved();
    apply.exits(1);
    let mut told = errors(&apply);
    told.sort();
    let mut expected: Vec<_> = defects.iter().map(Defect::planned).collect();
    expected.sort();
    assert_eq!(told, expected);
    for (defect, before) in defects.iter().zip(&before) {
        let after = stack.attributes(&defect.address());
        assert_eq!(after["status"], defect.status);
        assert_eq!(after["rotation_reason"], defect.status);
        if defect.status == "missing" {
            // What depends on it must not move before there is something to move to.
            assert_eq!(differences(before, &after), ["rotation_reason", "status"]);
        } else {
            assert_eq!(after["fingerprint"], Value::Null);
            assert_eq!(after["expires_at"], Value::Null);
        }
    }
    shows();

    for defect in &defects {
        defect.mend(&stack).await;
    }
    stack.workspace.plan().changes_nothing();
    stack.apply();
    for defect in &defects {
        let mended = stack.attributes(&defect.address());
        assert_eq!(mended["status"], "in_date", "{}", defect.path);
        assert!(mended["fingerprint"].is_string(), "{}", defect.path);
    }
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    // With the whole secret, what was recorded about its token was removed.
    let erased = "Records about token secret/erased#claude_oauth_token are missing";
    assert_eq!(warnings(&plan), [erased]);
    stack.refresh_only().changes_nothing();
}

#[tokio::test]
async fn a_deleted_version_that_is_brought_back_is_the_same_token() {
    let stack = Stack::start("undeleted").await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    stack.applied(AGENT_BLOCK);
    let before = stack.attributes(AGENT);
    stack.versions("delete", PRIMARY, &[2]).await;
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("vault kv undelete -mount=secret -versions=2 claude-agent-service")
        .says("An apply fails until the secret is back.");
    let missing = format!("Token {PRIMARY_ID} is missing");
    assert_eq!(warnings(&plan), [missing], "{}", plan.transcript());
    stack.workspace.apply_saved().exits(1);

    stack.versions("undelete", PRIMARY, &[2]).await;
    stack.workspace.plan().changes_nothing();
    stack.apply();
    let after = stack.attributes(AGENT);
    assert_eq!(differences(&before, &after), ["rotation_reason"]);
    assert_eq!(after["rotation_reason"], "missing");
    stack.is_quiet();
}

#[tokio::test]
async fn the_only_version_is_written_anew_once_it_is_destroyed() {
    let stack = Stack::start("destroyed-only").await;
    stack.applied(AGENT_BLOCK);
    stack.versions("destroy", PRIMARY, &[1]).await;
    stack
        .workspace
        .plan()
        .exits(2)
        .says("and there is no older version")
        .says("vault kv put -mount=secret -cas=1 claude-agent-service claude_oauth_token=-")
        .omits("rollback");
    stack.put(PRIMARY, json!({ FIELD: token("anew") })).await;
    stack.versions("destroy", PRIMARY, &[2]).await;
    stack
        .workspace
        .plan()
        .exits(2)
        .says("An older version may still exist.");
}

#[tokio::test]
async fn a_token_that_comes_back_between_plan_and_apply_is_no_failure() {
    let stack = Stack::start("back-again").await;
    stack.applied(AGENT_BLOCK);
    stack.versions("delete", PRIMARY, &[1]).await;
    stack.workspace.plan().exits(2);
    stack.versions("undelete", PRIMARY, &[1]).await;
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    let replaced = format!("Token {PRIMARY_ID} was replaced in the meantime");
    assert!(
        warnings(&apply).contains(&replaced),
        "{}",
        apply.transcript()
    );
    stack.workspace.plan().changes_nothing();
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["status"], "in_date");
}

#[tokio::test]
async fn warn_tells_of_a_missing_token_and_plans_nothing() {
    let stack = Stack::start("missing-warn").await;
    stack.applied(&format!(
        "resource \"claude_oauth_token\" \"agent\" {{
  path            = \"{PRIMARY}\"
  on_rotation_due = \"warn\"
}}
"
    ));
    stack.versions("delete", PRIMARY, &[1]).await;
    let plan = stack.workspace.plan();
    plan.changes_nothing()
        .says("vault kv undelete -mount=secret -versions=1 claude-agent-service");
    assert_eq!(
        warnings(&plan),
        [format!("Token {PRIMARY_ID} is missing")],
        "{}",
        plan.transcript()
    );
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["status"], "missing");
}

#[tokio::test]
async fn a_token_of_another_length_is_adopted_with_a_warning() {
    let stack = Stack::empty("length").await;
    let long = format!("{}abc", token("long"));
    stack.put(PRIMARY, json!({ FIELD: long })).await;
    let apply = stack.applied(AGENT_BLOCK);
    assert_eq!(
        warnings(&apply),
        [format!("Token {PRIMARY_ID} has an unproven length")]
    );
    apply.says("terraform-provider-claude verify claude-agent-service");
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(
        warnings(&plan),
        [format!("Token {PRIMARY_ID} has an unproven length")]
    );
}

#[tokio::test]
async fn a_reader_of_data_alone_needs_no_other_right() {
    let mut stack = Stack::start("reader").await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    let rules = "path \"secret/data/*\" { capabilities = [\"read\"] }";
    let reader = stack.bao.token(rules).await;
    stack.workspace.set("VAULT_TOKEN", reader);
    stack.write(&format!(
        "import {{\n  to = {AGENT}\n  id = \"secret/{PRIMARY}\"\n}}\n{AGENT_BLOCK}"
    ));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.");
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet_after_import();
}
