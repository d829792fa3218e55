//! Spares at which no refresh has looked, and spares that will not do: what the plan says of
//! them, and that the apply takes one that is usable.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::super::stack::{
    AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, change, days, differences, errors,
    fingerprint, unknown, warnings,
};
use super::{BOTH, aged, agent, now};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};
use crate::support::secrets::token;

const ONE_OF: &str = "An apply promotes the best usable spare, if any of these can be used:";

/// Plans and applies, and demands that the first spare is taken.
async fn takes_a_spare(stack: &Stack, plan_says: &str) {
    let plan = stack.workspace.plan();
    plan.exits(2).says(plan_says);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert!(unknown(&planned).contains(&"fingerprint"), "{planned:#}");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    assert_eq!(stack.current_version(PRIMARY).await, 2);
}

#[tokio::test]
async fn an_import_takes_over_and_the_plan_that_follows_rotates() {
    for (name, age) in [("unseen-import-due", 340), ("unseen-import-expired", 366)] {
        let stack = aged(name, age).await;
        let before = stack.everything(PRIMARY).await;
        stack.write(&format!(
            "import {{\n  to = {AGENT}\n  id = \"secret/{PRIMARY}\"\n}}\n{}",
            agent(BOTH)
        ));
        let plan = stack.workspace.plan();
        plan.exits(2)
            .says("Plan: 1 to import, 0 to add, 1 to change, 0 to destroy.")
            .says("An import never rotates, so the token stays for now.");
        assert_eq!(warnings(&plan).len(), 1, "{}", plan.transcript());
        let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
        assert_eq!(unknown(&planned), [""; 0]);
        assert_eq!(
            differences(&planned["before"], &planned["after"]),
            ["spare_paths"]
        );
        assert_eq!(planned["after"]["rotation_reason"], Value::Null);
        stack.workspace.apply_saved().exits(0);
        assert_eq!(
            stack.everything(PRIMARY).await["versions"],
            before["versions"]
        );
        let state = stack.attributes(AGENT);
        assert_eq!(state["fingerprint"], fingerprint(&token("primary")));
        assert_eq!(state["spare_paths"], json!(SPARES));
        assert_eq!(state["rotation_reason"], Value::Null);

        takes_a_spare(&stack, &format!("promotes the spare {}", SPARES[0])).await;
        stack.is_quiet();
    }
}

#[tokio::test]
async fn a_token_that_was_only_warned_of_is_replaced_once_changes_are_planned() {
    let stack = aged("unseen-warn", 366).await;
    stack.applied(&agent(&format!("{BOTH}  on_rotation_due = \"warn\"\n")));
    stack.write(&agent(BOTH));
    takes_a_spare(&stack, ONE_OF).await;
    stack.is_quiet();
}

#[tokio::test]
async fn a_token_that_expires_while_the_provider_is_unknown_is_replaced() {
    let mut stack = aged("unseen-provider", 366).await;
    stack.workspace.set("VAULT_ADDR", "http://127.0.0.1:1");
    let write = |address: &str| {
        stack.write_with_provider(
            "  address = terraform_data.source.output",
            &format!(
                "resource \"terraform_data\" \"source\" {{\n  input = {address:?}\n}}\n{}",
                agent(&format!("{BOTH}  rotate_before_days = 0\n"))
            ),
        );
    };
    write(stack.bao.address());
    stack.apply_at(now() - days(30)).exits(0);
    assert_eq!(stack.attributes(AGENT)["status"], "in_date");
    write(&format!("{}/", stack.bao.address()));
    takes_a_spare(&stack, ONE_OF).await;
    stack.is_quiet();
}

/// A server that fails where it is asked for older versions.
struct WithoutHistory;

impl Judge for WithoutHistory {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        let step = if seen.target.contains("?version=") {
            Step::json(500, "{\"errors\":[\"something went wrong\"]}")
        } else {
            Step::Pass
        };
        let afterwards = None;
        async move { Judgement { step, afterwards } }.boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refresh_that_fails_to_choose_says_so_and_leaves_it_to_the_apply() {
    let mut stack = aged("unseen-failure", 340).await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    stack.write_with_provider("  max_retries = 0\n", &agent(BOTH));
    stack.apply();
    let proxy = Proxy::judged(stack.bao.address(), Arc::new(WithoutHistory)).await;
    stack.workspace.set("VAULT_ADDR", proxy.address());
    let plan = stack.workspace.plan();
    plan.exits(2).says("something went wrong").says(ONE_OF);
    let told = warnings(&plan);
    let unseen = format!("Spares of {PRIMARY_ID} could not be read");
    assert!(told.contains(&unseen), "{}", plan.transcript());
    stack.workspace.set("VAULT_ADDR", stack.bao.address());
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    stack.is_quiet();
}

#[tokio::test]
async fn a_spare_that_will_not_do_is_told_with_what_frees_it() {
    for (name, age, code) in [("unseen-marked", 340, 0), ("unseen-marked-expired", 366, 1)] {
        let stack = aged(name, age).await;
        // A later release may write marks that this one does not know.
        let key = format!("{FIELD}.promoted_to.v2-00c0ffee");
        stack
            .bao
            .must(
                "PATCH",
                &format!("secret/metadata/{}", SPARES[0]),
                json!({ "custom_metadata": { key: "spent" } }),
            )
            .await;
        stack.put(SPARES[1], json!({ FIELD: "weak" })).await;
        stack.applied(&agent(BOTH));
        for _ in 0..2 {
            let plan = stack.workspace.plan();
            plan.exits(2);
            let apply = stack.workspace.apply_saved();
            apply.exits(code);
            for run in [&plan, &apply] {
                run.says(&format!("- {}: Its metadata has the entry", SPARES[0]))
                    .says("-remove-custom-metadata=claude_oauth_token.promoted_to.")
                    .says(&format!("- {}: ", SPARES[1]));
            }
            assert_eq!(warnings(&plan).len(), 1, "{}", plan.transcript());
            assert_eq!(errors(&apply).len(), usize::try_from(code).unwrap());
        }
        // What the refresh notes of the spares stays as it is while they do.
        stack
            .workspace
            .run(["apply", "-refresh-only", "-auto-approve"])
            .exits(0);
        stack.refresh_only().exits(0);
        assert_eq!(stack.current_version(PRIMARY).await, 1);
    }
}

#[tokio::test]
async fn a_plan_without_a_refresh_reports_what_holds_by_then() {
    let stack = aged("unseen-outdated", 340).await;
    stack.applied(&agent(BOTH));
    let refresh = ["apply", "-refresh-only", "-auto-approve"];
    stack.workspace.run(refresh).exits(0);
    let plan = || stack.workspace.run(["plan", "-refresh=false"]);
    let promotes = format!("An apply promotes the spare {}", SPARES[0]);
    plan().says(&format!(
        "{promotes}, unless it or the current token has changed since the last refresh."
    ));

    // The apply finds that somebody else was faster, and the next plan knows it.
    stack
        .workspace
        .plan()
        .says(&format!("{promotes}."))
        .exits(2);
    for path in SPARES {
        stack.versions("delete", path, &[1]).await;
    }
    stack.workspace.apply_saved().exits(0);
    plan().says("no spare can be used:").omits(&promotes);

    stack.versions("delete", PRIMARY, &[1]).await;
    stack.workspace.run(refresh).exits(0);
    let told = plan();
    let gone = format!("Token {PRIMARY_ID} cannot be replaced");
    assert_eq!(warnings(&told), [gone], "{}", told.transcript());
    told.says("vault kv undelete -mount=secret -versions=1");
    stack.put(PRIMARY, json!({ FIELD: token("by hand") })).await;
    let told = plan();
    let changed = format!("Token {PRIMARY_ID} has changed since the last refresh");
    assert_eq!(warnings(&told), [changed], "{}", told.transcript());
    told.omits("was deleted");
}
