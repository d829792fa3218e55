//! What a user reads when Vault does not answer as expected.

use crate::protocol::{Diagnostic, Text, text};
use crate::provider::diagnose::refuse::capital;
use crate::vault::{
    ConnectionProblem, LoginMethod, LoginProblem, Proxy, Server, TlsProblem, TokenOrigin,
    TokenSource, VaultError,
};

/// Turns an error into an error diagnostic about `what`, such as the id of a token.
pub(in crate::provider) fn vault_error(error: &VaultError, what: &str) -> Diagnostic {
    let (summary, advice) = advise(error);
    let mut detail = text!("{}. {advice}", capital(error));
    if let VaultError::Forbidden {
        api_path,
        capability,
        ..
    } = error
    {
        detail += policy(api_path, capability);
    }
    Diagnostic::error(format!("{summary}: {what}"), detail)
}

/// The policy lines that grant a capability.
pub(super) fn policy(api_path: &str, capability: &str) -> Text {
    let api_path = api_path.replace('\\', r"\\").replace('"', r#"\""#);
    Text::block(format!(
        "  path \"{api_path}\" {{\n    capabilities = [\"{capability}\"]\n  }}"
    ))
}

/// Splits an error into a short summary and the next step.
fn advise(error: &VaultError) -> (&'static str, String) {
    match error {
        VaultError::Forbidden { .. } => (
            "Vault denied access",
            "Your Vault token's policies do not allow this, or the path is wrong (Vault returns \
             the same error for both). Check the mount and the path, or add these lines to the \
             policy:"
                .to_owned(),
        ),
        VaultError::Unauthenticated {
            token: TokenSource::None,
        } => (
            "No Vault token",
            "VAULT_TOKEN and BAO_TOKEN are not set, and the file ~/.vault-token does not exist. \
             Run `vault login`, or set VAULT_TOKEN."
                .to_owned(),
        ),
        VaultError::Unauthenticated { token } => ("Vault did not accept the Vault token", {
            match token {
                TokenSource::Login(method) => format!(
                    "The {method} login returned a Vault token that Vault does not accept. Check \
                     the role and its token_ttl and token_num_uses."
                ),
                TokenSource::Given(origin) => refused_token(*origin),
                TokenSource::None => String::new(),
            }
        }),
        VaultError::TokenUsedUp { origin } => ("Wrapping token in place of a Vault token", {
            let (origin, _) = where_it_was(*origin);
            format!(
                "The Vault token in {origin} could be used only once, so it is most likely the \
                     wrapping token of a wrapped response. That request used it up, and what it \
                     wrapped is lost. Wrap the response again, get the Vault token in it with \
                     `vault unwrap`, and use that one."
            )
        }),
        VaultError::WrappingToken { .. } => (
            "Wrapping token instead of a secret_id",
            "Run `vault unwrap` first, and set secret_id to the value that it returns."
                .to_owned(),
        ),
        VaultError::Wrapped { .. } => (
            "Vault did not return the content",
            "A control group must approve this request, or a proxy in between asks Vault to wrap \
             its responses. Use a path without a control group."
                .to_owned(),
        ),
        VaultError::WrongAddress { .. } => (
            "Invalid Vault address",
            "The address has a path that Vault does not serve, or the server there is not Vault. \
             Write the address up to the port, such as https://vault.example.com:8200. Add a path \
             only if a proxy serves Vault below it, and never /v1."
                .to_owned(),
        ),
        VaultError::Compressed { .. } => (
            "Vault's response is compressed",
            "A proxy in between compresses responses without being asked. Turn that off for Vault."
                .to_owned(),
        ),
        VaultError::Proxy { variable } => (
            "Invalid proxy",
            format!(
                "Set {variable} to an address such as http://proxy.example.com:3128, or unset it. \
                 Other kinds of proxies, such as SOCKS, are not supported."
            ),
        ),
        VaultError::LoginWithoutToken { problem, .. } => (
            "Vault login failed",
            match problem {
                LoginProblem::SecondFactor => {
                    "A program cannot provide a second factor. Use a role that requires none, or \
                     another login method."
                }
                LoginProblem::Wrapped => {
                    "A proxy in between asks Vault to wrap its responses. Turn that off for logins."
                }
                LoginProblem::NoToken => "Check that this mount is of the right login method.",
            }
            .to_owned(),
        ),
        VaultError::LoginForbidden { method, mount, .. }
        | VaultError::LoginFailed { method, mount, .. } => (
            "Vault login failed",
            format!(
                "Check that auth/{mount} exists in this namespace and that the role allows \
                 {}.",
                match method {
                    LoginMethod::Kubernetes => "this Kubernetes service account and namespace",
                    LoginMethod::AppRole => "this role_id, secret_id, and address",
                    LoginMethod::Jwt => "the issuer, audience, and claims of this JSON web token",
                }
            ),
        ),
        VaultError::Sealed => (
            "Vault is sealed",
            "Unseal it (`vault operator unseal`) and run this again.".to_owned(),
        ),
        VaultError::Standby { .. } => (
            "Vault has no active node",
            "Use the address of the active node, or of a load balancer that finds it, and check \
             `vault status`. While a cluster elects a leader, it responds like this for a few \
             seconds."
                .to_owned(),
        ),
        VaultError::RateLimited { .. } => (
            "Vault rate limit exceeded",
            "Run this again later, lower -parallelism, or raise the quota.".to_owned(),
        ),
        VaultError::KvVersion1 { mount } => (
            "Mount is KV version 1",
            format!(
                "The provider needs versions and metadata, which only KV version 2 has. Use a KV \
                 version 2 mount, or upgrade this one with `vault kv enable-versioning {mount}`."
            ),
        ),
        VaultError::NotKv { .. } | VaultError::MountMissing { .. } => (
            if matches!(error, VaultError::NotKv { .. }) {
                "Mount is not KV version 2"
            } else {
                "Mount does not exist"
            },
            "Use the mount of a KV version 2 engine. `vault secrets list -detailed` shows them. Write \
             a path without its mount and without data/."
                .to_owned(),
        ),
        VaultError::MetadataMissing { .. } => (
            "The secret has no metadata",
            "Nothing was ever written there, or someone removed all of it. Check the mount and the \
             path."
                .to_owned(),
        ),
        VaultError::PatchUnsupported { .. } => (
            "Vault does not support PATCH",
            "Upgrade the server, or allow the PATCH method in the proxies in front of it.".to_owned(),
        ),
        VaultError::NotJson { .. } | VaultError::UnexpectedAnswer { .. } => (
            "The response is not from Vault",
            "Most likely, a proxy, a firewall, or a login page answered, or the address has the \
             wrong port or path. Compare with `vault status`."
                .to_owned(),
        ),
        VaultError::Redirected { .. } => (
            "Vault redirects to another address",
            "The Vault token was not sent there. If that address is Vault, use it."
                .to_owned(),
        ),
        VaultError::HttpsExpected { .. } => (
            "Vault expects https",
            "Use an address that begins with https://.".to_owned(),
        ),
        VaultError::Tls { problem, address } => (
            "No secure connection to Vault",
            tls(*problem, address.has_arguments),
        ),
        VaultError::Unreachable { problem, address } => {
            ("Vault cannot be reached", connection(*problem, address))
        }
        VaultError::TooLarge { .. } => (
            "The response is too large",
            "Vault does not store secrets this large. Check the address and the path."
                .to_owned(),
        ),
        VaultError::Server {
            status: 404,
            errors,
            ..
        } if errors.iter().any(|error| error.contains("namespace")) => (
            "Vault namespace not found",
            "Check the namespace. Write a nested namespace with its parent, such as team/agents."
                .to_owned(),
        ),
        VaultError::Server { .. } => (
            "Vault failed",
            "Check the server's log. If the error is temporary, run this again.".to_owned(),
        ),
        VaultError::DeadlineExceeded { .. } => (
            "Vault did not respond in time",
            "Check `vault status`. If the server is healthy, check the proxies and firewalls in \
             between."
                .to_owned(),
        ),
        VaultError::Overdue => (
            "Too late to write",
            "This machine slept, or Vault was slow to answer. Run this again.".to_owned(),
        ),
        VaultError::Unsendable => (
            "The request cannot be sent",
            "A setting contains a character that cannot be sent, such as a line break in a Vault \
             token or a namespace."
                .to_owned(),
        ),
        VaultError::Cancelled => (
            "Operation interrupted",
            "Run this again to continue.".to_owned(),
        ),
    }
}

/// Says where a refused Vault token was found, and how to replace it there, because a new one
/// elsewhere has no effect.
fn refused_token(origin: TokenOrigin) -> String {
    let (origin, advice) = where_it_was(origin);
    format!(
        "The Vault token in {origin} has expired, was revoked, or belongs to another server or \
         namespace. {advice}"
    )
}

/// Names the place of a Vault token, and says what to do there if Vault refuses it.
fn where_it_was(origin: TokenOrigin) -> (&'static str, &'static str) {
    match origin {
        TokenOrigin::Argument => (
            "the provider's argument token",
            "Set that argument to a new Vault token, or remove it to use VAULT_TOKEN or the file \
             that `vault login` writes.",
        ),
        TokenOrigin::Variable(name) => (
            name,
            "Set it to a new Vault token. Or unset VAULT_TOKEN and BAO_TOKEN and run `vault \
             login`, whose file is ignored while either is set.",
        ),
        TokenOrigin::File => ("~/.vault-token", "Run `vault login` again."),
    }
}

fn tls(problem: TlsProblem, has_arguments: bool) -> String {
    let set = |variables: &str, arguments: &str| {
        if has_arguments {
            format!("{arguments} or {variables}")
        } else {
            variables.to_owned()
        }
    };
    match problem {
        TlsProblem::UnknownAuthority
        | TlsProblem::AuthorityAsServer
        | TlsProblem::NoAuthorities => format!(
            "Set {} to the file of the certificate authority that signed the server's certificate.",
            set("VAULT_CACERT", "ca_cert_file")
        ),
        TlsProblem::NameMismatch => format!(
            "Use an address whose host name is in the certificate, or set {} to a name that is.",
            set("VAULT_TLS_SERVER_NAME", "tls_server_name")
        ),
        TlsProblem::Expired | TlsProblem::NotValidYet => {
            "Renew the server's certificate, or correct this machine's clock.".to_owned()
        }
        TlsProblem::ClientCertificateRequired | TlsProblem::ClientCertificateRefused => format!(
            "Set {} to a certificate and key that the server accepts.",
            set("VAULT_CLIENT_CERT and VAULT_CLIENT_KEY", "client_auth")
        ),
        TlsProblem::AnotherKey => format!(
            "If that authority was renewed, add its new certificate to the file in {}.",
            set("VAULT_CACERT", "ca_cert_file")
        ),
        TlsProblem::NotForServers => {
            "Issue the server's certificate for server authentication (`server_flag` of the role \
             in Vault's PKI engine)."
                .to_owned()
        }
        TlsProblem::Unsupported(_) => {
            "Issue the certificate with an RSA (2048 bits or more), ECDSA (P-256, P-384, or \
             P-521), or Ed25519 key, signed with SHA-256, SHA-384, or SHA-512."
                .to_owned()
        }
        TlsProblem::NothingInCommon => {
            "Let the server offer TLS 1.2 or 1.3, with a certificate that has an RSA (2048 bits or \
             more), ECDSA (P-256, P-384, or P-521), or Ed25519 key."
                .to_owned()
        }
        TlsProblem::NotTls => {
            "Use an address that begins with http://, or the server's TLS port.".to_owned()
        }
        TlsProblem::Other => {
            "Compare with `vault status`, which uses the same settings.".to_owned()
        }
    }
}

fn connection(problem: ConnectionProblem, server: &Server) -> String {
    let through = server.proxy.as_deref().map(Proxy::variable);
    match (problem, through) {
        (ConnectionProblem::ProxyCredentials, Some(variable)) => format!(
            "Set the user name and password in {variable}, as in \
             http://name:password@proxy.example.com:3128."
        ),
        (ConnectionProblem::ProxyCredentials | ConnectionProblem::Proxy, None) => {
            "Check the proxy in front of Vault.".to_owned()
        }
        (_, Some(variable)) => format!(
            "Check the proxy that {variable} sets. If Vault can be reached without it, unset \
             {variable} or add Vault to NO_PROXY."
        ),
        (ConnectionProblem::Refused, None) if server.is_default => {
            "Set VAULT_ADDR to the address of Vault.".to_owned()
        }
        (ConnectionProblem::Refused, None) => {
            "Nothing is listening there. Check the address, and check with `vault status` that the \
             server is running."
                .to_owned()
        }
        (ConnectionProblem::NameResolution, None) => {
            "Check the host name in the address of Vault.".to_owned()
        }
        (ConnectionProblem::NotHttp, None) => "Check the port in the address of Vault.".to_owned(),
        (
            ConnectionProblem::Reset
            | ConnectionProblem::Closed
            | ConnectionProblem::TimedOut
            | ConnectionProblem::NoRoute
            | ConnectionProblem::Other,
            None,
        ) => {
            "Check the address, the server (`vault status`), and the network in between.".to_owned()
        }
    }
}
