use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::token::tests::samples::at;

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

fn copies(text: &str, incomplete: bool) -> Copies {
    Copies {
        earliest: Some(at(text)),
        incomplete,
    }
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

/// Facts with every mint time, each on its own day.
fn all() -> MintFacts {
    MintFacts {
        configured: configured("2026-01-01", Binding::Changed),
        stamp: Some(at("2026-01-02")),
        prior: None,
        retired: None,
        copies: copies("2026-01-03", false),
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
    assert_eq!(decided(facts), quiet("2026-01-03", "history"));
    facts.history = None;
    assert_eq!(decide(&facts), None);
}

#[test]
fn without_a_stamp_the_earliest_trace_counts() {
    let undated = MintFacts {
        configured: None,
        stamp: None,
        copies: Copies::default(),
        ..all()
    };
    for (retired, copy, walked, expected) in [
        (None, None, "2026-01-04", "2026-01-04"),
        (None, Some("2026-01-03"), "2026-01-04", "2026-01-03"),
        (None, Some("2026-01-05"), "2026-01-04", "2026-01-04"),
        (
            Some("2026-01-02"),
            Some("2026-01-03"),
            "2026-01-04",
            "2026-01-02",
        ),
        (Some("2026-01-05"), None, "2026-01-04", "2026-01-04"),
    ] {
        for (complete, incomplete) in [(true, false), (false, false), (true, true)] {
            let facts = MintFacts {
                retired: retired.map(at),
                copies: Copies {
                    earliest: copy.map(at),
                    incomplete,
                },
                history: history(walked, complete),
                ..undated
            };
            let source = if complete && !incomplete {
                "history"
            } else {
                "estimated"
            };
            assert_eq!(decided(facts), quiet(expected, source));
        }
    }
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
    let warned = |day| {
        vec![format!(
            "`token_minted_at` is {day}T00:00:00Z, but the token's stamp says \
             2026-01-02T00:00:00Z; the stamp takes precedence"
        )]
    };
    for day in ["2026-01-04", "2025-12-31"] {
        let expected = ("2026-01-02".to_owned(), "stamp", warned(day));
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
fn a_new_stamp_corrects_what_state_has() {
    let facts = |source| MintFacts {
        configured: None,
        prior: dated("2025-11-01", source),
        ..all()
    };
    for source in [
        MintSource::Stamp,
        MintSource::History,
        MintSource::Estimated,
        MintSource::Promotion,
        MintSource::Config,
    ] {
        assert_eq!(decided(facts(source)), quiet("2026-01-02", "stamp"));
    }
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
        retired in of(instants()),
        copy in (of(instants()), any::<bool>()),
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
            retired,
            copies: Copies { earliest: copy.0, incomplete: copy.1 },
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
        let traces = facts.history.map(|history| earliest(history, &facts));
        let accounts = [
            facts.configured.map(|configured| Dated { at: configured.at, source: MintSource::Config }),
            facts.stamp.map(|at| Dated { at, source: MintSource::Stamp }),
            facts.prior,
            traces,
        ];
        let known = accounts.into_iter().flatten().any(|account| {
            whole_seconds(account.at) == minted.at && account.source == minted.source
        });
        prop_assert!(known);
    }

    #[test]
    fn what_was_decided_is_decided_again(facts in facts()) {
        // The next refresh: nothing is bound again, and state and stamp hold what was decided.
        if let Some(minted) = decide(&facts) {
            let next = MintFacts {
                configured: None,
                stamp: facts.stamp.map(|_| minted.at),
                prior: Some(Dated { at: minted.at, source: minted.source }),
                ..facts
            };
            let again = decide(&next).unwrap();
            prop_assert_eq!((again.at, again.source), (minted.at, minted.source));
        }
    }
}
