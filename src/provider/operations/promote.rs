//! A promotion that a person asks for: the action, without a host.

use tokio_util::sync::CancellationToken;

use super::status::targets;
use super::{Operations, Refusal};
use crate::provider::actions::promote_spare::{OnDemand, Promoted};
use crate::provider::diagnose::Place;
use crate::provider::diagnose::refuse;
use crate::sdk::{Diagnostics, Field};

/// A promotion that was carried out, or could be.
#[derive(Debug)]
pub struct Promotion {
    /// What was done, in a sentence without its end.
    pub done: String,
    /// Warnings.
    pub warnings: Diagnostics,
}

impl Operations {
    /// Promotes the best usable spare of some into a primary, at once; with `dry_run`, only says
    /// which one that is.
    ///
    /// # Errors
    ///
    /// Fails where a path is not one, where no spare is usable, and where Vault refuses.
    pub async fn promote(
        &self,
        path: &str,
        spares: &[String],
        dry_run: bool,
        cancelled: CancellationToken,
    ) -> Result<Promotion, Refusal> {
        let secret = self.secret(path)?;
        let mut spare_paths = Vec::new();
        for spare in spares {
            spare_paths.extend(targets::paths(spare, "--spare", "")?);
        }
        let fields: Vec<_> = spare_paths.iter().map(Field::text).collect();
        let wrong = refuse::pool_paths(&fields, Some(path), "--spare")
            .or_else(|| refuse::unmarkable(&Field::text(path), &self.field));
        if let Some(wrong) = wrong {
            return Err(Refusal::argument(wrong));
        }
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        let on_demand = OnDemand {
            configured: &self.configured,
            observer: self.observer()?,
            place,
            spare_paths: &spare_paths,
            lifetime: self.lifetime,
            cancelled,
        };
        let Promoted { outcome, mut told } = if dry_run {
            on_demand.rehearse().await
        } else {
            on_demand.run(None).await
        };
        match outcome {
            Ok(done) => Ok(Promotion {
                done,
                warnings: told,
            }),
            Err(error) => {
                told.push(error);
                Err(Refusal::Failed(told))
            }
        }
    }
}
