//! The provider block: its attributes, and what can be refused without a network.

use crate::protocol::{AttributePath, Diagnostic, Number};
use crate::provider::block::days;
use crate::provider::diagnose::refuse::capital;
use crate::sdk::{Diagnostics, Field, Model, model};
use crate::secret::Secret;
use crate::vault::{Address, AddressError, SecretPath, SettingsError};

/// Maximum number of retries that can be set: their total time is limited, so more would change
/// nothing.
const MOST_RETRIES: i64 = 100;

model! {
    /// The provider block.
    pub struct ProviderConfig {
        address: String = optional() "URL of Vault or OpenBao, with `http` or `https`, or with `unix` and the path of an agent's socket. Defaults to `VAULT_AGENT_ADDR`, then `VAULT_ADDR`, then `BAO_AGENT_ADDR`, then `BAO_ADDR`, then `https://127.0.0.1:8200`. Proxies are used as Vault's own client uses them: `VAULT_PROXY_ADDR`, then `VAULT_HTTP_PROXY` (and the `BAO_` forms) for every address. Otherwise `HTTPS_PROXY`, `HTTP_PROXY`, and `NO_PROXY` apply, and never to loopback. `ALL_PROXY` is not read. The proxy must be an `http` or `https` one.";
        token: Secret = optional(sensitive) "Vault token. Defaults to `VAULT_TOKEN`, then `BAO_TOKEN`, then the file `~/.vault-token`. No token helper is run.";
        namespace: String = optional() "Vault namespace. Defaults to `VAULT_NAMESPACE`, then `BAO_NAMESPACE`.";
        mount: String = optional() "KV version 2 mount for everything that does not set its own. Defaults to `secret`. A mount in a child namespace is written with the child in front, such as `team/secret`.";
        ca_cert_file: String = optional() "PEM file of the certificate authorities to trust, instead of the machine's own. Defaults to `VAULT_CACERT`, then `BAO_CACERT`. `VAULT_CACERT_BYTES` and `BAO_CACERT_BYTES`, which hold the content of such a file, take precedence over these variables.";
        ca_cert_dir: String = optional() "Folder of PEM files like `ca_cert_file`. Defaults to `VAULT_CAPATH`, then `BAO_CAPATH`.";
        tls_server_name: String = optional() "Name that the server's certificate must have, if it is not the host name in `address`. Defaults to `VAULT_TLS_SERVER_NAME`, then `BAO_TLS_SERVER_NAME`.";
        skip_tls_verify: bool = optional() "Whether to accept any server certificate. Anyone between you and the server can then read every token. Defaults to `VAULT_SKIP_VERIFY`, then `BAO_SKIP_VERIFY`, then `false`.";
        client_auth: ClientAuth = optional() "Client certificate for mutual TLS with the server. Defaults to `VAULT_CLIENT_CERT` with `VAULT_CLIENT_KEY`, then the same with `BAO_`.";
        auth_login_kubernetes: KubernetesLogin = optional() "Logs in with the pod's service account. At most one `auth_login_` attribute may be set.";
        auth_login_approle: AppRoleLogin = optional() "Logs in with an AppRole. At most one `auth_login_` attribute may be set.";
        auth_login_jwt: JwtLogin = optional() "Logs in with a JSON web token, such as one that a CI system issues. At most one `auth_login_` attribute may be set.";
        max_retries: Number = optional() "Maximum number of retries when the server is lagging, busy, sealed, or on standby, or when the connection is refused or dropped. Retries stop after 30 seconds in total. Defaults to `4`.";
        rotate_before_days: Number = optional() "How many days before its expiry a token becomes due for rotation, for everything that does not set its own. Defaults to `30`.";
        lifetime_days: Number = optional() "Days from mint to expiry, for everything that does not set its own. Defaults to `365`.";
    }
}

model! {
    /// Client certificate for mutual TLS.
    pub struct ClientAuth {
        cert_file: String = required() "PEM file of the certificate chain.";
        key_file: String = required() "PEM file of the key.";
    }
}

model! {
    /// Login with the service account of a pod.
    pub struct KubernetesLogin {
        role: String = required() "Role to log in with.";
        mount: String = optional() "Mount of the auth method. Defaults to `kubernetes`.";
        namespace: String = optional() "Namespace to log in to. Defaults to the provider's.";
        jwt_file: String = optional() "File with the service account's JSON web token. Defaults to `/var/run/secrets/kubernetes.io/serviceaccount/token`.";
    }
}

model! {
    /// Login with an AppRole.
    pub struct AppRoleLogin {
        role_id: String = required() "ID of the role.";
        secret_id: Secret = optional(sensitive) "Secret ID of the role, if the role requires one.";
        mount: String = optional() "Mount of the auth method. Defaults to `approle`.";
        namespace: String = optional() "Namespace to log in to. Defaults to the provider's.";
    }
}

model! {
    /// Login with a JSON web token.
    pub struct JwtLogin {
        role: String = required() "Role to log in with.";
        jwt: Secret = required(sensitive) "The signed JSON web token.";
        mount: String = optional() "Mount of the auth method. Defaults to `jwt`.";
        namespace: String = optional() "Namespace to log in to. Defaults to the provider's.";
    }
}

/// Checks a provider block; unknown values pass.
pub(in crate::provider) fn validate(config: &ProviderConfig) -> Diagnostics {
    let mut found = Diagnostics::new();
    if let Some(address) = config.address.as_str()
        && let Err(error) = Address::parse(address)
    {
        let wrong = Diagnostic::error("Invalid address", address_problem(&error));
        // With a path, the host would quote the line and the password or token in it.
        found.push(if address.contains(['@', '?', '#']) {
            wrong
        } else {
            wrong.at(AttributePath::attribute("address"))
        });
    }
    if let Some(mount) = config.mount.as_str()
        && let Err(error) = SecretPath::check(mount)
    {
        found.push(
            Diagnostic::error(
                "Invalid mount",
                format!(
                    "{}. Write the mount as `vault secrets list` shows it, without the last slash, \
                     such as `secret`.",
                    capital(&error)
                ),
            )
            .at(AttributePath::attribute("mount")),
        );
    }
    if let Some(retries) = config.max_retries.known()
        && !retries
            .as_i64()
            .is_some_and(|retries| (0..=MOST_RETRIES).contains(&retries))
    {
        found.push(
            Diagnostic::error(
                "Invalid number of retries",
                format!("max_retries must be a whole number from 0 to {MOST_RETRIES}."),
            )
            .at(AttributePath::attribute("max_retries")),
        );
    }
    found.extend(days::validate(
        &config.lifetime_days,
        &config.rotate_before_days,
        days::Defaults::BUILT_IN,
    ));
    found.extend(one_login(config));
    found.extend(empty_names(config));
    found
}

/// Refuses logins with an empty role or role ID. No path: the host would quote the lines of a
/// secret.
fn empty_names(config: &ProviderConfig) -> Diagnostics {
    let role = |role: &Field<String>, name: &'static str| {
        role.as_str().is_some_and(str::is_empty).then_some(name)
    };
    [
        config
            .auth_login_kubernetes
            .known()
            .and_then(|login| role(&login.role, "auth_login_kubernetes.role")),
        config
            .auth_login_approle
            .known()
            .and_then(|login| role(&login.role_id, "auth_login_approle.role_id")),
        config
            .auth_login_jwt
            .known()
            .and_then(|login| role(&login.role, "auth_login_jwt.role")),
    ]
    .into_iter()
    .flatten()
    .map(|name| {
        Diagnostic::error(
            format!("{name} is empty"),
            "Set it to the role to log in with. `vault list auth/MOUNT/role` lists the roles.",
        )
    })
    .collect()
}

/// Says what is wrong with an address without repeating it, because it may contain a password.
pub(in crate::provider) fn address_problem(error: &AddressError) -> String {
    let advice = match error {
        AddressError::Credentials => {
            "Vault does not use them, and logs would show them. Remove them from the address, and \
             change the password if it is a real one."
        }
        AddressError::NotUrl | AddressError::Scheme | AddressError::QueryOrFragment => {
            "Use an address such as https://vault.example.com:8200."
        }
        AddressError::Socket => "Use an address such as unix:///run/vault/agent.sock.",
    };
    format!("The Vault address is not valid: {error}. {advice}")
}

/// Returns the argument of the block that caused settings to fail, if it may be quoted.
pub(in crate::provider) fn blamed(
    error: &SettingsError,
    config: &ProviderConfig,
) -> Option<AttributePath> {
    let set = |argument: &Field<String>, name| {
        let set = !argument.is_null();
        set.then(|| AttributePath::attribute(name))
    };
    let path = match error {
        SettingsError::ServerName => return set(&config.tls_server_name, "tls_server_name"),
        SettingsError::Namespace => return set(&config.namespace, "namespace"),
        // The arguments next to them are secret.
        SettingsError::Token | SettingsError::LoginMount(_) => return None,
        SettingsError::Unreadable { path, .. }
        | SettingsError::NoCertificate { path }
        | SettingsError::BadCertificate { path }
        | SettingsError::NoKey { path }
        | SettingsError::BadKey { path }
        | SettingsError::KeyMismatch {
            cert_file: path, ..
        } => path,
    };
    let names =
        |argument: &Field<String>| argument.as_str().is_some_and(|file| path.starts_with(file));
    let client = config.client_auth.known();
    if names(&config.ca_cert_file) {
        Some(AttributePath::attribute("ca_cert_file"))
    } else if names(&config.ca_cert_dir) {
        Some(AttributePath::attribute("ca_cert_dir"))
    } else if client.is_some_and(|auth| names(&auth.cert_file) || names(&auth.key_file)) {
        Some(AttributePath::attribute("client_auth"))
    } else {
        None
    }
}

/// Refuses two ways to log in, because nobody wants the ambiguity resolved by a guess.
fn one_login(config: &ProviderConfig) -> Option<Diagnostic> {
    fn given<M: Model>(login: &Field<M>, name: &'static str) -> Option<&'static str> {
        (!login.is_null()).then_some(name)
    }
    let logins: Vec<_> = [
        given(&config.auth_login_kubernetes, "auth_login_kubernetes"),
        given(&config.auth_login_approle, "auth_login_approle"),
        given(&config.auth_login_jwt, "auth_login_jwt"),
        (!config.token.is_null()).then_some("token"),
    ]
    .into_iter()
    .flatten()
    .collect();
    // No path: the host would quote the lines of a secret.
    (logins.len() > 1).then(|| {
        Diagnostic::error(
            "More than one login method",
            format!(
                "The provider block sets {}. Keep one of them. If an auth_login_ attribute is set, \
                 the Vault token from the environment or ~/.vault-token is ignored.",
                logins.join(" and ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_logins_are_refused_without_a_path() {
        let config = ProviderConfig {
            auth_login_jwt: Field::Known(JwtLogin::default()),
            auth_login_approle: Field::Unknown,
            ..ProviderConfig::default()
        };
        let found = validate(&config);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0]
                .detail
                .to_string()
                .contains("auth_login_approle and auth_login_jwt")
        );
        assert_eq!(found[0].path, None);
    }

    #[test]
    fn an_address_that_may_hold_a_secret_is_not_quoted() {
        for (address, quoted) in [
            ("vault.example.com", true),
            ("ftp://vault.example.com", true),
            ("https://admin:canary@vault:8200", false),
            ("admin:canary@vault:8200", false),
            ("https://admin:canary@vault:82000", false),
            ("https://vault/?token=canary", false),
            ("https://vault/#canary", false),
        ] {
            let config = ProviderConfig {
                address: Field::Known(address.to_owned()),
                ..ProviderConfig::default()
            };
            let found = validate(&config);
            assert_eq!(found[0].path.is_some(), quoted, "{address}");
            assert!(!found[0].detail.to_string().contains("canary"));
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused_on_their_attribute() {
        for (retries, fine) in [
            ("0", true),
            ("100", true),
            ("-1", false),
            ("1.5", false),
            ("101", false),
        ] {
            let config = ProviderConfig {
                max_retries: Field::Known(Number::parse(retries).unwrap()),
                ..ProviderConfig::default()
            };
            let found = validate(&config);
            assert_eq!(found.is_empty(), fine, "{retries}");
            if !fine {
                assert_eq!(found[0].path, Some(AttributePath::attribute("max_retries")));
            }
        }
    }
}
