use proptest::prelude::*;

use super::super::samples::token;
use super::*;

fn problem(text: &str) -> Option<Problem> {
    check(text).problem()
}

fn of_length(length: usize) -> String {
    format!("{:B<length$}", "sk-ant-oat01-")
}

#[test]
fn a_token_of_the_usual_length_passes_without_a_word() {
    let Check::Valid {
        fingerprint,
        unusual_length,
    } = check(&token("plain_-9"))
    else {
        panic!("malformed");
    };
    assert!(fingerprint.to_string().starts_with("sha256:"));
    assert_eq!(unusual_length, None);
}

#[test]
fn length_decides_between_token_warning_and_problem() {
    let unusual = |length| match check(&of_length(length)) {
        Check::Valid { unusual_length, .. } => Ok(unusual_length),
        Check::Malformed(problem) => Err(problem),
    };
    assert_eq!(unusual(13), Err(Problem::WrappedLine));
    assert_eq!(unusual(80), Err(Problem::WrappedLine));
    assert_eq!(unusual(81), Ok(Some(81)));
    assert_eq!(unusual(106), Ok(Some(106)));
    assert_eq!(unusual(107), Err(Problem::DroppedCharacter));
    assert_eq!(unusual(108), Ok(None));
    assert_eq!(unusual(109), Ok(Some(109)));
    assert_eq!(unusual(4000), Ok(Some(4000)));
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
        (format!("{good}\n"), Problem::LineBreakAround),
        (format!("{good}\r\n"), Problem::LineBreakAround),
        (format!("\n{good}"), Problem::LineBreakAround),
        (format!(" {good}"), Problem::WhiteSpaceAround),
        (format!("{good}\t"), Problem::WhiteSpaceAround),
        (format!("{good}\u{a0}"), Problem::WhiteSpaceAround),
        (format!("\"{good}\""), Problem::Quotes),
        (format!("'{good}'\n"), Problem::Quotes),
        (format!("\"{good}\","), Problem::Quotes),
        (format!("“{good}”"), Problem::Quotes),
        (format!("\u{feff}{good}"), Problem::ForeignCharacter),
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
    assert_eq!(problem(&split(50, ".")), Some(Problem::ForeignCharacter));
    assert_eq!(
        problem(&split(50, "\u{1b}[0m")),
        Some(Problem::ForeignCharacter)
    );
    assert_eq!(problem(&split(50, "é")), Some(Problem::ForeignCharacter));
    assert_eq!(problem(&split(50, "\0")), Some(Problem::ForeignCharacter));
    assert_eq!(problem(&split(50, "\\n")), Some(Problem::ForeignCharacter));
    let sentence = format!("{good}\n\nStore this token securely...");
    assert_eq!(problem(&sentence), Some(Problem::TextAfter));
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
fn a_recorded_fingerprint_stays_good() {
    let refused_today = format!("{}\n", token("old"));
    let recorded = Fingerprint::of(&refused_today);
    assert_eq!(
        check_recorded(&refused_today, &recorded).fingerprint(),
        Some(recorded)
    );
    let other = Fingerprint::of("other");
    assert_eq!(
        check_recorded(&refused_today, &other),
        Check::Malformed(Problem::LineBreakAround)
    );
    assert_eq!(check_recorded(&token("x"), &other), check(&token("x")));
}

#[test]
fn trimming_tells_whether_it_did_anything() {
    assert_eq!(trim("a b"), ("a b", false));
    assert_eq!(trim(" a b\r\n"), ("a b", true));
    assert_eq!(trim("\n"), ("", true));
    assert_eq!(trim("\"a\""), ("\"a\"", false));
}

#[test]
fn every_problem_has_a_cause_and_a_next_step() {
    for (at, one) in Problem::ALL.into_iter().enumerate() {
        assert!(!one.to_string().ends_with('.'), "{one:?}");
        assert!(one.advice().ends_with('.'), "{one:?}");
        assert!(!one.advice().contains("  "), "{one:?}");
        for other in &Problem::ALL[at + 1..] {
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

/// The rule of the check in the fewest words, to compare with.
fn is_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.starts_with("sk-ant-oat")
        && bytes.len() > 80
        && bytes.len() != 107
        && bytes[10..12].iter().all(u8::is_ascii_digit)
        && bytes[12] == b'-'
        && bytes[13..]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}

fn near_tokens() -> impl Strategy<Value = String> {
    let start = prop_oneof![
        4 => Just("sk-ant-oat01-".to_owned()),
        1 => "sk-ant-[a-z]{3}[0-9]{2}-",
        1 => "[\\s\"'{]{0,2}sk-ant-oat[0-9]{1,3}-?",
    ];
    let body = prop_oneof![
        2 => "[A-Za-z0-9_-]{90,100}",
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
        prop_assert_eq!(result.fingerprint().is_some(), is_token(&text));
        prop_assert_eq!(result.fingerprint().is_some(), result.problem().is_none());
        if let Some(fingerprint) = result.fingerprint() {
            prop_assert_eq!(fingerprint, Fingerprint::of(&text));
        }
    }

    /// The public prefix may be named, what follows it may not.
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
    fn what_trimming_mends_passes_afterwards(text in near_tokens()) {
        let around = [Problem::WhiteSpaceAround, Problem::LineBreakAround];
        if check(&text).problem().is_some_and(|problem| around.contains(&problem)) {
            let (trimmed, changed) = trim(&text);
            prop_assert!(changed);
            prop_assert!(check(trimmed).fingerprint().is_some());
        }
    }
}
