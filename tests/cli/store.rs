//! The command `store`, where it succeeds.

use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, token};

use super::program::{FIELD, Program, in_days};

async fn metadata(bao: &OpenBao, path: &str) -> Value {
    let target = format!("secret/metadata/{path}");
    bao.must("GET", &target, Value::Null).await["data"]["custom_metadata"].clone()
}

async fn document(bao: &OpenBao, path: &str) -> Value {
    let target = format!("secret/data/{path}");
    bao.must("GET", &target, Value::Null).await["data"].clone()
}

/// Returns the text of a member's value in a JSON document.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let rest = text.split_once(name).unwrap().1;
    rest.split([',', '}']).next().unwrap()
}

#[tokio::test]
async fn a_token_takes_its_place_beside_the_other_fields() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let (first, second) = (token("first"), token("second"));
    let mut search = LeakSearch::new();
    search.plant("first", &first);
    search.plant("second", &second);
    let raw = r#"{"data":{"api_bearer_token":"x","number":1234567890123456789012345,"float":1.0}}"#;
    bao.call_text("POST", "secret/data/agent", raw).await;
    let before = bao.call_text("GET", "secret/data/agent", "").await.1;

    let ran = program.fed(&["store", "agent"], format!("  {first}\n"));
    ran.exits(0)
        .prints("Stored at secret/agent#claude_oauth_token")
        .prints("before nothing now")
        .prints("version 2")
        .prints("(stamped)")
        .tells("Warning: Token for secret/agent#claude_oauth_token was trimmed");
    ran.search(&mut search);
    let after = bao.call_text("GET", "secret/data/agent", "").await.1;
    for name in ["\"number\":", "\"float\":", "\"api_bearer_token\":"] {
        assert_eq!(value(&after, name), value(&before, name), "{name}");
    }
    assert_eq!(document(&bao, "agent").await["data"][FIELD], first.as_str());
    let stamp = metadata(&bao, "agent").await;
    let fingerprint = &stamp[format!("{FIELD}.fingerprint")].as_str().unwrap()[..8];
    ran.prints(&format!("now token {fingerprint}, version 2"));
    assert!(stamp[format!("{FIELD}.minted_at")].is_string(), "{stamp}");

    // Another token is replaced, by name; it stays in the history.
    let minted = in_days(-60);
    let ran = program.fed(&["store", "agent", "--minted-at", &minted], &second);
    ran.exits(0)
        .is_quiet()
        .prints(&format!(
            "before token {fingerprint} (it stays in the KV history, unless max_versions is 1)"
        ))
        .prints("version 3")
        .prints(&format!("minted {minted} (stamped)"));
    ran.search(&mut search);
    let stamp = metadata(&bao, "agent").await;
    assert_eq!(stamp[format!("{FIELD}.minted_at")], minted);

    // The same one again makes no version, and keeps its date.
    let ran = program.fed(&["store", "agent"], &second);
    ran.exits(0)
        .is_quiet()
        .prints("Nothing to store: the token is already stored at")
        .prints(&format!("minted {minted} (stamped already)"));
    ran.search(&mut search);
    assert_eq!(document(&bao, "agent").await["metadata"]["version"], 3);
    search.assert_clean();
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_made() {
    let bao = OpenBao::start().await;
    bao.must(
        "POST",
        "sys/mounts/kv/team",
        json!({"type": "kv", "options": {"version": "2"}}),
    )
    .await;
    let program = Program::at(&bao);
    let arguments = [
        "store", "ci/agent", "--mount", "kv/team", "--field", "claude",
    ];
    program
        .fed(&arguments, format!("{}\n", token("new")))
        .exits(0)
        .tells("kv/team/ci/agent does not exist yet: this creates it.")
        .prints("Stored at kv/team/ci/agent#claude")
        .prints("before nothing: the secret is new")
        .prints("version 1");
    let answer = bao.must("GET", "kv/team/data/ci/agent", Value::Null).await;
    assert_eq!(answer["data"]["data"], json!({ "claude": token("new") }));
}

#[tokio::test]
async fn what_is_no_token_is_replaced_and_said() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ FIELD: "changeme" }))
        .await;
    let program = Program::at(&bao);
    let ran = program.fed(&["store", "agent"], token("good"));
    ran.exits(0)
        .is_quiet()
        .prints("before a value that is not a token");
    assert!(!ran.stdout.contains("changeme"), "{ran:?}");
}

#[tokio::test]
async fn a_token_that_is_there_is_dated_alone() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    bao.put(
        "secret",
        "agent",
        json!({ FIELD: token("there"), "other": 1 }),
    )
    .await;
    bao.put(
        "secret",
        "agent",
        json!({ FIELD: token("there"), "other": 2 }),
    )
    .await;

    // By the history: the first version that held it, not the last.
    let ran = program.run(&["store", "agent", "--stamp-only"]);
    ran.exits(0)
        .is_quiet()
        .prints("Dated the token at secret/agent#claude_oauth_token")
        .prints("(stamped)")
        .prints("version 2");
    let first = bao
        .must("GET", "secret/data/agent?version=1", Value::Null)
        .await["data"]["metadata"]["created_time"]
        .as_str()
        .unwrap()[..19]
        .to_owned();
    ran.prints(&format!("minted {first}Z"));

    program
        .run(&["store", "agent", "--stamp-only"])
        .exits(0)
        .is_quiet()
        .prints("Nothing to do: the token already has this date")
        .prints("(stamped already)");

    // By hand, and what else the stamp says stays.
    let origin =
        json!({"custom_metadata": {"claude_oauth_token.rotated_from": "spare-1", "owner": "me"}});
    bao.must("PATCH", "secret/metadata/agent", origin).await;
    let minted = in_days(16 - 365);
    program
        .run(&["store", "agent", "--stamp-only", "--minted-at", &minted])
        .exits(0)
        .tells("is already due: it expires ")
        .prints(&format!("minted {minted} (stamped)"));
    let stamp = metadata(&bao, "agent").await;
    assert_eq!(stamp["owner"], "me");
    assert_eq!(stamp["claude_oauth_token.rotated_from"], "spare-1");
    assert_eq!(stamp["claude_oauth_token.minted_at"], minted);
    assert_eq!(document(&bao, "agent").await["metadata"]["version"], 2);

    // A date after the token was stored cannot be true.
    program
        .run(&["store", "agent", "--stamp-only", "--minted-at", &in_days(3)])
        .exits(2)
        .tells("cannot be more than a day in the future");

    // Without its first version nobody knows.
    bao.must(
        "POST",
        "secret/metadata/agent",
        json!({"custom_metadata": {}}),
    )
    .await;
    bao.must("PUT", "secret/destroy/agent", json!({"versions": [1]}))
        .await;
    program
        .run(&["store", "agent", "--stamp-only"])
        .exits(1)
        .prints_nothing()
        .tells("Mint time of secret/agent#claude_oauth_token is not known")
        .tells("    terraform-provider-claude store agent --stamp-only --minted-at 2");

    bao.put("secret", "empty", json!({"other": 1})).await;
    program
        .run(&["store", "empty", "--stamp-only"])
        .exits(1)
        .tells("No token to stamp at secret/empty#claude_oauth_token")
        .tells("secret/empty has no field claude_oauth_token")
        .tells("    terraform-provider-claude store empty");
    program
        .run(&["store", "empty", "--stamp-only", "--field=token"])
        .exits(1)
        .tells("    terraform-provider-claude store --field=token empty");
}

#[tokio::test]
async fn a_length_that_nobody_has_seen_needs_a_word() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let longer = format!("{}x7", token("longer"));
    program
        .fed(&["store", "agent"], &longer)
        .exits(1)
        .prints_nothing()
        .tells("The value has 110 characters");
    program
        .fed(
            &[
                "store",
                "--any-length",
                "--account",
                "ci@example.com",
                "agent",
            ],
            &longer,
        )
        .exits(0)
        .prints("Stored at")
        .prints("account ci@example.com");
    assert_eq!(document(&bao, "agent").await["data"][FIELD], longer);
}

#[tokio::test]
async fn a_token_is_taken_out_of_what_surrounds_it() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let good = token("quoted");
    let quoted = json!({ FIELD: format!("export TOKEN='{good}'"), "other": 1 });
    bao.put("secret", "agent", quoted).await;
    let first = bao
        .must("GET", "secret/data/agent?version=1", Value::Null)
        .await["data"]["metadata"]["created_time"]
        .as_str()
        .unwrap()[..19]
        .to_owned();
    program
        .run(&["store", "--repair", "agent"])
        .exits(0)
        .prints("before a value that is not a token")
        .prints(&format!("minted {first}Z"));
    assert_eq!(
        document(&bao, "agent").await["data"],
        json!({ FIELD: good, "other": 1 })
    );
    bao.put("secret", "agent", json!({ FIELD: "changeme" }))
        .await;
    program
        .run(&["store", "--repair", "agent"])
        .exits(1)
        .prints_nothing()
        .tells("cannot be repaired");
}
