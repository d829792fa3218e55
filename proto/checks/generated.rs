//! The Rust code of the protos is committed, so that no build needs a generator. It is made again
//! here and compared.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Set to `1` to write the generated files instead of comparing them.
const UPDATE: &str = "UPDATE_GENERATED";

/// A proto, the file made of it, and the messages whose `Debug` is written by hand because a
/// derived one would print secrets.
struct Recipe {
    proto: &'static str,
    package: &'static str,
    generated: &'static str,
    masked: &'static [&'static str],
}

const RECIPES: [Recipe; 2] = [
    Recipe {
        proto: "tfplugin6.proto",
        package: "tfplugin6",
        generated: "src/protocol/generated/tfplugin6.rs",
        masked: &[".tfplugin6.DynamicValue", ".tfplugin6.RawState"],
    },
    Recipe {
        proto: "plugin.proto",
        package: "plugin",
        generated: "src/plugin/generated/plugin.rs",
        masked: &[],
    },
];

#[test]
fn generated_code_is_current() {
    for recipe in &RECIPES {
        let fresh = generate(recipe);
        let committed = super::root().join(recipe.generated);
        if wants_update() {
            fs::create_dir_all(committed.parent().unwrap()).unwrap();
            fs::write(&committed, fresh).unwrap();
        } else {
            let kept = fs::read_to_string(&committed).unwrap_or_default();
            assert!(
                kept == fresh,
                "{} is not what proto/{} makes: run `{UPDATE}=1 cargo test -p proto`",
                recipe.generated,
                recipe.proto
            );
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
fn wants_update() -> bool {
    std::env::var(UPDATE).is_ok_and(|value| value == "1")
}

/// Makes the Rust code of a proto, formatted.
fn generate(recipe: &Recipe) -> String {
    let folder = tempfile::tempdir().unwrap();
    tonic_prost_build::configure()
        .build_transport(false)
        .generate_default_stubs(true)
        .skip_debug(recipe.masked.iter().copied())
        .out_dir(folder.path())
        .compile_fds(super::descriptors(recipe.proto))
        .unwrap();
    let file = folder.path().join(recipe.package).with_extension("rs");
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
