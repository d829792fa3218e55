//! How often Vault is asked: once for each secret, whatever is built on it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::support::openbao::{AuditedRequest, OpenBao};
use crate::support::proxy::Proxy;
use crate::support::secrets::token;
use crate::support::terraform::Workspace;

const TOKENS: usize = 200;
const SPARES: usize = 100;

/// Counts the requests for each path, those apart that only look after the Vault token.
fn by_path(requests: &[AuditedRequest]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for AuditedRequest { operation, path } in requests {
        if !path.starts_with("auth/token/") {
            *counts.entry(format!("{operation} {path}")).or_default() += 1;
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plan_reads_every_secret_once_and_asks_for_nothing_else() {
    let bao = OpenBao::start().await;
    let mut expected = BTreeMap::new();
    for (count, prefix) in [(TOKENS, "agent"), (SPARES, "spare")] {
        for number in 0..count {
            let path = format!("{prefix}-{number:03}");
            let fields = json!({ "claude_oauth_token": token(&path), "other": "field" });
            bao.put("secret", &path, fields).await;
            expected.insert(format!("read secret/data/{path}"), 1);
        }
    }
    let proxy = Proxy::before(bao.address(), []).await;
    let rules = r#"path "secret/data/*" { capabilities = ["read"] }"#;
    let mut workspace = Workspace::new("requests");
    workspace.set("VAULT_ADDR", proxy.address());
    workspace.set("VAULT_TOKEN", bao.token_named("reader", rules).await);
    workspace.configure(&format!(
        "resource \"claude_oauth_token\" \"agent\" {{\n  \
         for_each = toset([for number in range({TOKENS}) : format(\"agent-%03d\", number)])\n  \
         path     = each.key\n}}\n\n\
         resource \"claude_token_spare_pool\" \"spares\" {{\n  \
         paths        = [for number in range({SPARES}) : format(\"spare-%03d\", number)]\n  \
         primary_path = \"agent-007\"\n}}\n"
    ));
    let mut report = String::new();
    for (arguments, code) in [
        (&["apply", "-auto-approve"][..], 0),
        (&["plan", "-detailed-exitcode", "-out", "saved.tfplan"], 0),
        (&["plan", "-refresh-only", "-detailed-exitcode"], 0),
        (&["apply", "-auto-approve"], 0),
        (&["apply", "saved.tfplan"], 0),
    ] {
        let (before, opened) = (bao.requests().len(), proxy.connections());
        let run = workspace.run(arguments.iter().copied());
        run.exits(code);
        let requests = by_path(&bao.requests()[before..]);
        let opened = proxy.connections() - opened;
        writeln!(
            report,
            "{}: {:.2} s, {} requests, {opened} connections",
            run.command,
            run.elapsed.as_secs_f64(),
            requests.values().sum::<usize>(),
        )
        .unwrap();
        if run.command.contains("saved") && arguments[0] == "apply" {
            assert_eq!(requests, BTreeMap::new());
        } else if report.lines().count() == 1 {
            // The apply that creates dates every token by its history; these have none.
            // Each token was to be stamped, which this reader may not do.
            let reads = requests.keys().filter(|path| path.contains("/data/"));
            assert!(reads.eq(expected.keys()), "{requests:?}");
        } else {
            assert_eq!(requests, expected, "{}", run.command);
        }
        // At most 16 requests are under way, but a connection comes back a moment after its answer.
        assert!(opened <= 32, "{report}");
    }
    println!("{report}");
}

#[tokio::test]
async fn two_fields_of_one_secret_are_read_together() {
    let bao = OpenBao::start().await;
    let fields = json!({ "first": token("first"), "second": token("second") });
    bao.put("secret", "agent", fields).await;
    let mut workspace = Workspace::new("fields");
    workspace.set("VAULT_ADDR", bao.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure(
        "resource \"claude_oauth_token\" \"agent\" {\n  for_each = toset([\"first\", \"second\"])\n  \
         path     = \"agent\"\n  field    = each.key\n}\n\n\
         resource \"claude_token_spare_pool\" \"third\" {\n  paths        = [\"spare\"]\n  \
         field        = \"first\"\n  primary_path = \"agent\"\n}\n",
    );
    bao.put("secret", "spare", json!({ "first": token("spare") }))
        .await;
    workspace.apply().exits(0);
    for command in [
        &["plan", "-detailed-exitcode"][..],
        &["apply", "-auto-approve"],
    ] {
        let before = bao.requests().len();
        workspace.run(command.iter().copied()).changes_nothing();
        let requests = by_path(&bao.requests()[before..]);
        let expected = ["agent", "spare"].map(|path| (format!("read secret/data/{path}"), 1));
        assert_eq!(requests, BTreeMap::from(expected), "{command:?}");
    }
}

#[tokio::test]
async fn the_history_of_a_token_is_walked_once_in_its_life() {
    let bao = OpenBao::start().await;
    for number in 0..4 {
        let fields = match number {
            0 => json!({ "other": number }),
            _ => json!({ "other": number, "claude_oauth_token": token("agent") }),
        };
        bao.put("secret", "agent", fields).await;
    }
    let mut workspace = Workspace::new("history");
    workspace.set("VAULT_ADDR", bao.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure("resource \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n");
    let reads = |bao: &OpenBao| bao.count("read", "secret/data/agent");
    let before = reads(&bao);
    workspace.apply().exits(0);
    assert_eq!(reads(&bao) - before, 4);
    // A write beside the token is a new version of the same token.
    let fields = json!({ "other": "again", "claude_oauth_token": token("agent") });
    bao.put("secret", "agent", fields).await;
    let before = reads(&bao);
    workspace.plan().changes_nothing();
    assert_eq!(reads(&bao) - before, 1);
}

/// The ways in which a host and the provider find each other, apart from the usual one.
mod ways {
    use super::*;
    use crate::support::host::Process;

    async fn adopted() -> (OpenBao, Workspace) {
        let bao = OpenBao::start().await;
        bao.put(
            "secret",
            "agent",
            json!({ "claude_oauth_token": token("agent") }),
        )
        .await;
        let mut workspace = Workspace::new("ways");
        workspace.set("VAULT_ADDR", bao.address());
        workspace.set("VAULT_TOKEN", OpenBao::ROOT);
        workspace.configure("resource \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n");
        workspace.apply().exits(0);
        (bao, workspace)
    }

    #[tokio::test]
    async fn without_tls_between_them() {
        let (_bao, workspace) = adopted().await;
        let plan = workspace
            .command(["plan"])
            .env("TF_DISABLE_PLUGIN_TLS", "1")
            .run();
        plan.changes_nothing();
    }

    #[tokio::test]
    async fn with_a_provider_that_runs_already() {
        let (bao, workspace) = adopted().await;
        let variables = [
            ("VAULT_ADDR", bao.address()),
            ("VAULT_TOKEN", OpenBao::ROOT),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut provider = Process::start(&["--debug"], &variables);
        let line = provider.first_line().await;
        let line = line
            .strip_prefix("TF_REATTACH_PROVIDERS='")
            .and_then(|rest| rest.strip_suffix('\''))
            .unwrap();
        // Without the override there is nothing else that could be started.
        for _ in 0..2 {
            let before = bao.requests().len();
            workspace
                .command(["plan"])
                .without("TF_CLI_CONFIG_FILE")
                .env("TF_REATTACH_PROVIDERS", line)
                .run()
                .changes_nothing();
            assert_eq!(bao.requests().len() - before, 1);
        }
    }
}
