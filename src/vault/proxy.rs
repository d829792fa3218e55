//! Which proxy a request uses, by the rules of Vault's own client, which are Go's.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;
use url::{Host, Url};

/// A variable that sets a proxy, and its value.
pub type Variable = (&'static str, String);

/// The variables that determine the proxies, each as it is set.
#[derive(Clone, Debug, Default)]
pub struct ProxyVariables {
    /// Proxy for every address, loopback included: `VAULT_PROXY_ADDR` and its forms.
    pub every: Option<Variable>,
    /// Proxy for https addresses: `HTTPS_PROXY`.
    pub https: Option<Variable>,
    /// Proxy for http addresses: `HTTP_PROXY`.
    pub http: Option<Variable>,
    /// Addresses that are not reached through the last two: `NO_PROXY`.
    pub exceptions: Option<String>,
}

/// The proxies to use.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    every: Option<Result<Proxy, ProxyError>>,
    https: Option<Result<Proxy, ProxyError>>,
    http: Option<Result<Proxy, ProxyError>>,
    exceptions: Vec<Exception>,
}

/// A proxy, and who set it. `Debug` and `Display` show no user name or password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    url: Url,
    variable: &'static str,
}

/// The value of a variable is not the address of a proxy. The text may contain a password and is
/// not repeated.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{variable} is not the http or https address of a proxy")]
pub struct ProxyError {
    /// The variable.
    pub variable: &'static str,
}

/// An entry of `NO_PROXY`.
#[derive(Clone, Debug)]
enum Exception {
    All,
    Network {
        network: IpAddr,
        bits: u8,
    },
    Address(IpAddr, Option<u16>),
    /// A domain with a dot in front, and whether the name without the dot is excepted as well.
    Domain(String, bool, Option<u16>),
}

impl Proxies {
    /// Reads the variables.
    pub fn new(variables: ProxyVariables) -> Self {
        let proxy =
            |variable: Option<Variable>| variable.map(|(name, value)| Proxy::parse(name, &value));
        let exceptions = variables.exceptions.unwrap_or_default();
        Self {
            every: proxy(variables.every),
            https: proxy(variables.https),
            http: proxy(variables.http),
            exceptions: exceptions.split(',').filter_map(Exception::parse).collect(),
        }
    }

    /// Returns the proxy for an address, `None` if the connection is direct.
    ///
    /// # Errors
    ///
    /// Fails if the variable that applies is not the address of a proxy.
    pub fn for_url(&self, url: &Url) -> Result<Option<&Proxy>, ProxyError> {
        self.deciding(url)
            .map(|proxy| proxy.as_ref().map_err(Clone::clone))
            .transpose()
    }

    fn deciding(&self, url: &Url) -> Option<&Result<Proxy, ProxyError>> {
        if let Some(proxy) = &self.every {
            return Some(proxy);
        }
        let proxy = match url.scheme() {
            "https" => self.https.as_ref()?,
            _ => self.http.as_ref()?,
        };
        let (host, port) = (url.host()?, url.port_or_known_default()?);
        let direct = match &host {
            Host::Domain(name) => *name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => {
                ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
            }
        };
        let excepted = || {
            self.exceptions
                .iter()
                .any(|exception| exception.covers(&host, port))
        };
        (!direct && !excepted()).then_some(proxy)
    }
}

impl Proxy {
    fn parse(variable: &'static str, value: &str) -> Result<Self, ProxyError> {
        let value = value.trim();
        let known = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = Url::parse(value)
            .ok()
            .filter(known)
            // An address without a scheme is an http address; `host:port` parses as a scheme.
            .or_else(|| {
                let bare = !value.contains("://");
                bare.then(|| Url::parse(&format!("http://{value}")).ok())?
            })
            .filter(known)
            .ok_or(ProxyError { variable })?;
        Ok(Self { url, variable })
    }

    /// Returns the address, with the user name and password if it has them.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the variable that sets it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        write!(formatter, "{}://{authority}", self.url.scheme())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Proxy({self}, {})", self.variable)
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_lowercase();
        if entry == "*" {
            return Some(Self::All);
        }
        if let Some((network, bits)) = entry.split_once('/')
            && let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u8>())
            && bits <= width(network)
        {
            return Some(Self::Network { network, bits });
        }
        let (name, port) = match entry.rsplit_once(':') {
            // An IPv6 address without brackets has colons of its own.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                (name, Some(port.parse().ok()?))
            }
            _ => (entry.as_str(), None),
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = name.parse() {
            return Some(Self::Address(ip, port));
        }
        let name = name
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(name);
        let (domain, with_itself) = match name.strip_prefix('.') {
            Some(domain) => (domain, false),
            None => (name, true),
        };
        if domain.is_empty() {
            return None;
        }
        let domain =
            Host::parse(domain).map_or_else(|_| domain.to_owned(), |host| host.to_string());
        Some(Self::Domain(format!(".{domain}"), with_itself, port))
    }

    fn covers(&self, host: &Host<&str>, port: u16) -> bool {
        let ip = match host {
            Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(*ip).to_canonical()),
            Host::Domain(_) => None,
        };
        let same_port = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Self::All => true,
            Self::Network { network, bits } => ip.is_some_and(|ip| within(ip, *network, *bits)),
            Self::Address(wanted, on) => {
                ip.is_some_and(|ip| ip == wanted.to_canonical()) && same_port(on)
            }
            Self::Domain(domain, with_itself, on) => {
                let name = host.to_string();
                let name = name.to_lowercase();
                (name.ends_with(domain.as_str()) || (*with_itself && name == domain[1..]))
                    && same_port(on)
            }
        }
    }
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn within(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    let shifted = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()).checked_shr(u32::from(32 - bits)),
        IpAddr::V6(ip) => ip.to_bits().checked_shr(u32::from(128 - bits)),
    };
    ip.is_ipv4() == network.is_ipv4()
        && shifted(ip).unwrap_or_default() == shifted(network).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        let proxy = Proxy::parse("HTTPS_PROXY", "me:canary@proxy.test:3128").unwrap();
        assert_eq!(proxy.to_string(), "http://proxy.test:3128");
        assert!(!format!("{proxy:?}").contains("canary"));
        for bad in ["socks5://proxy:1080", "ftp://proxy", "http://", "a b"] {
            let error = Proxy::parse("HTTPS_PROXY", bad).unwrap_err();
            assert_eq!(error.variable, "HTTPS_PROXY", "{bad}");
        }
    }
}
