//! The Vault client against a real OpenBao server.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails ends its test"
)]

mod absence;
mod access;
mod broken;
mod certificates;
mod hostile;
mod list;
mod login;
mod logs;
mod metadata;
mod proxy;
mod quirks;
mod raw;
mod read;
mod redirect;
mod retry;
mod siblings;
mod tls;
mod write;
mod write_faults;

use std::time::Duration;

use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{
    Address, Credentials, FieldValue, Limits, Origin, Proxies, Reading, SecretPath, Settings,
    Store, TlsSettings, TokenOrigin,
};

use crate::support::openbao::OpenBao;

/// Settings for one server, with waits that are short enough for a test.
fn settings(address: &str, credentials: Credentials) -> Settings {
    Settings {
        address: Address::parse(address).unwrap(),
        namespace: None,
        credentials,
        tls: TlsSettings::default(),
        proxies: Proxies::default(),
        origin: Origin::default(),
        max_retries: 4,
        limits: Limits {
            backoff: Duration::from_millis(5),
            ..Limits::default()
        },
    }
}

fn token(text: &str) -> Credentials {
    Credentials::Token(Secret::new(text), TokenOrigin::File)
}

/// A store that may do everything.
fn root_store(address: &str) -> Store {
    store(settings(address, token(OpenBao::ROOT)))
}

fn store(settings: Settings) -> Store {
    Store::new(settings).unwrap()
}

fn path(path: &str) -> SecretPath {
    SecretPath::new("secret", path).unwrap()
}

/// Returns a text field of a reading that must have one.
fn text(reading: &Reading, field: &str) -> String {
    let Reading::Present(document) = reading else {
        panic!("{reading:?}");
    };
    match document.field(field) {
        FieldValue::Text(secret) => secret.expose().to_owned(),
        other => panic!("{field}: {other:?}"),
    }
}
