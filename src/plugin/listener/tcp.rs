//! TCP on the loopback address, for systems without Unix sockets.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;

use super::super::handshake::HandshakeEnvironment;
use super::ListenError;

/// Opens the first free port of the host's range.
#[cfg(not(unix))]
pub(super) fn bind(
    environment: &HandshakeEnvironment,
) -> Result<(super::Listener, super::Address, super::Cleanup), ListenError> {
    let (listener, text) = listen(environment)?;
    let socket = listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(listener))
        .map_err(|source| ListenError::Bind {
            address: text.clone(),
            source,
        })?;
    let address = super::Address {
        network: "tcp",
        text,
    };
    Ok((super::Listener { socket }, address, super::Cleanup {}))
}

/// Listens on the first free port of the range and tells the address.
fn listen(environment: &HandshakeEnvironment) -> Result<(TcpListener, String), ListenError> {
    let ports = ports(
        environment.min_port.as_deref(),
        environment.max_port.as_deref(),
    )?;
    let mut outcome = Err(ListenError::PortRange);
    for port in ports {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
            let address = listener.local_addr()?.to_string();
            Ok((listener, address))
        }) {
            Ok(bound) => return Ok(bound),
            Err(source) => {
                outcome = Err(ListenError::Bind {
                    address: format!("{}:{port}", Ipv4Addr::LOCALHOST),
                    source,
                });
            }
        }
    }
    outcome
}

/// Reads the range; without one the system chooses, which port 0 asks for.
fn ports(min: Option<&str>, max: Option<&str>) -> Result<RangeInclusive<u16>, ListenError> {
    let port = |text: Option<&str>| text.map_or(Ok(0), str::parse);
    match (port(min), port(max)) {
        (Ok(min), Ok(max)) if min <= max => Ok(min..=max),
        _ => Err(ListenError::PortRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_inclusive_and_optional() {
        assert_eq!(ports(None, None).unwrap(), 0..=0);
        assert_eq!(ports(Some("10000"), Some("25000")).unwrap(), 10000..=25000);
        assert!(ports(Some("2"), Some("1")).is_err());
        assert!(ports(Some("x"), Some("1")).is_err());
    }

    #[test]
    fn taken_ports_are_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let environment = HandshakeEnvironment {
            min_port: Some(port.to_string()),
            max_port: Some(port.to_string()),
            ..HandshakeEnvironment::default()
        };
        assert!(matches!(
            listen(&environment),
            Err(ListenError::Bind { .. })
        ));
        let (_listener, address) = listen(&HandshakeEnvironment::default()).unwrap();
        assert!(address.starts_with("127.0.0.1:"));
    }
}
