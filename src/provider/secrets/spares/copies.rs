//! A spare that holds the same token as the primary: a copy made by hand, or what it came from.

use crate::provider::secrets::spares::Spares;
use crate::token::fingerprint::Fingerprint;
use crate::token::mark::MarkState;
use crate::token::mint::Dated;

/// A spare that holds the same token as the primary.
pub(in crate::provider) struct Twin {
    /// When the token was minted.
    pub(in crate::provider) dated: Dated,
    /// Its path, where its marks say that the token was promoted from there. A copy made by hand
    /// has none.
    pub(in crate::provider) promoted_from: Option<String>,
}

impl Spares<'_> {
    /// Looks for a spare that holds the primary's token; one that cannot be read has no say.
    pub(in crate::provider) async fn holding(
        &self,
        paths: &[String],
        fingerprint: Fingerprint,
    ) -> Option<Twin> {
        for path in paths {
            if let Ok(look) = self.look(path, None).await
                && let (Some(token), Some(around)) = (look.spare_token(), &look.token)
                && token.fingerprint == fingerprint
            {
                let promoted = around.marks.iter().any(|(mark, state)| {
                    *state == MarkState::Spent && Some(&mark.primary) == self.primary
                });
                return Some(Twin {
                    dated: Dated {
                        at: token.dates.minted_at,
                        source: around.source,
                    },
                    promoted_from: promoted.then(|| path.clone()),
                });
            }
        }
        None
    }
}
