//! Detects a host that is gone without a shutdown request, so that no process is left behind.
//!
//! The connection shows it: killing a host closes the connection. Standard input does not, because
//! it is the user's terminal. Neither does Linux's parent-death signal, which is sent when the
//! *thread* that started this process ends, and hosts start processes from short-lived threads.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::incoming::Counts;

/// Time limits for a process that has no connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the first connection. Hosts give up on a plugin after 60 s.
    pub(super) first: Duration,
    /// For the next connection, once one has closed or the parent process has changed.
    pub(super) next: Duration,
    /// Interval between checks of the parent process while there is no connection.
    pub(super) parent_check: Duration,
}

impl Patience {
    /// Suits the hosts that were tested.
    pub(super) const USUAL: Self = Self {
        first: Duration::from_secs(65),
        next: Duration::from_secs(3),
        parent_check: Duration::from_secs(1),
    };
}

/// Returns once no connection is open and none has been opened for the time that `patience` sets.
///
/// A new parent process is not enough, because a wrapper script may have started this process and
/// ended. It only shortens the wait.
pub(super) async fn host_gone(
    mut counts: watch::Receiver<Counts>,
    parent: impl Fn() -> u32,
    patience: Patience,
) {
    let first_parent = parent();
    let mut seen = 0;
    let mut wait = patience.first;
    loop {
        let mut deadline = Instant::now() + wait;
        let mut adopted = false;
        loop {
            let check = deadline.min(Instant::now() + patience.parent_check);
            tokio::select! {
                connected = counts.wait_for(|counts| counts.total > seen) => match connected {
                    Ok(_) => break,
                    Err(_) => return,
                },
                () = sleep_until(check) => {}
            }
            let now = Instant::now();
            if now >= deadline {
                return;
            }
            if !adopted && parent() != first_parent {
                adopted = true;
                deadline = deadline.min(now + patience.next);
            }
        }
        match counts.wait_for(|counts| counts.open == 0).await {
            Ok(counts) => seen = counts.total,
            Err(_) => return,
        }
        wait = patience.next;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::timeout;

    use super::*;

    const SHORT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_secs(600);
    /// Ends a test that would otherwise hang.
    const BOUND: Duration = Duration::from_secs(30);

    fn patience(first: Duration, next: Duration) -> Patience {
        Patience {
            first,
            next,
            parent_check: SHORT,
        }
    }

    fn counts(open: usize, total: usize) -> Counts {
        Counts { open, total }
    }

    #[tokio::test]
    async fn no_first_connection_ends_the_wait() {
        let (_sender, receiver) = watch::channel(Counts::default());
        timeout(BOUND, host_gone(receiver, || 7, patience(SHORT, LONG)))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn open_connection_holds_the_process_and_a_closed_one_does_not() {
        let (sender, receiver) = watch::channel(counts(1, 1));
        let gone = tokio::spawn(host_gone(receiver, || 7, patience(LONG, SHORT)));
        assert!(timeout(20 * SHORT, sender.closed()).await.is_err());
        sender.send_replace(counts(0, 1));
        timeout(BOUND, gone).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn connection_that_came_and_went_unseen_counts() {
        let (_sender, receiver) = watch::channel(counts(0, 1));
        timeout(BOUND, host_gone(receiver, || 7, patience(LONG, SHORT)))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn new_parent_shortens_the_wait() {
        let (_sender, receiver) = watch::channel(Counts::default());
        let parent = AtomicU32::new(7);
        let parent = || parent.fetch_min(1, Ordering::Relaxed);
        timeout(BOUND, host_gone(receiver, parent, patience(LONG, SHORT)))
            .await
            .unwrap();
    }
}
