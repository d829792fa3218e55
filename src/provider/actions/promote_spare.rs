//! `claude_promote_spare`: the promotion of a spare on demand, without a commit.
//!
//! It has no state. It replaces the token that it finds when it begins, so a second run promotes
//! another spare. A token that somebody stores in the meantime is kept.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::diagnose::refuse;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::{Content, Observed, Observer};
use crate::provider::promotion::{
    Current, How, Prior, Promotion, Reason, Remembered, Stop, Target,
};
use crate::sdk::{Action, Context, Diagnostics, Failure, Field, Progress, model};
use crate::token::expiry::Lifetime;
use crate::vault::SecretPath;

model! {
    /// Configuration of `claude_promote_spare`.
    pub(in crate::provider) struct PromoteSpare {
        path: String = required() "Path of the primary in the mount, without `data/`.";
        spare_paths: Vec<Field<String>> = required() "Paths of spares in the same mount. The \
                                                      usable spare that expires last is promoted. \
                                                      If several expire at the same time, this \
                                                      order decides.";
        mount: String = optional() "KV version 2 mount of the primary and the spares. Defaults to \
                                    the provider's `mount`.";
        field: String = optional() "Field of each secret that holds the token. Defaults to `claude_oauth_token`.";
    }
}

/// The action.
pub(in crate::provider) struct PromoteSpareAction;

#[async_trait]
impl Action for PromoteSpareAction {
    type Configured = Configured;
    type Config = PromoteSpare;

    const TYPE_NAME: &'static str = "claude_promote_spare";
    const DESCRIPTION: &'static str = "Promotes a spare immediately, regardless of the status of the \
                                       current token, such as after a leak. It is the same \
                                       promotion that `claude_oauth_token` performs when a token \
                                       is due, with the same marks and stamps, and it needs the \
                                       same rights. The action does not change state. The next \
                                       plan finds the new token, as if a person had stored it, and \
                                       updates what depends on it. Each invocation promotes: if \
                                       you run it again after an interruption or a crash, it uses \
                                       another spare. Requires Terraform 1.14. OpenTofu does not \
                                       support actions.";

    fn validate(&self, config: &PromoteSpare) -> Diagnostics {
        let mut found = Diagnostics::new();
        found.extend(refuse::path(&config.path, "path"));
        found.extend(refuse::mount(&config.mount));
        found.extend(refuse::field(&config.field));
        if !config.field.is_unknown() {
            let field = config.field.as_str().unwrap_or(DEFAULT_FIELD);
            found.extend(refuse::unmarkable(&config.path, field));
        }
        found.extend(
            config
                .spare_paths
                .known()
                .and_then(|paths| refuse::pool_paths(paths, config.path.as_str(), "spare_paths")),
        );
        found
    }

    async fn invoke(
        &self,
        context: &Context<Configured>,
        config: PromoteSpare,
        progress: &Progress,
    ) -> Result<Diagnostics, Failure> {
        let configured = &*context.configured;
        let observer = configured
            .observer()
            .map_err(|unknown| diagnose::not_configured(unknown, "A promotion"))?;
        let days = configured.defaults.resolve(&Field::Null, &Field::Null);
        let lifetime = days.lifetime()?.ok_or_else(|| {
            diagnose::not_configured("lifetime_days or rotate_before_days", "A promotion")
        })?;
        let mount = config.mount.or(configured.mount.clone());
        let field = config.field.or(Field::text(DEFAULT_FIELD));
        let spare_paths: Option<Vec<String>> = config
            .spare_paths
            .known()
            .and_then(|paths| paths.iter().map(|path| path.known().cloned()).collect());
        let (Some(mount), Some(path), Some(field), Some(spare_paths)) = (
            mount.as_str(),
            config.path.as_str(),
            field.as_str(),
            spare_paths,
        ) else {
            return Err(diagnose::not_configured("mount", "A promotion").into());
        };
        let secret = SecretPath::new(mount, path).map_err(|_| unnamed())?;
        let place = Place {
            secret: &secret,
            field,
        };
        let on_demand = OnDemand {
            configured,
            observer,
            place,
            spare_paths: &spare_paths,
            lifetime,
            cancelled: context.cancelled.clone(),
        };
        let Promoted {
            outcome,
            mut diagnostics,
        } = on_demand.run(Some(progress)).await;
        match outcome {
            Ok(done) => {
                progress.report(done);
                Ok(diagnostics)
            }
            Err(error) => {
                diagnostics.push(error);
                Err(diagnostics.into())
            }
        }
    }
}

/// A promotion that is requested outside of any plan.
pub(in crate::provider) struct OnDemand<'a> {
    /// The context.
    pub(in crate::provider) configured: &'a Configured,
    /// The observer, which reads and writes.
    pub(in crate::provider) observer: &'a Observer,
    /// The primary.
    pub(in crate::provider) place: Place<'a>,
    /// The spares, in order of preference.
    pub(in crate::provider) spare_paths: &'a [String],
    /// How long tokens live.
    pub(in crate::provider) lifetime: Lifetime,
    /// Cancelled to stop the promotion.
    pub(in crate::provider) cancelled: CancellationToken,
}

/// The result of a promotion on demand.
pub(in crate::provider) struct Promoted {
    /// What was done, or why nothing was.
    pub(in crate::provider) outcome: Result<String, Diagnostic>,
    /// Warnings.
    pub(in crate::provider) diagnostics: Diagnostics,
}

impl OnDemand<'_> {
    /// Carries out the promotion.
    pub(in crate::provider) async fn run(&self, progress: Option<&Progress>) -> Promoted {
        let mut diagnostics = Diagnostics::new();
        let outcome = self.promote(progress, &mut diagnostics).await;
        Promoted {
            outcome,
            diagnostics,
        }
    }

    /// Reads everything, writes nothing, and reports which spare would be promoted.
    pub(in crate::provider) async fn rehearse(&self) -> Promoted {
        Promoted {
            outcome: self.choose().await,
            diagnostics: self.configured.skew_warning().into_iter().collect(),
        }
    }

    async fn promote(
        &self,
        progress: Option<&Progress>,
        diagnostics: &mut Diagnostics,
    ) -> Result<String, Diagnostic> {
        let place = self.place;
        if self.configured.is_rehearsed() {
            return Err(rehearsed(place));
        }
        if let Some(progress) = progress {
            progress.report(format!("Reading {place}"));
        }
        let prior = prior(self.observer, place).await?;
        let promoted = self.promotion(prior, progress).run().await;
        diagnostics.extend(self.configured.skew_warning());
        diagnostics.extend(promoted.diagnostics);
        match promoted.outcome {
            Ok(current) => {
                diagnostics.extend(kept(place, &current));
                Ok(summary(place, &current))
            }
            Err(stop) => Err(stopped(place, stop)),
        }
    }

    async fn choose(&self) -> Result<String, Diagnostic> {
        let place = self.place;
        let observed = self
            .observer
            .observe_again(place.secret)
            .await
            .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
        let Observed::Present(document) = &*observed else {
            let problem = diagnose::problem(place, &observed, None).unwrap_or_default();
            return Err(diagnose::nothing_to_promote_into(place, problem));
        };
        let target = Target {
            token: match document.field(place.field, None) {
                Content::Token { fingerprint, .. } => Some(fingerprint),
                _ => None,
            },
            version: document.version,
            custom_metadata: &document.custom_metadata,
            purpose: Reason::Requested.purpose(),
        };
        let promotion = self.promotion(Prior::default(), None);
        let choice = promotion.choose(&target).await.map_err(Stop::into_error)?;
        choice
            .paths()
            .next()
            .map(|path| format!("{place} would get the token of {path}"))
            .ok_or_else(|| diagnose::no_spare_to_promote(place, choice.refusals()))
    }

    fn promotion<'b>(&'b self, prior: Prior, progress: Option<&'b Progress>) -> Promotion<'b> {
        Promotion {
            configured: self.configured,
            observer: self.observer,
            cancelled: self.cancelled.clone(),
            primary: self.place,
            spare_paths: self.spare_paths,
            lifetime: self.lifetime,
            reason: Reason::Requested,
            prior,
            remembered: Remembered::default(),
            request: None,
            stamps: true,
            reread: true,
            progress,
            is_on_demand: true,
        }
    }
}

/// Reads which token is to be replaced.
async fn prior(observer: &Observer, place: Place<'_>) -> Result<Prior, Diagnostic> {
    let observed = observer
        .observe_again(place.secret)
        .await
        .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    let Observed::Present(document) = &*observed else {
        // The promotion says what to do about a primary that is gone.
        return Ok(Prior::default());
    };
    Ok(Prior {
        fingerprint: match document.field(place.field, None) {
            Content::Token { fingerprint, .. } => Some(fingerprint),
            _ => None,
        },
        dated: None,
        kv_version: Some(document.version),
    })
}

fn summary(place: Place<'_>, current: &Current) -> String {
    let origin = match &current.rotated_from {
        Some(path) => format!(" of {path}"),
        None => String::new(),
    };
    format!(
        "{place} holds the token{origin} since version {}",
        current.version
    )
}

/// Warns if the token that the primary holds is not one that this invocation promoted.
fn kept(place: Place<'_>, current: &Current) -> Option<Diagnostic> {
    (current.how != How::Promoted).then(|| {
        Diagnostic::warning(
            format!("Token {place} was replaced in the meantime"),
            "The new token has not expired, so it was kept, and no spare was promoted. To replace \
             that one as well, invoke the action again.",
        )
    })
}

fn stopped(place: Place<'_>, stop: Stop) -> Diagnostic {
    let may_have_landed = stop.is_open();
    let mut error = stop.into_error();
    if may_have_landed {
        error.detail = error.detail.paragraph(
            "Each invocation promotes another spare, so first check whether the version has \
             changed:",
        ) + diagnose::kv(place.secret, "metadata get", &[]);
    }
    error
}

fn rehearsed(place: Place<'_>) -> Diagnostic {
    Diagnostic::error(
        format!("No spare was promoted into {place}"),
        "While TF_CLAUDE_NOW is set, nothing is written to Vault. Unset it and invoke \
         the action again.",
    )
}

fn unnamed() -> Diagnostic {
    Diagnostic::error(
        "Invalid mount, path, or field",
        "The configuration does not resolve to a secret. Compare mount, path, and field with \
         `vault kv list`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::mark::MAX_PRIMARY_BYTES;

    fn details(path: &str, field: Field<String>) -> Vec<String> {
        let config = PromoteSpare {
            path: Field::text(path),
            spare_paths: Field::Known(vec![Field::text("spare")]),
            field,
            ..PromoteSpare::default()
        };
        let diagnostics = PromoteSpareAction.validate(&config);
        diagnostics
            .into_iter()
            .map(|diagnostic| diagnostic.detail.to_string())
            .collect()
    }

    #[test]
    fn primary_has_a_name_that_fits_into_a_mark() {
        let longest = "a".repeat(MAX_PRIMARY_BYTES - 1 - DEFAULT_FIELD.len());
        let longer = format!("{longest}a");
        assert_eq!(details(&longest, Field::Null), [""; 0]);
        let refused = details(&longer, Field::Null);
        assert!(
            matches!(&refused[..], [detail] if detail.contains("shorter path")),
            "{refused:?}"
        );
        assert_eq!(details(&longer, Field::text("a")), [""; 0]);
        assert_eq!(details(&longer, Field::Unknown), [""; 0]);
    }
}
