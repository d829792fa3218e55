//! The memory of a provider that lives on after it has read, stored and promoted tokens.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::host::{BOUND, Process};
use crate::support::lacks;
use crate::support::leave_out;
use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, letters, token};
use crate::support::terraform::{Run, Workspace};

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

/// Searches all of a process's memory that can be written, but for its environment.
fn search(process: u32, search: &mut LeakSearch) -> std::io::Result<()> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
    let memory = File::open(format!("/proc/{process}/mem"))?;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut piece = vec![0; PIECE];
        let mut at = start;
        while at < end {
            let length = PIECE.min(usize::try_from(end - at).unwrap());
            memory.read_exact_at(&mut piece[..length], at)?;
            search.raw(&format!("{line} + {:x}", at - start), &piece[..length]);
            // The next piece begins inside this one, so that nothing lies across an edge.
            at += u64::try_from(length).unwrap();
            if at < end {
                at -= 4096;
            }
        }
    }
    Ok(())
}

fn configuration(reason: &str, fresh: bool) -> String {
    let stored = if fresh {
        "resource \"claude_oauth_token\" \"stored\" {\n  path             = \"stored\"\n  \
         token_wo         = var.token\n  token_wo_version = 1\n}\n"
    } else {
        ""
    };
    format!(
        "variable \"token\" {{\n  type      = string\n  default   = null\n  ephemeral = true\n}}\n\n\
         resource \"claude_oauth_token\" \"agent\" {{\n  path        = \"agent\"\n  \
         spare_paths = [\"spare\"]\n  rotate_when_changed = {{ {reason} }}\n}}\n\n\
         resource \"claude_token_spare_pool\" \"spares\" {{\n  paths         = [\"other\"]\n  \
         primary_path  = \"agent\"\n}}\n\ndata \"claude_oauth_tokens\" \"all\" {{}}\n\n{stored}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_token_is_left_after_a_plan_a_promotion_and_a_store() {
    let bao = OpenBao::start().await;
    let mut leaks = LeakSearch::new();
    leaks.plant("sibling", &letters("sibling", 40));
    for path in ["agent", "spare", "other"] {
        leaks.plant(path, &token(path));
        let sibling = letters("sibling", 40);
        let fields = json!({ "claude_oauth_token": token(path), "password": sibling });
        bao.put("secret", path, fields).await;
    }
    leaks.plant("stored", &token("stored"));
    leaks.plant("foreign", &letters("foreign", 40));
    let foreign = json!({ "password": letters("foreign", 40) });
    bao.put("secret", "database", foreign).await;
    let variables = [
        ("VAULT_ADDR", bao.address()),
        ("VAULT_TOKEN", OpenBao::ROOT),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut provider = Process::start(&["--debug"], &variables);
    let line = provider.first_line().await;
    let line = line
        .strip_prefix("TF_REATTACH_PROVIDERS='")
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap();
    let mut workspace = Workspace::new("memory");
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    workspace.set("TF_REATTACH_PROVIDERS", line);
    workspace.set("TF_VAR_token", token("stored"));
    let run = |arguments: &[&str]| -> Run {
        let command = workspace.command(arguments.iter().copied());
        command.without("TF_CLI_CONFIG_FILE").run()
    };

    workspace.configure(&configuration("", false));
    run(&["apply", "-auto-approve"]).exits(0);
    run(&["plan", "-detailed-exitcode"]).exits(0);
    workspace.configure(&configuration("because = \"leaked\"", true));
    run(&["apply", "-auto-approve"]).exits(0);
    // An apply reads no data source again, and what one remembers ends with its configuration.
    run(&["plan", "-detailed-exitcode"]).exits(0);
    let promoted = bao.call("GET", "secret/data/agent", json!(null)).await.1;
    let held = promoted["data"]["data"]["claude_oauth_token"].as_str();
    assert!(held == Some(&token("spare")), "nothing was promoted");
    let stored = bao.call("GET", "secret/data/stored", json!(null)).await.1;
    let held = stored["data"]["data"]["claude_oauth_token"].as_str();
    assert!(held == Some(&token("stored")), "nothing was stored");

    // Connections to Vault are closed, and their buffers wiped, a moment after their last use.
    let deadline = Instant::now() + BOUND;
    loop {
        if let Err(error) = search(provider.id(), &mut leaks) {
            leave_out(&format!("memory of a process: {error}"));
            return;
        }
        if leaks.leaks().is_empty() || Instant::now() > deadline {
            return leaks.assert_clean();
        }
        leaks.forget();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
