//! Calls about all that is no resource: what they ask is sent as it was.

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use prost::Message as _;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use tonic::transport::Channel;

use super::Replay;
use crate::hosts::recording::RecordedCall;
use crate::hosts::rules;

impl Replay<'_> {
    pub(super) async fn ask_beside_resources(
        &mut self,
        client: &mut ProviderClient<Channel>,
        call: &RecordedCall,
        title: &str,
    ) {
        match call.rpc.as_str() {
            "ValidateDataResourceConfig" => {
                as_it_was!(
                    client.validate_data_resource_config(validate_data_resource_config),
                    call,
                    title
                );
            }
            "ReadDataSource" => {
                let answer = as_it_was!(
                    client.read_data_source(read_data_source),
                    call,
                    title,
                    self.quirks
                );
                let state = answer.state.unwrap().msgpack;
                assert!(state.len() > 1, "{title}: no object");
            }
            "ValidateEphemeralResourceConfig" => {
                as_it_was!(
                    client.validate_ephemeral_resource_config(validate_ephemeral_resource_config),
                    call,
                    title
                );
            }
            "OpenEphemeralResource" => {
                let answer = as_it_was!(
                    client.open_ephemeral_resource(open_ephemeral_resource),
                    call,
                    title,
                    self.quirks
                );
                assert!(
                    answer.result.unwrap().msgpack.len() > 1,
                    "{title}: no object"
                );
                self.opened = answer.private;
            }
            "RenewEphemeralResource" => {
                let mut request =
                    wire::renew_ephemeral_resource::Request::decode(&*call.message()).unwrap();
                request.private.clone_from(&self.opened);
                let answer = send!(client.renew_ephemeral_resource(request), title);
                rules::no_error(title, &answer.diagnostics);
            }
            "CloseEphemeralResource" => {
                let mut request =
                    wire::close_ephemeral_resource::Request::decode(&*call.message()).unwrap();
                request.private.clone_from(&self.opened);
                let answer = send!(client.close_ephemeral_resource(request), title);
                rules::no_error(title, &answer.diagnostics);
            }
            "CallFunction" => {
                let request = wire::call_function::Request::decode(&*call.message()).unwrap();
                let answer = send!(client.call_function(request), title);
                assert_eq!(answer.error, None, "{title}");
                assert!(!answer.result.unwrap().msgpack.is_empty(), "{title}");
            }
            "ValidateListResourceConfig" => {
                as_it_was!(
                    client.validate_list_resource_config(validate_list_resource_config),
                    call,
                    title
                );
            }
            "ListResource" => {
                let request = wire::list_resource::Request::decode(&*call.message()).unwrap();
                let whole = request.include_resource_object;
                let mut events = send!(client.list_resource(request), title);
                while let Some(event) = events.message().await.unwrap() {
                    rules::no_error(title, &event.diagnostic);
                    assert!(event.identity.is_some(), "{title}");
                    assert_eq!(event.resource_object.is_some(), whole, "{title}");
                }
            }
            "GenerateResourceConfig" => {
                let answer = as_it_was!(
                    client.generate_resource_config(generate_resource_config),
                    call,
                    title
                );
                assert!(
                    answer.config.unwrap().msgpack.len() > 1,
                    "{title}: no object"
                );
            }
            "ValidateActionConfig" => {
                as_it_was!(
                    client.validate_action_config(validate_action_config),
                    call,
                    title
                );
            }
            "PlanAction" => {
                let answer = as_it_was!(client.plan_action(plan_action), call, title, self.quirks);
                assert_eq!(answer.deferred, None, "{title}");
            }
            "InvokeAction" => {
                let request = wire::invoke_action::Request::decode(&*call.message()).unwrap();
                let mut events = send!(client.invoke_action(request), title);
                let mut ends = Vec::new();
                while let Some(event) = events.message().await.unwrap() {
                    use wire::invoke_action::event::Type;
                    // An event of no type crashes a host.
                    match event.r#type.unwrap() {
                        Type::Progress(_) => assert_eq!(ends, [], "{title}"),
                        Type::Completed(end) => ends.push(end),
                    }
                }
                assert_eq!(ends.len(), 1, "{title}");
                rules::no_error(title, &ends[0].diagnostics);
            }
            other => panic!("{title}: the replay does not know {other}"),
        }
    }
}
