//! The guide of the command line: what it shows as output is what the commands print, but for
//! dates and digests, and its image can be built.

use std::collections::BTreeSet;
use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::markdown::{self, alike};
use crate::support::openbao::OpenBao;
use crate::support::secrets::{digest, token};

use super::program::{BINARY, FIELD, Program, in_days};
use super::terminal::{Terminal, at_prompt, ended};
use super::verify::standin::{Scene, result};

const GUIDE: &str = "docs/guides/command-line.md";
const PRIMARY: &str = "claude-agent-service";
const SPARES: [&str; 2] = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
];

fn codes(page: &str) -> Vec<markdown::Code> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    markdown::codes(page, &text)
}

/// Writes this machine as the guide does.
fn platform() -> String {
    let system = if OS == "macos" { "darwin" } else { OS };
    let processor = match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}_{processor}")
}

/// Does once what the guide tells of, and returns what was printed.
async fn printed() -> String {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let home = program.home().to_str().unwrap().to_owned();
    let mut printed = program.run(&["install"]).exits(0).stdout.clone();

    for number in 0..2 {
        let fields = json!({ FIELD: token("old"), "number": number });
        bao.put("secret", PRIMARY, fields).await;
    }
    let terminal = Terminal::new(80);
    let child = at_prompt(&program, &terminal, PRIMARY);
    terminal.type_keys(format!("{}\r", token("primary")).as_bytes());
    let (code, stdout) = ended(child);
    assert_eq!(code, Some(0), "{stdout}");
    printed += &terminal.shown();
    printed += &stdout;
    let ran = program.fed(&["store", "claude-agent-servic"], token("elsewhere"));
    printed += &ran.exits(0).stderr;
    let mistyped = "secret/metadata/claude-agent-servic";
    bao.must("DELETE", mistyped, json!(null)).await;

    bao.put("secret", SPARES[1], json!({ FIELD: token("primary") }))
        .await;
    let minted = format!("--minted-at={}", in_days(16 - 365));
    for path in [PRIMARY, SPARES[1]] {
        program
            .run(&["store", "--stamp-only", &minted, path])
            .exits(0);
    }
    let minted = format!("--minted-at={}", in_days(312 - 365));
    program
        .fed(&["store", &minted, SPARES[0]], token("spare"))
        .exits(0);
    program
        .fed(&["store", "ci/release"], token("release"))
        .exits(0);
    for arguments in [
        &["status"][..],
        &["status", "--json", SPARES[0]],
        &["status", "--metrics", PRIMARY],
    ] {
        printed += &program.run(arguments).exits(0).is_quiet().stdout;
    }
    printed += &program
        .run(&["promote", PRIMARY, "--spare", SPARES[0], "--dry-run"])
        .exits(0)
        .stdout;
    printed += &verified(&bao).await;
    let short = &digest(&token("primary"))[..8];
    printed += &program
        .run(&["find", "--fingerprint", short])
        .exits(0)
        .stdout;
    printed
        .replace(&home, "/home/me")
        .replace(&platform(), "linux_amd64")
}

/// Verifies three tokens with a script that plays `claude`, and returns what was printed.
async fn verified(bao: &OpenBao) -> String {
    let revoked = "Failed to authenticate: OAuth token revoked. Please log in again.";
    let busy = "You've hit your session limit · resets 6:56pm (UTC)";
    bao.put("secret", SPARES[1], json!({ FIELD: token("busy") }))
        .await;
    let scene = Scene::new()
        .says(&token("primary"), 1, &result(true, Some(403), revoked))
        .says(&token("spare"), 0, &result(false, None, "ok"))
        .says(&token("busy"), 1, &result(true, Some(429), busy));
    let program = scene.program(bao);
    let ran = program.run(&["verify", "--no-stamp", PRIMARY, SPARES[0], SPARES[1]]);
    let printed = ran.exits(2).stdout.clone();
    bao.put("secret", SPARES[1], json!({ FIELD: token("primary") }))
        .await;
    printed
}

#[tokio::test]
async fn its_outputs_are_printed_like_that() {
    let printed = printed().await;
    let lines: BTreeSet<_> = printed.lines().map(alike).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for code in codes(GUIDE) {
        for line in code.outputs() {
            count += 1;
            if !lines.contains(&alike(&line)) {
                wrong.push(format!("{}: {line}", code.place));
            }
        }
    }
    assert!(count > 50, "{count} lines of output");
    assert!(wrong.is_empty(), "{}\n\n{printed}", wrong.join("\n"));
}

/// Follows the instructions of each image, in a folder of our own in the place of the image's.
#[test]
fn its_image_can_be_built() {
    let images = codes(GUIDE)
        .into_iter()
        .filter(|code| code.language == "dockerfile");
    let mut count = 0;
    for image in images {
        count += 1;
        let program = Program::new();
        let root = program.home().join("image");
        let mut copied = BTreeSet::new();
        for line in image.text.lines() {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["COPY", source, folder] => {
                    assert_eq!(
                        Some(source),
                        Path::new(BINARY).file_name().unwrap().to_str()
                    );
                    assert!(folder.ends_with('/'), "{line}");
                    copied.insert(format!("{folder}{source}"));
                }
                ["RUN", command, ref arguments @ ..] => {
                    assert!(copied.contains(command), "{line}: nothing was copied there");
                    let arguments: Vec<_> = arguments
                        .iter()
                        .map(|argument| match argument.strip_prefix('/') {
                            Some(path) => root.join(path).to_str().unwrap().to_owned(),
                            None => (*argument).to_owned(),
                        })
                        .collect();
                    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
                    program.run(&arguments).exits(0).is_quiet();
                }
                _ => panic!("{}: nothing checks {line:?}", image.place),
            }
        }
        assert!(root.is_dir(), "{} installs nothing", image.place);
    }
    assert_eq!(count, 1, "images in {GUIDE}");
}
