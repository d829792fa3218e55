//! What a user reads when Vault does not answer as hoped.

use crate::protocol::Diagnostic;
use crate::provider::diagnose::refuse::capital;
use crate::vault::{
    ConnectionProblem, LoginMethod, TlsProblem, TokenOrigin, TokenSource, VaultError,
};

/// Turns an error into an error diagnostic about `what`, such as the id of a token.
pub(in crate::provider) fn vault_error(error: &VaultError, what: &str) -> Diagnostic {
    let (summary, advice) = advise(error);
    Diagnostic::error(
        format!("{summary}: {what}"),
        format!("{}. {advice}", capital(error)),
    )
}

/// The policy lines that grant a capability.
pub(super) fn policy(api_path: &str, capability: &str) -> String {
    let api_path = api_path.replace('\\', r"\\").replace('"', r#"\""#);
    format!("  path \"{api_path}\" {{\n    capabilities = [\"{capability}\"]\n  }}")
}

/// Splits an error into a short summary and the next step.
fn advise(error: &VaultError) -> (&'static str, String) {
    match error {
        VaultError::Forbidden {
            api_path,
            capability,
            ..
        } => (
            "Vault denied access",
            format!(
                "The policies of the token that is in use do not grant it (or the path is \
                 mistyped: Vault answers both alike). Check mount and path, or have these lines \
                 added to the policy:\n\n{}",
                policy(api_path, capability)
            ),
        ),
        VaultError::Unauthenticated { token } => ("Vault did not accept the token", {
            match token {
                TokenSource::None => "No Vault token was found. Run `vault login`, set \
                     VAULT_TOKEN, or set one of the auth_login_ attributes of the provider. \
                     Looked at: the provider's token, VAULT_TOKEN, BAO_TOKEN and \
                     ~/.vault-token."
                    .to_owned(),
                TokenSource::Given(origin) => refused_token(*origin),
                TokenSource::Login(method) => format!(
                    "The {method} login gave a token that Vault refuses. Check the role and \
                     its token_ttl and token_num_uses."
                ),
            }
        }),
        VaultError::LoginForbidden { method, mount, .. }
        | VaultError::LoginFailed { method, mount, .. } => (
            "Vault login failed",
            format!(
                "Check that auth/{mount} exists in this namespace and that the role allows \
                 {}.",
                match method {
                    LoginMethod::Kubernetes => "this service account and namespace of Kubernetes",
                    LoginMethod::AppRole => "this role_id, secret_id and address",
                    LoginMethod::Jwt => "the issuer, audience and claims of this token",
                }
            ),
        ),
        VaultError::Sealed => (
            "Vault is sealed",
            "Unseal it (`vault operator unseal`) and run this again.".to_owned(),
        ),
        VaultError::Standby { .. } => (
            "Vault has no active node",
            "Set address to the active node or to a load balancer that finds it, and see \
             `vault status`. A cluster that is electing a leader answers so for some seconds."
                .to_owned(),
        ),
        VaultError::RateLimited => (
            "Vault limits requests",
            "Run this again later, lower -parallelism, or have the quota raised.".to_owned(),
        ),
        VaultError::KvVersion1 { mount } => (
            "Mount is KV version 1",
            format!(
                "Tokens need its versions and metadata. Use a KV v2 mount, or upgrade this one \
                 with `vault kv enable-versioning {mount}`."
            ),
        ),
        VaultError::NotKv { .. } | VaultError::MountMissing { .. } => (
            "Mount is not KV version 2",
            "Set mount to a KV v2 engine; `vault secrets list -detailed` shows them. A path is \
             written without its mount and without data/."
                .to_owned(),
        ),
        VaultError::MetadataMissing { .. } => (
            "The secret has no metadata",
            "Nothing was ever written there, or somebody removed all of it. Check mount and path."
                .to_owned(),
        ),
        VaultError::PatchUnsupported { .. } => (
            "Vault does not take PATCH",
            "Update the server, or let proxies before it pass the PATCH method.".to_owned(),
        ),
        VaultError::NotJson { .. } | VaultError::UnexpectedAnswer { .. } => (
            "The answer is not Vault's",
            "Most likely a proxy or login page answered, or address has a wrong port or path. \
             Compare with `vault status`."
                .to_owned(),
        ),
        VaultError::Redirected { .. } => (
            "Vault redirects elsewhere",
            "The token was not sent there. If that place is Vault, set address to it.".to_owned(),
        ),
        VaultError::HttpsExpected { .. } => (
            "Vault expects https",
            "Set address to begin with https://.".to_owned(),
        ),
        VaultError::Tls { problem, .. } => ("No secure connection to Vault", tls(*problem)),
        VaultError::Unreachable { problem, .. } => {
            ("Vault cannot be reached", connection(*problem))
        }
        VaultError::TooLarge { .. } => (
            "The answer is too large",
            "A document this large is not a secret that Vault stores; check address and path."
                .to_owned(),
        ),
        VaultError::Server {
            status: 404,
            errors,
            ..
        } if errors.iter().any(|error| error.contains("namespace")) => (
            "Vault namespace not found",
            "Check the provider's namespace (or VAULT_NAMESPACE, BAO_NAMESPACE); a namespace \
             inside another is written with both, such as team/agents."
                .to_owned(),
        ),
        VaultError::Server { .. } => (
            "Vault failed",
            "The server's own log says more. If it passes, run this again.".to_owned(),
        ),
        VaultError::DeadlineExceeded { .. } => (
            "Vault does not answer in time",
            "See `vault status`; if the server is well, look at proxies and firewalls between."
                .to_owned(),
        ),
        VaultError::Overdue => (
            "Too late to write",
            "This machine slept, or Vault was slow to answer. Run this again.".to_owned(),
        ),
        VaultError::Unsendable => (
            "The request cannot be sent",
            "A value of the provider block or the environment has a character that no request \
             can carry, such as a line break in a token or namespace."
                .to_owned(),
        ),
        VaultError::Cancelled => (
            "Stopped before the end",
            "Run this again to go on.".to_owned(),
        ),
    }
}

/// Says where a refused token was found, and what replaces it there: a new one elsewhere has no
/// effect.
fn refused_token(origin: TokenOrigin) -> String {
    let (origin, advice) = match origin {
        TokenOrigin::Argument => (
            "the provider's argument token",
            "Give that argument a fresh one, or leave it out to use VAULT_TOKEN or the file that \
             `vault login` writes.",
        ),
        TokenOrigin::Variable(name) => (
            name,
            "Set a fresh one there; or unset VAULT_TOKEN and BAO_TOKEN and run `vault login`, \
             whose token counts only while neither is set.",
        ),
        TokenOrigin::File => ("~/.vault-token", "Run `vault login` again."),
    };
    format!(
        "It is the one of {origin}, and it has expired, was revoked or belongs to another server \
         or namespace. {advice}"
    )
}

fn tls(problem: TlsProblem) -> String {
    match problem {
        TlsProblem::UnknownAuthority
        | TlsProblem::AuthorityAsServer
        | TlsProblem::NoAuthorities => {
            "Set ca_cert_file or VAULT_CACERT to the file of the authority that signed the \
             server's certificate."
        }
        TlsProblem::NameMismatch => {
            "Set address to a name that is in the certificate, or tls_server_name to one."
        }
        TlsProblem::Expired | TlsProblem::NotValidYet => {
            "Renew the server's certificate, or set the clock of this machine right."
        }
        TlsProblem::ClientCertificateRequired | TlsProblem::ClientCertificateRefused => {
            "Set client_auth to a certificate and key that the server accepts."
        }
        TlsProblem::NotTls => "Set address to begin with http://, or use the server's TLS port.",
        TlsProblem::Other => "Compare with `vault status`, which uses the same settings.",
    }
    .to_owned()
}

fn connection(problem: ConnectionProblem) -> String {
    match problem {
        ConnectionProblem::Refused => {
            "Nothing listens there. Check the provider's address (or VAULT_ADDR, BAO_ADDR) and \
             that the server runs: `vault status`."
        }
        ConnectionProblem::NameResolution => {
            "Check the host name in the provider's address (or VAULT_ADDR, BAO_ADDR)."
        }
        ConnectionProblem::Proxy => "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
        ConnectionProblem::NotHttp => "Check the port in the provider's address.",
        ConnectionProblem::Reset
        | ConnectionProblem::Closed
        | ConnectionProblem::TimedOut
        | ConnectionProblem::NoRoute
        | ConnectionProblem::Other => {
            "Check the provider's address, the server (`vault status`) and the network between."
        }
    }
    .to_owned()
}
