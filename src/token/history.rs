//! The walk back through a secret's versions to the oldest one that holds a token.

use jiff::Timestamp;

use super::fingerprint::Fingerprint;

/// Maximum number of older versions that a walk reads.
pub const MAXIMUM_STEPS: u32 = 30;

/// What a read of one older version showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastVersion {
    /// The version can be read.
    Readable {
        /// The `created_time` of the version.
        created_at: Timestamp,
        /// The fingerprint of the token in the field; `None` for any other value or no field.
        fingerprint: Option<Fingerprint>,
    },
    /// The version was deleted or destroyed; older ones may still be readable.
    Unreadable,
    /// The version is pruned or may not be read, and so are all older ones.
    EndOfHistory,
}

/// What a walk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryOutcome {
    /// The earliest `created_time` among the versions that hold the token.
    pub oldest_created_at: Timestamp,
    /// Whether the token is known not to have been in the field earlier.
    pub complete: bool,
}

/// Walks back through the versions of a secret.
///
/// A sibling's write makes a new version with the old token in it, and a rollback makes an old
/// token current again. So neither the newest `created_time` nor the first other value on the way
/// back dates a token; only the oldest version that holds it does. The caller reads
/// [`HistoryWalk::next_version`] and reports what it read, until there is no next version.
#[derive(Clone, Debug)]
pub struct HistoryWalk {
    fingerprint: Fingerprint,
    version: u64,
    oldest_created_at: Timestamp,
    below: Below,
    steps: u32,
    ended: bool,
}

/// What precedes the oldest version that is known to hold the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    /// Nothing was read yet, or nothing exists.
    Nothing,
    /// Another value, so the field did not hold the token.
    OtherValue,
    /// A version that cannot be read and may have held the token.
    Gap,
}

impl HistoryWalk {
    /// Starts at the version that was read last, which holds the token.
    pub fn start(fingerprint: Fingerprint, version: u64, created_at: Timestamp) -> Self {
        Self {
            fingerprint,
            version,
            oldest_created_at: created_at,
            below: Below::Nothing,
            steps: 0,
            ended: version <= 1,
        }
    }

    /// Returns the version to read next, or `None` once the walk has ended.
    pub fn next_version(&self) -> Option<u64> {
        if self.ended {
            None
        } else {
            self.version.checked_sub(1)
        }
    }

    /// Records the result of reading [`HistoryWalk::next_version`]; after the end it does nothing.
    pub fn observe(&mut self, past: PastVersion) {
        let Some(version) = self.next_version() else {
            return;
        };
        self.version = version;
        self.steps += 1;
        match past {
            PastVersion::Readable {
                created_at,
                fingerprint,
            } if fingerprint == Some(self.fingerprint) => {
                self.below = Below::Nothing;
                self.oldest_created_at = self.oldest_created_at.min(created_at);
            }
            PastVersion::Readable { .. } => self.note(Below::OtherValue),
            PastVersion::Unreadable => self.note(Below::Gap),
            PastVersion::EndOfHistory => {
                self.note(Below::Gap);
                self.ended = true;
            }
        }
        if version <= 1 {
            self.ended = true;
        } else if self.steps >= MAXIMUM_STEPS {
            self.note(Below::Gap);
            self.ended = true;
        }
    }

    /// Only the version directly before the token shows how the token got there.
    fn note(&mut self, below: Below) {
        if self.below == Below::Nothing {
            self.below = below;
        }
    }

    /// Returns what is known. A walk that stops early is incomplete if the last version that it
    /// read holds the token.
    pub fn finish(self) -> HistoryOutcome {
        HistoryOutcome {
            oldest_created_at: self.oldest_created_at,
            complete: match self.below {
                Below::Nothing => self.ended,
                Below::OtherValue => true,
                Below::Gap => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::tests::samples::{at, fingerprint};

    const SAME: &str = "same";

    fn readable(created_at: &str, name: &str) -> PastVersion {
        PastVersion::Readable {
            created_at: at(created_at),
            fingerprint: Some(fingerprint(name)),
        }
    }

    /// Walks from version `start` of 2026-06-01 over `past`, newest first, and also returns the
    /// versions that it requested.
    fn walk(start: u64, past: &[PastVersion]) -> (HistoryOutcome, Vec<u64>) {
        let mut walk = HistoryWalk::start(fingerprint(SAME), start, at("2026-06-01"));
        let mut asked = Vec::new();
        let mut past = past.iter();
        while let Some(version) = walk.next_version() {
            asked.push(version);
            walk.observe(past.next().copied().unwrap_or(PastVersion::EndOfHistory));
        }
        (walk.finish(), asked)
    }

    fn outcome(oldest: &str, complete: bool) -> HistoryOutcome {
        HistoryOutcome {
            oldest_created_at: at(oldest),
            complete,
        }
    }

    const OLD: PastVersion = PastVersion::Readable {
        created_at: Timestamp::UNIX_EPOCH,
        fingerprint: None,
    };

    #[test]
    fn the_oldest_version_that_holds_the_token_dates_it() {
        let past = [readable("2026-05-01", SAME), readable("2026-04-01", "old")];
        assert_eq!(walk(3, &past), (outcome("2026-05-01", true), vec![2, 1]));
        // A rollback, or a token that was pasted back.
        let past = [readable("2026-05-01", "new"), readable("2026-01-01", SAME)];
        assert_eq!(walk(3, &past), (outcome("2026-01-01", true), vec![2, 1]));
        assert_eq!(walk(2, &[OLD]), (outcome("2026-06-01", true), vec![1]));
    }

    #[test]
    fn ends_at_the_first_version() {
        assert_eq!(walk(1, &[]), (outcome("2026-06-01", true), vec![]));
        let past = [readable("2026-05-01", SAME), readable("2026-04-01", SAME)];
        assert_eq!(walk(3, &past), (outcome("2026-04-01", true), vec![2, 1]));
    }

    #[test]
    fn what_cannot_be_read_leaves_an_estimate_below_the_token() {
        use PastVersion::{EndOfHistory, Unreadable};
        let same = |day| readable(day, SAME);
        for (start, past, oldest, complete, asked) in [
            (
                9,
                vec![same("2026-05-01"), EndOfHistory],
                "2026-05-01",
                false,
                2,
            ),
            (9, vec![OLD, EndOfHistory], "2026-06-01", true, 2),
            (2, vec![EndOfHistory], "2026-06-01", false, 1),
            (2, vec![Unreadable], "2026-06-01", false, 1),
            (
                3,
                vec![Unreadable, same("2026-05-01")],
                "2026-05-01",
                true,
                2,
            ),
            (3, vec![Unreadable, OLD], "2026-06-01", false, 2),
            (3, vec![OLD, Unreadable], "2026-06-01", true, 2),
            (
                4,
                vec![OLD, same("2026-05-01"), Unreadable],
                "2026-05-01",
                false,
                3,
            ),
        ] {
            let (found, versions) = walk(start, &past);
            assert_eq!(found, outcome(oldest, complete), "{past:?}");
            assert_eq!(versions.len(), asked, "{past:?}");
        }
    }

    #[test]
    fn a_walk_left_early_is_an_estimate() {
        let mut walk = HistoryWalk::start(fingerprint(SAME), 5, at("2026-06-01"));
        walk.observe(readable("2026-05-01", SAME));
        assert_eq!(walk.finish(), outcome("2026-05-01", false));
        let mut walk = HistoryWalk::start(fingerprint(SAME), 5, at("2026-06-01"));
        walk.observe(OLD);
        assert_eq!(walk.finish(), outcome("2026-06-01", true));
    }

    #[test]
    fn a_clock_that_ran_ahead_never_makes_the_token_younger() {
        let past = [readable("2026-07-01", SAME), readable("2026-04-01", "old")];
        assert_eq!(walk(3, &past).0, outcome("2026-06-01", true));
    }

    #[test]
    fn long_histories_are_cut() {
        let past = vec![readable("2026-05-01", SAME); 200];
        let (result, asked) = walk(1000, &past);
        assert_eq!(result, outcome("2026-05-01", false));
        assert_eq!(asked.len(), 30);
        // The thirtieth step reaches the first version.
        let (result, asked) = walk(31, &past);
        assert_eq!(result, outcome("2026-05-01", true));
        assert_eq!(asked.len(), 30);
    }

    fn pasts() -> impl Strategy<Value = PastVersion> {
        let seconds = -4_000_000_000..4_000_000_000_i64;
        prop_oneof![
            8 => (seconds, prop_oneof![9 => Just(Some(SAME)), 1 => Just(Some("old")), 1 => Just(None)])
                .prop_map(|(second, name)| PastVersion::Readable {
                    created_at: Timestamp::from_second(second).unwrap(),
                    fingerprint: name.map(fingerprint),
                }),
            1 => Just(PastVersion::Unreadable),
            1 => Just(PastVersion::EndOfHistory),
        ]
    }

    proptest! {
        #[test]
        fn every_walk_ends_and_asks_downwards(start: u64, past in proptest::collection::vec(pasts(), 0..150)) {
            let (result, asked) = walk(start, &past);
            prop_assert!(result.oldest_created_at <= at("2026-06-01"));
            prop_assert!(asked.len() <= MAXIMUM_STEPS as usize);
            prop_assert!(asked.iter().all(|&version| version >= 1 && version < start));
            prop_assert!(asked.windows(2).all(|pair| pair[1] + 1 == pair[0]));
        }

        /// The rule in its shortest form, for comparison.
        #[test]
        fn an_estimate_is_a_gap_below_the_oldest_version_with_the_token(
            start in 2..60_u64, past in proptest::collection::vec(pasts(), 60),
        ) {
            let (result, asked) = walk(start, &past);
            let read = &past[..asked.len()];
            let holds = |one: &PastVersion| matches!(
                one, PastVersion::Readable { fingerprint: found, .. } if *found == Some(fingerprint(SAME))
            );
            let below = read.iter().rposition(holds).map_or(0, |at| at + 1);
            let is_at_the_start = below > 0 && asked[below - 1] == 1;
            let other = matches!(read.get(below), Some(PastVersion::Readable { .. }));
            prop_assert_eq!(result.complete, is_at_the_start || other);
            let dates = read.iter().filter(|one| holds(one)).filter_map(|one| match one {
                PastVersion::Readable { created_at, .. } => Some(*created_at),
                _ => None,
            });
            let earliest = dates.chain([at("2026-06-01")]).min();
            prop_assert_eq!(Some(result.oldest_created_at), earliest);
        }
    }
}
