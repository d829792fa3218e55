//! The status of tokens, for people and for monitors. It only reads, with one request for each
//! secret that has a stamp.

mod describe;
mod roles;
pub(super) mod targets;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::{LastVerdict, Operations, Refusal};
use crate::clock;
use crate::protocol::Diagnostic;
use crate::provider::diagnose::{self, Reported};
use crate::sdk::Diagnostics;
use crate::token::expiry::Status;
use crate::token::fingerprint::Fingerprint;
use crate::vault::VaultError;
use crate::words::words;

/// How many other holders of its token are listed with a secret; listing all of them would grow
/// with the square of their number.
const COPIES_NAMED: usize = 20;
/// How many secrets are read at a time.
const TOGETHER: usize = 16;

words! {
    /// The state of one token: the words of the resources, and those that only an overview needs.
    pub enum State {
        /// It works and is not due yet.
        InDate = "in_date",
        /// It works and should be replaced.
        RotationDue = "rotation_due",
        /// It has expired.
        Expired = "expired",
        /// It was refused when it was last verified.
        Refused = "refused",
        /// It was promoted to a primary, so it is no longer a spare.
        Spent = "spent",
        /// Another secret of the overview holds it as well, and comes first.
        Duplicate = "duplicate",
        /// The field holds something that is not a token.
        Malformed = "malformed",
        /// The secret or the field does not exist.
        Missing = "missing",
        /// It could not be read.
        Unreadable = "unreadable",
    }
}

impl State {
    /// Reports whether the token needs action.
    pub fn is_due(self) -> bool {
        !matches!(self, Self::InDate | Self::Unreadable)
    }
}

impl From<Status> for State {
    fn from(status: Status) -> Self {
        match status {
            Status::InDate => Self::InDate,
            Status::RotationDue => Self::RotationDue,
            Status::Expired => Self::Expired,
            Status::Refused => Self::Refused,
            Status::Malformed => Self::Malformed,
            Status::Missing => Self::Missing,
        }
    }
}

words! {
    /// What a secret is used for, as far as its own metadata and that of the others show it.
    pub enum Role {
        /// A spare was promoted into it, or is marked to be.
        Primary = "primary",
        /// It was marked for a promotion, or a token was promoted from it.
        Spare = "spare",
    }
}

/// The report on one token; it contains no part of the token's text.
#[derive(Clone, Debug)]
pub struct TokenReport {
    /// Path in the mount.
    pub path: String,
    /// The field.
    pub field: String,
    /// The state of the token.
    pub state: State,
    /// The token's fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// Number of the version that was read.
    pub kv_version: Option<u64>,
    /// When it was minted.
    pub minted_at: Option<Timestamp>,
    /// The source of the mint time, in the words of the resource: `stamp`, `history` or
    /// `estimated`.
    pub minted_at_source: Option<&'static str>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// When it becomes due.
    pub rotate_at: Option<Timestamp>,
    /// The label of its account.
    pub account: Option<String>,
    /// What was last found about it.
    pub verdict: Option<LastVerdict>,
    /// What the secret is used for, if metadata shows that.
    pub role: Option<Role>,
    /// Path of the spare that the token came from.
    pub rotated_from: Option<String>,
    /// Path of the primary that this token was promoted to.
    pub promoted_to: Option<String>,
    /// Other paths of the overview with the same token, the first 20 of them.
    pub same_token_as: Vec<String>,
    /// How many other paths of the overview have the same token.
    pub same_token_count: usize,
    /// Why there is no token to date, in one sentence.
    pub problem: Option<String>,
}

/// The states of the requested tokens.
#[derive(Debug)]
pub struct Overview {
    /// The time by which they were judged.
    pub as_of: Timestamp,
    /// The time of the machine's clock, even if a date is rehearsed.
    pub taken_at: Timestamp,
    /// One entry for each token, the most urgent first.
    pub tokens: Vec<TokenReport>,
    /// Whether something could not be read.
    pub is_incomplete: bool,
    /// Errors and warnings, with what to do about them.
    pub diagnostics: Diagnostics,
}

impl Overview {
    /// Reports whether any token needs action.
    pub fn is_due(&self) -> bool {
        self.tokens.iter().any(|token| token.state.is_due())
    }
}

/// What was found at one path.
struct Seen {
    report: TokenReport,
    /// What the secret's metadata shows about roles.
    roles: roles::Hints,
    trouble: Option<VaultError>,
    diagnostics: Diagnostics,
    unusable: Option<Reported>,
}

impl Operations {
    /// Reads the tokens at the targets: paths, lists such as `spare-{1,2}`, and prefixes, which end
    /// with a slash. Without a target, it reads the whole mount.
    ///
    /// # Errors
    ///
    /// Fails if a target is none of these, or if nothing could be listed. A secret that cannot be
    /// read in time is an entry and an error in the overview.
    pub async fn overview(&self, targets: &[String]) -> Result<Overview, Refusal> {
        let targets::Paths {
            paths,
            mut diagnostics,
            mut is_incomplete,
        } = self.paths(targets).await?;
        let broken = OnceLock::new();
        let mut seen: Vec<Seen> = stream::iter(paths)
            .map(async |(place, observed)| {
                self.for_one_secret()
                    .describe(place, observed, &broken)
                    .await
            })
            .buffered(TOGETHER)
            .collect()
            .await;
        roles::assign(&mut seen);
        self.note_spent(&mut seen).await;
        mark_copies(&mut seen);
        let mut troubles: Vec<(VaultError, Vec<String>)> = Vec::new();
        let mut unusable = Vec::new();
        for seen in &mut seen {
            diagnostics.append(&mut seen.diagnostics);
            unusable.extend(seen.unusable.take());
            if let Some(error) = seen.trouble.take() {
                let name = self.name_of(&seen.report.path, &seen.report.field);
                match troubles.iter_mut().find(|(known, _)| *known == error) {
                    Some((_, names)) => names.push(name),
                    None => troubles.push((error, vec![name])),
                }
            }
        }
        diagnostics.extend(Reported::together(unusable));
        diagnostics.extend(
            troubles
                .iter()
                .map(|(error, names)| diagnose::vault_error(error, &some_of(names))),
        );
        diagnostics.extend(self.configured.skew_warning());
        is_incomplete |= diagnostics.iter().any(Diagnostic::is_error);
        let mut tokens: Vec<_> = seen.into_iter().map(|seen| seen.report).collect();
        tokens.sort_by(|a, b| {
            let order = |token: &TokenReport| (token.expires_at, token.state != State::Unreadable);
            order(a).cmp(&order(b)).then_with(|| a.path.cmp(&b.path))
        });
        Ok(Overview {
            as_of: self.configured.now(),
            taken_at: clock::now(),
            tokens,
            is_incomplete,
            diagnostics,
        })
    }
}

/// Marks tokens that more than one secret holds. The primary, or else the first secret, is the
/// original. A promoted spare stays spent, which says more.
fn mark_copies(seen: &mut [Seen]) {
    let mut holders: BTreeMap<Fingerprint, Vec<usize>> = BTreeMap::new();
    for (index, Seen { report, .. }) in seen.iter().enumerate() {
        if let Some(fingerprint) = report.fingerprint {
            holders.entry(fingerprint).or_default().push(index);
        }
    }
    for holders in holders.into_values().filter(|holders| holders.len() > 1) {
        let original = holders.iter().copied().min_by_key(|&index| {
            let report = &seen[index].report;
            let is_primary = report.role == Some(Role::Primary);
            (!is_primary, report.state == State::Spent, index)
        });
        for &index in &holders {
            let others = holders.iter().filter(|&&other| other != index);
            let paths = others
                .take(COPIES_NAMED)
                .map(|&other| seen[other].report.path.clone())
                .collect();
            let report = &mut seen[index].report;
            report.same_token_as = paths;
            report.same_token_count = holders.len() - 1;
            if Some(index) != original && report.state != State::Spent {
                report.state = State::Duplicate;
            }
        }
    }
}

/// Names the first of many.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 3;
    match names.len() {
        length if length > SHOWN => {
            let shown = names[..SHOWN].join(", ");
            format!("{shown} and {} more", length - SHOWN)
        }
        _ => names.join(", "),
    }
}
