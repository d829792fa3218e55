//! The walk back through a secret's versions to the one in which a token first appeared.

use jiff::Timestamp;

use super::fingerprint::Fingerprint;

/// How many older versions a walk looks at before it settles for an estimate.
pub const MAXIMUM_STEPS: u32 = 100;

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
    /// The version is pruned, deleted or destroyed, or may not be read.
    Unreadable,
}

/// What a walk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryOutcome {
    /// The earliest `created_time` among the versions that hold the token without a gap.
    pub oldest_created_at: Timestamp,
    /// Whether the version before the oldest is known not to hold the token.
    pub complete: bool,
}

/// Walks back while the field holds one and the same token.
///
/// A sibling's write makes a new version with the old token in it, so the newest `created_time`
/// says nothing about the token. The caller reads [`HistoryWalk::next_version`] and tells the walk
/// what it saw, until there is no next version.
#[derive(Clone, Debug)]
pub struct HistoryWalk {
    fingerprint: Fingerprint,
    oldest_version: u64,
    oldest_created_at: Timestamp,
    steps: u32,
    end: Option<End>,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The token was not there before.
    Origin,
    /// Nothing is known of the time before.
    Gap,
}

impl HistoryWalk {
    /// Starts at the version that was read last, which holds the token.
    pub fn start(fingerprint: Fingerprint, version: u64, created_at: Timestamp) -> Self {
        Self {
            fingerprint,
            oldest_version: version,
            oldest_created_at: created_at,
            steps: 0,
            end: (version <= 1).then_some(End::Origin),
        }
    }

    /// Returns the version to read next, or `None` once the walk has ended.
    pub fn next_version(&self) -> Option<u64> {
        match self.end {
            Some(_) => None,
            None => self.oldest_version.checked_sub(1),
        }
    }

    /// Takes what a read of [`HistoryWalk::next_version`] showed; after the end it does nothing.
    pub fn observe(&mut self, past: PastVersion) {
        let Some(version) = self.next_version() else {
            return;
        };
        self.steps += 1;
        match past {
            PastVersion::Readable {
                created_at,
                fingerprint,
            } if fingerprint == Some(self.fingerprint) => {
                self.oldest_version = version;
                self.oldest_created_at = self.oldest_created_at.min(created_at);
                if version <= 1 {
                    self.end = Some(End::Origin);
                } else if self.steps >= MAXIMUM_STEPS {
                    self.end = Some(End::Gap);
                }
            }
            PastVersion::Readable { .. } => self.end = Some(End::Origin),
            PastVersion::Unreadable => self.end = Some(End::Gap),
        }
    }

    /// Returns what is known; a walk that is left before its end is incomplete.
    pub fn finish(self) -> HistoryOutcome {
        HistoryOutcome {
            oldest_created_at: self.oldest_created_at,
            complete: self.end == Some(End::Origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{at, fingerprint};
    use super::*;

    const SAME: &str = "same";

    fn readable(created_at: &str, name: &str) -> PastVersion {
        PastVersion::Readable {
            created_at: at(created_at),
            fingerprint: Some(fingerprint(name)),
        }
    }

    /// Walks from version `start` of 2026-06-01 over `past`, newest first, and returns the
    /// versions asked for as well.
    fn walk(start: u64, past: &[PastVersion]) -> (HistoryOutcome, Vec<u64>) {
        let mut walk = HistoryWalk::start(fingerprint(SAME), start, at("2026-06-01"));
        let mut asked = Vec::new();
        let mut past = past.iter();
        while let Some(version) = walk.next_version() {
            asked.push(version);
            walk.observe(past.next().copied().unwrap_or(PastVersion::Unreadable));
        }
        (walk.finish(), asked)
    }

    fn outcome(oldest: &str, complete: bool) -> HistoryOutcome {
        HistoryOutcome {
            oldest_created_at: at(oldest),
            complete,
        }
    }

    #[test]
    fn ends_at_another_value() {
        let past = [readable("2026-05-01", SAME), readable("2026-04-01", "old")];
        assert_eq!(walk(9, &past), (outcome("2026-05-01", true), vec![8, 7]));
    }

    #[test]
    fn ends_where_the_field_is_not_there_yet() {
        let absent = PastVersion::Readable {
            created_at: at("2026-04-01"),
            fingerprint: None,
        };
        assert_eq!(walk(9, &[absent]), (outcome("2026-06-01", true), vec![8]));
    }

    #[test]
    fn ends_at_the_first_version() {
        assert_eq!(walk(1, &[]), (outcome("2026-06-01", true), vec![]));
        let past = [readable("2026-05-01", SAME), readable("2026-04-01", SAME)];
        assert_eq!(walk(3, &past), (outcome("2026-04-01", true), vec![2, 1]));
    }

    #[test]
    fn a_version_that_cannot_be_read_leaves_an_estimate() {
        let past = [readable("2026-05-01", SAME), PastVersion::Unreadable];
        assert_eq!(walk(9, &past), (outcome("2026-05-01", false), vec![8, 7]));
        // The next version would be the first one, and it is pruned.
        assert_eq!(walk(2, &[]), (outcome("2026-06-01", false), vec![1]));
    }

    #[test]
    fn a_walk_left_early_is_an_estimate() {
        let mut walk = HistoryWalk::start(fingerprint(SAME), 5, at("2026-06-01"));
        walk.observe(readable("2026-05-01", SAME));
        assert_eq!(walk.finish(), outcome("2026-05-01", false));
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
        assert_eq!(asked.len(), 100);
        // The hundredth step reaches the first version.
        let (result, asked) = walk(101, &past);
        assert_eq!(result, outcome("2026-05-01", true));
        assert_eq!(asked.len(), 100);
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

        #[test]
        fn complete_means_that_the_version_before_was_seen(start in 2..120_u64, past in proptest::collection::vec(pasts(), 150)) {
            let (result, asked) = walk(start, &past);
            let seen_other = past[..asked.len()].iter().any(|one| matches!(
                one, PastVersion::Readable { fingerprint: seen, .. } if *seen != Some(fingerprint(SAME))
            ));
            let seen_first = asked.last() == Some(&1) && past[asked.len() - 1] != PastVersion::Unreadable;
            prop_assert_eq!(result.complete, seen_other || seen_first);
        }
    }
}
