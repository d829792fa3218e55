//! What real hosts ask, kept and asked again.
//!
//! `tests/fixtures/hosts` has a folder for each host whose calls were recorded, and in it a file for
//! each scenario. A recording is asked again of the binary: what a host only repeats, such as a
//! state, comes from the provider's own answers, all else is sent as the host sent it. To record
//! anew, name the host and ask for it:
//!
//! ```console
//! $ TF_ACC_TERRAFORM_PATH=… UPDATE_RECORDINGS=1 cargo test --test main hosts::record
//! ```

mod end;
mod long;
mod quirks;
mod record;
mod recorder;
mod recording;
mod replay;
mod rules;
mod scenario;
