//! Fresh spares of the configuration, and slots that are refilled.

use serde_json::{Value, json};

use super::super::stack::{
    AGENT, FIELD, POOL, PRIMARY, SPARES, Stack, errors, fingerprint, stamp, text, warnings,
};
use super::{BOTH, aged, agent, ago, marks, metadata, put_text, short, spoken, text_of, value_at};
use crate::support::lacks;
use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, malformed, token};

fn pool(arguments: &str) -> String {
    format!(
        "resource \"claude_token_spare_pool\" \"agent\" {{\n  paths = [{:?}, {:?}]\n{arguments}}}\n",
        SPARES[0], SPARES[1]
    )
}

fn storing(tokens: &[(&str, &str)], version: u32) -> String {
    let tokens: String = tokens
        .iter()
        .map(|(path, value)| format!("    {path:?} = {value:?}\n"))
        .collect();
    pool(&format!(
        "  tokens_wo = {{\n{tokens}  }}\n  tokens_wo_version = {version}\n"
    ))
}

#[tokio::test]
async fn fresh_spares_are_stored_beside_their_siblings() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::empty("pool-store").await;
    let siblings = r#"{"a.b":1234567890123456789012345,"z":1.0}"#;
    put_text(&stack, SPARES[1], siblings).await;
    let siblings = text_of(&stack, SPARES[1]).await;
    let tokens = [
        (SPARES[0], token("one")),
        (SPARES[1], format!("{}\n", token("two"))),
    ];
    let tokens: Vec<_> = tokens
        .iter()
        .map(|(path, value)| (*path, value.as_str()))
        .collect();
    stack.write(&storing(&tokens, 1));
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    let id = |path: &str| format!("secret/{path}#{FIELD}");
    let stored = SPARES.map(|path| format!("Token {} was stored", id(path)));
    let trimmed = format!("Token for {} was trimmed", id(SPARES[1]));
    assert_eq!(
        warnings(&apply),
        [&[trimmed][..], &stored[..]].concat(),
        "{}",
        apply.transcript()
    );
    assert_eq!(
        text_of(&stack, SPARES[0]).await,
        format!("{{\"{FIELD}\":\"{}\"}}", token("one"))
    );
    assert_eq!(
        text_of(&stack, SPARES[1]).await,
        siblings.replace(
            ",\"z\"",
            &format!(",\"{FIELD}\":\"{}\",\"z\"", token("two"))
        )
    );
    let state = stack.attributes(POOL);
    assert_eq!(state["available_count"], 2);
    assert_eq!(state["tokens_wo"], Value::Null);
    for (path, value) in [(SPARES[0], "one"), (SPARES[1], "two")] {
        assert_eq!(
            state["spares"][path]["fingerprint"],
            fingerprint(&token(value))
        );
        let stamp = metadata(&stack, path).await;
        assert_eq!(stamp[&format!("{FIELD}.fingerprint")], short(&token(value)));
    }
    let said = spoken(&apply);
    let expected = format!(
        "The token of tokens_wo is now in version 2 of secret/{} and expires {}.",
        SPARES[1],
        text(&state["spares"][SPARES[1]]["expires_at"])
    );
    assert!(said.contains(&expected), "{said}");
    stack.is_quiet();

    // The same tokens once more make no version; one that is new makes one.
    let apply = stack.applied(&storing(
        &[(SPARES[0], &token("one")), (SPARES[1], &token("new"))],
        2,
    ));
    let replaced = format!("Token {} was replaced", id(SPARES[1]));
    assert_eq!(warnings(&apply), [replaced]);
    let find = &fingerprint(&token("two"))["sha256:".len()..][..8];
    apply
        .says(&format!("is now in version 3 of secret/{}", SPARES[1]))
        .says("If the previous token leaked, revoke it")
        .says(&format!("find --fingerprint {find}"));
    assert_eq!(stack.current_version(SPARES[0]).await, 1);
    assert_eq!(stack.current_version(SPARES[1]).await, 3);
    assert_eq!(value_at(&stack, SPARES[1], 2).await, token("two"));
    stack.is_quiet();
    stack.applied(&storing(&[(SPARES[0], &token("third"))], 3));
    assert_eq!(stack.current_version(SPARES[0]).await, 2);
    assert_eq!(stack.current_version(SPARES[1]).await, 3);
    stack.is_quiet();
    // Without the values, the version alone is quiet.
    stack.write(&pool("  tokens_wo_version = 3\n"));
    stack.is_quiet();
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("pool-refuse").await;
    let before = [
        stack.everything(SPARES[0]).await,
        stack.everything(SPARES[1]).await,
    ];
    let mut search = LeakSearch::new();
    search.plant("foreign", &token("foreign"));

    stack.write(&storing(&[("elsewhere", &token("foreign"))], 1));
    let run = stack.workspace.run(["validate"]);
    run.exits(1).says("elsewhere is not in paths.");
    assert_eq!(errors(&run), ["Invalid tokens_wo"]);
    run.search(&mut search);

    for (kind, value) in malformed("of a pool") {
        search.plant(kind, &value);
        stack.write(&storing(&[(SPARES[0], &value)], 1));
        let run = stack.workspace.run(["validate"]);
        run.exits(1);
        assert_eq!(
            errors(&run),
            [format!("Invalid tokens_wo for {}", SPARES[0])],
            "{kind}"
        );
        run.search(&mut search);
    }

    // Another token is there.
    search.plant("new", &token("new"));
    stack.write(&storing(&[(SPARES[0], &token("new"))], 1));
    let run = stack.workspace.apply();
    run.exits(1);
    assert_eq!(
        errors(&run),
        [format!(
            "Secret secret/{}#{FIELD} holds another token",
            SPARES[0]
        )]
    );
    assert!(!spoken(&run).contains("with this id"));
    run.search(&mut search);

    for (arguments, summary) in [
        ("  tokens_wo_version = 1\n".to_owned(), "Missing tokens_wo"),
        (
            format!("  tokens_wo = {{ {:?} = {:?} }}\n", SPARES[0], token("new")),
            "Missing tokens_wo_version",
        ),
    ] {
        stack.write(&pool(&arguments));
        let run = stack.workspace.apply();
        run.exits(1);
        assert_eq!(errors(&run), [summary]);
        run.search(&mut search);
    }
    assert_eq!(
        [
            stack.everything(SPARES[0]).await,
            stack.everything(SPARES[1]).await
        ],
        before
    );

    // Somebody changed one meanwhile.
    stack.applied(&pool("  stamp_metadata = false\n"));
    stack.write(&storing(&[(SPARES[0], &token("new"))], 1));
    stack.workspace.plan().exits(2);
    stack
        .put(SPARES[0], json!({ FIELD: token("by hand") }))
        .await;
    let run = stack.workspace.apply_saved();
    run.exits(1)
        .says("another client replaced it in the meantime");
    run.search(&mut search);
    assert_eq!(stack.current_version(SPARES[0]).await, 2);

    // A secret that was deleted.
    stack.apply();
    stack.write(&storing(&[(SPARES[0], &token("newer"))], 2));
    stack.workspace.plan().exits(2);
    stack.versions("delete", SPARES[0], &[3]).await;
    let run = stack.workspace.apply_saved();
    run.exits(1)
        .says("vault kv undelete -mount=secret -versions=3");
    assert_eq!(
        errors(&run),
        [format!(
            "Token was not stored at secret/{}#{FIELD}",
            SPARES[0]
        )]
    );
    assert_eq!(stack.current_version(SPARES[0]).await, 3);
    search.assert_clean();
}

#[tokio::test]
async fn a_slot_that_is_refilled_is_available_again_by_itself() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = aged("pool-refill", 340).await;
    stack.applied(&agent(BOTH));
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    let both = |arguments: &str| {
        format!(
            "{}{}",
            agent(BOTH),
            pool(&format!("  primary_path = {PRIMARY:?}\n{arguments}"))
        )
    };
    let apply = stack.applied(&both(""));
    assert!(
        warnings(&apply)
            .iter()
            .any(|told| told.ends_with("1 available, 2 required")),
        "{}",
        apply.transcript()
    );
    let spent = stack.attributes(POOL)["spares"][SPARES[0]].clone();
    assert_eq!(spent["status"], "spent");
    assert_eq!(spent["promoted_to"], format!("{PRIMARY}#{FIELD}"));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says(&format!("{PRIMARY}#{FIELD} holds or held its token."));

    // A shortage writes nothing.
    let before = stack.everything(SPARES[0]).await;
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.everything(SPARES[0]).await, before);

    // The mark of the other token stays, and counts for nothing.
    // The token that was replaced there is the primary's, and nobody must revoke it.
    stack
        .applied(&both(&format!(
            "  tokens_wo = {{ {:?} = {:?} }}\n  tokens_wo_version = 1\n",
            SPARES[0],
            token("fresh")
        )))
        .says(&format!("Token secret/{}#{FIELD} was replaced", SPARES[0]))
        .omits("revoke");
    let spare = stack.attributes(POOL)["spares"][SPARES[0]].clone();
    assert_eq!(spare["status"], "available");
    assert_eq!(spare["promoted_to"], Value::Null);
    assert_eq!(stack.attributes(POOL)["available_count"], 2);
    assert_eq!(marks(&stack, SPARES[0]).await.len(), 1);
    stack.workspace.plan().changes_nothing();
    stack.refresh_only().changes_nothing();

    // It is promoted like any other.
    let request = agent(&format!(
        "{BOTH}  rotate_when_changed = {{ leak = \"1\" }}\n"
    ));
    stack
        .set_metadata(SPARES[1], stamp(&token(SPARES[1]), ago(90)))
        .await;
    stack.applied(&request);
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    // The mark of the token that the slot held before is evidence, and stays.
    let noted = marks(&stack, SPARES[0]).await;
    for token in [token(SPARES[0]), token("fresh")] {
        let is_marked = noted
            .iter()
            .any(|(_, mark)| mark.starts_with(&short(&token)));
        assert!(is_marked, "{noted:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_tracked_is_stored_over_once_it_was_recorded() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::empty("pool-untracked").await;
    stack.put(SPARES[1], json!({ FIELD: token("old") })).await;
    let fresh = |version| {
        let tokens = [(SPARES[0], &*token("one")), (SPARES[1], &*token("two"))];
        storing(&tokens, version)
    };
    let is_refused = || {
        let run = stack.workspace.apply();
        run.exits(1).says("a token that this pool does not track");
        assert_eq!(
            errors(&run),
            [format!(
                "Secret secret/{}#{FIELD} holds another token",
                SPARES[1]
            )]
        );
        run.omits("already stored").omits("terraform import");
    };

    // A new pool: nothing is stored at the other path either.
    stack.write(&fresh(1));
    is_refused();
    let first = format!("secret/metadata/{}", SPARES[0]);
    assert_eq!(stack.bao.call("GET", &first, Value::Null).await.0, 404);
    stack.applied(&pool(""));
    stack.applied(&fresh(1));
    assert_eq!(value_at(&stack, SPARES[0], 1).await, token("one"));
    assert_eq!(value_at(&stack, SPARES[1], 2).await, token("two"));
    stack.is_quiet();

    // A path that is added.
    let alone = storing(&[(SPARES[0], &token("one"))], 1).replace(
        &format!("[{:?}, {:?}]", SPARES[0], SPARES[1]),
        &format!("[{:?}]", SPARES[0]),
    );
    stack.applied(&alone);
    stack.put(SPARES[1], json!({ FIELD: token("old") })).await;
    let tokens = [(SPARES[0], &*token("next")), (SPARES[1], &*token("two"))];
    stack.write(&storing(&tokens, 2));
    is_refused();
    is_refused();
    assert_eq!(stack.current_version(SPARES[0]).await, 1);
    stack.applied(&storing(&tokens, 1));
    assert_eq!(stack.current_version(SPARES[1]).await, 3);
    stack.applied(&storing(&tokens, 2));
    assert_eq!(value_at(&stack, SPARES[0], 2).await, token("next"));
    assert_eq!(value_at(&stack, SPARES[1], 4).await, token("two"));
    stack.is_quiet();
}

#[tokio::test]
async fn spares_that_were_stored_before_a_failure_are_named() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let mut stack = Stack::empty("pool-partial").await;
    let rules = format!(
        "path \"secret/data/*\" {{ capabilities = [\"read\"] }}\npath \"secret/data/{}\" {{ \
         capabilities = [\"create\", \"read\", \"update\"] }}",
        SPARES[0]
    );
    let user = stack.bao.token(&rules).await;
    stack.workspace.set("VAULT_TOKEN", user);
    let tokens = [(SPARES[0], &*token("one")), (SPARES[1], &*token("two"))];
    stack.write(&storing(&tokens, 1));
    let run = stack.workspace.apply();
    run.exits(1).says("Nothing was changed.").says(&format!(
        "These tokens are already stored: secret/{}#{FIELD}.",
        SPARES[0]
    ));
    assert_eq!(
        errors(&run),
        [format!("Vault denied access: secret/{}#{FIELD}", SPARES[1])]
    );
    assert_eq!(value_at(&stack, SPARES[0], 1).await, token("one"));

    stack.workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    stack.apply();
    assert_eq!(stack.current_version(SPARES[0]).await, 1);
    assert_eq!(value_at(&stack, SPARES[1], 1).await, token("two"));
    stack.is_quiet();
}
