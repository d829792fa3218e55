//! A spare's token becomes the primary's: what the plan shows, and what is different afterwards.

use serde_json::{Value, json};

use super::super::stack::{
    AGENT, FIELD, FOUND, PRIMARY, PRIMARY_ID, SPARES, Stack, change, fingerprint, instant, stamp,
    unknown, warnings,
};
use super::{BOTH, aged, agent, ago, is_recent, marks, metadata, news, short, text_of, value_at};
use crate::support::lacks;
use crate::support::secrets::token;

const PODS: &str =
    "resource \"terraform_data\" \"pods\" {\n  input = claude_oauth_token.agent.fingerprint\n}\n";

#[tokio::test]
async fn a_due_token_is_replaced_by_the_best_spare() {
    let stack = aged("promote", 340).await;
    let siblings = r#"{"api_bearer_token":"first","claude_oauth_token":"T","large":1234567890123456789012345,"other":{"float":1.0,"none":null}}"#;
    super::put_text(&stack, PRIMARY, &siblings.replace('T', &token("primary"))).await;
    let before = text_of(&stack, PRIMARY).await;
    let configuration = format!("{}{PODS}", agent(BOTH));
    let apply = stack.applied(&configuration);
    let expires_at = ago(340) + super::days(365);
    let due = format!("Token {PRIMARY_ID} expires ");
    assert!(
        warnings(&apply)[0].starts_with(&due),
        "{}",
        apply.transcript()
    );
    assert_eq!(text_of(&stack, PRIMARY).await, before);
    let old = metadata(&stack, PRIMARY).await;
    assert_eq!(old["owner"], "team");

    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("+ rotation_reason = \"rotation_due\"")
        .says(&format!("An apply promotes the spare {}.", SPARES[0]));
    assert_eq!(
        plan.drift_lines(),
        [
            "# claude_oauth_token.agent will be updated in-place",
            "# terraform_data.pods will be updated in-place",
            "Plan: 0 to add, 2 to change, 0 to destroy."
        ]
    );
    assert_eq!(warnings(&plan).len(), 1, "{}", plan.transcript());
    assert!(warnings(&plan)[0].starts_with(&due));
    let planned = stack.workspace.show_json("saved.tfplan");
    assert_eq!(unknown(&change(&planned, AGENT)), FOUND);
    assert_eq!(
        change(&planned, AGENT)["after"]["external_secret_data"],
        change(&planned, AGENT)["before"]["external_secret_data"]
    );
    let pods = change(&planned, "terraform_data.pods");
    assert_eq!(pods["after_unknown"]["input"], true);

    let seen = stack.bao.requests().len();
    let apply = stack.workspace.apply_saved();
    apply.exits(0).says("0 added, 2 changed, 0 destroyed");
    // Primary, one older version, two spares, mark, read the mark, announce, write, stamp, and
    // mark the spare as held.
    let requests = stack.bao.requests().split_off(seen);
    assert_eq!(requests.len(), 10, "{requests:#?}");
    assert_eq!(news(&apply), [""; 0], "{}", apply.transcript());
    let promoted = token(SPARES[0]);
    let state = stack.attributes(AGENT);
    let rotated = format!("Token {PRIMARY_ID} was rotated");
    assert_eq!(
        warnings(&apply)
            .iter()
            .filter(|told| **told == rotated)
            .count(),
        1
    );
    let replaced = &fingerprint(&token("primary"))["sha256:".len()..][..8];
    apply
        .says(&format!(
            "The token of the spare {} is now in version 3 of secret/{PRIMARY} and expires {}.",
            SPARES[0],
            state["expires_at"].as_str().unwrap()
        ))
        .says("Restart the workloads that use it")
        .says(&format!("terraform-provider-claude store {}", SPARES[0]))
        .says(&format!(
            "terraform-provider-claude find --fingerprint {replaced}"
        ));
    assert_eq!(state["fingerprint"], fingerprint(&promoted));
    assert_eq!(state["kv_version"], 3);
    assert_eq!(state["minted_at_source"], "promotion");
    assert_eq!(state["rotated_from"], SPARES[0]);
    assert_eq!(state["rotation_reason"], "rotation_due");
    assert_eq!(state["status"], "in_date");
    assert_eq!(
        stack.attributes("terraform_data.pods")["output"]["value"],
        fingerprint(&promoted)
    );

    // One field of one secret is different, and what was there is in its history.
    assert_eq!(
        text_of(&stack, PRIMARY).await,
        before.replace(&token("primary"), &promoted)
    );
    assert_eq!(stack.current_version(PRIMARY).await, 3);
    assert_eq!(value_at(&stack, PRIMARY, 2).await, token("primary"));
    for path in SPARES {
        assert_eq!(stack.current_version(path).await, 1);
        assert_eq!(metadata(&stack, path).await["owner"], "team");
    }

    // The stamp is that of the spare's token.
    let minted_at = instant(&state["minted_at"]);
    assert!(
        minted_at.duration_since(ago(1)).as_secs().abs() < 600,
        "{minted_at}"
    );
    let key = |name: &str| format!("{FIELD}.{name}");
    let mut entries = metadata(&stack, PRIMARY).await;
    let retired = entries.remove(&key("retired")).unwrap();
    assert!(retired.contains(&short(&token("primary"))), "{retired}");
    let expected = [
        ("owner".to_owned(), "team".to_owned()),
        (
            key("expires_at"),
            state["expires_at"].as_str().unwrap().to_owned(),
        ),
        (key("fingerprint"), short(&promoted)),
        (key("minted_at"), minted_at.to_string()),
        (key("rotated_from"), SPARES[0].to_owned()),
    ];
    assert_eq!(entries, expected.into());
    assert!(expires_at < instant(&state["expires_at"]));

    // The mark says which token became which version of which primary.
    let noted = marks(&stack, SPARES[0]).await;
    assert_eq!(noted.len(), 1, "{noted:?}");
    let digits = noted[0].0.rsplit('.').next().unwrap();
    assert!(digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let parts: Vec<_> = noted[0].1.splitn(4, ' ').collect();
    assert_eq!(parts[0], short(&promoted));
    assert_eq!(parts[1], "3");
    is_recent(parts[2]);
    assert_eq!(parts[3], format!("{PRIMARY}#{FIELD}"));
    assert_eq!(marks(&stack, SPARES[1]).await, []);
    stack.is_quiet();

    // A pool says so, too.
    stack.applied(&format!(
        "{configuration}resource \"claude_token_spare_pool\" \"agent\" {{\n  paths         = \
         [{:?}, {:?}]\n  primary_path  = {PRIMARY:?}\n  min_available = 1\n}}\n",
        SPARES[0], SPARES[1]
    ));
    let pool = stack.attributes("claude_token_spare_pool.agent");
    let spent = &pool["spares"][SPARES[0]];
    assert_eq!(spent["status"], "spent");
    assert_eq!(spent["promoted_to"], format!("{PRIMARY}#{FIELD}"));
    assert_eq!(pool["spares"][SPARES[1]]["status"], "available");
    assert_eq!(pool["available_paths"], json!([SPARES[1]]));
    stack.workspace.plan().changes_nothing();
    stack.refresh_only().changes_nothing();
}

/// One primary for each reason, each with a spare of its own, in one plan and one apply.
#[tokio::test]
async fn every_reason_is_planned_and_answered() {
    const REASONS: [&str; 4] = ["expired", "malformed", "missing", "requested"];
    let stack = Stack::empty("promote-reasons").await;
    for reason in REASONS {
        let primary = json!({ FIELD: token(reason), "other": reason });
        stack.put(reason, primary).await;
        let spare = format!("{reason}-spare");
        stack.put(&spare, json!({ FIELD: token(&spare) })).await;
    }
    let expired = stamp(&token("expired"), ago(366));
    stack.set_metadata("expired", expired).await;
    let configuration = |request: &str| -> String {
        REASONS
            .map(|reason| {
                format!(
                    "resource \"claude_oauth_token\" \"{reason}\" {{\n  path        = \
                     \"{reason}\"\n  spare_paths = [\"{reason}-spare\"]\n{}}}\n",
                    if reason == "requested" { request } else { "" }
                )
            })
            .concat()
    };
    stack.applied(&configuration(""));
    stack.patch("malformed", json!({ FIELD: "weak" })).await;
    stack.put("missing", json!({ "other": "missing" })).await;

    stack.write(&configuration("  rotate_when_changed = { leak = \"1\" }\n"));
    let plan = stack.workspace.plan();
    plan.exits(2);
    assert_eq!(plan.drift_lines().len(), 5, "{}", plan.transcript());
    let planned = stack.workspace.show_json("saved.tfplan");
    for reason in REASONS {
        let change = change(&planned, &format!("claude_oauth_token.{reason}"));
        assert_eq!(unknown(&change), FOUND, "{reason}");
        assert_eq!(change["after"]["rotation_reason"], reason);
        plan.says(&format!("{reason}-spare"));
    }
    plan.says("Token secret/requested#claude_oauth_token will be rotated as requested");
    let apply = stack.workspace.apply_saved();
    apply.exits(0).says("0 added, 4 changed, 0 destroyed");
    for told in warnings(&apply) {
        assert!(
            warnings(&plan).contains(&told) || told.ends_with(" was rotated"),
            "{told}"
        );
    }
    for reason in REASONS {
        let spare = format!("{reason}-spare");
        let state = stack.attributes(&format!("claude_oauth_token.{reason}"));
        assert_eq!(
            state["fingerprint"],
            fingerprint(&token(&spare)),
            "{reason}"
        );
        assert_eq!(state["rotation_reason"], reason);
        assert_eq!(state["rotated_from"], spare);
        assert_eq!(state["status"], "in_date");
        let version = stack.current_version(reason).await;
        assert_eq!(state["kv_version"], version);
        assert_eq!(
            text_of(&stack, reason).await,
            format!(
                "{{\"{FIELD}\":\"{}\",\"other\":\"{reason}\"}}",
                token(&spare)
            )
        );
        assert_eq!(stack.current_version(&spare).await, 1);
        let noted = marks(&stack, &spare).await;
        assert_eq!(noted.len(), 1);
        assert!(
            noted[0]
                .1
                .starts_with(&format!("{} {version} ", short(&token(&spare))))
        );
        let requested = metadata(&stack, reason)
            .await
            .get("claude_oauth_token.requested")
            .cloned();
        assert_eq!(requested.is_some(), reason == "requested", "{requested:?}");
    }
    stack.is_quiet();
}

#[tokio::test]
async fn a_sibling_written_after_the_plan_is_kept_and_cas_may_be_required() {
    let stack = aged("promote-sibling", 340).await;
    for path in [PRIMARY, SPARES[0], SPARES[1]] {
        let target = format!("secret/metadata/{path}");
        let settings = json!({ "cas_required": true });
        stack.bao.must("PATCH", &target, settings).await;
    }
    stack.applied(&agent(BOTH));
    stack.workspace.plan().exits(2);
    let body = json!({ "options": { "cas": 1 }, "data": {
        FIELD: token("primary"), "api_bearer_token": "second", "more": null,
    } });
    let target = format!("secret/data/{PRIMARY}");
    stack.bao.must("POST", &target, body).await;
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        text_of(&stack, PRIMARY).await,
        format!(
            "{{\"api_bearer_token\":\"second\",\"{FIELD}\":\"{}\",\"more\":null}}",
            token(SPARES[0])
        )
    );
    assert_eq!(stack.attributes(AGENT)["kv_version"], 3);
    stack.is_quiet();
}

#[tokio::test]
async fn a_secret_that_is_gone_is_not_written_over() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = aged("promote-gone", 366).await;
    stack.applied(&agent(BOTH));
    stack.versions("delete", PRIMARY, &[1]).await;
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("+ rotation_reason = \"missing\"")
        .says("An apply fails until the secret is back.")
        .says("vault kv undelete -mount=secret")
        .omits("no spare");
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(unknown(&planned), [""; 0]);
    let run = stack.workspace.apply_saved();
    run.exits(1)
        .says("If the secret does not exist, restore it first.")
        .says("vault kv undelete -mount=secret")
        .omits("There was no spare to replace it");
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(stack.attributes(AGENT)["status"], "missing");
    assert_eq!(marks(&stack, SPARES[0]).await, []);

    // Deleted between plan and apply: the plan counts on a spare, the apply stops.
    stack.versions("undelete", PRIMARY, &[1]).await;
    let plan = stack.workspace.plan();
    plan.exits(2).says("+ rotation_reason = \"expired\"");
    stack.versions("delete", PRIMARY, &[1]).await;
    let run = stack.workspace.apply_saved();
    run.exits(1)
        .says(&format!("Error: Token {PRIMARY_ID} cannot be replaced"))
        .says("vault kv undelete -mount=secret -versions=1");
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(marks(&stack, SPARES[0]).await, []);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token("primary")));
    stack.versions("undelete", PRIMARY, &[1]).await;
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    assert_eq!(stack.attributes(AGENT)["token_wo"], Value::Null);
    stack.is_quiet();
}

#[tokio::test]
async fn a_due_token_stays_where_a_warning_was_asked_for() {
    let stack = aged("promote-warn", 366).await;
    stack.applied(&agent(&format!("{BOTH}  on_rotation_due = \"warn\"\n")));
    let before = stack.everything(PRIMARY).await;
    let plan = stack.workspace.plan();
    plan.changes_nothing()
        .says("No change is planned, because on_rotation_due is \"warn\".");
    assert_eq!(warnings(&plan).len(), 1, "{}", plan.transcript());
    stack.apply();
    assert_eq!(stack.everything(PRIMARY).await, before);
    assert_eq!(marks(&stack, SPARES[0]).await, []);
}

#[tokio::test]
async fn the_longest_field_is_promoted_and_marked() {
    let stack = Stack::empty("promote-field").await;
    let field = "f".repeat(100);
    stack
        .put(PRIMARY, json!({ &field: token("primary") }))
        .await;
    stack
        .put(SPARES[0], json!({ &field: token("spare") }))
        .await;
    let configuration = |leak: u32| {
        agent(&format!(
            "  field = {field:?}\n  spare_paths = [{:?}]\n  rotate_when_changed = {{ leak = {leak} }}\n",
            SPARES[0]
        ))
    };
    stack.applied(&configuration(1));
    let apply = stack.applied(&configuration(2));
    assert!(
        warnings(&apply)
            .iter()
            .all(|told| told.ends_with("will be rotated as requested")
                || told.ends_with(" was rotated")),
        "{}",
        apply.transcript()
    );
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    assert_eq!(
        metadata(&stack, PRIMARY).await[&format!("{field}.rotated_from")],
        SPARES[0]
    );
    let entries = metadata(&stack, SPARES[0]).await;
    assert!(
        entries
            .keys()
            .any(|key| key.starts_with(&format!("{field}.promoted_to.")))
    );
    stack.is_quiet();
}

#[tokio::test]
async fn a_token_whose_version_is_pruned_is_not_said_to_be_kept() {
    for siblings in [0, 1] {
        let stack = aged("promoted-pruned", 340).await;
        let one = json!({ "max_versions": 1 });
        stack.set_metadata(PRIMARY, one).await;
        for _ in 0..siblings {
            stack
                .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
                .await;
        }
        stack.applied(&agent(BOTH));
        stack
            .apply()
            .says("The previous token is no longer in the KV history, because max_versions is 1.");
        assert_eq!(stack.current_version(PRIMARY).await, 2 + siblings);
    }
}
