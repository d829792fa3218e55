//! The steps of a promotion in order, until the primary is written or nothing can be promoted.

use super::{Current, Promoted, Promotion, Report, Stop, Tried, claim, primary, stop, write};
use crate::sdk::Diagnostics;

/// How many writes of other clients may interfere if no deadline ends the work first.
const ROUNDS: usize = 50;

/// How many times the marks may be too old when the primary can be written.
const STALE_CLAIMS: usize = 3;

impl Promotion<'_> {
    /// Carries the promotion out.
    pub(in crate::provider) async fn run(&self) -> Promoted {
        let mut report = Report::default();
        let outcome = self.promote(&mut report).await;
        // After a stop, a write may still be in flight.
        self.observer.forget(self.primary.secret);
        // A repeated step reports the same diagnostics again.
        let mut diagnostics = Diagnostics::new();
        for diagnostic in report.at_once {
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        Promoted {
            outcome,
            diagnostics,
        }
    }

    async fn promote(&self, report: &mut Report) -> Result<Current, Stop> {
        let turn = self.observer.store().turn(self.primary.secret).await;
        let _turn = turn.map_err(|error| Stop::vault(&error, &self.primary.to_string()))?;
        let mut tried = Tried {
            primary_is_unwritable: !self.stamps,
            ..Tried::default()
        };
        if !self.stamps {
            let warning = stop::without_marks(self.primary, None);
            let paths = self.spare_paths.iter().cloned();
            tried.unwritable = paths.map(|path| (path, warning.clone())).collect();
        }
        let mut oldest = self.prior.kv_version.unwrap_or_default();
        let mut stale = 0;
        for _ in 0..ROUNDS {
            if self.observer.store().is_time_over() {
                break;
            }
            let primary = match self.read_primary(oldest, report).await? {
                primary::Primary::Settled(current) => return Ok(*current),
                primary::Primary::Replace(primary) => primary,
            };
            let version = primary.seen.version;
            self.follow(|| format!("{} is at version {version}; choosing a spare", self.primary));
            let choice = self.choose(&primary.target()).await?;
            self.mark_copies(&choice, report).await?;
            loop {
                self.go_on()?;
                let Some(spare) = choice.next(&tried) else {
                    if self.was_replaced(&primary).await? {
                        oldest = version + 1;
                        break;
                    }
                    return Err(choice.nothing_usable(self, &tried));
                };
                self.follow(|| format!("Claiming the spare {}", spare.path));
                let claim = if let Some(warning) = tried.unwritable.get(&spare.path) {
                    report.once_written.push(warning.clone());
                    self.claim_unmarked(spare, &choice).await?
                } else {
                    self.claim(spare, &choice, version, report).await?
                };
                let claim = match claim {
                    claim::Claim::Mine(claim) => claim,
                    claim::Claim::Unwritable(warning) => {
                        let holders = choice.holders(spare).into_iter();
                        let unwritable = holders.map(|path| (path, (*warning).clone()));
                        tried.unwritable.extend(unwritable);
                        continue;
                    }
                    claim::Claim::Taken(why) => {
                        self.follow(|| format!("{} cannot be promoted: {why}", spare.path));
                        tried.pass_over(spare, why);
                        continue;
                    }
                };
                self.follow(|| format!("Writing its token into {}", self.primary));
                let writing = write::Writing {
                    promotion: self,
                    primary: &primary,
                    choice: &choice,
                    spare,
                    claim: &claim,
                };
                match writing.write(&mut tried, report).await? {
                    write::Outcome::Promoted(current) => return Ok(*current),
                    write::Outcome::Moved => {
                        self.follow(|| "Another client changed the secret; starting again".into());
                        oldest = version + 1;
                        break;
                    }
                    write::Outcome::Stale => {
                        stale += 1;
                        if stale > STALE_CLAIMS {
                            return Err(self.stale());
                        }
                    }
                }
            }
        }
        Err(Stop::new(
            format!("Secret {} is too busy", self.primary.secret),
            format!(
                "Another client changed the secret during every attempt. No token was replaced. \
                 To try again, {}.",
                self.again()
            ),
        ))
    }
}
