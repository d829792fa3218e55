//! Runs one program to completion within a time limit. Nothing that it started outlives it.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Time for a program to end after it is asked to.
const GRACE: Duration = Duration::from_secs(3);
/// Time that processes of its group may keep the streams open after it has ended.
const REST: Duration = Duration::from_secs(1);
/// Maximum number of bytes kept of each stream. A normal response has about 10 KB.
const KEPT: usize = 4 << 20;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It ended by itself.
    Exited(ExitStatus),
    /// Its time limit was exceeded.
    OutOfTime,
    /// The user stopped this program.
    Stopped,
}

/// The output of a program.
pub(super) struct Ended {
    /// How it ended.
    pub(super) end: End,
    /// Its standard output.
    pub(super) stdout: Zeroizing<Vec<u8>>,
    /// Its standard error.
    pub(super) stderr: Zeroizing<Vec<u8>>,
}

/// Runs a program in its own process group, with nothing on its standard input. After the time
/// limit, or once the user stops this program, the group is asked to end and then killed.
///
/// # Errors
///
/// Fails if the program cannot be started.
pub(super) async fn run(
    command: &mut Command,
    limit: Duration,
    stop: &CancellationToken,
) -> io::Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut texts = (Zeroizing::new(Vec::new()), Zeroizing::new(Vec::new()));
    let end = {
        let reading = async {
            tokio::join!(collect(stdout, &mut texts.0), collect(stderr, &mut texts.1));
        };
        let over = sleep(limit);
        tokio::pin!(reading, over);
        let mut is_read = false;
        let end = loop {
            tokio::select! {
                status = child.wait() => break End::Exited(status?),
                () = &mut reading, if !is_read => is_read = true,
                () = &mut over => break End::OutOfTime,
                () = stop.cancelled() => break End::Stopped,
            }
        };
        if !matches!(end, End::Exited(_)) {
            make_end(&mut child, group).await;
        }
        // A process that it started may still hold the streams open.
        if !is_read && timeout(REST, &mut reading).await.is_err() {
            signal(group, Signal::KILL);
            let _ = timeout(REST, &mut reading).await;
        }
        end
    };
    Ok(Ended {
        end,
        stdout: texts.0,
        stderr: texts.1,
    })
}

/// Asks a process group to end, and kills it after a while.
async fn make_end(child: &mut Child, group: Option<Pid>) {
    signal(group, Signal::TERM);
    if timeout(GRACE, child.wait()).await.is_err() {
        signal(group, Signal::KILL);
        let _ = child.wait().await;
    }
    // The first process may have ended on its own.
    signal(group, Signal::KILL);
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // The group may already have ended.
        let _ = kill_process_group(group, signal);
    }
}

/// Reads a stream to its end, and keeps only its beginning.
async fn collect(stream: Option<impl AsyncRead + Unpin>, kept: &mut Zeroizing<Vec<u8>>) {
    let Some(mut stream) = stream else { return };
    let mut chunk = Zeroizing::new([0; 8192]);
    while let Ok(count @ 1..) = stream.read(&mut *chunk).await {
        let room = KEPT - kept.len();
        kept.extend_from_slice(&chunk[..count.min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn shell(script: &str, limit: Duration, stop: &CancellationToken) -> Ended {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(&mut command, limit, stop).await.unwrap()
    }

    /// Reports whether the process with the printed number is still running. One that has ended may
    /// remain listed until its parent reaps it.
    fn runs(ended: &Ended) -> bool {
        let id = String::from_utf8(ended.stdout.to_vec()).unwrap();
        let mut ps = std::process::Command::new("ps");
        let listed = ps.args(["-o", "stat=", "-p", id.trim()]).output().unwrap();
        let state = String::from_utf8(listed.stdout).unwrap();
        !state.trim().is_empty() && !state.trim().starts_with('Z')
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn streams_come_back_and_input_is_closed() {
        let stop = CancellationToken::new();
        let ended = shell("cat; echo out; echo err >&2; exit 7", LONG, &stop).await;
        let End::Exited(status) = ended.end else {
            panic!("it ends by itself: {:?}", ended.end)
        };
        assert_eq!(status.code(), Some(7));
        assert_eq!(
            (&ended.stdout[..], &ended.stderr[..]),
            (&b"out\n"[..], &b"err\n"[..])
        );
    }

    #[tokio::test]
    async fn one_that_refuses_to_end_is_made_to() {
        let stop = CancellationToken::new();
        let started = Instant::now();
        let script = "trap '' TERM; echo $$; while :; do sleep 1; done";
        let ended = shell(script, Duration::from_millis(300), &stop).await;
        assert_eq!(ended.end, End::OutOfTime);
        assert!(started.elapsed() >= GRACE);
        assert!(!runs(&ended));
    }

    #[tokio::test]
    async fn a_stop_ends_what_it_started_too() {
        let stop = CancellationToken::new();
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let script = format!("sleep 300 & echo $!; : > {}; wait", started.display());
        let (ended, ()) = tokio::join!(shell(&script, LONG, &stop), async {
            while !started.exists() {
                sleep(Duration::from_millis(5)).await;
            }
            stop.cancel();
        });
        assert_eq!(ended.end, End::Stopped);
        assert!(!runs(&ended));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_process_that_keeps_the_streams() {
        let stop = CancellationToken::new();
        let started = Instant::now();
        let ended = shell("sleep 300 & echo $!", LONG, &stop).await;
        assert!(matches!(ended.end, End::Exited(_)));
        assert!(started.elapsed() < LONG);
        assert!(!runs(&ended));
    }
}
