//! The provider's executable.

use std::process::ExitCode;
use std::sync::Arc;

use terraform_provider_claude::cli;
use terraform_provider_claude::env::{Environment, ProcessEnvironment};
use wiping_allocator::WipingAllocator;

/// Leaves nothing of a freed block behind: buffers of libraries carry tokens, too.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

fn main() -> ExitCode {
    let environment: Arc<dyn Environment> = Arc::new(ProcessEnvironment);
    cli::run(std::env::args_os().skip(1), &environment)
}
