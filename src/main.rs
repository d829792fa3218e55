//! The provider's executable.

use std::alloc::System;
use std::process::ExitCode;
use std::sync::Arc;

use terraform_provider_claude::cli;
use terraform_provider_claude::env::{Environment, ProcessEnvironment};
use zeroizing_alloc::ZeroAlloc;

/// Wipes every block that is freed: buffers of libraries carry tokens, too.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let environment: Arc<dyn Environment> = Arc::new(ProcessEnvironment);
    cli::run(std::env::args_os().skip(1), &environment)
}
