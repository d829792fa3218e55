//! A spare is promoted on demand, and the state follows at the next plan.

mod interrupted;
mod refused;

use serde_json::{Value, json};

use super::super::stack::{
    AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, errors, fingerprint, warnings,
};
use super::{BOTH, aged, agent, marks, metadata, short, text_of, value_at};
use crate::support::lacks;
use crate::support::secrets::{LeakSearch, token};
use crate::support::terraform::Run;

/// Argument that has an action invoked.
const INVOKE: &str = "-invoke=action.claude_promote_spare.agent";

/// Returns the action with both spares and further arguments.
fn action(arguments: &str) -> String {
    format!(
        "action \"claude_promote_spare\" \"agent\" {{\n  config {{\n    path = \"{PRIMARY}\"\n  \
         {BOTH}{arguments}  }}\n}}\n"
    )
}

/// Returns whether the command line has actions, and reports if it has none.
fn has_actions() -> bool {
    !lacks("actions", |host| host.actions)
}

fn invoke(stack: &Stack) -> Run {
    stack.workspace.run(["apply", "-auto-approve", INVOKE])
}

/// Demands that an invocation failed for this reason alone: the host puts the summary of an action's
/// error at the beginning of its own detail.
#[track_caller]
fn failed_with(run: &Run, summary: &str) {
    run.exits(1).says(&format!("{summary}: "));
    let failures = errors(run);
    let failures = failures.iter().filter(|error| *error != "execution halted");
    assert_eq!(failures.count(), 1, "{}", run.transcript());
}

#[tokio::test]
async fn the_token_is_there_at_once_and_the_next_plan_adopts_it() {
    let mut stack = aged("action", 10).await;
    if !has_actions() {
        return;
    }
    let mut search = LeakSearch::new();
    for path in ["primary", SPARES[0], SPARES[1]] {
        search.plant(path, &token(path));
    }
    let siblings = r#"{"api_bearer_token":"first","claude_oauth_token":"T","other":{"float":1.0,"none":null}}"#;
    super::put_text(&stack, PRIMARY, &siblings.replace('T', &token("primary"))).await;
    let siblings = text_of(&stack, PRIMARY).await;
    stack.applied(&format!("{}{}", agent(BOTH), action("")));
    let before = stack.attributes(AGENT);
    stack.workspace.trace();

    let plan = stack.workspace.run(["plan", INVOKE]);
    plan.exits(0).says("Actions: 1 to invoke.");
    assert_eq!(stack.current_version(PRIMARY).await, 2);
    let run = invoke(&stack);
    run.exits(0)
        .says(&format!("Reading {PRIMARY_ID}"))
        .says(&format!("Claiming the spare {}", SPARES[0]))
        .says(&format!("Writing its token into {PRIMARY_ID}"))
        .says(&format!(
            "{PRIMARY_ID} holds the token of {} since version 3",
            SPARES[0]
        ))
        .says("Actions: 1 invoked.");
    assert_eq!(warnings(&run), [""; 0]);

    // It is the promotion of the resource: one field, a mark and a stamp.
    assert_eq!(
        text_of(&stack, PRIMARY).await,
        siblings.replace(&token("primary"), &token(SPARES[0]))
    );
    assert_eq!(marks(&stack, SPARES[0]).await.len(), 1);
    assert_eq!(marks(&stack, SPARES[1]).await, []);
    let noted = metadata(&stack, PRIMARY).await;
    assert_eq!(
        noted[&format!("{FIELD}.fingerprint")],
        short(&token(SPARES[0]))
    );
    assert_eq!(noted[&format!("{FIELD}.rotated_from")], SPARES[0]);
    assert_eq!(noted["owner"], "team");
    assert_eq!(value_at(&stack, PRIMARY, 2).await, token("primary"));

    // An action changes no state; a refresh does, and nothing is left to change.
    assert_eq!(stack.attributes(AGENT), before);
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan), [""; 0]);
    let refresh = stack
        .workspace
        .run(["apply", "-refresh-only", "-auto-approve"]);
    refresh.exits(0);
    let after = stack.attributes(AGENT);
    assert_eq!(after["fingerprint"], fingerprint(&token(SPARES[0])));
    assert_eq!(after["rotated_from"], SPARES[0]);
    assert_eq!(after["minted_at_source"], "stamp");
    assert_eq!(after["kv_version"], 3);
    assert_eq!(after["rotation_reason"], Value::Null);
    assert_eq!(after["status"], "in_date");
    stack.is_quiet();
    for run in [&run, &plan, &refresh] {
        run.search(&mut search);
    }
    stack.workspace.search(&mut search);
    search.assert_clean();
}

/// What depends on the state is planned with the token that the refresh finds.
#[tokio::test]
async fn each_invocation_promotes_one_more_and_what_depends_follows() {
    let stack = aged("action-twice", 10).await;
    if !has_actions() {
        return;
    }
    let pods = "resource \"terraform_data\" \"pods\" {\n  input = claude_oauth_token.agent.fingerprint\n}\n";
    stack.applied(&format!("{}{pods}{}", agent(BOTH), action("")));
    for spare in SPARES {
        invoke(&stack).exits(0);
        assert_eq!(value_at(&stack, PRIMARY, 0).await, token(spare));
    }
    let plan = stack.workspace.plan();
    plan.exits(2);
    assert_eq!(
        plan.drift_lines(),
        [
            "# terraform_data.pods will be updated in-place",
            "Plan: 0 to add, 1 to change, 0 to destroy."
        ]
    );
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        stack.attributes("terraform_data.pods")["output"]["value"],
        fingerprint(&token(SPARES[1]))
    );
    stack.is_quiet();
    // And once they are used up, there is none.
    let run = invoke(&stack);
    run.exits(1)
        .says(&format!("No spare for {PRIMARY_ID}"))
        .says("Mint a token with `claude setup-token`")
        .says("vault kv patch -mount=secret claude-agent-service")
        .says("invoke the action again")
        .omits("apply again");
    assert_eq!(stack.current_version(PRIMARY).await, 3);
}

/// A field without a token, or without one that passes the check, is filled as well.
#[tokio::test]
async fn a_primary_without_a_token_gets_one() {
    let stack = aged("action-broken", 10).await;
    if !has_actions() {
        return;
    }
    stack.write(&action(""));
    stack.put(PRIMARY, json!({ "other": 1 })).await;
    invoke(&stack).exits(0);
    assert_eq!(value_at(&stack, PRIMARY, 0).await, token(SPARES[0]));
    stack.put(PRIMARY, json!({ FIELD: "a broken paste" })).await;
    invoke(&stack).exits(0);
    assert_eq!(value_at(&stack, PRIMARY, 0).await, token(SPARES[1]));
}

/// An action may be triggered by a change, with arguments that are not known when it is planned.
#[tokio::test]
async fn a_change_of_something_else_triggers_it() {
    let stack = aged("action-trigger", 10).await;
    if !has_actions() {
        return;
    }
    let configuration = |incident: &str| {
        format!(
            "resource \"terraform_data\" \"incident\" {{
  input = \"{incident}\"
  lifecycle {{
    action_trigger {{
      events  = [after_update]
      actions = [action.claude_promote_spare.agent]
    }}
  }}
}}
resource \"terraform_data\" \"paths\" {{
  triggers_replace = \"{incident}\"
  input            = [\"{}\", \"{}\"]
}}
action \"claude_promote_spare\" \"agent\" {{
  config {{
    path        = \"{PRIMARY}\"
    spare_paths = terraform_data.paths.output
  }}
}}
",
            SPARES[0], SPARES[1]
        )
    };
    stack.applied(&configuration("none"));
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    stack.write(&configuration("leak"));
    stack
        .workspace
        .plan()
        .exits(2)
        .says("Actions: 1 to invoke.");
    stack
        .workspace
        .apply_saved()
        .exits(0)
        .says("Actions: 1 invoked.");
    assert_eq!(value_at(&stack, PRIMARY, 0).await, token(SPARES[0]));
    stack.workspace.plan().changes_nothing();
}

#[tokio::test]
async fn another_mount_and_another_field_are_taken() {
    let stack = Stack::start("action-mount").await;
    if !has_actions() {
        return;
    }
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    stack.bao.must("POST", "sys/mounts/team/kv", engine).await;
    for path in ["agents/primary", "agents/spare"] {
        let body = json!({ "data": { "second_token": token(path) } });
        let target = format!("team/kv/data/{path}");
        // A new engine answers 400 until it has upgraded itself.
        while stack.bao.call("POST", &target, body.clone()).await.0 == 400 {
            tokio::task::yield_now().await;
        }
    }
    stack.write_with_provider(
        "  mount = \"team/kv\"\n",
        "action \"claude_promote_spare\" \"agent\" {
  config {
    path        = \"agents/primary\"
    field       = \"second_token\"
    spare_paths = [\"agents/spare\"]
  }
}
",
    );
    invoke(&stack).exits(0).says(
        "team/kv/agents/primary#second_token holds the token of agents/spare since version 2",
    );
}
