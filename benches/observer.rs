//! What the processes below this one cost while something runs, read from `/proc`.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Ticks of `/proc/PID/stat` in a second, the same on every Linux.
const TICKS: f64 = 100.0;
const PAUSE: Duration = Duration::from_millis(4);
/// Looks between two searches for new processes.
const LOOKS: usize = 5;

/// What was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Observed {
    /// Largest resident memory of any provider process, in bytes.
    pub(crate) provider_peak: f64,
    /// Processor time of all provider processes, in seconds.
    pub(crate) provider_time: f64,
    /// That of Terraform.
    pub(crate) terraform_time: f64,
    /// That of OpenBao.
    pub(crate) server_time: f64,
}

/// Whose process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Provider,
    Terraform,
    Server,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    owner: Owner,
    first_time: f64,
    time: f64,
    peak: f64,
}

/// Looks at processes, again and again.
#[derive(Default)]
pub(crate) struct Observer {
    seen: HashMap<u32, Seen>,
}

impl Observer {
    /// Watches until `work` returns.
    pub(crate) fn watch<T>(work: impl FnOnce() -> T) -> Observed {
        let done = AtomicBool::new(false);
        let mut observer = Self::default();
        observer.search(true);
        thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let mut looks = 0;
                while !done.load(Ordering::Acquire) {
                    if looks % LOOKS == 0 {
                        observer.search(false);
                    }
                    observer.look();
                    looks += 1;
                    thread::sleep(PAUSE);
                }
                observer.look();
            });
            work();
            done.store(true, Ordering::Release);
            watching.join().expect("looking does not fail");
        });
        observer.sum()
    }

    /// Finds new processes; what those that run at the start have used before does not count.
    fn search(&mut self, at_start: bool) {
        let own = std::process::id();
        let mut parents = HashMap::new();
        let mut names = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            if let Some((name, parent, _)) = stat(process) {
                parents.insert(process, parent);
                names.insert(process, name);
            }
        }
        let below: HashSet<u32> = parents
            .keys()
            .copied()
            .filter(|process| {
                let ancestors =
                    std::iter::successors(Some(*process), |process| parents.get(process).copied());
                *process != own && ancestors.take(20).any(|ancestor| ancestor == own)
            })
            .collect();
        for process in below {
            let name = names[&process].as_str();
            let owner = match name {
                _ if name.starts_with("terraform-provi") => Owner::Provider,
                "bao" | "vault" => Owner::Server,
                _ => Owner::Terraform,
            };
            let used = stat(process).map_or(0.0, |(_, _, time)| time);
            let first_time = if at_start { used } else { 0.0 };
            let seen = self.seen.entry(process).or_insert(Seen {
                owner,
                first_time,
                time: used,
                peak: 0.0,
            });
            // A process becomes another program when it calls exec.
            seen.owner = owner;
        }
    }

    fn look(&mut self) {
        for (process, seen) in &mut self.seen {
            if let Some((_, _, time)) = stat(*process) {
                seen.time = time;
            }
            if seen.owner == Owner::Provider
                && let Some(peak) = peak(*process)
            {
                seen.peak = peak;
            }
        }
    }

    fn sum(&self) -> Observed {
        let time = |owner| {
            let seen = self.seen.values().filter(|seen| seen.owner == owner);
            seen.map(|seen| seen.time - seen.first_time).sum()
        };
        let providers = || {
            let seen = self.seen.values();
            seen.filter(|seen| seen.owner == Owner::Provider)
        };
        Observed {
            provider_peak: providers().map(|seen| seen.peak).fold(0.0, f64::max),
            provider_time: time(Owner::Provider),
            terraform_time: time(Owner::Terraform),
            server_time: time(Owner::Server),
        }
    }
}

/// Returns name, parent and processor time in seconds.
fn stat(process: u32) -> Option<(String, u32, f64)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (head, tail) = text.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    let ticks = f64::from(number(11)?) + f64::from(number(12)?);
    Some((name.to_owned(), number(1)?, ticks / TICKS))
}

/// Returns the largest resident memory so far in bytes.
fn peak(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0)
}
