//! Terraform and OpenTofu provider for the long-lived OAuth tokens of headless Claude Code.
//!
//! The modules, and which of the others each may use; a test holds that.
//!
//! | module | owns | uses |
//! |---|---|---|
//! | [`cli`] | the command line | `clock`, `env`, `hardening`, `log`, `plugin`, `provider`, `sdk`, `secret`, `words` |
//! | [`plugin`] | the transport to the host | `grpc`, `signatures` |
//! | [`provider`] | the product: provider block, resources, functions, promotion, texts for users | all below |
//! | [`sdk`] | models, resources, functions, the gRPC service, the checks of every answer | `deadline`, `grpc`, `log`, `protocol`, `random`, `secret` |
//! | [`protocol`] | wire data: types, values, schemas, encodings | `secret` |
//! | [`token`] | what a token is, when it ends, which spare comes next | `secret`, `words` |
//! | [`vault`] | the client of KV version 2 | `clock`, `deadline`, `random`, `secret`, `signatures` |
//! | [`external_secret`] | what an ExternalSecret takes | |
//! | [`grpc`] | the calls of a server | |
//! | [`log`] | log lines for the host, the text of a panic | `env` |
//! | [`env`](mod@env) | every environment variable | |
//! | [`clock`] | the wall clock | |
//! | [`deadline`] | when the work for a request must be over | |
//! | [`random`] | the system's random numbers | |
//! | [`hardening`] | what keeps others from this process's memory | |
//! | [`signatures`] | the signatures of certificates that TLS accepts | |
//! | [`secret`] | values that nobody may read by accident | |
//! | `words` | enums whose variants are words | |
//!
//! `ARCHITECTURE.md` follows one plan and one promotion through these modules, and says how the
//! tests are layered.

pub mod cli;
pub mod clock;
pub mod deadline;
pub mod env;
pub mod external_secret;
pub mod grpc;
pub mod hardening;
pub mod log;
pub mod plugin;
pub mod protocol;
pub mod provider;
pub mod random;
pub mod sdk;
pub mod secret;
pub mod signatures;
pub mod token;
pub mod vault;
mod words;
