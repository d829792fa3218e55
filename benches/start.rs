//! From exec to the handshake line, with the certificate that Terraform sends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Effort;
use crate::programs::Programs;
use crate::report::{Figure, Report};
use crate::statistics::{Unit, Values};
use crate::support::host::Options;

/// Share of a Go provider's time that is to be reached.
const REACH: f64 = 0.07;
/// Memory that is to be reached.
const MEMORY_REACH: f64 = 6.0 * 1024.0 * 1024.0;

/// What one program showed.
struct Shown {
    time: Values,
    memory: Values,
}

impl Shown {
    fn new() -> Self {
        Self {
            time: Values::new(Unit::Seconds),
            memory: Values::new(Unit::Bytes),
        }
    }

    fn add(&mut self, program: &Path, environment: &[(String, String)]) {
        let (time, memory) = start(program, environment);
        self.time.push_time(time);
        if let Some(memory) = memory {
            self.memory.push(memory);
        }
    }
}

/// Starts the contenders in turns.
pub(crate) fn measure(report: &mut Report, programs: &Programs, effort: Effort) {
    // One certificate for all: to make it is the host's work.
    let environment = Options::default().environment();
    let (mut ours, mut other) = (Shown::new(), Shown::new());
    for round in 0..=effort.pick(10, 60) {
        let mut discarded = Shown::new();
        // The first round brings the files into memory.
        let ours = if round == 0 {
            &mut discarded
        } else {
            &mut ours
        };
        ours.add(&programs.provider, &environment);
        if let Some(program) = &programs.go_provider {
            let other = if round == 0 {
                &mut discarded
            } else {
                &mut other
            };
            other.add(program, &environment);
        }
    }
    let with = |figure: Figure, other: Values| match programs.go_provider {
        Some(_) => figure.against("Go provider", other),
        None => figure,
    };
    let time = Figure::new("start", "exec to handshake line, mTLS", ours.time);
    report.add(with(time, other.time).ratio_below(REACH));
    if cfg!(target_os = "linux") {
        let name = "resident memory after the handshake line";
        let memory = Figure::new("start", name, ours.memory).below(MEMORY_REACH);
        report.add(with(memory, other.memory));
    }
}

/// Returns the time to the line and the resident memory after it.
fn start(program: &Path, environment: &[(String, String)]) -> (Duration, Option<f64>) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let started = Instant::now();
    let mut child = Command::new(program)
        .env_clear()
        .env("TMPDIR", folder.path())
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the provider starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("standard output is piped");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("the provider writes a line");
    let time = started.elapsed();
    assert!(line.starts_with("1|"), "no handshake line: {line}");
    let memory = resident(child.id());
    child.kill().expect("the provider still runs");
    child.wait().expect("a child can be waited for");
    (time, memory)
}

/// Returns the resident memory of a process in bytes, where `/proc` tells it.
fn resident(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0)
}
