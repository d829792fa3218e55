//! What a process takes of the machine, where the system tells.

use std::fs;

/// Memory and file handles of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// KiB of memory that are resident now.
    pub(crate) resident: u64,
    /// KiB of memory that were resident at most.
    pub(crate) peak: u64,
    /// File handles that are open.
    pub(crate) handles: usize,
    /// Threads.
    pub(crate) threads: u64,
}

/// Looks at a process; nothing where the system has no `/proc`, and a line says so.
pub(crate) fn of(process: u32) -> Option<Usage> {
    let folder = format!("/proc/{process}");
    let Ok(status) = fs::read_to_string(format!("{folder}/status")) else {
        super::leave_out("memory and file handles, since this system has no /proc");
        return None;
    };
    let number = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let number = line.split_whitespace().nth(1).unwrap();
        number.parse::<u64>().unwrap()
    };
    Some(Usage {
        resident: number("VmRSS:"),
        peak: number("VmHWM:"),
        handles: fs::read_dir(format!("{folder}/fd")).unwrap().count(),
        threads: number("Threads:"),
    })
}
