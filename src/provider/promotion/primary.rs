//! Step 1: read the primary, keep a token that someone stored there, and judge the token again.

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::choose::Target;
use super::stop::Stop;
use super::{Current, How, PATIENCE, PAUSE, Promotion, Reason, Report};
use crate::provider::diagnose;
use crate::provider::observe::{Content, Observation, Observed};
use crate::provider::secrets::date::{DatedToken, Found, Traces, date_traced};
use crate::token::expiry::{Dates, Status};
use crate::token::fingerprint::Fingerprint;
use crate::token::mint::MintFacts;
use crate::token::retired::{Retired, RetiredTokens};
use crate::token::spare::Purpose;
use crate::token::stamp::Next;
use crate::token::verdict::status_with;
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
    /// What was read from it, with our own changes of the metadata since then.
    pub(super) seen: Observation,
    /// Its token and the mint time, if it has one.
    pub(super) token: Option<(Fingerprint, Timestamp)>,
    /// What a spare is needed for.
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

/// What happens to the primary's token.
pub(super) enum Fate {
    /// It stays: someone stored it there and it works, or it already answers the request.
    Adopted,
    /// It stays, because it is not due.
    NotDue,
    /// It must be replaced with a spare.
    Replaced(Purpose),
}

/// A token of the primary, judged by the document and the real clock.
pub(super) struct Judged {
    dated: DatedToken,
    dates: Dates,
    status: Status,
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
        let Some(fingerprint) = self.token_in(&seen) else {
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
        let purpose = match self.fate(found, &judged) {
            Fate::Adopted => {
                let current = self.adopt(found, judged.dated, report).await?;
                return Ok(Primary::Settled(Box::new(current)));
            }
            Fate::NotDue => {
                report
                    .at_once
                    .push(diagnose::not_due_any_more(self.primary, &judged.dates));
                let retired = self.retired(&seen);
                let current = self.current(How::NotDue, found, judged.dated, None, retired);
                return Ok(Primary::Settled(Box::new(current)));
            }
            Fate::Replaced(purpose) => purpose,
        };
        if self.reason != Reason::Requested && judged.status != Status::Refused {
            self.may_rotate_for_a_date(&seen)?;
        }
        self.may_write()?;
        Ok(Primary::Replace(Box::new(PrimaryDocument {
            document,
            token: Some((fingerprint, judged.dates.minted_at)),
            purpose,
            seen,
        })))
    }

    /// Decides whether the primary's token stays.
    pub(super) fn fate(&self, found: Found<'_>, judged: &Judged) -> Fate {
        let Found {
            document,
            fingerprint,
            ..
        } = found;
        let is_requested = self.reason == Reason::Requested;
        let is_known = self.prior.fingerprint == Some(fingerprint);
        let is_answer = is_requested
            && self.request.is_some()
            && found.stamp().and_then(|stamp| stamp.requested) == self.request;
        let is_leaked = is_requested && self.was_rotated_away(document, fingerprint);
        if judged.status.is_working() && !is_known && !is_leaked || is_answer {
            return Fate::Adopted;
        }
        if !is_requested && !judged.status.is_due() {
            return Fate::NotDue;
        }
        Fate::Replaced(match (is_requested, judged.status.is_working()) {
            (_, false) => Purpose::Replacement,
            (true, true) => Purpose::Requested,
            (false, true) => Purpose::RotationDue,
        })
    }

    /// Reads until the answer is at least as new as `oldest`, but only for a limited time: a secret
    /// that was created again starts at 1, and check-and-set catches an old answer anyway.
    async fn present_document(&self, oldest: u64) -> Result<Document, Stop> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let document = self.document().await?;
            if document.version >= oldest || Instant::now() >= deadline {
                return Ok(document);
            }
            self.go_on()?;
            sleep(PAUSE).await;
        }
    }

    /// Returns whether the primary holds another token by now: the client that stored it may have
    /// used the spares that this attempt found spent.
    pub(super) async fn was_replaced(&self, primary: &PrimaryDocument) -> Result<bool, Stop> {
        let seen = Observation::of(&self.document().await?);
        let token = primary.token.map(|(fingerprint, _)| fingerprint);
        Ok(self.token_in(&seen) != token)
    }

    /// Returns the token in the primary's field.
    pub(super) fn token_in(&self, seen: &Observation) -> Option<Fingerprint> {
        match seen.field(self.primary.field, self.prior.fingerprint.as_ref()) {
            Content::Token { fingerprint, .. } => Some(fingerprint),
            _ => None,
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
            gone => Err(self.gone(&Observed::from(gone))),
        }
    }

    /// Stops at a primary that is gone. Bringing a version back does not change its number, so
    /// check-and-set would not detect it. Therefore nothing may be written over it.
    pub(super) fn gone(&self, observed: &Observed) -> Stop {
        let problem = diagnose::problem(self.primary, observed, None).unwrap_or_default();
        Stop::new(
            format!("Token {} cannot be replaced", self.primary),
            problem + format!("Then {}. Nothing was changed.", self.again()),
        )
        .without_a_token()
    }

    /// Judges a token by the document that was read and the real clock, since a plan may be
    /// rehearsed, old, or made before a stamp was corrected.
    pub(super) async fn judge(&self, found: Found<'_>) -> Result<Judged, Stop> {
        let dated = self.date(found).await?;
        let dates = Dates::new(dated.minted.at, self.lifetime, found.document.deletion_at);
        let verdict = found.verdict(self.configured.server_now());
        Ok(Judged {
            status: status_with(verdict.as_ref(), &dates, self.configured.now()),
            dated,
            dates,
        })
    }

    /// Returns whether a token was replaced on request before, as after a leak. This includes a
    /// token with an announced replacement on request, even if its successor is not stored yet.
    fn was_rotated_away(&self, seen: &Observation, fingerprint: Fingerprint) -> bool {
        let short = fingerprint.short();
        let next = Next::read(self.primary.field, &seen.custom_metadata);
        let replaced = next.and_then(|next| next.replaces);
        let is_leaked = |retired: &Retired| retired.fingerprint == short && retired.on_request;
        replaced.as_ref().is_some_and(is_leaked)
            || self.retired(seen).get(short).is_some_and(is_leaked)
    }

    /// Returns the tokens that the primary held before, according to its metadata and to state.
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
                    "Vault's clock and this machine's clock are more than an hour apart, so no \
                     token is promoted because of a date. Correct the clock that is wrong, then {}.",
                    self.again()
                ),
            ));
        }
        match seen.deletion_at {
            Some(deletion_at)
                if self
                    .lifetime
                    .is_due_at_once(seen.created_at, seen.deletion_at) =>
            {
                Err(Stop::new(
                    format!("Token {} was not rotated", self.primary),
                    diagnose::deletion_ends(self.primary, deletion_at, true),
                ))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn current(
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
            keeps_one: false,
            lists_retired: {
                let metadata = &found.document.custom_metadata;
                !RetiredTokens::read(self.primary.field, metadata).is_empty()
            },
            verdict: found.verdict(self.configured.server_now()),
        }
    }

    /// Dates a token in the primary from what the state knows, its stamp, a spare that holds the
    /// same token, or the history.
    async fn date(&self, found: Found<'_>) -> Result<DatedToken, Stop> {
        let retired = &self.remembered.retired;
        let mut facts = MintFacts {
            retired: retired.minted_at(found.fingerprint.short()),
            ..MintFacts::default()
        };
        if self.prior.fingerprint == Some(found.fingerprint) {
            facts.prior = self.prior.dated;
        }
        let traces = Traces {
            spare_paths: self.spare_paths,
            before: None,
        };
        date_traced(self.observer, found, facts, traces)
            .await
            .map_err(Stop::from_diagnostic)
    }
}
