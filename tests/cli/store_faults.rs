//! The command `store`, where something stands in the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::support::certificates::Authority;
use crate::support::openbao::{OpenBao, free_port};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};
use crate::support::secrets::{LeakSearch, malformed, token};

use super::program::{FIELD, Program};

#[tokio::test]
async fn what_is_no_token_is_not_stored() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let mut search = LeakSearch::new();
    for (what, value) in malformed("given to store") {
        search.plant(what, &value);
        search.plant_digest(what, &value);
        let ran = program.fed(&["store", "agent"], &value);
        ran.exits(1)
            .prints_nothing()
            .tells("Error: No token to store at secret/agent#claude_oauth_token")
            .tells("Nothing was changed.");
        ran.search(&mut search);
    }
    search.assert_clean();
    assert_eq!(
        bao.call("GET", "secret/data/agent", Value::Null).await.0,
        404
    );

    program
        .fed(&["store", "agent"], " \n")
        .exits(1)
        .prints_nothing()
        .tells("Error: Standard input has no token")
        .tells("terraform-provider-claude store agent")
        .tells("claude setup-token");
    let elsewhere = [
        "store",
        "two words",
        "--field=oauth",
        "--minted-at=2026-01-01T00:00:00Z",
    ];
    program.fed(&elsewhere, "").exits(1).tells(
        "    terraform-provider-claude store --field=oauth 'two words' \
         --minted-at='2026-01-01T00:00:00Z'",
    );
    program
        .fed(&["store", "agent"], b"\xff\xfe")
        .exits(1)
        .tells("Standard input is not text")
        .tells("one line of 108 characters: letters, digits, `-`, and `_`");
    program
        .fed(&["store", "agent"], "x".repeat(100_000))
        .exits(1)
        .tells("Standard input is much longer than a token");
}

/// At night, a mount in front of the path must not leave the leaked token where it is.
#[tokio::test]
async fn a_path_with_its_mount_makes_no_other_secret() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ FIELD: token("old") }))
        .await;
    let program = Program::at(&bao);
    for path in [
        "secret/agent",
        "data/agent",
        "secret/data/agent",
        "\"agent\"",
    ] {
        program
            .fed(&["store", path], token("new"))
            .exits(1)
            .prints_nothing()
            .tells("Error: Token was not stored at")
            .tells("This one would be agent.")
            .tells(
                "    (read -rs T && [ -n \"$T\" ] && printf %s \"$T\" | vault kv put -mount=secret -cas=0 ",
            );
        program
            .run(&["status", path])
            .tells("is missing")
            .tells("This one would be agent.");
    }

    // Where there is such a secret it is meant.
    bao.put("secret", "data/agent", json!({ "other": 1 })).await;
    program
        .fed(&["store", "data/agent"], token("new"))
        .exits(0)
        .is_quiet();
}

#[tokio::test]
async fn rights_decide_what_is_written() {
    let bao = OpenBao::start().await;
    bao.put(
        "secret",
        "agent",
        json!({ FIELD: token("old"), "other": 1 }),
    )
    .await;
    let as_role = async |name: &str, rules: &str| {
        let token = bao.token_named(name, rules).await;
        Program::at(&bao).with("VAULT_TOKEN", &token)
    };
    let data = "path \"secret/data/agent\" { capabilities = [\"read\", \"update\"] }";

    // Nothing on metadata: stored, and the missing stamp is told with the lines that allow it.
    as_role("data", data)
        .await
        .fed(&["store", "agent"], token("second"))
        .exits(0)
        .prints("version 2")
        .prints("(not stamped)")
        .tells("Warning: Token secret/agent#claude_oauth_token was not stamped")
        .tells("path \"secret/metadata/agent\"")
        .tells("capabilities = [\"patch\"]");

    // No PATCH: the whole map is read and written back, with what others have there.
    let owner = json!({"custom_metadata": {"owner": "me"}});
    bao.must("POST", "secret/metadata/agent", owner).await;
    let replacing = format!(
        "{data}\npath \"secret/metadata/agent\" {{ capabilities = [\"read\", \"update\"] }}"
    );
    as_role("replacing", &replacing)
        .await
        .fed(&["store", "agent"], token("third"))
        .exits(0)
        .is_quiet()
        .prints("(stamped)");
    let metadata = bao.must("GET", "secret/metadata/agent", Value::Null).await;
    let metadata = &metadata["data"]["custom_metadata"];
    assert_eq!(metadata["owner"], "me");
    assert!(
        metadata["claude_oauth_token.minted_at"].is_string(),
        "{metadata}"
    );

    // A stamp that was asked for by name is an error.
    as_role("data", data)
        .await
        .run(&[
            "store",
            "agent",
            "--stamp-only",
            "--minted-at=2026-01-01T00:00:00Z",
        ])
        .exits(1)
        .tells("Error: Vault denied access")
        .tells("The token was not stamped.");

    as_role(
        "reader",
        "path \"secret/data/agent\" { capabilities = [\"read\"] }",
    )
    .await
    .fed(&["store", "agent"], token("fourth"))
    .exits(1)
    .prints_nothing()
    .tells("Error: Vault denied access: secret/agent#claude_oauth_token")
    .tells("capabilities = [\"update\"]")
    .tells("Nothing was changed.");
    as_role("nobody", "path \"x\" { capabilities = [\"deny\"] }")
        .await
        .fed(&["store", "agent"], token("fourth"))
        .exits(1)
        .tells("capabilities = [\"read\"]");
}

/// Writes a sibling just before the first write arrives.
struct Sibling {
    bao: OpenBao,
    done: AtomicBool,
}

impl Judge for Sibling {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        Box::pin(async move {
            let is_write = seen.method == "POST" && seen.target.ends_with("/secret/data/agent");
            if is_write && !self.done.swap(true, Ordering::SeqCst) {
                let fields = json!({ FIELD: token("old"), "other": "written meanwhile" });
                self.bao.put("secret", "agent", fields).await;
            }
            Step::Pass.into()
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_siblings_write_in_between_is_kept() {
    let bao = OpenBao::start().await;
    bao.put(
        "secret",
        "agent",
        json!({ FIELD: token("old"), "other": "first" }),
    )
    .await;
    let program = Program::at(&bao);
    let judge = Arc::new(Sibling {
        bao,
        done: AtomicBool::new(false),
    });
    let address = judge.bao.address().to_owned();
    let proxy = Proxy::judged(&address, Arc::clone(&judge) as Arc<dyn Judge>).await;
    let program = program.with("VAULT_ADDR", proxy.address());
    let ran = tokio::task::spawn_blocking(move || program.fed(&["store", "agent"], token("new")))
        .await
        .unwrap();
    ran.exits(0).is_quiet().prints("version 3");
    let now = judge
        .bao
        .must("GET", "secret/data/agent", Value::Null)
        .await;
    assert_eq!(
        now["data"]["data"],
        json!({ FIELD: token("new"), "other": "written meanwhile" })
    );
}

#[tokio::test]
async fn nothing_is_written_while_a_date_is_rehearsed() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao).with("TF_CLAUDE_NOW", "2027-01-01T00:00:00Z");
    for arguments in [&["store", "agent"][..], &["store", "agent", "--stamp-only"]] {
        program
            .fed(arguments, token("new"))
            .exits(1)
            .prints_nothing()
            .tells("Error: Token was not stored at secret/agent#claude_oauth_token")
            .tells("Unset it and run this again.");
    }
    assert_eq!(
        bao.call("GET", "secret/data/agent", Value::Null).await.0,
        404
    );
}

#[tokio::test]
async fn a_deleted_version_is_not_written_over() {
    let bao = OpenBao::start().await;
    bao.put(
        "secret",
        "agent",
        json!({ FIELD: token("old"), "other": 1 }),
    )
    .await;
    bao.must("DELETE", "secret/data/agent", Value::Null).await;
    // Nothing is asked for.
    Program::at(&bao)
        .fed(&["store", "agent"], "")
        .exits(1)
        .tells("vault kv undelete -mount=secret -versions=1 agent")
        .tells("all its versions and metadata")
        .tells("    vault kv metadata delete -mount=secret agent");
}

#[tokio::test]
async fn a_wrong_mount_is_named() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/mounts/old", json!({"type": "kv"}))
        .await;
    let program = Program::at(&bao);
    for (mount, told) in [
        ("old", "Mount is KV version 1"),
        ("none", "Mount does not exist"),
    ] {
        for command in ["store", "status"] {
            program
                .fed(&[command, "agent", "--mount", mount], "")
                .exits(1)
                .tells(told);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_be_spoken_to_is_told_with_what_to_do() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let authority = Authority::new("of nobody");
    let pair = authority.sign(&["127.0.0.1"]);
    let stranger = Proxy::secure(&pair, []).await;
    let sealed = r#"{"errors":["Vault is sealed"]}"#;
    let sealed = Proxy::alone(vec![Step::json(503, sealed); 400]).await;
    let cases = [
        (nobody.as_str(), "Error: Vault cannot be reached"),
        (stranger.address(), "Error: No secure connection to Vault"),
        (sealed.address(), "Error: Vault is sealed"),
    ];
    let runs: Vec<_> = cases
        .into_iter()
        .flat_map(|(address, told)| {
            [
                (address.to_owned(), told, true),
                (address.to_owned(), told, false),
            ]
        })
        .map(|(address, told, stores)| {
            tokio::task::spawn_blocking(move || {
                let program = Program::new()
                    .with("VAULT_ADDR", &address)
                    .with("VAULT_TOKEN", "x");
                if stores {
                    // Nobody is asked for a token that cannot be stored.
                    program
                        .fed(&["store", "agent"], "")
                        .exits(1)
                        .prints_nothing()
                        .tells(told);
                } else {
                    // One failure for all, and each path is a row.
                    let ran = program.run(&["status", "agent", "spare-{1..30}"]);
                    ran.exits(1).prints("agent").prints("spare-30").tells(told);
                    assert_eq!(ran.stderr.matches(told).count(), 1, "{ran:?}");
                }
            })
        })
        .collect();
    for run in runs {
        run.await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_vault_token_is_named_by_its_place() {
    let bao = OpenBao::start().await;
    let program = || Program::new().with("VAULT_ADDR", bao.address());
    let refused = "Error: Vault did not accept the Vault token: secret/agent#claude_oauth_token";
    let stale = program().with("VAULT_TOKEN", "s.stale");
    std::fs::write(stale.home().join(".vault-token"), OpenBao::ROOT).unwrap();
    stale
        .fed(&["store", "agent"], "")
        .exits(1)
        .prints_nothing()
        .tells(refused)
        .tells("The Vault token in VAULT_TOKEN has expired")
        .tells("unset VAULT_TOKEN and BAO_TOKEN and run `vault login`");
    program()
        .with("BAO_TOKEN", "s.stale")
        .run(&["status", "agent"])
        .exits(1)
        .tells("The Vault token in BAO_TOKEN has expired");
    let file = program();
    std::fs::write(file.home().join(".vault-token"), "s.stale").unwrap();
    file.run(&["status", "agent"])
        .exits(1)
        .tells("The Vault token in ~/.vault-token has expired")
        .tells("Run `vault login` again.");
}
