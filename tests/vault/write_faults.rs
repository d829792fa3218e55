//! Writes whose answers do not come, or are not what they seem.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use terraform_provider_claude::deadline::Deadline;
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{
    Credentials, Identity, Login, NewDocument, Revision, Store, VaultError, WriteError,
    WriteFailure,
};

use super::{path, raw, root_store, settings, store, text, token};
use crate::support::openbao::{OpenBao, free_port};
use crate::support::proxy::{Proxy, Step};

const SEALED: &str = r#"{"errors":["Vault is sealed"]}"#;
const MISMATCH: &str =
    r#"{"errors":["check-and-set parameter did not match the current version"]}"#;
const DENIED: &str = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;
const TOO_LARGE: &str =
    r#"{"errors":["put failed due to value being too large; got 156 bytes, max 1048576 bytes"]}"#;

/// A server with the secret `agent` at version 1.
async fn server() -> OpenBao {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    bao
}

/// Returns a store that knows the mount, behind a proxy that fails as told from then on.
async fn behind(proxy: &Proxy, steps: impl IntoIterator<Item = Step>, max_retries: u32) -> Store {
    let mut given = settings(proxy.address(), token(OpenBao::ROOT));
    given.max_retries = max_retries;
    let store = store(given);
    store.read(&path("agent")).await.unwrap();
    proxy.then(steps);
    store
}

/// Writes version 2 of `agent`.
async fn write(store: &Store) -> Result<Revision, WriteFailure> {
    let new = NewDocument::of_field("token", &Secret::new("two"));
    store.write(&path("agent"), &new, 1, Timestamp::MAX).await
}

/// Returns the newest version and its token.
async fn current(bao: &OpenBao) -> (u64, String) {
    let reading = root_store(bao.address()).read(&path("agent")).await;
    let metadata = bao.must("GET", "secret/metadata/agent", Value::Null).await;
    let version = metadata["data"]["current_version"].as_u64().unwrap();
    (version, text(&reading.unwrap(), "token"))
}

#[tokio::test]
async fn the_same_bytes_are_sent_again_until_they_are_answered() {
    let upgrading = r#"{"errors":["Upgrading from non-versioned to versioned data."]}"#;
    let passing = [
        Step::CutBefore,
        Step::json(500, r#"{"errors":["internal error"]}"#),
        Step::html(500),
        Step::html(502),
        Step::html(503),
        Step::html(504),
        Step::json(503, SEALED),
        Step::json(429, "{}"),
        Step::json(412, "{}"),
        Step::json(472, "{}"),
        Step::json(473, "{}"),
        Step::json(400, upgrading),
    ];
    let bao = OpenBao::start().await;
    for (version, step) in (1..).zip(passing) {
        bao.must("DELETE", "secret/metadata/agent", Value::Null)
            .await;
        bao.put("secret", "agent", json!({ "token": version }))
            .await;
        let proxy = Proxy::before(bao.address(), []).await;
        let store = behind(&proxy, [step.clone(), step.clone()], 4).await;
        let written = write(&store).await;
        assert_eq!(written.map(|written| written.version), Ok(2), "{step:?}");
        let seen = proxy.seen();
        assert_eq!(seen.len(), 4, "{step:?}");
        for attempt in &seen[1..] {
            assert_eq!(
                attempt.body,
                r#"{"options":{"cas":1},"data":{"token":"two"}}"#
            );
        }
        assert_eq!(current(&bao).await, (2, "two".into()), "{step:?}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_takes_once_and_says_that_it_may_have() {
    for step in [Step::CutAfter, Step::CutInside] {
        let bao = server().await;
        let proxy = Proxy::before(bao.address(), []).await;
        let store = behind(&proxy, [step.clone()], 4).await;
        assert_eq!(
            write(&store).await,
            Err(WriteFailure {
                error: WriteError::CasMismatch,
                unanswered: true,
            }),
            "{step:?}"
        );
        assert_eq!(current(&bao).await, (2, "two".into()), "{step:?}");
    }
}

#[tokio::test]
async fn a_refusal_of_vault_leaves_no_doubt_and_everything_else_does() {
    let no_route = r#"{"errors":["no handler for route \"secret/data/agent\"."]}"#;
    let other_mount = Step::redirect(307, "/v1/secret/data/agent");
    let cases: [(&[Step], bool, usize); 24] = [
        (&[Step::json(400, MISMATCH)], false, 1),
        (
            &[Step::json(400, r#"{"errors":["no data provided"]}"#)],
            false,
            1,
        ),
        (&[Step::json(403, DENIED)], false, 1),
        (
            &[Step::json(403, r#"{"errors":["permission denied"]}"#)],
            false,
            1,
        ),
        (&[Step::json(404, no_route)], false, 1),
        (
            &[Step::json(
                413,
                r#"{"errors":["http: request body too large"]}"#,
            )],
            false,
            1,
        ),
        (&[Step::html(413)], false, 1),
        (&[Step::json(500, TOO_LARGE)], false, 1),
        (&[Step::json(429, "{}"), Step::html(429)], false, 2),
        (
            &[Step::json(503, SEALED), Step::json(503, SEALED)],
            false,
            2,
        ),
        (&[other_mount.clone(), other_mount], false, 2),
        (&[Step::html(200)], true, 1),
        (&[Step::json(200, "{}")], true, 1),
        (&[Step::html(400)], true, 1),
        (&[Step::html(403)], true, 1),
        (&[Step::json(404, r#"{"message":"no route"}"#)], true, 1),
        (&[Step::json(405, DENIED)], true, 1),
        (&[Step::redirect(303, "/done")], true, 1),
        (&[Step::json(412, "{}"), Step::json(412, "{}")], true, 2),
        (&[Step::html(502), Step::html(503)], true, 2),
        (&[Step::CutBefore, Step::CutBefore], true, 2),
        (&[Step::CutBefore, Step::json(403, DENIED)], true, 2),
        (&[Step::html(504), Step::json(400, MISMATCH)], true, 2),
        (&[Step::json(500, "{}"), Step::json(503, SEALED)], true, 2),
    ];
    let bao = server().await;
    for (steps, unanswered, attempts) in cases {
        let proxy = Proxy::before(bao.address(), []).await;
        let store = behind(&proxy, steps.to_vec(), 1).await;
        let failure = write(&store).await.unwrap_err();
        assert_eq!(failure.unanswered, unanswered, "{steps:?}: {failure:?}");
        // A mount that is known is never asked for, and no read follows.
        assert_eq!(proxy.seen().len(), 1 + attempts, "{steps:?}");
    }
    assert_eq!(current(&bao).await, (1, "one".into()));
}

#[tokio::test]
async fn a_document_that_is_too_large_is_said_to_be_so() {
    let bao = server().await;
    for step in [
        Step::json(500, TOO_LARGE),
        Step::json(413, r#"{"errors":["http: request body too large"]}"#),
        Step::html(413),
    ] {
        let proxy = Proxy::before(bao.address(), []).await;
        let store = behind(&proxy, [step], 4).await;
        let failure = write(&store).await.unwrap_err();
        assert_eq!(failure.error, WriteError::TooLarge);
        assert!(!failure.unanswered);
        assert_eq!(proxy.seen().len(), 2);
    }
}

#[tokio::test]
async fn what_never_left_leaves_no_doubt() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    for address in [nobody.as_str(), "http://vault.invalid:8200"] {
        let mut given = settings(address, token("t"));
        given.max_retries = 1;
        let failure = write(&store(given)).await.unwrap_err();
        assert!(!failure.unanswered, "{failure:?}");
        assert!(matches!(
            failure.error,
            WriteError::Vault(VaultError::Unreachable { .. })
        ));
    }

    // The mount is known here, so that it is the write itself that finds nobody.
    let bao = server().await;
    let to = format!("{nobody}/v1/secret/data/agent");
    let proxy = Proxy::before(bao.address(), []).await;
    let store = behind(&proxy, [Step::redirect(307, &to)], 0).await;
    let failure = write(&store).await.unwrap_err();
    assert!(!failure.unanswered, "{failure:?}");
}

#[tokio::test]
async fn a_login_without_an_answer_is_no_doubt_about_the_write() {
    let proxy = Proxy::alone(vec![Step::CutBefore; 9]).await;
    let login = Login {
        mount: "jwt".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "ci".into(),
            jwt: Secret::new("signed"),
        },
    };
    let failure = write(&store(settings(proxy.address(), Credentials::Login(login))))
        .await
        .unwrap_err();
    assert!(!failure.unanswered, "{failure:?}");
}

#[tokio::test]
async fn a_write_that_is_given_up_for_its_time_leaves_doubt() {
    let bao = server().await;
    for (attempt, operation) in [(1_000, 60_000), (60_000, 2_000)] {
        let proxy = Proxy::before(bao.address(), []).await;
        let mut hurried = settings(proxy.address(), token(OpenBao::ROOT));
        hurried.max_retries = 0;
        hurried.limits.attempt = Duration::from_millis(attempt);
        hurried.limits.operation = Duration::from_millis(operation);
        let store = store(hurried);
        store.read(&path("agent")).await.unwrap();
        proxy.then([Step::Delay(Duration::from_secs(60))]);
        let failure = write(&store).await.unwrap_err();
        assert!(failure.unanswered);
        assert!(matches!(
            failure.error,
            WriteError::Vault(VaultError::DeadlineExceeded { .. })
        ));
    }
}

#[tokio::test]
async fn an_attempt_that_arrives_after_the_next_does_not_take() {
    let bao = server().await;
    let proxy = Proxy::before(bao.address(), []).await;
    let store = behind(&proxy, [Step::CutBefore], 4).await;
    write(&store).await.unwrap();
    // What was held up arrives now, to the byte.
    let late = proxy.seen()[1].body.clone();
    let (status, answer) = raw::send(&bao, "POST", "secret/data/agent", &late).await;
    assert_eq!((status, answer.contains("did not match")), (400, true));
    assert_eq!(current(&bao).await, (2, "two".into()));
}

#[tokio::test]
async fn of_two_attempts_that_arrive_at_once_one_takes() {
    let bao = OpenBao::start().await;
    for round in 0..20 {
        bao.must("DELETE", "secret/metadata/agent", Value::Null)
            .await;
        bao.put("secret", "agent", json!({ "token": "one" })).await;
        let proxy = Proxy::before(bao.address(), []).await;
        let store = behind(&proxy, [Step::CutBefore], 4).await;
        let held_up = async {
            let late = loop {
                match proxy.seen().get(1) {
                    Some(seen) => break seen.body.clone(),
                    None => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            };
            // Sooner or later than the second attempt, which waits a few milliseconds.
            tokio::time::sleep(Duration::from_micros(400 * round)).await;
            raw::send(&bao, "POST", "secret/data/agent", &late).await.0
        };
        let (outcome, late) = tokio::join!(write(&store), held_up);
        match outcome {
            Ok(written) => assert_eq!((written.version, late), (2, 400)),
            Err(failure) => {
                assert_eq!(failure.error, WriteError::CasMismatch);
                assert_eq!((failure.unanswered, late), (true, 200));
            }
        }
        assert_eq!(current(&bao).await, (2, "two".into()));
    }
}

#[tokio::test]
async fn after_the_deadline_only_a_write_in_progress_goes_on() {
    let bao = server().await;
    let proxy = Proxy::before(bao.address(), []).await;
    let mut given = settings(proxy.address(), token(OpenBao::ROOT));
    given.limits.attempt = Duration::from_millis(500);
    let store = store(given);
    store.read(&path("agent")).await.unwrap();
    let request = store.until(Deadline::within(Duration::from_millis(300)));
    // It lands, its answer does not come in time, and the next attempt finds out.
    proxy.then([Step::HangAfter]);
    let failure = write(&request).await.unwrap_err();
    assert!(request.is_time_over());
    assert_eq!(
        (failure.error, failure.unanswered),
        (WriteError::CasMismatch, true)
    );
    assert_eq!(current(&bao).await, (2, "two".into()));
    // Nothing begins any more.
    let sent = proxy.seen().len();
    let failure = write(&request).await.unwrap_err();
    assert!(!failure.unanswered, "{failure:?}");
    assert!(request.read(&path("agent")).await.is_err());
    assert_eq!(proxy.seen().len(), sent);
    // A write that surely did nothing is not sent again after the deadline.
    let request = store.until(Deadline::within(Duration::from_secs(4)));
    let late = Step::json(429, "{}").with("retry-after", "9");
    proxy.then([late]);
    let failure = write(&request).await.unwrap_err();
    assert_eq!(
        (failure.error, failure.unanswered),
        (
            WriteError::Vault(VaultError::RateLimited { seconds: Some(9) }),
            false
        )
    );
    assert_eq!(proxy.seen().len(), sent + 1);
}

#[tokio::test]
async fn who_changes_one_secret_waits_for_the_other() {
    let bao = server().await;
    let all = root_store(bao.address());
    let agent = path("agent");
    let turn = all.turn(&agent).await.unwrap();
    let hurried = all.until(Deadline::within(Duration::from_millis(100)));
    assert!(hurried.turn(&path("other")).await.is_ok());
    let late = hurried.turn(&agent).await;
    assert!(matches!(late, Err(VaultError::DeadlineExceeded { .. })));
    drop(turn);
    assert!(all.turn(&agent).await.is_ok());
}

#[tokio::test]
async fn no_attempt_leaves_after_the_time_for_it() {
    let bao = server().await;
    let proxy = Proxy::before(bao.address(), []).await;
    let store = behind(&proxy, [], 4).await;
    let new = NewDocument::of_field("token", &Secret::new("two"));
    let agent = path("agent");
    let sent = proxy.seen().len();
    let overdue = WriteError::Vault(VaultError::Overdue);
    let past = Timestamp::UNIX_EPOCH;
    let failure = store.write(&agent, &new, 1, past).await;
    let failure = failure.unwrap_err();
    assert_eq!((&failure.error, failure.unanswered), (&overdue, false));
    assert_eq!(proxy.seen().len(), sent);
    // The first attempt leaves in time, the next does not.
    let slow = Step::json(429, "{}").with("retry-after", "5");
    proxy.then([slow]);
    let soon = store.server_time().unwrap().received_at + Duration::from_secs(5);
    let failure = store.write(&agent, &new, 1, soon).await;
    assert_eq!(failure.unwrap_err().error, overdue);
    assert_eq!(proxy.seen().len(), sent + 1);
    assert_eq!(current(&bao).await, (1, "one".into()));
}
