//! What several test modules share.

pub(crate) mod cargo;
pub(crate) mod certificates;
pub(crate) mod claude;
pub(crate) mod cluster;
pub(crate) mod hcl;
pub(crate) mod host;
pub(crate) mod markdown;
pub(crate) mod openbao;
pub(crate) mod picture;
pub(crate) mod process;
pub(crate) mod promtool;
pub(crate) mod provision;
pub(crate) mod proxy;
pub(crate) mod secrets;
pub(crate) mod terraform;
pub(crate) mod usage;

/// Tells whoever runs the tests what they leave out, and why.
#[expect(clippy::print_stdout, reason = "a test that checks less must say so")]
pub(crate) fn leave_out(what_and_why: &str) {
    println!("left out: {what_and_why}");
}
