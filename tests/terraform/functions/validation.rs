//! `token_check` in `validation` blocks: what passes, what is refused, and what is shown.

use crate::support::lacks;
use crate::support::secrets::{LeakSearch, letters, malformed, token};
use crate::support::terraform::{Run, Workspace};

/// A variable whose value is checked; `message` is what Terraform says of another.
fn variable(name: &str, kind: &str, message: &str) -> String {
    format!(
        "variable {name:?} {{\n  type    = string\n  default = null\n{kind}  validation {{\n    \
         condition     = var.{name} == null || provider::claude::token_check(var.{name}).valid\n    \
         error_message = {message}\n  }}\n}}\n"
    )
}

const SENSITIVE: &str = "  sensitive = true\n";
const EPHEMERAL: &str = "  ephemeral = true\n";

fn variables() -> String {
    let told = |name: &str| format!("provider::claude::token_check(var.{name}).problem");
    [
        variable("normal", "", &told("normal")),
        variable(
            "sensitive",
            SENSITIVE,
            &format!("nonsensitive({})", told("sensitive")),
        ),
        variable("ephemeral", EPHEMERAL, "\"ephemeral is no token.\""),
    ]
    .concat()
}

/// What shows that the check is of use after the validation too.
const FINGERPRINT: &str = "output \"fingerprint\" {\n  value = provider::claude::token_check(var.normal).fingerprint\n}\nresource \"terraform_data\" \"any\" {}\n";

/// Tells whether the command line shows a sensitive value that a validation refuses, as Terraform
/// does up to some version, whatever the condition is.
fn shows_sensitive_values() -> bool {
    let mut workspace = Workspace::new("validation-probe");
    workspace.write(
        "main.tf",
        "variable \"probe\" {\n  type      = string\n  sensitive = true\n  validation {\n    \
         condition     = length(var.probe) < 3\n    error_message = \"No.\"\n  }\n}\n",
    );
    let canary = letters("probe", 40);
    workspace.set("TF_VAR_probe", canary.as_str());
    let run = workspace.run(["plan"]);
    run.exits(1);
    run.stderr.contains(&canary)
}

#[test]
fn good_tokens_pass_and_are_shown_nowhere() {
    let mut workspace = Workspace::new("validation-good");
    if lacks("ephemeral variables", |host| host.ephemeral_resources) {
        return;
    }
    workspace.configure(&format!("{}{FINGERPRINT}", variables()));
    workspace.trace();
    let mut search = LeakSearch::new();
    for name in ["normal", "sensitive", "ephemeral"] {
        search.plant(name, &token(name));
        // With the line break that ends a file.
        workspace.set(&format!("TF_VAR_{name}"), format!("{}\n", token(name)));
    }
    for run in [
        workspace.run(["validate"]),
        workspace.run(["plan"]),
        workspace.apply(),
        workspace.run(["plan", "-detailed-exitcode"]),
        workspace.run(["output"]),
    ] {
        run.exits(0).search(&mut search);
        assert!(run.log.as_ref().is_some_and(|log| !log.is_empty()));
    }
    let log = workspace.run(["plan"]).log.unwrap();
    assert!(log.contains("CallFunction"), "the provider was not called");
    workspace.search(&mut search);
    search.assert_clean();
    let told = workspace.run(["output", "-raw", "fingerprint"]);
    assert!(told.stdout.starts_with("sha256:"), "{}", told.transcript());
    // A plan that is saved holds the variables that are not ephemeral: Terraform puts them there.
    workspace.configure(&variable("ephemeral", EPHEMERAL, "\"No.\""));
    let run = workspace.plan();
    run.exits(2).search(&mut search);
    workspace.search(&mut search);
    search.assert_clean();
}

#[test]
fn no_token_is_nothing_to_refuse() {
    let workspace = Workspace::new("validation-null");
    if lacks("ephemeral variables", |host| host.ephemeral_resources) {
        return;
    }
    workspace.configure(&variables());
    workspace.plan().changes_nothing();
    // Where there must be one.
    workspace.configure(
        "variable \"token\" {\n  type    = string\n  default = null\n  validation {\n    \
         condition     = provider::claude::token_check(var.token).valid\n    \
         error_message = \"token is missing.\"\n  }\n}\n",
    );
    workspace.plan().exits(1).says("token is missing.");
}

/// Runs a plan with a value that is refused.
#[track_caller]
fn refused(workspace: &Workspace, name: &str, value: &str) -> Run {
    let run = workspace.command(["plan"]);
    let run = run.env(&format!("TF_VAR_{name}"), value).run();
    run.exits(1).says("Invalid value for variable");
    run
}

#[test]
fn what_is_no_token_is_refused_without_being_shown() {
    let workspace = Workspace::new("validation-bad");
    if lacks("ephemeral variables", |host| host.ephemeral_resources) {
        return;
    }
    workspace.configure(&variables());
    let mut search = LeakSearch::new();
    let lost = "one character lost";
    let shown = shows_sensitive_values();
    if shown {
        println!("this command line shows sensitive values that it refuses: not searched for");
    }
    for (kind, value) in malformed("refused") {
        if !["API key", lost, "credentials JSON"].contains(&kind) {
            continue;
        }
        search.plant(kind, &value);
        search.plant_digest(kind, &value);
        let run = refused(&workspace, "ephemeral", &value);
        run.says("ephemeral is no token.").search(&mut search);
    }
    let (_, value) = malformed("refused")
        .into_iter()
        .find(|(kind, _)| *kind == lost)
        .unwrap();
    let advice = "The token has 107 of 108 characters: an 80-column terminal dropped one. Run \
                  `claude setup-token` again in a terminal at least 300 columns wide, and store \
                  the token that it prints.";
    let run = refused(&workspace, "sensitive", &value);
    run.says(advice);
    if !shown {
        run.search(&mut search);
    }
    refused(&workspace, "normal", &value).says(advice);
    search.assert_clean();
}
