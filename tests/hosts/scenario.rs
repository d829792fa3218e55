//! What a host is made to do, so that it makes every call there is.

use serde_json::json;

use crate::support::openbao::OpenBao;
use crate::support::secrets::token;
use crate::support::terraform::Capabilities;

/// Runs of one host in one workspace.
pub(super) struct Scenario {
    /// Name of the file that keeps the recording.
    pub(super) name: &'static str,
    /// What the provider must have beside resources, or the scenario is left out.
    pub(super) needs: &'static [&'static str],
    pub(super) runs: Vec<HostRun>,
}

/// One run of the command line.
pub(super) struct HostRun {
    /// What it shows, unique in the scenario.
    pub(super) name: &'static str,
    /// Arguments of the provider block.
    pub(super) provider: &'static str,
    /// The configuration; the provider block is in front of it.
    pub(super) configuration: String,
    /// The query file, empty for none.
    pub(super) query: String,
    pub(super) arguments: Vec<&'static str>,
    /// What the command line must be able to do, or the run is left out.
    pub(super) needs: fn(&Capabilities) -> bool,
}

impl HostRun {
    fn new<const N: usize>(name: &'static str, text: &str, arguments: [&'static str; N]) -> Self {
        Self {
            name,
            provider: "",
            configuration: text.to_owned(),
            query: String::new(),
            arguments: arguments.into(),
            needs: |_| true,
        }
    }

    fn needing(mut self, needs: fn(&Capabilities) -> bool) -> Self {
        self.needs = needs;
        self
    }
}

/// Seeds of the tokens that every scenario finds in Vault, each at the path of that name.
pub(super) const SECRETS: [&str; 5] = ["agent", "other", "spare-1", "spare-2", "team/first"];

/// Writes what the scenarios find.
pub(super) async fn furnish(bao: &OpenBao) {
    for path in SECRETS {
        let fields = json!({ "claude_oauth_token": token(path) });
        bao.put("secret", path, fields).await;
    }
}

/// All scenarios.
pub(super) fn all() -> Vec<Scenario> {
    vec![
        of_a_token(),
        of_a_pool(),
        of_functions(),
        of_data(),
        of_ephemeral_resources(),
        of_a_query(),
        of_an_action(),
        of_encryption(),
    ]
}

const APPLY: [&str; 2] = ["apply", "-auto-approve"];

/// One call only: a host makes several at once, in whichever order.
fn of_functions() -> Scenario {
    let text = "output \"mapping\" {\n  value = provider::claude::external_secret_data(\"agent\", null, null)\n}\n";
    Scenario {
        name: "functions",
        needs: &["function external_secret_data"],
        runs: vec![
            HostRun::new("validate", text, ["validate"]),
            HostRun::new("apply", text, APPLY),
        ],
    }
}

fn of_data() -> Scenario {
    let one = "data \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n";
    let all = "data \"claude_oauth_tokens\" \"all\" {\n  path_prefix = \"team/\"\n}\n";
    Scenario {
        name: "data",
        needs: &["data claude_oauth_token", "data claude_oauth_tokens"],
        runs: vec![
            HostRun::new("plan", one, ["plan"]),
            HostRun::new("apply", one, APPLY),
            HostRun::new("plan a list", all, ["plan"]),
        ],
    }
}

fn of_ephemeral_resources() -> Scenario {
    let block = |argument: &str| {
        format!("ephemeral \"claude_oauth_token\" \"agent\" {{\n  path = \"agent\"\n{argument}}}\n")
    };
    let text = block("");
    let can = |host: &Capabilities| host.ephemeral_resources;
    // Terraform opens in the plan, too, unless an argument is unknown.
    let source = "resource \"terraform_data\" \"source\" {\n  input = \"secret\"\n}\n";
    let depending = block("  depends_on = [terraform_data.source]\n");
    let unknown = block("  field = terraform_data.source.id == \"\" ? \"\" : null\n");
    let under_unknown = |name, text: &str| HostRun {
        provider: "mount = terraform_data.source.output",
        ..HostRun::new(name, &format!("{source}{text}"), APPLY)
    };
    Scenario {
        name: "ephemeral",
        needs: &["ephemeral claude_oauth_token"],
        runs: vec![
            HostRun::new("plan", &text, ["plan"]).needing(can),
            HostRun::new("apply", &text, APPLY).needing(can),
            under_unknown("apply under an unknown provider", &depending)
                .needing(|host| host.ephemeral_resources && !host.is_terraform),
            under_unknown("apply with an unknown argument", &unknown)
                .needing(|host| host.ephemeral_resources && host.is_terraform),
        ],
    }
}

/// OpenTofu encrypts states and plans by itself.
fn of_encryption() -> Scenario {
    let text = "terraform {
  encryption {
    key_provider \"pbkdf2\" \"passphrase\" {
      passphrase = \"a passphrase for a test\"
    }
    method \"aes_gcm\" \"passphrase\" {
      keys = key_provider.pbkdf2.passphrase
    }
    state {
      method = method.aes_gcm.passphrase
    }
    plan {
      method = method.aes_gcm.passphrase
    }
  }
}
resource \"claude_oauth_token\" \"agent\" {
  path = \"agent\"
}
";
    let can = |host: &Capabilities| !host.is_terraform;
    let plan = ["plan", "-out", "saved.tfplan"];
    Scenario {
        name: "encryption",
        needs: &[],
        runs: vec![
            HostRun::new("plan", text, plan).needing(can),
            HostRun::new("create", text, ["apply", "saved.tfplan"]).needing(can),
            HostRun::new("plan nothing", text, ["plan"]).needing(can),
            HostRun::new("destroy", text, ["destroy", "-auto-approve"]).needing(can),
        ],
    }
}

fn of_a_query() -> Scenario {
    let query = "list \"claude_oauth_token\" \"all\" {\n  provider = claude\n  include_resource = true\n\n  config {\n    path_prefix = \"team/\"\n  }\n}\n";
    let can = |host: &Capabilities| host.query;
    let run = |name, arguments| HostRun {
        query: query.to_owned(),
        ..HostRun::new(name, "", arguments)
    };
    Scenario {
        name: "query",
        needs: &["list claude_oauth_token"],
        runs: vec![
            run("query", ["query", "-no-color"]).needing(can),
            run("write down", ["query", "-generate-config-out=generated.tf"]).needing(can),
        ],
    }
}

fn of_an_action() -> Scenario {
    let text = "action \"claude_promote_spare\" \"agent\" {\n  config {\n    path = \"agent\"\n    spare_paths = [\"spare-1\"]\n  }\n}\n";
    Scenario {
        name: "action",
        needs: &["action claude_promote_spare"],
        runs: vec![
            HostRun::new(
                "invoke",
                text,
                [
                    "apply",
                    "-auto-approve",
                    "-invoke=action.claude_promote_spare.agent",
                ],
            )
            .needing(|host| host.actions),
        ],
    }
}

fn of_a_token() -> Scenario {
    let block = |arguments: &str| {
        format!("resource \"claude_oauth_token\" \"agent\" {{\n{arguments}\n}}\n")
    };
    let plain = block("path = \"agent\"");
    let changed = block("path = \"agent\"\nlifetime_days = 300");
    let other = block("path = \"other\"\nlifetime_days = 300");
    let stored = block(
        "path = \"other\"\nlifetime_days = 300\ntoken_wo = \"PLANTED\"\ntoken_wo_version = 1",
    )
    .replace("PLANTED", &token("stored"));
    let adopted = format!(
        "import {{\n  to = claude_oauth_token.agent\n  identity = {{\n    path = \"other\"\n  }}\n}}\n{other}"
    );
    const ADDRESS: &str = "claude_oauth_token.agent";
    Scenario {
        name: "token",
        needs: &[],
        runs: vec![
            HostRun::new("validate", &plain, ["validate"]),
            HostRun::new("plan a creation", &plain, ["plan", "-out", "saved.tfplan"]),
            HostRun::new("create", &plain, ["apply", "saved.tfplan"]),
            HostRun::new("plan nothing", &plain, ["plan"]),
            HostRun::new("refresh only", &plain, ["plan", "-refresh-only"]),
            HostRun::new("update", &changed, APPLY),
            HostRun::new("forget", &changed, ["state", "rm", ADDRESS]),
            HostRun::new(
                "import by id",
                &changed,
                ["import", ADDRESS, "secret/agent"],
            ),
            HostRun::new("update what was imported", &changed, APPLY),
            HostRun::new("replace", &other, APPLY),
            HostRun::new("store a token", &stored, APPLY).needing(|host| host.write_only),
            HostRun::new("forget again", &other, ["state", "rm", ADDRESS])
                .needing(|host| host.import_by_identity),
            HostRun::new("import by identity", &adopted, APPLY)
                .needing(|host| host.import_by_identity),
            HostRun::new("destroy", &other, ["destroy", "-auto-approve"]),
        ],
    }
}

fn of_a_pool() -> Scenario {
    let block = |paths: &str| {
        format!("resource \"claude_token_spare_pool\" \"agent\" {{\n  paths = [{paths}]\n}}\n")
    };
    let one = block("\"spare-1\"");
    let two = block("\"spare-1\", \"spare-2\"");
    const ADDRESS: &str = "claude_token_spare_pool.agent";
    Scenario {
        name: "pool",
        needs: &[],
        runs: vec![
            HostRun::new("create", &one, APPLY),
            HostRun::new("update", &two, APPLY),
            HostRun::new("forget", &two, ["state", "rm", ADDRESS]),
            HostRun::new("import", &two, ["import", ADDRESS, "secret/spare-{1,2}"]),
            HostRun::new("plan nothing", &two, ["plan"]),
            HostRun::new("destroy", &two, ["destroy", "-auto-approve"]),
        ],
    }
}
