//! The Rust code of the protos is committed, so that no build needs a generator. It is made again
//! here and compared.

use std::fs;
use std::path::Path;
use std::process::Command;

use tonic_prost_build::Builder;

/// Set to `1` to write the generated files instead of comparing them.
const UPDATE: &str = "UPDATE_GENERATED";

/// Where the messages of the provider's protocol go, and what Rust calls them.
const MESSAGES: (&str, &str) = (
    "src/protocol/generated",
    "::terraform_provider_claude::protocol::generated::tfplugin6",
);

/// Messages with a `Debug` of our own, because a derived one would print secrets.
const MASKED: [&str; 2] = [".tfplugin6.DynamicValue", ".tfplugin6.RawState"];

/// Where the clients go. Only tests are clients.
const CLIENTS: &str = "tests/support/generated";

#[test]
fn generated_code_is_current() {
    let messages = tonic_prost_build::configure()
        .build_client(false)
        .build_server(false)
        .skip_debug(MASKED);
    check(MESSAGES.0, "tfplugin6", messages);
    let clients = || {
        tonic_prost_build::configure()
            .build_server(false)
            .build_transport(false)
    };
    let shared = clients().extern_path(".tfplugin6", MESSAGES.1);
    check(CLIENTS, "tfplugin6", shared);
    // The provider knows the paths of these calls and ignores their messages.
    check(CLIENTS, "plugin", clients());
}

/// Compares a committed file with what the generator makes of the proto, or writes it.
fn check(folder: &str, package: &str, generator: Builder) {
    let fresh = generate(package, generator);
    let name = format!("{folder}/{package}.rs");
    let committed = super::root().join(&name);
    if wants_update() {
        fs::create_dir_all(committed.parent().unwrap()).unwrap();
        fs::write(&committed, fresh).unwrap();
    } else {
        let kept = fs::read_to_string(&committed).unwrap_or_default();
        assert!(
            kept == fresh,
            "{name} is not what proto/{package}.proto makes: run `{UPDATE}=1 cargo test -p proto`"
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
fn wants_update() -> bool {
    std::env::var(UPDATE).is_ok_and(|value| value == "1")
}

/// Makes the Rust code of a proto, formatted.
fn generate(package: &str, generator: Builder) -> String {
    let folder = tempfile::tempdir().unwrap();
    let proto = format!("{package}.proto");
    generator
        .out_dir(folder.path())
        .compile_fds(super::descriptors(&proto))
        .unwrap();
    let file = folder.path().join(package).with_extension("rs");
    format(&file);
    fs::read_to_string(file).unwrap()
}

/// Formats a file the way that `cargo fmt` would.
fn format(file: &Path) {
    let status = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .arg(file)
        .current_dir(super::root())
        .status()
        .unwrap();
    assert!(status.success(), "rustfmt failed");
}
