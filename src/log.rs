//! Log lines for the plugin host, as JSON on standard error, and the text of a panic.
//!
//! Only events of this crate are ever written, at any level, because the libraries log whole
//! requests and responses, which contain secrets.

mod fields;
mod layer;
mod panic;

use std::io::{self, Write as _};

use jiff::Timestamp;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::env::{self, Environment};

pub use panic::install_panic_hook;

/// Field: the protocol call in progress.
pub const TF_RPC: &str = "tf_rpc";
/// Field: a unique identifier of the request.
pub const TF_REQ_ID: &str = "tf_req_id";
/// Field: the resource type that the call is about.
pub const TF_RESOURCE_TYPE: &str = "tf_resource_type";

/// Reads the level from the environment. The most specific variable that is set decides.
///
/// `JSON` and every word that is not a level mean all events, as in the host. `None` means no log,
/// for `OFF` and if nothing is set.
pub fn level(environment: &dyn Environment) -> Option<LevelFilter> {
    let text = [
        env::TF_LOG_PROVIDER_CLAUDE,
        env::TF_LOG_PROVIDER,
        env::TF_LOG,
    ]
    .into_iter()
    .find_map(|name| environment.get(name))?;
    match text.to_ascii_uppercase().as_str() {
        "OFF" => None,
        "ERROR" => Some(LevelFilter::ERROR),
        "WARN" => Some(LevelFilter::WARN),
        "INFO" => Some(LevelFilter::INFO),
        "DEBUG" => Some(LevelFilter::DEBUG),
        _ => Some(LevelFilter::TRACE),
    }
}

/// Sends this crate's events to standard error from now on. `now` returns the time of an event.
///
/// The second call in a process changes nothing.
pub fn install(level: LevelFilter, now: impl Fn() -> Timestamp + Send + Sync + 'static) {
    let layer = layer::HostLog::new(level, now, write_line);
    // An error means that a log already exists.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}

/// Writes whole lines atomically, so that threads do not mix theirs.
fn write_line(line: &str) {
    // If standard error is closed, there is nowhere to report it.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn level_with(variables: &[(&str, &str)]) -> Option<LevelFilter> {
        let environment: BTreeMap<String, String> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        level(&environment)
    }

    #[test]
    fn most_specific_variable_decides() {
        assert_eq!(level_with(&[]), None);
        assert_eq!(level_with(&[("TF_LOG", "error")]), Some(LevelFilter::ERROR));
        assert_eq!(
            level_with(&[("TF_LOG", "ERROR"), ("TF_LOG_PROVIDER", "debug")]),
            Some(LevelFilter::DEBUG)
        );
        assert_eq!(
            level_with(&[
                ("TF_LOG_PROVIDER", "DEBUG"),
                ("TF_LOG_PROVIDER_CLAUDE", "off")
            ]),
            None
        );
    }

    #[test]
    fn json_and_unknown_words_mean_everything() {
        assert_eq!(level_with(&[("TF_LOG", "JSON")]), Some(LevelFilter::TRACE));
        assert_eq!(level_with(&[("TF_LOG", "1")]), Some(LevelFilter::TRACE));
    }
}
