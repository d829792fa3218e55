//! Keeps the memory of this process to itself.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids other processes of the same user to read the memory of this one, and the system to
/// write it to a file when the process crashes.
///
/// Linux alone knows the first; where the system refuses either, the process runs on without it.
/// A debugger or `perf` can then be attached by an administrator only, and what is below
/// `/proc/self` belongs to the administrator.
pub fn hide_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};

        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::debug!(%error, "others may read the memory of this process");
        }
    }
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::debug!(%error, "a crash may write the memory of this process to a file");
    }
}
