//! Write-only values: let in by hosts that keep them out of the state, and kept nowhere.

use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::sdk::Failure;
use terraform_provider_claude::secret::Secret;

use super::host::{Host, applying, assert_error, decoded, planning};
use super::thing::{CANARY, Script, applied, object, planned, planned_from, ready, set};

const NULL: Value = Value::Null;

fn config() -> Value {
    object([("name", "n".into()), ("token_wo", CANARY.into())])
}

#[tokio::test]
async fn a_host_that_would_store_the_value_is_refused() {
    let mut host = Host::new(Script::default());
    for capabilities in [None, Some(wire::ClientCapabilities::default())] {
        let told = host.validate_as(capabilities, &config()).await;
        assert_error(&told, "Write-only attributes are not supported");
        assert!(told[0].detail.contains("token_wo"));
        assert_eq!(
            told[0].attribute, None,
            "its source line may hold the value"
        );
        let without = object([("name", "n".into())]);
        assert_eq!(host.validate_as(capabilities, &without).await, []);
    }
    let unknown = object([("name", "n".into()), ("token_wo", Value::Unknown)]);
    let told = host.validate_as(None, &unknown).await;
    assert_error(&told, "Write-only attributes are not supported");
    assert_eq!(host.validate(&config()).await, []);
}

#[tokio::test]
async fn the_resource_sees_the_value_in_the_configuration_alone() {
    let expect = |value: Option<&Value>| {
        assert_eq!(value, Some(&Value::Secret(Secret::new(CANARY))));
    };
    let script = Script {
        plan: Box::new(move |request| {
            expect(request.config.0.get("token_wo"));
            let mut state = planned_from(&request);
            set(&mut state, "id", Value::Unknown);
            Ok(planned(state, request.private))
        }),
        create: Box::new(move |_, request| {
            expect(request.config.0.get("token_wo"));
            assert_eq!(request.planned.0.get("token_wo"), Some(&NULL));
            let mut state = request.planned.0;
            set(&mut state, "id", "thing-1".into());
            ready(Ok::<_, Failure>(applied(state, request.private)))
        }),
        ..Script::default()
    };
    let mut host = Host::configured(script).await;
    let plan = host.plan(planning(&NULL, &config())).await;
    assert_eq!(plan.diagnostics, []);
    let planned = decoded(plan.planned_state.as_ref());
    assert_eq!(planned.get("token_wo"), Some(&NULL));
    let answer = host.apply(applying(&NULL, &planned, &config())).await;
    assert_eq!(answer.diagnostics, []);
    let state = decoded(answer.new_state.as_ref());
    assert_eq!(state.get("token_wo"), Some(&NULL));
}
