//! The parsed command line. Errors never repeat what was typed, because it may be a misplaced
//! token.

mod command;
mod given;
mod problem;
mod words;

use std::ffi::OsString;

use given::{Given, Spec};

pub(super) use command::{
    Command, Exec, Find, Format, Install, Promote, Source, Status, Store, Verify,
};
pub(super) use problem::{Problem, UsageError};
pub(super) use words::Topic;

/// Prefixes of Anthropic's credentials, in plain text and in Base64.
const CREDENTIALS: [&str; 2] = ["sk-ant-", "c2stYW50"];

/// Options for where tokens are.
const PLACE: &[&str] = &["--mount", "--field"];
/// Options for how long tokens live.
const DAYS: &[&str] = &["--lifetime-days", "--rotate-before-days"];

const INSTALL: Spec = Spec {
    flags: &["--packed"],
    values: &[&["--dir"]],
    runs_command: false,
};

const STORE: Spec = Spec {
    flags: &["--any-length", "--repair", "--stamp-only", "--verify"],
    values: &[PLACE, DAYS, &["--account", "--claude", "--minted-at"]],
    runs_command: false,
};

const STATUS: Spec = Spec {
    flags: &["--detailed-exitcode", "--json", "--metrics"],
    values: &[PLACE, DAYS],
    runs_command: false,
};

const VERIFY: Spec = Spec {
    flags: &["--control", "--json", "--no-stamp"],
    values: &[PLACE, &["--claude", "--if-older-than", "--keep-env"]],
    runs_command: true,
};

const EXEC: Spec = Spec {
    flags: &[],
    values: &[PLACE, DAYS, &["--env"]],
    runs_command: true,
};

const FIND: Spec = Spec {
    flags: &["--json"],
    values: &[&["--mount", "--fingerprint"]],
    runs_command: false,
};

const PROMOTE: Spec = Spec {
    flags: &["--dry-run"],
    values: &[PLACE, DAYS, &["--spare"]],
    runs_command: false,
};

const HELP: Spec = Spec {
    flags: &[],
    values: &[],
    runs_command: false,
};

/// Reads the arguments of the program, which has at least one.
pub(super) fn parse(mut arguments: Vec<OsString>) -> Result<Command, UsageError> {
    let topic = words::topic_of(&arguments[0]).unwrap_or(Topic::Program);
    let own = words::own_part(topic, &arguments);
    // A typing error in the name must not look like the result that a token is due.
    let two_is_taken = matches!(topic, Topic::Verify | Topic::Exec)
        || own.iter().any(|argument| {
            let argument = argument.to_string_lossy();
            let argument = argument.trim_start_matches('-');
            argument.starts_with("detail")
                || argument.starts_with("metric")
                || (topic == Topic::Store && argument.starts_with("verif"))
        });
    let has_credential = own.iter().any(|argument| {
        let argument = argument.to_string_lossy();
        CREDENTIALS.iter().any(|start| argument.contains(start))
    });
    let parsed = if has_credential {
        Err(Problem::Token)
    } else {
        let rest = arguments.split_off(1);
        command(&arguments[0], &rest)
    };
    parsed.map_err(|problem| UsageError {
        problem,
        topic,
        two_is_taken,
    })
}

fn command(first: &OsString, rest: &[OsString]) -> Result<Command, Problem> {
    if let Some(flag) = words::program_flag(first) {
        let command = match flag {
            "--version" => Command::Version,
            "--debug" => Command::Debug,
            _ => Command::Help(Topic::Program),
        };
        return if rest.is_empty() {
            Ok(command)
        } else {
            Err(Problem::TooMany)
        };
    }
    let topic = words::topic_of(first).ok_or_else(|| words::unknown(first))?;
    let spec = match topic {
        Topic::Install => &INSTALL,
        Topic::Store => &STORE,
        Topic::Status => &STATUS,
        Topic::Verify => &VERIFY,
        Topic::Exec => &EXEC,
        Topic::Find => &FIND,
        Topic::Promote => &PROMOTE,
        Topic::Program => &HELP,
    };
    let mut given = Given::read(spec, rest.to_vec())?;
    if given.flag("--help") {
        return Ok(Command::Help(topic));
    }
    match topic {
        Topic::Install => install(given),
        Topic::Store => store(given),
        Topic::Status => status(given),
        Topic::Verify => verify(given),
        Topic::Exec => exec(given),
        Topic::Find => find(given),
        Topic::Promote => promote(given),
        Topic::Program => help(given),
    }
}

fn help(mut given: Given) -> Result<Command, Problem> {
    let topic = match &given.words()?[..] {
        [] => Topic::Program,
        [word] => {
            let word = OsString::from(word);
            words::topic_of(&word).ok_or_else(|| words::unknown(&word))?
        }
        _ => return Err(Problem::TooMany),
    };
    Ok(Command::Help(topic))
}

fn install(mut given: Given) -> Result<Command, Problem> {
    if !given.words()?.is_empty() {
        return Err(Problem::TooMany);
    }
    Ok(Command::Install(Install {
        dir: given.raw("--dir"),
        packed: given.flag("--packed"),
    }))
}

fn store(mut given: Given) -> Result<Command, Problem> {
    let source = match (given.flag("--stamp-only"), given.flag("--repair")) {
        (true, true) => return Err(Problem::Conflict("--stamp-only", "--repair")),
        (true, false) => Source::Current,
        (false, true) => Source::Inside,
        (false, false) => Source::Input,
    };
    let (any_length, verify) = (given.flag("--any-length"), given.flag("--verify"));
    if source == Source::Current {
        for (is_given, name) in [(any_length, "--any-length"), (verify, "--verify")] {
            if is_given {
                return Err(Problem::Conflict("--stamp-only", name));
            }
        }
    }
    let claude = given.raw("--claude");
    if claude.is_some() && !verify {
        return Err(Problem::Needs("--claude", "--verify"));
    }
    Ok(Command::Store(Store {
        scope: given.scope()?,
        minted_at: given.value("--minted-at")?,
        account: given.value("--account")?,
        path: given.only_word(Problem::Token)?,
        source,
        any_length,
        verify,
        claude,
    }))
}

fn status(mut given: Given) -> Result<Command, Problem> {
    let (json, metrics) = (given.flag("--json"), given.flag("--metrics"));
    let detailed_exitcode = given.flag("--detailed-exitcode");
    let format = match (json, metrics) {
        (true, true) => return Err(Problem::Conflict("--json", "--metrics")),
        (true, false) => Format::Json,
        (false, true) => Format::Metrics,
        (false, false) => Format::Table,
    };
    if metrics && detailed_exitcode {
        return Err(Problem::Conflict("--metrics", "--detailed-exitcode"));
    }
    Ok(Command::Status(Status {
        scope: given.scope_of_fields()?,
        targets: given.words()?,
        format,
        detailed_exitcode,
    }))
}

fn verify(mut given: Given) -> Result<Command, Problem> {
    let command = given.command();
    let claude = given.raw("--claude");
    let control = given.flag("--control");
    match &command {
        Some(command) if command.is_empty() => return Err(Problem::NoCommand),
        Some(_) if claude.is_some() => return Err(Problem::Conflict("--claude", "COMMAND")),
        None if control => return Err(Problem::Needs("--control", "COMMAND")),
        _ => {}
    }
    let targets = given.words()?;
    if targets.is_empty() {
        return Err(Problem::NoPath);
    }
    let if_older_than = given.age("--if-older-than")?;
    if targets.iter().any(|target| target == "-") {
        if targets.len() > 1 {
            return Err(Problem::TooMany);
        }
        if if_older_than.is_some() {
            return Err(Problem::Conflict("--if-older-than", "-"));
        }
    }
    Ok(Command::Verify(Verify {
        scope: given.scope_of_fields()?,
        targets,
        command,
        claude,
        keep_env: given.variables("--keep-env")?,
        if_older_than,
        no_stamp: given.flag("--no-stamp"),
        control,
        json: given.flag("--json"),
    }))
}

fn exec(mut given: Given) -> Result<Command, Problem> {
    let command = given.command().unwrap_or_default();
    let path = given.only_word(Problem::NoCommand)?;
    if command.is_empty() {
        return Err(Problem::NoCommand);
    }
    Ok(Command::Exec(Exec {
        scope: given.scope()?,
        path,
        variable: given.variables("--env")?.pop(),
        command,
    }))
}

fn find(mut given: Given) -> Result<Command, Problem> {
    Ok(Command::Find(Find {
        scope: given.scope()?,
        fingerprint: given.value("--fingerprint")?,
        json: given.flag("--json"),
        targets: given.words()?,
    }))
}

fn promote(mut given: Given) -> Result<Command, Problem> {
    let spares = given.values("--spare")?;
    let path = given.only_word(Problem::TooMany)?;
    if spares.is_empty() {
        return Err(Problem::NoSpare);
    }
    Ok(Command::Promote(Promote {
        scope: given.scope()?,
        path,
        spares,
        dry_run: given.flag("--dry-run"),
    }))
}

#[cfg(test)]
mod tests;
