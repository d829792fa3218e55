//! One secret: what it holds, when that ends, and what its marks say.

use std::sync::{Arc, OnceLock};

use super::super::verify::{LastVerdict, TokenPlace};
use super::{Operations, Seen, State, TokenReport, roles};
use crate::protocol::Diagnostic;
use crate::provider::diagnose::refuse::capital;
use crate::provider::diagnose::{self, Place, Reported};
use crate::provider::lookup::describe::{TokenFacts, describe};
use crate::provider::observe::{Observation, Observed};
use crate::sdk::Diagnostics;
use crate::token::metadata::{key, stamp_key};
use crate::token::name::shown;
use crate::token::stamp::Stamp;
use crate::vault::{SecretPath, VaultError};

impl Operations {
    /// Reads one path. `broken` is an error that keeps every other secret from being read as well,
    /// so that a server that is down does not cause a wait at each path.
    pub(super) async fn describe(
        &self,
        place: TokenPlace,
        observed: Option<Arc<Observed>>,
        broken: &OnceLock<VaultError>,
    ) -> Seen {
        let TokenPlace { path, field } = place;
        let mut seen = Seen {
            report: unreadable(&path, &field),
            roles: roles::Hints::default(),
            trouble: None,
            diagnostics: Diagnostics::new(),
            unusable: None,
        };
        let (Ok(secret), Ok(observer)) = (
            SecretPath::new(self.mount.as_str(), &*path),
            self.configured.observer(),
        ) else {
            seen.report.problem = Some("The path cannot be sent to Vault.".to_owned());
            return seen;
        };
        let place = Place {
            secret: &secret,
            field: &field,
        };
        let observed = match (observed, broken.get()) {
            (Some(observed), _) => Ok(observed),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => observer.observe(&secret).await,
        };
        match observed {
            Ok(observed) => {
                if let Err(error) = self.describe_into(place, &observed, &mut seen).await {
                    seen.report.state = State::Unreadable;
                    seen.report.problem = Some(format!("{}.", error.summary));
                    seen.diagnostics.push(error);
                }
            }
            Err(error) => {
                if concerns_all(&error) {
                    // The first error is as good as any other.
                    let _ = broken.set(error.clone());
                }
                seen.report.problem = Some(format!("{}.", capital(&error)));
                seen.trouble = Some(error);
            }
        }
        seen
    }

    async fn describe_into(
        &self,
        place: Place<'_>,
        observed: &Observed,
        seen: &mut Seen,
    ) -> Result<(), Diagnostic> {
        let Ok(observer) = self.configured.observer() else {
            return Ok(());
        };
        let configured = &self.configured;
        let description = describe(configured, observer, place, self.lifetime, observed).await?;
        seen.diagnostics.extend(description.diagnostics);
        seen.report.state = description.status.into();
        if let Observed::Present(document) = observed {
            seen.report.kv_version = Some(document.version);
            if let Some(token) = &description.token {
                self.note_token(token, &mut seen.report);
                self.note_verdict(place, document, token, &mut seen.report);
            }
        }
        if let Some(metadata) = observed.custom_metadata() {
            seen.roles = roles::Hints::read(place.field, metadata);
        }
        if let Some(unusable) = description.unusable {
            let unusable = self.absent_or_folder(place.secret, unusable).await;
            seen.report.problem = Some(diagnose::unusable_in_short(&unusable));
            seen.unusable = Some(Reported::new(place, description.status, &unusable));
        }
        Ok(())
    }

    /// Records what was found about the token, and the label of its account.
    fn note_verdict(
        &self,
        place: Place<'_>,
        document: &Observation,
        token: &TokenFacts,
        report: &mut TokenReport,
    ) {
        let metadata = &document.custom_metadata;
        report.verdict = token.verdict.clone().map(LastVerdict::from);
        if Stamp::live(place.field, metadata, &token.fingerprint).is_some() {
            report.account = metadata
                .get(&stamp_key(place.field, key::ACCOUNT))
                .map(|label| shown(label).into_owned());
        }
    }

    fn note_token(&self, token: &TokenFacts, report: &mut TokenReport) {
        report.fingerprint = Some(token.fingerprint);
        report.kv_version = Some(token.kv_version);
        report.minted_at = Some(token.dates.minted_at);
        report.minted_at_source = Some(token.source.as_str());
        report.expires_at = Some(token.dates.expires_at);
        report.rotate_at = Some(token.dates.rotate_at);
        report.rotated_from.clone_from(&token.rotated_from);
    }
}

/// Returns the report of a secret about which nothing is known yet.
fn unreadable(path: &str, field: &str) -> TokenReport {
    TokenReport {
        path: path.to_owned(),
        field: field.to_owned(),
        state: State::Unreadable,
        fingerprint: None,
        kv_version: None,
        minted_at: None,
        minted_at_source: None,
        expires_at: None,
        rotate_at: None,
        account: None,
        verdict: None,
        role: None,
        rotated_from: None,
        promoted_to: None,
        same_token_as: Vec::new(),
        same_token_count: 0,
        problem: None,
    }
}

/// Reports whether the error keeps every other secret from being read as well.
fn concerns_all(error: &VaultError) -> bool {
    match error {
        VaultError::Unauthenticated { .. }
        | VaultError::LoginForbidden { .. }
        | VaultError::LoginFailed { .. }
        | VaultError::LoginWithoutToken { .. }
        | VaultError::WrappingToken { .. }
        | VaultError::TokenUsedUp { .. }
        | VaultError::WrongAddress { .. }
        | VaultError::Compressed { .. }
        | VaultError::Proxy { .. }
        | VaultError::Sealed
        | VaultError::Standby { .. }
        | VaultError::KvVersion1 { .. }
        | VaultError::NotKv { .. }
        | VaultError::MountMissing { .. }
        | VaultError::Redirected { .. }
        | VaultError::HttpsExpected { .. }
        | VaultError::Tls { .. }
        | VaultError::Unreachable { .. }
        | VaultError::Unsendable
        | VaultError::DeadlineExceeded { .. } => true,
        VaultError::Forbidden { .. }
        | VaultError::RateLimited { .. }
        | VaultError::Wrapped { .. }
        | VaultError::Overdue
        | VaultError::MetadataMissing { .. }
        | VaultError::PatchUnsupported { .. }
        | VaultError::NotJson { .. }
        | VaultError::UnexpectedAnswer { .. }
        | VaultError::TooLarge { .. }
        | VaultError::Server { .. }
        | VaultError::Cancelled => false,
    }
}
