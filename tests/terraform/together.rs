//! Runs that meet others, or are broken off.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::stack::{AGENT_BLOCK, POOL_BLOCK, PRIMARY, Stack, errors};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Gate, Proxy, Step};
use crate::support::terraform::Workspace;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_stacks_adopt_the_same_token_at_once() {
    let stack = Stack::start("two").await;
    let before = stack.everything(PRIMARY).await;
    stack.write(&format!("{AGENT_BLOCK}{POOL_BLOCK}"));
    let other = Workspace::new("two-other");
    other.write(
        "main.tf",
        &std::fs::read_to_string(stack.workspace.folder().join("main.tf")).unwrap(),
    );
    let address = stack.bao.address().to_owned();
    let other = tokio::task::spawn_blocking(move || {
        let apply = other
            .command(["apply", "-auto-approve"])
            .env("VAULT_ADDR", address)
            .env("VAULT_TOKEN", OpenBao::ROOT);
        apply.run()
    });
    let apply = stack.workspace.apply();
    apply.exits(0);
    other.await.unwrap().exits(0);
    stack.is_quiet();
    assert_eq!(stack.everything(PRIMARY).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_second_apply_of_one_state_is_turned_away() {
    let mut stack = Stack::start("locked").await;
    let gate = Gate::closed();
    let held = [Step::Hold(gate.clone())];
    let proxy = Proxy::before(stack.bao.address(), held).await;
    stack.workspace.set("VAULT_ADDR", proxy.address());
    stack.write(AGENT_BLOCK);
    let second = Workspace::new("locked-second");
    let chdir = format!("-chdir={}", stack.workspace.folder().display());
    let first = tokio::task::spawn_blocking(move || {
        let apply = stack.workspace.apply();
        (stack, apply)
    });
    while proxy.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let turned_away = second
        .command([chdir.as_str(), "apply", "-auto-approve"])
        .env("VAULT_ADDR", proxy.address())
        .env("VAULT_TOKEN", OpenBao::ROOT)
        .run();
    gate.open();
    turned_away.exits(1);
    assert_eq!(errors(&turned_away), ["Error acquiring the state lock"]);
    let (stack, apply) = first.await.unwrap();
    apply.exits(0);
    // One read to adopt, one merge to stamp.
    assert_eq!(proxy.seen().len(), 2);
    stack.is_quiet();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ctrl_c_ends_a_run_that_waits_for_vault() {
    let mut stack = Stack::start("interrupted").await;
    stack.applied(AGENT_BLOCK);
    let hanging = [Step::Delay(Duration::from_secs(600)), Step::Drip];
    let proxy = Arc::new(Proxy::before(stack.bao.address(), hanging).await);
    stack.workspace.set("VAULT_ADDR", proxy.address());
    // An answer that never comes, and one that never ends.
    for _ in 0..2 {
        let before = proxy.seen().len();
        let watched = Arc::clone(&proxy);
        let (sender, receiver) = mpsc::channel();
        let run = stack.workspace.command(["plan"]).interrupted(move || {
            while watched.seen().len() == before {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = sender.send(Instant::now());
        });
        let run = run.run();
        let pressed = receiver.recv().unwrap();
        assert!(
            pressed.elapsed() < Duration::from_secs(10),
            "{}",
            run.transcript()
        );
        run.exits(1)
            .says("The last known state is kept. To continue, run the command again.");
        assert_eq!(errors(&run), ["Operation interrupted"]);
    }
    stack.workspace.set("VAULT_ADDR", stack.bao.address());
    stack.is_quiet();
}
