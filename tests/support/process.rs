//! Runs other programs under a time limit and lets nothing outlive its caller.
//!
//! Every child leads a process group of its own, so that one signal reaches what it started too:
//! Terraform killed alone would leave its plugins behind.

#![allow(
    dead_code,
    reason = "tests and examples share this file, and no one of them uses all of it"
)]
#![allow(
    clippy::expect_used,
    reason = "a thread that panicked has already failed the run"
)]

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Time between the polite signal and the one that cannot be refused.
const GRACE: Duration = Duration::from_secs(10);

static STOPPED: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
    /// Whether the time limit ended it.
    pub(crate) timed_out: bool,
}

/// Runs the command to its end with `input` on its standard input.
///
/// Past `limit` the whole process group gets SIGTERM, and SIGKILL after ten more seconds. Fails
/// only where the program cannot be started, or once [`stop_all`] was called.
pub(crate) fn run(command: &mut Command, input: &[u8], limit: Duration) -> io::Result<Finished> {
    run_interrupted(command, input, limit, None)
}

/// A signal, and what returns when it is due.
pub(crate) type Interruption = (Signal, Box<dyn FnOnce() + Send>);

/// Runs the command as [`run`] does, and sends its process group a signal as soon as it is due.
pub(crate) fn run_interrupted(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
    interruption: Option<Interruption>,
) -> io::Result<Finished> {
    let started = Instant::now();
    let mut child = start(command)?;
    let group = child.id().cast_signed();
    if let Some((sent, moment)) = interruption {
        thread::spawn(move || {
            moment();
            signal(group, sent);
        });
    }

    let mut stdin = child.stdin.take().expect("standard input is piped");
    let input = input.to_vec();
    // The program may end without reading it all: a broken pipe is its good right.
    thread::spawn(move || stdin.write_all(&input));
    let stdout = Collector::new(child.stdout.take().expect("standard output is piped"));
    let stderr = Collector::new(child.stderr.take().expect("standard error is piped"));

    let (sender, ended) = channel();
    thread::spawn(move || sender.send(child.wait()));
    let mut timed_out = false;
    let status = match ended.recv_timeout(limit) {
        Ok(status) => status,
        Err(_) => {
            timed_out = true;
            signal(group, Signal::TERM);
            ended.recv_timeout(GRACE).unwrap_or_else(|_| {
                signal(group, Signal::KILL);
                ended.recv().expect("the waiting thread always answers")
            })
        }
    };
    RUNNING
        .lock()
        .expect("no thread panics with the list")
        .remove(&group);
    Ok(Finished {
        status: status?,
        stdout: stdout.text(),
        stderr: stderr.text(),
        elapsed: started.elapsed(),
        timed_out,
    })
}

/// Asks every program that runs to stop, and refuses to start another: for Ctrl-C.
pub(crate) fn stop_all() {
    STOPPED.store(true, Ordering::SeqCst);
    for group in RUNNING
        .lock()
        .expect("no thread panics with the list")
        .iter()
    {
        signal(*group, Signal::TERM);
    }
}

/// Tells whether [`stop_all`] was called.
pub(crate) fn is_stopped() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

fn start(command: &mut Command) -> io::Result<Child> {
    // The lock is held while starting, so that no child can slip past `stop_all`.
    let mut running = RUNNING.lock().expect("no thread panics with the list");
    if is_stopped() {
        return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
    }
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    running.insert(child.id().cast_signed());
    Ok(child)
}

fn signal(group: i32, signal: Signal) {
    if let Some(group) = Pid::from_raw(group) {
        // The group may have ended by itself a moment ago, which is what was wanted.
        let _ = kill_process_group(group, signal);
    }
}

/// Reads one stream to its end on a thread of its own.
struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

impl Collector {
    fn new(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (sender, ended) = channel();
        let shared = Arc::clone(&bytes);
        thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut chunk) {
                shared
                    .lock()
                    .expect("no thread panics with the bytes")
                    .extend_from_slice(&chunk[..count]);
            }
            let _ = sender.send(());
        });
        Self { bytes, ended }
    }

    /// Returns what was read; does not wait for ever on a grandchild that keeps the stream open.
    fn text(self) -> String {
        let _ = self.ended.recv_timeout(GRACE);
        let bytes = self.bytes.lock().expect("no thread panics with the bytes");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &str, limit: Duration) -> Finished {
        run(
            Command::new("sh").args(["-c", script]),
            input.as_bytes(),
            limit,
        )
        .unwrap()
    }

    #[test]
    fn streams_and_status_come_back() {
        let finished = shell(
            "cat; echo trouble >&2; exit 3",
            "hello",
            Duration::from_secs(30),
        );
        assert_eq!(finished.stdout, "hello");
        assert_eq!(finished.stderr, "trouble\n");
        assert_eq!(finished.status.code(), Some(3));
        assert!(!finished.timed_out);
    }

    #[test]
    fn a_time_limit_ends_grandchildren_too() {
        let finished = shell("sleep 600 & sleep 600", "", Duration::from_millis(50));
        assert!(finished.timed_out);
        // The streams close only once both sleeps are gone; GRACE would have shown here.
        assert!(finished.elapsed < GRACE, "{:?}", finished.elapsed);
    }
}
