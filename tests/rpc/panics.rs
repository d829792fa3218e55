//! A panic ends its own call alone, with the state that was known.

use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;

use super::host::{Host, applying, assert_error, config, decoded, planning, reading};
use super::thing::{CANARY, Script, object};

const SUMMARY: &str = "Provider bug: a call panicked";
const NULL: Value = Value::Null;

/// A resource that can do nothing.
fn broken() -> Script {
    Script {
        validate: Box::new(|_| panic!("{CANARY}")),
        read: Box::new(|_, _| Box::pin(async { panic!("{CANARY}") })),
        plan: Box::new(|_| panic!("{CANARY}")),
        plan_destroy: Box::new(|_| panic!("{CANARY}")),
        create: Box::new(|_, _| Box::pin(async { panic!("{CANARY}") })),
        update: Box::new(|_, _| Box::pin(async { panic!("{CANARY}") })),
        import: Box::new(|_, _| panic!("{CANARY}")),
        ..Script::default()
    }
}

#[tokio::test]
async fn every_call_survives_one() {
    let prior = object([("id", "thing-1".into()), ("name", "n".into())]);
    let configured = object([("name", "n".into())]);
    let mut host = Host::configured(broken()).await;
    // Twice: what panicked once must not be locked for ever.
    for _ in 0..2 {
        assert_error(&host.validate(&configured).await, SUMMARY);
        let read = host.read(reading(&prior)).await;
        assert_error(&read.diagnostics, SUMMARY);
        assert_eq!(decoded(read.new_state.as_ref()), prior);
        assert_eq!(read.private, b"\"before\"");
        for config in [&configured, &NULL] {
            let plan = host.plan(planning(&prior, config)).await;
            assert_error(&plan.diagnostics, SUMMARY);
            assert_eq!(decoded(plan.planned_state.as_ref()), prior);
        }
        let update = host.apply(applying(&prior, &configured, &configured)).await;
        assert_error(&update.diagnostics, SUMMARY);
        assert_eq!(decoded(update.new_state.as_ref()), prior);
        let create = host.apply(applying(&NULL, &prior, &configured)).await;
        assert_error(&create.diagnostics, SUMMARY);
        assert_eq!(decoded(create.new_state.as_ref()), NULL);
        let import = host.import("thing-1").await;
        assert_error(&import.diagnostics, SUMMARY);
        assert_eq!(import.imported_resources, []);
    }
}

#[tokio::test]
async fn a_panic_while_configuring_leaves_the_provider_unconfigured() {
    let script = Script {
        configure: Box::new(|config| {
            assert!(config.get("endpoint").is_none(), "{CANARY}");
            Ok(())
        }),
        ..Script::default()
    };
    let mut host = Host::new(script);
    let block = Value::object([("endpoint", "e".into())]);
    assert_error(&host.configure(Some(config(&block))).await, SUMMARY);
    let prior = object([("id", "thing-1".into()), ("name", "n".into())]);
    let read = host.read(reading(&prior)).await;
    assert_error(&read.diagnostics, "The provider is not configured");
    assert_eq!(host.configure(None).await, []);
    let read = host.read(reading(&prior)).await;
    assert_eq!(read.diagnostics, []);
}

#[tokio::test]
async fn other_calls_go_on() {
    let mut host = Host::configured(broken()).await;
    let prior = object([("id", "thing-1".into()), ("name", "n".into())]);
    host.read(reading(&prior)).await;
    let request = wire::get_provider_schema::Request {};
    let schemas = host.client.get_provider_schema(request).await.unwrap();
    assert_eq!(schemas.into_inner().diagnostics, []);
}
