//! Configurations that are refused before Vault is asked, each on the line that is wrong.

mod provider;

use std::fmt::Write as _;

use crate::support::terraform::{Run, Told, Workspace};

/// A wrong configuration: the line that is to blame, the lines around it, and what is told.
struct Case {
    blamed: String,
    around: &'static str,
    summary: &'static str,
    /// A part of the detail; it says what is wrong or what to do.
    says: &'static str,
}

fn case(
    blamed: impl Into<String>,
    around: &'static str,
    summary: &'static str,
    says: &'static str,
) -> Case {
    Case {
        blamed: blamed.into(),
        around,
        summary,
        says,
    }
}

/// A comment that is on the blamed line of a case, and so in what the host quotes.
fn marker(number: usize) -> String {
    format!("# case {number}.")
}

/// Writes every case as a resource of its own.
fn resources(kind: &str, cases: &[Case]) -> String {
    let mut text = String::new();
    for (number, case) in cases.iter().enumerate() {
        let line = quoted(&case.blamed, number);
        let around = case.around;
        writeln!(
            text,
            "resource \"{kind}\" \"c{number}\" {{\n{around}\n{line}\n}}\n"
        )
        .unwrap();
    }
    text
}

/// Puts the marker on the last line of a text, or where the text has a place for it.
fn quoted(blamed: &str, number: usize) -> String {
    if blamed.contains("@") {
        blamed.replace('@', &marker(number))
    } else {
        format!("{blamed} {}", marker(number))
    }
}

/// Demands one error for each case, on the line that carries its marker, and none beside.
#[track_caller]
fn are_refused(cases: &[Case], run: &Run) {
    let mut told = run.told();
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let on_line: Vec<Told> = told
            .extract_if(.., |told| told.code.contains(&marker(number)))
            .collect();
        let fits = |error: &Told| {
            error.is_error
                && error.summary == case.summary
                && error.detail.contains(case.says)
                && error.detail.ends_with('.')
        };
        if !matches!(&on_line[..], [error] if fits(error)) {
            wrong.push(format!(
                "{}: expected {}: {}, found {on_line:#?}",
                case.blamed, case.summary, case.says
            ));
        }
    }
    wrong.extend(told.iter().map(|told| format!("nobody expected {told:#?}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Paths that are none, with a part of what is told about each.
const PATHS: [(&str, &str); 12] = [
    ("", "is empty"),
    ("/a", "starts with `/`"),
    ("a/", "ends with `/`"),
    ("a//b", "egment 2"),
    ("a/./b", "`.` or `..`"),
    ("../b", "`.` or `..`"),
    (r"a\nb", "haracter 2"),
    (r"a\u0000b", "haracter 2"),
    ("a#b", "`#`"),
    ("a{b", "`{`"),
    ("a}b", "`}`"),
    ("secret/*", "`*`"),
];

/// Days that are refused in every block, with the reason.
const DAYS: [(&str, &str); 9] = [
    ("lifetime_days = 0", "must be"),
    ("lifetime_days = -1", "must be"),
    ("lifetime_days = 1.5", "whole number of days"),
    ("lifetime_days = 1e12", "lifetime_days"),
    ("rotate_before_days = -1", "0 or more"),
    ("rotate_before_days = 0.5", "whole number of days"),
    ("rotate_before_days = 1e30", "whole number of days"),
    (
        "lifetime_days = 10\nrotate_before_days = 10",
        "less than `lifetime_days`",
    ),
    (
        "lifetime_days = 10\nrotate_before_days = 11",
        "less than `lifetime_days`",
    ),
];

#[test]
fn wrong_arguments_of_a_token_are_refused_on_their_lines() {
    let path = "path = \"agent\"";
    let text = |name: &str, value: &str| format!("{name} = \"{value}\"");
    let mut cases: Vec<_> = PATHS
        .iter()
        .map(|(value, says)| case(text("path", value), "", "Invalid path", says))
        .collect();
    for (mount, says) in [
        ("", "is empty"),
        ("/kv", "The mount starts with"),
        ("kv/", "ends with"),
    ] {
        cases.push(case(text("mount", mount), path, "Invalid mount", says));
    }
    for (field, says) in [
        (String::new(), "is empty"),
        ("f".repeat(101), "101 bytes"),
        ("ü".repeat(51), "102 bytes"),
    ] {
        cases.push(case(text("field", &field), path, "Invalid field", says));
    }
    for (key, says) in [
        (String::new(), "is empty"),
        ("two words".into(), "letters, digits"),
        ("schlüssel".into(), "letters, digits"),
        ("a/b".into(), "letters, digits"),
        ("k".repeat(254), "254 characters"),
    ] {
        cases.push(case(
            text("secret_key", &key),
            path,
            "Invalid secret_key",
            says,
        ));
    }
    cases.push(case(
        text("remote_key", ""),
        path,
        "Invalid remote_key",
        "Remove it",
    ));
    cases.push(case(
        text("on_rotation_due", "error"),
        path,
        "Invalid on_rotation_due",
        "\"plan\" or \"warn\"",
    ));
    for (instant, says) in [
        ("2026-03-01", "2026-03-01T00:00:00Z"),
        ("yesterday", "RFC 3339"),
        ("2026-03-01T00:00:00", "RFC 3339"),
        ("2026-02-30T00:00:00Z", "does not exist"),
        ("2126-01-01T00:00:00Z", "a day in the future"),
    ] {
        let line = text("token_minted_at", instant);
        cases.push(case(line, path, "Invalid token_minted_at", says));
    }
    for (days, says) in DAYS {
        cases.push(case(days, path, "Invalid number of days", says));
    }
    cases.push(case(
        "minted_at = \"2026-01-01T00:00:00Z\"",
        path,
        "Unexpected argument minted_at",
        "set token_minted_at instead",
    ));
    cases.push(case(
        "status = \"in_date\"",
        path,
        "Unexpected argument status",
        "Remove it",
    ));
    let workspace = Workspace::new("token-refusals");
    workspace.configure(&resources("claude_oauth_token", &cases));
    are_refused(&cases, workspace.run(["validate", "-json"]).exits(1));
}

#[test]
fn wrong_arguments_of_a_pool_are_refused_on_their_lines() {
    let paths = "paths = [\"a\", \"b\"]";
    let mut cases: Vec<_> = PATHS
        .iter()
        .map(|(value, says)| {
            let list = format!("paths = [\n\"fine\",\n\"{value}\", @\n]");
            case(list, "", "Invalid paths", says)
        })
        .collect();
    for (value, says) in PATHS {
        let line = format!("primary_path = \"{value}\"");
        cases.push(case(line, paths, "Invalid primary_path", says));
    }
    let many: Vec<_> = (0..=100).map(|number| format!("\"p{number}\"")).collect();
    for (list, says) in [
        ("[]".to_owned(), "at least one path"),
        (format!("[{}]", many.join(", ")), "100"),
        ("[\n\"a\",\n\"b\",\n\"a\" @\n]".into(), "same as path 1"),
        ("[\"a\", \"b,c\"]".into(), "comma"),
        ("[\"a\", null]".into(), "null"),
    ] {
        cases.push(case(format!("paths = {list}"), "", "Invalid paths", says));
    }
    cases.push(case(
        paths,
        "primary_path = \"b\"",
        "Invalid paths",
        "primary",
    ));
    for number in ["-1", "0.5", "3", "1e30"] {
        cases.push(case(
            format!("min_available = {number}"),
            paths,
            "Invalid min_available",
            "from 0 to the number of paths",
        ));
    }
    cases.push(case(
        "on_shortage = \"error\"",
        paths,
        "Invalid on_shortage",
        "\"plan\" or \"warn\"",
    ));
    for (prefix, says) in [
        ("two words".to_owned(), "letters, digits"),
        ("k".repeat(253), "254 characters"),
    ] {
        let line = format!("secret_key_prefix = \"{prefix}\"");
        cases.push(case(line, paths, "Invalid secret_key_prefix", says));
    }
    for (line, summary) in [
        ("mount = \"kv/\"", "Invalid mount"),
        ("field = \"\"", "Invalid field"),
    ] {
        cases.push(case(line, paths, summary, "such as"));
    }
    for (days, says) in DAYS {
        cases.push(case(days, paths, "Invalid number of days", says));
    }
    let workspace = Workspace::new("pool-refusals");
    workspace.configure(&resources("claude_token_spare_pool", &cases));
    are_refused(&cases, workspace.run(["validate", "-json"]).exits(1));
}

#[test]
fn a_person_reads_the_line_the_reason_and_the_way_out() {
    let workspace = Workspace::new("one-refusal");
    workspace.configure("resource \"claude_oauth_token\" \"agent\" {\n  path = \"/agent\"\n}\n");
    let run = workspace.run(["validate"]);
    run.exits(1)
        .says("Error: Invalid path")
        .says(
            "on main.tf line 10, in resource \"claude_oauth_token\" \"agent\": 10: path = \"/agent\"",
        )
        .says("The path starts with `/`. Write it as `vault kv list` shows it");
}

/// Every argument set to a variable, which nobody knows while a module is validated.
const UNKNOWN: &str = r#"
variable "text" { default = null }
variable "number" { type = number }
variable "list" { type = list(string) }

provider "claude" {
  address            = var.text
  token              = var.text
  namespace          = var.text
  mount              = var.text
  ca_cert_file       = var.text
  ca_cert_dir        = var.text
  tls_server_name    = var.text
  skip_tls_verify    = var.text
  client_auth        = { cert_file = var.text, key_file = var.text }
  max_retries        = var.number
  rotate_before_days = var.number
  lifetime_days      = var.number
}

provider "claude" {
  alias                 = "kubernetes"
  auth_login_kubernetes = { role = var.text, mount = var.text, jwt_file = var.text }
}

provider "claude" {
  alias              = "approle"
  auth_login_approle = { role_id = var.text, secret_id = var.text, mount = var.text }
}

provider "claude" {
  alias          = "jwt"
  auth_login_jwt = { role = var.text, jwt = var.text, mount = var.text }
}

resource "claude_oauth_token" "all" {
  path               = var.text
  mount              = var.text
  field              = var.text
  secret_key         = var.text
  remote_key         = var.text
  lifetime_days      = var.number
  rotate_before_days = var.number
  token_minted_at    = var.text
  on_rotation_due    = var.text
}

resource "claude_token_spare_pool" "all" {
  paths              = var.list
  mount              = var.text
  field              = var.text
  primary_path       = var.text
  lifetime_days      = var.number
  rotate_before_days = var.number
  min_available      = var.number
  on_shortage        = var.text
  secret_key_prefix  = var.text
}

resource "claude_token_spare_pool" "elements" {
  for_each      = toset(["kubernetes", "approle", "jwt"])
  paths         = ["a", var.text, "b", var.text]
  min_available = 4
  primary_path  = var.text
}

resource "claude_oauth_token" "kubernetes" {
  provider = claude.kubernetes
  path     = var.text
}

resource "claude_oauth_token" "approle" {
  provider           = claude.approle
  path               = "agent"
  rotate_before_days = var.number
  lifetime_days      = 10
}

resource "claude_oauth_token" "jwt" {
  provider           = claude.jwt
  path               = "agent"
  rotate_before_days = 400
  lifetime_days      = var.number
}
"#;

#[test]
fn unknown_values_are_let_through_and_refused_once_they_are_known() {
    let workspace = Workspace::new("unknown");
    workspace.configure(UNKNOWN);
    workspace.run(["validate"]).exits(0).says("Success!");

    workspace.configure(
        "variable \"path\" {}\n\nresource \"claude_oauth_token\" \"agent\" {\n  path = var.path\n}\n",
    );
    workspace.run(["validate"]).exits(0);
    workspace
        .run(["plan", "-var", "path=a//b"])
        .exits(1)
        .says("Error: Invalid path")
        .says("path = var.path")
        .says("Segment 2 of the path is empty");
}
