//! No token, sibling field or credential leaves Vault or the configuration, whatever is run.

mod names;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};
use crate::support::secrets::{LeakSearch, letters, malformed, token};
use crate::support::terraform::{Run, Workspace};

const READ: &str = r#"
path "secret/data/*" { capabilities = ["read"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
"#;

/// A server, the values that it must not lose, and all that was written because of it.
struct Stage {
    bao: OpenBao,
    proxy: Proxy,
    workspace: Workspace,
    search: LeakSearch,
    runs: Vec<Run>,
}

impl Stage {
    async fn set() -> Self {
        let bao = OpenBao::start().await;
        let proxy = Proxy::before(bao.address(), []).await;
        let mut workspace = Workspace::new("leaks");
        workspace.trace();
        workspace.set("VAULT_ADDR", proxy.address());
        Self {
            bao,
            proxy,
            workspace,
            search: LeakSearch::new(),
            runs: Vec::new(),
        }
    }

    /// Stores a value with fields beside it, and looks for all of them from now on.
    async fn store(&mut self, path: &str, value: &str) {
        let sibling = letters(&format!("sibling of {path}"), 40);
        let nested = letters(&format!("nested sibling of {path}"), 40);
        self.search.plant(&format!("value of {path}"), value);
        self.search.plant(&format!("sibling of {path}"), &sibling);
        self.search
            .plant(&format!("nested sibling of {path}"), &nested);
        // Whoever stores one by hand can take name and value for each other.
        let name = token(&format!("name of a field of {path}"));
        self.search
            .plant(&format!("name of a field of {path}"), &name);
        let fields = json!({
            "claude_oauth_token": value,
            "password": sibling,
            name: "x",
            "nested": { "list": [nested] },
        });
        self.bao.put("secret", path, fields).await;
    }

    /// Makes a Vault token that is looked for, too.
    async fn token(&mut self, label: &str) -> String {
        let token = self.bao.token_named("reader", READ).await;
        self.search.plant(label, &token);
        token
    }

    /// Invents a secret for the configuration.
    fn literal(&mut self, label: &str) -> String {
        let secret = letters(label, 40);
        self.search.plant(label, &secret);
        secret
    }

    /// Runs a subcommand at TRACE.
    fn run(&mut self, arguments: &[&str], code: i32) -> &Run {
        let run = self.workspace.run(arguments.iter().copied());
        run.exits(code);
        self.runs.push(run);
        self.runs.last().unwrap()
    }

    /// Searches everything.
    fn strike(mut self) {
        let told = |run: &Run| {
            run.log
                .as_ref()
                .is_some_and(|log| log.contains("secret/data/"))
        };
        assert!(self.runs.iter().any(told), "the provider logged nothing");
        // A login gives tokens that only the wire shows.
        let seen = self.proxy.seen();
        let tokens: BTreeSet<_> = seen
            .iter()
            .filter_map(|seen| seen.header("x-vault-token"))
            .collect();
        for token in tokens {
            self.search.plant("token on the wire", token);
        }
        for run in &mut self.runs {
            if run.command.contains("show -json") && run.command.ends_with(".tfplan") {
                // Terraform adds the configuration, with every literal that is in it.
                let mut plan = run.json();
                plan.as_object_mut().unwrap().remove("configuration");
                run.stdout = plan.to_string();
            }
            run.search(&mut self.search);
        }
        self.workspace.search(&mut self.search);
        self.search.assert_clean();
    }
}

/// A whole life with a token as a literal, one from the environment, and a login by a literal.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_whole_life_leaks_nothing() {
    let mut stage = Stage::set().await;
    let paths = ["agent", "by-login", "by-environment", "spare-1", "spare-2"];
    for path in paths {
        stage.store(path, &token(path)).await;
    }
    stage.store("copy", &token("spare-1")).await;
    let literal = stage.token("token as a literal").await;
    let environment = stage.token("token of the environment").await;
    stage.workspace.set("VAULT_TOKEN", environment);
    let bao = &stage.bao;
    bao.must("POST", "sys/auth/approle", json!({ "type": "approle" }))
        .await;
    let role = json!({ "token_policies": ["reader"], "token_no_default_policy": true });
    bao.must("POST", "auth/approle/role/ci", role).await;
    let id = bao
        .must("GET", "auth/approle/role/ci/role-id", Value::Null)
        .await;
    let secret = stage.literal("secret id");
    let custom = json!({ "secret_id": secret });
    stage
        .bao
        .must("POST", "auth/approle/role/ci/custom-secret-id", custom)
        .await;
    stage.workspace.configure(&format!(
        r#"
provider "claude" {{
  token = "{literal}"
}}

provider "claude" {{
  alias              = "login"
  auth_login_approle = {{ role_id = {id}, secret_id = "{secret}" }}
}}

provider "claude" {{
  alias = "environment"
}}

resource "claude_oauth_token" "agent" {{
  path = "agent"
}}

resource "claude_oauth_token" "by_login" {{
  provider = claude.login
  path     = "by-login"
}}

resource "claude_oauth_token" "by_environment" {{
  provider = claude.environment
  path     = "by-environment"
}}

resource "claude_token_spare_pool" "spares" {{
  paths        = ["spare-1", "spare-2", "copy"]
  primary_path = "agent"
}}

output "everything" {{
  value = [claude_oauth_token.agent, claude_token_spare_pool.spares]
}}
"#,
        id = id["data"]["role_id"],
    ));
    stage.run(&["validate"], 0);
    stage.run(&["plan", "-out", "create.tfplan"], 0);
    stage.run(&["show", "create.tfplan"], 0);
    stage.run(&["show", "-json", "create.tfplan"], 0);
    stage.run(&["apply", "create.tfplan"], 0);
    stage.run(&["show", "-json"], 0);
    stage.run(&["output", "-json"], 0);
    stage.run(&["state", "pull"], 0);
    stage.run(&["plan", "-out", "same.tfplan"], 0);
    stage.run(&["show", "-json", "same.tfplan"], 0);
    // Another token, by hand; the one before it stays in the history.
    stage.store("agent", &token("agent, rotated")).await;
    stage.run(&["apply", "-refresh-only", "-auto-approve"], 0);
    stage.run(&["state", "rm", "claude_oauth_token.agent"], 0);
    stage.run(&["import", "claude_oauth_token.agent", "secret/agent"], 0);
    stage.run(&["apply", "-auto-approve"], 0);
    stage.run(&["destroy", "-auto-approve"], 0);
    stage.strike();
}

/// Values that are no tokens, on refresh, adoption and import; of these no hash may be seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn values_that_are_no_tokens_leak_nothing_and_are_not_hashed() {
    let mut stage = Stage::set().await;
    let environment = stage.token("token of the environment").await;
    stage.workspace.set("VAULT_TOKEN", environment);
    let values = malformed("a value that is none");
    let mut text = String::new();
    for (number, (kind, _)) in values.iter().enumerate() {
        writeln!(
            text,
            "resource \"claude_oauth_token\" \"t{number}\" {{ # {kind}\n  path = \"bad-{number}\"\n}}\n"
        )
        .unwrap();
        let path = format!("bad-{number}");
        stage
            .store(&path, &token(&format!("before {number}")))
            .await;
    }
    let paths: Vec<_> = (0..values.len())
        .map(|number| format!("\"bad-{number}\""))
        .collect();
    writeln!(
        text,
        "resource \"claude_token_spare_pool\" \"all\" {{\n  paths = [{}]\n}}\n",
        paths.join(", ")
    )
    .unwrap();
    stage.workspace.configure(&text);
    stage.run(&["apply", "-auto-approve"], 0);
    for (number, (kind, value)) in values.iter().enumerate() {
        stage.store(&format!("bad-{number}"), value).await;
        stage.search.plant_digest(kind, value);
        stage.search.plant_digest(kind, value.trim());
        stage.search.plant_digest(kind, value.trim_matches('"'));
    }
    let told = stage.run(&["plan", "-out", "bad.tfplan", "-detailed-exitcode"], 2);
    for number in 0..values.len() {
        let id = format!("secret/bad-{number}#claude_oauth_token");
        told.says(&format!("Token {id} is malformed"));
    }
    stage.run(&["show", "-json", "bad.tfplan"], 0);
    stage.run(&["apply", "bad.tfplan"], 1);
    stage.run(&["apply", "-refresh-only", "-auto-approve"], 0);
    stage.run(&["show", "-json"], 0);
    // One of them is fine again, and the others are not.
    stage.store("bad-0", &token("after 0")).await;
    stage.run(&["apply", "-auto-approve"], 1);
    stage.run(&["state", "rm", "claude_oauth_token.t1"], 0);
    stage
        .run(&["apply", "-auto-approve"], 1)
        .says("No token to adopt at");
    stage.run(&["import", "claude_oauth_token.t1", "secret/bad-1"], 0);
    stage.run(&["destroy", "-auto-approve"], 0);
    stage.strike();
}

/// Providers that fail, each with a secret in its block.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn failures_leak_nothing() {
    let mut stage = Stage::set().await;
    stage.store("agent", &token("agent")).await;
    let given = stage.token("token that may read nothing").await;
    let unknown = stage.literal("unknown token");
    let secret_id = stage.literal("secret id");
    let jwt = stage.literal("jwt");
    let service_account = stage.literal("jwt of the service account");
    stage.workspace.write("service-account.jwt", "");
    let file = stage.bao.folder().join("service-account.jwt");
    std::fs::write(&file, &service_account).unwrap();
    stage
        .bao
        .policy(
            "reader",
            r#"path "secret/none" { capabilities = ["read"] }"#,
        )
        .await;
    stage
        .bao
        .must("POST", "sys/auth/approle", json!({ "type": "approle" }))
        .await;
    let echoed = stage.literal("token that a server repeats");
    let echo = json!({ "errors": [format!("what is {echoed}?"), echoed] }).to_string();
    let hostile = Proxy::alone(vec![Step::json(500, &echo); 9]).await;
    let redirecting =
        Proxy::alone(vec![Step::redirect(302, &format!("https://x/{echoed}")); 9]).await;
    let page = Step::Answer {
        status: 200,
        headers: vec![("content-type", echoed.clone())],
        body: format!("<html>{echoed}</html>"),
    };
    let page = Proxy::alone(vec![page; 9]).await;
    let mut text = String::new();
    for (name, block) in [
        ("forbidden", format!("token = \"{given}\"")),
        ("unknown", format!("token = \"{unknown}\"")),
        (
            "approle",
            format!("auth_login_approle = {{ role_id = \"r\", secret_id = \"{secret_id}\" }}"),
        ),
        (
            "jwt",
            format!("auth_login_jwt = {{ role = \"r\", jwt = \"{jwt}\" }}"),
        ),
        (
            "kubernetes",
            format!(
                "auth_login_kubernetes = {{ role = \"r\", jwt_file = \"{}\" }}",
                file.display()
            ),
        ),
        (
            "hostile",
            format!(
                "token = \"{echoed}\"\n  address = \"{}\"",
                hostile.address()
            ),
        ),
        (
            "redirecting",
            format!(
                "token = \"{echoed}\"\n  address = \"{}\"",
                redirecting.address()
            ),
        ),
        (
            "page",
            format!("token = \"{echoed}\"\n  address = \"{}\"", page.address()),
        ),
    ] {
        writeln!(
            text,
            "provider \"claude\" {{\n  alias = \"{name}\"\n  max_retries = 0\n  {block}\n}}\n\n\
             resource \"claude_oauth_token\" \"{name}\" {{\n  provider = claude.{name}\n  \
             path     = \"agent\"\n}}\n"
        )
        .unwrap();
    }
    stage.workspace.configure(&text);
    stage.run(&["validate", "-json"], 0);
    stage.run(&["plan", "-out", "failing.tfplan"], 0);
    let failed = stage.run(&["apply", "failing.tfplan"], 1);
    assert_eq!(
        failed.stderr.matches("Error: ").count(),
        8,
        "{}",
        failed.stderr
    );
    for name in [
        "forbidden",
        "unknown",
        "approle",
        "jwt",
        "kubernetes",
        "hostile",
    ] {
        let address = format!("claude_oauth_token.{name}");
        stage.run(&["import", &address, "secret/agent"], 1);
    }
    stage.strike();
}
