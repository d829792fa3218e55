//! Whole lives through a real Terraform and a real OpenBao.

mod command_line;
mod due;
mod end;
mod examples;
mod external_secret;
mod faults;
mod import;
mod leaks;
mod login;
mod mint_time;
mod pool;
mod quiet;
mod refusals;
mod requests;
mod shortage;
mod stack;
#[cfg(target_os = "linux")]
mod static_binary;
mod together;
mod unknown_provider;
mod unusable;
mod writing;
