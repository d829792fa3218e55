//! Stamps and marks in `custom_metadata`, where people and other programs write, too.
//!
//! An input is lines of `key=value`.
#![no_main]

use std::collections::BTreeMap;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use terraform_provider_claude::token::instant::{format_instant, parse_instant, parse_minted_at};
use terraform_provider_claude::token::mark::Mark;
use terraform_provider_claude::token::metadata::{MAXIMUM_VALUE_BYTES, key, stamp_key};
use terraform_provider_claude::token::retired::RetiredTokens;
use terraform_provider_claude::token::stamp::{Next, Stamp, request_digest};
use terraform_provider_claude::token::verdict::Verdict;

const FIELD: &str = "claude_oauth_token";

fuzz_target!(|text: &str| {
    let metadata: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    for mark in Mark::read_all(FIELD, &metadata) {
        let again = Mark::parse(FIELD, &mark.key, &mark.to_string());
        assert_eq!(again.as_ref(), Some(&mark));
    }
    if let Some(stamp) = Stamp::read(FIELD, &metadata) {
        assert_eq!(Stamp::read(FIELD, &written(&stamp)), Some(stamp));
    }
    if let Some(next) = Next::read(FIELD, &metadata) {
        let value = next.to_value();
        assert!(value.len() <= MAXIMUM_VALUE_BYTES);
        let again = BTreeMap::from([(stamp_key(FIELD, key::NEXT), value)]);
        let again = Next::read(FIELD, &again).map(|next| next.fingerprint);
        assert_eq!(again, Some(next.fingerprint));
    }
    let retired = RetiredTokens::read(FIELD, &metadata);
    if let Some(value) = retired.to_value(Timestamp::UNIX_EPOCH) {
        assert!(value.len() <= MAXIMUM_VALUE_BYTES);
    }
    if let Some(verdict) = Verdict::read(FIELD, &metadata) {
        assert_eq!(verdict.to_string().parse(), Ok(verdict));
    }
    assert_eq!(request_digest(&metadata), request_digest(&metadata.clone()));
    for value in metadata.values() {
        if let Ok(instant) = parse_instant(value) {
            assert_eq!(parse_instant(&format_instant(instant)), Ok(instant));
        }
        let _ = parse_minted_at(value, Timestamp::UNIX_EPOCH);
    }
});

fn written(stamp: &Stamp) -> BTreeMap<String, String> {
    [
        (key::FINGERPRINT, Some(stamp.fingerprint.to_string())),
        (key::MINTED_AT, stamp.minted_at.map(format_instant)),
        (key::EXPIRES_AT, stamp.expires_at.map(format_instant)),
        (key::ROTATED_FROM, stamp.rotated_from.clone()),
        (
            key::REQUESTED,
            stamp.requested.map(|digest| digest.to_string()),
        ),
        (key::ACCOUNT, stamp.account.clone()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((stamp_key(FIELD, key), value?)))
    .collect()
}
