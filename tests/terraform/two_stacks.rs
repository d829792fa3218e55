//! One stack owns the token and its spares, another one only has it delivered.

use serde_json::{Value, json};

use super::stack::{AGENT, PRIMARY, SPARES, Stack, change};
use crate::support::proxy::Proxy;
use crate::support::terraform::Workspace;

/// The owner: the token, and the pool that watches its spares. A change of `leak` promotes one.
fn owning(leak: &str) -> String {
    format!(
        "resource \"claude_oauth_token\" \"agent\" {{\n  path = {PRIMARY:?}\n  spare_paths = {SPARES:?}\n  \
         rotate_when_changed = {{ leak = {leak:?} }}\n}}\nresource \"claude_token_spare_pool\" \"agent\" {{\n  \
         paths = {SPARES:?}\n  primary_path = claude_oauth_token.agent.path\n  min_available = 1\n}}\n"
    )
}

/// The consumer: a manifest in a value of any type, beside an annotation that the apply tells.
const CONSUMING: &str = "resource \"terraform_data\" \"release\" {}
resource \"terraform_data\" \"manifest\" {
  input = {
    manifest = provider::claude::external_secret({
      name        = \"claude-agent\"
      namespace   = \"agents\"
      annotations = { release = terraform_data.release.id }
      data        = provider::claude::external_secret_data(\"claude-agent-service\", null, null)
    })
    neighbour = terraform_data.release.id
  }
}
";

/// Both stacks, before one server that counts what they ask of it.
struct Two {
    owner: Stack,
    consumer: Workspace,
    vault: Proxy,
}

impl Two {
    /// Starts with an owner that was applied, and a consumer with nothing in it.
    async fn start(name: &str) -> Self {
        let mut owner = Stack::start(name).await;
        let vault = Proxy::before(owner.bao.address(), []).await;
        owner.workspace.set("VAULT_ADDR", vault.address());
        let mut consumer = Workspace::new(&format!("{name}-consumer"));
        consumer.set("VAULT_ADDR", vault.address());
        consumer.set("VAULT_TOKEN", "what nobody looks at");
        owner.applied(&owning("0"));
        Self {
            owner,
            consumer,
            vault,
        }
    }

    /// Has the owner promote a spare, after which it has nothing to do.
    fn promote(&self) {
        let before = self.owner.attributes(AGENT)["fingerprint"].clone();
        self.owner.applied(&owning("1"));
        let after = self.owner.attributes(AGENT);
        assert_ne!(after["fingerprint"], before);
        assert_eq!(after["rotated_from"], SPARES[0]);
        // The pool learns of it by the refresh of the next run.
        self.owner.apply();
        self.owner.workspace.plan().changes_nothing();
        self.owner.refresh_only().changes_nothing();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_consumer_by_function_alone_never_asks_vault_and_has_nothing_to_do() {
    let two = Two::start("two-stacks").await;
    let asked = two.vault.connections();
    assert!(asked > 0, "the owner asks through the proxy");

    two.consumer.configure(CONSUMING);
    two.consumer.plan().exits(2);
    let planned = change(
        &two.consumer.show_json("saved.tfplan"),
        "terraform_data.manifest",
    );
    let mut unknown = planned["after_unknown"]["input"].clone();
    assert_eq!(unknown["neighbour"], true);
    assert_eq!(
        unknown["manifest"]["metadata"]["annotations"],
        json!({ "release": true })
    );
    unknown["neighbour"] = Value::Null;
    unknown["manifest"]["metadata"] = Value::Null;
    assert!(!unknown.to_string().contains("true"), "{unknown}");
    two.consumer.apply_saved().exits(0);
    two.consumer.plan().changes_nothing();
    assert_eq!(two.vault.connections(), asked);

    two.promote();
    let asked = two.vault.connections();
    two.consumer.plan().changes_nothing();
    let refresh = ["plan", "-refresh-only", "-detailed-exitcode"];
    two.consumer.run(refresh).changes_nothing();
    assert_eq!(two.vault.connections(), asked);

    // No state of ours, and nothing that names the server.
    let state = two.consumer.state_json();
    let resources = state["values"]["root_module"]["resources"]
        .as_array()
        .unwrap();
    assert!(
        resources
            .iter()
            .all(|resource| resource["type"] == "terraform_data")
    );
}
