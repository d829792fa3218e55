//! Metadata that Vault, or a firewall in front of it, refuses to change: a requested rotation
//! replaces the token all the same.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::super::stack::{AGENT, PRIMARY, PRIMARY_ID, SPARES, Stack};
use super::{BOTH, aged, agent, marks, metadata, news, value_at};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};
use crate::support::secrets::token;

/// Answers every write to metadata.
struct Firewall(Step);

impl Judge for Firewall {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        let is_refused = seen.method != "GET" && seen.target.contains("/metadata/");
        let step = if is_refused {
            self.0.clone()
        } else {
            Step::Pass
        };
        step.judged()
    }
}

/// Demands that a requested rotation replaces the token, changes no metadata, and says so.
async fn is_rotated(stack: &Stack) {
    let before = metadata(stack, PRIMARY).await;
    stack.write(&agent(&format!(
        "{BOTH}  rotate_when_changed = {{ leak = \"1\" }}\n"
    )));
    let apply = stack.workspace.apply();
    apply.exits(0);
    let left = format!("Promotion into {PRIMARY_ID} left no marks");
    assert!(news(&apply).contains(&left), "{}", apply.transcript());
    let version = stack.current_version(PRIMARY).await;
    assert_eq!(value_at(stack, PRIMARY, version).await, token(SPARES[0]));
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    assert_eq!(metadata(stack, PRIMARY).await, before);
    assert_eq!(marks(stack, SPARES[0]).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_firewall_that_allows_no_writes_of_metadata_stops_no_rotation() {
    let errors = |text: &str| json!({ "errors": [text] }).to_string();
    for (name, step) in [
        ("page", Step::html(403)),
        ("method", Step::json(501, &errors("unsupported method"))),
        ("not-allowed", Step::html(405)),
        (
            "cas",
            Step::json(400, &errors("metadata check-and-set parameter required")),
        ),
        (
            "keys",
            Step::json(400, &errors("payload must contain at most 64 keys")),
        ),
    ] {
        let mut stack = aged(&format!("firewall-{name}"), 10).await;
        stack.applied(&agent(BOTH));
        let proxy = Proxy::judged(stack.bao.address(), Arc::new(Firewall(step))).await;
        stack.workspace.set("VAULT_ADDR", proxy.address());
        is_rotated(&stack).await;
    }
}

#[tokio::test]
async fn an_engine_that_demands_check_and_set_for_metadata_stops_no_rotation() {
    let stack = aged("metadata-cas", 10).await;
    stack.applied(&agent(BOTH));
    let config = json!({ "metadata_cas_required": true });
    stack.bao.must("POST", "secret/config", config).await;
    is_rotated(&stack).await;
}
