//! The guard around each call: a span, the host's request to stop, and panics.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::failure::{Diagnostics, has_error};
use super::function;
use crate::protocol::Diagnostic;
use crate::protocol::generated::tfplugin6 as wire;
use crate::random::random_u64;

/// Rewrites the summary and detail of a message before it is sent. The first argument says whether
/// it is a warning.
pub type Rewrite = Arc<dyn Fn(bool, &str, &str) -> (String, String) + Send + Sync>;

/// A response that can carry diagnostics.
pub(super) trait Answer: Send {
    /// Appends diagnostics.
    fn add(&mut self, diagnostics: Diagnostics);

    /// Returns the current diagnostics.
    fn diagnostics(&mut self) -> &mut [wire::Diagnostic];
}

/// Implements [`Answer`] for responses with a plain list of diagnostics.
macro_rules! answers {
    ($($response:path),+ $(,)?) => {
        $(impl Answer for $response {
            fn add(&mut self, diagnostics: Diagnostics) {
                self.diagnostics.extend(diagnostics.iter().map(Into::into));
            }

            fn diagnostics(&mut self) -> &mut [wire::Diagnostic] {
                &mut self.diagnostics
            }
        })+
    };
}

answers!(
    wire::apply_resource_change::Response,
    wire::close_ephemeral_resource::Response,
    wire::configure_provider::Response,
    wire::get_functions::Response,
    wire::generate_resource_config::Response,
    wire::get_provider_schema::Response,
    wire::get_resource_identity_schemas::Response,
    wire::import_resource_state::Response,
    wire::move_resource_state::Response,
    wire::open_ephemeral_resource::Response,
    wire::plan_action::Response,
    wire::plan_resource_change::Response,
    wire::read_data_source::Response,
    wire::read_resource::Response,
    wire::renew_ephemeral_resource::Response,
    wire::upgrade_resource_identity::Response,
    wire::upgrade_resource_state::Response,
    wire::validate_data_resource_config::Response,
    wire::validate_ephemeral_resource_config::Response,
    wire::validate_action_config::Response,
    wire::validate_list_resource_config::Response,
    wire::validate_provider_config::Response,
    wire::validate_resource_config::Response,
);

/// Functions have one text instead of diagnostics.
impl Answer for wire::call_function::Response {
    fn add(&mut self, diagnostics: Diagnostics) {
        let error = diagnostics.into_iter().find(Diagnostic::is_error);
        self.error = error.map(|error| function::to_wire(error, None));
    }

    fn diagnostics(&mut self) -> &mut [wire::Diagnostic] {
        &mut []
    }
}

/// The end of a stream: the diagnostics that were not sent yet.
#[derive(Default)]
pub(super) struct End(pub(super) Vec<wire::Diagnostic>);

impl Answer for End {
    fn add(&mut self, diagnostics: Diagnostics) {
        self.0.extend(diagnostics.iter().map(Into::into));
    }

    fn diagnostics(&mut self) -> &mut [wire::Diagnostic] {
        &mut self.0
    }
}

/// One call, from the guard's perspective.
pub(super) struct Call<'c> {
    /// Name in the protocol.
    pub(super) rpc: &'static str,
    /// The resource type that it is about, or an empty string.
    pub(super) type_name: &'c str,
    /// Cancelled when the host asks the provider to stop.
    pub(super) cancelled: CancellationToken,
    /// Time that the call then has to return by itself.
    pub(super) grace: Duration,
    /// Rewrites its diagnostics.
    pub(super) rewrite: Option<Rewrite>,
    /// Additional diagnostics for its response.
    pub(super) warnings: Warnings,
}

/// Warnings that are found before a call does its work.
#[derive(Clone, Default)]
pub(super) struct Warnings(Arc<Mutex<Diagnostics>>);

impl Warnings {
    /// Adds warnings.
    pub(super) fn add(&self, mut warnings: Diagnostics) {
        self.lock().append(&mut warnings);
    }

    fn lock(&self) -> MutexGuard<'_, Diagnostics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call<'_> {
    /// Waits for the host's request to stop, and then until the grace period ends.
    async fn given_up(&self) {
        self.cancelled.cancelled().await;
        if !self.grace.is_zero() {
            tokio::time::sleep(self.grace).await;
        }
    }
}

/// Runs one call to completion.
///
/// A failure, a panic, or the host's request to stop returns `fallback`, which must hold the known
/// state, with diagnostics. A gRPC error would make the host discard the state.
pub(super) async fn guarded<A: Answer>(
    call: Call<'_>,
    fallback: A,
    work: impl Future<Output = Result<A, Diagnostics>> + Send,
) -> A {
    let mut outcome = None;
    let ended = {
        let work = pin!(async { outcome = Some(work.await) });
        run(&call, work).await
    };
    let mut answer = match (ended, outcome) {
        (Ok(()), Some(Ok(answer))) => answer,
        (Ok(()), Some(Err(diagnostics))) => failed(call.rpc, fallback, diagnostics),
        (Ok(()), None) => failed(call.rpc, fallback, Vec::new()),
        (Err(reason), _) => failed(call.rpc, fallback, vec![reason]),
    };
    let warnings = std::mem::take(&mut *call.warnings.lock());
    if !warnings.is_empty() {
        answer.add(warnings);
    }
    rewrite_all(call.rewrite.as_ref(), answer.diagnostics());
    answer
}

/// Runs the work of a call, unless it panics or the host asks to stop. Its type is not known here,
/// so that the compiler makes this code once and not once for each call.
async fn run(
    call: &Call<'_>,
    work: Pin<&mut (dyn Future<Output = ()> + Send)>,
) -> Result<(), Diagnostic> {
    let span = tracing::debug_span!(
        "rpc",
        { crate::log::TF_RPC } = call.rpc,
        { crate::log::TF_REQ_ID } = format_args!("{:016x}", random_u64().unwrap_or_default()),
        { crate::log::TF_RESOURCE_TYPE } = call.type_name,
    );
    async {
        tracing::trace!("received");
        let ended = tokio::select! {
            biased;
            ended = AssertUnwindSafe(work).catch_unwind() => {
                ended.map_err(|_| panicked(call.rpc))
            }
            () = call.given_up() => Err(stopped(call.rpc)),
        };
        tracing::trace!("answered");
        ended
    }
    .instrument(span)
    .await
}

fn failed<A: Answer>(rpc: &str, mut fallback: A, mut diagnostics: Diagnostics) -> A {
    if !has_error(&diagnostics) {
        diagnostics.push(unexplained(rpc));
    }
    fallback.add(diagnostics);
    fallback
}

/// Puts diagnostics in their final form.
pub(super) fn rewrite_all(rewrite: Option<&Rewrite>, diagnostics: &mut [wire::Diagnostic]) {
    let Some(rewrite) = rewrite else { return };
    for diagnostic in diagnostics {
        let is_warning = diagnostic.severity() == wire::diagnostic::Severity::Warning;
        (diagnostic.summary, diagnostic.detail) =
            rewrite(is_warning, &diagnostic.summary, &diagnostic.detail);
    }
}

fn stopped(rpc: &str) -> Diagnostic {
    Diagnostic::error(
        "Operation interrupted",
        format!(
            "{rpc} was interrupted on request. The last known state is kept. To continue, run the \
             command again."
        ),
    )
}

/// A host treats a response without an error as a success.
fn unexplained(rpc: &str) -> Diagnostic {
    Diagnostic::error(
        "Provider bug: a call failed without a reason",
        format!(
            "{rpc} failed without an error message. The last known state is kept. This is a bug in \
             the provider. Please report it with the provider's version and this text."
        ),
    )
}

/// The panic's text is omitted, because it may quote a value.
fn panicked(rpc: &str) -> Diagnostic {
    Diagnostic::error(
        "Provider bug: a call panicked",
        format!(
            "{rpc} panicked. The last known state is kept. This is a bug in the provider. Please \
             report it with the provider's version and the log of a run with \
             TF_LOG_PROVIDER=DEBUG, which shows the line in the source."
        ),
    )
}

#[cfg(test)]
mod tests;
