//! Configuration generated for an existing instance.

use super::Resource;
use crate::protocol::Mode;
use crate::protocol::generated::tfplugin6::generate_resource_config as wire;
use crate::sdk::check::{self, write_only};
use crate::sdk::coding::{Outcome, model};
use crate::sdk::model::AttributeValue;
use crate::sdk::typed::Typed;

/// A resource type for whose instances hosts can write configuration.
pub trait GenerateConfig: Resource {
    /// Returns the state if the configuration set only the required attributes of this one. Other
    /// attributes are written only if they differ from it, so that an import with the
    /// configuration changes nothing.
    fn defaults(configured: &Self::Configured, state: Self::Model) -> Self::Model {
        let _ = (configured, state);
        Self::Model::default()
    }
}

impl<R: GenerateConfig> Typed<R> {
    /// Converts a state to the configuration that a person would write. Hosts leave out null values.
    pub(super) fn generate_config(
        &self,
        configured: &R::Configured,
        request: &wire::Request,
    ) -> Outcome<wire::Response> {
        const WHAT: &str = "the state";
        let mut config = self.required(WHAT, request.state.as_ref())?;
        let defaults = R::defaults(configured, model(WHAT, config.clone())?).into_value();
        write_only::clear_where(
            self.attributes(),
            &mut config,
            |attribute, value| match attribute.mode {
                Mode::Required => false,
                Mode::Computed => true,
                Mode::Optional | Mode::OptionalComputed => {
                    attribute.write_only || defaults.get(&attribute.name) == Some(value)
                }
            },
        );
        check::recorded(self.attributes(), &config)
            .map_err(|violation| Self::refuse("generate", violation))?;
        Ok(wire::Response {
            config: Some(self.encode("generate", &config)?),
            diagnostics: Vec::new(),
        })
    }
}
