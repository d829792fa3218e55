use super::*;
use crate::provider::operations::Scope;

fn parsed(arguments: &[&str]) -> Result<Command, UsageError> {
    parse(arguments.iter().map(OsString::from).collect())
}

fn problem(arguments: &[&str]) -> Problem {
    parsed(arguments).unwrap_err().problem
}

#[test]
fn a_flag_of_the_program_stands_alone() {
    assert_eq!(parsed(&["--version"]), Ok(Command::Version));
    assert_eq!(parsed(&["-V"]), Ok(Command::Version));
    assert_eq!(parsed(&["--help"]), Ok(Command::Help(Topic::Program)));
    assert_eq!(parsed(&["-h"]), Ok(Command::Help(Topic::Program)));
    assert_eq!(parsed(&["--debug"]), Ok(Command::Debug));
    assert_eq!(problem(&["--debug", "--version"]), Problem::TooMany);
    assert_eq!(problem(&["serve"]), Problem::UnknownCommand(None));
    assert_eq!(problem(&[""]), Problem::UnknownCommand(None));
    assert_eq!(problem(&["--json"]), Problem::UnknownOption(None));
    assert_eq!(problem(&["-x"]), Problem::UnknownOption(None));
}

#[test]
fn one_dash_does_as_in_terraform_and_vault() {
    assert_eq!(parsed(&["-version"]), Ok(Command::Version));
    assert_eq!(parsed(&["store", "-help"]), Ok(Command::Help(Topic::Store)));
    assert_eq!(
        parsed(&["status", "-json", "-detailed-exitcode", "-mount=kv", "a"]),
        parsed(&["status", "--json", "--detailed-exitcode", "--mount=kv", "a"])
    );
    assert_eq!(problem(&["store", "-token=x", "a"]), Problem::Token);
    let Ok(Command::Status(status)) = parsed(&["status", "--", "-json"]) else {
        panic!("a path");
    };
    assert_eq!(status.targets, ["-json"]);
}

#[test]
fn a_typing_error_is_not_taken_for_a_token_that_is_due() {
    for option in ["--detailed-exit-code", "--detailed-exitcod", "--metric"] {
        assert!(parsed(&["status", option]).unwrap_err().two_is_taken);
    }
}

#[test]
fn each_command_has_its_help() {
    assert_eq!(parsed(&["help"]), Ok(Command::Help(Topic::Program)));
    for topic in Topic::ALL {
        let name = topic.as_str();
        for arguments in [
            [name, "--help"],
            [name, "-h"],
            [name, "-help"],
            ["help", name],
        ] {
            assert_eq!(
                parsed(&arguments),
                Ok(Command::Help(topic)),
                "{arguments:?}"
            );
        }
        assert_eq!(parsed(&[name, "--nothing"]).unwrap_err().topic, topic);
    }
    assert_eq!(problem(&["help", "store", "status"]), Problem::TooMany);
    assert_eq!(
        problem(&["help", "stor"]),
        Problem::UnknownCommand(Some("store"))
    );
}

#[test]
fn a_mistyped_word_is_answered_with_the_nearest_known_one() {
    for (word, nearest) in [
        ("stat", "status"),
        ("verfy", "verify"),
        ("Promote", "promote"),
        ("instal", "install"),
    ] {
        assert_eq!(problem(&[word]), Problem::UnknownCommand(Some(nearest)));
    }
    for (arguments, nearest) in [
        (&["store", "--feild=x", "a"][..], "--field"),
        (&["status", "--detailed-exit-code"], "--detailed-exitcode"),
        (&["verify", "-jsn"], "--json"),
        (&["--verison"], "--version"),
    ] {
        let problem = problem(arguments);
        assert_eq!(
            problem,
            Problem::UnknownOption(Some(nearest)),
            "{arguments:?}"
        );
        assert!(
            problem
                .to_string()
                .ends_with(&format!("did you mean {nearest}?"))
        );
    }
}

#[test]
fn a_program_follows_two_hyphens() {
    let Ok(Command::Exec(exec)) = parsed(&[
        "exec", "--env=X", "agent", "--", "claude", "-p", "sk-ant-", "--", "--json",
    ]) else {
        panic!("a program");
    };
    assert_eq!(
        (&*exec.path, exec.variable.as_deref()),
        ("agent", Some("X"))
    );
    assert_eq!(exec.command, ["claude", "-p", "sk-ant-", "--", "--json"]);
    let Ok(Command::Verify(verify)) = parsed(&["verify", "-control", "a", "b", "--", "run"]) else {
        panic!("a program");
    };
    assert_eq!(verify.targets, ["a", "b"]);
    assert_eq!(verify.command, Some(vec!["run".into()]));
    assert!(verify.control);
    for (arguments, expected) in [
        (&["exec", "agent"][..], Problem::NoCommand),
        (&["exec", "agent", "claude"], Problem::NoCommand),
        (&["exec", "--", "claude"], Problem::NoPath),
        (
            &["exec", "--env=1X", "a", "--", "b"],
            Problem::NotVariable("--env"),
        ),
        (&["verify", "a", "--"], Problem::NoCommand),
        (&["verify", "--", "a"], Problem::NoPath),
        (
            &["verify", "--control", "a"],
            Problem::Needs("--control", "COMMAND"),
        ),
        (
            &["verify", "--claude=x", "a", "--", "b"],
            Problem::Conflict("--claude", "COMMAND"),
        ),
        (&["verify", "-", "a"], Problem::TooMany),
        (&["exec", "sk-ant-oat01-x", "--", "b"], Problem::Token),
    ] {
        assert_eq!(problem(arguments), expected, "{arguments:?}");
        assert!(parsed(arguments).unwrap_err().two_is_taken);
    }
}

#[test]
fn ages_and_lists_are_read() {
    let age = |text: &str| match parsed(&["verify", "--if-older-than", text, "a"]) {
        Ok(Command::Verify(verify)) => verify.if_older_than,
        _ => None,
    };
    assert_eq!(age("7d"), Some(604_800));
    assert_eq!(age("12h"), Some(43_200));
    assert_eq!(age("30m"), Some(1800));
    assert_eq!(age("0s"), Some(0));
    for wrong in ["7", "d", "1.5d", "7w", "4294967296d"] {
        assert_eq!(age(wrong), None, "{wrong}");
    }
    let Ok(Command::Verify(verify)) = parsed(&[
        "verify",
        "--keep-env=A,B",
        "--keep-env",
        "C",
        "--field=*",
        "a",
    ]) else {
        panic!("a list");
    };
    assert_eq!(verify.keep_env, ["A", "B", "C"]);
    assert!(verify.scope.every_field && verify.scope.field.is_none());
    let Ok(Command::Promote(promote)) =
        parsed(&["promote", "--spare=a", "p", "--spare", "b", "--dry-run"])
    else {
        panic!("spares");
    };
    assert_eq!(promote.spares, ["a", "b"]);
    assert!(promote.dry_run);
    assert_eq!(problem(&["promote", "p"]), Problem::NoSpare);
}

#[test]
fn ways_to_store_exclude_each_other() {
    for (arguments, expected) in [
        (
            &["store", "--stamp-only", "--repair", "a"][..],
            Problem::Conflict("--stamp-only", "--repair"),
        ),
        (
            &["store", "--stamp-only", "--verify", "a"],
            Problem::Conflict("--stamp-only", "--verify"),
        ),
        (
            &["store", "--claude=x", "a"],
            Problem::Needs("--claude", "--verify"),
        ),
    ] {
        assert_eq!(problem(arguments), expected, "{arguments:?}");
    }
    assert!(parsed(&["store", "--verify"]).unwrap_err().two_is_taken);
    assert!(!parsed(&["store", "--repair"]).unwrap_err().two_is_taken);
}

#[test]
fn options_come_before_and_after_paths() {
    let scope = Scope {
        mount: Some("kv".to_owned()),
        field: Some("token".to_owned()),
        every_field: false,
        lifetime_days: Some(90),
        rotate_before_days: Some(7),
    };
    let expected = Command::Status(Status {
        scope,
        targets: vec!["a-{1,2}".to_owned(), "team/".to_owned()],
        format: Format::Json,
        detailed_exitcode: true,
    });
    let arguments = [
        "status",
        "--mount=kv",
        "a-{1,2}",
        "--field",
        "token",
        "--lifetime-days",
        "90",
        "team/",
        "--rotate-before-days=7",
        "--json",
        "--detailed-exitcode",
    ];
    assert_eq!(parsed(&arguments), Ok(expected));
}

#[test]
fn a_path_may_follow_two_hyphens() {
    let Ok(Command::Store(store)) = parsed(&["store", "--stamp-only", "--", "-agent"]) else {
        panic!("two hyphens end the options");
    };
    assert_eq!(store.path, "-agent");
    assert_eq!(store.source, Source::Current);
}

#[test]
fn tokens_are_refused_wherever_they_stand() {
    for arguments in [
        &["store", "agent", "sk-ant-oat01-invented"][..],
        &["store", "agent", "invented"],
        &["store", "sk-ant-oat01-invented"],
        &["store", "--token", "invented", "agent"],
        &["store", "--token=invented", "agent"],
        &["store", "agent", "--minted-at=sk-ant-oat01-invented"],
        &["status", "--mount", "c2stYW50LW9hdDAx"],
        &["--sk-ant-oat01-invented"],
        &["sk-ant-api03-invented"],
    ] {
        assert_eq!(problem(arguments), Problem::Token, "{arguments:?}");
    }
}

#[test]
fn values_are_there_and_of_their_kind() {
    for (arguments, expected) in [
        (&["store"][..], Problem::NoPath),
        (&["store", "agent", "--field"], Problem::NoValue("--field")),
        (
            &["store", "--mount", "--field"],
            Problem::NoValue("--mount"),
        ),
        (&["install", "--dir="], Problem::NoValue("--dir")),
        (&["install", "somewhere"], Problem::TooMany),
        (&["install", "--mount=kv"], Problem::UnknownOption(None)),
        (
            &["status", "--lifetime-days=x"],
            Problem::NotDays("--lifetime-days"),
        ),
        (
            &["status", "--rotate-before-days", "1.5"],
            Problem::NotDays("--rotate-before-days"),
        ),
        (&["status", "--json=yes"], Problem::NeedlessValue),
        (
            &["status", "--json", "--metrics"],
            Problem::Conflict("--json", "--metrics"),
        ),
        (
            &["status", "--metrics", "--detailed-exitcode"],
            Problem::Conflict("--metrics", "--detailed-exitcode"),
        ),
    ] {
        assert_eq!(problem(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_wrong_line_that_asks_for_codes_of_its_own_says_so() {
    for (option, expected) in [
        ("--detailed-exitcode", true),
        ("--metrics", true),
        ("--json", false),
    ] {
        let error = parsed(&["status", option, "--nothing"]).unwrap_err();
        assert_eq!(error.two_is_taken, expected, "{option}");
    }
}
