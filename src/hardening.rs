//! Keeps the memory of this process private.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Prevents other processes of the same user from reading this process's memory, and the system
/// from writing it to a file after a crash.
///
/// The former exists only on Linux. If the system denies either one, the process continues without
/// it. Afterward, only an administrator can attach a debugger or `perf`, and `/proc/self` belongs
/// to the administrator.
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
