//! What people run in a terminal: the commands, with a real OpenBao and a real Terraform.

mod commands;
mod connection;
mod exec;
mod failover;
mod find;
mod guide;
mod install;
mod picture;
mod program;
mod promote;
mod refused;
mod status;
mod status_formats;
mod store;
mod store_faults;
mod surroundings;
mod terminal;
mod verify;
mod versions;
