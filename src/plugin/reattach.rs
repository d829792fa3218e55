//! What a host needs in order to use a plugin that a developer has started.

use serde_json::json;

/// Writes the shell variable assignment, with its line break.
///
/// `Test` is always true. With false, hosts ignore the protocol version and may crash.
pub(super) fn line(key: &str, protocol_version: u32, process: u32, socket: &str) -> String {
    let providers = json!({
        key: {
            "Protocol": "grpc",
            "ProtocolVersion": protocol_version,
            "Pid": process,
            "Test": true,
            "Addr": { "Network": "unix", "String": socket },
        }
    });
    let quoted = providers.to_string().replace('\'', r"'\''");
    format!("TF_REATTACH_PROVIDERS='{quoted}'\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_an_assignment_of_json() {
        assert_eq!(
            line("example.com/a/b", 6, 42, "/tmp/it's/s"),
            concat!(
                r#"TF_REATTACH_PROVIDERS='{"example.com/a/b":{"Addr":{"Network":"unix","#,
                r#""String":"/tmp/it'\''s/s"},"Pid":42,"Protocol":"grpc","ProtocolVersion":6,"#,
                r#""Test":true}}'"#,
                "\n"
            )
        );
    }
}
