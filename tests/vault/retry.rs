//! Failures that pass, and those that outlast the patience for them.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::json;
use terraform_provider_claude::deadline::Deadline;
use terraform_provider_claude::vault::{ConnectionProblem, VaultError};

use super::{path, root_store, settings, store, text, token};
use crate::support::openbao::{OpenBao, free_port};
use crate::support::proxy::{Proxy, Step};

const SEALED: &str = r#"{"errors":["Vault is sealed"]}"#;

#[tokio::test]
async fn a_read_outlasts_what_passes() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let upgrading = r#"{"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly."]}"#;
    let passing = [
        Step::json(412, r#"{"errors":["required index state not present"]}"#),
        Step::json(
            429,
            r#"{"errors":["request path \"x\": rate limit quota exceeded"]}"#,
        ),
        Step::json(472, "{}"),
        Step::json(473, "{}"),
        Step::json(500, r#"{"errors":["internal error"]}"#),
        Step::html(502),
        Step::json(503, SEALED),
        Step::html(504),
        Step::json(400, upgrading),
        Step::CutBefore,
        Step::CutAfter,
        Step::CutInside,
    ];
    for step in passing {
        let proxy = Proxy::before(bao.address(), [step.clone(), step.clone()]).await;
        let reading = root_store(proxy.address()).read(&path("agent")).await;
        let reading = reading.unwrap_or_else(|error| panic!("{step:?}: {error:?}"));
        assert_eq!(text(&reading, "token"), "one");
        assert_eq!(proxy.seen().len(), 3, "{step:?}");
    }
}

#[tokio::test]
async fn patience_ends_with_the_retries_that_are_allowed() {
    for max_retries in [0, 2] {
        let proxy = Proxy::alone(vec![Step::json(503, SEALED); 9]).await;
        let mut impatient = settings(proxy.address(), token("t"));
        impatient.max_retries = max_retries;
        let error = store(impatient).read(&path("agent")).await;
        assert_eq!(error, Err(VaultError::Sealed));
        assert_eq!(proxy.seen().len(), 1 + max_retries as usize);
    }
}

#[tokio::test]
async fn patience_ends_with_the_time_for_retries() {
    let proxy = Proxy::alone(vec![Step::json(472, "{}"); 1000]).await;
    let mut patient = settings(proxy.address(), token("t"));
    patient.max_retries = u32::MAX;
    patient.limits.operation = Duration::from_millis(1500);
    let error = store(patient).read(&path("agent")).await;
    assert_eq!(error, Err(VaultError::Standby { status: 472 }));
    assert!(proxy.seen().len() > 2);
}

#[tokio::test]
async fn the_last_cause_is_reported_when_the_time_ends_during_an_attempt() {
    let proxy = Proxy::alone([Step::json(472, "{}"), Step::Hang]).await;
    let mut patient = settings(proxy.address(), token("t"));
    patient.limits.operation = Duration::from_secs(3);
    let error = store(patient).read(&path("agent")).await;
    assert_eq!(error, Err(VaultError::Standby { status: 472 }));
    // A later answer counts more.
    let proxy = Proxy::alone([Step::json(472, "{}"), Step::json(503, SEALED), Step::Hang]).await;
    let mut patient = settings(proxy.address(), token("t"));
    patient.limits.operation = Duration::from_secs(3);
    let error = store(patient).read(&path("agent")).await;
    assert_eq!(error, Err(VaultError::Sealed));
}

#[tokio::test]
async fn a_quota_of_the_server_paces_all_requests() {
    const READS: usize = 60;
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let limited = bao
        .token(r#"path "secret/data/*" { capabilities = ["read"] }"#)
        .await;
    let quota = json!({ "path": "secret/", "rate": 5, "interval": "1s" });
    bao.must("POST", "sys/quotas/rate-limit/few", quota).await;
    let mut product = settings(bao.address(), token(&limited));
    product.limits = terraform_provider_claude::vault::Limits::default();
    let reader = store(product);
    let secret = path("agent");
    // As many at once as a plan has.
    let reads = futures_util::stream::iter(0..READS).map(|_| reader.read(&secret));
    let started = Instant::now();
    let readings: Vec<_> = reads.buffer_unordered(10).collect().await;
    for reading in readings {
        assert_eq!(text(&reading.unwrap(), "token"), "one");
    }
    let sent = bao.count("read", "secret/data/agent");
    println!(
        "{READS} reads took {:?} and {sent} requests",
        started.elapsed()
    );
}

#[tokio::test]
async fn the_server_says_how_long_to_wait() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let limited = Step::json(429, "{}").with("retry-after", "1");
    let proxy = Proxy::before(bao.address(), [limited]).await;
    root_store(proxy.address())
        .read(&path("agent"))
        .await
        .unwrap();
    let seen = proxy.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(1));

    let proxy = Proxy::alone([Step::json(429, "{}").with("retry-after", "3600")]).await;
    let error = root_store(proxy.address()).read(&path("agent")).await;
    assert_eq!(
        error,
        Err(VaultError::RateLimited {
            seconds: Some(3600)
        })
    );
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn a_document_that_raft_refuses_for_its_size_is_not_tried_again() {
    let refusal = "put failed due to value being too large; got 156 bytes, max 1048576 bytes";
    let proxy = Proxy::alone([Step::json(500, &json!({ "errors": [refusal] }).to_string())]).await;
    let error = root_store(proxy.address()).read(&path("agent")).await;
    assert!(
        matches!(error, Err(VaultError::Server { status: 500, errors, .. }) if errors == [refusal])
    );
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_named() {
    let address = format!("http://127.0.0.1:{}", free_port());
    assert_eq!(
        root_store(&address).read(&path("agent")).await,
        Err(VaultError::Unreachable {
            address: address.as_str().into(),
            problem: ConnectionProblem::Refused,
        })
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_named() {
    let mut once = settings("http://vault.invalid:8200", token("t"));
    once.max_retries = 0;
    assert_eq!(
        store(once).read(&path("agent")).await,
        Err(VaultError::Unreachable {
            address: "http://vault.invalid:8200".into(),
            problem: ConnectionProblem::NameResolution,
        })
    );
}

#[tokio::test]
async fn connections_that_keep_breaking_are_named() {
    for (step, problems) in [
        (
            Step::CutBefore,
            [ConnectionProblem::Closed, ConnectionProblem::Reset],
        ),
        (
            Step::CutInside,
            [ConnectionProblem::Closed, ConnectionProblem::Reset],
        ),
    ] {
        let proxy = Proxy::alone(vec![step.clone(); 9]).await;
        let error = root_store(proxy.address()).read(&path("agent")).await;
        let Err(VaultError::Unreachable { problem, address }) = error else {
            panic!("{step:?}: {error:?}");
        };
        assert!(problems.contains(&problem), "{step:?}: {problem:?}");
        assert_eq!(address.address, proxy.address());
    }
}

#[tokio::test]
async fn slow_answers_are_given_up_and_asked_for_again() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    for slow in [Step::Delay(Duration::from_secs(60)), Step::Drip] {
        let proxy = Proxy::before(bao.address(), [slow]).await;
        let mut quick = settings(proxy.address(), token(OpenBao::ROOT));
        quick.limits.attempt = Duration::from_millis(500);
        let reading = store(quick).read(&path("agent")).await.unwrap();
        assert_eq!(text(&reading, "token"), "one");
    }
}

#[tokio::test]
async fn an_operation_ends_in_time_whatever_the_server_does() {
    for slow in [Step::Delay(Duration::from_secs(60)), Step::Drip] {
        let proxy = Proxy::alone(vec![slow; 99]).await;
        let mut quick = settings(proxy.address(), token("t"));
        quick.limits.attempt = Duration::from_secs(40);
        quick.limits.operation = Duration::from_millis(300);
        let started = Instant::now();
        let error = store(quick).read(&path("agent")).await;
        assert_eq!(
            error,
            Err(VaultError::DeadlineExceeded {
                address: proxy.address().into(),
                seconds: 0,
            })
        );
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn operations_that_belong_together_share_their_time() {
    let bao = OpenBao::start().await;
    for number in 0..3 {
        let fields = json!({ "token": number.to_string() });
        bao.put("secret", "agent", fields).await;
    }
    // Each read would end in its own time; all together do not.
    let slow = vec![Step::Delay(Duration::from_millis(300)); 99];
    let proxy = Proxy::before(bao.address(), slow).await;
    let all = root_store(proxy.address());
    let reader = all.until(Deadline::within(Duration::from_secs(1)));
    let walk = async {
        for number in 0.. {
            if let Err(error) = reader.read_version(&path("agent"), number % 3 + 1).await {
                return error;
            }
        }
        unreachable!("a walk has no end here")
    };
    let error = walk.await;
    assert_eq!(
        error,
        VaultError::DeadlineExceeded {
            address: proxy.address().into(),
            seconds: 1,
        }
    );
    assert!(proxy.seen().len() <= 4, "{}", proxy.seen().len());
    assert!(reader.is_time_over() && !all.is_time_over());
    // Another request has its own time.
    all.read(&path("agent")).await.unwrap();
}

#[tokio::test]
async fn what_has_no_time_left_is_not_sent() {
    let proxy = Proxy::alone([Step::Hang]).await;
    let reader = store(settings(proxy.address(), token("t")))
        .until(Deadline::within(Duration::from_secs(2)));
    let first = reader.read(&path("first")).await;
    let second = reader.read(&path("second")).await;
    assert_eq!(first, second);
    assert!(matches!(second, Err(VaultError::DeadlineExceeded { .. })));
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn the_newest_state_of_the_cluster_goes_back_with_each_request() {
    let missing = r#"{"errors":[]}"#;
    let denied = r#"{"errors":["preflight capability check returned 403"]}"#;
    // A secret that is absent costs two requests: the second asks for the mount.
    let proxy = Proxy::alone([
        Step::json(404, missing).with("x-vault-index", "first"),
        Step::json(403, denied).with("x-vault-index", "second"),
        Step::json(404, missing),
        Step::json(403, denied),
    ])
    .await;
    let reader = root_store(proxy.address());
    for _ in 0..2 {
        reader.read(&path("none")).await.unwrap();
    }
    let sent: Vec<_> = proxy
        .seen()
        .iter()
        .map(|seen| {
            let own = |name| seen.header(name).map(str::to_owned);
            (own("x-vault-index"), own("x-vault-inconsistent"))
        })
        .collect();
    let with = |index: &str| {
        (
            Some(index.to_owned()),
            Some("forward-active-node".to_owned()),
        )
    };
    assert_eq!(
        sent,
        [(None, None), with("first"), with("second"), with("second")]
    );
}

#[tokio::test]
async fn connections_that_idle_are_no_more_than_requests_may_be() {
    let bao = OpenBao::start_unaudited().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let slow = vec![Step::Delay(Duration::from_millis(20)); 400];
    let proxy = Proxy::before(bao.address(), slow).await;
    let settings = settings(proxy.address(), token(OpenBao::ROOT));
    let most = settings.limits.concurrency;
    let reader = store(settings);
    let secret = path("agent");
    let reads = (0..200).map(|_| reader.read(&secret));
    for reading in futures_util::future::join_all(reads).await {
        reading.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while proxy.open_connections() > most && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (open, opened) = (proxy.open_connections(), proxy.connections());
    assert!(open <= most, "{open} of {opened} connections stay open");
    println!("{opened} connections were opened, {open} are kept");
    drop(reader);
    while proxy.open_connections() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
