//! One run: a made-up token, then every token, two at a time.

use std::io;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Verified;
use super::answer::{Answer, Finding};
use super::cause::Cause;
use super::control::{judged, made_up};
use super::question::Question;
use crate::cli::output;
use crate::env::Environment;
use crate::provider::operations::{Candidate, LastVerdict, Operations, Refusal, TokenPlace};
use crate::secret::Secret;

/// Maximum number of requests at a time.
const TOGETHER: usize = 2;

/// Whether a token that cannot work is tried as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    /// It is, and nothing counts as working unless it is refused.
    Needed,
    /// It is not.
    Unwanted,
}

/// What was found about one token.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Where it is; a token that was typed is nowhere.
    pub(super) place: Option<TokenPlace>,
    /// Names it, where it could be read.
    pub(super) fingerprint: Option<String>,
    /// Its first digits.
    pub(super) short: Option<String>,
    /// What was found, or why nobody was asked.
    pub(super) outcome: Outcome,
    /// When.
    pub(super) asked_at: Option<Timestamp>,
    /// How long it took; a verdict that was found earlier has no such time.
    pub(super) seconds: Option<f64>,
    /// Whether the verdict is in the secret's metadata.
    pub(super) stamped: bool,
}

/// How a row came out.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Somebody was asked.
    Asked(Answer),
    /// An earlier verdict is young enough.
    Earlier(LastVerdict),
    /// The token could not be read.
    Error(String),
}

impl Row {
    /// Starts the row of a place, about which nothing is known yet.
    fn of(place: Option<TokenPlace>) -> Self {
        Self {
            place,
            fingerprint: None,
            short: None,
            outcome: Outcome::Error(String::new()),
            asked_at: None,
            seconds: None,
            stamped: false,
        }
    }

    /// Reports whether the token was refused.
    pub(super) fn is_refused(&self) -> bool {
        match &self.outcome {
            Outcome::Asked(answer) => matches!(answer.finding, Finding::Refused(_)),
            Outcome::Earlier(last) => last.is_refused,
            Outcome::Error(_) => false,
        }
    }

    /// Reports whether the token works.
    pub(super) fn works(&self) -> bool {
        match &self.outcome {
            Outcome::Asked(answer) => answer.finding == Finding::Works,
            Outcome::Earlier(last) => !last.is_refused,
            Outcome::Error(_) => false,
        }
    }
}

/// Everything that a run needs.
pub(super) struct Run<'a> {
    pub(super) operations: &'a Operations,
    pub(super) question: &'a Question,
    pub(super) control: Control,
    /// Age in seconds up to which an earlier verdict counts.
    pub(super) if_older_than: Option<i64>,
    pub(super) stamps: bool,
    pub(super) ask_again_after: Duration,
    pub(super) environment: &'a dyn Environment,
    pub(super) stop: &'a CancellationToken,
}

impl Run<'_> {
    /// Asks about a token that a person gave. `None` where the user stopped this program.
    pub(super) async fn given(&self, token: &Secret) -> io::Result<Option<Verified>> {
        let row = Row::of(None);
        let candidate = match Operations::check_token(token) {
            Ok(candidate) => candidate,
            Err(error) => {
                output::diagnostics(error.diagnostics(), self.environment);
                let outcome = Outcome::Error(summary(&error));
                return Ok(Some(Verified {
                    control: None,
                    rows: vec![Row { outcome, ..row }],
                    mount: String::new(),
                }));
            }
        };
        self.all(vec![(row, Some(candidate))]).await
    }

    /// Asks about the tokens of these places, and stamps what was found. `None` where the user
    /// stopped this program.
    pub(super) async fn stored(&self, places: Vec<TokenPlace>) -> io::Result<Option<Verified>> {
        let read = stream::iter(places).map(|place| async move {
            let operations = self.operations.for_one_secret();
            let candidate = operations.candidate(&place).await;
            self.row(place, candidate)
        });
        let rows = tokio::select! {
            rows = read.buffered(TOGETHER).collect() => rows,
            () = self.stop.cancelled() => return Ok(None),
        };
        self.all(rows).await
    }

    /// Makes the row of a token before anybody is asked.
    fn row(
        &self,
        place: TokenPlace,
        candidate: Result<Candidate, Refusal>,
    ) -> (Row, Option<Candidate>) {
        let mut row = Row::of(Some(place));
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(error) => {
                row.outcome = Outcome::Error(summary(&error));
                output::diagnostics(error.diagnostics(), self.environment);
                return (row, None);
            }
        };
        let now = self.operations.now();
        let is_young = |last: &LastVerdict| {
            self.if_older_than
                .is_some_and(|limit| now.duration_since(last.at).as_secs() < limit)
        };
        if let Some(last) = candidate.last.clone().filter(is_young) {
            row.fingerprint = Some(candidate.fingerprint.to_string());
            row.short = Some(candidate.fingerprint.short().to_string());
            row.asked_at = Some(last.at);
            row.stamped = true;
            row.outcome = Outcome::Earlier(last);
            return (row, None);
        }
        (row, Some(candidate))
    }

    async fn all(&self, rows: Vec<(Row, Option<Candidate>)>) -> io::Result<Option<Verified>> {
        let is_anybody_asked = rows.iter().any(|(_, candidate)| candidate.is_some());
        let permits = Semaphore::new(TOGETHER);
        let permits = &permits;
        let control = async {
            if self.control == Control::Unwanted || !is_anybody_asked {
                return Ok(Some(None));
            }
            let _permit = permits.acquire().await;
            let answer = self.question.ask(&made_up(), self.stop).await?;
            io::Result::Ok(answer.map(Some))
        };
        let asked = stream::iter(rows)
            .map(|(row, candidate)| async move {
                let Some(candidate) = candidate else {
                    return Ok(Some((row, None)));
                };
                self.one(row, candidate, permits).await
            })
            // Waiting for the second question takes no place.
            .buffered(usize::MAX)
            .try_collect::<Vec<Option<(Row, Option<Candidate>)>>>();
        let (control, asked) = tokio::try_join!(control, asked)?;
        let (Some(control), Some(asked)) = (control, asked.into_iter().collect::<Option<Vec<_>>>())
        else {
            return Ok(None);
        };
        let mut rows = Vec::with_capacity(asked.len());
        for (mut row, candidate) in asked {
            if let Outcome::Asked(answer) = &mut row.outcome {
                answer.finding = match self.control {
                    Control::Needed => judged(answer, control.as_ref()),
                    Control::Unwanted => answer.finding,
                };
                if let Some(candidate) = candidate {
                    self.stamp(&mut row, &candidate).await;
                }
            }
            rows.push(row);
        }
        Ok(Some(Verified {
            control: control.map(|answer| answer.finding),
            rows,
            mount: self.operations.mount().to_owned(),
        }))
    }

    async fn one(
        &self,
        mut row: Row,
        candidate: Candidate,
        permits: &Semaphore,
    ) -> io::Result<Option<(Row, Option<Candidate>)>> {
        row.fingerprint = Some(candidate.fingerprint.to_string());
        row.short = Some(candidate.fingerprint.short().to_string());
        let started = Instant::now();
        let question = Limited {
            question: self.question,
            permits,
        };
        let Some(answer) = question
            .ask_twice(&candidate.token, self.ask_again_after, self.stop)
            .await?
        else {
            return Ok(None);
        };
        row.asked_at = Some(self.operations.now());
        row.seconds = Some(started.elapsed().as_secs_f64());
        row.outcome = Outcome::Asked(answer);
        Ok(Some((row, Some(candidate))))
    }

    /// Writes a verdict to the metadata of the secret.
    async fn stamp(&self, row: &mut Row, candidate: &Candidate) {
        let (Outcome::Asked(answer), Some(place), Some(at)) =
            (&row.outcome, &row.place, row.asked_at)
        else {
            return;
        };
        if !self.stamps || matches!(answer.finding, Finding::Unclear(_)) {
            return;
        }
        let verdict = LastVerdict {
            is_refused: matches!(answer.finding, Finding::Refused(_)),
            at,
            cause: answer.finding.cause().map_or("", Cause::as_str).to_owned(),
        };
        let recorded = self
            .operations
            .for_one_secret()
            .record(place, &candidate.fingerprint, verdict)
            .await;
        match recorded {
            Ok(()) => row.stamped = true,
            Err(error) => output::diagnostics(error.diagnostics(), self.environment),
        }
    }
}

/// A question that is put only so often at a time.
struct Limited<'a> {
    question: &'a Question,
    permits: &'a Semaphore,
}

impl Limited<'_> {
    /// Asks, and once more after a while where the token was refused: some refusals pass. The
    /// second answer counts.
    async fn ask_twice(
        &self,
        token: &Secret,
        again_after: Duration,
        stop: &CancellationToken,
    ) -> io::Result<Option<Answer>> {
        let first = self.ask(token, stop).await?;
        if !first
            .as_ref()
            .is_some_and(|answer| matches!(answer.finding, Finding::Refused(_)))
        {
            return Ok(first);
        }
        tokio::select! {
            () = sleep(again_after) => self.ask(token, stop).await,
            () = stop.cancelled() => Ok(None),
        }
    }

    async fn ask(&self, token: &Secret, stop: &CancellationToken) -> io::Result<Option<Answer>> {
        let _permit = self.permits.acquire().await;
        if stop.is_cancelled() {
            return Ok(None);
        }
        self.question.ask(token, stop).await
    }
}

/// Says in a few words why nobody was asked.
fn summary(refusal: &Refusal) -> String {
    let first = refusal.diagnostics().first();
    first.map_or_else(String::new, |error| error.summary.clone())
}

/// Asks about one token, twice where it is refused.
pub(super) async fn ask(
    question: &Question,
    token: &Secret,
    again_after: Duration,
    stop: &CancellationToken,
) -> io::Result<Option<Answer>> {
    let permits = Semaphore::new(1);
    let question = Limited {
        question,
        permits: &permits,
    };
    question.ask_twice(token, again_after, stop).await
}
