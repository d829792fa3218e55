//! Promotion: a usable spare's token is copied into the primary's field.
//!
//! One request decides: the check-and-set write of the primary. Everything recorded about it is
//! written first and counts only once that write has happened. After a crash there is nothing to
//! repair: the next apply starts at the first step.
//!
//! | step | where |
//! |---|---|
//! | 1. read the primary, adopt a token that someone put there, judge the token again | `primary` |
//! | 2. read its older versions and the spares, choose | `choose` |
//! | 3. and 4. mark the spare, and judge it again once the marks show | `claim` |
//! | 5. and 6. announce the new token, and write it | `write` |
//! | the steps in order | `run` |
//! | what a promotion would do, determined without writing | `foresee` |
//! | stamps and retired tokens of the primary | `bookkeeping` |
//! | copies of the primary's tokens | `copies` |
//! | a token that is stored, and its copies | `stored` |

mod bookkeeping;
mod choose;
mod claim;
mod copies;
mod foresee;
mod primary;
mod run;
mod stop;
mod stored;
mod write;

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub(super) use choose::Target;
pub(super) use foresee::Foreseen;
pub(super) use stop::Stop;
pub(super) use stored::Marked;

use super::diagnose::Place;
use crate::clock;
use crate::protocol::{Diagnostic, Text};
use crate::provider::block::configured::Configured;
use crate::provider::observe::Observer;
use crate::sdk::{Diagnostics, Progress};
use crate::token::expiry::{Lifetime, Status};
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::mark::WRITTEN_WITHIN;
use crate::token::mint::{Dated, Minted};
use crate::token::paths::FieldPath;
use crate::token::retired::RetiredTokens;
use crate::token::spare::Purpose;
use crate::token::verdict::Verdict;

/// How long another primary may take to withdraw its mark, and how long a mark may take to show
/// on a standby.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// Pause between two reads.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
/// Why a token is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The status of the token requires it.
    Status(Status),
    /// The user asked for it.
    Requested,
}

impl Reason {
    /// Returns the word that state holds.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Status(status) => status.as_str(),
            Self::Requested => "requested",
        }
    }

    /// Returns what a spare is needed for.
    pub(super) fn purpose(self) -> Purpose {
        match self {
            Self::Status(Status::RotationDue) => Purpose::RotationDue,
            Self::Status(_) => Purpose::Replacement,
            Self::Requested => Purpose::Requested,
        }
    }
}

/// What the state knows about the primary.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prior {
    /// Its token.
    pub(super) fingerprint: Option<Fingerprint>,
    /// The token's mint time.
    pub(super) dated: Option<Dated>,
    /// The version in which it was first seen.
    pub(super) kv_version: Option<u64>,
}

/// Facts about tokens that were proven once. They count as much as the bookkeeping in Vault.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// The tokens that the primary held before.
    pub(super) retired: RetiredTokens,
    /// Spent tokens, with the primaries that have them.
    pub(super) spent: BTreeMap<ShortFingerprint, FieldPath>,
}

/// A promotion to carry out.
pub(super) struct Promotion<'a> {
    /// The context.
    pub(super) configured: &'a Configured,
    /// The observer, which reads and writes secrets.
    pub(super) observer: &'a Observer,
    /// Cancelled when the host asks to stop.
    pub(super) cancelled: CancellationToken,
    /// The primary.
    pub(super) primary: Place<'a>,
    /// The spares, in order of preference.
    pub(super) spare_paths: &'a [String],
    /// How long tokens live.
    pub(super) lifetime: Lifetime,
    /// Why the token is replaced.
    pub(super) reason: Reason,
    /// What the state knows about the primary.
    pub(super) prior: Prior,
    /// What state remembers about other tokens.
    pub(super) remembered: Remembered,
    /// Digest of the request that the token will answer.
    pub(super) request: Option<ShortFingerprint>,
    /// Whether to write stamps and marks.
    pub(super) stamps: bool,
    /// Whether spares that were read before are read again.
    pub(super) reread: bool,
    /// Where each step is reported, if anywhere.
    pub(super) progress: Option<&'a Progress>,
    /// Whether the command `promote` or an action carries it out, not a resource.
    pub(super) is_on_demand: bool,
}

/// How the primary came to hold its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A spare's token was promoted.
    Promoted,
    /// Someone stored a working token there, or the token already answers the request.
    Adopted,
    /// The token is not due, so nothing was done.
    NotDue,
}

/// The token that the primary holds in the end.
#[derive(Clone, Debug)]
pub(super) struct Current {
    /// How it came to be there.
    pub(super) how: How,
    /// The token.
    pub(super) fingerprint: Fingerprint,
    /// The version that was current when it was seen.
    pub(super) version: u64,
    /// When that version was written.
    pub(super) created_at: jiff::Timestamp,
    /// When Vault will delete that version automatically.
    pub(super) deletion_at: Option<jiff::Timestamp>,
    /// When the token was minted.
    pub(super) minted: Minted,
    /// The spare that it came from.
    pub(super) rotated_from: Option<String>,
    /// The tokens that the primary held before, as far as is known.
    pub(super) retired: RetiredTokens,
    /// Whether the token has a stamp of its own.
    pub(super) is_stamped: bool,
    /// Whether the metadata lists the tokens that the primary held before.
    pub(super) lists_retired: bool,
    /// Whether the server no longer keeps the token that was replaced.
    pub(super) keeps_one: bool,
    /// The last verdict on the token, if the primary already held it.
    pub(super) verdict: Option<Verdict>,
}

/// What a promotion has to report.
#[derive(Default)]
struct Report {
    /// What was done or seen, even if the promotion then fails.
    at_once: Diagnostics,
    /// What becomes true only once the primary is written; held back until then.
    once_written: Diagnostics,
}

impl Report {
    /// Releases what was held back: the primary is written, or may be.
    fn written(&mut self) {
        self.at_once.append(&mut self.once_written);
    }
}

/// What was found out about spares during the promotion.
#[derive(Default)]
struct Tried {
    /// Tokens that turned out to be taken or changed, each with the path and the reason.
    passed_over: BTreeMap<Fingerprint, (String, Text)>,
    /// Paths whose metadata cannot be written, each with the warning of a promotion from there.
    unwritable: BTreeMap<String, Diagnostic>,
    /// Whether the primary's metadata cannot be written.
    primary_is_unwritable: bool,
}

/// The result of a promotion.
#[derive(Debug)]
pub(super) struct Promoted {
    /// The token that the primary holds now, or why nothing was promoted. If nothing was promoted,
    /// the primary holds what it held before, unless the stop says that a write may have landed.
    pub(super) outcome: Result<Current, Stop>,
    /// Warnings.
    pub(super) diagnostics: Diagnostics,
}

impl Promotion<'_> {
    fn stale(&self) -> Stop {
        Stop::new(
            format!("Token {} was not rotated", self.primary),
            format!(
                "In each attempt, more than five minutes passed by Vault's clock between marking a \
                 spare and writing the primary. Check the clocks of the Vault servers, then {}.",
                self.again()
            ),
        )
    }

    /// Refuses to write while `TF_CLAUDE_NOW` rehearses a date.
    fn may_write(&self) -> Result<(), Stop> {
        if !self.configured.is_rehearsed() {
            return Ok(());
        }
        Err(Stop::new(
            format!("Token {} was not rotated", self.primary),
            format!(
                "While TF_CLAUDE_NOW is set, nothing is written to Vault. Unset it and \
                 {}.",
                self.again()
            ),
        ))
    }

    /// Returns the latest time at which the write of the primary may be sent: five minutes after
    /// Vault's last answer, by the wall clock, which keeps running while the machine sleeps. `None`
    /// if that answer is not within five minutes of the mark's time by Vault's dates.
    fn send_until(&self, marked_at: Option<Timestamp>) -> Option<Timestamp> {
        let time = self.observer.store().server_time();
        let date = time.map_or_else(|| self.configured.server_date(), |time| time.date);
        let is_in_time =
            |marked_at: Timestamp| date.duration_since(marked_at).abs() <= WRITTEN_WITHIN;
        let answered_at = time.map_or_else(clock::now, |time| time.received_at);
        marked_at
            .is_none_or(is_in_time)
            .then(|| answered_at + WRITTEN_WITHIN)
    }

    /// Stops between two steps if the host asked for it.
    fn go_on(&self) -> Result<(), Stop> {
        if self.cancelled.is_cancelled() {
            return Err(Stop::new(
                format!("Rotation of {} was interrupted", self.primary),
                format!(
                    "The primary was not written. To continue, {}.",
                    self.again()
                ),
            ));
        }
        Ok(())
    }

    /// Returns how the user runs it again, as part of a sentence.
    fn again(&self) -> &'static str {
        match (self.is_on_demand, self.progress) {
            (false, _) => "apply again",
            // Only an action is followed step by step.
            (true, Some(_)) => "invoke the action again",
            (true, None) => "run this again",
        }
    }

    /// Reports a step to anyone who follows.
    fn follow(&self, step: impl FnOnce() -> String) {
        if let Some(progress) = self.progress {
            progress.report(step());
        }
    }

    /// Returns the primary as marks name it.
    fn field_path(&self) -> FieldPath {
        FieldPath {
            path: self.primary.secret.path().to_owned(),
            field: self.primary.field.to_owned(),
        }
    }
}
