//! Which of several accounts of a token's mint time counts.

use jiff::Timestamp;
use thiserror::Error;

use super::history::HistoryOutcome;
use super::instant::{DAY, format_instant, whole_seconds};

/// Where a mint time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MintSource {
    /// The attribute `token_minted_at`.
    Config,
    /// A stamp in the secret's metadata.
    Stamp,
    /// The oldest version that holds the token, with another value before it.
    History,
    /// The oldest version that can be read; the token may be older.
    Estimated,
    /// The spare that the token was promoted from.
    Promotion,
}

impl MintSource {
    /// Every source.
    pub const ALL: [Self; 5] = [
        Self::Config,
        Self::Stamp,
        Self::History,
        Self::Estimated,
        Self::Promotion,
    ];

    /// Returns the word that state holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Stamp => "stamp",
            Self::History => "history",
            Self::Estimated => "estimated",
            Self::Promotion => "promotion",
        }
    }

    /// Reads the word that state holds; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// A mint time and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// When the token was minted.
    pub at: Timestamp,
    /// Who says so.
    pub source: MintSource,
}

/// How `token_minted_at` came to be bound to the token in the plan at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Set in the plan that creates or imports the resource: a stamp outranks it.
    First,
    /// Set or changed on a resource that exists: it outranks everything.
    Changed,
}

/// The mint time that the configuration binds to the token in the plan at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configured {
    /// The value of `token_minted_at`.
    pub at: Timestamp,
    /// Whether it is the first one.
    pub binding: Binding,
}

/// Every account of when one token was minted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MintFacts {
    /// `token_minted_at`, where this plan binds it to the token; `None` where it is unset or
    /// unchanged, since it then dates the token that it was bound to and no later one.
    pub configured: Option<Configured>,
    /// The mint time of a stamp whose fingerprint is the token's.
    pub stamp: Option<Timestamp>,
    /// What state says, where its fingerprint is the token's.
    pub prior: Option<Dated>,
    /// What is known of a spare that holds the same token.
    pub spare: Option<Dated>,
    /// The outcome of the walk through the secret's versions, once it was made; known without one
    /// for a token that was written just now.
    pub history: Option<HistoryOutcome>,
    /// The `created_time` of the version in which the token was found; `None` for a token that is
    /// still to be written.
    pub found_created_at: Option<Timestamp>,
}

/// The mint time that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// When the token was minted, in whole seconds.
    pub at: Timestamp,
    /// Who says so.
    pub source: MintSource,
    /// What the user should hear about the accounts that do not count.
    pub warnings: Vec<MintWarning>,
}

/// Tells of an account that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MintWarning {
    /// The configuration and the stamp are more than a day apart, and the stamp counts.
    #[error(
        "`token_minted_at` says {}, the stamp of this token {}: the stamp counts",
        format_instant(*.configured),
        format_instant(*.stamp)
    )]
    DiffersFromStamp {
        /// What the configuration says.
        configured: Timestamp,
        /// What the stamp says.
        stamp: Timestamp,
    },
    /// The account is more than a day later than the version that already held the token.
    #[error(
        "the mint time {} from {} is later than the version that holds the token ({})",
        format_instant(*.at),
        .source_name.as_str(),
        format_instant(*.created_at)
    )]
    AfterVersion {
        /// The account that does not count.
        at: Timestamp,
        /// Whose account it is.
        source_name: MintSource,
        /// When the version was made.
        created_at: Timestamp,
    },
}

impl MintWarning {
    /// Compares the configuration with the stamp that counts; a day apart is no difference.
    pub fn between(configured: Timestamp, stamp: Timestamp) -> Option<Self> {
        (configured.duration_since(stamp).abs() > DAY)
            .then_some(Self::DiffersFromStamp { configured, stamp })
    }
}

/// Decides when the token was minted; `None` asks for the walk through the versions.
///
/// The order is: a changed configuration, the stamp, a first configuration, what state says, a
/// spare that holds the same token, the history. A mint time from the configuration that state
/// holds for this very token stands above the stamp until it is changed, and a stamp that agrees
/// with state leaves the source as it is: a plan stays empty after the apply that wrote the stamp.
pub fn decide(facts: &MintFacts) -> Option<Minted> {
    let mut warnings = Vec::new();
    let mut accept = |at: Timestamp, source| match facts.found_created_at {
        Some(created_at) if is_later(at, created_at) => {
            warnings.push(MintWarning::AfterVersion {
                at,
                source_name: source,
                created_at,
            });
            None
        }
        _ => Some(Dated { at, source }),
    };
    let configured = facts.configured.and_then(|configured| {
        let dated = accept(configured.at, MintSource::Config)?;
        Some((configured.binding, dated))
    });
    let stamp = facts.stamp.and_then(|at| accept(at, MintSource::Stamp));
    let spare = facts.spare.filter(|spare| {
        facts
            .found_created_at
            .is_none_or(|created_at| !is_later(spare.at, created_at))
    });

    let decided = match (configured, stamp) {
        (Some((Binding::Changed, config)), _) | (Some((Binding::First, config)), None) => config,
        (Some((Binding::First, config)), Some(stamp)) => {
            warnings.extend(MintWarning::between(config.at, stamp.at));
            stamp
        }
        (None, stamp) => match (facts.prior, stamp) {
            (Some(prior), Some(stamp)) if !agrees(prior, stamp) => stamp,
            (Some(prior), _) => prior,
            (None, Some(stamp)) => stamp,
            (None, None) => match spare {
                Some(spare) => spare,
                None => from_history(facts.history?),
            },
        },
    };
    Some(Minted {
        at: whole_seconds(decided.at),
        source: decided.source,
        warnings,
    })
}

/// Tells whether a mint time is too late for the version that was found to hold the token.
fn is_later(at: Timestamp, created_at: Timestamp) -> bool {
    at.duration_since(created_at) > DAY
}

/// Tells whether state stands beside this stamp.
fn agrees(prior: Dated, stamp: Dated) -> bool {
    prior.source == MintSource::Config || prior.at == whole_seconds(stamp.at)
}

fn from_history(outcome: HistoryOutcome) -> Dated {
    Dated {
        at: outcome.oldest_created_at,
        source: if outcome.complete {
            MintSource::History
        } else {
            MintSource::Estimated
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::super::samples::at;
    use super::*;

    fn dated(text: &str, source: MintSource) -> Option<Dated> {
        Some(Dated {
            at: at(text),
            source,
        })
    }

    fn configured(text: &str, binding: Binding) -> Option<Configured> {
        Some(Configured {
            at: at(text),
            binding,
        })
    }

    fn history(text: &str, complete: bool) -> Option<HistoryOutcome> {
        Some(HistoryOutcome {
            oldest_created_at: at(text),
            complete,
        })
    }

    fn decided(facts: MintFacts) -> (String, &'static str, Vec<String>) {
        let minted = decide(&facts).unwrap();
        let warnings = minted.warnings.iter().map(ToString::to_string).collect();
        let day = format_instant(minted.at)[..10].to_owned();
        (day, minted.source.as_str(), warnings)
    }

    fn quiet(day: &str, source: &'static str) -> (String, &'static str, Vec<String>) {
        (day.to_owned(), source, Vec::new())
    }

    /// Facts with every account, each of its own day.
    fn all() -> MintFacts {
        MintFacts {
            configured: configured("2026-01-01", Binding::Changed),
            stamp: Some(at("2026-01-02")),
            prior: None,
            spare: dated("2026-01-03", MintSource::Stamp),
            history: history("2026-01-04", true),
            found_created_at: Some(at("2026-02-01")),
        }
    }

    #[test]
    fn accounts_count_in_their_order() {
        let mut facts = all();
        assert_eq!(decided(facts), quiet("2026-01-01", "config"));
        facts.configured = configured("2026-01-01", Binding::First);
        assert_eq!(decided(facts), quiet("2026-01-02", "stamp"));
        facts.configured = None;
        assert_eq!(decided(facts), quiet("2026-01-02", "stamp"));
        facts.stamp = None;
        assert_eq!(decided(facts), quiet("2026-01-03", "stamp"));
        facts.spare = None;
        assert_eq!(decided(facts), quiet("2026-01-04", "history"));
        facts.history = history("2026-01-04", false);
        assert_eq!(decided(facts), quiet("2026-01-04", "estimated"));
        facts.history = None;
        assert_eq!(decide(&facts), None);
    }

    #[test]
    fn a_first_configuration_dates_a_token_without_a_stamp() {
        let facts = MintFacts {
            configured: configured("2025-12-01", Binding::First),
            stamp: None,
            ..all()
        };
        assert_eq!(decided(facts), quiet("2025-12-01", "config"));
        let imported = MintFacts {
            prior: dated("2026-01-04", MintSource::History),
            ..facts
        };
        assert_eq!(decided(imported), quiet("2025-12-01", "config"));
    }

    #[test]
    fn a_first_configuration_far_from_the_stamp_is_told() {
        let facts = |configuration| MintFacts {
            configured: configured(configuration, Binding::First),
            ..all()
        };
        assert_eq!(
            decided(facts("2026-01-03")),
            quiet("2026-01-02", "stamp"),
            "a day apart is no difference"
        );
        let told = |day| {
            vec![format!(
                "`token_minted_at` says {day}T00:00:00Z, the stamp of this token \
                 2026-01-02T00:00:00Z: the stamp counts"
            )]
        };
        for day in ["2026-01-04", "2025-12-31"] {
            let expected = ("2026-01-02".to_owned(), "stamp", told(day));
            assert_eq!(decided(facts(day)), expected);
        }
    }

    #[test]
    fn state_and_an_equal_stamp_change_nothing() {
        for source in MintSource::ALL {
            let facts = MintFacts {
                configured: None,
                prior: dated("2026-01-02", source),
                ..all()
            };
            assert_eq!(decided(facts), quiet("2026-01-02", source.as_str()));
            let unstamped = MintFacts {
                stamp: None,
                ..facts
            };
            assert_eq!(decided(unstamped), quiet("2026-01-02", source.as_str()));
        }
    }

    #[test]
    fn a_new_stamp_corrects_all_but_the_configuration() {
        let facts = |source| MintFacts {
            configured: None,
            prior: dated("2025-11-01", source),
            ..all()
        };
        for source in [
            MintSource::Stamp,
            MintSource::History,
            MintSource::Estimated,
        ] {
            assert_eq!(decided(facts(source)), quiet("2026-01-02", "stamp"));
        }
        assert_eq!(
            decided(facts(MintSource::Config)),
            quiet("2025-11-01", "config")
        );
    }

    #[test]
    fn no_account_is_later_than_the_version() {
        let facts = MintFacts {
            found_created_at: Some(at("2026-01-01")),
            configured: configured("2026-01-02", Binding::Changed),
            ..all()
        };
        let (day, source, _) = decided(facts);
        assert_eq!((day.as_str(), source), ("2026-01-02", "config"));

        let late = MintFacts {
            found_created_at: Some(at("2025-12-30")),
            ..facts
        };
        let (day, source, warnings) = decided(MintFacts {
            history: history("2025-12-29", true),
            ..late
        });
        assert_eq!((day.as_str(), source), ("2025-12-29", "history"));
        assert_eq!(
            warnings,
            [
                "the mint time 2026-01-02T00:00:00Z from config is later than the version that holds the token (2025-12-30T00:00:00Z)",
                "the mint time 2026-01-02T00:00:00Z from stamp is later than the version that holds the token (2025-12-30T00:00:00Z)",
            ]
        );
    }

    #[test]
    fn a_token_to_be_written_has_no_version_to_be_compared_with() {
        let facts = MintFacts {
            configured: configured("2026-09-01", Binding::First),
            ..MintFacts::default()
        };
        assert_eq!(decided(facts), quiet("2026-09-01", "config"));
    }

    #[test]
    fn words_round_trip() {
        for source in MintSource::ALL {
            assert_eq!(MintSource::parse(source.as_str()), Some(source));
        }
        assert_eq!(MintSource::parse(""), None);
    }

    fn instants() -> impl Strategy<Value = Timestamp> {
        (1_767_225_600..1_768_000_000_i64, 0..1_000_000_000)
            .prop_filter_map("in range", |(second, fraction)| {
                Timestamp::new(second, fraction).ok()
            })
    }

    fn accounts() -> impl Strategy<Value = Dated> {
        (instants(), proptest::sample::select(&MintSource::ALL[..]))
            .prop_map(|(at, source)| Dated { at, source })
    }

    prop_compose! {
        fn facts()(
            configured in of((instants(), any::<bool>())),
            stamp in of(instants()),
            prior in of(accounts()),
            spare in of(accounts()),
            history in of((instants(), any::<bool>())),
            found_created_at in of(instants()),
        ) -> MintFacts {
            MintFacts {
                configured: configured.map(|(at, first)| Configured {
                    at,
                    binding: if first { Binding::First } else { Binding::Changed },
                }),
                stamp,
                prior,
                spare,
                history: history.map(|(oldest_created_at, complete)| HistoryOutcome { oldest_created_at, complete }),
                found_created_at,
            }
        }
    }

    proptest! {
        #[test]
        fn the_result_is_one_of_the_accounts(facts in facts()) {
            let Some(minted) = decide(&facts) else {
                prop_assert!(facts.history.is_none() && facts.prior.is_none());
                return Ok(());
            };
            prop_assert_eq!(minted.at.subsec_nanosecond(), 0);
            let accounts = [
                facts.configured.map(|configured| Dated { at: configured.at, source: MintSource::Config }),
                facts.stamp.map(|at| Dated { at, source: MintSource::Stamp }),
                facts.prior,
                facts.spare,
                facts.history.map(from_history),
            ];
            let known = accounts.into_iter().flatten().any(|account| {
                whole_seconds(account.at) == minted.at && account.source == minted.source
            });
            prop_assert!(known);
        }

        #[test]
        fn what_was_decided_is_decided_again(facts in facts()) {
            // The next refresh: nothing is bound anew, and state holds what was decided.
            if let Some(minted) = decide(&facts) {
                let next = MintFacts {
                    configured: None,
                    prior: Some(Dated { at: minted.at, source: minted.source }),
                    ..facts
                };
                let again = decide(&next).unwrap();
                prop_assert_eq!((again.at, again.source), (minted.at, minted.source));
            }
        }
    }
}
