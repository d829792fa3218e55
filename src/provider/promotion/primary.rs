//! Step 1: read the primary, keep a token that somebody put there, and judge the token again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::choose::Target;
use super::stop::Stop;
use super::{Current, How, PATIENCE, PAUSE, Promotion, Reason, Report};
use crate::provider::diagnose;
use crate::provider::secrets::date::{DatedToken, Found, date};
use crate::provider::secrets::observe::{Field as Content, Observation, Observed};
use crate::provider::secrets::spares::HeldCopy;
use crate::provider::secrets::stamps::{Changes, NewStamp, apply, fits, note};
use crate::token::expiry::{Dates, Status, status_at};
use crate::token::fingerprint::Fingerprint;
use crate::token::mint::MintFacts;
use crate::token::retired::{Retired, RetiredTokens};
use crate::token::spare::Purpose;
use crate::token::stamp::{Next, Stamp, key, stamp_key};
use crate::token::verdict::Verdict;
use crate::vault::{Document, Reading};

/// What a read of the primary leads to.
pub(super) enum Primary {
    /// Its token is to be kept.
    Settled(Box<Current>),
    /// Its token is to be replaced.
    Replace(Box<PrimaryDocument>),
}

/// The version of the primary that is to be replaced.
pub(super) struct PrimaryDocument {
    /// The whole document.
    pub(super) document: Document,
    /// What was seen in it, with our own changes of the metadata since.
    pub(super) seen: Observation,
    /// Its token and the mint time, where it has one.
    pub(super) token: Option<(Fingerprint, Timestamp)>,
    /// What a spare is wanted for.
    pub(super) purpose: Purpose,
}

impl PrimaryDocument {
    /// Returns what spares are chosen for.
    pub(super) fn target(&self) -> Target<'_> {
        Target {
            token: self.token.map(|(fingerprint, _)| fingerprint),
            version: self.seen.version,
            custom_metadata: &self.seen.custom_metadata,
            purpose: self.purpose,
        }
    }
}

/// A token of the primary, judged by the document and the real clock.
struct Judged {
    dated: DatedToken,
    dates: Dates,
    is_refused: bool,
    status: Status,
}

impl Judged {
    fn works(&self) -> bool {
        self.status.is_working() && !self.is_refused
    }

    fn is_due(&self) -> bool {
        self.is_refused || self.status.is_due()
    }
}

impl Promotion<'_> {
    /// Reads the primary and decides whether its token stays.
    pub(super) async fn read_primary(
        &self,
        oldest: u64,
        report: &mut Report,
    ) -> Result<Primary, Stop> {
        let document = self.present_document(oldest).await?;
        let mut seen = Observation::of(&document);
        let content = seen.field(self.primary.field, self.prior.fingerprint.as_ref());
        let Content::Token { fingerprint, .. } = content else {
            self.may_write()?;
            return Ok(Primary::Replace(Box::new(PrimaryDocument {
                document,
                seen,
                token: None,
                purpose: Purpose::Replacement,
            })));
        };
        self.finish_next(&mut seen, fingerprint, report).await?;
        let found = Found {
            place: self.primary,
            document: &seen,
            fingerprint,
        };
        let judged = self.judge(found).await?;
        let is_requested = self.reason == Reason::Requested;
        let is_known = self.prior.fingerprint == Some(fingerprint);
        let is_answer = is_requested
            && self.request.is_some()
            && found.stamp().and_then(|stamp| stamp.requested) == self.request;
        let is_leaked = is_requested && self.was_rotated_away(&seen, fingerprint);
        if judged.works() && !is_known && !is_leaked || is_answer {
            let current = self.adopt(found, judged.dated, report).await?;
            return Ok(Primary::Settled(Box::new(current)));
        }
        if !is_requested && !judged.is_due() {
            report
                .at_once
                .push(diagnose::not_due_any_more(self.primary, &judged.dates));
            let retired = self.retired(&seen);
            let current = self.current(How::NotDue, found, judged.dated, None, retired);
            return Ok(Primary::Settled(Box::new(current)));
        }
        if !is_requested && !judged.is_refused {
            self.may_rotate_for_a_date(&seen)?;
        }
        self.may_write()?;
        let purpose = match (is_requested, judged.works()) {
            (_, false) => Purpose::Replacement,
            (true, true) => Purpose::Requested,
            (false, true) => Purpose::RotationDue,
        };
        Ok(Primary::Replace(Box::new(PrimaryDocument {
            document,
            token: Some((fingerprint, judged.dates.minted_at)),
            purpose,
            seen,
        })))
    }

    /// Reads until the answer is at least as new as `oldest`, for a while: a secret that was
    /// created again starts at 1, and check-and-set has the last word anyway.
    async fn present_document(&self, oldest: u64) -> Result<Document, Stop> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let document = self.document().await?;
            if document.version() >= oldest || Instant::now() >= deadline {
                return Ok(document);
            }
            self.go_on()?;
            sleep(PAUSE).await;
        }
    }

    async fn document(&self) -> Result<Document, Stop> {
        let reading = self
            .observer
            .store()
            .read(self.primary.secret)
            .await
            .map_err(|error| Stop::vault(&error, &self.primary.to_string()))?;
        match reading {
            Reading::Present(document) => Ok(document),
            gone => {
                let gone = Observed::from(gone);
                let problem = diagnose::problem(self.primary, &gone, None).unwrap_or_default();
                // Bringing a version back does not change its number, so that check-and-set would
                // not detect it: nothing may be written over it.
                Err(Stop::new(
                    format!("Token {} cannot be replaced", self.primary),
                    format!("{problem}Then {}. Nothing was changed.", self.again()),
                )
                .without_a_token())
            }
        }
    }

    /// Judges a token by the document that was read and the real clock, since a plan may be
    /// rehearsed, old, or made before a stamp was corrected.
    async fn judge(&self, found: Found<'_>) -> Result<Judged, Stop> {
        let dated = self.date(found).await?;
        let dates = Dates::new(dated.minted.at, self.lifetime, found.document.deletion_at);
        let verdict = Verdict::live(
            self.primary.field,
            &found.document.custom_metadata,
            &found.fingerprint,
            self.configured.server_now(),
        );
        Ok(Judged {
            status: status_at(&dates, self.configured.now()),
            is_refused: verdict.is_some_and(|verdict| verdict.is_refused()),
            dated,
            dates,
        })
    }

    /// Returns whether a token was replaced on request before, as after a leak. A token that is
    /// announced to be replaced so counts as well, even if its successor is not there yet.
    fn was_rotated_away(&self, seen: &Observation, fingerprint: Fingerprint) -> bool {
        let short = fingerprint.short();
        let next = Next::read(self.primary.field, &seen.custom_metadata);
        let replaced = next.and_then(|next| next.replaces);
        let is_leaked = |retired: &Retired| retired.fingerprint == short && retired.on_request;
        replaced.as_ref().is_some_and(is_leaked)
            || self.retired(seen).get(short).is_some_and(is_leaked)
    }

    /// Returns the tokens that the primary held before, by its metadata and by what state
    /// remembers.
    pub(super) fn retired(&self, seen: &Observation) -> RetiredTokens {
        let mut retired = RetiredTokens::read(self.primary.field, &seen.custom_metadata);
        retired.extend(self.remembered.retired.iter().copied());
        retired
    }

    /// Refuses to act on a date that may be wrong, or that a new version would have as well.
    fn may_rotate_for_a_date(&self, seen: &Observation) -> Result<(), Stop> {
        if self.configured.clocks_differ() {
            return Err(Stop::new(
                format!("Token {} was not rotated", self.primary),
                format!(
                    "The clocks of Vault and of this machine are more than an hour apart, so no \
                     token is promoted because of a date. Correct the clock that is wrong, and \
                     then {}.",
                    self.again()
                ),
            ));
        }
        let days = i64::from(self.lifetime.rotate_before_days());
        let due_before = SignedDuration::from_hours(24 * days);
        let is_short =
            |deletion_at: Timestamp| deletion_at.duration_since(seen.created_at) <= due_before;
        match seen.deletion_at {
            Some(deletion_at) if is_short(deletion_at) => Err(Stop::new(
                format!("Token {} was not rotated", self.primary),
                diagnose::deleted_when_due(self.primary, deletion_at, days),
            )),
            _ => Ok(()),
        }
    }

    /// Completes the bookkeeping of a write that took effect: the token to come is current.
    async fn finish_next(
        &self,
        seen: &mut Observation,
        fingerprint: Fingerprint,
        report: &mut Report,
    ) -> Result<(), Stop> {
        let field = self.primary.field;
        let Some(next) = Next::live(field, &seen.custom_metadata, &fingerprint) else {
            return Ok(());
        };
        if !self.stamps || self.configured.is_rehearsed() {
            return Ok(());
        }
        let minted_at = next.minted_at.unwrap_or(seen.created_at);
        let dates = Dates::new(minted_at, self.lifetime, seen.deletion_at);
        let stamp = NewStamp {
            rotated_from: next.rotated_from.clone(),
            requested: next.requested,
            account: self
                .account_of(next.rotated_from.as_ref(), fingerprint)
                .await,
            ..NewStamp::new(fingerprint, &dates)
        };
        let mut retired = self.retired(seen);
        retired.extend(next.replaces);
        let changes = self.bookkeeping(&stamp, &seen.custom_metadata, &retired, None);
        match self
            .note_primary(&seen.custom_metadata, changes, report)
            .await
        {
            Ok(changes) => apply(&mut seen.custom_metadata, &changes),
            Err(error) if error.refuses_for_good() => {}
            Err(error) => return Err(Stop::vault(&error, &self.primary.to_string())),
        }
        Ok(())
    }

    /// Returns the label of a token at the spare that it came from.
    async fn account_of(&self, path: Option<&String>, fingerprint: Fingerprint) -> Option<String> {
        let secret = crate::vault::SecretPath::new(self.primary.secret.mount(), path?).ok()?;
        let observed = self.observer.observe(&secret).await.ok()?;
        let Observed::Present(document) = &*observed else {
            return None;
        };
        let field = self.primary.field;
        Stamp::live(field, &document.custom_metadata, &fingerprint)?.account
    }

    /// Returns the changes that stamp the current token, retire those before it, and remove the
    /// announcement.
    pub(super) fn bookkeeping(
        &self,
        stamp: &NewStamp,
        metadata: &BTreeMap<String, String>,
        retired: &RetiredTokens,
        verdict: Option<&Verdict>,
    ) -> Changes {
        let field = self.primary.field;
        let mut changes = stamp.changes_in(field, metadata, retired.clone());
        if let Some(verdict) = verdict {
            let value = Some(verdict.to_string());
            changes.insert(stamp_key(field, key::VERIFIED), value);
        }
        changes
    }

    /// Writes changes into the primary's metadata; where they do not fit, the stamp is left out,
    /// with a warning. Returns what was written.
    pub(super) async fn note_primary(
        &self,
        metadata: &BTreeMap<String, String>,
        mut changes: Changes,
        report: &mut Report,
    ) -> Result<Changes, crate::vault::VaultError> {
        changes.retain(|key, value| metadata.get(key) != value.as_ref());
        if !fits(metadata, &changes) {
            report.at_once.push(diagnose::metadata_full(self.primary));
            changes.retain(|key, value| value.is_none() || metadata.contains_key(key));
        }
        match note(self.observer.store(), self.primary.secret, &changes).await {
            Ok(noted) => {
                report.noted(noted, self.primary, self.primary.secret.path());
                Ok(changes)
            }
            Err(error) => {
                if error.refuses_for_good() {
                    let warning = diagnose::not_stamped(self.primary, &error);
                    report.at_once.push(warning);
                }
                Err(error)
            }
        }
    }

    /// Keeps the token that is there, and stamps it unless its stamp is there.
    pub(super) async fn adopt(
        &self,
        found: Found<'_>,
        dated: DatedToken,
        report: &mut Report,
    ) -> Result<Current, Stop> {
        report.at_once.extend(dated.told(self.primary));
        let metadata = &found.document.custom_metadata;
        let stamp = found.stamp();
        let rotated_from = match &stamp {
            Some(stamp) => stamp.rotated_from.clone(),
            // A spare's mark shows where a token without a stamp came from.
            None => self
                .copy_of(found.fingerprint)
                .await
                .and_then(|copy| copy.promoted_from),
        };
        let mut retired = self.retired(found.document);
        retired.extend(self.replaced_prior(found.fingerprint));
        if self.stamps && !self.configured.is_rehearsed() {
            let target = Target {
                token: Some(found.fingerprint),
                version: found.document.version,
                custom_metadata: metadata,
                purpose: self.reason.purpose(),
            };
            let mut choice = self.choose(&target).await?;
            self.mark_copies(&mut choice, report).await?;
            retired.extend(choice.retired_versions().iter().copied());
            let dates = Dates::new(dated.minted.at, self.lifetime, found.document.deletion_at);
            let new = NewStamp {
                rotated_from: rotated_from.clone(),
                requested: self.request,
                ..NewStamp::new(found.fingerprint, &dates)
            };
            let mut changes = self.bookkeeping(&new, metadata, &retired, None);
            if stamp.is_some() || dated.is_estimate() {
                let keys = new.changes(self.primary.field);
                changes.retain(|key, _| !keys.contains_key(key));
            }
            let noted = self.note_primary(metadata, changes, report).await;
            noted.or_else(|error| {
                if error.refuses_for_good() {
                    Ok(Changes::new())
                } else {
                    Err(Stop::vault(&error, &self.primary.to_string()))
                }
            })?;
        }
        Ok(self.current(How::Adopted, found, dated, rotated_from, retired))
    }

    /// Returns the token that the state knows, if another one is current.
    pub(super) fn replaced_prior(&self, current: Fingerprint) -> Option<Retired> {
        let before = self.prior.fingerprint.filter(|before| *before != current)?;
        Some(Retired::new(
            &before,
            self.prior.dated.map(|dated| dated.at),
        ))
    }

    fn current(
        &self,
        how: How,
        found: Found<'_>,
        dated: DatedToken,
        rotated_from: Option<String>,
        retired: RetiredTokens,
    ) -> Current {
        Current {
            how,
            fingerprint: found.fingerprint,
            version: found.document.version,
            created_at: found.document.created_at,
            deletion_at: found.document.deletion_at,
            minted: dated.minted,
            rotated_from,
            retired,
            is_stamped: false,
        }
    }

    /// Dates a token in the primary: by what the state knows, its stamp, a spare that holds the
    /// same token, or the history.
    async fn date(&self, found: Found<'_>) -> Result<DatedToken, Stop> {
        let mut facts = MintFacts::default();
        if self.prior.fingerprint == Some(found.fingerprint) {
            facts.prior = self.prior.dated;
        } else if found.stamp().is_none() {
            let copy = self.copy_of(found.fingerprint).await;
            facts.spare = copy.map(|copy| copy.dated);
        }
        date(self.observer, found, facts)
            .await
            .map_err(Stop::from_diagnostic)
    }

    /// Reads the spares for one that holds this token.
    async fn copy_of(&self, fingerprint: Fingerprint) -> Option<HeldCopy> {
        let primary = self.field_path();
        let spares = self.spares(&primary);
        spares.holding(self.spare_paths, fingerprint).await
    }
}
