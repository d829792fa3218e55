//! What comes before the first call.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::Victim;

/// Connections of each kind; more than the process keeps in a handshake at a time.
const FLOOD: usize = 300;

/// The first bytes of a handshake that announces 512 bytes and never sends them.
const HALF_HELLO: &[u8] = &[
    0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03,
];

async fn connect(victim: &Victim) -> UnixStream {
    UnixStream::connect(victim.host.handshake.socket())
        .await
        .unwrap()
}

#[tokio::test]
async fn silent_and_half_connections_hold_nobody_up() {
    let victim = Victim::start().await;
    let mut open = Vec::new();
    for number in 0..FLOOD {
        let mut stream = connect(&victim).await;
        if number % 2 == 0 {
            stream.write_all(HALF_HELLO).await.unwrap();
        }
        open.push(stream);
    }
    victim.ends_well().await;
    drop(open);
}

#[tokio::test]
async fn garbage_is_refused_connection_by_connection() {
    let victim = Victim::start().await;
    let mut refused = 0;
    for number in 0..FLOOD {
        let mut stream = connect(&victim).await;
        let garbage: Vec<u8> = match number % 4 {
            0 => vec![0; 64],
            1 => vec![0xff; 70_000],
            2 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            _ => std::iter::repeat_with(|| fastrand::u8(..))
                .take(999)
                .collect(),
        };
        // The process may close before all of it is written.
        if stream.write_all(&garbage).await.is_ok() {
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        refused += usize::from(answer.len() < 64);
    }
    assert_eq!(refused, FLOOD);
    victim.ends_well().await;
}

#[tokio::test]
async fn connections_that_come_and_go_leave_nothing() {
    let victim = Victim::start().await;
    for _ in 0..FLOOD {
        drop(connect(&victim).await);
    }
    for _ in 0..32 {
        let identity = &victim.identity;
        let mut stream = victim.host.tls(Some(identity)).await.unwrap();
        // Something else than HTTP/2 in an encrypted connection.
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        stream.flush().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
    }
    victim.ends_well().await;
}
