//! The names in a folder.

use std::fmt;

use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::VaultError;
use super::folder_path::FolderPath;
use super::secret_path::InMount as _;
use super::store::Store;

/// Maximum number of names kept from one folder: each one means a later request.
pub const MAXIMUM_NAMES: usize = 100_000;

/// The direct contents of a folder. A name may belong to a secret and a folder at the same time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Names of secrets, sorted; they include secrets whose newest version is deleted.
    pub secrets: Vec<String>,
    /// Names of folders without the slash at their end, sorted.
    pub folders: Vec<String>,
    /// Whether there are more than [`MAXIMUM_NAMES`], in which case the rest is not included.
    pub is_cut: bool,
}

impl Listing {
    /// Reports whether the folder has nothing in it, which is to say that it does not exist.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.folders.is_empty()
    }
}

impl Store {
    /// Lists a folder with one request. A folder that does not exist counts as empty.
    ///
    /// # Errors
    ///
    /// Fails if Vault refuses the request or gives no usable answer. A refusal by policy names the
    /// capability `list` on the folder's `metadata/` path. If nothing is found, one more request
    /// asks whether the mount is a KV v2 engine, unless that is already known; if that request is
    /// refused, the folder counts as empty.
    pub async fn list(&self, folder: &FolderPath) -> Result<Listing, VaultError> {
        let budget = self.budget();
        let request = ListRequest { folder };
        self.within(&budget, async {
            let answer = self.call(&request, "list", &budget).await?;
            let Some(answer) = self.found(folder, &request, answer, &budget).await? else {
                return Ok(Listing::default());
            };
            let Some(listing) = parse(&answer.body) else {
                let what = "`data.keys` is missing";
                return Err(self.unexpected(folder, &request, what, &budget).await);
            };
            // This does not prove a KV v2 engine: one of version 1 may have a folder of this name.
            Ok(listing)
        })
        .await
    }
}

/// A request for the names in a folder. It is a GET with a parameter, as the Vault CLI sends it.
/// More proxies and firewalls let it through than the method LIST, which is the only one that
/// `vaultrs` has.
struct ListRequest<'a> {
    folder: &'a FolderPath,
}

impl Endpoint for ListRequest<'_> {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        format!(
            "{}/metadata/{}",
            self.folder.mount(),
            self.folder.path_of("")
        )
    }

    fn method(&self) -> RequestMethod {
        RequestMethod::GET
    }

    fn query(&self) -> Result<Option<String>, ClientError> {
        Ok(Some("list=true".to_owned()))
    }
}

/// Reads the answer.
pub(super) fn parse(body: &[u8]) -> Option<Listing> {
    #[derive(Deserialize)]
    struct Envelope {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        keys: Listing,
    }

    let mut listing = serde_json::from_slice::<Envelope>(body).ok()?.data.keys;
    listing.secrets.sort_unstable();
    listing.folders.sort_unstable();
    Some(listing)
}

/// Reads the names one by one, so that an endless list takes no memory.
impl<'de> Deserialize<'de> for Listing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Listing;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of names")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut keys: A) -> Result<Listing, A::Error> {
                let mut listing = Listing::default();
                for _ in 0..MAXIMUM_NAMES {
                    let Some(mut key) = keys.next_element::<String>()? else {
                        return Ok(listing);
                    };
                    if key.ends_with('/') {
                        key.pop();
                        listing.folders.push(key);
                    } else {
                        listing.secrets.push(key);
                    }
                }
                while keys.next_element::<IgnoredAny>()?.is_some() {
                    listing.is_cut = true;
                }
                Ok(listing)
            }
        }

        deserializer.deserialize_seq(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_by_their_slash() {
        let listing = parse(br#"{"data":{"keys":["b/","b","a","a/"]}}"#).unwrap();
        assert_eq!(listing.secrets, ["a", "b"]);
        assert_eq!(listing.folders, ["a", "b"]);
        for odd in ["{}", r#"{"data":{}}"#, r#"{"data":{"keys":[1]}}"#, "<html>"] {
            assert_eq!(parse(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn a_list_without_end_is_cut() {
        let listing = |count: usize| {
            let keys = vec!["\"a\""; count].join(",");
            parse(format!(r#"{{"data":{{"keys":[{keys}]}}}}"#).as_bytes()).unwrap()
        };
        let whole = listing(MAXIMUM_NAMES);
        assert_eq!((whole.secrets.len(), whole.is_cut), (MAXIMUM_NAMES, false));
        let cut = listing(MAXIMUM_NAMES + 1);
        assert_eq!((cut.secrets.len(), cut.is_cut), (MAXIMUM_NAMES, true));
    }

    #[test]
    fn the_path_is_that_of_a_policy() {
        let path = |folder| {
            let folder = FolderPath::new("team/kv", folder).unwrap();
            ListRequest { folder: &folder }.path()
        };
        assert_eq!(path(""), "team/kv/metadata/");
        assert_eq!(path("a/b"), "team/kv/metadata/a/b/");
    }
}
