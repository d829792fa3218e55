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

    /// Makes the entry of a token under the variable that Claude Code reads.
    pub(in crate::provider) fn of_token(mount: &str, path: &str, field: &str) -> Self {
        Self::new(
            Field::text(DEFAULT_SECRET_KEY),
            remote_key(&Field::text(mount), &Field::text(path)),
            Field::text(field),
        )
    }
}

/// Returns the key of a secret in a store of ESO's `vault` kind that is rooted at the mount.
///
/// ESO mistakes a mount or `data` at the beginning of a path, and `/data/` anywhere in it, for the
/// parts that it inserts itself. Such a path is therefore written out in full.
pub(in crate::provider) fn remote_key(
    mount: &Field<String>,
    path: &Field<String>,
) -> Field<String> {
    let Field::Known(known) = path else {
        return path.clone();
    };
    let is_below = |name: &str| {
        known == name
            || known
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let is_written_out = is_below("data") || known.contains("/data/");
    match mount {
        Field::Known(mount) if is_written_out || is_below(mount) => {
            Field::text(format!("{mount}/data/{known}"))
        }
        Field::Unknown if is_written_out => Field::Unknown,
        _ => path.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_eso_would_cut_is_written_out() {
        for (mount, path, expected) in [
            ("secret", "agent", "agent"),
            ("secret", "team/agent", "team/agent"),
            ("secret", "secrets/agent", "secrets/agent"),
            ("secret", "database/agent", "database/agent"),
            ("secret", "secret/agent", "secret/data/secret/agent"),
            ("secret", "secret", "secret/data/secret"),
            ("secret", "data/agent", "secret/data/data/agent"),
            ("secret", "team/data/agent", "secret/data/team/data/agent"),
            ("kv/team", "kv/team/agent", "kv/team/data/kv/team/agent"),
            ("kv/team", "kv/agent", "kv/agent"),
        ] {
            let key = remote_key(&Field::text(mount), &Field::text(path));
            assert_eq!(key.as_str(), Some(expected), "{mount} {path}");
        }
        let plain = Field::text("agent");
        assert_eq!(remote_key(&Field::Unknown, &plain), plain);
        assert!(remote_key(&Field::Unknown, &Field::text("data/agent")).is_unknown());
        assert!(remote_key(&Field::text("secret"), &Field::Unknown).is_unknown());
    }
}
