//! Notices that go with a binary.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::process;

fn notices(triple: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("release/notices"));
    command
        .current_dir(root)
        .arg(triple)
        .env("CARGO", env!("CARGO"));
    let finished = process::run(&mut command, &[], Duration::from_secs(120)).unwrap();
    assert!(finished.status.success(), "{}", finished.stderr);
    finished.stdout
}

#[test]
fn every_crate_that_is_linked_has_its_text() {
    let text = notices("x86_64-unknown-linux-gnu");
    let (list, texts) = text.split_once(&format!("\n{}\n", "=".repeat(80))).unwrap();
    let crates: Vec<_> = list
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| !name.contains("GNU"))
        .map(|(name, _)| name)
        .collect();
    assert!(crates.len() > 50, "{list}");
    for name in &crates {
        assert!(texts.contains(name), "{name}");
    }
    let has = |name: &str| {
        crates
            .iter()
            .any(|one| one.starts_with(&format!("{name} ")))
    };
    assert!(has("ring") && has("tokio") && has("The"), "{list}");
    assert!(text.contains("GNU LESSER GENERAL PUBLIC LICENSE"));
    // Run by the compiler, run by tests, and linked elsewhere alone.
    assert!(
        !has("serde_derive") && !has("insta") && !has("security-framework"),
        "{list}"
    );
    assert_eq!(notices("x86_64-unknown-linux-gnu"), text);
}
