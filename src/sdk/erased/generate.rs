//! Configuration that is written down for an instance that exists.

use super::coding::model;
use super::{Outcome, Typed};
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Attribute, Kind, Mode, Nesting, Value};
use crate::sdk::check::{self, write_only};
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
        clear_computed(self.attributes(), &mut config);
        check::recorded(self.attributes(), &config)
            .map_err(|violation| Self::refuse("generate", violation))?;
        Ok(wire::generate_resource_config::Response {
            config: Some(self.encode("generate", &config)?),
            diagnostics: Vec::new(),
        })
    }
}

/// Sets to null what a configuration cannot set.
fn clear_computed(attributes: &[Attribute], object: &mut Value) {
    let Value::Map(members) = object else {
        return;
    };
    for attribute in attributes {
        let Some(value) = members.get_mut(attribute.name.as_ref()) else {
            continue;
        };
        if attribute.mode == Mode::Computed {
            *value = Value::Null;
        } else if let Kind::Nested {
            nesting,
            attributes,
        } = &attribute.kind
        {
            match (nesting, value) {
                (Nesting::Map, Value::Map(items)) => {
                    items
                        .values_mut()
                        .for_each(|item| clear_computed(attributes, item));
                }
                (_, Value::List(items)) => {
                    items
                        .iter_mut()
                        .for_each(|item| clear_computed(attributes, item));
                }
                (_, value) => clear_computed(attributes, value),
            }
        }
    }
}
