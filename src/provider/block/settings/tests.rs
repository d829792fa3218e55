//! Which of several settings applies.

use std::collections::BTreeMap;

use super::*;
use crate::provider::block::schema::{AppRoleLogin, JwtLogin, KubernetesLogin};

fn settings(config: &ProviderConfig, variables: &[(&str, &str)]) -> Settings {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let sources = Sources {
        config,
        environment: &variables.iter().map(owned).collect::<BTreeMap<_, _>>(),
        has_arguments: true,
    };
    sources.settings(&mut Vec::new()).unwrap()
}

/// Checks variables in their order of precedence: each applies only while those before it are unset
/// or empty. `value` makes the value of the variable with a given number.
fn check_order<T: PartialEq + std::fmt::Debug>(
    names: &[&str],
    value: impl Fn(usize) -> String,
    read: impl Fn(&Settings) -> T,
    expected: impl Fn(usize) -> T,
) {
    for first in 0..names.len() {
        let values: Vec<_> = (0..names.len())
            .map(|number| match number < first {
                true => String::new(),
                false => value(number),
            })
            .collect();
        let variables: Vec<_> = names
            .iter()
            .copied()
            .zip(values.iter().map(String::as_str))
            .collect();
        let found = read(&settings(&ProviderConfig::default(), &variables));
        assert_eq!(found, expected(first), "{}", names[first]);
    }
}

fn text(number: usize) -> Option<String> {
    Some(number.to_string())
}

#[test]
fn the_address_is_taken_from_the_first_variable_that_is_set() {
    check_order(
        &[
            "VAULT_AGENT_ADDR",
            "VAULT_ADDR",
            "BAO_AGENT_ADDR",
            "BAO_ADDR",
        ],
        |number| format!("http://vault-{number}:8200"),
        |settings| settings.address.url().to_string(),
        |number| format!("http://vault-{number}:8200/"),
    );
    let none = settings(&ProviderConfig::default(), &[]);
    assert_eq!(none.address.url().as_str(), "https://127.0.0.1:8200/");
    assert!(none.origin.address_is_default);
    let config = ProviderConfig {
        address: Field::Known("http://argument:8200".to_owned()),
        ..ProviderConfig::default()
    };
    let argument = settings(&config, &[("VAULT_AGENT_ADDR", "http://agent:8200")]);
    assert_eq!(argument.address.url().as_str(), "http://argument:8200/");
    assert!(!argument.origin.address_is_default);
}

#[test]
fn the_token_is_taken_from_argument_variables_and_file_in_that_order() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".vault-token");
    std::fs::write(&file, "\u{feff}of-the-file\n").unwrap();
    let config = |token: &str| ProviderConfig {
        token: Field::Known(Secret::new(token)),
        ..ProviderConfig::default()
    };
    let home = home.path().to_str().unwrap();
    let cases = [
        ("\u{feff}a\n", "v", "b", "a", TokenOrigin::Argument),
        (
            "",
            "\u{feff}v \n",
            "b",
            "v",
            TokenOrigin::Variable("VAULT_TOKEN"),
        ),
        (" \n", "", "b\r\n", "b", TokenOrigin::Variable("BAO_TOKEN")),
        ("", " ", "b", "b", TokenOrigin::Variable("BAO_TOKEN")),
        ("", "", "\u{feff}", "of-the-file", TokenOrigin::File),
    ];
    for (argument, vault, bao, expected, from) in cases {
        let variables = [("VAULT_TOKEN", vault), ("BAO_TOKEN", bao), ("HOME", home)];
        match settings(&config(argument), &variables).credentials {
            Credentials::Token(token, origin) => {
                assert_eq!((token.expose(), origin), (expected, from));
            }
            other => panic!("{other:?}"),
        }
    }
    let nowhere = [("HOME", "/nowhere")];
    let none = settings(&ProviderConfig::default(), &nowhere).credentials;
    assert!(matches!(none, Credentials::None));
}

#[test]
fn authorities_are_taken_from_bytes_then_file_then_folder() {
    let names = [
        "VAULT_CACERT_BYTES",
        "BAO_CACERT_BYTES",
        "VAULT_CACERT",
        "BAO_CACERT",
        "VAULT_CAPATH",
        "BAO_CAPATH",
    ];
    let read = |settings: &Settings| {
        let tls = &settings.tls;
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        (
            tls.ca_cert_pem.clone(),
            shown(&tls.ca_cert_file),
            shown(&tls.ca_cert_dir),
        )
    };
    check_order(
        &names,
        |number| number.to_string(),
        read,
        |number| match number {
            0 | 1 => (text(number), None, None),
            2 | 3 => (None, text(number), None),
            _ => (None, None, text(number)),
        },
    );
    let config = ProviderConfig {
        ca_cert_dir: Field::Known("folder".to_owned()),
        ..ProviderConfig::default()
    };
    let argument = settings(
        &config,
        &[("VAULT_CACERT_BYTES", "0"), ("VAULT_CACERT", "2")],
    );
    assert_eq!(read(&argument), (None, None, Some("folder".to_owned())));
}

#[test]
fn other_settings_prefer_the_names_of_vault() {
    check_order(
        &["VAULT_NAMESPACE", "BAO_NAMESPACE"],
        |number| number.to_string(),
        |settings| settings.namespace.clone(),
        text,
    );
    check_order(
        &["VAULT_TLS_SERVER_NAME", "BAO_TLS_SERVER_NAME"],
        |number| number.to_string(),
        |settings| settings.tls.server_name.clone(),
        text,
    );
}

#[test]
fn nothing_is_sent_while_a_part_of_a_login_is_unknown() {
    let logins = [
        ProviderConfig {
            auth_login_kubernetes: Field::Known(KubernetesLogin {
                namespace: Field::Unknown,
                ..KubernetesLogin::default()
            }),
            ..ProviderConfig::default()
        },
        ProviderConfig {
            auth_login_approle: Field::Known(AppRoleLogin {
                namespace: Field::Unknown,
                ..AppRoleLogin::default()
            }),
            ..ProviderConfig::default()
        },
        ProviderConfig {
            auth_login_jwt: Field::Known(JwtLogin {
                namespace: Field::Unknown,
                ..JwtLogin::default()
            }),
            ..ProviderConfig::default()
        },
    ];
    for config in logins {
        let argument = unknown_argument(&config);
        assert!(argument.is_some_and(|name| name.starts_with("auth_login_")));
    }
}
