//! The ExternalSecret data mapping as an attribute.

use crate::provider::defaults::DEFAULT_SECRET_KEY;
use crate::sdk::{Field, object};

object! {
    /// One element of `spec.data` of an ExternalSecret.
    pub(in crate::provider) struct DataEntry {
        /// Key in the Kubernetes Secret.
        secret_key as "secretKey": String;
        /// Where the value comes from.
        remote_ref as "remoteRef": RemoteRef;
    }
}

object! {
    /// A field of a secret as an External Secrets store names it.
    pub(in crate::provider) struct RemoteRef {
        /// The secret in the store.
        key as "key": String;
        /// The field in the secret.
        property as "property": String;
    }
}

impl DataEntry {
    /// Makes an entry that is as known as its three parts.
    pub(in crate::provider) fn new(
        secret_key: Field<String>,
        key: Field<String>,
        property: Field<String>,
    ) -> Self {
        Self {
            secret_key,
            remote_ref: Field::Known(RemoteRef { key, property }),
        }
    }

    /// Makes the entry of a token under the variable that Claude Code reads, for a store that is
    /// rooted at the mount.
    pub(in crate::provider) fn of_token(path: &str, field: &str) -> Self {
        Self::new(
            Field::text(DEFAULT_SECRET_KEY),
            Field::text(path),
            Field::text(field),
        )
    }
}
