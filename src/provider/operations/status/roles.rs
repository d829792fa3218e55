//! Which secret is a primary and which a spare, and which tokens are spent: this is not recorded as
//! such, but marks and stamps show it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};

use super::{Operations, Role, Seen, State, TOGETHER};
use crate::provider::secrets::spares::Spares;
use crate::token::fingerprint::ShortFingerprint;
use crate::token::mark::{Mark, MarkState};
use crate::token::paths::FieldPath;
use crate::token::retired::RetiredTokens;
use crate::token::stamp::Stamp;

/// What the metadata of one secret says about that secret and about others.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// The spare that a token of this field was promoted from, now or before.
    source: Option<String>,
    /// The marks of the field, whichever token they are about.
    marks: Vec<Mark>,
    /// The tokens that this field held before.
    retired: RetiredTokens,
}

impl Hints {
    /// Reads what the metadata says about a field.
    pub(super) fn read(field: &str, metadata: &BTreeMap<String, String>) -> Self {
        Self {
            source: Stamp::read(field, metadata).and_then(|stamp| stamp.rotated_from),
            marks: Mark::read_all(field, metadata),
            retired: RetiredTokens::read(field, metadata),
        }
    }
}

/// Gives each secret the role that its own metadata or that of another secret shows. What other
/// secrets show takes precedence over its own marks.
pub(super) fn assign(seen: &mut [Seen]) {
    let mut primaries = BTreeSet::new();
    let mut spares = BTreeSet::new();
    for Seen { report, roles, .. } in seen.iter() {
        if let Some(source) = &roles.source {
            primaries.insert(report.path.clone());
            spares.insert(source.clone());
        }
        if !roles.marks.is_empty() {
            spares.insert(report.path.clone());
            primaries.extend(roles.marks.iter().map(|mark| mark.primary.path.clone()));
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

impl Operations {
    /// Records which tokens are spent: a mark on any of the secrets, or an entry in any list of
    /// retired tokens, applies to each copy. Only a mark about one of these tokens costs a request,
    /// for the primary that it names.
    pub(super) async fn note_spent(&self, seen: &mut [Seen]) {
        let reads = self.for_one_secret();
        let Ok(observer) = reads.configured.observer() else {
            return;
        };
        let tokens: BTreeSet<_> = seen.iter().filter_map(short).collect();
        let mut spent: BTreeMap<ShortFingerprint, FieldPath> = BTreeMap::new();
        let mut failed = BTreeMap::new();
        let mut marks = Vec::new();
        for Seen { report, roles, .. } in seen.iter() {
            for retired in roles.retired.iter() {
                spent.entry(retired.fingerprint).or_insert(FieldPath {
                    path: report.path.clone(),
                    field: report.field.clone(),
                });
            }
            let spares = Spares {
                configured: &reads.configured,
                observer,
                mount: &reads.mount,
                field: &report.field,
                lifetime: reads.lifetime,
                primary: None,
                reread: false,
            };
            let of_tokens = roles.marks.iter();
            let of_tokens = of_tokens.filter(|mark| tokens.contains(&mark.fingerprint));
            marks.extend(of_tokens.map(|mark| async move { (mark, spares.judge(mark).await) }));
        }
        let judged: Vec<_> = stream::iter(marks).buffered(TOGETHER).collect().await;
        for (mark, state) in judged {
            match state {
                Ok(MarkState::Spent) => {
                    spent.insert(mark.fingerprint, mark.primary.clone());
                }
                Ok(_) => {}
                Err(error) => {
                    failed.insert(mark.fingerprint, error);
                }
            }
        }
        for seen in seen {
            let Some(token) = short(seen) else {
                continue;
            };
            let is_here = |primary: &FieldPath| {
                primary.path == seen.report.path && primary.field == seen.report.field
            };
            if let Some(primary) = spent.get(&token).filter(|primary| !is_here(primary)) {
                if seen.report.rotated_from.is_none() {
                    seen.report.state = State::Spent;
                    seen.report.promoted_to = Some(primary.path.clone());
                }
            } else if let Some(error) = failed.get(&token) {
                seen.report.state = State::Unreadable;
                seen.report.problem = Some(format!("{}.", error.summary));
                seen.diagnostics.push(error.clone());
            }
        }
    }
}

fn short(seen: &Seen) -> Option<ShortFingerprint> {
    Some(seen.report.fingerprint?.short())
}
