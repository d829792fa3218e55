//! Checks of the messages in this folder and of the Rust code that is made of them.
#![cfg(test)]

mod generated;
mod protocol;

use std::path::Path;

use prost_types::FileDescriptorSet;

/// Returns the top folder of the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Returns what a file of this folder declares.
fn descriptors(file: &str) -> FileDescriptorSet {
    protox::compile([file], [root().join("proto")]).unwrap()
}
