//! What people run by hand: the commands, with a real OpenBao and a real Terraform.

mod guide;
mod install;
mod program;
mod refused;
mod status;
mod status_formats;
mod store;
mod store_faults;
mod terminal;
