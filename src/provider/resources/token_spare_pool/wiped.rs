//! What was recorded about a spare's token and is missing from the metadata of its secret.

use std::collections::BTreeMap;

use crate::protocol::Diagnostic;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::Observer;
use crate::provider::secrets::stamps::{Changes, fits, note};
use crate::vault::SecretPath;

/// What was recorded about a token and is missing from the metadata of its secret.
pub(super) struct Wiped {
    /// The secret.
    pub(super) secret: SecretPath,
    /// The field.
    pub(super) field: String,
    /// The metadata of the secret.
    pub(super) custom_metadata: BTreeMap<String, String>,
    /// The entries that restore it.
    pub(super) changes: Changes,
}

impl Wiped {
    /// Reports what is missing, with the command that restores it, or that there is no room for it.
    pub(super) fn warning(&self) -> Diagnostic {
        if !fits(&self.custom_metadata, &self.changes) {
            return diagnose::metadata_full(self.place());
        }
        let entries = self.changes.iter();
        let entries = entries.filter_map(|(key, value)| Some((key, value.as_ref()?)));
        diagnose::bookkeeping_gone(self.place(), entries)
    }

    /// Writes the entries back; a failure is only a warning.
    pub(super) async fn restore(&self, observer: &Observer) -> Option<Diagnostic> {
        if !fits(&self.custom_metadata, &self.changes) {
            return Some(diagnose::metadata_full(self.place()));
        }
        let noted = note(observer.store(), &self.secret, &self.changes).await;
        observer.forget(&self.secret);
        noted
            .err()
            .map(|error| diagnose::not_stamped(self.place(), &error, None))
    }

    fn place(&self) -> Place<'_> {
        Place {
            secret: &self.secret,
            field: &self.field,
        }
    }
}
