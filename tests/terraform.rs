//! Whole lives through a real Terraform and a real OpenBao.

mod command_line;
mod data_sources;
mod deletion;
mod due;
mod end;
mod ephemeral;
mod examples;
mod external_secret;
mod faults;
mod functions;
mod hostile;
mod import;
mod leaks;
mod login;
#[cfg(target_os = "linux")]
mod memory;
mod mint_time;
mod offline;
mod outputs;
mod pages;
mod pasted;
mod picture;
mod pool;
mod query;
mod quiet;
mod refusals;
mod requests;
mod shortage;
mod stack;
mod stacks;
mod states;
#[cfg(target_os = "linux")]
mod static_binary;
mod terragrunt;
mod together;
mod traces;
mod two_stacks;
mod two_stacks_data;
mod unknown_provider;
mod unusable;
mod writing;
