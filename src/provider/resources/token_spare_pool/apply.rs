//! Creation and changes: new spares are stored, then all of them are read.

use std::collections::BTreeMap;

use super::TokenSparePoolResource;
use super::model::{Private, Spare, TokenSparePool};
use super::report::warnings;
use super::survey::{Survey, Surveyor};
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place, Replaced, StoredToken};
use crate::provider::observe::{Observed, Observer};
use crate::provider::secrets::stamps::NewStamp;
use crate::provider::store::{Replaces, Storing, check_only, store};
use crate::sdk::{Applied, ApplyRequest, Diagnostics, Failure, Field};
use crate::secret::Secret;
use crate::token::expiry::Status;
use crate::token::fingerprint::Fingerprint;
use crate::token::instant::parse_instant;
use crate::token::mint::MintSource;
use crate::token::pool::SpareStatus;
use crate::token::retired::RetiredTokens;
use crate::vault::SecretPath;

/// Records the spares as they are.
pub(super) async fn create(
    configured: &Configured,
    request: ApplyRequest<TokenSparePoolResource>,
) -> Result<Applied<TokenSparePoolResource>, Failure> {
    let tokens = request.config.tokens_wo.clone();
    let mut state = request.config.with_defaults(configured);
    let work = Work::new(configured, &state)?;
    let mut stored = Stored::default();
    if !state.tokens_wo_version.is_null() {
        stored = work.store(&tokens, None).await?;
    }
    let survey = work.survey(&state, &Private::default()).await;
    let survey = survey.map_err(|errors| diagnose::after_stored(errors, &stored.ids()))?;
    survey.record(&mut state);
    let mut diagnostics = work.stamp(&survey).await;
    diagnostics.extend(stored.diagnostics(&survey));
    Ok(applied(state, survey, diagnostics))
}

/// Reads the spares again, and decides what the plan left open.
pub(super) async fn update(
    configured: &Configured,
    prior: &TokenSparePool,
    request: ApplyRequest<TokenSparePoolResource>,
) -> Result<Applied<TokenSparePoolResource>, Failure<Applied<TokenSparePoolResource>>> {
    let ApplyRequest {
        config,
        planned,
        private,
    } = request;
    let tokens = config.tokens_wo.clone();
    let mut state = config.with_defaults(configured);
    if !planned.mount.is_unknown() {
        state.mount = planned.mount.clone();
        state = state.derive();
    }
    // A shortage needs only another read; a changed argument is stamped as well.
    let is_changed = state.clone().with_spares_of(prior) != *prior;
    let work = Work::new(configured, &state)?;
    let mut stored = Stored::default();
    if !state.tokens_wo_version.is_null() && state.tokens_wo_version != prior.tokens_wo_version {
        stored = work.store(&tokens, prior.spares.known()).await?;
    }
    state.spares = prior.spares.clone();
    let survey = work.survey(&state, &private).await;
    let mut survey = survey.map_err(|errors| diagnose::after_stored(errors, &stored.ids()))?;
    survey.record(&mut state);
    let mut diagnostics = stored.diagnostics(&survey);
    if is_changed && work.stamps {
        for wiped in std::mem::take(&mut survey.wiped) {
            diagnostics.extend(wiped.restore(work.observer).await);
        }
        diagnostics.extend(work.stamp(&survey).await);
    }
    let seen = state.clone();
    decide(&mut state, planned);
    diagnostics.extend(survey.take_diagnostics());
    diagnostics.extend(warnings(&seen, &survey.private));
    Ok(Applied {
        state,
        private: survey.private,
        diagnostics,
    })
}

/// What an apply works with.
struct Work<'a> {
    configured: &'a Configured,
    observer: &'a Observer,
    mount: String,
    field: String,
    stamps: bool,
}

impl<'a> Work<'a> {
    fn new(configured: &'a Configured, state: &TokenSparePool) -> Result<Self, Diagnostics> {
        Ok(Self {
            configured,
            observer: configured
                .observer()
                .map_err(|unknown| vec![diagnose::not_configured(unknown, "A pool")])?,
            mount: state.mount.as_str().unwrap_or_default().to_owned(),
            field: state.field.as_str().unwrap_or_default().to_owned(),
            stamps: state.stamp_metadata.known() != Some(&false) && !configured.is_rehearsed(),
        })
    }

    async fn survey(
        &self,
        state: &TokenSparePool,
        private: &Private,
    ) -> Result<Survey, Diagnostics> {
        let surveyor = Surveyor {
            configured: self.configured,
            observer: self.observer,
            reread: true,
        };
        surveyor.survey(state, private).await
    }

    /// Stores new spares one after the other, once none of them is refused. The next apply finds
    /// those that were stored before a failure. `recorded` contains the tokens that may be
    /// replaced.
    async fn store(
        &self,
        tokens: &Field<BTreeMap<String, Field<Secret>>>,
        recorded: Option<&BTreeMap<String, Spare>>,
    ) -> Result<Stored, Diagnostics> {
        let tokens = tokens
            .known()
            .ok_or_else(|| vec![diagnose::pool_tokens_needed()])?;
        let mut wanted = Vec::new();
        for (path, token) in tokens {
            let Some(token) = token.known() else {
                continue;
            };
            let secret = secret_path(&self.mount, path).map_err(|error| vec![error])?;
            let replaces = match recorded.and_then(|spares| spares.get(path)) {
                None => Replaces::Untracked,
                Some(spare) => Replaces::Recorded(
                    spare
                        .fingerprint
                        .as_str()
                        .and_then(|text| text.parse().ok()),
                ),
            };
            let place = Place {
                secret: &secret,
                field: &self.field,
            };
            check_only(self.observer, place, token, replaces)
                .await
                .map_err(|error| vec![error])?;
            wanted.push((secret, token, replaces));
        }
        let mut stored = Stored::default();
        for (secret, token, replaces) in wanted {
            let place = Place {
                secret: &secret,
                field: &self.field,
            };
            let storing = Storing {
                stamps: self.stamps,
                ..Storing::over(replaces)
            };
            let new = store(self.configured, self.observer, place, token, storing)
                .await
                .map_err(|error| diagnose::after_stored(vec![error], &stored.ids()))?;
            let before = recorded.and_then(|spares| spares.get(secret.path()));
            let mut replaced = before
                .and_then(replaced)
                .filter(|replaced| new.is_unreported && replaced.fingerprint != new.fingerprint);
            if let Some(replaced) = &mut replaced {
                let before = new.version() - 1;
                replaced.is_pruned = self.observer.is_pruned(&secret, before).await;
            }
            stored.spares.push(StoredSpare {
                field: self.field.clone(),
                version: new.version(),
                replaced,
                is_unreported: new.is_unreported,
                secret,
            });
            stored.diagnostics.extend(new.diagnostics);
        }
        Ok(stored)
    }

    /// Stamps the spares that have no stamp yet. An estimated date is not written down.
    async fn stamp(&self, survey: &Survey) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if !self.stamps {
            return diagnostics;
        }
        for (path, spare) in &survey.spares {
            let estimated = spare.minted_at_source.as_str() == Some(MintSource::Estimated.as_str());
            let (Ok(secret), Some(stamp), false) =
                (secret_path(&self.mount, path), new_stamp(spare), estimated)
            else {
                continue;
            };
            let Ok(observed) = self.observer.observe(&secret).await else {
                continue;
            };
            let Observed::Present(document) = &*observed else {
                continue;
            };
            let place = Place {
                secret: &secret,
                field: &self.field,
            };
            let live = crate::token::stamp::Stamp::live(
                place.field,
                &document.custom_metadata,
                &stamp.fingerprint,
            );
            // Another resource records where the token came from and which request it answers.
            let stamp = NewStamp {
                rotated_from: live.as_ref().and_then(|live| live.rotated_from.clone()),
                requested: live.as_ref().and_then(|live| live.requested),
                ..stamp
            };
            diagnostics.extend(
                stamp
                    .write(
                        self.observer.store(),
                        place,
                        &document.custom_metadata,
                        RetiredTokens::default(),
                    )
                    .await,
            );
            self.observer.forget(&secret);
        }
        diagnostics
    }
}

/// The spares that were stored.
#[derive(Default)]
struct Stored {
    diagnostics: Diagnostics,
    spares: Vec<StoredSpare>,
}

struct StoredSpare {
    secret: SecretPath,
    field: String,
    version: u64,
    replaced: Option<Replaced>,
    is_unreported: bool,
}

impl StoredSpare {
    fn place(&self) -> Place<'_> {
        Place {
            secret: &self.secret,
            field: &self.field,
        }
    }
}

impl Stored {
    /// Returns the ids of the spares that hold their new tokens.
    fn ids(&self) -> Vec<String> {
        let spares = self.spares.iter();
        spares.map(|spare| spare.place().to_string()).collect()
    }

    /// Reports each token that was stored, with what was found out about it.
    fn diagnostics(self, survey: &Survey) -> Diagnostics {
        let news = self.spares.iter().filter(|spare| spare.is_unreported);
        let news = news.filter_map(|spare| {
            let found = survey.spares.get(spare.secret.path())?;
            Some(diagnose::stored(&StoredToken {
                place: spare.place(),
                version: spare.version,
                expires_at: found.expires_at.as_str(),
                is_dated_by_write: false,
                is_spare: true,
                replaced: spare.replaced,
            }))
        });
        self.diagnostics.iter().cloned().chain(news).collect()
    }
}

/// Returns what a message says about the token that a spare held before.
fn replaced(before: &Spare) -> Option<Replaced> {
    let status = before.status.as_str()?;
    Some(Replaced {
        fingerprint: before.fingerprint.as_str()?.parse().ok()?,
        status: Status::parse(status),
        is_pruned: false,
        is_in_use: matches!(
            SpareStatus::parse(status),
            Some(SpareStatus::Spent | SpareStatus::Duplicate)
        ),
    })
}

/// Makes the stamp of a spare with known dates.
fn new_stamp(spare: &Spare) -> Option<NewStamp> {
    let fingerprint: Fingerprint = spare.fingerprint.as_str()?.parse().ok()?;
    Some(NewStamp {
        fingerprint,
        minted_at: parse_instant(spare.minted_at.as_str()?).ok()?,
        expires_at: parse_instant(spare.expires_at.as_str()?).ok()?,
        rotated_from: None,
        requested: None,
        account: None,
        verdict: None,
    })
}

/// Keeps every value that was planned: what has changed since the plan is left to the next one.
fn decide(state: &mut TokenSparePool, planned: TokenSparePool) {
    if let (Field::Known(found), Field::Known(planned)) = (&mut state.spares, planned.spares) {
        for (path, planned) in planned {
            let decided = match found.get(&path) {
                Some(spare) => planned.decided_by(spare),
                None => planned.decided_by(&Spare::default()),
            };
            found.insert(path, decided);
        }
    }
    keep(&mut state.available_paths, planned.available_paths);
    keep(&mut state.available_count, planned.available_count);
    keep(&mut state.runway_until, planned.runway_until);
}

fn keep<T>(found: &mut Field<T>, planned: Field<T>) {
    if !planned.is_unknown() {
        *found = planned;
    }
}

fn applied(
    state: TokenSparePool,
    mut survey: Survey,
    mut diagnostics: Diagnostics,
) -> Applied<TokenSparePoolResource> {
    diagnostics.extend(survey.take_diagnostics());
    diagnostics.extend(warnings(&state, &survey.private));
    Applied {
        state,
        private: survey.private,
        diagnostics,
    }
}
