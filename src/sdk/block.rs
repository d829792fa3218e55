//! Configuration of a block that has no state: it is decoded and validated.

use super::check::config::mistakes;
use super::coding;
use super::failure::Diagnostics;
use super::model::Model;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Attribute, Value};

const WHAT: &str = "the configuration";

/// Reads the values of a block that a host must send.
pub(super) fn sent(
    attributes: &[Attribute],
    config: Option<&wire::DynamicValue>,
) -> Result<Value, Diagnostics> {
    coding::decode(attributes, WHAT, config)?.ok_or_else(|| vec![coding::missing(WHAT)])
}

/// Builds a model from the values of a block.
pub(super) fn model<M: Model>(value: Value) -> Result<M, Diagnostics> {
    coding::model(WHAT, value)
}

/// Reads a block. If it is omitted, no argument is set. Mistakes in it are returned along with it.
pub(super) fn decode<M: Model>(
    attributes: &[Attribute],
    config: Option<&wire::DynamicValue>,
) -> Result<(M, Diagnostics), Diagnostics> {
    let value =
        coding::decode(attributes, WHAT, config)?.unwrap_or_else(|| Value::null_object(attributes));
    let mistakes = mistakes(attributes, &value);
    Ok((model(value)?, mistakes))
}

/// Reads a block without mistakes.
pub(super) fn decode_whole<M: Model>(
    attributes: &[Attribute],
    config: Option<&wire::DynamicValue>,
) -> Result<M, Diagnostics> {
    let (model, mistakes) = decode(attributes, config)?;
    if mistakes.is_empty() {
        Ok(model)
    } else {
        Err(mistakes)
    }
}
