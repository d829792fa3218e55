//! The guard around each call: a span, the host's request to stop, and panics.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::coding::{Outcome, to_wire};
use super::failure::{Diagnostics, has_error};
use super::function;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Diagnostic, Site};
use crate::random::random_u64;

/// A response that can carry diagnostics.
pub(super) trait Answer: Send {
    /// Appends diagnostics.
    fn add(&mut self, diagnostics: Diagnostics, site: &Site);
}

/// Implements [`Answer`] for responses with a plain list of diagnostics.
macro_rules! answers {
    ($($response:path),+ $(,)?) => {
        $(impl Answer for $response {
            fn add(&mut self, diagnostics: Diagnostics, site: &Site) {
                self.diagnostics.extend(to_wire(diagnostics, site));
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
    fn add(&mut self, diagnostics: Diagnostics, _site: &Site) {
        let error = diagnostics.into_iter().find(Diagnostic::is_error);
        self.error = error.map(|error| function::to_wire(error, None));
    }
}

/// The end of a stream: the diagnostics that were not sent yet.
#[derive(Default)]
pub(super) struct End(pub(super) Vec<wire::Diagnostic>);

impl Answer for End {
    fn add(&mut self, diagnostics: Diagnostics, site: &Site) {
        self.0.extend(to_wire(diagnostics, site));
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
    /// The server that its diagnostics are about.
    pub(super) site: Site,
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

/// Runs one call that reports nothing if it succeeds.
pub(super) async fn guarded<A: Answer>(
    call: Call<'_>,
    fallback: A,
    work: impl Future<Output = Outcome<A>> + Send,
) -> A {
    let work = work.map(|outcome| outcome.map(|answer| (answer, Diagnostics::new())));
    reported(call, fallback, work).await
}

/// Runs one call to completion. Only here, its diagnostics become messages.
///
/// A failure, a panic, or the host's request to stop returns `fallback`, which must hold the known
/// state, with diagnostics. A gRPC error would make the host discard the state.
pub(super) async fn reported<A: Answer>(
    call: Call<'_>,
    fallback: A,
    work: impl Future<Output = Outcome<(A, Diagnostics)>> + Send,
) -> A {
    let mut outcome = None;
    let ended = {
        let work = pin!(async { outcome = Some(work.await) });
        run(&call, work).await
    };
    let (mut answer, mut diagnostics) = match (ended, outcome) {
        (Ok(()), Some(Ok(answer))) => answer,
        (Ok(()), Some(Err(diagnostics))) => (fallback, explained(call.rpc, diagnostics)),
        (Ok(()), None) => (fallback, explained(call.rpc, Vec::new())),
        (Err(reason), _) => (fallback, vec![reason]),
    };
    diagnostics.append(&mut call.warnings.lock());
    if !diagnostics.is_empty() {
        answer.add(diagnostics, &call.site);
    }
    answer
}

/// Runs the work of a call until it ends or panics, or the host asks to stop. The type of the work
/// is not known here, so that this code is compiled once and not once for each call.
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

fn explained(rpc: &str, mut diagnostics: Diagnostics) -> Diagnostics {
    if !has_error(&diagnostics) {
        diagnostics.push(unexplained(rpc));
    }
    diagnostics
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
