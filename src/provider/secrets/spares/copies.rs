//! The spare that the primary's token came from.

use crate::provider::secrets::spares::Spares;
use crate::token::fingerprint::Fingerprint;
use crate::token::mark::MarkState;

impl Spares<'_> {
    /// Returns the path of the spare that the primary's token was promoted from, according to the
    /// mark there. A spare that cannot be read is skipped.
    pub(in crate::provider) async fn origin_of(
        &self,
        paths: &[String],
        fingerprint: Fingerprint,
    ) -> Option<String> {
        let readings = self.read_all(paths.iter().map(|path| (path, None))).await;
        let promoted = |mark: &crate::token::mark::Mark| {
            readings
                .knowledge
                .marks(&fingerprint)
                .iter()
                .any(|(judged, state)| judged == mark && *state == MarkState::Spent)
        };
        let mut holders = readings
            .read
            .iter()
            .filter(|reading| reading.spare.holds(&fingerprint));
        holders
            .find(|reading| {
                reading.marks.iter().any(|mark| {
                    mark.version > 0 && Some(&mark.primary) == self.primary && promoted(mark)
                })
            })
            .map(|reading| reading.spare.path.clone())
    }
}
