//! The command line, and what a person reads who starts the program by hand.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::clock::{Clock as _, SystemClock};
use crate::env::{self, Environment};
use crate::log;
use crate::plugin::{self, HandshakeEnvironment, Plugin, ServeError};
use crate::provider::{self, ClaudeProvider};
use crate::sdk::ProviderService;

/// Cookie by which Terraform and OpenTofu tell a plugin that they started it.
const MAGIC_COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// Major version of the plugin protocol.
const PROTOCOL_VERSION: u32 = 6;

const VERSION: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n");

const ABOUT: &str = concat!(
    env!("CARGO_PKG_NAME"),
    " is a provider for Terraform and OpenTofu. They start it themselves;\n",
    "run by hand it does nothing. See `--help` for what it can tell or do for a developer.\n",
);

const HELP: &str = concat!(
    "Provider for Terraform and OpenTofu, which start it without arguments.\n",
    "\n",
    "Usage: ",
    env!("CARGO_PKG_NAME"),
    " [--version | --help | --debug]\n",
    "\n",
    "  --version  Print name and version.\n",
    "  --help     Print this text.\n",
    "  --debug    Serve in plaintext until interrupted, and print the variable\n",
    "             TF_REATTACH_PROVIDERS that makes Terraform use this process.\n",
);

const DEBUG_HINT: &str =
    "Set the variable below where you run Terraform; an interrupt ends this.\n";

/// Exit status of a program that was started in a wrong way.
const EXIT_USAGE: u8 = 2;

/// What the command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Serve,
    Debug,
    Version,
    Help,
}

/// Runs the program and returns its exit status: 0, 1 for a failure, 2 for wrong arguments.
///
/// `arguments` do not include the program's name.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Arc<dyn Environment>,
) -> ExitCode {
    match command(arguments) {
        Some(Command::Version) => print(&mut io::stdout(), VERSION),
        Some(Command::Help) => print(&mut io::stdout(), HELP),
        Some(Command::Serve) => serve(false, environment),
        Some(Command::Debug) => serve(true, environment),
        None => {
            // What was typed is not repeated: it may be a token that went to the wrong place.
            print(&mut io::stderr(), "Unknown argument.\n\n");
            print(&mut io::stderr(), HELP);
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// Reads the command line, which has one argument at most.
fn command(arguments: impl IntoIterator<Item = OsString>) -> Option<Command> {
    let mut arguments = arguments.into_iter();
    let Some(first) = arguments.next() else {
        return Some(Command::Serve);
    };
    if arguments.next().is_some() {
        return None;
    }
    match first.to_str()? {
        "--version" | "-V" => Some(Command::Version),
        "--help" | "-h" => Some(Command::Help),
        "--debug" => Some(Command::Debug),
        _ => None,
    }
}

/// Serves a host, or in debug mode whichever host comes.
fn serve(debug: bool, environment: &Arc<dyn Environment>) -> ExitCode {
    let handshake = handshake(&**environment);
    if !debug && handshake.check_cookie(MAGIC_COOKIE).is_err() {
        print(&mut io::stderr(), ABOUT);
        return ExitCode::FAILURE;
    }
    log::install_panic_hook();
    if let Some(level) = log::level(&**environment) {
        log::install(level, || SystemClock.now());
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let provider = ClaudeProvider::new(Arc::clone(environment), Arc::new(SystemClock));
    let service = ProviderService::new(provider);
    let plugin = Plugin {
        cookie: MAGIC_COOKIE,
        protocol_version: PROTOCOL_VERSION,
        routes: Routes::new(service.server()),
        stop: CancellationToken::new(),
    };
    let outcome: Result<(), ServeError> = runtime.block_on(async {
        let outcome = if debug {
            print(&mut io::stderr(), DEBUG_HINT);
            plugin::serve_for_reattach(plugin, &handshake, provider::ADDRESS).await
        } else {
            plugin::serve(plugin, &handshake).await
        };
        service.close().await;
        outcome
    });
    // Whatever still runs has had its time; the end of the process does not wait for it.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

/// Reads what the host says in the environment.
fn handshake(environment: &dyn Environment) -> HandshakeEnvironment {
    let path = |name| environment.get(name).map(PathBuf::from);
    HandshakeEnvironment {
        cookie: environment.get(env::TF_PLUGIN_MAGIC_COOKIE),
        protocol_versions: environment.get(env::PLUGIN_PROTOCOL_VERSIONS),
        client_certificate: environment.get(env::PLUGIN_CLIENT_CERT),
        socket_folder: path(env::PLUGIN_UNIX_SOCKET_DIR),
        socket_group: environment.get(env::PLUGIN_UNIX_SOCKET_GROUP),
        temporary_folder: path(env::TMPDIR),
        min_port: environment.get(env::PLUGIN_MIN_PORT),
        max_port: environment.get(env::PLUGIN_MAX_PORT),
        multiplex: environment.get(env::PLUGIN_MULTIPLEX_GRPC).is_some(),
    }
}

/// Writes a text; where nobody listens there is nobody to tell.
fn print(output: &mut dyn io::Write, text: &str) -> ExitCode {
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Tells why the program ends, with every cause.
fn fail(error: &dyn Error) -> ExitCode {
    let mut text = format!("[ERROR] {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.push('\n');
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Option<Command> {
        command(arguments.iter().map(OsString::from))
    }

    #[test]
    fn one_known_argument_or_none() {
        assert_eq!(parsed(&[]), Some(Command::Serve));
        assert_eq!(parsed(&["--version"]), Some(Command::Version));
        assert_eq!(parsed(&["--help"]), Some(Command::Help));
        assert_eq!(parsed(&["--debug"]), Some(Command::Debug));
        assert_eq!(parsed(&["serve"]), None);
        assert_eq!(parsed(&["--debug", "--version"]), None);
        assert_eq!(parsed(&[""]), None);
    }
}
