//! A function behind one object-safe interface: wire messages in, wire messages out.

use std::collections::BTreeMap;

use super::Function;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{
    Attribute, AttributePath, CodecError, Diagnostic, Mode, Signature, Step, Value, wire as codec,
};
use crate::sdk::model::AttributeValue;
use crate::sdk::typed::Typed;

/// A function whose types are hidden.
pub trait ErasedFunction: Send + Sync {
    /// Returns the signature, built on first use.
    fn signature(&self) -> &Signature;
    /// Calls the function. An error about an argument is a normal response.
    fn call(&self, arguments: &[wire::DynamicValue]) -> wire::call_function::Response;
}

impl<F: Function> ErasedFunction for Typed<F, Signature> {
    fn signature(&self) -> &Signature {
        self.description()
    }

    fn call(&self, arguments: &[wire::DynamicValue]) -> wire::call_function::Response {
        let (result, error) = match self.result(arguments) {
            Ok(result) => (Some(result), None),
            Err(error) => (
                None,
                Some(at_parameter(error, &self.signature().parameters)),
            ),
        };
        wire::call_function::Response { result, error }
    }
}

impl<F: Function> Typed<F, Signature> {
    fn result(&self, arguments: &[wire::DynamicValue]) -> Result<wire::DynamicValue, Diagnostic> {
        let signature = self.description();
        let arguments = decode(F::NAME, &signature.parameters, arguments)?;
        let known = arguments.is_wholly_known();
        let result = if known || signature.takes_unknown {
            let arguments =
                F::Arguments::from_value(arguments, &AttributePath::new()).map_err(|error| {
                    undecodable(error.path, &format!("{} is required", error.expected))
                })?;
            self.inner.call(arguments)?.into_value()
        } else {
            Value::Unknown
        };
        if known && !result.is_wholly_known() {
            return Err(wrong_result(
                F::NAME,
                "the result is unknown, though no argument is",
            ));
        }
        codec::encode(&signature.result, &result)
            .map_err(|error| wrong_result(F::NAME, &error.to_string()))
    }
}

/// Reads the arguments into an object of all parameters.
fn decode(
    name: &str,
    parameters: &[Attribute],
    arguments: &[wire::DynamicValue],
) -> Result<Value, Diagnostic> {
    if parameters.len() != arguments.len() {
        return Err(Diagnostic::error(
            "Invalid number of arguments",
            format!(
                "{name} takes {} and got {}. Check that the configuration was written for this \
                 version of the provider.",
                parameters.len(),
                arguments.len()
            ),
        ));
    }
    let mut values = BTreeMap::new();
    for (parameter, argument) in parameters.iter().zip(arguments) {
        let path = AttributePath::attribute(parameter.name.as_ref());
        let value = codec::decode_attribute(Some(argument), parameter).map_err(
            |CodecError { path: part, reason }| {
                let path = part
                    .steps()
                    .iter()
                    .cloned()
                    .fold(path.clone(), AttributePath::then);
                undecodable(path, &reason.to_string())
            },
        )?;
        if value.is_null() && parameter.mode == Mode::Required {
            return Err(
                Diagnostic::error("Null argument", "The argument must not be null.").at(path),
            );
        }
        values.insert(parameter.name.clone().into_owned(), value);
    }
    Ok(Value::Map(values))
}

/// Reports that an argument does not match the signature, without quoting a value.
fn undecodable(path: AttributePath, reason: &str) -> Diagnostic {
    Diagnostic::error(
        "Cannot decode an argument",
        format!(
            "{reason}. Terraform or OpenTofu and this provider disagree on the function. Check \
             that only one version of the provider is in use. If so, please report this."
        ),
    )
    .at(path)
}

/// Reports that the function broke its own signature, without quoting a value.
fn wrong_result(name: &str, rule: &str) -> Diagnostic {
    Diagnostic::error(
        "Provider bug: invalid result",
        format!(
            "{name}: {rule}. The result was discarded. This is a bug in the provider. Please \
             report it with the provider's version and this text."
        ),
    )
}

/// Returns the parameter that an error is about.
fn at_parameter(error: Diagnostic, parameters: &[Attribute]) -> wire::FunctionError {
    let Some((Step::Attribute(name), _)) = error
        .path
        .as_ref()
        .and_then(|path| path.steps().split_first())
    else {
        return to_wire(error, None);
    };
    let mut numbered = (0..).zip(parameters);
    let argument = numbered.find(|(_, parameter)| parameter.name == name.as_str());
    let argument = argument.map(|(number, _)| number);
    to_wire(error, argument)
}

/// Converts an error to the single text that a function error has.
///
/// Hosts add their own text before it and a period after it. If the host's text has the parameter's
/// name, ours begins with the part of the argument; otherwise, with the summary.
pub(in crate::sdk) fn to_wire(error: Diagnostic, argument: Option<i64>) -> wire::FunctionError {
    let place = match argument {
        Some(_) => {
            let path = error.path.unwrap_or_default();
            let part: AttributePath = path.steps().iter().skip(1).cloned().collect();
            part.to_string()
        }
        None => error.summary,
    };
    let detail = error.detail.to_string();
    let detail = detail.trim_end_matches('.');
    let text = match (place.is_empty(), detail.is_empty()) {
        (true, _) => detail.to_owned(),
        (false, true) => place,
        (false, false) => format!("{place}: {detail}"),
    };
    wire::FunctionError {
        text: codec::printable(&text),
        function_argument: argument,
    }
}
