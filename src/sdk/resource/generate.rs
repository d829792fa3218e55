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
    /// Converts a state to the configuration that a person would write, so that an import with it
    /// changes nothing. Null values are left out, and so are computed and write-only attributes.
    fn configuration(configured: &Self::Configured, state: Self::Model) -> Self::Model {
        let _ = configured;
        state
    }
}

impl<R: GenerateConfig> Typed<R> {
    pub(super) fn generate_config(
        &self,
        configured: &R::Configured,
        request: &wire::Request,
    ) -> Outcome<wire::Response> {
        const WHAT: &str = "the state";
        let mut state = self.required(WHAT, request.state.as_ref())?;
        write_only::clear(self.attributes(), &mut state);
        let mut config = R::configuration(configured, model(WHAT, state)?).into_value();
        write_only::clear_where(self.attributes(), &mut config, |attribute| {
            attribute.mode == Mode::Computed
        });
        check::recorded(self.attributes(), &config)
            .map_err(|violation| Self::refuse("generate", violation))?;
        Ok(wire::Response {
            config: Some(self.encode("generate", &config)?),
            diagnostics: Vec::new(),
        })
    }
}
