//! Which engine serves a path, and what an answer means that no KV v2 engine gives.

use std::collections::{HashMap, HashSet};
use std::sync::{MutexGuard, PoisonError};

use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use serde::Deserialize;

use super::answer::Answer;
use super::error::VaultError;
use super::retry::Budget;
use super::secret_path::InMount;
use super::store::Store;

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
struct MountOfRequest {
    path: String,
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

impl Store {
    /// Reports which engine serves a path.
    ///
    /// # Errors
    ///
    /// Fails with [`VaultError::Forbidden`] both if the token has no permission on anything below
    /// the mount and if there is no mount.
    pub async fn mount_of(&self, path: &str) -> Result<MountInfo, VaultError> {
        let budget = self.budget();
        self.within(&budget, self.find_mount(path, &budget)).await
    }

    /// Returns an answer that is about something that exists, and `None` if nothing exists there.
    /// Fails if a 404 means more than that.
    pub(super) async fn found(
        &self,
        path: &impl InMount,
        endpoint: &impl Endpoint,
        answer: Answer,
        budget: &Budget,
    ) -> Result<Option<Answer>, VaultError> {
        if answer.status != 404 {
            return Ok(Some(answer));
        }
        self.check_unknown_mount(path, budget).await?;
        let errors = answer.errors();
        let says = |text| errors.iter().any(|error| error.contains(text));
        if says("no handler for route") {
            return Err(VaultError::MountMissing {
                mount: path.mount().to_owned(),
            });
        }
        if errors.is_empty() {
            return Ok(None);
        }
        Err(self.not_found(endpoint.path(), &errors))
    }

    /// Returns the error for an answer in another form than that of a KV v2 engine.
    pub(super) async fn unexpected(
        &self,
        path: &impl InMount,
        endpoint: &impl Endpoint,
        what: &'static str,
        budget: &Budget,
    ) -> VaultError {
        // Other engines answer in a different form.
        match self.check_mount(path, budget).await {
            Err(error) => error,
            Ok(()) => VaultError::UnexpectedAnswer {
                api_path: endpoint.path(),
                what,
            },
        }
    }

    /// Returns the error for a 404, with what the server said.
    pub(super) fn not_found(&self, api_path: String, errors: &[String]) -> VaultError {
        VaultError::Server {
            api_path,
            status: 404,
            errors: self.shared.channel.censor.show_all(errors),
        }
    }

    /// Fails if the mount is known not to be a KV v2 engine. It asks only if the mount is not
    /// already known to be one.
    pub(super) async fn check_unknown_mount(
        &self,
        path: &impl InMount,
        budget: &Budget,
    ) -> Result<(), VaultError> {
        if self.known_mounts().contains(path.mount()) {
            return Ok(());
        }
        self.check_mount(path, budget).await
    }

    /// Fails if the mount is known not to be a KV v2 engine.
    pub(super) async fn check_mount(
        &self,
        path: &impl InMount,
        budget: &Budget,
    ) -> Result<(), VaultError> {
        let mount = match self.find_mount(&path.to_string(), budget).await {
            Ok(mount) => mount,
            // Vault gives this answer for no path that it serves.
            Err(VaultError::Server {
                status: 404,
                errors,
                ..
            }) if !errors.iter().any(|error| error.contains("namespace")) => {
                return Err(self.wrong_address());
            }
            Err(VaultError::NotJson { status: 404, .. }) => return Err(self.wrong_address()),
            // Not every token is allowed to ask.
            Err(
                VaultError::Forbidden { .. }
                | VaultError::Unauthenticated { .. }
                | VaultError::UnexpectedAnswer { .. }
                | VaultError::NotJson { .. },
            ) => return Ok(()),
            Err(VaultError::Server { status, .. }) if status < 500 => return Ok(()),
            Err(error) => return Err(error),
        };
        match mount.version {
            None => Err(VaultError::NotKv {
                mount: self.shared.channel.censor.show(&mount.path),
                kind: self.shared.channel.censor.show(&mount.kind),
            }),
            Some(1) => Err(VaultError::KvVersion1 {
                mount: self.shared.channel.censor.show(&mount.path),
            }),
            Some(_) if mount.path != path.mount() => Err(VaultError::MountMissing {
                mount: path.mount().to_owned(),
            }),
            Some(_) => {
                self.learn(path.mount());
                Ok(())
            }
        }
    }

    fn wrong_address(&self) -> VaultError {
        VaultError::WrongAddress {
            address: self.shared.channel.transport.server_with_path(),
        }
    }

    async fn find_mount(&self, path: &str, budget: &Budget) -> Result<MountInfo, VaultError> {
        let request = MountOfRequest {
            path: path.to_owned(),
        };
        let answer = self.call(&request, "read", budget).await?;
        if answer.status == 404 {
            return Err(self.not_found(request.path(), &answer.errors()));
        }
        parse(&answer.body).ok_or_else(|| VaultError::UnexpectedAnswer {
            api_path: request.path(),
            what: "`data.path` or `data.type` is missing",
        })
    }

    /// Records that a mount is a KV v2 engine.
    pub(super) fn learn(&self, mount: &str) {
        self.known_mounts().insert(mount.to_owned());
    }

    fn known_mounts(&self) -> MutexGuard<'_, HashSet<String>> {
        let known = self.shared.known_mounts.lock();
        known.unwrap_or_else(PoisonError::into_inner)
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
