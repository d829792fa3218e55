//! Spares as they are read: their tokens, their dates, and what is known about each token in any
//! place.

mod copies;
mod marks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::unusable::Unusable;
use crate::provider::observe::{Content, Observation, Observed, Observer};
use crate::provider::secrets::date::{Found, date};
use crate::sdk::Diagnostics;
use crate::token::check::Problem;
use crate::token::expiry::{Dates, Lifetime};
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::mark::{Mark, MarkEntry};
use crate::token::mint::{Dated, MintFacts};
use crate::token::paths::FieldPath;
use crate::token::spare::{Knowledge, ReadSpare, ReadToken, Slot};
use crate::token::verdict::Verdict;
use crate::vault::{SecretPath, VaultError};

/// How spares are read.
#[derive(Clone, Copy)]
pub(in crate::provider) struct Spares<'a> {
    /// The context.
    pub(in crate::provider) configured: &'a Configured,
    /// The observer, which reads the secrets.
    pub(in crate::provider) observer: &'a Observer,
    /// Mount of spares and primary.
    pub(in crate::provider) mount: &'a str,
    /// Field of every spare.
    pub(in crate::provider) field: &'a str,
    /// How long tokens live.
    pub(in crate::provider) lifetime: Lifetime,
    /// The primary on whose behalf the spares are read, if there is one.
    pub(in crate::provider) primary: Option<&'a FieldPath>,
    /// Whether secrets that were read before are read again.
    pub(in crate::provider) reread: bool,
}

/// What is already known about a spare's token.
#[derive(Clone, Copy, Debug)]
pub(in crate::provider) struct Known {
    /// The token.
    pub(in crate::provider) fingerprint: Fingerprint,
    /// Its mint time.
    pub(in crate::provider) dated: Option<Dated>,
}

/// A spare, and what surrounds it.
#[derive(Debug)]
pub(in crate::provider) struct Reading {
    /// The spare.
    pub(in crate::provider) spare: ReadSpare,
    /// Why there is no token.
    pub(in crate::provider) problem: Option<Unusable>,
    /// New findings to warn about.
    pub(in crate::provider) diagnostics: Diagnostics,
    /// The metadata of the secret.
    pub(in crate::provider) custom_metadata: BTreeMap<String, String>,
    /// Every mark on the secret, whichever token it is about.
    pub(in crate::provider) marks: Vec<Mark>,
    /// The last verdict on the secret, whichever token it is about.
    verdict: Option<Verdict>,
}

impl Reading {
    /// Adds the verdict on the secret, unless it is from the future of Vault's clock.
    pub(in crate::provider) fn add_verdict(&self, knowledge: &mut Knowledge, vault_now: Timestamp) {
        let verdict = self.verdict.clone();
        if let Some(verdict) = verdict.filter(|verdict| verdict.at <= vault_now) {
            knowledge.add_verdict(verdict);
        }
    }
}

/// Several spares, read in parallel.
#[derive(Debug)]
pub(in crate::provider) struct Readings {
    /// Those that could be read, in the order of the list.
    pub(in crate::provider) read: Vec<Reading>,
    /// Those that could not be read, and why.
    pub(in crate::provider) failed: Vec<(String, Diagnostic)>,
    /// What is known about their tokens.
    pub(in crate::provider) knowledge: Knowledge,
}

impl Readings {
    /// Returns the spares that were read.
    pub(in crate::provider) fn spares(&self) -> Vec<ReadSpare> {
        self.read
            .iter()
            .map(|reading| reading.spare.clone())
            .collect()
    }
}

impl Spares<'_> {
    /// Reads spares in parallel, and judges the marks on all of them that are about any of their
    /// tokens. What is already known about a token is not read again.
    pub(in crate::provider) async fn read_all<'a>(
        &self,
        spares: impl IntoIterator<Item = (&'a String, Option<Known>)>,
    ) -> Readings {
        let reads = spares
            .into_iter()
            .map(async |(path, known)| (path.clone(), self.read(path, known).await));
        let mut readings = Readings {
            read: Vec::new(),
            failed: Vec::new(),
            knowledge: Knowledge::default(),
        };
        for (path, reading) in join_all(reads).await {
            match reading {
                Ok(reading) => readings.read.push(reading),
                Err(error) => readings.failed.push((path, error)),
            }
        }
        let now = self.configured.server_now();
        for reading in &readings.read {
            reading.add_verdict(&mut readings.knowledge, now);
        }
        let spares = readings.read.iter().map(|reading| &reading.spare);
        readings.knowledge.add_primaries(spares, self.field);
        self.judge_marks(&mut readings).await;
        readings
    }

    /// Judges the marks on any of the spares that are about one of their tokens. A spare whose
    /// mark could not be judged, because a read failed, counts as not read.
    async fn judge_marks(&self, readings: &mut Readings) {
        let tokens: BTreeSet<ShortFingerprint> = readings
            .read
            .iter()
            .filter_map(|reading| Some(reading.spare.token()?.fingerprint.short()))
            .collect();
        let marks: Vec<_> = readings
            .read
            .iter()
            .flat_map(|reading| &reading.marks)
            .filter(|mark| tokens.contains(&mark.fingerprint))
            .cloned()
            .collect();
        let states = join_all(marks.iter().map(|mark| self.judge(mark))).await;
        for (mark, state) in marks.into_iter().zip(states) {
            match state {
                Ok(state) => readings.knowledge.add_mark(mark, state),
                Err(error) => {
                    let about = |reading: &Reading| {
                        let token = reading.spare.token();
                        token.is_some_and(|token| mark.is_about(&token.fingerprint))
                    };
                    for reading in readings.read.extract_if(.., |reading| about(reading)) {
                        readings.failed.push((reading.spare.path, error.clone()));
                    }
                }
            }
        }
    }

    /// Reads one spare.
    ///
    /// # Errors
    ///
    /// Fails if the secret cannot be read.
    async fn read(&self, path: &str, known: Option<Known>) -> Result<Reading, Diagnostic> {
        let secret = secret_path(self.mount, path)?;
        let place = Place {
            secret: &secret,
            field: self.field,
        };
        let observed = self.seen(place).await?;
        self.reading(place, &observed, known).await
    }

    /// Returns what a read of a spare shows.
    ///
    /// # Errors
    ///
    /// Fails if an older version that dates the token cannot be read.
    pub(in crate::provider) async fn reading(
        &self,
        place: Place<'_>,
        observed: &Observed,
        known: Option<Known>,
    ) -> Result<Reading, Diagnostic> {
        let recorded = known.map(|known| known.fingerprint);
        let mut reading = Reading {
            spare: ReadSpare {
                path: place.secret.path().to_owned(),
                slot: Slot::Missing,
            },
            problem: Unusable::at(observed, place.field, recorded.as_ref()),
            diagnostics: Diagnostics::new(),
            custom_metadata: BTreeMap::new(),
            marks: Vec::new(),
            verdict: None,
        };
        let Observed::Present(document) = observed else {
            return Ok(reading);
        };
        reading.custom_metadata = document.custom_metadata.clone();
        reading.marks = Mark::read_all(self.field, &document.custom_metadata);
        reading.verdict = Verdict::read(self.field, &document.custom_metadata);
        reading.spare.slot = match document.field(self.field, recorded.as_ref()) {
            Content::Missing | Content::Empty => Slot::Missing,
            Content::Malformed(malformed) => Slot::Malformed(malformed.problem),
            Content::NotText(_) => Slot::Malformed(Problem::JsonDocument),
            content @ Content::Token {
                fingerprint,
                unproven,
                ..
            } => {
                let found = Found {
                    place,
                    document,
                    fingerprint,
                };
                let known = known.filter(|known| known.fingerprint == fingerprint);
                reading.diagnostics.extend(diagnose::form(place, content));
                let facts = MintFacts {
                    prior: known.and_then(|known| known.dated),
                    ..MintFacts::default()
                };
                let dated = date(self.observer, found, facts).await?;
                reading.diagnostics.extend(dated.warnings(place));
                let stamp = found.stamp();
                Slot::Token(ReadToken {
                    fingerprint,
                    version: document.version,
                    deletion_at: document.deletion_at,
                    source: dated.minted.source,
                    dates: Dates::new(dated.minted.at, self.lifetime, document.deletion_at),
                    is_unproven: unproven.is_some(),
                    is_primary: stamp
                        .as_ref()
                        .is_some_and(|stamp| stamp.rotated_from.is_some()),
                    unknown_mark: unknown_mark(self.field, document),
                    account: stamp.and_then(|stamp| stamp.account),
                })
            }
        };
        Ok(reading)
    }

    /// Reads a secret, or returns what was read before.
    async fn observe(&self, secret: &SecretPath) -> Result<Arc<Observed>, VaultError> {
        if self.reread {
            self.observer.observe_again(secret).await
        } else {
            self.observer.observe(secret).await
        }
    }

    /// Returns what is in a secret; an error names the place.
    pub(in crate::provider) async fn seen(
        &self,
        place: Place<'_>,
    ) -> Result<Arc<Observed>, Diagnostic> {
        let observed = self.observe(place.secret).await;
        observed.map_err(|error| diagnose::vault_error(&error, &place.to_string()))
    }
}

/// Returns the key of an entry among the marks of a field that is not a known mark.
pub(in crate::provider) fn unknown_mark(field: &str, document: &Observation) -> Option<String> {
    Mark::read_entries(field, &document.custom_metadata).find_map(|entry| match entry {
        MarkEntry::Unknown(key) => Some(key),
        MarkEntry::Mark(_) => None,
    })
}
