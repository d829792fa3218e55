//! Promotion: a usable spare's token is copied into the primary's field.
//!
//! One request decides, the write of the primary under check-and-set. All that is noted about it
//! is written before and counts only once the write has happened, so that there is nothing to
//! repair after a crash: whoever comes next starts at the first step.
//!
//! | step | where |
//! |---|---|
//! | 1. read the primary: adopt a token that somebody put there | `primary` |
//! | 2. read its older versions and the spares, choose | `choose` |
//! | 3. and 4. mark the spare, and see that the mark stands | `claim` |
//! | 5. and 6. stamp the primary for the token to come, and write it | `write` |

mod choose;
mod claim;
mod primary;
mod stop;
mod write;

use tokio_util::sync::CancellationToken;

pub(super) use stop::Stop;

use super::diagnose::Place;
use crate::provider::block::configured::Configured;
use crate::provider::secrets::observe::Observer;
use crate::sdk::{Diagnostics, Progress};
use crate::token::expiry::{Lifetime, Status};
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::mint::{Dated, Minted};
use crate::token::paths::FieldPath;
use crate::token::promotable::Purpose;

/// How long another primary that has the lower claim may take to withdraw its mark, and how long
/// a mark may take to show on a standby.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// How long a look waits before the next one.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
/// How old a mark may be when the primary is written.
const MARK_AGE: std::time::Duration = std::time::Duration::from_secs(300);
/// How often a sibling's write may come in between.
const WRITES: usize = 3;

/// Why a token is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The state of the token asks for it.
    Status(Status),
    /// The user asked for it by name.
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

    fn purpose(self) -> Purpose {
        match self {
            Self::Status(Status::RotationDue) => Purpose::RotationDue,
            Self::Status(_) | Self::Requested => Purpose::Replacement,
        }
    }

    fn is_for_a_date(self) -> bool {
        matches!(self, Self::Status(Status::RotationDue | Status::Expired))
    }
}

/// What the state knows of the primary.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prior {
    /// Its token.
    pub(super) fingerprint: Option<Fingerprint>,
    /// The token's mint time.
    pub(super) dated: Option<Dated>,
    /// The version in which it was first seen.
    pub(super) kv_version: Option<u64>,
}

/// A promotion to carry out.
pub(super) struct Promotion<'a> {
    /// The context.
    pub(super) configured: &'a Configured,
    /// Who reads and writes.
    pub(super) observer: &'a Observer,
    /// Cancelled when the host asks to stop.
    pub(super) cancelled: CancellationToken,
    /// The primary.
    pub(super) primary: Place<'a>,
    /// The spares, in order of preference.
    pub(super) spare_paths: &'a [String],
    /// How long tokens live.
    pub(super) lifetime: Lifetime,
    /// Why.
    pub(super) reason: Reason,
    /// What the state knows.
    pub(super) prior: Prior,
    /// Digest of the request that the token will answer.
    pub(super) request: Option<ShortFingerprint>,
    /// Whether stamps and marks are wanted.
    pub(super) stamps: bool,
    /// Whether spares are read again that were seen before.
    pub(super) anew: bool,
    /// Who hears of the steps while they are taken.
    pub(super) progress: Option<&'a Progress>,
}

/// The token that the primary holds in the end.
#[derive(Clone, Debug)]
pub(super) struct Current {
    /// The token.
    pub(super) fingerprint: Fingerprint,
    /// The version that was current when it was seen.
    pub(super) version: u64,
    /// When that version was written.
    pub(super) created_at: jiff::Timestamp,
    /// When that version will be deleted by itself.
    pub(super) deletion_at: Option<jiff::Timestamp>,
    /// When the token was minted.
    pub(super) minted: Minted,
    /// The spare that it came from.
    pub(super) rotated_from: Option<String>,
}

/// What a promotion has to tell.
#[derive(Default)]
struct Told {
    /// What was done or seen, whatever comes of it.
    at_once: Diagnostics,
    /// What is true only once the primary is written: kept back until then.
    once_written: Diagnostics,
}

impl Told {
    /// The primary is written, or may be.
    fn written(&mut self) {
        self.at_once.extend(std::mem::take(&mut self.once_written));
    }
}

/// What a promotion came to.
#[derive(Debug)]
pub(super) struct Promoted {
    /// The token that the primary holds now: a spare's, or one that somebody put there. Or why
    /// nothing was promoted: the primary then holds what it held, unless the stop says that a
    /// write is still on its way.
    pub(super) outcome: Result<Current, Stop>,
    /// Warnings.
    pub(super) diagnostics: Diagnostics,
}

impl<'a> Promotion<'a> {
    /// Takes other spares.
    pub(super) fn with(self, spare_paths: &'a [String]) -> Self {
        Self {
            spare_paths,
            ..self
        }
    }
}

impl Promotion<'_> {
    /// Carries the promotion out.
    pub(super) async fn run(&self) -> Promoted {
        let mut told = Told::default();
        let outcome = self.promote(&mut told).await;
        // A stop may leave a write that is still on its way.
        self.observer.forget(self.primary.secret);
        // A step that is repeated has the same to say.
        let mut diagnostics = Diagnostics::new();
        for diagnostic in told.at_once {
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        Promoted {
            outcome,
            diagnostics,
        }
    }

    async fn promote(&self, told: &mut Told) -> Result<Current, Stop> {
        let mut passed_over = Vec::new();
        let mut noting = self.stamps;
        if !noting {
            told.once_written
                .push(stop::without_marks(self.primary, None));
        }
        for _ in 0..WRITES {
            let document = match self.read_primary(&mut told.at_once).await? {
                primary::Primary::Settled(current) => return Ok(*current),
                primary::Primary::Replace(document) => document,
            };
            self.may_write()?;
            let version = document.seen.version;
            self.tell(|| format!("{} is at version {version}; choosing a spare", self.primary));
            let choice = self.choose(document.token, version).await?;
            if noting && let Some(token) = document.token {
                self.mark_copies(&choice, token, version, told).await?;
            }
            loop {
                self.go_on()?;
                let Some(spare) = choice.next(&passed_over) else {
                    return Err(choice.nothing_usable(self, &passed_over));
                };
                self.tell(|| format!("Claiming the spare {}", spare.path()));
                let claim = match self.claim(spare, &document, noting, told).await? {
                    claim::Claim::Mine(claim) => claim,
                    claim::Claim::Unmarked(claim) => {
                        noting = false;
                        claim
                    }
                    claim::Claim::Taken(why) => {
                        self.tell(|| format!("{} is not to be had: {why}", spare.path()));
                        passed_over.push((spare.path().to_owned(), why));
                        continue;
                    }
                };
                self.tell(|| format!("Writing its token into {}", self.primary));
                match self.write(&document, spare, &claim, told).await? {
                    write::Outcome::Promoted(current) => return Ok(*current),
                    write::Outcome::Moved => {
                        self.tell(|| "Something else in the secret changed; looking again".into());
                        break;
                    }
                    write::Outcome::Stale => {}
                }
            }
        }
        Err(Stop::new(
            format!("Secret {} is too busy", self.primary.secret),
            format!(
                "Another program wrote it each time in between. Nothing was changed; {}.",
                self.again()
            ),
        ))
    }

    /// Refuses to write while a date is rehearsed, or for a date's sake by a clock that is off.
    fn may_write(&self) -> Result<(), Stop> {
        if self.configured.is_rehearsed() {
            return Err(Stop::new(
                format!("Token {} was not rotated", self.primary),
                format!(
                    "TF_CLAUDE_NOW is set, and nothing is written to Vault while it is. Unset it \
                     and {}.",
                    self.again()
                ),
            ));
        }
        if self.reason.is_for_a_date() && self.configured.clocks_differ() {
            return Err(Stop::new(
                format!("Token {} was not rotated", self.primary),
                format!(
                    "The clocks of Vault and of this machine are more than an hour apart, so \
                     nothing is promoted for a date's sake. Set the clock that is wrong and {}.",
                    self.again()
                ),
            ));
        }
        Ok(())
    }

    /// Stops between two steps where the host asked for it.
    fn go_on(&self) -> Result<(), Stop> {
        if self.cancelled.is_cancelled() {
            return Err(Stop::new(
                format!("Rotation of {} was interrupted", self.primary),
                format!("The primary was not written. To go on, {}.", self.again()),
            ));
        }
        Ok(())
    }

    /// Tells whether an action carries it out, which alone is followed step by step.
    fn is_action(&self) -> bool {
        self.progress.is_some()
    }

    /// How the user has it carried out once more, within a sentence.
    fn again(&self) -> &'static str {
        if self.is_action() {
            "invoke the action again"
        } else {
            "apply again"
        }
    }

    /// Tells a step to whoever follows.
    fn tell(&self, step: impl FnOnce() -> String) {
        if let Some(progress) = self.progress {
            progress.tell(step());
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
