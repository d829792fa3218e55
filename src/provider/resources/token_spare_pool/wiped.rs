//! What was recorded about a spare's token and is gone from the metadata of its secret.

use std::collections::BTreeMap;

use crate::protocol::Diagnostic;
use crate::provider::diagnose::{self, Place};
use crate::provider::secrets::observe::Observer;
use crate::provider::secrets::stamps::note;
use crate::vault::SecretPath;

/// What was recorded about a token and is gone from the metadata of its secret.
pub(super) struct Wiped {
    /// The secret.
    pub(super) secret: SecretPath,
    /// The field.
    pub(super) field: String,
    /// The entries that restore it.
    pub(super) entries: BTreeMap<String, String>,
}

impl Wiped {
    /// Reports it, with the command that restores it.
    pub(super) fn warning(&self) -> Diagnostic {
        diagnose::bookkeeping_gone(self.place(), self.entries.iter())
    }

    /// Writes the entries back, which is a warning if it fails.
    pub(super) async fn restore(&self, observer: &Observer) -> Option<Diagnostic> {
        let changes = self.entries.iter();
        let changes = changes.map(|(key, value)| (key.clone(), Some(value.clone())));
        let noted = note(observer.store(), &self.secret, &changes.collect()).await;
        observer.forget(&self.secret);
        noted
            .err()
            .map(|error| diagnose::not_stamped(self.place(), &error))
    }

    fn place(&self) -> Place<'_> {
        Place {
            secret: &self.secret,
            field: &self.field,
        }
    }
}
