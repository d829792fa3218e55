use super::*;

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
    assert_eq!(problem(&["serve"]), Problem::UnknownCommand);
    assert_eq!(problem(&[""]), Problem::UnknownCommand);
    assert_eq!(problem(&["--json"]), Problem::UnknownOption);
    assert_eq!(problem(&["-x"]), Problem::UnknownOption);
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
        assert!(parsed(&["status", option]).unwrap_err().two_means_due);
    }
}

#[test]
fn each_command_has_its_help() {
    for (name, topic) in [
        ("install", Topic::Install),
        ("store", Topic::Store),
        ("status", Topic::Status),
    ] {
        assert_eq!(parsed(&[name, "--help"]), Ok(Command::Help(topic)));
        assert_eq!(parsed(&[name, "-h"]), Ok(Command::Help(topic)));
        assert_eq!(parsed(&[name, "--nothing"]).unwrap_err().topic, topic);
        assert_eq!(topic.name(), name);
    }
}

#[test]
fn options_come_before_and_after_paths() {
    let scope = Scope {
        mount: Some("kv".to_owned()),
        field: Some("token".to_owned()),
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
    assert!(store.stamp_only);
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
        (&["install", "--mount=kv"], Problem::UnknownOption),
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
        assert_eq!(error.two_means_due, expected, "{option}");
    }
}
