//! The commands on a terminal: a prompt that shows nothing, colours, and a width.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails ends its test"
)]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::json;

use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, token};

use super::program::{ENDING, FIELD, Program, in_days, words};

const LIMIT: Duration = Duration::from_secs(30);

/// Both ends of a terminal.
pub(super) struct Terminal {
    ours: OwnedFd,
    theirs: File,
}

impl Terminal {
    pub(super) fn new(columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&theirs, size).unwrap();
        Self { ours, theirs }
    }

    fn end(&self) -> Stdio {
        self.theirs.try_clone().unwrap().into()
    }

    fn shows_what_is_typed(&self) -> bool {
        let modes = tcgetattr(&self.theirs).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Waits until the prompt has turned the echo off.
    fn wait_for_prompt(&self) {
        let deadline = Instant::now() + LIMIT;
        while self.shows_what_is_typed() {
            assert!(Instant::now() < deadline, "no prompt came up");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the program has read what was typed.
    fn wait_until_read(&self) {
        let deadline = Instant::now() + LIMIT;
        while ioctl_fionread(&self.theirs).unwrap() > 0 {
            assert!(Instant::now() < deadline, "nobody reads what was typed");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn type_keys(&self, keys: &[u8]) {
        File::from(self.ours.try_clone().unwrap())
            .write_all(keys)
            .unwrap();
    }

    /// Returns what the terminal has shown, once nobody has it open any more.
    pub(super) fn shown(self) -> String {
        let Self { ours, theirs } = self;
        drop(theirs);
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        let mut ours = File::from(ours);
        // Linux ends with an error, other systems with nothing.
        while let Ok(count @ 1..) = ours.read(&mut chunk) {
            bytes.extend_from_slice(&chunk[..count]);
        }
        String::from_utf8(bytes).unwrap()
    }
}

/// Starts the program at the prompt of `store`.
pub(super) fn at_prompt(program: &Program, terminal: &Terminal, path: &str) -> Child {
    let child = program
        .command(&["store", path])
        .stdin(terminal.end())
        .stdout(Stdio::piped())
        .stderr(terminal.end())
        .spawn()
        .unwrap();
    terminal.wait_for_prompt();
    child
}

pub(super) fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[tokio::test]
async fn what_is_typed_is_not_shown() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let value = token("typed at the prompt");
    let mut search = LeakSearch::new();
    search.plant("typed", &value);
    let terminal = Terminal::new(80);
    let child = at_prompt(&program, &terminal, "agent");
    terminal.type_keys(format!("{value}\r").as_bytes());
    let (code, stdout) = ended(child);
    assert_eq!(code, Some(0), "{stdout}");
    assert!(
        terminal.shows_what_is_typed(),
        "the terminal is not as it was"
    );
    let shown = terminal.shown();
    assert!(
        words(&shown).contains(
            "secret/agent does not exist yet: this creates it. Paste the token for \
             secret/agent#claude_oauth_token"
        ),
        "{shown}"
    );
    assert!(shown.contains("108 characters read"), "{shown}");
    assert!(
        stdout.contains("Stored at secret/agent#claude_oauth_token"),
        "{stdout}"
    );
    search.text("the terminal", &shown);
    search.text("standard output", &stdout);
    search.assert_clean();
}

#[tokio::test]
async fn every_way_out_of_the_prompt_gives_the_terminal_back() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let key = |terminal: &Terminal, keys: &[u8], child| {
        terminal.type_keys(keys);
        ended(child)
    };
    for (keys, code, told) in [
        (
            &b"sk-ant-oat01-abc\x03"[..],
            130,
            "Interrupted. Nothing was stored.",
        ),
        (b"\x04", 1, "No token was entered"),
        (b"   \r", 1, "No token was entered"),
    ] {
        let terminal = Terminal::new(80);
        let child = at_prompt(&program, &terminal, "agent");
        let (ended_with, stdout) = key(&terminal, keys, child);
        assert_eq!((ended_with, stdout.as_str()), (Some(code), ""));
        assert!(
            terminal.shows_what_is_typed(),
            "the terminal is not as it was"
        );
        let shown = terminal.shown();
        assert!(shown.contains(told) && !shown.contains("sk-ant"), "{shown}");
    }
    for signal in ENDING {
        let terminal = Terminal::new(80);
        let child = at_prompt(&program, &terminal, "agent");
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(ended(child), (Some(130), String::new()), "{signal:?}");
        assert!(
            terminal.shows_what_is_typed(),
            "the terminal is not as it was"
        );
    }
}

/// Longest pause between parts of a paste. After 150 ms the prompt is done.
const LONGEST_PAUSE: Duration = Duration::from_millis(80);

/// Runs the prompt of `store` on what is typed in parts, each a moment after the one before.
fn typed_in_parts(program: &Program, parts: &[&[u8]]) -> (Option<i32>, String, String) {
    loop {
        let terminal = Terminal::new(80);
        let mut child = at_prompt(program, &terminal, "agent");
        let mut longest = Duration::ZERO;
        for (number, part) in parts.iter().enumerate() {
            let before = Instant::now();
            if number > 0 {
                // The time between two lines of a paste; nothing shows that the first was read.
                thread::sleep(Duration::from_millis(20));
                longest = longest.max(before.elapsed());
            }
            terminal.type_keys(part);
        }
        if longest > LONGEST_PAUSE {
            // This test was held up, and the prompt rightly takes that for the end.
            child.kill().unwrap();
            child.wait().unwrap();
            continue;
        }
        let (code, stdout) = ended(child);
        assert!(terminal.shows_what_is_typed());
        return (code, stdout, terminal.shown());
    }
}

#[tokio::test]
async fn no_part_of_a_wrapped_token_is_left_to_the_shell() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let value = token("wrapped");
    let mut search = LeakSearch::new();
    search.plant("wrapped", &value);
    let first = format!("{}\r", &value[..80]);
    let second = format!("{}\r", &value[80..]);
    let (code, stdout, shown) = typed_in_parts(&program, &[first.as_bytes(), second.as_bytes()]);
    assert_eq!((code, &*stdout), (Some(1), ""), "{shown}");
    assert!(words(&shown).contains("109 characters read"), "{shown}");
    search.text("the terminal", &shown);
    search.assert_clean();
}

#[tokio::test]
async fn marks_of_a_paste_are_no_part_of_it() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let value = token("marked");
    let keys = format!("\u{1b}[200~{value}\u{1b}[201~\r");
    let (code, stdout, shown) = typed_in_parts(&program, &[keys.as_bytes()]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("108 characters read"), "{shown}");
    assert!(stdout.contains("Stored at"), "{stdout}");
}

#[tokio::test]
async fn a_pause_gives_the_terminal_back_and_keeps_what_was_typed() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let value = token("paused");
    let by_key = |terminal: &Terminal| terminal.type_keys(b"\x1a");
    let by_signal = |child: &Child| {
        kill_process(Pid::from_child(child), Signal::TSTP).unwrap();
    };
    for (number, by_signal_alone) in [false, true].into_iter().enumerate() {
        let terminal = Terminal::new(80);
        let child = at_prompt(&program, &terminal, &format!("agent-{number}"));
        terminal.type_keys(&value.as_bytes()[..50]);
        thread::sleep(Duration::from_millis(100));
        terminal.wait_until_read();
        if by_signal_alone {
            by_signal(&child);
        } else {
            by_key(&terminal);
        }
        let deadline = Instant::now() + LIMIT;
        while !terminal.shows_what_is_typed() {
            assert!(Instant::now() < deadline, "the terminal is not as it was");
            thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), Signal::CONT).unwrap();
        terminal.wait_for_prompt();
        terminal.type_keys(&value.as_bytes()[50..]);
        terminal.type_keys(b"\r");
        let (code, stdout) = ended(child);
        assert_eq!(code, Some(0), "{stdout}");
        assert!(terminal.shown().contains("108 characters read"));
    }
}

/// A server that takes requests and never answers.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_store_while_vault_hangs() {
    use crate::support::proxy::{Proxy, Step};

    let bao = OpenBao::start().await;
    for (script, told) in [
        (vec![Step::Hang], "Interrupted. Nothing was stored."),
        (
            vec![Step::Pass, Step::Pass, Step::Hang, Step::Hang],
            "Interrupted. The token may have been stored",
        ),
    ] {
        let hangs_at_once = script.len() == 1;
        let requests = if hangs_at_once { 1 } else { 3 };
        let proxy = Proxy::before(bao.address(), script).await;
        let program = Program::at(&bao).with("VAULT_ADDR", proxy.address());
        for signal in [Signal::INT, Signal::TERM] {
            proxy.then([Step::Hang]);
            let seen = proxy.seen().len();
            let mut child = program
                .command(&["store", "agent"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut input = child.stdin.take().unwrap();
            input.write_all(token("hanging").as_bytes()).unwrap();
            drop(input);
            let deadline = Instant::now() + LIMIT;
            while proxy.seen().len() < seen + requests {
                assert!(Instant::now() < deadline, "{:?}", proxy.seen());
                thread::sleep(Duration::from_millis(5));
            }
            kill_process(Pid::from_child(&child), signal).unwrap();
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(130), "{stderr}");
            assert!(stderr.contains(told), "{stderr}");
            if !hangs_at_once {
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_was_stored_is_told_where_standard_output_is_full() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        crate::support::leave_out("a full standard output, since this system has no /dev/full");
        return;
    };
    let mut child = program
        .command(&["store", "agent"])
        .stdin(Stdio::piped())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(token("full").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("Stored at secret/agent#"), "{stderr}");
}

/// Runs `status` with its standard output on a terminal of this width.
pub(super) fn status(program: &Program, columns: u16, variable: Option<&str>) -> String {
    let terminal = Terminal::new(columns);
    let mut command: Command = program.command(&["status"]);
    command.env("TERM", "xterm");
    if let Some(name) = variable {
        command.env(name, "1");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(terminal.end())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(command);
    let reader = thread::spawn(move || terminal.shown());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    reader.join().unwrap_or_else(|_| panic!("nobody read"))
}

#[tokio::test]
async fn a_table_has_colours_and_fits() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    for path in ["claude-agent-service", "claude-agent-service-spare-1"] {
        bao.put("secret", path, json!({ FIELD: token(path) })).await;
    }
    let minted = in_days(5 - 365);
    let stamp = [
        "store",
        "claude-agent-service",
        "--stamp-only",
        "--minted-at",
        &minted,
    ];
    program.run(&stamp).exits(0);
    let wide = status(&program, 140, None);
    assert!(
        wide.contains("\u{1b}[33mrotation_due\u{1b}[0m") && wide.contains("\u{1b}[32min_date"),
        "{wide}"
    );
    let plain = status(&program, 140, Some("NO_COLOR"));
    assert!(
        !plain.contains('\u{1b}') && plain.contains("MINTED"),
        "{plain}"
    );
    for columns in [60, 72, 80, 100] {
        let table = status(&program, columns, Some("NO_COLOR"));
        for line in table.lines() {
            assert!(
                line.chars().count() <= columns.into(),
                "{columns}:\n{table}"
            );
        }
        assert!(
            table.contains("rotation_due") && table.contains("EXPIRES"),
            "{table}"
        );
    }
}
