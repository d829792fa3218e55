//! Serving a host.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{output, run_to_end};
use crate::clock;
use crate::env::{self, Environment};
use crate::hardening;
use crate::log;
use crate::plugin::{self, HandshakeEnvironment, Plugin};
use crate::provider::{self, ClaudeProvider};
use crate::sdk::ProviderService;

/// Cookie with which Terraform and OpenTofu start a plugin.
const MAGIC_COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// Major version of the plugin protocol.
const PROTOCOL_VERSION: u32 = 6;

const ABOUT: &str = concat!(
    env!("CARGO_PKG_NAME"),
    " is a provider for Terraform and OpenTofu, which start it themselves.\n",
    "Run manually, it installs itself, stores tokens, and shows their status. See `--help`.\n",
);

const DEBUG_HINT: &str = "Set the variable below where you run Terraform. To stop, press Ctrl-C.\n";

/// Serves one host, or any host in debug mode.
pub(super) fn serve(debug: bool, environment: &Arc<dyn Environment>) -> ExitCode {
    let handshake = handshake(&**environment);
    if !debug && handshake.check_cookie(MAGIC_COOKIE).is_err() {
        output::note(ABOUT);
        return ExitCode::FAILURE;
    }
    log::install_panic_hook();
    if !debug {
        // A developer may attach a debugger.
        hardening::hide_memory();
    }
    if let Some(level) = log::level(&**environment) {
        log::install(level, clock::now);
    }
    let provider = ClaudeProvider::new(Arc::clone(environment));
    let service = ProviderService::new(provider);
    let plugin = Plugin {
        cookie: MAGIC_COOKIE,
        protocol_version: PROTOCOL_VERSION,
        calls: service.calls(),
        stop: CancellationToken::new(),
    };
    // Tasks that are still running have had their time.
    let outcome = run_to_end(async {
        let outcome = if debug {
            output::note(DEBUG_HINT);
            plugin::serve_for_reattach(plugin, &handshake, provider::ADDRESS).await
        } else {
            plugin::serve(plugin, &handshake).await
        };
        service.close().await;
        Ok::<_, Box<dyn Error>>(outcome?)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

/// Reads the host's variables from the environment.
fn handshake(environment: &dyn Environment) -> HandshakeEnvironment {
    let path = |name| environment.get(name).map(PathBuf::from);
    HandshakeEnvironment {
        cookie: environment.get(env::TF_PLUGIN_MAGIC_COOKIE),
        protocol_versions: environment.get(env::PLUGIN_PROTOCOL_VERSIONS),
        client_certificate: environment.get(env::PLUGIN_CLIENT_CERT),
        socket_folder: path(env::PLUGIN_UNIX_SOCKET_DIR),
        temporary_folder: path(env::TMPDIR),
        multiplex: environment.get(env::PLUGIN_MULTIPLEX_GRPC).is_some(),
    }
}

/// Explains why the program ends, with the chain of causes.
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
