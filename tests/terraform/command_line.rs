//! The provisioned Terraform is a command line like any other.

use std::path::Path;

use terraform_provider_claude::env::{Environment, ProcessEnvironment};

use crate::support::provision::{self, TERRAFORM};
use crate::support::secrets::{LeakSearch, letters};
use crate::support::terraform::Workspace;

#[test]
fn the_pinned_version_answers() {
    let workspace = Workspace::new("version");
    let capabilities = workspace.capabilities();
    if ProcessEnvironment.get(TERRAFORM.variable).is_none() {
        assert_eq!(capabilities.version, TERRAFORM.version);
        assert!(
            capabilities.is_terraform
                && capabilities.ephemeral_resources
                && capabilities.actions
                && capabilities.import_by_identity
                && capabilities.query,
            "{capabilities:?}"
        );
    }
    let product = match capabilities.is_terraform {
        true => "Terraform",
        false => "OpenTofu",
    };
    workspace.run(["no-such-command"]).exits(1).says(&format!(
        "{product} has no command named \"no-such-command\"."
    ));
}

#[test]
fn a_life_without_the_provider_works() {
    let mut workspace = Workspace::new("life");
    workspace.set("TF_VAR_text", "from the environment");
    workspace.write(
        "main.tf",
        "variable \"text\" {}\nresource \"terraform_data\" \"it\" {\n  input = var.text\n}\n",
    );
    let plan = workspace.plan();
    plan.exits(2)
        .says("Plan: 1 to add, 0 to change, 0 to destroy.");
    assert_eq!(
        plan.drift_lines(),
        [
            "# terraform_data.it will be created",
            "Plan: 1 to add, 0 to change, 0 to destroy."
        ]
    );
    assert_eq!(
        workspace.show_json("saved.tfplan")["resource_changes"][0]["change"]["after"]["input"],
        "from the environment"
    );
    workspace.apply_saved().exits(0).says("Apply complete!");
    workspace.plan().changes_nothing();
    assert_eq!(
        workspace.state_json()["values"]["root_module"]["resources"][0]["values"]["input"],
        "from the environment"
    );
    workspace
        .destroy()
        .exits(0)
        .says("Destroy complete! Resources: 1 destroyed.");
}

#[test]
fn standard_input_reaches_it() {
    let workspace = Workspace::new("input");
    workspace.write("main.tf", "locals {\n  sum = 1 + 2\n}\n");
    let run = workspace.command(["console"]).input("local.sum\n").run();
    assert_eq!(run.exits(0).stdout.trim(), "3");
}

#[test]
fn a_value_in_plan_state_or_log_is_found() {
    let value = letters("planted in a workspace", 40);
    let mut workspace = Workspace::new("leak");
    workspace.trace();
    workspace.set("TF_VAR_text", &value);
    workspace.write(
        "main.tf",
        "variable \"text\" {\n  sensitive = true\n}\nresource \"terraform_data\" \"it\" {\n  input = var.text\n}\n",
    );
    let mut search = LeakSearch::new();
    search.plant("variable", &value);
    workspace.plan().exits(2);
    workspace.apply_saved().exits(0);
    workspace.search(&mut search);
    for place in ["terraform.tfstate", "/tfplan"] {
        assert!(
            search.leaks().iter().any(|leak| leak.contains(place)),
            "{place}: {:?}",
            search.leaks()
        );
    }
}

#[test]
fn the_override_needs_neither_init_nor_network() {
    // A shell is no provider: what matters here is that Terraform found and started it.
    let workspace =
        Workspace::with("override", provision::terraform(), Path::new("/bin/sh")).unwrap();
    workspace.write(
        "main.tf",
        "terraform {\n  required_providers {\n    claude = {\n      source = \"terraform.local/claude-ops/claude\"\n    }\n  }\n}\n",
    );
    workspace
        .run(["validate"])
        .exits(1)
        .says("Provider development overrides are in effect")
        .says("Failed to read any lines from plugin's stdout")
        .says("plugins/terraform-provider-claude");
    assert!(!workspace.folder().join(".terraform").exists());
}

#[test]
fn tools_are_kept_below_the_target_folder() {
    if ProcessEnvironment.get(TERRAFORM.variable).is_none() {
        let tools = provision::target_folder().join("tools");
        assert!(provision::terraform().starts_with(&tools));
        assert!(tools.starts_with(Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()));
    }
}
