//! Messages and service of `proto/tfplugin6.proto`, as the generator writes them.
//!
//! `cargo test -p proto` compares them; `UPDATE_GENERATED=1 cargo test -p proto` writes them again.

use std::fmt;

#[expect(missing_docs, reason = "the generator writes none")]
pub mod tfplugin6;

use tfplugin6::{DynamicValue, RawState};

/// Shows only lengths, because a value may hold secrets.
impl fmt::Debug for DynamicValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { msgpack, json } = self;
        formatter
            .debug_struct("DynamicValue")
            .field("msgpack_bytes", &msgpack.len())
            .field("json_bytes", &json.len())
            .finish()
    }
}

/// Shows only lengths, because a state may hold secrets.
impl fmt::Debug for RawState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { json, flatmap } = self;
        formatter
            .debug_struct("RawState")
            .field("json_bytes", &json.len())
            .field("flatmap_entries", &flatmap.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::tfplugin6::read_resource;
    use super::*;

    #[test]
    fn debug_of_a_message_shows_no_value() {
        let request = read_resource::Request {
            current_state: Some(DynamicValue {
                msgpack: b"canary".to_vec(),
                json: b"canary".to_vec(),
            }),
            ..Default::default()
        };
        let shown = format!("{request:?}");
        assert!(shown.contains("msgpack_bytes: 6"));
        assert!(!shown.contains("canary"));
        assert!(!shown.contains("99, 97"));
        let state = RawState {
            json: b"canary".to_vec(),
            flatmap: [("canary".to_owned(), "canary".to_owned())].into(),
        };
        assert!(!format!("{state:?}").contains("canary"));
    }
}
