//! `verify` with Claude Code itself, against an API on this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use terraform_provider_claude::env::{Environment as _, ProcessEnvironment};

use crate::support::claude::{
    self, OLD, Release, Reply, V2_0_77, V2_1_49, V2_1_177, V2_1_214, V2_1_332,
};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};
use crate::support::secrets::{LeakSearch, token};

use super::program::{FIELD, Program, Ran};

/// What the API replies, by the name of a case, and what `verify` must make of it.
pub(super) type Case = (&'static str, Reply, &'static str, &'static str);

fn refusals() -> Vec<Case> {
    vec![
        ("good", Reply::Works, "works", ""),
        (
            "expired",
            Reply::error(401, "OAuth token has expired. Please obtain a new token."),
            "refused",
            "expired",
        ),
        (
            "revoked",
            Reply::error(
                403,
                "OAuth token has been revoked. Please obtain a new token.",
            ),
            "refused",
            "revoked",
        ),
        (
            "unknown",
            Reply::error(401, "Invalid bearer token"),
            "refused",
            "unknown_token",
        ),
        (
            "organization",
            Reply::error(
                403,
                "Your organization does not have access to Claude. Please login again or contact \
                 your administrator.",
            ),
            "unclear",
            "organization_off",
        ),
    ]
}

fn others() -> Vec<Case> {
    let limit = json!({
        "type": "error",
        "error": {
            "type": "rate_limit_error",
            "message": "This request would exceed your account's rate limit.",
        },
    });
    let limit = Step::json(429, &limit.to_string())
        .with("anthropic-ratelimit-unified-status", "rejected")
        .with("anthropic-ratelimit-unified-reset", "4000000000")
        .with(
            "anthropic-ratelimit-unified-representative-claim",
            "five_hour",
        );
    vec![
        (
            "invalid",
            Reply::error(401, "OAuth access token is invalid."),
            "refused",
            "unknown_token",
        ),
        (
            "credentials",
            Reply::error(401, "Invalid authentication credentials"),
            "refused",
            "unknown_token",
        ),
        (
            "unsupported",
            Reply::error(401, "OAuth authentication is currently not supported."),
            "unclear",
            "service",
        ),
        (
            "page-401",
            Reply::page(401, "Invalid bearer token"),
            "unclear",
            "",
        ),
        ("page-200", Reply::page(200, "Sign in"), "unclear", ""),
        (
            "region",
            Reply::error(403, "Request not allowed"),
            "unclear",
            "region",
        ),
        (
            "scope",
            Reply::error(
                403,
                "OAuth token does not meet scope requirement user:inference",
            ),
            "refused",
            "wrong_scope",
        ),
        ("busy", Reply::Step(limit), "unclear", "busy"),
        ("limited", Reply::error(429, "Rate limited"), "unclear", ""),
        (
            "broken",
            Reply::error(500, "Internal server error"),
            "unclear",
            "",
        ),
    ]
}

/// Runs `verify` on one token for each case.
pub(super) struct Scene {
    pub(super) bao: OpenBao,
    api: Proxy,
    cases: Vec<Case>,
}

impl Scene {
    pub(super) async fn new(cases: Vec<Case>) -> Self {
        let bao = OpenBao::start().await;
        for (name, ..) in &cases {
            bao.put("secret", name, json!({ FIELD: token(name) })).await;
        }
        let replies = cases
            .iter()
            .map(|(name, reply, ..)| (token(name), vec![reply.clone()]));
        let api = claude::api(replies).await;
        Self { bao, api, cases }
    }

    pub(super) fn program(&self) -> Program {
        let path = ProcessEnvironment.get("PATH").unwrap_or_default();
        Program::at(&self.bao)
            .with("PATH", &path)
            .with("ANTHROPIC_BASE_URL", self.api.address())
            // Whatever else it looks for ends here.
            .with("HTTPS_PROXY", "http://127.0.0.1:1")
            .with("NO_PROXY", "127.0.0.1")
            .with("TF_CLAUDE_ASK_AGAIN_AFTER", "0")
            .limit(Duration::from_secs(600))
    }

    pub(super) fn verify(&self, program: &Program, claude: &Path) -> Ran {
        let mut arguments = vec!["verify", "--json", "--keep-env", "ANTHROPIC_BASE_URL"];
        arguments.extend(["--claude", claude.to_str().unwrap()]);
        arguments.extend(self.cases.iter().map(|(name, ..)| *name));
        program.run(&arguments)
    }
}

async fn judges(release: &'static Release, cases: Vec<Case>) {
    let Some(claude) = release.program() else {
        return;
    };
    let scene = Scene::new(cases).await;
    let mut search = LeakSearch::new();
    for (name, ..) in &scene.cases {
        search.plant(name, &token(name));
    }
    let program = scene.program();
    let ran = scene.verify(&program, &claude);
    ran.exits(2);
    ran.search(&mut search);
    let document = ran.json();
    assert_eq!(document["control"], "refused", "{document:#}");
    let mut wrong = Vec::new();
    for (name, _, verdict, cause) in &scene.cases {
        let tokens = document["tokens"].as_array().unwrap();
        let row = tokens.iter().find(|row| row["path"] == *name).unwrap();
        assert_eq!(row["claude_version"], release.version, "{row:#}");
        if row["verdict"] != *verdict || (!cause.is_empty() && row["cause"] != *cause) {
            wrong.push(format!("{name}: {verdict} {cause}, not {row:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    search.folder(program.home(), &[]);
    search.assert_clean();
}

fn all() -> Vec<Case> {
    refusals().into_iter().chain(others()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_version() {
    judges(&V2_1_332, all()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_takes_pages_for_answers() {
    judges(&V2_0_77, all()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_hides_revocations() {
    judges(&V2_1_49, refusals()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_fall_back_to_a_login() {
    judges(&V2_1_177, refusals()).await;
    judges(&V2_1_214, refusals()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_without_the_options() {
    let Some(claude) = OLD.program() else { return };
    let scene = Scene::new(vec![("good", Reply::Works, "unclear", "old_claude")]).await;
    let program = scene.program();
    let ran = scene.verify(&program, &claude);
    ran.exits(1);
    assert_eq!(ran.json()["tokens"][0]["cause"], "old_claude", "{ran:?}");
    assert!(scene.api.seen().is_empty());
}

/// Settings, a key helper, and a login of the user are there, and none of them answers.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_user_has_set_up_does_not_answer() {
    for release in [&V2_1_214, &V2_1_332] {
        let Some(claude) = release.program() else {
            return;
        };
        let scene = Scene::new(refusals()).await;
        let program = scene.program();
        let folder = program.home().join(".claude");
        fs::create_dir_all(&folder).unwrap();
        let login = json!({ "claudeAiOauth": {
            "accessToken": token("good"), "refreshToken": token("refresh"),
            "expiresAt": 4_000_000_000_000_i64, "scopes": ["user:inference"],
        } });
        fs::write(folder.join(".credentials.json"), login.to_string()).unwrap();
        let settings = json!({
            "apiKeyHelper": format!("echo {}", token("good")),
            "env": { "CLAUDE_CODE_OAUTH_TOKEN": token("good"), "ANTHROPIC_AUTH_TOKEN": token("good") },
        });
        fs::write(folder.join("settings.json"), settings.to_string()).unwrap();
        let ran = scene.verify(&program, &claude);
        let document = ran.json();
        assert_eq!(document["control"], "refused", "{document:#}");
        let verdict = |name: &str| {
            let tokens = document["tokens"].as_array().unwrap();
            let row = tokens.iter().find(|row| row["path"] == name).unwrap();
            row["verdict"].clone()
        };
        assert_eq!(verdict("good"), "works");
        assert_eq!(verdict("expired"), "refused");
        assert_eq!(verdict("revoked"), "refused");
    }
}

/// A wrapper that brings its own credential answers for every token. The control shows that.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrapper_with_its_own_credential_is_found() {
    let Some(claude) = V2_1_332.program() else {
        return;
    };
    let scene = Scene::new(refusals()).await;
    let program = scene.program();
    let wrapper = program.home().join("wrapper");
    let script = format!(
        "#!/bin/sh\nexport ANTHROPIC_AUTH_TOKEN='{}'\nexec '{}' \"$@\"\n",
        token("good"),
        claude.display()
    );
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = scene.verify(&program, &wrapper);
    ran.exits(1);
    let document = ran.json();
    assert_eq!(document["control"], "works", "{document:#}");
    for row in document["tokens"].as_array().unwrap() {
        assert_eq!(row["verdict"], "unclear", "{row:#}");
        assert_eq!(row["stamped"], Value::Bool(false));
    }
}
