//! Configuration generated for an existing instance.

use super::Typed;
use crate::protocol::Mode;
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::check::clear_where::clear_where;
use crate::sdk::check::{self, write_only};
use crate::sdk::coding::{Outcome, model};
use crate::sdk::model::AttributeValue;
use crate::sdk::resource::Resource;

impl<R: Resource> Typed<R> {
    pub(super) fn generate_configuration(
        &self,
        configured: &R::Configured,
        request: &wire::generate_resource_config::Request,
    ) -> Outcome<wire::generate_resource_config::Response> {
        const WHAT: &str = "the state";
        let mut state = self.required(WHAT, request.state.as_ref())?;
        write_only::clear(self.attributes(), &mut state);
        let mut config = R::configuration(configured, model(WHAT, state)?).into_value();
        clear_where(self.attributes(), &mut config, |attribute| {
            attribute.mode == Mode::Computed
        });
        check::recorded(self.attributes(), &config)
            .map_err(|violation| Self::refuse("generate", violation))?;
        Ok(wire::generate_resource_config::Response {
            config: Some(self.encode("generate", &config)?),
            diagnostics: Vec::new(),
        })
    }
}
