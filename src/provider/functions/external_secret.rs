//! `external_secret`: a whole ExternalSecret, for `kubernetes_manifest` and `yamlencode`.

mod argument;
mod data;
mod manifest;
mod nearest;
mod spec;
mod template;

use crate::protocol::{Diagnostic, Type, Value};
use crate::sdk::{Dynamic, Field, Function, model};
use spec::Spec;

/// The function.
pub(super) struct ExternalSecret;

model! {
    /// The parameters of the function.
    pub(in crate::provider) struct Arguments {
        spec: Dynamic = required() "An object with `name`, `namespace`, `data`, and any of the optional attributes.";
    }
}

impl Function for ExternalSecret {
    type Arguments = Arguments;
    type Result = Dynamic;

    const NAME: &'static str = "external_secret";
    const SUMMARY: &'static str =
        "The manifest of an ExternalSecret that delivers tokens and other fields.";
    const DESCRIPTION: &'static str = "Returns the manifest of an `external-secrets.io/v1` \
        ExternalSecret, for `kubernetes_manifest` or `yamlencode`. The function does not read \
        Vault. Only the parts of the manifest whose argument is unknown are unknown.\n\n\
        The argument is an object:\n\n\
        - `name` (string, required) Name of the ExternalSecret.\n\
        - `namespace` (string, required) Its namespace.\n\
        - `data` (list of objects, required) The entries of `spec.data`, at least one. Take them \
        from `external_secret_data` of a function, resource, or data source, write them yourself, \
        and join lists with `concat`. They pass through unchanged, with every field that the \
        operator knows. Each needs its own `secretKey`. `decodingStrategy` must not be `Auto` or \
        `Base64URL` in an entry for a token: every Claude token is also valid Base64URL, and the \
        operator would deliver garbage.\n\
        - `store_name` (string) Name of the store. Defaults to `vault-kv`.\n\
        - `store_kind` (string) `ClusterSecretStore` or `SecretStore`. Defaults to \
        `ClusterSecretStore`.\n\
        - `refresh_interval` (string) How often the operator reads the secret, such as `15m` or \
        `1h`. Defaults to `1h0m0s`.\n\
        - `refresh_policy` (string) `Periodic` reads the secret at the interval and after each \
        change of the ExternalSecret. `OnChange` reads it only after a change, so Vault is never \
        polled. `CreatedOnce` reads it once. Defaults to `Periodic`.\n\
        - `target_name` (string) Name of the Kubernetes Secret. Defaults to `name`. To lead pods to \
        a new token, [name the Secret after its token](../guides/pods.md).\n\
        - `annotations` (map of strings) Annotations of the ExternalSecret. The operator reads the \
        secret soon after one changes. Because nothing would be synced, annotations cannot be \
        combined with `CreatedOnce`, or with an interval of 0 under `Periodic`.\n\
        - `secret_annotations`, `secret_labels` (maps of strings) Annotations and labels of the \
        Kubernetes Secret, for controllers such as Reloader. The operator fills in templates: \
        `sha256:{{ .CLAUDE_CODE_OAUTH_TOKEN | sha256sum }}` becomes the token's fingerprint.\n\
        - `reject_malformed` (bool) Whether the operator refuses to deliver a value that is not a \
        token of 108 characters. It then reports an error and leaves the Secret as it is. White \
        space around a token is removed. This applies to each entry with the property \
        `claude_oauth_token` or the key `CLAUDE_CODE_OAUTH_TOKEN`; other entries are delivered \
        unchanged. Defaults to `false`.\n\n\
        Any other attribute is an error. An attribute that is null is treated as left out; a null \
        in a map, or for a typed null, is dropped by `kubernetes_manifest` and by the API. Leave \
        nulls out of `data`: with one in it, `kubernetes_manifest` plans an update every time. The \
        last three attributes make a `target.template`, and with a template, the operator no \
        longer copies `annotations` to the Secret. Everything else is left to the operator's \
        defaults: it creates the Secret, owns it, and keeps it when the token is gone from Vault.";
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
