//! The token check, and the texts that it makes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use terraform_provider_claude::token::check::{
    Kind, Malformed, check, check_recorded, extract, trim,
};
use terraform_provider_claude::token::{Check, Fingerprint};

/// Characters in a row of a value that no text may repeat.
const RUN: usize = 20;

fuzz_target!(|text: &str| {
    let (trimmed, changed) = trim(text);
    assert_eq!(changed, trimmed != text);
    let kind = Kind::of(text).as_str();
    if let Some(token) = extract(text) {
        assert!(check(token.expose()).fingerprint().is_some());
    }
    match check(text) {
        Check::Valid { fingerprint, .. } => {
            assert!(trimmed.starts_with("sk-ant-oat"));
            assert!(trimmed.bytes().all(|byte| byte.is_ascii_graphic()));
            assert_eq!(kind, "oauth_token");
            let shown = fingerprint.to_string();
            assert_eq!(shown.parse::<Fingerprint>(), Ok(fingerprint));
            assert!(check_recorded(text, &fingerprint).fingerprint().is_some());
            assert_silent(text, &shown);
        }
        Check::Malformed(Malformed { problem, .. }) => {
            assert_silent(text, &format!("{problem} {problem:?} {}", problem.advice()));
        }
    }
    // What somebody wrote where a fingerprint belongs.
    if let Ok(fingerprint) = text.parse::<Fingerprint>() {
        assert_eq!(fingerprint.to_string(), text);
    }
});

/// Demands that a text repeats nothing of the value that could be secret: words of the messages
/// are no secret, though a value may be made of them.
fn assert_silent(value: &str, shown: &str) {
    let Some(secret) = value.get("sk-ant-oat01-".len()..) else {
        return;
    };
    if !value.starts_with("sk-ant-oat") || secret.len() < RUN || !secret.is_ascii() {
        return;
    }
    let leaks = secret
        .as_bytes()
        .windows(RUN)
        .filter(|run| !run.contains(&b' '))
        .any(|run| std::str::from_utf8(run).is_ok_and(|run| shown.contains(run)));
    assert!(!leaks, "the text repeats the value");
}
