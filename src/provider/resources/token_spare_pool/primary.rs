//! The primary that a pool serves: its token, and when that token ends.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::protocol::Diagnostic;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::{Content, Observed};
use crate::provider::secrets::date::{Found, date};
use crate::provider::secrets::spares::Spares;
use crate::token::expiry::{Dates, Lifetime};
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::mint::{Dated, MintFacts, MintSource};
use crate::token::paths::FieldPath;
use crate::token::retired::RetiredTokens;
use crate::token::spare::{PrimaryToken, PrimaryTokens};
use crate::vault::VaultError;

/// How many older versions of the primary are read.
const VERSIONS: u64 = 30;

/// The primary as it was found.
pub(super) struct Primary {
    path: String,
    /// Its token, if it holds one.
    pub(super) token: Option<DatedToken>,
    /// The tokens that its metadata lists as retired.
    retired: RetiredTokens,
    /// The tokens that it held before, according to its older versions and to earlier reads.
    pub(super) held: Option<Held>,
    /// What the history showed about this token or an earlier one.
    pub(super) walked: Option<Walked>,
}

/// The token of a primary.
pub(super) struct DatedToken {
    /// Identifies the token.
    pub(super) fingerprint: Fingerprint,
    /// When it was minted.
    pub(super) dated: Dated,
    deletion_at: Option<Timestamp>,
    account: Option<String>,
}

/// What the KV history shows about a primary's token. It is kept in private state until another
/// token must be dated this way: a stamp that is written later does not change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walked {
    fingerprint: String,
    minted_at: Timestamp,
    minted_at_source: String,
}

/// The tokens that a primary held before its current one. They are kept in private state, and
/// change there only when the current token does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    path: String,
    current: String,
    before: BTreeSet<String>,
    /// The version in which they were read, to notice a secret that was created again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// Tokens that only this list knows, because their versions were removed with the secret.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    lost: BTreeSet<String>,
}

impl Held {
    /// Returns every token that was seen.
    fn all(&self) -> BTreeSet<String> {
        let current = std::iter::once(&self.current);
        self.before.iter().chain(current).cloned().collect()
    }

    /// Handles a secret that is gone with all its versions: only this list knows its tokens.
    fn without_versions(self) -> Self {
        Self {
            lost: self.all(),
            version: None,
            ..self
        }
    }

    /// Reads the older versions of the primary, unless they were already read for this token.
    async fn read(
        spares: &Spares<'_>,
        found: Found<'_>,
        known: Option<&Self>,
    ) -> Result<Self, Diagnostic> {
        let secret = found.place.secret;
        let current = found.fingerprint.short().to_string();
        let newest = found.document.version;
        let known = known.filter(|known| known.path == secret.path());
        let is_recreated =
            known.is_some_and(|known| known.version.is_some_and(|seen| newest < seen));
        if let Some(known) = known.filter(|known| known.current == current && !is_recreated) {
            return Ok(known.clone());
        }
        let oldest = newest.saturating_sub(VERSIONS).max(1);
        let reads =
            (oldest..newest).map(|version| spares.observer.observe_version(secret, version));
        let mut before = known.map(Self::all).unwrap_or_default();
        let mut lost = match known {
            Some(_) if is_recreated => before.clone(),
            Some(known) => known.lost.clone(),
            None => BTreeSet::new(),
        };
        lost.remove(&current);
        for read in join_all(reads).await {
            match read {
                Ok(Observed::Present(version)) => {
                    if let Content::Token { fingerprint, .. } =
                        version.field(found.place.field, None)
                    {
                        let token = fingerprint.short().to_string();
                        lost.remove(&token);
                        before.insert(token);
                    }
                }
                Ok(_) | Err(VaultError::Forbidden { .. }) => {}
                Err(error) => {
                    let what = format!("older versions of {secret}");
                    return Err(diagnose::vault_error(&error, &what));
                }
            }
        }
        before.remove(&current);
        Ok(Self {
            path: secret.path().to_owned(),
            current,
            before,
            version: Some(newest),
            lost,
        })
    }
}

impl Primary {
    /// Reads the primary. Its history is read only for a token that it has not dated before.
    pub(super) async fn read(
        spares: &Spares<'_>,
        path: &str,
        walked: Option<&Walked>,
        held: Option<&Held>,
    ) -> Result<Self, Diagnostic> {
        let secret = secret_path(spares.mount, path)?;
        let place = Place {
            secret: &secret,
            field: spares.field,
        };
        let observed = spares.seen(place).await?;
        let mut primary = Self {
            path: path.to_owned(),
            token: None,
            retired: RetiredTokens::default(),
            held: held.filter(|held| held.path == path).cloned(),
            walked: walked.cloned(),
        };
        if matches!(&*observed, Observed::Absent) {
            primary.held = primary.held.map(Held::without_versions);
        }
        let Observed::Present(document) = &*observed else {
            return Ok(primary);
        };
        primary.retired = RetiredTokens::read(place.field, &document.custom_metadata);
        let Content::Token { fingerprint, .. } = document.field(place.field, None) else {
            return Ok(primary);
        };
        let found = Found {
            place,
            document,
            fingerprint,
        };
        primary.held = Some(Held::read(spares, found, held).await?);
        let facts = MintFacts {
            prior: walked.and_then(|walked| walked.dates(&fingerprint)),
            ..MintFacts::default()
        };
        let dated = date(spares.observer, found, facts).await?;
        let minted = Dated {
            at: dated.minted.at,
            source: dated.minted.source,
        };
        if dated.history.is_some() {
            primary.walked = Some(Walked::new(&fingerprint, minted));
        }
        primary.token = Some(DatedToken {
            fingerprint,
            dated: minted,
            deletion_at: document.deletion_at,
            account: found.stamp().and_then(|stamp| stamp.account),
        });
        Ok(primary)
    }

    /// Returns the tokens that this primary held although nothing in Vault shows it.
    pub(super) fn lost(&self) -> BTreeSet<ShortFingerprint> {
        let lost = self.held.iter().flat_map(|held| &held.lost);
        lost.filter_map(|token| token.parse().ok())
            .filter(|token| self.retired.get(*token).is_none())
            .collect()
    }

    /// Returns what spares are judged by.
    pub(super) fn into_tokens(self, field: &str, lifetime: Lifetime) -> PrimaryTokens {
        PrimaryTokens {
            id: FieldPath {
                path: self.path,
                field: field.to_owned(),
            },
            current: self.token.map(|token| PrimaryToken {
                fingerprint: token.fingerprint,
                dates: Some(Dates::new(token.dated.at, lifetime, token.deletion_at)),
                account: token.account,
            }),
            held: self
                .retired
                .iter()
                .map(|retired| retired.fingerprint)
                .chain(
                    self.held
                        .iter()
                        .flat_map(|held| &held.before)
                        .filter_map(|before| before.parse().ok()),
                )
                .collect(),
        }
    }
}

impl Walked {
    fn new(fingerprint: &Fingerprint, minted: Dated) -> Self {
        Self {
            fingerprint: fingerprint.to_string(),
            minted_at: minted.at,
            minted_at_source: minted.source.as_str().to_owned(),
        }
    }

    /// Returns the mint time, if it belongs to this token.
    fn dates(&self, fingerprint: &Fingerprint) -> Option<Dated> {
        Some(Dated {
            at: self.minted_at,
            source: MintSource::parse(&self.minted_at_source)?,
        })
        .filter(|_| self.fingerprint == fingerprint.to_string())
    }
}
