//! What is recorded in the primary's metadata: the stamp of its token, and its earlier tokens.

use std::collections::BTreeMap;

use super::choose::Target;
use super::stop::Stop;
use super::{Current, How, Promotion, Report};
use crate::provider::diagnose;
use crate::provider::observe::Observation;
use crate::provider::secrets::date::{DatedToken, Found};
use crate::provider::secrets::stamps::{Changes, NewStamp, apply, fits, note};
use crate::token::expiry::Dates;
use crate::token::fingerprint::Fingerprint;
use crate::token::metadata::{key, stamp_key};
use crate::token::retired::Retired;
use crate::token::stamp::Next;
use crate::vault::VaultError;

impl Promotion<'_> {
    /// Completes the bookkeeping of a write that took effect: the announced token is now current.
    pub(super) async fn finish_next(
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
            ..NewStamp::new(fingerprint, &dates)
        };
        let now = self.configured.server_now();
        let stamp = stamp
            .completed(self.observer, self.primary, &seen.custom_metadata, now)
            .await;
        let mut retired = self.retired(seen);
        retired.extend(next.replaces);
        let changes = stamp.changes_in(field, &seen.custom_metadata, retired);
        match self
            .note_primary(&seen.custom_metadata, changes, report)
            .await
        {
            Ok(changes) => apply(&mut seen.revision.custom_metadata, &changes),
            Err(error) if error.refuses_for_good() => {}
            Err(error) => return Err(Stop::vault(&error, &self.primary.to_string())),
        }
        Ok(())
    }

    /// Writes changes into the primary's metadata. If they do not fit, the stamp is left out, with
    /// a warning. Returns what was written.
    pub(super) async fn note_primary(
        &self,
        metadata: &BTreeMap<String, String>,
        mut changes: Changes,
        report: &mut Report,
    ) -> Result<Changes, VaultError> {
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
                    let warning = diagnose::not_stamped(self.primary, &error, None);
                    report.at_once.push(warning);
                }
                Err(error)
            }
        }
    }

    /// Keeps the current token, and stamps it unless it already has a stamp.
    pub(super) async fn adopt(
        &self,
        found: Found<'_>,
        dated: DatedToken,
        report: &mut Report,
    ) -> Result<Current, Stop> {
        report.at_once.extend(dated.warnings(self.primary));
        let metadata = &found.document.custom_metadata;
        let stamp = found.stamp();
        let rotated_from = match &stamp {
            Some(stamp) => stamp.rotated_from.clone(),
            None => self.origin_of(found.fingerprint).await,
        };
        let mut retired = self.retired(found.document);
        retired.extend(self.replaced_prior(found.fingerprint));
        let mut lists_retired = false;
        if self.stamps && !self.configured.is_rehearsed() {
            let target = Target {
                token: Some(found.fingerprint),
                version: found.document.version,
                custom_metadata: metadata,
                purpose: self.reason.purpose(),
            };
            let choice = self.choose(&target).await?;
            self.mark_copies(&choice, report).await?;
            retired.extend(choice.retired_versions().iter().copied());
            let dates = Dates::new(dated.minted.at, self.lifetime, found.document.deletion_at);
            let new = NewStamp {
                rotated_from: rotated_from.clone(),
                requested: self.request,
                ..NewStamp::new(found.fingerprint, &dates)
            };
            let field = self.primary.field;
            let mut changes = new.changes_in(field, metadata, retired.clone());
            if stamp.is_some() || dated.is_estimate() {
                let keys = new.changes(field);
                changes.retain(|key, _| !keys.contains_key(key));
            }
            let noted = self.note_primary(metadata, changes, report).await;
            let noted = noted.or_else(|error| {
                if error.refuses_for_good() {
                    Ok(Changes::new())
                } else {
                    Err(Stop::vault(&error, &self.primary.to_string()))
                }
            })?;
            lists_retired = noted.contains_key(&stamp_key(self.primary.field, key::RETIRED));
        }
        let mut current = self.current(How::Adopted, found, dated, rotated_from, retired);
        current.lists_retired |= lists_retired;
        Ok(current)
    }

    /// Returns the path of the spare that a token without a stamp was promoted from, as marks show.
    pub(in crate::provider) async fn origin_of(&self, token: Fingerprint) -> Option<String> {
        let primary = self.field_path();
        self.spares(&primary)
            .origin_of(self.spare_paths, token)
            .await
    }

    /// Returns the token that the state knows, if another token is current.
    pub(super) fn replaced_prior(&self, current: Fingerprint) -> Option<Retired> {
        let before = self.prior.fingerprint.filter(|before| *before != current)?;
        Some(Retired::new(
            &before,
            self.prior.dated.map(|dated| dated.at),
        ))
    }
}
