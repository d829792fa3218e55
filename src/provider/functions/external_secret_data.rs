//! `external_secret_data`: the mapping of a token, for stacks that do not have it in state.

use super::none_of;
use crate::protocol::Diagnostic;
use crate::provider::defaults::{DEFAULT_FIELD, DEFAULT_SECRET_KEY};
use crate::provider::diagnose::refuse;
use crate::provider::functions::data_entry::DataEntry;
use crate::sdk::{Field, Function, model};

/// The function.
pub(super) struct ExternalSecretData;

model! {
    /// The parameters of the function.
    pub(in crate::provider) struct Arguments {
        path: String = required() "Path of the secret in the mount, without `data/`.";
        field: String = optional() "Field of the secret that holds the token. If null, `claude_oauth_token`.";
        secret_key: String = optional() "Key in the Kubernetes Secret. If null, `CLAUDE_CODE_OAUTH_TOKEN`.";
    }
}

impl Function for ExternalSecretData {
    type Arguments = Arguments;
    type Result = Vec<DataEntry>;

    const NAME: &'static str = "external_secret_data";
    const SUMMARY: &'static str = "The data entry of an ExternalSecret that delivers a token.";
    const DESCRIPTION: &'static str = "Returns the entry of `spec.data` with which an \
        ExternalSecret delivers a token, for stacks that use a token and do not own it. It equals \
        the attribute of the same name of `claude_oauth_token`. The function does not read Vault, \
        so the entry is known at plan if the arguments are.\n\n\
        The key is `path`, for a store that is rooted at the mount. The function does not know the \
        mount. If `path` begins with the mount's own name, the operator would remove that name and \
        deliver a different secret: use the resource or the data source, or write the entry \
        yourself with the key `<mount>/data/<path>`.";
    const TAKES_UNKNOWN: bool = true;

    fn call(&self, arguments: Arguments) -> Result<Vec<DataEntry>, Diagnostic> {
        let Arguments {
            path,
            field,
            secret_key,
        } = arguments;
        none_of([
            refuse::path(&path, "path"),
            refuse::field(&field),
            refuse::secret_key(&secret_key, "secret_key"),
        ])?;
        Ok(vec![DataEntry::new(
            secret_key.or(Field::text(DEFAULT_SECRET_KEY)),
            path,
            field.or(Field::text(DEFAULT_FIELD)),
        )])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::AttributeValue;

    fn call(
        path: Field<String>,
        field: Field<String>,
        secret_key: Field<String>,
    ) -> Vec<DataEntry> {
        ExternalSecretData
            .call(Arguments {
                path,
                field,
                secret_key,
            })
            .unwrap()
    }

    #[test]
    fn the_entry_is_the_one_of_the_resource() {
        let entry = |key, path, field| {
            DataEntry::new(Field::text(key), Field::text(path), Field::text(field))
        };
        assert_eq!(
            call(Field::text("agent"), Field::Null, Field::Null),
            [entry(
                "CLAUDE_CODE_OAUTH_TOKEN",
                "agent",
                "claude_oauth_token"
            )]
        );
        assert_eq!(
            call(Field::text("a/b"), Field::text("token"), Field::text("KEY")),
            [entry("KEY", "a/b", "token")]
        );
    }

    #[test]
    fn only_what_is_unknown_is_unknown() {
        let entries = call(Field::Unknown, Field::Null, Field::text("KEY"));
        assert_eq!(
            entries,
            [DataEntry::new(
                Field::text("KEY"),
                Field::Unknown,
                Field::text(DEFAULT_FIELD)
            )]
        );
        assert!(!entries.into_value().is_unknown());
    }
}
