//! Which secret is a primary and which a spare: nobody writes that down as such, but marks and
//! stamps show it, without a further request.

use std::collections::BTreeSet;

use super::{Role, Seen};
use crate::token::mark::{Mark, MarkState};

/// What the metadata of one secret says of itself and of others.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// The spare that this token was promoted from.
    source: Option<String>,
    /// Primaries that marks of this secret name.
    targets: Vec<String>,
}

impl Hints {
    /// Takes the origin of the token and the marks of its field. A mark for an earlier token
    /// still tells that the secret is a spare.
    pub(super) fn new(source: Option<String>, marks: &[(Mark, MarkState)]) -> Self {
        let targets = marks.iter().map(|(mark, _)| mark.primary.path.clone());
        Self {
            source,
            targets: targets.collect(),
        }
    }
}

/// Gives each secret the role that it or another one shows it to have; a stamp of its own counts
/// before what others say.
pub(super) fn assign(seen: &mut [Seen]) {
    let mut primaries = BTreeSet::new();
    let mut spares = BTreeSet::new();
    for Seen { report, roles, .. } in seen.iter() {
        if let Some(source) = &roles.source {
            primaries.insert(report.path.clone());
            spares.insert(source.clone());
        }
        if !roles.targets.is_empty() {
            spares.insert(report.path.clone());
            primaries.extend(roles.targets.iter().cloned());
        }
    }
    for Seen { report, .. } in seen {
        report.role = if primaries.contains(&report.path) {
            Some(Role::Primary)
        } else if spares.contains(&report.path) {
            Some(Role::Spare)
        } else {
            None
        };
    }
}
