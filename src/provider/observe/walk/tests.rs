//! Tests of walks, and of the names that listings give them.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::deadline::Deadline;
use crate::secret::Secret;
use crate::vault::{
    Address, Credentials, Limits, Origin, Proxies, Settings, Store, TlsSettings, TokenOrigin,
};

fn folder(path: &str) -> FolderPath {
    FolderPath::new("secret", path).unwrap()
}

fn listing(secrets: &[&str], folders: &[&str]) -> Listing {
    let owned = |names: &[&str]| names.iter().copied().map(str::to_owned).collect();
    Listing {
        secrets: owned(secrets),
        folders: owned(folders),
        is_cut: false,
    }
}

fn shown(names: Names) -> Vec<String> {
    let entries = names.sorted();
    let tell = |entry: &Entry| match entry {
        Entry::Secret(secret) => secret.path().to_owned(),
        Entry::Skipped(Skipped { path, reason }) => match reason {
            SkipReason::Name(_) => format!("{path}: name"),
            SkipReason::Token => format!("{path}: token"),
            SkipReason::Bound => format!("{path}: bound"),
            SkipReason::Time => format!("{path}: time"),
            SkipReason::Vault(_) => format!("{path}: Vault"),
        },
    };
    entries.iter().map(tell).collect()
}

#[test]
fn names_come_in_the_order_of_paths() {
    let mut names = Names::default();
    names.take(&folder("a"), listing(&["x"], &[]), |_| true);
    let wanted = |name: &str| name.starts_with('a');
    names.take(&folder(""), listing(&["a", "a-b", "b"], &["b"]), wanted);
    assert_eq!(shown(names), ["a", "a-b", "a/x"]);
}

#[test]
fn names_that_we_do_not_take_are_passed_over() {
    let mut names = Names::default();
    let odd = listing(&["a*", "..", "b"], &["c#", ""]);
    names.take(&folder("t"), odd, |_| true);
    let passed = [
        "t/..: name",
        "t//: name",
        "t/a*: name",
        "t/b",
        "t/c#/: name",
    ];
    assert_eq!(shown(names), passed);
}

#[test]
fn a_name_that_cannot_be_sent_or_shown_is_passed_over_alone() {
    let (long, token) = ("b".repeat(70_000), format!("sk-ant-oat01-{:a<95}", ""));
    let mut names = Names::default();
    let odd = listing(&["a", &long, &token, "z"], &[&long, &token]);
    names.take(&folder("t"), odd, |_| true);
    let passed = [
        "t/(hidden): token".to_owned(),
        "t/(hidden)/: token".to_owned(),
        "t/a".to_owned(),
        format!("t/{long}: name"),
        format!("t/{long}/: name"),
        "t/z".to_owned(),
    ];
    assert_eq!(shown(names), passed);
}

#[test]
fn a_failure_that_would_go_on_ends_the_walk() {
    let api_path = || "secret/data/a".to_owned();
    let server = |status| VaultError::Server {
        api_path: api_path(),
        status,
        errors: vec![],
    };
    let forbidden = VaultError::Forbidden {
        api_path: api_path(),
        capability: "read",
        errors: vec![],
    };
    for error in [forbidden, server(400), VaultError::TooLarge { limit: 1 }] {
        assert!(alone(error).is_ok());
    }
    let version_1 = VaultError::KvVersion1 {
        mount: "old".to_owned(),
    };
    let late = VaultError::DeadlineExceeded {
        address: "https://vault".into(),
        seconds: 60,
    };
    for error in [VaultError::Sealed, version_1, late, server(500)] {
        assert_eq!(alone(error.clone()).unwrap_err(), error);
    }
}

#[test]
fn folders_are_bounded() {
    let mut names = Names {
        folder_count: MAXIMUM_FOLDERS - 1,
        ..Names::default()
    };
    names.take(&folder(""), listing(&[], &["a", "b"]), |_| true);
    assert_eq!(names.folders, [folder("a")]);
    assert_eq!(shown(names), ["a/: bound", "b/: bound"]);
}

/// A server that lists `early` and `late`, answers for the first and is silent for the second.
async fn server_that_falls_silent() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(connection));
        }
    });
    address
}

async fn answer(mut connection: TcpStream) {
    let mut request = Vec::new();
    loop {
        if connection.read_buf(&mut request).await.unwrap() == 0 {
            return;
        }
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8(mem::take(&mut request)).unwrap();
        let body = match text.split_ascii_whitespace().nth(1).unwrap() {
            path if path.contains("/metadata") => r#"{"data":{"keys":["early","late"]}}"#,
            path if path.ends_with("/early") => {
                r#"{"data":{"data":{"token":"x"},"metadata":{"created_time":"2026-01-01T00:00:00Z","custom_metadata":null,"deletion_time":"","destroyed":false,"version":1}}}"#
            }
            _ => return std::future::pending().await,
        };
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
        let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        connection.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_not_seen_in_time_is_told_and_the_rest_counts() {
    let address = server_that_falls_silent().await;
    let settings = Settings {
        address: Address::parse(&format!("http://{address}")).unwrap(),
        namespace: None,
        tls: TlsSettings::default(),
        proxies: Proxies::default(),
        origin: Origin::default(),
        credentials: Credentials::Token(Secret::new("root"), TokenOrigin::File),
        max_retries: 0,
        limits: Limits::default(),
    };
    let observer = Observer::new(Store::new(settings).unwrap())
        .until(Deadline::within(Duration::from_secs(2)));
    let prefix = Prefix::default();
    let walk = Walk {
        observer: &observer,
        mount: "secret",
        prefix: &prefix,
        field: "token",
        also: None,
    };
    let findings = walk.to_the_end().await.unwrap();
    let seen: Vec<_> = findings
        .secrets
        .iter()
        .map(|seen| seen.secret.path())
        .collect();
    assert_eq!(seen, ["early"]);
    let skipped: Vec<_> = findings.skipped.iter().map(|place| &*place.path).collect();
    assert_eq!(skipped, ["late"]);
    assert!(matches!(findings.skipped[0].reason, SkipReason::Time));
}

#[test]
fn names_are_bounded() {
    let many: Vec<_> = (0..MAXIMUM_NAMES).map(|name| name.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let mut names = Names::default();
    names.take(&folder("a"), listing(&many, &[]), |_| true);
    assert!(!names.is_cut);
    names.take(&folder("b"), listing(&["x", "y"], &["z"]), |_| true);
    names.take(&folder("c"), listing(&["x"], &[]), |_| true);
    assert_eq!(names.folders, []);
    let shown = shown(names);
    assert_eq!(shown.len(), MAXIMUM_NAMES + 1);
    assert_eq!(shown.last().map(String::as_str), Some("b/: bound"));
}
