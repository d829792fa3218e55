//! A spare that holds the same token as the primary: a copy, or the spare that it came from.

use crate::provider::secrets::spares::Spares;
use crate::token::fingerprint::Fingerprint;
use crate::token::mark::MarkState;
use crate::token::mint::Dated;

/// A spare that holds the same token as the primary.
pub(in crate::provider) struct HeldCopy {
    /// When the token was minted.
    pub(in crate::provider) dated: Dated,
    /// Its path, if its marks say that the token was promoted from there.
    pub(in crate::provider) promoted_from: Option<String>,
}

impl Spares<'_> {
    /// Reads the spares for one that holds the primary's token, and returns the earliest of its
    /// dates; a spare that cannot be read is passed over.
    pub(in crate::provider) async fn holding(
        &self,
        paths: &[String],
        fingerprint: Fingerprint,
    ) -> Option<HeldCopy> {
        let readings = self.read_all(paths.iter().map(|path| (path, None))).await;
        let promoted = |mark: &crate::token::mark::Mark| {
            readings
                .knowledge
                .marks(&fingerprint)
                .iter()
                .any(|(judged, state)| judged == mark && *state == MarkState::Spent)
        };
        let holders = readings
            .read
            .iter()
            .filter(|reading| reading.spare.holds(&fingerprint));
        let promoted_from = holders
            .clone()
            .find(|reading| {
                reading.marks.iter().any(|mark| {
                    mark.version > 0 && Some(&mark.primary) == self.primary && promoted(mark)
                })
            })
            .map(|reading| reading.spare.path.clone());
        let dated = holders.filter_map(|reading| {
            let token = reading.spare.token()?;
            Some(Dated {
                at: token.dates.minted_at,
                source: token.source,
            })
        });
        Some(HeldCopy {
            dated: dated.min_by_key(|dated| dated.at)?,
            promoted_from,
        })
    }
}
