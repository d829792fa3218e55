//! Answers of Vault, whatever stands between it and us has made of them.
//!
//! The first byte of an input is the status, the second says whether the body is JSON by its
//! header, and the rest is the body. It is read as a header, too: a date, a wait, an index.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use std::collections::HashMap;
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::Reading;
use terraform_provider_claude::vault::fuzzing;

/// The credential that requests carry: no error may repeat it.
const CREDENTIAL: &str = "canary-credential";

/// Statuses that mean something to the client, and some that mean nothing.
const STATUSES: [u16; 20] = [
    200, 204, 301, 307, 400, 401, 403, 404, 405, 412, 413, 418, 429, 472, 473, 500, 501, 502, 503,
    599,
];

fuzz_target!(|input: &[u8]| {
    let Some(([status, kind], body)) = input.split_first_chunk() else {
        return;
    };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let content_type = ["application/json", "text/html"][usize::from(*kind) % 2];
    let told = fuzzing::judge(status, content_type, body, CREDENTIAL);
    assert!(!told.contains(CREDENTIAL), "the error repeats a credential");
    assert!(told.len() < 20_000, "the error is not bounded");
    fuzzing::read_everything(body);
    fuzzing::headers(body);
    if let Some(names) = fuzzing::names(body) {
        assert!(names <= body.len(), "names come from nowhere");
    }
    match fuzzing::document(body, status != 404) {
        Ok(Some(Reading::Present(document))) => {
            let shown = format!("{document:?}");
            assert!(shown.len() <= 4 * body.len() + 1000);
            let names: Vec<&str> = document.field_names().collect();
            for name in &names {
                let _ = document.field(name);
            }
            let before = fuzzing::raw_fields(&document);
            let target = names.first().copied().unwrap_or("claude_oauth_token");
            let written = fuzzing::json(&document.with_field(target, &Secret::new("new \"text\"")));
            let after: HashMap<String, &RawValue> =
                serde_json::from_str(&written).expect("what is written is JSON");
            assert_eq!(after.len(), before.len().max(1));
            for (name, raw) in &before {
                let kept = after[name].get();
                assert!(name == target || kept == raw, "a sibling changed");
            }
            assert_eq!(after[target].get(), r#""new \"text\"""#);
        }
        Ok(_) => {}
        Err(told) => assert!(!told.contains(CREDENTIAL)),
    }
});
