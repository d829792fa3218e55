//! A promotion that a user requests: the action, without a host.

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
    /// What was done, as a sentence without a period.
    pub done: String,
    /// Warnings.
    pub warnings: Diagnostics,
}

impl Operations {
    /// Promotes the best usable spare of some into a primary, immediately. With `dry_run`, only
    /// reports which spare that is.
    ///
    /// # Errors
    ///
    /// Fails if a path is invalid, if no spare is usable, or if Vault refuses.
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
        let Promoted {
            outcome,
            mut diagnostics,
        } = if dry_run {
            on_demand.rehearse().await
        } else {
            on_demand.run(None).await
        };
        match outcome {
            Ok(done) => Ok(Promotion {
                done,
                warnings: diagnostics,
            }),
            Err(error) => {
                diagnostics.push(error);
                Err(Refusal::Failed(diagnostics))
            }
        }
    }
}
