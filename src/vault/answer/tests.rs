use super::texts::{KEPT_TEXTS, LONGEST_TEXT};
use super::*;
use crate::vault::TokenOrigin;

const DENIED: &str = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;

fn judge(status: u16, body: &str) -> (bool, Option<VaultError>) {
    let answer = Answer {
        status,
        content_type: "text/html".into(),
        body: Zeroizing::new(body.into()),
    };
    let question = Question {
        address: &"http://vault:8200".into(),
        api_path: "secret/data/a",
        capability: "read",
        token: TokenSource::Given(TokenOrigin::File),
        retry_after: None,
    };
    match answer.judge(question, &Censor::default()) {
        Verdict::Settled => (false, None),
        Verdict::Failed(error) => (false, Some(error)),
        Verdict::Retry(error) => (true, Some(error)),
    }
}

fn server(status: u16, errors: &[&str]) -> VaultError {
    VaultError::Server {
        api_path: "secret/data/a".into(),
        status,
        errors: errors.iter().copied().map(str::to_owned).collect(),
    }
}

#[test]
fn refusals_by_policy_differ_from_unknown_tokens() {
    let unknown = VaultError::Unauthenticated {
        token: TokenSource::Given(TokenOrigin::File),
    };
    let forbidden = |errors: &[&str]| VaultError::Forbidden {
        api_path: "secret/data/a".into(),
        capability: "read",
        errors: errors.iter().copied().map(str::to_owned).collect(),
    };
    let cases = [
        (403, DENIED, forbidden(&[])),
        (
            403,
            r#"{"errors":["preflight check returned 403"]}"#,
            forbidden(&["preflight check returned 403"]),
        ),
        (403, r#"{"errors":["permission denied"]}"#, unknown.clone()),
        (
            403,
            r#"{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}"#,
            unknown.clone(),
        ),
        (
            400,
            r#"{"errors":["missing client token"]}"#,
            unknown.clone(),
        ),
        (401, "{}", unknown.clone()),
    ];
    for (status, body, error) in cases {
        assert_eq!(judge(status, body), (false, Some(error)), "{body}");
    }
}

#[test]
fn what_may_pass_is_asked_again() {
    let cases = [
        (412, "", VaultError::Standby { status: 412 }),
        (429, "", VaultError::RateLimited { seconds: None }),
        (472, "", VaultError::Standby { status: 472 }),
        (473, "{}", VaultError::Standby { status: 473 }),
        (503, r#"{"errors":["Vault is sealed"]}"#, VaultError::Sealed),
        (
            500,
            r#"{"errors":["local node not active but active cluster node not found"]}"#,
            VaultError::Standby { status: 500 },
        ),
        (502, "<html>", server(502, &[])),
        (500, r#"{"errors":["boom"]}"#, server(500, &["boom"])),
        (
            400,
            r#"{"errors":["Upgrading from non-versioned to versioned data."]}"#,
            server(400, &["Upgrading from non-versioned to versioned data."]),
        ),
    ];
    for (status, body, error) in cases {
        assert_eq!(judge(status, body), (true, Some(error)), "{status}");
    }
}

#[test]
fn of_many_or_long_errors_a_few_are_kept() {
    let texts = |body: &str| {
        let answer = Answer {
            status: 500,
            content_type: String::new(),
            body: Zeroizing::new(body.into()),
        };
        answer.errors()
    };
    assert_eq!(
        texts(r#"{"errors":["a",{"b":["c"]},null,7,"d"]}"#),
        ["a", "d"]
    );
    assert_eq!(texts(r#"{"errors":"a"}"#), [""; 0]);
    assert_eq!(texts(r#"{"errors":["a"}"#), [""; 0]);
    let many = format!(r#"{{"errors":[{}"z"]}}"#, r#""a","#.repeat(1000));
    assert_eq!(texts(&many), vec!["a"; KEPT_TEXTS]);
    let broken = format!(r#"{{"errors":[{}"z"}}"#, r#""a","#.repeat(1000));
    assert_eq!(texts(&broken), [""; 0]);
    let long = format!(r#"{{"errors":["{}","b"]}}"#, "a".repeat(LONGEST_TEXT));
    assert_eq!(texts(&long), ["", "b"]);
}

#[test]
fn only_what_comes_before_writing_leaves_no_doubt() {
    let sure = |status, body: &str| {
        let answer = Answer {
            status,
            content_type: String::new(),
            body: Zeroizing::new(body.into()),
        };
        answer.refuses_before_writing()
    };
    let sealed = r#"{"errors":["Vault is sealed"]}"#;
    let too_large = r#"{"errors":["put failed due to value being too large"]}"#;
    let cases = [
        (
            400,
            r#"{"errors":["check-and-set parameter did not match"]}"#,
        ),
        (400, "Client sent an HTTP request to an HTTPS server.\n"),
        (403, DENIED),
        (404, r#"{"errors":[]}"#),
        (413, "<html>"),
        (429, ""),
        (500, too_large),
        (503, sealed),
    ];
    for (status, body) in cases {
        assert!(sure(status, body), "{status} {body}");
    }
    let cases = [
        (200, "{}"),
        (400, "Bad Request"),
        (403, "<html>"),
        (404, ""),
        (404, r#"{"message":"no route"}"#),
        (405, r#"{"errors":[]}"#),
        (412, r#"{"errors":["required index state not present"]}"#),
        (472, sealed),
        (500, sealed),
        (500, r#"{"errors":["internal error"]}"#),
        (502, too_large),
        (503, "<html>Vault is sealed"),
        (504, ""),
    ];
    for (status, body) in cases {
        assert!(!sure(status, body), "{status} {body}");
    }
}

#[test]
fn what_will_not_pass_is_told_at_once() {
    let not_json = |status| VaultError::NotJson {
        address: "http://vault:8200".into(),
        api_path: "secret/data/a".into(),
        status,
        content_type: "text/html".into(),
    };
    let cases = [
        (200, "<html>", not_json(200)),
        (200, "[]", not_json(200)),
        (403, "<html>", not_json(403)),
        (404, "404 page not found", not_json(404)),
        (
            400,
            "Client sent an HTTP request to an HTTPS server.\n",
            VaultError::HttpsExpected {
                address: "http://vault:8200".into(),
            },
        ),
        (405, r#"{"errors":[7,"no\u001b[1m"]}"#, server(405, &["no"])),
        (501, "", server(501, &[])),
        (
            500,
            r#"{"errors":["put failed due to value being too large"]}"#,
            server(500, &["put failed due to value being too large"]),
        ),
    ];
    for (status, body, error) in cases {
        assert_eq!(judge(status, body), (false, Some(error)), "{status} {body}");
    }
    assert_eq!(judge(404, r#"{"errors":[]}"#), (false, None));
    assert_eq!(judge(204, ""), (false, None));
}
