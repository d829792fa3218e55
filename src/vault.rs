//! Client of the KV v2 engine of Vault and OpenBao.
//!
//! It handles paths, versions, and fields, knows nothing about what the fields mean, and reads
//! neither the environment nor the wall clock: everything is passed in through [`Settings`]. The
//! endpoint types are those of `vaultrs`: `channel` builds a request from what an endpoint reports
//! about itself. The client and settings of `vaultrs` are not used, since they read the
//! environment, panic on unusual input, and can print a token; `transport` sends requests with
//! `hyper`.
//!
//! | module | owns |
//! |---|---|
//! | `secret_path`, `folder_path`, `mount` | the words that callers use for places |
//! | `settings`, `document`, `new_document`, `error`, `problem` | the other words that callers use |
//! | `store`, `list`, `write`, `metadata` | the operations |
//! | `session` | the token: given or from a login, renewed by another login, revoked at the end |
//! | `channel` | one exchange under one budget: attempts, back-off, verdicts |
//! | `pace` | how fast requests follow each other, once the server has limited them |
//! | `landing` | whether a write may have landed without an answer, and until when it may be sent |
//! | `transport` | one attempt over the network |
//! | `connect`, `proxy`, `tls` | how the connection of an attempt is established |
//! | `failure`, `certificate_kind` | why an attempt failed |
//! | `answer`, `text` | what an answer means, and which of its text may be shown |

mod answer;
mod certificate_kind;
mod channel;
mod connect;
mod consistency;
mod document;
mod error;
mod failure;
mod file;
mod folder_path;
#[cfg(fuzzing)]
#[path = "../fuzz/vault.rs"]
pub mod fuzzing;
mod given;
mod headers;
mod landing;
mod list;
mod metadata;
mod mount;
mod new_document;
mod pace;
mod problem;
mod proxy;
mod request;
mod retry;
mod secret_path;
mod server_time;
mod session;
mod settings;
mod store;
mod text;
mod tls;
mod transport;
mod wiped;
mod write;

#[cfg(test)]
pub(crate) use document::tests::present;
pub use document::{Document, FieldValue, Reading, Revision};
pub use error::{LoginMethod, Server, TokenOrigin, TokenSource, VaultError};
pub use file::read_file;
pub use folder_path::FolderPath;
pub use list::{Listing, MAXIMUM_NAMES};
pub use metadata::Metadata;
pub use mount::MountInfo;
pub use new_document::NewDocument;
pub use problem::{ConnectionProblem, LoginProblem, TlsProblem};
pub use proxy::{Proxies, Proxy, ProxyError, ProxyVariables, Variable};
pub use secret_path::{SecretPath, SecretPathError};
pub use server_time::ServerTime;
pub use settings::{
    Address, AddressError, ClientCertificate, Credentials, Identity, Limits, Login, Origin,
    Settings, TlsSettings,
};
pub use store::{Store, Turn};
pub use text::has_credential;
pub use tls::SettingsError;
pub use write::{WriteError, WriteFailure};
