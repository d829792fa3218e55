//! Nothing to promote: a warning while the token works, an error once it does not.

use serde_json::json;

use super::super::stack::{
    AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, change, differences, errors, fingerprint,
    stamp, unknown, warnings,
};
use super::{BOTH, aged, agent, ago, marks, metadata, news};
use crate::support::secrets::token;

/// Makes both spares useless: one was in the primary before, one has no token.
async fn without_spares(name: &str, age: i64) -> Stack {
    let stack = aged(name, age).await;
    stack.put(PRIMARY, json!({ FIELD: token("older") })).await;
    stack
        .put(PRIMARY, json!({ FIELD: token("primary"), "other": 1 }))
        .await;
    stack.put(SPARES[0], json!({ FIELD: token("older") })).await;
    stack.put(SPARES[1], json!({ "other": 1 })).await;
    stack
}

#[tokio::test]
async fn a_working_token_stays_with_a_warning_and_the_drift_stays() {
    let stack = without_spares("unable-due", 340).await;
    stack.applied(&agent(BOTH));
    let before = stack.everything(PRIMARY).await;
    let state = stack.attributes(AGENT);
    for _ in 0..2 {
        let plan = stack.workspace.plan();
        plan.exits(2)
            .says("+ rotation_reason = \"rotation_due\"")
            .says("no spare can be used:");
        let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
        assert_eq!(unknown(&planned), [""; 0]);
        let apply = stack.workspace.apply_saved();
        apply.exits(0).says("no spare can be used:");
        assert_eq!(warnings(&apply).len(), 1, "{}", apply.transcript());
        assert!(warnings(&apply)[0].starts_with(&format!("Token {PRIMARY_ID} expires ")));
        let after = stack.attributes(AGENT);
        assert_eq!(differences(&state, &after), ["rotation_reason"]);
    }
    assert_eq!(stack.everything(PRIMARY).await, before);
    for path in SPARES {
        assert_eq!(marks(&stack, path).await, []);
    }
}

#[tokio::test]
async fn metadata_that_is_nearly_full_stops_no_rotation_and_stays_within_the_limit() {
    let stack = aged("unable-full", 10).await;
    stack.applied(&agent(BOTH));
    for count in [62, 63, 64] {
        let keys: serde_json::Map<_, _> = (0..count)
            .map(|number| (format!("team{number}"), json!("x")))
            .collect();
        stack
            .set_metadata(PRIMARY, json!({ "custom_metadata": keys }))
            .await;
        stack
            .put(
                SPARES[0],
                json!({ FIELD: token(&format!("spare of {count}")) }),
            )
            .await;
        stack.write(&agent(&format!(
            "{BOTH}\n  rotate_when_changed = {{ reason = \"{count}\" }}\n"
        )));
        let apply = stack.workspace.apply();
        apply
            .exits(0)
            .says(&format!("Metadata of {PRIMARY_ID} is full"));
        let held = stack.attributes(AGENT);
        assert_eq!(held["rotation_reason"], "requested");
        let after = metadata(&stack, PRIMARY).await;
        assert!(after.len() <= 64, "{after:?}");
        assert!(keys.keys().all(|key| after.contains_key(key)), "{after:?}");
        // Nobody removed what was never written, and with room for it there is nothing to say.
        let plan = stack.workspace.plan();
        plan.changes_nothing().omits("Another client");
        let full = format!("Metadata of {PRIMARY_ID} is full");
        assert_eq!(warnings(&plan), [full], "{}", plan.transcript());
        let few = json!({ "custom_metadata": { "team": "x" } });
        stack.set_metadata(PRIMARY, few).await;
        stack.is_quiet();
    }
}

#[tokio::test]
async fn a_token_that_is_due_is_adopted_with_what_the_next_apply_does() {
    let stack = aged("unable-adopted", 340).await;
    let due = format!("Token {PRIMARY_ID} expires ");
    let apply = stack.applied(&agent(BOTH));
    apply
        .says(&format!("The next apply promotes the spare {}.", SPARES[0]))
        .omits("claude setup-token");
    assert_eq!(warnings(&apply).len(), 1, "{}", apply.transcript());
    assert!(warnings(&apply)[0].starts_with(&due));

    // No spare will do: each says why, and only a new token helps.
    stack.workspace.run(["state", "rm", AGENT]).exits(0);
    for path in SPARES {
        stack.put(path, json!({ FIELD: token("primary") })).await;
    }
    stack
        .apply()
        .says(&format!(
            "- {}: It holds the same token as {PRIMARY}.",
            SPARES[0]
        ))
        .says("Mint a token with `claude setup-token`");
}

#[tokio::test]
async fn spares_that_are_gone_after_the_plan_leave_everything_as_it_was() {
    let stack = aged("unable-late", 340).await;
    stack.applied(&agent(BOTH));
    let state = stack.attributes(AGENT);
    stack.workspace.plan().exits(2);
    for path in SPARES {
        stack.put(path, json!({ "other": 1 })).await;
    }
    let before = stack.everything(PRIMARY).await;
    let apply = stack.workspace.apply_saved();
    apply
        .exits(0)
        .says(
            "The current token has not expired, so it was kept. None of the spares can be promoted:",
        )
        .says(&format!("- {}: ", SPARES[0]))
        .says(&format!("- {}: ", SPARES[1]))
        .says("vault kv patch -mount=secret");
    assert_eq!(news(&apply), [format!("No spare for {PRIMARY_ID}")]);
    assert_eq!(
        differences(&state, &stack.attributes(AGENT)),
        ["rotation_reason"]
    );
    assert_eq!(stack.everything(PRIMARY).await, before);
    stack
        .workspace
        .plan()
        .exits(2)
        .says("+ rotation_reason = \"rotation_due\"");
}

#[tokio::test]
async fn an_expired_token_without_a_spare_fails_the_apply() {
    let stack = without_spares("unable-expired", 366).await;
    stack.applied(&agent(BOTH));
    let before = stack.everything(PRIMARY).await;
    let state = stack.attributes(AGENT);
    for _ in 0..2 {
        stack
            .workspace
            .plan()
            .exits(2)
            .says("+ rotation_reason = \"expired\"");
        let apply = stack.workspace.apply_saved();
        apply.exits(1).says("claude setup-token");
        assert_eq!(errors(&apply).len(), 1);
        assert!(errors(&apply)[0].starts_with(&format!("Token {PRIMARY_ID} expired ")));
        assert_eq!(
            differences(&state, &stack.attributes(AGENT)),
            ["rotation_reason"]
        );
    }
    assert_eq!(stack.everything(PRIMARY).await, before);

    // Spares that are lost after the plan fail it, too.
    stack.put(SPARES[1], json!({ FIELD: token("fresh") })).await;
    stack
        .workspace
        .plan()
        .exits(2)
        .says(&format!("the spare {}", SPARES[1]));
    stack.put(SPARES[1], json!({ "other": 1 })).await;
    let apply = stack.workspace.apply_saved();
    apply.exits(1);
    assert_eq!(errors(&apply), [format!("No spare for {PRIMARY_ID}")]);
    assert_eq!(stack.everything(PRIMARY).await, before);
}

#[tokio::test]
async fn a_request_without_a_spare_fails_and_is_asked_for_again() {
    let stack = without_spares("unable-requested", 10).await;
    let request = |spares: &str| {
        agent(&format!(
            "{spares}  rotate_when_changed = {{ leak = \"1\" }}\n"
        ))
    };
    stack.applied(&agent(BOTH));
    let before = stack.everything(PRIMARY).await;
    let state = stack.attributes(AGENT);
    for spares in [BOTH, "", BOTH] {
        stack.write(&request(spares));
        for run in [stack.workspace.plan(), stack.workspace.apply()] {
            run.exits(1);
            assert_eq!(errors(&run), [format!("No spare for {PRIMARY_ID}")]);
        }
        assert_eq!(stack.attributes(AGENT), state);
    }
    assert_eq!(stack.everything(PRIMARY).await, before);
    stack.put(SPARES[1], json!({ FIELD: token("fresh") })).await;
    stack
        .set_metadata(SPARES[1], stamp(&token("fresh"), ago(0)))
        .await;
    stack.apply();
    let after = stack.attributes(AGENT);
    assert_eq!(after["fingerprint"], fingerprint(&token("fresh")));
    assert_eq!(after["rotate_when_changed"]["leak"], "1");
    stack.is_quiet();
}

#[tokio::test]
async fn a_secret_without_a_token_waits_for_one() {
    let stack = aged("unable-malformed", 10).await;
    stack.applied(&agent(""));
    stack.patch(PRIMARY, json!({ FIELD: "weak" })).await;
    let before = stack.everything(PRIMARY).await;
    let apply = stack.workspace.apply();
    apply.exits(1).says("There was no spare to replace it");
    assert_eq!(stack.everything(PRIMARY).await, before);
    assert_eq!(stack.attributes(AGENT)["status"], "malformed");
    // A spare that comes with the next plan is taken.
    stack.write(&agent(BOTH));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("An apply promotes the best usable spare");
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["rotated_from"], SPARES[0]);
    assert_eq!(state["rotation_reason"], "malformed");
    stack.is_quiet();
}
