//! The toolchain is pinned to the version that the package asks for.

use super::{read, root};

/// Returns the text in quotes that a file gives to a key.
fn setting(file: &str, key: &str) -> String {
    let text = read(&root().join(file));
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let value = line.and_then(|rest| rest.trim_start().strip_prefix('='));
    value.unwrap().trim().trim_matches('"').to_owned()
}

#[test]
fn the_pinned_toolchain_is_the_one_asked_for() {
    assert_eq!(
        setting("rust-toolchain.toml", "channel"),
        setting("Cargo.toml", "rust-version")
    );
}
