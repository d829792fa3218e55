//! Which engine serves a path.

use std::collections::HashMap;

use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use serde::Deserialize;

/// The engine that serves a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountInfo {
    /// Where it is mounted, without a slash at the end. It may contain slashes.
    pub path: String,
    /// Its type as Vault calls it, such as `kv` or `transit`.
    pub kind: String,
    /// Version of a KV engine, `None` for engines of other types.
    pub version: Option<u32>,
}

/// Asks which engine serves a path, as the Vault CLI does. `vaultrs` has no type for this request.
pub(super) struct MountOfRequest {
    pub(super) path: String,
}

impl Endpoint for MountOfRequest {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        format!("sys/internal/ui/mounts/{}", self.path)
    }

    fn method(&self) -> RequestMethod {
        RequestMethod::GET
    }
}

/// Reads the answer.
pub(super) fn parse(body: &[u8]) -> Option<MountInfo> {
    #[derive(Deserialize)]
    struct Envelope {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        path: String,
        #[serde(rename = "type")]
        kind: String,
        options: Option<HashMap<String, String>>,
    }

    let data = serde_json::from_slice::<Envelope>(body).ok()?.data;
    let version = match data.kind.as_str() {
        // The first KV engine was called `generic`.
        "kv" | "generic" => Some(
            data.options
                .as_ref()
                .and_then(|options| options.get("version"))
                .and_then(|version| version.parse().ok())
                .unwrap_or(1),
        ),
        _ => None,
    };
    Some(MountInfo {
        path: data.path.trim_end_matches('/').to_owned(),
        kind: data.kind,
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kv_engines_have_a_version() {
        let read = |kind: &str, options: &str| {
            let body =
                format!(r#"{{"data":{{"path":"a/b/","type":"{kind}","options":{options}}}}}"#);
            let mount = parse(body.as_bytes()).unwrap();
            assert_eq!((mount.path.as_str(), mount.kind.as_str()), ("a/b", kind));
            mount.version
        };
        assert_eq!(read("kv", r#"{"version":"2"}"#), Some(2));
        assert_eq!(read("kv", "{}"), Some(1));
        assert_eq!(read("generic", "null"), Some(1));
        assert_eq!(read("transit", "null"), None);
        assert_eq!(parse(b"{}"), None);
    }
}
