//! The command `find`: every place of a token.

use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, digest, token};

use super::program::{FIELD, Program};

#[tokio::test]
async fn every_field_and_version_is_found() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let (leaked, other) = (token("leaked"), token("other"));
    let mut search = LeakSearch::new();
    search.plant("leaked", &leaked);
    search.plant("other", &other);
    bao.put("secret", "agent", json!({ FIELD: leaked })).await;
    bao.put("secret", "agent", json!({ FIELD: other })).await;
    bao.put(
        "secret",
        "ci/release",
        json!({ "anthropic_api_key": leaked, "x": 1 }),
    )
    .await;
    bao.put(
        "secret",
        "ci/config",
        json!({ "env": format!("export X='{leaked}'") }),
    )
    .await;
    bao.put("secret", "clean", json!({ FIELD: other })).await;
    bao.put("secret", "gone", json!({ "old": leaked })).await;
    bao.put("secret", "gone", json!({ "old": "changeme" }))
        .await;
    bao.must("DELETE", "secret/data/gone", Value::Null).await;

    let ran = program.fed(&["find"], format!("{leaked}\n"));
    ran.exits(0)
        .is_quiet()
        .prints("agent claude_oauth_token 1 ")
        .prints("ci/config env 1 (current)")
        .prints("ci/release anthropic_api_key 1 (current)")
        .prints("gone old 1 ")
        .prints("5 secrets searched");
    assert!(!ran.stdout.contains("clean"), "{}", ran.stdout);
    ran.search(&mut search);

    let fingerprint = format!("sha256:{}", digest(&leaked));
    let ran = program.run(&["find", "--json", "--fingerprint", &fingerprint, "ci/"]);
    ran.exits(0);
    let document = ran.json();
    assert_eq!(document["format"], 1);
    assert_eq!(document["complete"], true);
    assert_eq!(document["fingerprint"], fingerprint);
    assert_eq!(
        document["places"][1],
        json!({
            "path": "ci/release", "field": "anthropic_api_key",
            "versions": [1], "current": true,
        })
    );
    let short = &digest(&leaked)[..8];
    program
        .run(&["find", "--fingerprint", short, "agent"])
        .exits(0)
        .prints("agent claude_oauth_token 1")
        .prints("1 secret searched");
    program
        .run(&["find", "--fingerprint", &digest(&token("nowhere"))])
        .exits(0)
        .prints("No readable version holds token");
    for (path, hint) in [
        ("team", "without its mount, and without data/"),
        ("secret/agent", "This one would be agent"),
        ("data/agent", "This one would be agent"),
    ] {
        program
            .run(&["find", "--fingerprint", short, path, "agent"])
            .exits(1)
            .tells(&format!("There is no secret at secret/{path}"))
            .tells(hint)
            .prints("agent claude_oauth_token 1")
            .prints("1 secret searched");
    }
    search.assert_clean();
}

#[tokio::test]
async fn what_cannot_be_searched_is_told() {
    let bao = OpenBao::start().await;
    for path in ["open", "closed"] {
        bao.put("secret", path, json!({ "token": token("leaked") }))
            .await;
    }
    let rules = r#"
        path "secret/metadata/" { capabilities = ["list"] }
        path "secret/data/open" { capabilities = ["read"] }
    "#;
    let limited = bao.token(rules).await;
    let program = Program::at(&bao).with("VAULT_TOKEN", &limited);
    program
        .fed(&["find"], token("leaked"))
        .exits(1)
        .prints("open token 1 (current)")
        .tells("closed");
    program
        .fed(&["find"], "changeme")
        .exits(1)
        .tells("This is not a token");
    program
        .fed(&["find"], "")
        .exits(1)
        .tells("Standard input has no token");
    program
        .run(&["find", "--fingerprint", "changeme"])
        .exits(2)
        .tells("Invalid --fingerprint");
}
