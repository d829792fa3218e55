//! Configurations of so many resources, each in a folder of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::programs::Programs;
use crate::support::openbao::OpenBao;
use crate::support::secrets::token;
use crate::support::terraform::{HEADER, Run, Workspace};

/// Time for the largest stack on a slow machine.
const LIMIT: Duration = Duration::from_secs(1800);

/// A configuration that can be planned and applied.
pub(crate) struct Stack {
    workspace: Workspace,
}

impl Stack {
    /// Tracks so many tokens, each in a secret of its own.
    pub(crate) fn tokens(programs: &Programs, bao: &OpenBao, count: usize) -> Self {
        let resource = format!(
            "resource \"claude_oauth_token\" \"agent\" {{\n  count = {count}\n  \
             path  = format(\"agent-%04d\", count.index)\n}}\n"
        );
        Self::with(programs, &programs.provider, HEADER, &resource).in_vault(bao)
    }

    /// Tracks so many spares in one pool.
    pub(crate) fn pool(programs: &Programs, bao: &OpenBao, count: usize) -> Self {
        let resource = format!(
            "resource \"claude_token_spare_pool\" \"spares\" {{\n  \
             paths = [for number in range({count}) : format(\"agent-%04d\", number)]\n}}\n"
        );
        Self::with(programs, &programs.provider, HEADER, &resource).in_vault(bao)
    }

    /// Holds so many resources of Terraform's own, which no process serves.
    pub(crate) fn terraform_data(programs: &Programs, count: usize) -> Self {
        let resource = format!(
            "resource \"terraform_data\" \"agent\" {{\n  count = {count}\n  \
             input = format(\"agent-%04d\", count.index)\n}}\n"
        );
        let stack = Self::with(programs, &programs.provider, "", &resource);
        stack.workspace.run(["init"]).exits(0);
        stack
    }

    /// Holds so many resources of a provider that answers every call at once.
    pub(crate) fn instant(programs: &Programs, count: usize) -> Self {
        Self::of_instant(programs, "claude_instant", count)
    }

    /// Holds so many of the smallest resource that such a provider can have.
    pub(crate) fn bare(programs: &Programs, count: usize) -> Self {
        Self::of_instant(programs, "claude_bare", count)
    }

    fn of_instant(programs: &Programs, kind: &str, count: usize) -> Self {
        let resource = format!(
            "resource \"{kind}\" \"agent\" {{\n  count = {count}\n  \
             path  = format(\"agent-%04d\", count.index)\n}}\n"
        );
        Self::with(programs, &programs.instant, HEADER, &resource)
    }

    fn with(programs: &Programs, provider: &Path, header: &str, resource: &str) -> Self {
        let workspace = Workspace::with("bench", &programs.terraform, provider)
            .expect("a temporary folder takes a few small files");
        workspace.write("main.tf", &format!("{header}{resource}"));
        Self { workspace }
    }

    fn in_vault(mut self, bao: &OpenBao) -> Self {
        self.workspace.set("VAULT_ADDR", bao.address());
        self.workspace.set("VAULT_TOKEN", OpenBao::ROOT);
        self
    }

    /// Plans what is in the state already, and demands that nothing changes.
    pub(crate) fn plan(&self) -> Duration {
        let command = self.workspace.command(["plan", "-detailed-exitcode"]);
        elapsed(&command.limit(LIMIT).run())
    }

    /// Applies to an empty state.
    pub(crate) fn create(&self) -> Duration {
        for file in ["terraform.tfstate", "terraform.tfstate.backup"] {
            let file = self.workspace.folder().join(file);
            if file.exists() {
                fs::remove_file(file).expect("a state can be removed");
            }
        }
        let command = self.workspace.command(["apply", "-auto-approve"]);
        elapsed(&command.limit(LIMIT).run())
    }
}

fn elapsed(run: &Run) -> Duration {
    run.exits(0);
    run.elapsed
}

/// Stores a token in each of so many secrets.
pub(crate) async fn fill(bao: &OpenBao, count: usize) {
    let mut path = String::new();
    for number in 0..count {
        path.clear();
        write!(path, "agent-{number:04}").expect("a text takes more text");
        let fields = json!({ "claude_oauth_token": token(&path), "other": "field" });
        bao.put("secret", &path, fields).await;
    }
}
