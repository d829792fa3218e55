//! A look at one spare: its token, its dates, and what the marks on it mean.

mod copies;

use std::sync::Arc;

pub(in crate::provider) use copies::Twin;

use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Place};
use crate::provider::secrets::date::{Found, date};
use crate::provider::secrets::observe::{Field as Content, Observed, Observer};
use crate::sdk::Diagnostics;
use crate::token::check::Problem;
use crate::token::expiry::{Dates, Lifetime};
use crate::token::fingerprint::Fingerprint;
use crate::token::mark::{Mark, MarkState, NamedVersion, PrimaryFacts};
use crate::token::mint::{Dated, MintFacts, MintSource};
use crate::token::paths::FieldPath;
use crate::token::pool::{Slot, SpareFacts, SpareMark, SpareToken};
use crate::vault::{SecretPath, VaultError};

/// How spares are looked at.
#[derive(Clone, Copy)]
pub(in crate::provider) struct Spares<'a> {
    /// The context.
    pub(in crate::provider) configured: &'a Configured,
    /// Who reads.
    pub(in crate::provider) observer: &'a Observer,
    /// Mount of spares and primary.
    pub(in crate::provider) mount: &'a str,
    /// Field of every spare.
    pub(in crate::provider) field: &'a str,
    /// How long tokens live.
    pub(in crate::provider) lifetime: Lifetime,
    /// The primary on whose behalf the spares are looked at, if there is one.
    pub(in crate::provider) primary: Option<&'a FieldPath>,
    /// Whether what was seen before is not good enough.
    pub(in crate::provider) anew: bool,
}

/// What is known of a spare's token already.
#[derive(Clone, Copy, Debug)]
pub(in crate::provider) struct Known {
    /// The token.
    pub(in crate::provider) fingerprint: Fingerprint,
    /// Its mint time.
    pub(in crate::provider) dated: Option<Dated>,
}

/// A spare as it was found.
#[derive(Debug)]
pub(in crate::provider) struct Look {
    /// The facts by which spares are judged.
    pub(in crate::provider) facts: SpareFacts,
    /// The token's surroundings, where there is a token.
    pub(in crate::provider) token: Option<TokenLook>,
    /// Why there is no token, in words for the user.
    pub(in crate::provider) problem: Option<String>,
    /// What is new and worth telling.
    pub(in crate::provider) diagnostics: Diagnostics,
}

/// What surrounds a token that was found.
#[derive(Debug)]
pub(in crate::provider) struct TokenLook {
    /// The KV version that was read.
    pub(in crate::provider) version: u64,
    /// When it will be deleted by itself.
    pub(in crate::provider) deletion_at: Option<jiff::Timestamp>,
    /// Where the mint time comes from.
    pub(in crate::provider) source: MintSource,
    /// Marks on the secret, each with what it means for the token.
    pub(in crate::provider) marks: Vec<(Mark, MarkState)>,
}

impl Look {
    /// Returns the token, where there is one.
    pub(in crate::provider) fn spare_token(&self) -> Option<&SpareToken> {
        match &self.facts.slot {
            Slot::Token(token) => Some(token),
            Slot::Missing | Slot::Malformed(_) => None,
        }
    }
}

impl Spares<'_> {
    /// Looks at one spare; what is known of its token already is not asked for again.
    ///
    /// # Errors
    ///
    /// Fails where the secret, or a primary that a mark names, cannot be read.
    pub(in crate::provider) async fn look(
        &self,
        path: &str,
        known: Option<Known>,
    ) -> Result<Look, Diagnostic> {
        let secret = named(self.mount, path)?;
        let place = Place {
            secret: &secret,
            field: self.field,
        };
        let observed = self.seen(place).await?;
        let recorded = known.map(|known| known.fingerprint);
        let slot = match &*observed {
            Observed::Present(document) => match document.field(self.field, recorded.as_ref()) {
                Content::Token {
                    fingerprint,
                    unusual_length,
                } => {
                    let found = Found {
                        place,
                        document,
                        fingerprint,
                    };
                    let known = known.filter(|known| known.fingerprint == fingerprint);
                    let mut look = self.token(found, known).await?;
                    if known.is_none() {
                        look.diagnostics.extend(
                            unusual_length.map(|length| diagnose::unusual_length(place, length)),
                        );
                    }
                    return Ok(look);
                }
                Content::Missing => Slot::Missing,
                Content::Malformed(problem) => Slot::Malformed(problem),
                Content::NotText(_) => Slot::Malformed(Problem::JsonDocument),
            },
            Observed::Deleted { .. } | Observed::Destroyed { .. } | Observed::Absent => {
                Slot::Missing
            }
        };
        Ok(Look {
            facts: SpareFacts {
                path: path.to_owned(),
                slot,
            },
            token: None,
            problem: diagnose::problem(place, &observed, recorded.as_ref()),
            diagnostics: Diagnostics::new(),
        })
    }

    /// Reads a secret, or takes what was seen of it before.
    async fn observe(&self, secret: &SecretPath) -> Result<Arc<Observed>, VaultError> {
        if self.anew {
            self.observer.observe_anew(secret).await
        } else {
            self.observer.observe(secret).await
        }
    }

    /// Returns what is in a secret; that it cannot be read is told of the place.
    pub(in crate::provider) async fn seen(
        &self,
        place: Place<'_>,
    ) -> Result<Arc<Observed>, Diagnostic> {
        let observed = self.observe(place.secret).await;
        observed.map_err(|error| diagnose::vault_error(&error, &place.to_string()))
    }

    async fn token(&self, found: Found<'_>, known: Option<Known>) -> Result<Look, Diagnostic> {
        let Found {
            place,
            document,
            fingerprint,
        } = found;
        let facts = MintFacts {
            prior: known.and_then(|known| known.dated),
            ..MintFacts::default()
        };
        let dated = date(self.observer, found, facts).await?;
        let diagnostics = dated.told(place);
        let stamp = found.stamp();
        let marks = self.marks(found).await?;
        Ok(Look {
            facts: SpareFacts {
                path: place.secret.path().to_owned(),
                slot: Slot::Token(SpareToken {
                    fingerprint,
                    dates: Dates::new(dated.minted.at, self.lifetime, document.deletion_at),
                    marks: marks
                        .iter()
                        .map(|(mark, state)| SpareMark {
                            primary: mark.primary.clone(),
                            state: *state,
                        })
                        .collect(),
                    is_primary: stamp.is_some_and(|stamp| stamp.rotated_from.is_some()),
                }),
            },
            token: Some(TokenLook {
                version: document.version,
                deletion_at: document.deletion_at,
                source: dated.minted.source,
                marks,
            }),
            problem: None,
            diagnostics,
        })
    }

    /// Reads what the marks on a spare mean; one about another token costs no request.
    pub(in crate::provider) async fn marks(
        &self,
        found: Found<'_>,
    ) -> Result<Vec<(Mark, MarkState)>, Diagnostic> {
        let token = found.fingerprint;
        let now = self.configured.server_now();
        let mut marks = Vec::new();
        for mark in Mark::read_all(found.place.field, &found.document.custom_metadata) {
            let primary = if mark.counts_for(&token) {
                self.marked_primary(&mark, &token).await?
            } else {
                PrimaryFacts::Unreadable
            };
            let state = mark.state(&token, primary, self.primary, now);
            marks.push((mark, state));
        }
        Ok(marks)
    }

    /// Looks at the primary that a mark names, and at the version that it was to become.
    async fn marked_primary(
        &self,
        mark: &Mark,
        token: &Fingerprint,
    ) -> Result<PrimaryFacts, Diagnostic> {
        let secret = named(self.mount, &mark.primary.path)?;
        let field = &mark.primary.field;
        let failed =
            |error: &VaultError| diagnose::vault_error(error, &format!("{secret}#{field}"));
        let observed = match self.observe(&secret).await {
            Ok(observed) => observed,
            Err(VaultError::Forbidden { .. }) => return Ok(PrimaryFacts::Unreadable),
            Err(error) => return Err(failed(&error)),
        };
        let Observed::Present(current) = &*observed else {
            return Ok(PrimaryFacts::Unreadable);
        };
        let holds_token = current.holds(field, token);
        let named_version = if mark.version > current.version {
            NamedVersion::NotThere
        } else if mark.version == current.version {
            held(holds_token)
        } else {
            match self.observer.observe_version(&secret, mark.version).await {
                Ok(Observed::Present(version)) => held(version.holds(field, token)),
                Ok(_) | Err(VaultError::Forbidden { .. }) => NamedVersion::Gone,
                Err(error) => return Err(failed(&error)),
            }
        };
        Ok(PrimaryFacts::Read {
            holds_token,
            named_version,
        })
    }
}

fn held(holds_token: bool) -> NamedVersion {
    if holds_token {
        NamedVersion::HeldToken
    } else {
        NamedVersion::OtherValue
    }
}

/// Joins mount and path.
///
/// # Errors
///
/// Fails where they name no secret.
pub(in crate::provider) fn named(mount: &str, path: &str) -> Result<SecretPath, Diagnostic> {
    SecretPath::new(mount, path).map_err(|error| {
        Diagnostic::error(
            format!("{mount}/{path} names no secret"),
            format!("{error}. Compare it with `vault kv list`."),
        )
    })
}

/// Why a spare with such marks cannot be promoted, seen from `primary` where there is one.
pub(in crate::provider) fn claimed(
    look: &Look,
    mount: &str,
    primary: Option<&FieldPath>,
) -> Option<String> {
    if look.spare_token()?.is_primary {
        return Some("it is a primary itself: its token came from another spare.".to_owned());
    }
    let marks = &look.token.as_ref()?.marks;
    marks.iter().find_map(|(mark, state)| match state {
        MarkState::Spent => Some(format!("its token was promoted to {}.", mark.primary)),
        MarkState::Open if primary != Some(&mark.primary) => {
            Some(format!("its token is being promoted to {}.", mark.primary))
        }
        MarkState::Unknown => {
            let remove = diagnose::command(&format!(
                "vault kv metadata patch -mount={} -remove-custom-metadata={} {}",
                diagnose::shell(mount),
                diagnose::shell(&mark.key),
                diagnose::shell(&look.facts.path)
            ));
            Some(format!(
                "it is marked for {}, which cannot be read. Grant read on it; or, if that primary \
                 is gone for good, remove the mark:{}",
                mark.primary,
                remove.trim_end()
            ))
        }
        MarkState::Open | MarkState::Foreign | MarkState::Void => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::check::check;
    use crate::token::instant::parse_instant;

    #[test]
    fn a_mark_that_nobody_can_judge_is_removed_by_a_whole_command() {
        let fingerprint = check(&format!("sk-ant-oat01-{:A>95}", "x")).fingerprint();
        let fingerprint = fingerprint.unwrap();
        let at = parse_instant("2026-11-24T00:00:00Z").unwrap();
        let value = format!("{} 2 1790000000 gone#oauth", fingerprint.short());
        let mark = Mark::parse("oauth", "oauth.promoted_to.00c0ffee", &value).unwrap();
        let look = Look {
            facts: SpareFacts {
                path: "two words".to_owned(),
                slot: Slot::Token(SpareToken {
                    fingerprint,
                    dates: Dates::new(at, Lifetime::new(365, 30).unwrap(), None),
                    marks: Vec::new(),
                    is_primary: false,
                }),
            },
            token: Some(TokenLook {
                version: 1,
                deletion_at: None,
                source: MintSource::History,
                marks: vec![(mark, MarkState::Unknown)],
            }),
            problem: None,
            diagnostics: Diagnostics::new(),
        };
        assert_eq!(
            claimed(&look, "kv/team", None).unwrap(),
            "it is marked for gone#oauth, which cannot be read. Grant read on it; or, if that \
             primary is gone for good, remove the mark:\n\n    vault kv metadata patch \
             -mount=kv/team -remove-custom-metadata=oauth.promoted_to.00c0ffee 'two words'"
        );
    }
}
