//! Steps 5 and 6: announce the new token, then send the one write that decides.

use tokio::time::{Instant, sleep};

use super::choose::Choice;
use super::claim::Claimed;
use super::primary::PrimaryDocument;
use super::stop::Stop;
use super::{Current, How, PATIENCE, PAUSE, Promotion, Reason, Report, Tried};
use crate::protocol::Text;
use crate::provider::diagnose;
use crate::provider::observe::{Content, Observation, Observed};
use crate::provider::secrets::stamps::{Changes, NewStamp, apply, fits, note};
use crate::token::expiry::Dates;
use crate::token::metadata::{key, stamp_key};
use crate::token::mint::{MintSource, Minted};
use crate::token::retired::{Retired, RetiredTokens};
use crate::token::spare::{ReadSpare, ReadToken};
use crate::token::stamp::{Next, Stamp};
use crate::vault::{Reading, Revision, VaultError, WriteError, WriteFailure};

/// The result of the write.
pub(super) enum Outcome {
    /// The primary holds the spare's token.
    Promoted(Box<Current>),
    /// Another client wrote the secret first: start again.
    Moved,
    /// The marks are too old by now: claim again.
    Stale,
}

/// A claimed token, about to be written into the primary.
pub(super) struct Writing<'a> {
    pub(super) promotion: &'a Promotion<'a>,
    pub(super) primary: &'a PrimaryDocument,
    pub(super) choice: &'a Choice,
    pub(super) spare: &'a ReadSpare,
    pub(super) claim: &'a Claimed,
}

impl Writing<'_> {
    /// Announces the token and writes it. Once a request has gone unanswered, no mark is removed,
    /// because the write may still land.
    pub(super) async fn write(
        &self,
        tried: &mut Tried,
        report: &mut Report,
    ) -> Result<Outcome, Stop> {
        let promotion = self.promotion;
        let Some(token) = self.spare.token() else {
            return Ok(Outcome::Moved);
        };
        if let Err(stop) = self.announce(token, tried, report).await {
            self.withdraw().await;
            return Err(stop);
        }
        let marked_at = (!self.claim.marks.is_empty()).then_some(self.claim.at);
        let Some(latest) = promotion.send_until(marked_at) else {
            self.withdraw().await;
            return Ok(Outcome::Stale);
        };
        if let Err(stop) = promotion.go_on() {
            self.withdraw().await;
            return Err(stop);
        }
        let document = self
            .primary
            .document
            .with_field(promotion.primary.field, &self.claim.token);
        let written = promotion
            .observer
            .store()
            .write(
                promotion.primary.secret,
                &document,
                self.primary.seen.version,
                latest,
            )
            .await;
        match written {
            Ok(written) => {
                let current = self.landed(token, written, report).await;
                Ok(Outcome::Promoted(Box::new(current)))
            }
            Err(WriteFailure {
                error: WriteError::CasMismatch,
                unanswered,
            }) => match self.above().await {
                Ok(seen) => self.overtaken(token, seen, unanswered, report).await,
                // The earlier attempt may be the reason why the write was refused.
                Err(stop) if unanswered && !stop.leaves_nothing() => {
                    report.written();
                    Err(self.unanswered(stop.into_error().detail))
                }
                Err(stop) => Err(stop),
            },
            Err(WriteFailure {
                error,
                unanswered: false,
            }) => {
                self.withdraw().await;
                if error == WriteError::Vault(VaultError::Overdue) {
                    return Ok(Outcome::Stale);
                }
                Err(self.refused(&error, tried))
            }
            Err(WriteFailure {
                error,
                unanswered: true,
            }) => {
                report.written();
                let cause = match &error {
                    WriteError::Vault(error) => diagnose::vault_error(error, "").detail,
                    _ => Text::default(),
                };
                Err(self.unanswered(cause))
            }
        }
    }

    /// Writes the stamp of the new token, in one value, so that the token is dated even if its
    /// write is never confirmed.
    async fn announce(
        &self,
        token: &ReadToken,
        tried: &mut Tried,
        report: &mut Report,
    ) -> Result<(), Stop> {
        let promotion = self.promotion;
        if tried.primary_is_unwritable {
            return Ok(());
        }
        promotion.go_on()?;
        let next = Next {
            fingerprint: token.fingerprint.short(),
            minted_at: Some(token.dates.minted_at),
            requested: promotion.request,
            replaces: self.replaced(),
            rotated_from: Some(self.spare.path.clone()),
        };
        let key = stamp_key(promotion.primary.field, key::NEXT);
        let changes: Changes = [(key, Some(next.to_value()))].into();
        let secret = promotion.primary.secret;
        if !fits(&self.primary.seen.custom_metadata, &changes) {
            report
                .once_written
                .push(diagnose::metadata_full(promotion.primary));
            return Ok(());
        }
        match note(promotion.observer.store(), secret, &changes).await {
            Ok(noted) => report.noted(noted, promotion.primary, secret.path()),
            Err(error) if error.refuses_for_good() => {
                tried.primary_is_unwritable = true;
                report.once_written.push(diagnose::not_stamped(
                    promotion.primary,
                    &error,
                    Some(token.dates.minted_at),
                ));
            }
            Err(error) => return Err(Stop::vault(&error, &promotion.primary.to_string())),
        }
        Ok(())
    }

    /// Returns the entry of the token that is replaced.
    fn replaced(&self) -> Option<Retired> {
        let (fingerprint, minted_at) = self.primary.token?;
        Some(Retired {
            on_request: self.promotion.reason == Reason::Requested,
            ..Retired::new(&fingerprint, Some(minted_at))
        })
    }

    /// The token is current: stamps it, retires those before it, and marks its copies.
    async fn landed(&self, token: &ReadToken, landed: Revision, report: &mut Report) -> Current {
        let promotion = self.promotion;
        report.written();
        let field = promotion.primary.field;
        let dates = Dates::new(
            token.dates.minted_at,
            promotion.lifetime,
            landed.deletion_at,
        );
        let knowledge = self.choice.knowledge();
        let stamp = NewStamp {
            rotated_from: Some(self.spare.path.clone()),
            requested: promotion.request,
            account: token.account.clone(),
            verdict: knowledge.verdict(&token.fingerprint).cloned(),
            ..NewStamp::new(token.fingerprint, &dates)
        };
        let mut retired = promotion.retired(&self.primary.seen);
        retired.extend(self.choice.retired_versions().iter().copied());
        retired.extend(promotion.replaced_prior(token.fingerprint));
        retired.extend(self.replaced());
        let mut metadata = landed.custom_metadata;
        if promotion.stamps {
            let changes = stamp.changes_in(field, &metadata, retired.clone());
            // Without an answer nothing is lost: the announcement says the same.
            if let Ok(noted) = promotion.note_primary(&metadata, changes, report).await {
                apply(&mut metadata, &noted);
            }
            promotion
                .mark_holders(self.choice, &token.fingerprint, report)
                .await;
        }
        // Without a version before it, only a look back shows whether the history is kept.
        let replaced = self.primary.seen.version;
        let keeps_one = self.choice.keeps_one
            || replaced == 1
                && promotion
                    .observer
                    .is_pruned(promotion.primary.secret, replaced)
                    .await;
        Current {
            how: How::Promoted,
            fingerprint: token.fingerprint,
            version: landed.version,
            created_at: landed.created_at,
            deletion_at: landed.deletion_at,
            minted: Minted {
                at: token.dates.minted_at,
                source: MintSource::Promotion,
                warnings: Vec::new(),
            },
            rotated_from: Some(self.spare.path.clone()),
            retired,
            is_stamped: Stamp::live(field, &metadata, &token.fingerprint).is_some(),
            lists_retired: !RetiredTokens::read(field, &metadata).is_empty(),
            keeps_one,
            verdict: None,
        }
    }

    /// Finds out what the secret holds after a write was refused because the secret had changed.
    async fn overtaken(
        &self,
        token: &ReadToken,
        seen: Observation,
        unanswered: bool,
        report: &mut Report,
    ) -> Result<Outcome, Stop> {
        let promotion = self.promotion;
        let field = promotion.primary.field;
        let content = seen.field(field, promotion.prior.fingerprint.as_ref());
        if let Content::Token { fingerprint, .. } = content {
            if fingerprint == token.fingerprint {
                let current = self.landed(token, seen.revision, report).await;
                return Ok(Outcome::Promoted(Box::new(current)));
            }
            if !unanswered {
                self.withdraw().await;
            }
            return Ok(Outcome::Moved);
        }
        if !unanswered {
            self.withdraw().await;
        }
        let problem = diagnose::content_problem(promotion.primary, content);
        Err(Stop::new(
            format!(
                "Secret {} was changed in the meantime",
                promotion.primary.secret
            ),
            problem.unwrap_or_default()
                + format!(
                    "Nothing was written over it. Once it is correct, {}.",
                    promotion.again()
                ),
        )
        .without_a_token())
    }

    /// Reads until the version is above the one that was refused.
    async fn above(&self) -> Result<Observation, Stop> {
        let promotion = self.promotion;
        let secret = promotion.primary.secret;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reading = promotion
                .observer
                .store()
                .read(secret)
                .await
                .map_err(|error| Stop::vault(&error, &promotion.primary.to_string()))?;
            match reading {
                Reading::Present(document) if document.version > self.primary.seen.version => {
                    return Ok(Observation::of(&document));
                }
                Reading::Present(_) if Instant::now() < deadline => sleep(PAUSE).await,
                Reading::Present(_) => {
                    return Err(Stop::new(
                        format!("Vault returned an old version of secret {secret}"),
                        format!(
                            "Vault refused the write because the secret had changed, but it still \
                             returns the old version. Once the cluster is healthy again, {}.",
                            promotion.again()
                        ),
                    ));
                }
                gone => {
                    let gone = Observed::from(gone);
                    let problem = diagnose::problem(promotion.primary, &gone, None);
                    return Err(Stop::new(
                        format!("Secret {secret} was removed in the meantime"),
                        problem.unwrap_or_default() + format!("Then {}.", promotion.again()),
                    )
                    .without_a_token());
                }
            }
        }
    }

    async fn withdraw(&self) {
        self.promotion.withdraw(&self.claim.marks).await;
    }

    fn refused(&self, error: &WriteError, tried: &Tried) -> Stop {
        let promotion = self.promotion;
        let secret = promotion.primary.secret;
        match error {
            WriteError::Vault(error @ VaultError::Forbidden { .. }) if promotion.stamps => {
                let primary = tried.primary_is_unwritable.then(|| secret.path());
                let spares = tried.unwritable.keys().map(String::as_str);
                Stop::from_diagnostic(diagnose::promotion_denied(
                    error,
                    promotion.primary,
                    primary.into_iter().chain(spares),
                ))
            }
            WriteError::Vault(error) => Stop::vault(error, &promotion.primary.to_string()),
            WriteError::TooLarge => Stop::new(
                format!("Secret {secret} is too large to write"),
                "Vault accepts documents up to 1 MiB. Move other fields to a separate secret. \
                 No token was replaced.",
            ),
            WriteError::CasMismatch | WriteError::CasRequired => Stop::new(
                format!("Secret {secret} was changed in the meantime"),
                format!("To continue, {}.", promotion.again()),
            ),
        }
    }

    fn unanswered(&self, cause: Text) -> Stop {
        let promotion = self.promotion;
        let next = if promotion.is_on_demand {
            ""
        } else {
            "Apply again; it checks first."
        };
        Stop::new(
            format!("Vault did not confirm the write of {}", promotion.primary),
            Text::from(
                "The new token may already be stored, or the write may still take effect. Nothing \
                 is lost either way.",
            ) + next
                + cause,
        )
        .may_have_landed()
    }
}
