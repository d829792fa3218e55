//! How long calls take inside the provider, and how much of that is waiting, from its own log.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::statistics::{Unit, Values};

/// The calls that asked Vault.
pub(crate) struct Waits {
    /// From the request's arrival to the answer.
    pub(crate) call: Values,
    /// Between a request to Vault and its answer.
    pub(crate) vault: Values,
    /// The difference.
    pub(crate) own: Values,
}

#[derive(Default)]
struct Call {
    received: Option<Timestamp>,
    waited: f64,
}

/// Reads a log at TRACE, one JSON object on each line.
pub(crate) fn waits(log: &str) -> Waits {
    let mut waits = Waits {
        call: Values::new(Unit::Seconds),
        vault: Values::new(Unit::Seconds),
        own: Values::new(Unit::Seconds),
    };
    let mut calls: HashMap<String, Call> = HashMap::new();
    for line in log.lines() {
        let Ok(record) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let (Some(id), Some(at)) = (record["tf_req_id"].as_str(), record["@timestamp"].as_str())
        else {
            continue;
        };
        let at: Timestamp = at.parse().expect("the log has instants");
        match record["@message"].as_str() {
            Some("received") => calls.entry(id.to_owned()).or_default().received = Some(at),
            Some("answer") => {
                let milliseconds = record["milliseconds"].as_f64();
                calls.entry(id.to_owned()).or_default().waited +=
                    milliseconds.unwrap_or_default() / 1000.0;
            }
            Some("answered") => {
                let Some(call) = calls.remove(id) else {
                    continue;
                };
                if let (Some(received), true) = (call.received, call.waited > 0.0) {
                    let whole = at.duration_since(received).as_secs_f64();
                    waits.call.push(whole);
                    waits.vault.push(call.waited);
                    waits.own.push(whole - call.waited);
                }
            }
            _ => {}
        }
    }
    waits
}
