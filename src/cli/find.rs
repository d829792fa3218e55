//! The command `find`: every place that holds a token.

use std::process::ExitCode;
use std::sync::Arc;

use serde::Serialize;

use super::arguments::Find;
use super::failure::Failure;
use super::signals::Interrupts;
use super::{input, output, run_to_end};
use crate::env::Environment;
use crate::provider::operations::{Holder, Operations, Search, Sought};

/// Version of the JSON format. It changes if a reader would break.
const FORMAT: u32 = 1;
/// Maximum number of versions listed. The others are counted.
const LISTED: usize = 8;

/// Advice where no token was read.
const NO_TOKEN: &str = "Paste the token, or set --fingerprint. Nothing was searched.";

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    mount: &'a str,
    fingerprint: &'a str,
    complete: bool,
    searched: usize,
    places: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    field: &'a str,
    versions: &'a [u64],
    current: bool,
}

/// Runs the command.
pub(super) fn run(arguments: Find, environment: &Arc<dyn Environment>) -> ExitCode {
    let environment = &**environment;
    let json = arguments.json;
    let outcome = run_to_end(async {
        let mut interrupts = Interrupts::catch()?;
        tokio::select! {
            outcome = find(arguments, environment) => outcome,
            () = interrupts.come() => Err(Failure::Stopped),
        }
    });
    match outcome {
        Ok((search, sought, mount)) => {
            output::diagnostics(&search.diagnostics, environment);
            let printed = output::print(&if json {
                document(&search, &sought, &mount)
            } else {
                text(&search, &sought)
            });
            if search.is_incomplete {
                ExitCode::FAILURE
            } else {
                printed
            }
        }
        Err(failure) => failure.report(false, environment),
    }
}

async fn find(
    arguments: Find,
    environment: &dyn Environment,
) -> Result<(Search, Sought, String), Failure> {
    let sought = match &arguments.fingerprint {
        Some(text) => Some(Sought::fingerprint(text)?),
        None => None,
    };
    let (operations, warnings) = Operations::new(arguments.scope, environment)?;
    output::diagnostics(&warnings, environment);
    let sought = match sought {
        Some(sought) => sought,
        None => {
            let token = input::token(None).await;
            let token = token.map_err(|error| Failure::input(error, NO_TOKEN))?;
            Sought::token(Operations::check_token(&token)?.fingerprint)
        }
    };
    let search = operations.find(&arguments.targets, &sought).await;
    operations.close().await;
    Ok((search?, sought, operations.mount().to_owned()))
}

fn document(search: &Search, sought: &Sought, mount: &str) -> String {
    output::json(&Document {
        format: FORMAT,
        mount,
        fingerprint: sought.as_str(),
        complete: !search.is_incomplete,
        searched: search.searched,
        places: search
            .holders
            .iter()
            .map(|holder| Place {
                path: &holder.path,
                field: &holder.field,
                versions: &holder.versions,
                current: holder.is_current,
            })
            .collect(),
    })
}

fn text(search: &Search, sought: &Sought) -> String {
    let secrets = match search.searched {
        1 => "1 secret".to_owned(),
        count => format!("{count} secrets"),
    };
    let digits: String = sought
        .as_str()
        .trim_start_matches("sha256:")
        .chars()
        .take(8)
        .collect();
    if search.holders.is_empty() {
        return format!("No readable version holds token {digits} ({secrets} searched).\n");
    }
    let width = |of: fn(&Holder) -> &String| {
        let widths = search
            .holders
            .iter()
            .map(|holder| output::plain(of(holder)).chars().count());
        widths.max().unwrap_or(0).max("FIELD".len())
    };
    let (paths, fields) = (width(|holder| &holder.path), width(|holder| &holder.field));
    let mut text = format!("{:paths$}  {:fields$}  VERSIONS\n", "PATH", "FIELD");
    for holder in &search.holders {
        let (path, field) = (output::plain(&holder.path), output::plain(&holder.field));
        text.push_str(&format!(
            "{path:paths$}  {field:fields$}  {}\n",
            versions(holder)
        ));
    }
    text.push_str(&format!("\nToken {digits}, {secrets} searched.\n"));
    text
}

/// Lists versions. The current one comes first and is marked.
fn versions(holder: &Holder) -> String {
    let mut text = String::new();
    for (number, version) in holder.versions.iter().take(LISTED).enumerate() {
        if number > 0 {
            text.push_str(", ");
        }
        text.push_str(&version.to_string());
        if number == 0 && holder.is_current {
            text.push_str(" (current)");
        }
    }
    let more = holder.versions.len().saturating_sub(LISTED);
    if more > 0 {
        text.push_str(&format!(" and {more} older"));
    }
    text
}
