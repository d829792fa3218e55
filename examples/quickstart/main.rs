//! Shows the provider at work, from nothing: `cargo run --example quickstart`.
//!
//! Fetches the pinned Terraform and OpenBao once, starts OpenBao on loopback with a primary token
//! and two spares, and takes `main.tf` beside this file through import, apply, an empty plan, and
//! a rehearsal of the day on which the tokens are due. The tokens are invented. Nothing outlives
//! it but the two programs under `target/tools`.

mod terminal;

#[path = "../../tests/support/cargo.rs"]
mod cargo;
#[allow(dead_code, reason = "made for tests, which use all of it")]
#[path = "../../tests/support/certificates.rs"]
mod certificates;
#[allow(dead_code, reason = "made for tests, which use all of it")]
#[path = "../../tests/support/openbao.rs"]
mod openbao;
#[path = "../../tests/support/process.rs"]
mod process;
#[path = "../../tests/support/provision.rs"]
mod provision;
#[path = "../../tests/support/secrets.rs"]
mod secrets;
#[path = "../../tests/support/terraform.rs"]
mod terraform;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use terraform_provider_claude::clock;
use terraform_provider_claude::env::{Environment, ProcessEnvironment, TF_CLAUDE_NOW};
use tokio::runtime::Handle;

use openbao::OpenBao;
use secrets::LeakSearch;
use terminal::{Terminal, seconds};
use terraform::{PLAN, Run, Workspace};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PRIMARY: &str = "claude-agent-service";
const SPARES: [&str; 2] = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
];
const FIELD: &str = "claude_oauth_token";

/// Tokens live for 365 days and are due 30 days before their end.
const REHEARSED_DAYS: i64 = 340;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    // What is interrupted may well panic on its way out, and that is no news.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !process::is_stopped() {
            hook(panic);
        }
    }));
    let outcome = runtime.block_on(async {
        let mut flow = tokio::task::spawn_blocking(quickstart);
        tokio::select! {
            outcome = &mut flow => return outcome,
            () = asked_to_stop() => process::stop_all(),
        }
        // What runs has been told to end, and then the flow ends what it holds. A second Ctrl-C
        // does not wait for that.
        tokio::select! {
            outcome = flow => outcome,
            () = asked_to_stop() => std::process::exit(130),
        }
    });
    match outcome {
        _ if process::is_stopped() => {
            let _ = writeln!(io::stderr(), "\nInterrupted; everything is stopped.");
            ExitCode::from(130)
        }
        Ok(Ok(())) => ExitCode::SUCCESS,
        // Whoever reads this has seen enough: `| head`, for one.
        Ok(Err(error)) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&*error),
        Err(error) => failed(&error),
    }
}

/// Waits for Ctrl-C or for a request to terminate.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn failed(error: &(dyn Error + 'static)) -> ExitCode {
    // Standard error may be closed, and then there is nobody to tell.
    let _ = writeln!(io::stderr(), "\nError: {}", provision::chain(error));
    ExitCode::FAILURE
}

fn quickstart() -> Outcome<()> {
    let started = Instant::now();
    let mut terminal = Terminal::new(ProcessEnvironment.get("NO_COLOR").is_some());

    let fetch = format!(
        "Fetch Terraform {} and OpenBao {}",
        provision::TERRAFORM.version,
        provision::OPENBAO.version
    );
    let (terraform, bao) = terminal.step(&fetch, || -> Outcome<_> {
        Ok((
            provision::provide(&provision::TERRAFORM)?,
            provision::provide(&provision::OPENBAO)?,
        ))
    })?;
    terminal.text(&format!("{}\n{}", terraform.display(), bao.display()))?;

    let provider = terminal.step("Build the provider", build)?;
    terminal.text(&provider.display().to_string())?;

    let tokens = Tokens::invent();
    let server = terminal.step("Start OpenBao and put three secrets into it", || {
        Outcome::Ok(Handle::current().block_on(async {
            let server = OpenBao::start().await;
            for (path, fields) in tokens.documents() {
                server.put("secret", path, fields).await;
            }
            server
        }))
    })?;
    terminal.text(&format!("{}, in memory\n\n", server.address()))?;
    terminal.table(
        ["secret", "fields"],
        &tokens.documents().map(|(path, document)| {
            let fields = document.as_object().map(|fields| {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                names.join(", ")
            });
            [path.to_owned(), fields.unwrap_or_default()]
        }),
    )?;
    terminal.text("\nThe second spare is a copy of the primary, which is a common mistake.")?;

    let mut workspace = Workspace::with("quickstart", &terraform, &provider)?;
    workspace.set("VAULT_ADDR", server.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.write("main.tf", include_str!("main.tf"));
    let mut leaks = LeakSearch::new();
    tokens.plant(&mut leaks);

    let plan = terminal.step("terraform plan", || {
        run(&workspace, &["plan", "-detailed-exitcode", "-out", PLAN], 2)
    })?;
    terminal.text(&told(&plan))?;

    let apply = terminal.step("terraform apply", || run(&workspace, &["apply", PLAN], 0))?;
    terminal.text(&told(&apply))?;

    let show = terminal.step("What is in state", || {
        run(&workspace, &["show", "-json"], 0)
    })?;
    let known = known(&serde_json::from_str(&show.stdout)?);
    terminal.table(
        ["secret", "status", "fingerprint", "due", "expires"],
        &known
            .iter()
            .map(|token| token.row.clone())
            .collect::<Vec<_>>(),
    )?;
    terminal.text("\n")?;
    for token in &known {
        terminal.text(&token.remark)?;
    }

    let second = terminal.step("terraform plan, again", || {
        run(&workspace, &["plan", "-detailed-exitcode"], 0)
    })?;
    let (told, reminders) = split_warnings(&second);
    terminal.text(told.trim())?;
    terminal.text("\nExit code 0: a plan is empty until something is due. It still warns:\n\n")?;
    for reminder in &reminders {
        terminal.text(reminder.lines().next().unwrap_or_default())?;
    }

    let day = rehearsed_day()?;
    let title = format!("terraform plan, {REHEARSED_DAYS} days on");
    let due = terminal.step(&title, || {
        let plan = workspace
            .command(["plan", "-detailed-exitcode"])
            .env(TF_CLAUDE_NOW, day.clone());
        expect(plan.start()?, 2)
    })?;
    terminal.text(&format!("{TF_CLAUDE_NOW}={day}"))?;
    for warning in split_warnings(&due).1 {
        if !reminders.contains(&warning) {
            terminal.text(&format!("\n{warning}"))?;
        }
    }
    terminal.text("\nExit code 2. A nightly job reports these lines:\n\n")?;
    terminal.text(&due.drift_lines().join("\n"))?;

    let leak = ["-var", "leak=2026-11"];
    let rotation = terminal.step("The token leaked: terraform plan -var leak=2026-11", || {
        let arguments = [&["plan", "-detailed-exitcode", "-out", PLAN], &leak[..]].concat();
        run(&workspace, &arguments, 2)
    })?;
    terminal.text(&changes_of(&rotation, "claude_oauth_token.agent"))?;
    terminal.text("\n\n")?;
    for warning in split_warnings(&rotation).1 {
        if !reminders.contains(&warning) {
            terminal.text(&warning)?;
        }
    }

    let rotated = terminal.step("terraform apply", || run(&workspace, &["apply", PLAN], 0))?;
    let secrets = Handle::current().block_on(async {
        let mut rows = Vec::new();
        for (path, _) in tokens.documents() {
            rows.push(tokens.describe(path, &server).await);
        }
        rows
    });
    terminal.table(["secret", "version", "token", "other fields"], &secrets)?;
    terminal.text(
        "\nThe primary holds the spare's token, and its other fields are unchanged. The leaked token \
         is still in its KV history and in the second spare. That spare is marked, so its token is \
         never promoted.",
    )?;

    let after = terminal.step("terraform plan, once more", || {
        let arguments = [&["plan", "-detailed-exitcode"], &leak[..]].concat();
        run(&workspace, &arguments, 2)
    })?;
    terminal.text("The token is healthy again. What is left is to mint new spares:\n\n")?;
    terminal.text(&after.drift_lines().join("\n"))?;
    for warning in split_warnings(&after).1 {
        if !reminders.contains(&warning) {
            terminal.text(&format!("\n{warning}"))?;
        }
    }

    terminal.step("Search everything that was written for the tokens", || {
        for run in [&plan, &apply, &second, &due, &rotation, &rotated, &after] {
            run.search(&mut leaks);
        }
        workspace.search(&mut leaks);
        if leaks.leaks().is_empty() {
            Outcome::Ok(())
        } else {
            Err(format!("tokens leaked:\n{}", leaks.leaks().join("\n")).into())
        }
    })?;
    terminal.text("No token is in the state, the saved plan, or the output.")?;

    terminal.step("Stop OpenBao and remove the working folder", || {
        drop(server);
        drop(workspace);
        Outcome::Ok(())
    })?;
    terminal.text(&format!("\nAll of it took {}.", seconds(started.elapsed())))?;
    Ok(())
}

/// Builds the provider into the folder that this example was built into, and returns its path.
fn build() -> Outcome<PathBuf> {
    const NAME: &str = "terraform-provider-claude";
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    let built = process::run(
        cargo::cargo("build")
            .args(["--message-format", "json", "--profile", profile])
            // Named together they share every dependency that this example was built with;
            // alone, the binary asks for fewer features and most of them are built again.
            .args(["--bin", NAME, "--example", "quickstart"])
            .arg("--target-dir")
            .arg(provision::target_folder()),
        &[],
        Duration::from_secs(3600),
    )?;
    if !built.status.success() {
        return Err(format!("the provider does not build:\n{}", built.stderr).into());
    }
    built
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == NAME)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| "Cargo names no executable".into())
}

/// The invented tokens.
struct Tokens {
    primary: String,
    spare: String,
    sibling: String,
}

impl Tokens {
    fn invent() -> Self {
        Self {
            primary: secrets::token("quickstart primary"),
            spare: secrets::token("quickstart spare"),
            sibling: secrets::letters("quickstart sibling", 40),
        }
    }

    fn documents(&self) -> [(&'static str, Value); 3] {
        [
            (
                PRIMARY,
                json!({
                    FIELD: self.primary,
                    "api_bearer_token": self.sibling,
                    "slack_channel": "#agents",
                }),
            ),
            (SPARES[0], json!({ FIELD: self.spare })),
            (SPARES[1], json!({ FIELD: self.primary })),
        ]
    }

    /// Tells what a secret holds now, each token by its name.
    async fn describe(&self, path: &str, server: &OpenBao) -> [String; 4] {
        let target = format!("secret/data/{path}");
        let data = &server.must("GET", &target, Value::Null).await["data"];
        let name = match data["data"][FIELD].as_str() {
            Some(token) if token == self.primary => "the leaked one",
            Some(token) if token == self.spare => "that of spare-1",
            _ => "another",
        };
        let siblings = data["data"]
            .as_object()
            .map_or(0, |fields| fields.len() - 1);
        [
            path.to_owned(),
            data["metadata"]["version"].to_string(),
            name.to_owned(),
            siblings.to_string(),
        ]
    }

    fn plant(&self, leaks: &mut LeakSearch) {
        leaks.plant("primary token", &self.primary);
        leaks.plant("spare token", &self.spare);
        leaks.plant("sibling field", &self.sibling);
    }
}

fn run(workspace: &Workspace, arguments: &[&str], code: i32) -> Outcome<Run> {
    expect(workspace.command(arguments.iter().copied()).start()?, code)
}

fn expect(run: Run, code: i32) -> Outcome<Run> {
    if run.code == Some(code) {
        Ok(run)
    } else {
        Err(format!("expected exit code {code}\n{}", run.transcript()).into())
    }
}

/// Returns what Terraform said, without legend, progress and the source lines of warnings.
fn told(run: &Run) -> String {
    const PROGRESS: [&str; 5] = [
        ": Preparing import...",
        ": Refreshing state...",
        ": Importing...",
        ": Modifying...",
        "Saved the plan to:",
    ];
    let output = run.output();
    let start = output
        .find("Terraform will perform the following actions:")
        .unwrap_or_default();
    let mut lines: Vec<&str> = Vec::new();
    let mut skips_source = false;
    for line in output[start..].lines() {
        // Warnings name their token in the summary: where main.tf has it adds nothing here.
        if line.starts_with("Warning: ") {
            skips_source = true;
        } else if skips_source && (line.is_empty() || line.starts_with("  ")) {
            continue;
        } else {
            skips_source = false;
        }
        if !line.starts_with('─') && !PROGRESS.iter().any(|text| line.contains(text)) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}

/// Returns the part of a plan that is about one resource.
fn changes_of(plan: &Run, address: &str) -> String {
    let text = told(plan);
    let start = text.find(&format!("# {address} ")).unwrap_or_default();
    let end = text[start..]
        .find("\n    }\n")
        .map_or(text.len(), |end| start + end + "\n    }".len());
    format!("  {}", &text[start..end])
}

/// Returns what Terraform said before its first warning, and each warning.
fn split_warnings(run: &Run) -> (String, Vec<String>) {
    const WARNING: &str = "Warning: ";
    let text = format!("\n{}", told(run));
    let mut parts = text.split("\nWarning: ");
    let before = parts.next().unwrap_or_default().to_owned();
    let warnings = parts.map(|part| format!("{WARNING}{}", part.trim_end()));
    (before, warnings.collect())
}

/// What the state says of one secret.
struct Known {
    row: [String; 5],
    /// What does not fit into the row.
    remark: String,
}

/// Lists every secret in the state.
fn known(state: &Value) -> Vec<Known> {
    let describe = |path: &str, token: &Value| {
        let text = |name: &str| token[name].as_str().unwrap_or("-");
        let cut = |text: &str, count: usize| text.chars().take(count).collect::<String>();
        Known {
            row: [
                path.to_owned(),
                text("status").to_owned(),
                cut(text("fingerprint").trim_start_matches("sha256:"), 8),
                cut(text("rotate_at"), 10),
                cut(text("expires_at"), 10),
            ],
            remark: token["duplicate_of"].as_str().map_or_else(
                || {
                    format!(
                        "{path}: minted {} (source: {})",
                        text("minted_at"),
                        text("minted_at_source")
                    )
                },
                |other| format!("{path}: the same token as {other}"),
            ),
        }
    };
    let resources = state["values"]["root_module"]["resources"].as_array();
    resources
        .into_iter()
        .flatten()
        .map(|resource| &resource["values"])
        .flat_map(|values| match values["spares"].as_object() {
            Some(spares) => spares
                .iter()
                .map(|(path, spare)| describe(path, spare))
                .collect(),
            None => vec![describe(values["path"].as_str().unwrap_or("-"), values)],
        })
        .collect()
}

/// Returns the instant that the last plan takes for the present.
fn rehearsed_day() -> Outcome<String> {
    let now = clock::now().as_second();
    let day = Timestamp::from_second(now)?
        .checked_add(SignedDuration::from_hours(24 * REHEARSED_DAYS))?;
    Ok(day.to_string())
}
