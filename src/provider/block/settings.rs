//! Where the settings of the connection come from: the provider block, then the environment.

use std::io;
use std::path::{Path, PathBuf};

use crate::env::{self, Environment};
use crate::protocol::{AttributePath, Diagnostic, Number};
use crate::provider::block::schema::{ProviderConfig, address_problem};
use crate::sdk::{Diagnostics, Field};
use crate::secret::Secret;
use crate::vault::{
    Address, ClientCertificate, Credentials, Identity, Login, Origin, Proxies, ProxyVariables,
    Settings, SettingsError, TlsSettings, TokenOrigin, read_file,
};

/// Default address of Vault.
const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";
/// Where Kubernetes puts the token of a pod's service account.
const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// Largest file with a token, in bytes.
const LARGEST_SECRET: usize = 64 << 10;
/// Default number of retries.
const DEFAULT_RETRIES: u32 = 4;

/// Returns the first unknown argument that is needed to reach Vault.
pub(in crate::provider) fn unknown_argument(config: &ProviderConfig) -> Option<&'static str> {
    fn nested<M>(block: &Field<M>, unknown: impl Fn(&M) -> bool) -> bool {
        block.is_unknown() || block.known().is_some_and(unknown)
    }
    [
        ("address", config.address.is_unknown()),
        ("token", config.token.is_unknown()),
        ("namespace", config.namespace.is_unknown()),
        ("ca_cert_file", config.ca_cert_file.is_unknown()),
        ("ca_cert_dir", config.ca_cert_dir.is_unknown()),
        ("tls_server_name", config.tls_server_name.is_unknown()),
        ("skip_tls_verify", config.skip_tls_verify.is_unknown()),
        ("max_retries", config.max_retries.is_unknown()),
        (
            "client_auth",
            nested(&config.client_auth, |auth| {
                auth.cert_file.is_unknown() || auth.key_file.is_unknown()
            }),
        ),
        (
            "auth_login_kubernetes",
            nested(&config.auth_login_kubernetes, |login| {
                login.role.is_unknown()
                    || login.mount.is_unknown()
                    || login.jwt_file.is_unknown()
                    || login.namespace.is_unknown()
            }),
        ),
        (
            "auth_login_approle",
            nested(&config.auth_login_approle, |login| {
                login.role_id.is_unknown()
                    || login.secret_id.is_unknown()
                    || login.mount.is_unknown()
                    || login.namespace.is_unknown()
            }),
        ),
        (
            "auth_login_jwt",
            nested(&config.auth_login_jwt, |login| {
                login.role.is_unknown()
                    || login.jwt.is_unknown()
                    || login.mount.is_unknown()
                    || login.namespace.is_unknown()
            }),
        ),
    ]
    .into_iter()
    .find_map(|(name, unknown)| unknown.then_some(name))
}

/// Where settings come from: the block first, then the environment.
pub(in crate::provider) struct Sources<'a> {
    /// The block.
    pub(in crate::provider) config: &'a ProviderConfig,
    /// The environment.
    pub(in crate::provider) environment: &'a dyn Environment,
    /// Whether there is a block that a user wrote.
    pub(in crate::provider) has_arguments: bool,
}

impl Sources<'_> {
    /// Combines both with the defaults. It reads files and uses no network.
    ///
    /// # Errors
    ///
    /// Fails if a value of the environment or a file is not usable.
    pub(in crate::provider) fn settings(
        &self,
        warnings: &mut Diagnostics,
    ) -> Result<Settings, Diagnostics> {
        Ok(Settings {
            address: self.address()?,
            namespace: self.text(
                &self.config.namespace,
                [env::VAULT_NAMESPACE, env::BAO_NAMESPACE],
            ),
            credentials: self.credentials(warnings)?,
            tls: self.tls()?,
            proxies: self.proxies(),
            origin: Origin {
                address_is_default: self.config.address.as_str().is_none_or(str::is_empty)
                    && self.address_variable().is_none(),
                has_arguments: self.has_arguments,
            },
            max_retries: self
                .config
                .max_retries
                .known()
                .and_then(Number::as_i64)
                .and_then(|retries| u32::try_from(retries).ok())
                .unwrap_or(DEFAULT_RETRIES),
            limits: crate::vault::Limits::default(),
        })
    }

    /// Returns the argument, or the first variable that is set.
    fn text<const N: usize>(&self, argument: &Field<String>, names: [&str; N]) -> Option<String> {
        argument
            .known()
            .filter(|text| !text.is_empty())
            .cloned()
            .or_else(|| names.iter().find_map(|name| self.environment.get(name)))
    }

    /// Returns the variable that holds the address, and its value.
    fn address_variable(&self) -> Option<(&'static str, String)> {
        [
            env::VAULT_AGENT_ADDR,
            env::VAULT_ADDR,
            env::BAO_AGENT_ADDR,
            env::BAO_ADDR,
        ]
        .into_iter()
        .find_map(|name| Some((name, self.environment.get(name)?)))
    }

    fn address(&self) -> Result<Address, Diagnostics> {
        let argument = self.config.address.known().filter(|text| !text.is_empty());
        let (name, text) = match argument {
            Some(text) => ("address", text.clone()),
            None => self
                .address_variable()
                .unwrap_or_else(|| ("address", DEFAULT_ADDRESS.to_owned())),
        };
        Address::parse(&text).map_err(|error| {
            vec![Diagnostic::error(
                format!("Invalid address in {name}"),
                address_problem(&error),
            )]
        })
    }

    fn credentials(&self, warnings: &mut Diagnostics) -> Result<Credentials, Diagnostics> {
        if let Some(login) = self.login()? {
            return Ok(Credentials::Login(login));
        }
        let argument = self.config.token.known().map(trimmed);
        if let Some(token) = argument.filter(|token| !token.is_empty()) {
            return Ok(Credentials::Token(token, TokenOrigin::Argument));
        }
        for name in [env::VAULT_TOKEN, env::BAO_TOKEN] {
            let text = Secret::new(self.environment.get(name).unwrap_or_default());
            let token = trimmed(&text);
            if !token.is_empty() {
                return Ok(Credentials::Token(token, TokenOrigin::Variable(name)));
            }
        }
        let Some(home) = self.environment.get(env::HOME) else {
            return Ok(Credentials::None);
        };
        let file = PathBuf::from(home).join(".vault-token");
        match secret_in(&file) {
            Ok(text) if text.is_empty() => Ok(Credentials::None),
            Ok(text) => Ok(Credentials::Token(text, TokenOrigin::File)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Credentials::None),
            Err(error) => {
                warnings.push(Diagnostic::warning(
                    "Cannot read the Vault token file",
                    format!(
                        "{}: {error}. The file was ignored, and no other Vault token was found.",
                        file.display()
                    ),
                ));
                Ok(Credentials::None)
            }
        }
    }

    fn login(&self) -> Result<Option<Login>, Diagnostics> {
        let text = |text: &Field<String>, default: &str| {
            text.known().map_or(default, String::as_str).to_owned()
        };
        let given = |text: &Field<String>| text.known().filter(|text| !text.is_empty()).cloned();
        if let Some(login) = self.config.auth_login_kubernetes.known() {
            let file = text(&login.jwt_file, SERVICE_ACCOUNT_TOKEN);
            let jwt = secret_in(Path::new(&file)).map_err(|error| {
                vec![
                    Diagnostic::error(
                        "Cannot read the service account token",
                        format!(
                            "{file}: {error}. auth_login_kubernetes requires a pod in which the \
                             service account token is mounted. Elsewhere, set jwt_file to a file \
                             that holds one."
                        ),
                    )
                    .at(AttributePath::attribute("auth_login_kubernetes")),
                ]
            })?;
            return Ok(Some(Login {
                mount: text(&login.mount, "kubernetes"),
                namespace: given(&login.namespace),
                identity: Identity::Kubernetes {
                    role: text(&login.role, ""),
                    jwt,
                },
            }));
        }
        if let Some(login) = self.config.auth_login_approle.known() {
            return Ok(Some(Login {
                mount: text(&login.mount, "approle"),
                namespace: given(&login.namespace),
                identity: Identity::AppRole {
                    role_id: text(&login.role_id, ""),
                    secret_id: login.secret_id.known().map(trimmed).unwrap_or_default(),
                },
            }));
        }
        Ok(self.config.auth_login_jwt.known().map(|login| Login {
            mount: text(&login.mount, "jwt"),
            namespace: given(&login.namespace),
            identity: Identity::Jwt {
                role: text(&login.role, ""),
                jwt: login.jwt.known().map(trimmed).unwrap_or_default(),
            },
        }))
    }

    fn tls(&self) -> Result<TlsSettings, Diagnostics> {
        let config = self.config;
        let mut ca_cert_file = config.ca_cert_file.known().cloned();
        let mut ca_cert_dir = config.ca_cert_dir.known().cloned();
        let mut ca_cert_pem = None;
        if ca_cert_file.is_none() && ca_cert_dir.is_none() {
            let none = Field::Null;
            ca_cert_pem = self.text(&none, [env::VAULT_CACERT_BYTES, env::BAO_CACERT_BYTES]);
            if ca_cert_pem.is_none() {
                ca_cert_file = self.text(&none, [env::VAULT_CACERT, env::BAO_CACERT]);
            }
            if ca_cert_pem.is_none() && ca_cert_file.is_none() {
                ca_cert_dir = self.text(&none, [env::VAULT_CAPATH, env::BAO_CAPATH]);
            }
        }
        Ok(TlsSettings {
            ca_cert_pem,
            ca_cert_file: ca_cert_file.map(Into::into),
            ca_cert_dir: ca_cert_dir.map(Into::into),
            server_name: self.text(
                &config.tls_server_name,
                [env::VAULT_TLS_SERVER_NAME, env::BAO_TLS_SERVER_NAME],
            ),
            skip_verify: match config.skip_tls_verify.known() {
                Some(skip) => *skip,
                None => self.skip_verify_variable()?,
            },
            client_certificate: self.client_certificate()?,
        })
    }

    /// Returns the proxies of the environment, in the order in which Vault's client checks them.
    fn proxies(&self) -> Proxies {
        let first = |names: &[&'static str]| {
            let value = |name: &&'static str| Some((*name, self.environment.get(name)?));
            names.iter().find_map(value)
        };
        Proxies::new(ProxyVariables {
            every: first(&[
                env::VAULT_PROXY_ADDR,
                env::VAULT_HTTP_PROXY,
                env::BAO_PROXY_ADDR,
                env::BAO_HTTP_PROXY,
            ]),
            https: first(&[env::HTTPS_PROXY, env::HTTPS_PROXY_LOWER]),
            http: first(&[env::HTTP_PROXY, env::HTTP_PROXY_LOWER]),
            exceptions: first(&[env::NO_PROXY, env::NO_PROXY_LOWER]).map(|(_, value)| value),
        })
    }

    fn skip_verify_variable(&self) -> Result<bool, Diagnostics> {
        let set = [env::VAULT_SKIP_VERIFY, env::BAO_SKIP_VERIFY]
            .into_iter()
            .find_map(|name| Some((name, self.environment.get(name)?)));
        let Some((name, text)) = set else {
            return Ok(false);
        };
        match text.as_str() {
            "1" | "t" | "T" | "true" | "True" | "TRUE" => Ok(true),
            "0" | "f" | "F" | "false" | "False" | "FALSE" => Ok(false),
            _ => Err(vec![Diagnostic::error(
                format!("Invalid value in {name}"),
                "It must be true or false. Unset it to have the server's certificate checked.",
            )]),
        }
    }

    fn client_certificate(&self) -> Result<Option<ClientCertificate>, Diagnostics> {
        if let Some(auth) = self.config.client_auth.known()
            && let (Some(cert_file), Some(key_file)) =
                (auth.cert_file.as_str(), auth.key_file.as_str())
        {
            return Ok(Some(ClientCertificate {
                cert_file: cert_file.into(),
                key_file: key_file.into(),
            }));
        }
        let variable = |names: [&str; 2]| names.iter().find_map(|name| self.environment.get(name));
        match (
            variable([env::VAULT_CLIENT_CERT, env::BAO_CLIENT_CERT]),
            variable([env::VAULT_CLIENT_KEY, env::BAO_CLIENT_KEY]),
        ) {
            (Some(cert_file), Some(key_file)) => Ok(Some(ClientCertificate {
                cert_file: cert_file.into(),
                key_file: key_file.into(),
            })),
            (None, None) => Ok(None),
            _ => Err(vec![Diagnostic::error(
                "Incomplete client certificate",
                "Set both VAULT_CLIENT_CERT and VAULT_CLIENT_KEY (or both BAO_CLIENT_CERT and \
                 BAO_CLIENT_KEY), or neither.",
            )]),
        }
    }
}

/// Returns a credential without what files and editors add around it: white space and a byte-order
/// mark.
fn trimmed(secret: &Secret) -> Secret {
    let text = secret.expose();
    Secret::new(text.trim_start_matches('\u{feff}').trim())
}

/// Reads a secret from a file, and trims it.
fn secret_in(file: &Path) -> io::Result<Secret> {
    let content = read_file(file, LARGEST_SECRET)?;
    let text = std::str::from_utf8(&content)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it does not hold text"))?;
    Ok(trimmed(&Secret::new(text)))
}

/// Says which settings to check if no argument of the block caused the error.
pub(in crate::provider) fn settings_advice(error: &SettingsError) -> &'static str {
    match error {
        SettingsError::Token => {
            "Check where the Vault token comes from: VAULT_TOKEN, BAO_TOKEN, or ~/.vault-token."
        }
        SettingsError::Namespace => "Check VAULT_NAMESPACE and BAO_NAMESPACE.",
        SettingsError::LoginMount(_) => {
            "Write the mount of the auth_login_ attribute as `vault auth list` shows it, without \
             the last slash."
        }
        SettingsError::ServerName => "Check VAULT_TLS_SERVER_NAME and BAO_TLS_SERVER_NAME.",
        SettingsError::Unreadable { .. }
        | SettingsError::NoCertificate { .. }
        | SettingsError::BadCertificate { .. }
        | SettingsError::NoKey { .. }
        | SettingsError::BadKey { .. }
        | SettingsError::KeyMismatch { .. } => {
            "Check VAULT_CACERT_BYTES, VAULT_CACERT, VAULT_CAPATH, VAULT_CLIENT_CERT, and \
             VAULT_CLIENT_KEY, and the same variables with BAO_."
        }
    }
}

#[cfg(test)]
mod tests;
