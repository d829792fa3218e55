//! `external_secret`: a whole ExternalSecret, for `kubernetes_manifest` and `yamlencode`.

mod data;
mod manifest;
mod nearest;
mod spec;

use crate::protocol::{Diagnostic, Type, Value};
use crate::sdk::{Dynamic, Field, Function, model};
use spec::Spec;

/// The function.
pub(super) struct ExternalSecret;

model! {
    /// What the function takes.
    pub(in crate::provider) struct Arguments {
        spec: Dynamic = required() "An object with `name`, `namespace` and `data`, and with whichever of the other attributes is wanted.";
    }
}

impl Function for ExternalSecret {
    type Arguments = Arguments;
    type Result = Dynamic;

    const NAME: &'static str = "external_secret";
    const SUMMARY: &'static str =
        "The manifest of an ExternalSecret that delivers tokens and other fields.";
    const DESCRIPTION: &'static str = "Returns the manifest of an `external-secrets.io/v1` \
        ExternalSecret, for `kubernetes_manifest` or `yamlencode`. Nothing is read from Vault. What is unknown in the argument is unknown in the manifest, \
        and nothing else is.\n\n\
        The argument is an object:\n\n\
        - `name` (string, required) Name of the ExternalSecret.\n\
        - `namespace` (string, required) Its namespace.\n\
        - `data` (list of objects, required) The entries of `spec.data`, at least one. They pass \
        through as they are, with every field that the operator knows: take them from \
        `external_secret_data` of a function, resource or data source, write them by hand, and \
        join them with `concat`. No two have the same `secretKey`.\n\
        - `store_name` (string) Name of the store. Defaults to `vault-kv`.\n\
        - `store_kind` (string) `ClusterSecretStore` or `SecretStore`. Defaults to \
        `ClusterSecretStore`.\n\
        - `refresh_interval` (string) How often the operator reads the secret anew, in hours, \
        minutes and seconds; `0s` for once. It is written the way the operator's API writes it \
        (`15m` becomes `15m0s`), so that later plans stay empty. Defaults to `1h0m0s`.\n\
        - `target_name` (string) Name of the Kubernetes Secret. Defaults to `name`.\n\
        - `annotations` (map of strings) Annotations of the ExternalSecret. The operator reads the \
        secret anew as soon as one changes: give it the `fingerprint` of the token.\n\n\
        An optional attribute that is null counts as left out, and one with another name is an \
        error. A null inside `data` or `annotations` stays, and `kubernetes_manifest` leaves it \
        out. Everything else is left to the defaults of the operator: it creates the Secret, \
        owns it, and keeps it when the token is gone from Vault.";
    const TAKES_UNKNOWN: bool = true;

    fn call(&self, arguments: Arguments) -> Result<Dynamic, Diagnostic> {
        let spec = match arguments.spec {
            Field::Known(spec) if !spec.is_unknown() => spec,
            _ => return Ok(Dynamic::new(Type::Dynamic, Value::Unknown)),
        };
        Ok(manifest::of(Spec::read(&spec)?))
    }
}

#[cfg(test)]
mod tests;
