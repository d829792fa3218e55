//! The metadata of a secret, shared by all of its versions.

use std::collections::BTreeMap;

use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError;
use rustify::http::build_body;
use serde::{Deserialize, Serialize};

use super::error::VaultError;
use super::secret_path::SecretPath;
use super::store::Store;

/// Metadata of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Every key that anybody set.
    pub custom_metadata: BTreeMap<String, String>,
    /// Number of the newest version, 0 if none was written yet.
    pub current_version: u64,
}

impl Store {
    /// Sets (`Some`) and removes (`None`) keys of `custom_metadata` and leaves all others
    /// unchanged, with one request that the server carries out as a whole. An empty change sends no
    /// request.
    ///
    /// It is sent again until it is answered, as a read is: sending it twice has the same effect as
    /// once. An attempt that was abandoned may still land later, over a newer change of the same
    /// keys.
    ///
    /// # Errors
    ///
    /// Fails with [`VaultError::MetadataMissing`] if nothing was ever written, and with
    /// [`VaultError::PatchUnsupported`] if the server does not support the method. A refusal by
    /// policy names the capability `patch`.
    pub async fn patch_metadata(
        &self,
        path: &SecretPath,
        changes: &BTreeMap<String, Option<String>>,
    ) -> Result<(), VaultError> {
        if changes.is_empty() {
            return Ok(());
        }
        let budget = self.budget();
        let request = MetadataRequest {
            path,
            action: Action::Patch(changes),
        };
        self.within(&budget, async {
            match self.call(&request, "patch", &budget).await {
                Ok(answer) => {
                    let found = self.found(path, &request, answer, &budget).await?;
                    found.ok_or_else(|| missing(&request))?;
                    self.learn(path.mount());
                    Ok(())
                }
                Err(
                    VaultError::Server {
                        status: status @ (405 | 415),
                        ..
                    }
                    | VaultError::NotJson {
                        status: status @ (405 | 415),
                        ..
                    },
                ) => {
                    // Other engines do not support it, either.
                    self.check_unknown_mount(path, &budget).await?;
                    Err(VaultError::PatchUnsupported {
                        api_path: request.path(),
                        status,
                    })
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Reads the metadata of a secret. It needs a permission of its own; the answer to a read of
    /// the data includes `custom_metadata` as well.
    ///
    /// # Errors
    ///
    /// Fails with [`VaultError::MetadataMissing`] if nothing was ever written.
    pub async fn read_metadata(&self, path: &SecretPath) -> Result<Metadata, VaultError> {
        let budget = self.budget();
        let request = MetadataRequest {
            path,
            action: Action::Read,
        };
        self.within(&budget, async {
            let answer = self.call(&request, "read", &budget).await?;
            let found = self.found(path, &request, answer, &budget).await?;
            let answer = found.ok_or_else(|| missing(&request))?;
            let Some(metadata) = parse(&answer.body) else {
                let what = "`data.current_version` is missing";
                return Err(self.unexpected(path, &request, what, &budget).await);
            };
            self.learn(path.mount());
            Ok(metadata)
        })
        .await
    }

    /// Replaces the whole of `custom_metadata` and leaves `max_versions`, `cas_required` and all
    /// other metadata unchanged. If there is no secret, the server creates one without a version.
    ///
    /// Two writers who read, merge and replace can lose each other's keys, which no option of Vault
    /// prevents; [`Store::patch_metadata`] is the safe way. It is sent again until it is answered,
    /// and an attempt that was abandoned may still land later.
    ///
    /// # Errors
    ///
    /// Fails if Vault refuses the request or gives no usable answer. A refusal by policy names the
    /// capability `update`.
    pub async fn replace_metadata(
        &self,
        path: &SecretPath,
        custom_metadata: &BTreeMap<String, String>,
    ) -> Result<(), VaultError> {
        let budget = self.budget();
        let request = MetadataRequest {
            path,
            action: Action::Replace(custom_metadata),
        };
        self.within(&budget, async {
            // An engine of version 1 would mistake this for a secret of its own.
            self.check_unknown_mount(path, &budget).await?;
            let answer = self.call(&request, "update", &budget).await?;
            let found = self.found(path, &request, answer, &budget).await?;
            found.ok_or_else(|| self.not_found(request.path(), &[]))?;
            self.learn(path.mount());
            Ok(())
        })
        .await
    }
}

fn missing(request: &MetadataRequest<'_>) -> VaultError {
    VaultError::MetadataMissing {
        api_path: request.path(),
    }
}

/// A request for metadata. `vaultrs` has no PATCH, and its POST sends more than the map.
struct MetadataRequest<'a> {
    path: &'a SecretPath,
    action: Action<'a>,
}

enum Action<'a> {
    Read,
    Patch(&'a BTreeMap<String, Option<String>>),
    Replace(&'a BTreeMap<String, String>),
}

impl Endpoint for MetadataRequest<'_> {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        format!("{}/metadata/{}", self.path.mount(), self.path.path())
    }

    fn method(&self) -> RequestMethod {
        match self.action {
            Action::Read => RequestMethod::GET,
            Action::Patch(_) => RequestMethod::PATCH,
            Action::Replace(_) => RequestMethod::POST,
        }
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        #[derive(Serialize)]
        struct Body<T> {
            custom_metadata: T,
        }
        Ok(match self.action {
            Action::Read => None,
            Action::Patch(custom_metadata) => {
                Some(build_body(&Body { custom_metadata }, RequestType::JSON)?)
            }
            Action::Replace(custom_metadata) => {
                Some(build_body(&Body { custom_metadata }, RequestType::JSON)?)
            }
        })
    }
}

pub(super) fn parse(body: &[u8]) -> Option<Metadata> {
    #[derive(Deserialize)]
    struct Envelope {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        current_version: u64,
        custom_metadata: Option<BTreeMap<String, String>>,
    }

    let data = serde_json::from_slice::<Envelope>(body).ok()?.data;
    Some(Metadata {
        custom_metadata: data.custom_metadata.unwrap_or_default(),
        current_version: data.current_version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_hold_the_map_and_nothing_else() {
        let path = SecretPath::new("secret", "a").unwrap();
        let body = |action| {
            let request = MetadataRequest {
                path: &path,
                action,
            };
            String::from_utf8(request.body().unwrap().unwrap_or_default()).unwrap()
        };
        let changes = BTreeMap::from([
            ("b".to_owned(), None),
            ("a".to_owned(), Some("\"".to_owned())),
        ]);
        assert_eq!(
            body(Action::Patch(&changes)),
            r#"{"custom_metadata":{"a":"\"","b":null}}"#
        );
        let nothing = BTreeMap::new();
        assert_eq!(body(Action::Replace(&nothing)), r#"{"custom_metadata":{}}"#);
        assert_eq!(body(Action::Read), "");
    }
}
