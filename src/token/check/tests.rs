use proptest::prelude::*;

use super::*;
use crate::secret::Secret;
use crate::token::tests::samples::token;

fn problem(text: &str) -> Option<Problem> {
    check(text).problem()
}

fn of_length(length: usize) -> String {
    format!("{:B<length$}", "sk-ant-oat01-")
}

#[test]
fn a_token_of_the_usual_length_passes_without_a_warning() {
    let Check::Valid {
        fingerprint,
        unproven,
        padded,
    } = check(&token("plain_-9"))
    else {
        panic!("malformed");
    };
    assert!(fingerprint.to_string().starts_with("sha256:"));
    assert_eq!((unproven, padded), (None, false));
}

#[test]
fn only_the_length_of_working_tokens_is_proven() {
    let unproven = |text: &str| match check(text) {
        Check::Valid { unproven, .. } => Ok(unproven),
        Check::Malformed(malformed) => Err(malformed.problem),
    };
    for (length, expected) in [
        (13, Err(Problem::WrappedLine)),
        (79, Err(Problem::WrappedLine)),
        (80, Err(Problem::WrappedLine)),
        (81, Err(Problem::PartMissing)),
        (90, Err(Problem::PartMissing)),
        (100, Err(Problem::PartMissing)),
        (106, Err(Problem::PartMissing)),
        (107, Err(Problem::DroppedCharacter)),
        (108, Ok(None)),
        (109, Ok(Some(109))),
        (131, Ok(Some(131))),
        (4000, Ok(Some(4000))),
    ] {
        assert_eq!(unproven(&of_length(length)), expected, "{length}");
    }
    let next = |length: usize| format!("{:B<length$}", "sk-ant-oat02-");
    assert_eq!(unproven(&next(13)), Err(Problem::PartMissing));
    assert_eq!(unproven(&next(40)), Ok(None));
    assert_eq!(unproven(&next(200)), Ok(None));
}

#[test]
fn what_is_glued_behind_a_token_is_named() {
    let good = token("good");
    for (behind, expected) in [
        ("Store", Some(Problem::GluedWord)),
        ("xStore", Some(Problem::GluedWord)),
        ("Storethis", Some(Problem::GluedWord)),
        ("Storex", None),
        ("9Store", None),
        ("Other", None),
        (good.as_str(), Some(Problem::PastedTwice)),
        ("sk-ant-api03-x", Some(Problem::PastedTwice)),
        ("-sk-ant-", Some(Problem::PastedTwice)),
    ] {
        assert_eq!(problem(&format!("{good}{behind}")), expected, "{behind}");
    }
}

#[test]
fn white_space_around_a_token_is_not_part_of_it() {
    let good = token("good");
    let around = |text: String| match check(&text) {
        Check::Valid {
            fingerprint,
            unproven: None,
            padded,
        } => {
            assert_eq!(Some(fingerprint), check(&good).fingerprint(), "{text:?}");
            padded
        }
        other => panic!("{text:?}: {other:?}"),
    };
    assert!(!around(good.clone()));
    for text in [
        format!("{good}\n"),
        format!("{good}\r\n"),
        format!("\n{good}"),
        format!(" {good}"),
        format!("{good}\t"),
        format!("{good}\u{a0}"),
        format!("\u{feff}{good}"),
    ] {
        assert!(around(text));
    }
}

#[test]
fn other_kinds_are_named_whatever_their_form() {
    for around in ["", "\n", "\""] {
        let of = |text: &str| problem(&format!("{around}{text}{around}"));
        assert_eq!(of("sk-ant-ort01-short"), Some(Problem::RefreshToken));
        assert_eq!(of("sk-ant-api03-a b"), Some(Problem::ApiKey));
        assert_eq!(of("sk-ant-admin01-x"), Some(Problem::AdminKey));
        assert_eq!(of("sk-ant-sid01-x"), Some(Problem::OtherAnthropicKey));
        let login = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"{}"}}}}"#,
            token("login")
        );
        assert_eq!(of(&login), Some(Problem::CredentialsJson));
        assert_eq!(
            of(r#"{"claude_oauth_token":1}"#),
            Some(Problem::JsonDocument)
        );
        assert_eq!(of("hunter2"), Some(Problem::OtherPrefix));
        assert_eq!(of("SK-ANT-OAT01-x"), Some(Problem::OtherPrefix));
        assert_eq!(of(""), Some(Problem::Empty));
        assert_eq!(of(" \t"), Some(Problem::Empty));
        let code = format!("{}#{}", "c".repeat(43), "s".repeat(43));
        assert_eq!(of(&code), Some(Problem::AuthorizationCode));
        assert_eq!(
            of("https://console.anthropic.com/oauth/code/callback?code=c&state=s"),
            Some(Problem::AuthorizationCode)
        );
        assert_eq!(of("hunter2#1"), Some(Problem::OtherPrefix));
        let assigned = format!("CLAUDE_CODE_OAUTH_TOKEN={}", token("assigned"));
        assert_eq!(of(&assigned), Some(Problem::TextBefore));
        let bearer = format!("Bearer {}", token("bearer"));
        assert_eq!(of(&bearer), Some(Problem::TextBefore));
    }
    // `sk-ant-oat01-BBBBB` as `kubectl get secret -o yaml` shows it.
    assert_eq!(problem("c2stYW50LW9hdDAxLUJCQkJC"), Some(Problem::Base64));
}

#[test]
fn what_is_around_a_good_token_is_named() {
    let good = token("good");
    for (text, expected) in [
        (format!("\"{good}\""), Problem::Quotes),
        (format!("'{good}'\n"), Problem::Quotes),
        (format!("\"{good}\","), Problem::Quotes),
        (format!("“{good}”"), Problem::Quotes),
        (
            format!("\u{1b}[1m{good}\u{1b}[0m"),
            Problem::ControlCharacter,
        ),
        (format!("{good}\u{200b}"), Problem::ForeignCharacter),
    ] {
        assert_eq!(problem(&text), Some(expected), "{text:?}");
    }
}

#[test]
fn a_cut_token_stays_cut_with_a_line_break_at_its_end() {
    for end in ["\n", "\r\n", " ", ""] {
        let wrapped = format!("{}{end}", of_length(80));
        assert_eq!(problem(&wrapped), Some(Problem::WrappedLine));
        let dropped = format!("{}{end}", of_length(107));
        assert_eq!(problem(&dropped), Some(Problem::DroppedCharacter));
    }
}

#[test]
fn what_is_inside_is_named() {
    let good = token("good");
    let split = |at: usize, between: &str| format!("{}{between}{}", &good[..at], &good[at..]);
    assert_eq!(problem(&split(80, "\n")), Some(Problem::LineBreak));
    assert_eq!(problem(&split(80, "\r\n  ")), Some(Problem::LineBreak));
    assert_eq!(problem(&split(95, "\n")), Some(Problem::LineBreak));
    assert_eq!(problem(&split(50, " ")), Some(Problem::WhiteSpaceInside));
    assert_eq!(problem(&split(50, "\"")), Some(Problem::Quotes));
    assert_eq!(problem(&split(50, "–")), Some(Problem::LookAlikeDash));
    let dashes = good.replacen('-', "\u{2011}", 2);
    assert_eq!(problem(&dashes), Some(Problem::LookAlikeDash));
    assert_eq!(problem(&split(50, ".")), Some(Problem::ForeignCharacter));
    assert_eq!(
        problem(&split(50, "\u{1b}[0m")),
        Some(Problem::ControlCharacter)
    );
    assert_eq!(problem(&split(50, "é")), Some(Problem::ForeignCharacter));
    assert_eq!(problem(&split(50, "\0")), Some(Problem::ControlCharacter));
    assert_eq!(problem(&split(50, "\\n")), Some(Problem::ForeignCharacter));
    let sentence = format!("{good}\n\nStore this token securely...");
    assert_eq!(problem(&sentence), Some(Problem::LineBreak));
    assert!(Problem::LineBreak.is_leak());
    let export = format!("{good} # minted today");
    assert_eq!(problem(&export), Some(Problem::TextAfter));
}

#[test]
fn placeholders_are_no_cut_tokens() {
    for text in [
        "sk-ant-oat01-...",
        "sk-ant-oat01-…",
        "sk-ant-oat01-********",
        "sk-ant-oat01-<your-token>",
    ] {
        assert_eq!(problem(text), Some(Problem::Masked), "{text}");
    }
}

#[test]
fn a_damaged_prefix_is_no_token() {
    let lost = format!("sk-ant-oat1-{}", "B".repeat(95));
    assert_eq!(problem(&lost), Some(Problem::DroppedCharacter));
    let letters = format!("sk-ant-oatxx-{}", "B".repeat(95));
    assert_eq!(problem(&letters), Some(Problem::OtherPrefix));
    assert_eq!(problem("sk-ant-oat"), Some(Problem::WrappedLine));
    let next = format!("sk-ant-oat02-{}", "B".repeat(95));
    assert_eq!(problem(&next), None);
}

#[test]
fn a_recorded_fingerprint_stays_good_and_is_unproven() {
    let refused_today = of_length(100);
    for text in [refused_today.clone(), format!("{refused_today}\n")] {
        let recorded = Fingerprint::of(&refused_today);
        let Check::Valid {
            fingerprint,
            unproven: Some(_),
            ..
        } = check_recorded(&text, &recorded)
        else {
            panic!("{text:?}");
        };
        assert_eq!(fingerprint, recorded);
    }
    let other = Fingerprint::of("other");
    assert_eq!(
        check_recorded(&refused_today, &other),
        check(&refused_today)
    );
    assert_eq!(check_recorded(&token("x"), &other), check(&token("x")));
}

#[test]
fn the_one_token_in_a_value_is_recovered() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    let good = token("good");
    let (head, tail) = good.split_at(80);
    for text in [
        good.clone(),
        format!("\"{good}\","),
        format!("export CLAUDE_CODE_OAUTH_TOKEN='{good}'"),
        format!("Bearer {good}"),
        ["\u{1b}[1m", head, "\u{1b}[0m", tail, "\u{200b}"].concat(),
        format!("{{\"claude_oauth_token\":\"{good}\"}}"),
        format!("{good}\n\nStore this token securely."),
        format!("{good}Store"),
        format!("{good}{good}"),
        format!("{good} {good}"),
        format!("{good} sk-ant-ort01-{}", "B".repeat(95)),
        format!("{head}\n{tail}"),
        good.replacen('-', "\u{2011}", 3),
        STANDARD.encode(&good),
        URL_SAFE_NO_PAD.encode(format!("{good}\n")),
    ] {
        let found = extract(&text);
        assert_eq!(
            found.as_ref().map(Secret::expose),
            Some(good.as_str()),
            "{text}"
        );
        let malformed = match check(&text) {
            Check::Malformed(malformed) => malformed.repairable,
            Check::Valid { .. } => true,
        };
        assert!(malformed, "{text}");
    }
}

#[test]
fn nothing_is_recovered_from_two_tokens_or_from_none() {
    let (one, other) = (token("one"), token("other"));
    for text in [
        String::new(),
        "hunter2".to_owned(),
        of_length(100),
        of_length(131),
        format!("{one} {other}"),
        format!("{one}{other}"),
        format!("{}\n{}", &one[..80], &one[81..]),
        format!("{{\"claudeAiOauth\":{{\"accessToken\":\"{one}\"}}}}"),
        format!("{}…", &one[..60]),
        "!".repeat(200),
    ] {
        assert!(extract(&text).is_none(), "{text}");
    }
}

#[test]
fn trimming_tells_whether_it_did_anything() {
    assert_eq!(trim("a b"), ("a b", false));
    assert_eq!(trim(" a b\r\n"), ("a b", true));
    assert_eq!(trim("\n"), ("", true));
    assert_eq!(trim("\"a\""), ("\"a\"", false));
    assert_eq!(trim("\u{feff}a\u{2028}"), ("a", true));
    // Claude Code does not trim this character.
    assert_eq!(trim("a\u{85}"), ("a\u{85}", false));
}

const PROBLEMS: [Problem; 24] = [
    Problem::Empty,
    Problem::RefreshToken,
    Problem::ApiKey,
    Problem::AdminKey,
    Problem::OtherAnthropicKey,
    Problem::CredentialsJson,
    Problem::AuthorizationCode,
    Problem::JsonDocument,
    Problem::Base64,
    Problem::TextBefore,
    Problem::TextAfter,
    Problem::Masked,
    Problem::OtherPrefix,
    Problem::Quotes,
    Problem::LineBreak,
    Problem::WhiteSpaceInside,
    Problem::ControlCharacter,
    Problem::LookAlikeDash,
    Problem::ForeignCharacter,
    Problem::WrappedLine,
    Problem::DroppedCharacter,
    Problem::PartMissing,
    Problem::PastedTwice,
    Problem::GluedWord,
];

#[test]
fn every_problem_has_a_cause_and_a_next_step() {
    for (at, one) in PROBLEMS.into_iter().enumerate() {
        assert!(!one.to_string().ends_with('.'), "{one:?}");
        assert!(one.advice().ends_with('.'), "{one:?}");
        assert!(!one.advice().contains("  "), "{one:?}");
        for other in &PROBLEMS[at + 1..] {
            assert_ne!(one.to_string(), other.to_string());
        }
    }
    assert!(Problem::DroppedCharacter.advice().contains("300 columns"));
}

#[test]
fn kinds_have_words() {
    assert_eq!(Kind::of(&of_length(20)).as_str(), "oauth_token");
    assert_eq!(Kind::of(" sk-ant-ort01-x").as_str(), "refresh_token");
    assert_eq!(Kind::of("sk-ant-api03-x").as_str(), "api_key");
    assert_eq!(Kind::of("sk-ant-admin01-x").as_str(), "admin_key");
    assert_eq!(
        Kind::of("{\"refreshToken\":1}").as_str(),
        "credentials_json"
    );
    assert_eq!(Kind::of("refreshToken").as_str(), "unknown");
}

/// The rule of the check in its shortest form, for comparison.
fn is_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has_form = text.starts_with("sk-ant-oat")
        && bytes.len() > 13
        && bytes[10..12].iter().all(u8::is_ascii_digit)
        && bytes[12] == b'-'
        && bytes[13..]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte));
    let is_glued = |rest: &str| {
        rest.bytes().all(|byte| byte.is_ascii_alphabetic())
            && ["Store", "this", "token", "securely"]
                .iter()
                .any(|word| rest.ends_with(word))
    };
    has_form
        && (&bytes[10..12] != b"01"
            || bytes.len() == 108
            || (bytes.len() > 108 && !text[7..].contains("sk-ant-") && !is_glued(&text[108..])))
}

fn near_tokens() -> impl Strategy<Value = String> {
    let start = prop_oneof![
        4 => Just("sk-ant-oat01-".to_owned()),
        1 => "sk-ant-[a-z]{3}[0-9]{2}-",
        1 => "[\\s\"'{]{0,2}sk-ant-oat[0-9]{1,3}-?",
    ];
    let body = prop_oneof![
        2 => "[A-Za-z0-9_-]{90,100}",
        1 => "[A-Za-z0-9_-]{95}[A-Za-z]{0,3}(Store|sk-ant-|[a-z]{0,5})",
        1 => "[A-Za-z0-9_-]{0,90}",
        1 => "[A-Za-z0-9_-]{0,60}[\\s.\"*…\u{1b}]{0,2}[A-Za-z0-9_-]{30,60}",
    ];
    let end = prop_oneof![3 => Just(String::new()), 1 => "[\\s\"',}]{0,3}"];
    (start, body, end).prop_map(|(start, body, end)| start + &body + &end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn passes_exactly_what_the_rule_allows(text in prop_oneof![near_tokens(), any::<String>()]) {
        let result = check(&text);
        let (trimmed, changed) = trim(&text);
        prop_assert_eq!(result.fingerprint().is_some(), is_token(trimmed));
        prop_assert_eq!(result.fingerprint().is_some(), result.problem().is_none());
        if let Some(fingerprint) = result.fingerprint() {
            prop_assert_eq!(fingerprint, Fingerprint::of(trimmed));
            prop_assert_eq!(matches!(result, Check::Valid { padded: true, .. }), changed);
        }
    }

    /// The public prefix may be shown, but what follows it may not.
    #[test]
    fn no_text_repeats_the_value(text in near_tokens()) {
        let result = check(&text);
        let said = match result.problem() {
            Some(problem) => format!("{problem} {} {result:?}", problem.advice()),
            None => format!("{result:?}"),
        };
        let said = said.replace("sk-ant-oat01-", "").replace("sk-ant-ort01-", "").replace("sk-ant-api03-", "");
        let characters: Vec<char> = text.chars().collect();
        for window in characters.windows(8) {
            let window: String = window.iter().collect();
            prop_assert!(!said.contains(&window), "{window:?} in {said:?}");
        }
    }

    #[test]
    fn what_is_recovered_is_a_proven_token_of_the_value(text in near_tokens()) {
        if let Some(token) = extract(&text) {
            let proven = matches!(
                check(token.expose()),
                Check::Valid { unproven: None, padded: false, .. }
            );
            prop_assert!(proven);
            if let Check::Valid { unproven: None, .. } = check(&text) {
                prop_assert_eq!(token.expose(), trim(&text).0);
            }
        }
    }
}
