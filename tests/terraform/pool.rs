//! A pool of spares: which of them count, and what is said of those that do not.

mod deletion;
mod told;
mod wiped;

use serde_json::{Value, json};

use super::stack::{
    FIELD, POOL, POOL_BLOCK, PRIMARY, SECOND, SPARES, Stack, days, fingerprint, stamp, warnings,
};
use crate::support::secrets::token;
use crate::support::terraform::Run;

const POOL_ID: &str = "secret/claude-agent-service-spare-{1,2}#claude_oauth_token";

/// The pool with further arguments.
fn pool(arguments: &str) -> String {
    POOL_BLOCK.replace("\n}\n", &format!("\n{arguments}\n}}\n"))
}

/// The pool of one deployment, satisfied with a single spare.
fn lenient(arguments: &str) -> String {
    pool(&format!("  min_available = 1\n{arguments}"))
}

/// Returns what the state says of a spare in a few words.
fn verdict(stack: &Stack, path: &str) -> [Value; 3] {
    let spare = &stack.attributes(POOL)["spares"][path];
    ["status", "duplicate_of", "promoted_to"].map(|name| spare[name].clone())
}

fn short(token: &str) -> String {
    fingerprint(token)["sha256:".len()..][..16].to_owned()
}

#[tokio::test]
async fn copies_are_no_spares() {
    let stack = Stack::start("pool-copies").await;
    // The second spare is a copy of the primary.
    stack
        .patch(SPARES[1], json!({ FIELD: token("primary") }))
        .await;
    let apply = stack.applied(&lenient("  primary_path = \"claude-agent-service\""));
    let copies = format!("Spares {POOL_ID} have copies");
    assert_eq!(warnings(&apply), [copies.as_str()]);
    apply.says("claude-agent-service-spare-2: it holds the same token as claude-agent-service");
    assert_eq!(
        verdict(&stack, SPARES[1]),
        [json!("duplicate"), json!(PRIMARY), Value::Null]
    );
    assert_eq!(
        stack.attributes(POOL)["available_paths"],
        json!([SPARES[0]])
    );
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan), [copies.as_str()]);
    stack.refresh_only().changes_nothing();

    // Then of the first spare.
    stack
        .patch(SPARES[1], json!({ FIELD: token(SPARES[0]) }))
        .await;
    let plan = stack.workspace.plan();
    plan.changes_nothing()
        .says("spare-2: it holds the same token as claude-agent-service-spare-1");
    stack.apply();
    assert_eq!(
        verdict(&stack, SPARES[1]),
        [json!("duplicate"), json!(SPARES[0]), Value::Null]
    );

    // A token of its own, and all is well.
    stack
        .patch(SPARES[1], json!({ FIELD: token("its own") }))
        .await;
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan), [""; 0]);
    stack.apply();
    assert_eq!(verdict(&stack, SPARES[1])[0], "available");
    assert_eq!(stack.attributes(POOL)["available_count"], 2);
}

#[tokio::test]
async fn a_primary_that_is_recorded_later_names_copies_at_once() {
    let stack = Stack::start("pool-primary-later").await;
    stack
        .patch(SPARES[0], json!({ FIELD: token("primary") }))
        .await;
    stack.applied(&lenient(""));
    assert_eq!(verdict(&stack, SPARES[0])[0], "available");
    stack.is_quiet();
    let apply = stack.applied(&lenient("  primary_path = \"claude-agent-service\""));
    let copies = format!("Spares {POOL_ID} have copies");
    assert!(warnings(&apply).contains(&copies), "{}", apply.transcript());
    assert_eq!(
        verdict(&stack, SPARES[0]),
        [json!("duplicate"), json!(PRIMARY), Value::Null]
    );
    stack.workspace.plan().changes_nothing();
    stack.refresh_only().changes_nothing();
}

#[tokio::test]
async fn a_mark_counts_only_when_the_primary_confirms_it() {
    let stack = Stack::start("pool-marks").await;
    stack.applied(&lenient(""));
    let now = stack.written_at(SPARES[0], 1).await;
    let mark = |version: u64, age: i64| {
        let value = format!(
            "{} {version} {} {PRIMARY}#{FIELD}",
            short(&token(SPARES[0])),
            (now - SECOND * i32::try_from(age).unwrap()).as_second()
        );
        json!({ "custom_metadata": { format!("{FIELD}.promoted_to.00c0ffee"): value } })
    };
    let spent = [
        json!("spent"),
        Value::Null,
        json!(format!("{PRIMARY}#{FIELD}")),
    ];
    let refreshed = || {
        stack.workspace.plan().changes_nothing();
        stack.apply();
        verdict(&stack, SPARES[0])
    };

    // Version 2 does not exist yet: open.
    stack.set_metadata(SPARES[0], mark(2, 0)).await;
    assert_eq!(refreshed(), spent);

    // Version 2 came to be without the token: void.
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    stack.set_metadata(SPARES[0], mark(2, 0)).await;
    assert_eq!(refreshed()[0], "available");

    // The primary holds it, and has held it ever after.
    stack
        .patch(PRIMARY, json!({ FIELD: token(SPARES[0]) }))
        .await;
    stack.set_metadata(SPARES[0], mark(3, 0)).await;
    assert_eq!(refreshed(), spent);
    stack.patch(PRIMARY, json!({ FIELD: token("later") })).await;
    assert_eq!(refreshed(), spent);
    stack.versions("destroy", PRIMARY, &[3]).await;
    assert_eq!(refreshed(), spent);

    // Another token in the slot is another matter.
    stack
        .patch(SPARES[0], json!({ FIELD: token("refilled") }))
        .await;
    assert_eq!(refreshed(), [json!("available"), Value::Null, Value::Null]);
    stack.is_quiet();
}

#[tokio::test]
async fn a_secret_that_a_spare_was_promoted_into_is_no_spare() {
    let stack = Stack::start("pool-primary-inside").await;
    let now = stack.written_at(SPARES[1], 1).await;
    let mut settings = stamp(&token(SPARES[1]), now);
    settings["custom_metadata"][format!("{FIELD}.rotated_from")] = json!("somewhere");
    stack.set_metadata(SPARES[1], settings).await;
    stack.applied(&lenient(""));
    assert_eq!(
        verdict(&stack, SPARES[1]),
        [
            json!("spent"),
            Value::Null,
            json!(format!("{}#{FIELD}", SPARES[1]))
        ]
    );
}

#[tokio::test]
async fn the_longest_lasting_spare_comes_first() {
    let stack = Stack::start("pool-order").await;
    let third = "claude-agent-service-spare-3";
    stack.put(third, json!({ FIELD: token(third) })).await;
    let now = stack.written_at(third, 1).await;
    for (path, age) in [(SPARES[0], 100), (SPARES[1], 10), (third, 100)] {
        stack
            .set_metadata(path, stamp(&token(path), now - days(age)))
            .await;
    }
    let block = |paths: &[&str]| {
        format!(
            "resource \"claude_token_spare_pool\" \"agent\" {{
  paths         = {paths:?}
  min_available = 1
}}
"
        )
    };
    let attribute = |name: &str| stack.attributes(POOL)[name].clone();
    stack.applied(&block(&[SPARES[0], SPARES[1]]));
    assert_eq!(attribute("available_paths"), json!([SPARES[1], SPARES[0]]));
    assert_eq!(attribute("runway_until"), (now + days(355)).to_string());
    stack.is_quiet();

    // Adding, then reordering, then removing.
    let old = attribute("spares");
    stack.write(&block(&[SPARES[0], SPARES[1], third]));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("# claude_token_spare_pool.agent will be updated in-place");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        attribute("available_paths"),
        json!([SPARES[1], SPARES[0], third])
    );
    assert_eq!(attribute("spares")[SPARES[0]], old[SPARES[0]]);
    assert_eq!(
        attribute("id"),
        "secret/claude-agent-service-spare-{1,2,3}#claude_oauth_token"
    );
    stack.is_quiet();

    stack.applied(&block(&[third, SPARES[0], SPARES[1]]));
    assert_eq!(
        attribute("available_paths"),
        json!([SPARES[1], third, SPARES[0]])
    );
    assert_eq!(
        attribute("external_secret_data")[0]["remoteRef"]["key"],
        third
    );
    stack.is_quiet();

    stack.applied(&block(&[third]));
    assert_eq!(attribute("available_paths"), json!([third]));
    assert_eq!(attribute("runway_until"), (now + days(265)).to_string());
    assert_eq!(attribute("spares").as_object().unwrap().len(), 1);
    stack.is_quiet();

    // Nothing counts down here either, and the thresholds are the spare's own.
    stack.plan_at(now + days(235) - SECOND).changes_nothing();
    let plan = stack.plan_at(now + days(235));
    plan.exits(2);
    assert_eq!(
        warnings(&plan),
        ["Spares secret/claude-agent-service-spare-3#claude_oauth_token: 0 available, 1 required"]
    );
    plan.says("its token is due: it expires");
}

#[tokio::test]
async fn spares_that_end_with_their_primary_are_told() {
    let stack = Stack::start("pool-together").await;
    let now = stack.written_at(PRIMARY, 1).await;
    let arguments = "  primary_path = \"claude-agent-service\"\n  rotate_before_days = 300";
    let date = async |path: &str, label: &str, age: i64| {
        let stamp = stamp(&token(label), now - days(age));
        stack.set_metadata(path, stamp).await;
    };
    // The primary is due 15 days from now, and both spares are due before it.
    date(PRIMARY, "primary", 50).await;
    for path in SPARES {
        date(path, path, 60).await;
    }
    let together = format!("Spares {POOL_ID} are due no later than their primary");
    let apply = stack.applied(&pool(arguments));
    assert_eq!(warnings(&apply), [together.as_str()]);
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan), [together]);
    // One that outlasts that day is enough.
    date(SPARES[0], SPARES[0], 40).await;
    stack.apply();
    stack.is_quiet();
}

#[tokio::test]
async fn a_primary_without_a_stamp_is_as_old_as_its_token() {
    let stack = Stack::start("pool-primary-unstamped").await;
    let minted_at = stack.written_at(PRIMARY, 1).await;
    for path in SPARES {
        // Due before the primary.
        stack
            .set_metadata(path, stamp(&token(path), minted_at - days(30)))
            .await;
    }
    let mut versions = 1;
    while stack.written_at(PRIMARY, versions).await == minted_at {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        versions += 1;
        stack
            .patch(PRIMARY, json!({ "api_bearer_token": versions }))
            .await;
    }
    let together = format!("Spares {POOL_ID} are due no later than their primary");
    let arguments = "  primary_path = \"claude-agent-service\"\n  rotate_before_days = 300";
    let apply = stack.applied(&pool(arguments));
    assert_eq!(warnings(&apply), [together.as_str()]);

    let is_told = |run: &Run| {
        run.changes_nothing();
        assert_eq!(warnings(run), [together.as_str()], "{}", run.transcript());
    };
    let reads = || stack.bao.count("read", &format!("secret/data/{PRIMARY}"));
    for _ in 0..2 {
        let before = reads();
        is_told(&stack.workspace.plan());
        // The history was walked by the apply.
        assert_eq!(reads() - before, 1);
        is_told(&stack.refresh_only());
        stack
            .patch(PRIMARY, json!({ "api_bearer_token": "rewritten" }))
            .await;
    }

    // What a stamp says counts, and is nothing to note beside the state.
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), minted_at - days(100)))
        .await;
    stack.is_quiet();
}

#[tokio::test]
async fn a_primary_that_somebody_rotates_moves_nothing_in_the_pool() {
    let stack = Stack::start("pool-primary-new").await;
    let now = stack.written_at(PRIMARY, 1).await;
    for path in SPARES {
        stack
            .set_metadata(path, stamp(&token(path), now - days(100)))
            .await;
    }
    stack.applied(&pool("  primary_path = \"claude-agent-service\""));
    stack.is_quiet();
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    stack.is_quiet();
    // A new token of the primary is noted beside the state, with no attribute to show for it.
    let before = stack.attributes(POOL);
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack.workspace.plan().changes_nothing();
    stack.apply();
    assert_eq!(stack.attributes(POOL), before);
    stack.is_quiet();
}
