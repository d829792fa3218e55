//! The provider block, its files and its environment.

use serde_json::json;

use super::{Case, DAYS, are_refused, case, quoted};
use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, letters};
use crate::support::terraform::Workspace;

/// Writes every case as a provider of its own.
fn providers(cases: &[Case]) -> String {
    let line = |number: usize, case: &Case| provider(number, &quoted(&case.blamed, number));
    (0..)
        .zip(cases)
        .map(|(number, case)| line(number, case))
        .collect()
}

#[test]
fn wrong_arguments_of_the_provider_are_refused_on_their_lines() {
    let mut cases = Vec::new();
    for (address, says) in [
        ("", "https://vault.example.com:8200"),
        ("vault.example.com", "not a URL"),
        ("ftp://vault.example.com", "not http, https, or unix"),
        ("localhost:8200", "not http, https, or unix"),
    ] {
        let line = format!("address = \"{address}\"");
        cases.push(case(line, "", "Invalid address", says));
    }
    for mount in ["", "/kv", "kv//v2", "kv/../sys"] {
        let line = format!("mount = \"{mount}\"");
        cases.push(case(line, "", "Invalid mount", "vault secrets list"));
    }
    for retries in ["-1", "0.5", "101"] {
        cases.push(case(
            format!("max_retries = {retries}"),
            "",
            "Invalid number of retries",
            "from 0 to 100",
        ));
    }
    for (days, says) in DAYS {
        cases.push(case(days, "", "Invalid number of days", says));
    }
    // Here the defaults of the other number are known.
    for line in ["lifetime_days = 30", "rotate_before_days = 365"] {
        cases.push(case(
            line,
            "",
            "Invalid number of days",
            "less than `lifetime_days`",
        ));
    }
    let workspace = Workspace::new("provider-refusals");
    workspace.configure(&providers(&cases));
    are_refused(&cases, workspace.run(["validate", "-json"]).exits(1));
}

/// Provider blocks with secrets that something is wrong with, and what is told. `@` is a secret.
const NEVER_QUOTED: [(&str, &str, &str, &str); 12] = [
    (
        "validate",
        "auth_login_approle = {\nrole_id = \"r\"\nsecret_id = \"@\"\n}\nauth_login_jwt = {\nrole = \"r\"\njwt = \"@\"\n}",
        "More than one login method",
        "auth_login_approle and auth_login_jwt",
    ),
    (
        "validate",
        "token = \"@\"\nauth_login_kubernetes = {\nrole = \"r\"\n}",
        "More than one login method",
        "auth_login_kubernetes and token",
    ),
    (
        "validate",
        "address = \"https://admin:@\\u0040vault.example.com\"",
        "Invalid address",
        "user name or a password",
    ),
    (
        "validate",
        "address = \"admin:@\\u0040vault.example.com:8200\"",
        "Invalid address",
        "not http, https, or unix",
    ),
    (
        "validate",
        "address = \"https://admin:@\\u0040vault.example.com:82000\"",
        "Invalid address",
        "not a URL",
    ),
    (
        "validate",
        "address = \"https://vault.example.com/?token=@\"",
        "Invalid address",
        "query or a fragment",
    ),
    (
        "plan",
        "token = \"@\\n@\"",
        "Cannot prepare the connection to Vault",
        "line break",
    ),
    (
        "plan",
        "auth_login_jwt = { role = \"r\", jwt = \"@\", mount = \"/jwt\" }",
        "Cannot prepare the connection to Vault",
        "mount",
    ),
    (
        "apply",
        "token = \"@\"",
        "Vault did not accept the Vault token: secret/agent#claude_oauth_token",
        "Set that argument to a new Vault token",
    ),
    (
        "apply",
        "auth_login_approle = { role_id = \"r\", secret_id = \"@\" }",
        "Vault login failed: secret/agent#claude_oauth_token",
        "role_id, secret_id",
    ),
    (
        "apply",
        "auth_login_jwt = { role = \"r\", jwt = \"@\", mount = \"nowhere\" }",
        "Vault login failed: secret/agent#claude_oauth_token",
        "issuer, audience",
    ),
    (
        "apply",
        "token = \"@\"\naddress = \"http://127.0.0.1:1\"\nmax_retries = 0",
        "Vault cannot be reached: secret/agent#claude_oauth_token",
        "Nothing is listening there",
    ),
];

#[tokio::test]
async fn errors_about_secrets_never_quote_their_lines() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/auth/approle", json!({ "type": "approle" }))
        .await;
    let mut workspace = Workspace::new("never-quoted");
    workspace.set("VAULT_ADDR", bao.address());
    let mut search = LeakSearch::new();
    for command in [
        &["validate", "-json"][..],
        &["plan", "-json"],
        &["apply", "-json", "-auto-approve"],
    ] {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (number, (stage, block, summary, says)) in NEVER_QUOTED.iter().enumerate() {
            if *stage == command[0] {
                let secret = letters(&format!("literal {number}"), 40);
                search.plant(&format!("literal {number}"), &secret);
                text += &provider(number, &block.replace('@', &secret));
                expected.push((summary, says));
            }
        }
        workspace.configure(&text);
        let run = workspace.command(command.iter().copied()).traced().run();
        run.exits(1).search(&mut search);
        let told = run.told();
        for (summary, says) in &expected {
            let found = told
                .iter()
                .any(|told| told.summary == **summary && told.detail.contains(**says));
            assert!(found, "{summary}: {says}: {told:#?}");
        }
        assert_eq!(told.len(), expected.len(), "{told:#?}");
    }
    search.assert_clean();
}

/// Writes a provider block and a resource, since providers without one are left out.
fn provider(number: usize, block: &str) -> String {
    format!(
        "provider \"claude\" {{\nalias = \"c{number}\"\n{block}\n}}\n\n\
         resource \"claude_oauth_token\" \"c{number}\" {{\nprovider = claude.c{number}\n\
         path = \"agent\"\n}}\n\n"
    )
}

#[test]
fn files_and_names_that_cannot_serve_are_told_by_the_plan() {
    let workspace = Workspace::new("wrong-files");
    let folder = workspace.folder();
    workspace.write("text.pem", "no certificate\n");
    let text = folder.join("text.pem").display().to_string();
    let settings = "Cannot prepare the connection to Vault";
    let service_account = "Cannot read the service account token";
    let cases = [
        (
            "ca_cert_file = \"none.pem\"".to_owned(),
            settings,
            "`none.pem` cannot be read",
        ),
        (
            format!("ca_cert_file = \"{text}\""),
            settings,
            "does not contain a PEM certificate",
        ),
        (
            "ca_cert_dir = \"none\"".into(),
            settings,
            "`none` cannot be read",
        ),
        (
            "tls_server_name = \"two words\"".into(),
            settings,
            "not a DNS name",
        ),
        (
            "namespace = \"a\\nb\"".into(),
            settings,
            "namespace has a character",
        ),
        (
            "client_auth = { cert_file = \"none.crt\", key_file = \"none.key\" }".into(),
            settings,
            "`none.crt` cannot be read",
        ),
        (
            "auth_login_kubernetes = { role = \"r\", jwt_file = \"none.jwt\" }".into(),
            service_account,
            "none.jwt: No such file",
        ),
        (
            "auth_login_kubernetes = { role = \"r\" }".into(),
            service_account,
            "/var/run/secrets/kubernetes.io/serviceaccount/token: No such file",
        ),
    ];
    let text: String = (0..)
        .zip(&cases)
        .map(|(number, (line, ..))| provider(number, line))
        .collect();
    workspace.configure(&text);
    workspace.run(["validate"]).exits(0);
    let run = workspace.run(["plan", "-json"]);
    let told = run.exits(1).told();
    for (number, (line, summary, says)) in cases.iter().enumerate() {
        let argument = line.split(' ').next().unwrap();
        let found = told.iter().find(|told| {
            told.address.ends_with(&format!(".c{number}"))
                && told.code.starts_with(argument)
                && told.summary == *summary
                && told.detail.contains(says)
        });
        assert!(found.is_some(), "{line}: {told:#?}");
    }
    assert_eq!(told.len(), cases.len(), "{told:#?}");
}

#[test]
fn wrong_values_of_the_environment_are_named_by_their_variable() {
    let workspace = Workspace::new("wrong-environment");
    workspace.configure("resource \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n");
    for (variable, value, summary, says) in [
        (
            "VAULT_ADDR",
            "vault:8200",
            "Invalid address in VAULT_ADDR",
            "https://vault.example.com:8200",
        ),
        (
            "BAO_ADDR",
            "//vault",
            "Invalid address in BAO_ADDR",
            "not a URL",
        ),
        (
            "VAULT_SKIP_VERIFY",
            "maybe",
            "Invalid value in VAULT_SKIP_VERIFY",
            "true or false",
        ),
        (
            "BAO_SKIP_VERIFY",
            "2",
            "Invalid value in BAO_SKIP_VERIFY",
            "true or false",
        ),
        (
            "TF_CLAUDE_NOW",
            "2027-03-20",
            "Invalid date in TF_CLAUDE_NOW",
            "RFC 3339",
        ),
        (
            "VAULT_CLIENT_CERT",
            "some.pem",
            "Incomplete client certificate",
            "VAULT_CLIENT_KEY",
        ),
        (
            "BAO_CLIENT_KEY",
            "some.key",
            "Incomplete client certificate",
            "VAULT_CLIENT_CERT",
        ),
        (
            "VAULT_CACERT",
            "none.pem",
            "Cannot prepare",
            "`none.pem` cannot be read",
        ),
        (
            "BAO_CAPATH",
            "none",
            "Cannot prepare",
            "`none` cannot be read",
        ),
        (
            "VAULT_TLS_SERVER_NAME",
            "two words",
            "Cannot prepare",
            "not a DNS name",
        ),
    ] {
        workspace
            .command(["plan"])
            .env(variable, value)
            .run()
            .exits(1)
            .says(&format!("Error: {summary}"))
            .says(says);
    }
    // An empty variable is one that is not set.
    let mut plan = workspace.command(["plan"]);
    for variable in [
        "VAULT_ADDR",
        "VAULT_SKIP_VERIFY",
        "TF_CLAUDE_NOW",
        "VAULT_CLIENT_CERT",
    ] {
        plan = plan.env(variable, "");
    }
    plan.run().exits(0).says("1 to add");
    workspace
        .command(["plan"])
        .env("TF_CLAUDE_NOW", "2027-03-20T00:00:00Z")
        .run()
        .exits(0)
        .says("Warning: TF_CLAUDE_NOW sets the date to 2027-03-20T00:00:00Z");
}
