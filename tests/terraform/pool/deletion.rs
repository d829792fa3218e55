//! Versions of spares that delete themselves.

use serde_json::json;

use crate::support::secrets::token;
use crate::terraform::stack::{FIELD, POOL, POOL_BLOCK, SPARES, Stack, days};

#[tokio::test]
async fn deletions_far_ahead_move_nothing_in_the_pool() {
    let stack = Stack::start("pool-deletion").await;
    for path in SPARES {
        let settings = json!({ "delete_version_after": "10000h" });
        stack.set_metadata(path, settings).await;
        stack.patch(path, json!({ "note": "first" })).await;
    }
    stack.applied(POOL_BLOCK);
    for path in SPARES {
        stack.patch(path, json!({ "note": "second" })).await;
    }
    stack.is_quiet();
}

#[tokio::test]
async fn a_longer_lifetime_ends_with_the_version_that_holds_the_token() {
    let stack = Stack::empty("pool-deletion-raised").await;
    let path = SPARES[0];
    let settings = json!({ "delete_version_after": "480h" });
    stack.set_metadata(path, settings).await;
    stack.put(path, json!({ FIELD: token(path) })).await;
    let written_at = stack.written_at(path, 1).await;
    let block = |lifetime: i64| {
        format!(
            "resource \"claude_token_spare_pool\" \"agent\" {{
  paths              = [{path:?}]
  lifetime_days      = {lifetime}
  rotate_before_days = 1
}}
"
        )
    };
    let ends_after = |count: i64| {
        let pool = stack.attributes(POOL);
        let end = (written_at + days(count)).to_string();
        assert_eq!(pool["spares"][path]["expires_at"], end);
        assert_eq!(pool["runway_until"], end);
        stack.workspace.plan().changes_nothing();
        stack.refresh_only().changes_nothing();
    };
    stack.applied(&block(10));
    ends_after(10);
    stack.write(&block(30));
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    ends_after(20);
    // Each write pushes the deletion further away.
    let mut versions = 1;
    while stack.written_at(path, versions).await == written_at {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        versions += 1;
        stack.patch(path, json!({ "note": versions })).await;
    }
    ends_after(20);
    stack.applied(&block(15));
    ends_after(15);
}
