//! Wrong command lines: what is said, and that nothing of them is repeated.

use crate::support::secrets::{LeakSearch, token};

use super::program::Program;

#[test]
fn a_token_is_no_argument() {
    let value = token("typed as an argument");
    let mut search = LeakSearch::new();
    search.plant("argument", &value);
    let option = format!("--token={value}");
    let minted = format!("--minted-at={value}");
    let program = Program::new();
    for arguments in [
        &["store", "agent", &value][..],
        &["store", &value],
        &["store", &option, "agent"],
        &["store", "agent", &minted],
        &["store", "agent", "hunter2"],
        &["store", "agent", "--token", "hunter2"],
        &["status", &value],
        &["install", "--dir", &value],
        &[&value],
    ] {
        let ran = program.run(arguments);
        ran.exits(2)
            .prints_nothing()
            .tells("A token comes only from the prompt or standard input")
            .tells("terraform-provider-claude store PATH");
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
        ran.search(&mut search);
    }
    for (command, code, advised) in [
        ("find", 2, "terraform-provider-claude find "),
        ("verify", 1, "terraform-provider-claude verify - "),
    ] {
        let ran = program.run(&[command, &value]);
        ran.exits(code).prints_nothing().tells(advised);
        assert!(!ran.stderr.contains("PATH"), "{ran:?}");
        ran.search(&mut search);
    }
    search.assert_clean();
}

#[test]
fn wrong_arguments_are_explained_and_not_repeated() {
    let program = Program::new();
    for (arguments, told) in [
        (&["frobnicate"][..], "there is no such command"),
        (
            &["statsu"],
            "there is no such command; did you mean status?",
        ),
        (
            &["help", "verfy"],
            "there is no such command; did you mean verify?",
        ),
        (
            &["status", "--jsno"],
            "there is no such option; did you mean --json?",
        ),
        (&["status", "--frobnicate"], "there is no such option"),
        (&["store"], "PATH is missing"),
        (&["store", "agent", "--field"], "--field needs a value"),
        (&["install", "frobnicate"], "there are too many arguments"),
        (
            &["status", "--lifetime-days", "frobnicate"],
            "--lifetime-days takes a whole number of days",
        ),
        (&["--debug", "frobnicate"], "there are too many arguments"),
    ] {
        let ran = program.run(arguments);
        ran.exits(2).prints_nothing().tells(told).tells("--help");
        for word in ["frobnicate", "statsu", "verfy", "jsno"] {
            assert!(!ran.stderr.contains(word), "{ran:?}");
        }
    }
}

#[test]
fn wrong_values_are_told_before_anything_is_asked() {
    let program = Program::new();
    for (arguments, told) in [
        (&["store", "/agent"][..], "The path starts with `/`"),
        (&["store", "a#b"], "Character 2 of the path is `#`"),
        (
            &["store", "agent", "--minted-at", "yesterday"],
            "not an RFC 3339 timestamp",
        ),
        (
            &["store", "agent", "--minted-at", "2999-01-01T00:00:00Z"],
            "cannot be more than a day in the future",
        ),
        (&["store", "agent", "--mount", "/"], "Invalid mount"),
        (
            &["status", "--lifetime-days", "0"],
            "`lifetime_days` must be from 1 to 36500",
        ),
        (
            &["status", "--lifetime-days", "20"],
            "must be less than `lifetime_days`",
        ),
        (&["status", "spare-{1,2"], "at most one pair of braces"),
        (&["status", "spare-{2,2}"], "contains `spare-2` twice"),
        (
            &["status", "agent*"],
            "is not a valid path: character 6 of the path is `*`",
        ),
        (&["status", "a//"], "Invalid PATH"),
    ] {
        program.run(arguments).exits(2).prints_nothing().tells(told);
    }
    let detailed = ["status", "--detailed-exitcode", "a//"];
    program.run(&detailed).exits(1).tells("Invalid PATH");
    for arguments in [
        &["status", "--detailed-exitcode", "--nothing"][..],
        &["status", "--metrics", "--nothing"],
        &["status", "--metrics", "a//"],
        &["status", "--metrics", "--json"],
        &["status", "--metrics", "--detailed-exitcode"],
    ] {
        program.run(arguments).exits(1).prints_nothing();
    }
}

#[test]
fn each_command_has_a_help_that_names_its_options() {
    let program = Program::new();
    for (command, options) in [
        ("install", &["--dir"][..]),
        (
            "store",
            &[
                "--minted-at",
                "--stamp-only",
                "--repair",
                "--account",
                "--verify",
                "--any-length",
                "--mount",
                "--field",
                "claude setup-token",
            ],
        ),
        (
            "status",
            &[
                "--json",
                "--metrics",
                "--detailed-exitcode",
                "--rotate-before-days",
                "in_date",
                "spent",
                "duplicate",
                "claude_token_spare_pool calls a spare available",
            ],
        ),
        (
            "verify",
            &[
                "--claude",
                "--control",
                "--if-older-than",
                "--keep-env",
                "--no-stamp",
                "--json",
            ],
        ),
        ("exec", &["--env", "127", "126"]),
        ("find", &["--fingerprint", "--json"]),
        ("promote", &["--spare", "--dry-run"]),
    ] {
        let ran = program.run(&[command, "--help"]);
        ran.exits(0).is_quiet();
        let same = program.run(&["help", command]);
        assert_eq!(same.exits(0).stdout, ran.stdout);
        for option in options {
            ran.prints(option);
        }
        program.run(&["--help"]).exits(0).prints(command);
        let wide = ran.stdout.lines().filter(|line| line.len() > 80).count();
        assert_eq!(wide, 0, "{}", ran.stdout);
    }
}

#[test]
fn settings_that_cannot_be_used_are_the_providers_errors() {
    let wrong = Program::new().with("VAULT_ADDR", "ftp://vault.example.com");
    for command in ["store", "status"] {
        wrong
            .run(&[command, "agent"])
            .exits(1)
            .prints_nothing()
            .tells("Error: Invalid address in VAULT_ADDR");
    }
    Program::new()
        .with("TF_CLAUDE_NOW", "tomorrow")
        .run(&["status", "agent"])
        .exits(1)
        .tells("Invalid date in TF_CLAUDE_NOW");
}
