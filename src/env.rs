//! Environment variables: every name that is read, and the one reader.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Declares each variable once, with the sentence that documents it.
macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $text;)+

        /// Every variable that this program reads, with its meaning.
        pub const ALL: &[(&str, &str)] = &[$(($text, concat!($($doc),+))),+];
    };
}

variables! {
    /// Proves that a plugin host started this process.
    TF_PLUGIN_MAGIC_COOKIE = "TF_PLUGIN_MAGIC_COOKIE";
    /// Protocol major versions that the host speaks, separated by commas.
    PLUGIN_PROTOCOL_VERSIONS = "PLUGIN_PROTOCOL_VERSIONS";
    /// Certificate of the host in PEM; its presence asks for mutual TLS.
    PLUGIN_CLIENT_CERT = "PLUGIN_CLIENT_CERT";
    /// Folder for the Unix socket.
    PLUGIN_UNIX_SOCKET_DIR = "PLUGIN_UNIX_SOCKET_DIR";
    /// Asks for the seventh handshake field.
    PLUGIN_MULTIPLEX_GRPC = "PLUGIN_MULTIPLEX_GRPC";
    /// Folder for temporary files.
    TMPDIR = "TMPDIR";
    /// Log level of the host.
    TF_LOG = "TF_LOG";
    /// Log level of all providers.
    TF_LOG_PROVIDER = "TF_LOG_PROVIDER";
    /// Log level of this provider.
    TF_LOG_PROVIDER_CLAUDE = "TF_LOG_PROVIDER_CLAUDE";
    /// Home folder, where the file `.vault-token` may be.
    HOME = "HOME";
    /// Folder of a user's configuration; OpenTofu looks there.
    XDG_CONFIG_HOME = "XDG_CONFIG_HOME";
    /// Folder of a user's data; Terraform and OpenTofu look for providers below it.
    XDG_DATA_HOME = "XDG_DATA_HOME";
    /// Folders of data for all users, separated by colons.
    XDG_DATA_DIRS = "XDG_DATA_DIRS";
    /// File with the settings of Terraform and OpenTofu.
    TF_CLI_CONFIG_FILE = "TF_CLI_CONFIG_FILE";
    /// The same under its old name.
    TERRAFORM_CONFIG = "TERRAFORM_CONFIG";
    /// Folders in which `verify` looks for `claude`.
    PATH = "PATH";
    /// Seconds after which `verify` asks about a refused token again. Default: 30. Tests shorten
    /// it.
    TF_CLAUDE_ASK_AGAIN_AFTER = "TF_CLAUDE_ASK_AGAIN_AFTER";
    /// Any value turns colors off.
    NO_COLOR = "NO_COLOR";
    /// Kind of the terminal; `dumb` has no colors.
    TERM = "TERM";
    /// Address of Vault.
    VAULT_ADDR = "VAULT_ADDR";
    /// Address of OpenBao.
    BAO_ADDR = "BAO_ADDR";
    /// Address of a Vault Agent or Vault Proxy, ahead of `VAULT_ADDR`.
    VAULT_AGENT_ADDR = "VAULT_AGENT_ADDR";
    /// Address of an OpenBao Agent or Proxy, ahead of `BAO_ADDR`.
    BAO_AGENT_ADDR = "BAO_AGENT_ADDR";
    /// HTTP proxy for every request to the server, loopback included.
    VAULT_PROXY_ADDR = "VAULT_PROXY_ADDR";
    /// The same, unless `VAULT_PROXY_ADDR` is set.
    VAULT_HTTP_PROXY = "VAULT_HTTP_PROXY";
    /// HTTP proxy for every request to the server, loopback included.
    BAO_PROXY_ADDR = "BAO_PROXY_ADDR";
    /// The same, unless `BAO_PROXY_ADDR` is set.
    BAO_HTTP_PROXY = "BAO_HTTP_PROXY";
    /// Proxy for an https address that is not on loopback.
    HTTPS_PROXY = "HTTPS_PROXY";
    /// The same, unless `HTTPS_PROXY` is set.
    HTTPS_PROXY_LOWER = "https_proxy";
    /// Proxy for an http address that is not on loopback.
    HTTP_PROXY = "HTTP_PROXY";
    /// The same, unless `HTTP_PROXY` is set.
    HTTP_PROXY_LOWER = "http_proxy";
    /// Addresses that are not reached through the proxies above: hosts, host:port, domains, CIDR, or *.
    NO_PROXY = "NO_PROXY";
    /// The same, unless `NO_PROXY` is set.
    NO_PROXY_LOWER = "no_proxy";
    /// Vault token.
    VAULT_TOKEN = "VAULT_TOKEN";
    /// OpenBao token.
    BAO_TOKEN = "BAO_TOKEN";
    /// Vault namespace.
    VAULT_NAMESPACE = "VAULT_NAMESPACE";
    /// OpenBao namespace.
    BAO_NAMESPACE = "BAO_NAMESPACE";
    /// PEM file of the certificate authorities to trust.
    VAULT_CACERT = "VAULT_CACERT";
    /// PEM file of the certificate authorities to trust.
    BAO_CACERT = "BAO_CACERT";
    /// Certificate authorities to trust, in PEM; takes precedence over `VAULT_CACERT`.
    VAULT_CACERT_BYTES = "VAULT_CACERT_BYTES";
    /// Certificate authorities to trust, in PEM; takes precedence over `BAO_CACERT`.
    BAO_CACERT_BYTES = "BAO_CACERT_BYTES";
    /// Folder of PEM files of certificate authorities.
    VAULT_CAPATH = "VAULT_CAPATH";
    /// Folder of PEM files of certificate authorities.
    BAO_CAPATH = "BAO_CAPATH";
    /// Name that the server's certificate must have.
    VAULT_TLS_SERVER_NAME = "VAULT_TLS_SERVER_NAME";
    /// Name that the server's certificate must have.
    BAO_TLS_SERVER_NAME = "BAO_TLS_SERVER_NAME";
    /// Whether to accept any server certificate.
    VAULT_SKIP_VERIFY = "VAULT_SKIP_VERIFY";
    /// Whether to accept any server certificate.
    BAO_SKIP_VERIFY = "BAO_SKIP_VERIFY";
    /// PEM file of the client certificate for mutual TLS.
    VAULT_CLIENT_CERT = "VAULT_CLIENT_CERT";
    /// PEM file of the client certificate for mutual TLS.
    BAO_CLIENT_CERT = "BAO_CLIENT_CERT";
    /// PEM file of the client certificate's key.
    VAULT_CLIENT_KEY = "VAULT_CLIENT_KEY";
    /// PEM file of the client certificate's key.
    BAO_CLIENT_KEY = "BAO_CLIENT_KEY";
    /// Timestamp (RFC 3339) that the provider uses as the current time, to rehearse a date.
    TF_CLAUDE_NOW = "TF_CLAUDE_NOW";
}

/// Looks up variables, so that callers can be tested without changing the process.
pub trait Environment: Send + Sync {
    /// Returns the value, or `None` if the variable is unset, empty, or not UTF-8.
    fn get(&self, name: &str) -> Option<String>;
}

/// Returns the names of all variables of this process.
pub fn names() -> Vec<OsString> {
    std::env::vars_os().map(|(name, _)| name).collect()
}

/// Returns the folders in which programs are looked up.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os(PATH).unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name)
            .filter(|value| !value.is_empty())
            .cloned()
    }
}
