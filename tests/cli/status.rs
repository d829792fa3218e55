//! The command `status`: which tokens, how they stand, and what the exit code says.

use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, digest, token};

use super::program::{FIELD, Program, in_days};

/// A primary that is due in 9 days, a spare, and one that holds the primary's token.
async fn deployment() -> (OpenBao, Program) {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let primary = json!({ FIELD: token("primary"), "api_bearer_token": "x" });
    bao.put("secret", "agent", primary).await;
    bao.put("secret", "agent-spare-1", json!({ FIELD: token("spare") }))
        .await;
    bao.put(
        "secret",
        "agent-spare-2",
        json!({ FIELD: token("primary") }),
    )
    .await;
    bao.put("secret", "team/other", json!({ FIELD: token("other") }))
        .await;
    bao.put("secret", "team/sub/unrelated", json!({ "password": "x" }))
        .await;
    let minted = format!("--minted-at={}", in_days(9 - 365));
    for path in ["agent", "agent-spare-2"] {
        program
            .run(&["store", path, "--stamp-only", &minted])
            .exits(0);
    }
    program
        .run(&["store", "agent-spare-1", "--stamp-only"])
        .exits(0);
    (bao, program)
}

fn statuses(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tokens = document["tokens"].as_array().unwrap();
    tokens
        .iter()
        .map(|token| (text(&token["path"]), text(&token["status"])))
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(path, status): &(&str, &str)| ((*path).to_owned(), (*status).to_owned());
    pairs.iter().map(owned).collect()
}

#[tokio::test]
async fn paths_lists_prefixes_and_the_whole_mount_are_shown() {
    let (bao, program) = deployment().await;
    let before = bao.requests().len();
    let ran = program.run(&["status", "agent", "agent-spare-{1,2}", "agent"]);
    ran.exits(0).is_quiet();
    // Each has a stamp, so each costs one request.
    assert_eq!(bao.requests().len() - before, 3, "{:?}", bao.requests());
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("PATH "), "{}", ran.stdout);
    for (line, path, status, left) in [
        (1, "agent ", "rotation_due", "8 d  #......................."),
        (
            2,
            "agent-spare-2 ",
            "duplicate",
            "8 d  #.......................",
        ),
        (
            3,
            "agent-spare-1 ",
            "in_date",
            "364 d  ########################",
        ),
    ] {
        let line = lines[line];
        assert!(
            line.starts_with(path) && line.contains(status) && line.ends_with(left),
            "{path}\n{}",
            ran.stdout
        );
    }
    ran.prints("agent-spare-2 holds the same token as agent.");
    assert!(!ran.stdout.contains('\u{1b}'), "a pipe has no colours");

    let whole = program.run(&["status", "--json"]).json();
    assert_eq!(
        statuses(&whole),
        pairs(&[
            ("agent", "rotation_due"),
            ("agent-spare-2", "duplicate"),
            ("agent-spare-1", "in_date"),
            ("team/other", "in_date"),
        ])
    );
    assert_eq!(
        statuses(&program.run(&["status", "--json", "/"]).json()).len(),
        4
    );
    let below = program.run(&["status", "--json", "team/"]).json();
    assert_eq!(statuses(&below), pairs(&[("team/other", "in_date")]));

    // A folder that was named and has no token is most likely mistyped.
    program
        .run(&["status", "team/sub/"])
        .exits(1)
        .prints("No secret there has the field claude_oauth_token (mount secret).")
        .tells("Error: No token below secret/team/sub/")
        .tells("    vault kv list -mount=secret");
    for (typed, meant) in [
        ("secret/", "This one would be /, the whole mount."),
        ("secret/team/", "This one would be team/."),
    ] {
        program
            .run(&["status", "--detailed-exitcode", typed])
            .exits(1)
            .tells(&format!("Error: No token below secret/{typed}"))
            .tells(meant);
    }
    let ran = program.run(&["status", "--metrics", "agent-spare-1", "teem/"]);
    ran.exits(1)
        .prints("claude_oauth_token_expiry_timestamp{mount=\"secret\",path=\"agent-spare-1\",field=\"claude_oauth_token\"}")
        .tells("Error: No token below secret/teem/");
    assert!(!ran.stdout.contains("last_push"), "{}", ran.stdout);
    let ran = program.run(&["status", "--json", "teem/"]);
    ran.exits(1);
    assert_eq!(ran.json()["complete"], false);
}

#[tokio::test]
async fn the_exit_code_tells_what_is_due_where_that_is_wanted() {
    let (bao, program) = deployment().await;
    let detailed = |arguments: &[&str]| {
        let mut all = vec!["status", "--detailed-exitcode"];
        all.extend(arguments);
        program.run(&all)
    };
    detailed(&["agent-spare-1"]).exits(0);
    detailed(&["agent"]).exits(2);
    detailed(&["agent", "--rotate-before-days=5"]).exits(0);
    detailed(&[
        "agent-spare-1",
        "--lifetime-days",
        "20",
        "--rotate-before-days=20",
    ])
    .exits(1)
    .tells("must be less than");
    detailed(&["agent", "agent-spare-2", "--rotate-before-days=5"]).exits(2);
    detailed(&["nowhere"])
        .exits(2)
        .prints("There is no such secret.")
        .tells("Warning: Token secret/nowhere#claude_oauth_token is missing")
        .tells("    terraform-provider-claude store nowhere");
    program
        .run(&["status", "nowhere"])
        .exits(0)
        .prints("missing");

    // A rehearsed date counts, and is told.
    let later = Program::at(&bao).with("TF_CLAUDE_NOW", &in_days(340));
    let ran = later.run(&["status", "--detailed-exitcode", "agent-spare-1", "agent"]);
    ran.exits(2)
        .prints("rotation_due")
        .prints("expired")
        .tells("Warning: TF_CLAUDE_NOW sets the date");
}

#[tokio::test]
async fn paths_with_their_mount_get_the_path_that_was_meant() {
    let (bao, _) = deployment().await;
    let program = Program::at(&bao);
    let ran = program.run(&["status", "secret/agent", "data/agent-spare-1"]);
    ran.exits(0)
        .tells("- secret/secret/agent#claude_oauth_token is missing. There is no such secret.")
        .tells("Did you mean agent?")
        .tells("Did you mean agent-spare-1?");
    assert!(!ran.stderr.contains(" store "), "{}", ran.stderr);
}

#[tokio::test]
async fn a_folder_without_its_slash_is_called_a_folder() {
    let (bao, program) = deployment().await;
    bao.put("secret", "team/agent", json!({ FIELD: token("team") }))
        .await;
    let ran = program.run(&["status", "team"]);
    ran.exits(0)
        .prints("This is a folder, not a secret.")
        .tells("secret/team is a folder, not a secret. To list what is in it, run:")
        .tells("    vault kv list -mount=secret team")
        .tells("For every token in it, write team/ with the slash.");
    assert!(!ran.stderr.contains(" store "), "{}", ran.stderr);
    let ran = program.run(&["status", "team", "nowhere"]);
    ran.exits(0)
        .tells("This is a folder, not a secret. Did you mean team/?");
    program
        .run(&["exec", "team", "--", "true"])
        .exits(1)
        .tells("secret/team is a folder, not a secret.");

    // Without the right to list, it is a secret that does not exist.
    let rules = "path \"secret/data/*\" { capabilities = [\"read\"] }";
    let reader = bao.token(rules).await;
    Program::at(&bao)
        .with("VAULT_TOKEN", &reader)
        .run(&["status", "team"])
        .exits(0)
        .prints("There is no such secret.");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_row_and_a_failure() {
    let (bao, _) = deployment().await;
    bao.put(
        "secret",
        "wrapped",
        json!({ FIELD: &token("wrapped")[..80] }),
    )
    .await;
    bao.put("secret", "number", json!({ FIELD: 5 })).await;
    let rules = "path \"secret/data/agent\" { capabilities = [\"read\"] }\n\
                 path \"secret/data/wrapped\" { capabilities = [\"read\"] }\n\
                 path \"secret/data/number\" { capabilities = [\"read\"] }\n\
                 path \"secret/data/gone\" { capabilities = [\"read\"] }";
    let reader = bao.token(rules).await;
    let program = Program::at(&bao).with("VAULT_TOKEN", &reader);
    let targets = ["agent", "agent-spare-1", "wrapped", "number", "gone"];
    let mut arguments = vec!["status", "--json", "--detailed-exitcode"];
    arguments.extend(targets);
    let ran = program.run(&arguments);
    // A failure says more than a due token.
    ran.exits(1)
        .tells("Error: Vault denied access: secret/agent-spare-1#claude_oauth_token")
        .tells("path \"secret/data/agent-spare-1\"")
        .tells("Warning: 3 tokens are missing or malformed")
        .tells("- secret/wrapped#claude_oauth_token is malformed.")
        .tells("    terraform-provider-claude store wrapped")
        .tells("- secret/gone#claude_oauth_token is missing. There is no such secret.");
    assert_eq!(ran.stderr.matches("claude setup-token").count(), 1);
    let document = ran.json();
    assert_eq!(document["complete"], false);
    assert_eq!(
        statuses(&document),
        pairs(&[
            ("agent-spare-1", "unreadable"),
            ("gone", "missing"),
            ("number", "malformed"),
            ("wrapped", "malformed"),
            ("agent", "rotation_due"),
        ])
    );
    let mut search = LeakSearch::new();
    for value in ["primary", "spare", "other", "wrapped"] {
        search.plant(value, &token(value));
    }
    search.plant_digest("wrapped", &token("wrapped")[..80]);
    ran.search(&mut search);
    search.assert_clean();

    for (arguments, place) in [
        (&["status", "team/"][..], "secret/team/"),
        (&["status"], "secret/"),
    ] {
        program
            .run(arguments)
            .exits(1)
            .prints_nothing()
            .tells(&format!("Error: Vault denied access: {place}"))
            .tells("capabilities = [\"list\"]")
            .tells("Or pass the paths of the secrets, which requires only `read` on their data.");
    }

    // Below a prefix, what cannot be read may be anything: it is told, and is no row.
    let lister = "path \"secret/metadata/*\" { capabilities = [\"list\"] }\n\
                  path \"secret/data/agent*\" { capabilities = [\"read\"] }";
    let lister = bao.token_named("lister", lister).await;
    let program = Program::at(&bao).with("VAULT_TOKEN", &lister);
    let ran = program.run(&["status", "--json"]);
    ran.exits(1)
        .tells("could not be read")
        .tells("secret/team/other: Vault denied read");
    assert_eq!(statuses(&ran.json()).len(), 3);
}

#[tokio::test]
async fn marks_and_stamps_show_what_a_secret_is_for() {
    let (bao, program) = deployment().await;
    let document = program.run(&["status", "--json", "agent"]).json();
    assert_eq!(document["tokens"][0]["role"], Value::Null);
    let short =
        document["tokens"][0]["fingerprint"].as_str().unwrap()["sha256:".len()..][..16].to_owned();
    let mark = format!("{short} 1 1790000000 agent#{FIELD}");
    let metadata = json!({"custom_metadata": {"claude_oauth_token.promoted_to.00c0ffee": mark}});
    bao.must("PATCH", "secret/metadata/agent-spare-2", metadata)
        .await;
    let ran = program.run(&["status", "agent", "agent-spare-{1,2}"]);
    ran.exits(0)
        .prints("agent-spare-2: agent holds or held its token.");
    let document = program
        .run(&["status", "--json", "agent", "agent-spare-{1,2}"])
        .json();
    let of = |path: &str| {
        let tokens = document["tokens"].as_array().unwrap();
        tokens
            .iter()
            .find(|token| token["path"] == path)
            .unwrap()
            .clone()
    };
    assert_eq!(of("agent")["role"], "primary");
    assert_eq!(of("agent")["same_token_as"], json!(["agent-spare-2"]));
    assert_eq!(of("agent-spare-2")["role"], "spare");
    assert_eq!(of("agent-spare-2")["status"], "spent");
    assert_eq!(of("agent-spare-2")["promoted_to"], "agent");
    assert_eq!(of("agent-spare-1")["role"], Value::Null);

    let origin = json!({"custom_metadata": {"claude_oauth_token.rotated_from": "agent-spare-1"}});
    bao.must("PATCH", "secret/metadata/agent", origin).await;
    let document = program
        .run(&["status", "--json", "agent", "agent-spare-{1,2}"])
        .json();
    let spare = &document["tokens"][2];
    assert_eq!(
        (&spare["path"], &spare["role"]),
        (&json!("agent-spare-1"), &json!("spare"))
    );
}

/// Returns what `status` says of each path: role, status, and primary.
fn roles(program: &Program) -> Vec<[Value; 4]> {
    let document = program.run(&["status", "--json"]).json();
    let tokens = document["tokens"].as_array().unwrap().iter();
    let mut roles: Vec<_> = tokens
        .map(|token| ["path", "role", "status", "promoted_to"].map(|name| token[name].clone()))
        .collect();
    roles.sort_by_key(|role| role[0].to_string());
    roles
}

#[tokio::test]
async fn marks_of_earlier_tokens_show_roles_and_those_of_copies_count() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    for (path, seed) in [
        ("agent", "primary"),
        ("spare-1", "refilled"),
        ("spare-2", "marked"),
        ("spare-3", "marked"),
        ("spare-4", "retired"),
    ] {
        program.fed(&["store", path], token(seed)).exits(0);
    }
    let short = |seed: &str| digest(&token(seed))[..16].to_owned();
    let notes = async |path: &str, key: &str, value: String| {
        let body = json!({ "custom_metadata": { format!("{FIELD}.{key}"): value } });
        let path = format!("secret/metadata/{path}");
        bao.must("PATCH", &path, body).await;
    };
    let mark = |seed: &str| format!("{} 0 1790000000 agent#{FIELD}", short(seed));
    notes("spare-1", "promoted_to.00c0ffee", mark("before")).await;
    notes("spare-2", "promoted_to.00c0ffee", mark("marked")).await;
    notes(
        "agent",
        "retired",
        format!("{}:1790000000", short("retired")),
    )
    .await;
    let null = Value::Null;
    let agent = json!("agent");
    assert_eq!(
        roles(&program),
        [
            [
                agent.clone(),
                json!("primary"),
                json!("in_date"),
                null.clone()
            ],
            [
                json!("spare-1"),
                json!("spare"),
                json!("in_date"),
                null.clone()
            ],
            [
                json!("spare-2"),
                json!("spare"),
                json!("spent"),
                agent.clone()
            ],
            [
                json!("spare-3"),
                null.clone(),
                json!("spent"),
                agent.clone()
            ],
            [json!("spare-4"), null, json!("spent"), agent],
        ]
    );
    program.run(&["status"]).exits(0).prints(" ROLE ");
}

#[tokio::test]
async fn a_deleted_secret_of_ours_is_a_row_and_a_user_who_was_switched_off_is_none() {
    let (bao, program) = deployment().await;
    bao.put("secret", "marked", json!({ FIELD: token("marked") }))
        .await;
    let mark = json!({ "custom_metadata": {
        format!("{FIELD}.promoted_to.00c0ffee"): "x",
    } });
    bao.must("PATCH", "secret/metadata/marked", mark).await;
    bao.put("secret", "switched-off", json!({ FIELD: "" }))
        .await;
    // One with our stamp, one with a mark, one with neither.
    for path in ["agent-spare-1", "marked", "team/other"] {
        let path = format!("secret/data/{path}");
        bao.must("DELETE", &path, Value::Null).await;
    }
    let every_field = program.run(&["status", "--json", "--field", "*"]).json();
    for document in [program.run(&["status", "--json"]).json(), every_field] {
        assert_eq!(
            statuses(&document),
            pairs(&[
                ("agent-spare-1", "missing"),
                ("marked", "missing"),
                ("agent", "rotation_due"),
                ("agent-spare-2", "duplicate"),
            ])
        );
    }
    program
        .run(&["status", "--detailed-exitcode", "agent-spare-1"])
        .exits(2)
        .tells("vault kv undelete -mount=secret -versions=1 agent-spare-1");
}

#[tokio::test]
async fn every_field_with_a_token_is_a_row() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let fields = json!({ FIELD: token("one"), "deploy": token("two"), "password": "changeme" });
    bao.put("secret", "agent", fields).await;
    bao.put("secret", "other", json!({ "password": "changeme" }))
        .await;
    for targets in [&[][..], &["agent"], &["/"]] {
        let arguments = [&["status", "--json", "--field", "*"], targets].concat();
        let document = program.run(&arguments).json();
        let tokens = document["tokens"].as_array().unwrap().iter();
        let mut ids: Vec<_> = tokens.map(|token| token["id"].clone()).collect();
        ids.sort_by_key(Value::to_string);
        let expected = ["secret/agent#claude_oauth_token", "secret/agent#deploy"];
        assert_eq!(ids, expected, "{targets:?}");
    }
}

#[tokio::test]
async fn a_token_without_a_stamp_is_dated_by_its_history() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    for number in 1..=3 {
        bao.put(
            "secret",
            "agent",
            json!({ FIELD: token("there"), "other": number }),
        )
        .await;
    }
    let document = program.run(&["status", "--json", "agent"]).json();
    assert_eq!(document["tokens"][0]["minted_at_source"], "history");
    bao.must("PUT", "secret/destroy/agent", json!({"versions": [1]}))
        .await;
    let ran = program.run(&["status", "agent"]);
    ran.exits(0)
        .prints("~ is an estimate")
        .tells("Mint time of secret/agent#claude_oauth_token is an estimate")
        .tells("store agent --stamp-only --minted-at=2");
}

#[tokio::test]
async fn tokens_in_names_are_not_shown() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let (name, origin) = (token("name of a secret"), token("origin"));
    for path in ["agent", &name, &format!("{name}/inside")] {
        bao.put("secret", path, json!({ FIELD: token(path) })).await;
    }
    let short = &digest(&token("agent"))[..16];
    let notes = json!({
        "claude_oauth_token.fingerprint": short,
        "claude_oauth_token.minted_at": "2026-10-01T00:00:00Z",
        "claude_oauth_token.rotated_from": origin,
        "claude_oauth_token.promoted_to.00c0ffee":
            format!("{short} 1 1772366400 {origin}#claude_oauth_token"),
    });
    let notes = json!({ "custom_metadata": notes });
    bao.must("POST", "secret/metadata/agent", notes).await;
    let mut search = LeakSearch::new();
    search.plant("name of a secret", &name);
    search.plant("origin", &origin);
    for form in ["", "--json", "--metrics"] {
        let ran = match form {
            "" => program.run(&["status"]),
            form => program.run(&["status", form]),
        };
        assert!(ran.stdout.contains("agent"), "{}", ran.stdout);
        assert!(
            ran.stderr.contains("has a token in its name"),
            "{}",
            ran.stderr
        );
        search.text("output", &ran.stdout);
        search.text("errors", &ran.stderr);
    }
    search.assert_clean();
}
