//! What a user reads when Vault does not answer as hoped, and what goes unseen because it passes.

mod absent;
mod connection;
mod rights;

use std::fmt::Write as _;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};
use crate::support::secrets::token;
use crate::support::terraform::{Run, Told, Workspace};

const SEALED: &str = r#"{"errors":["Vault is sealed"]}"#;

/// One stack in which every token has a provider, and so an address, of its own.
struct Stack {
    bao: OpenBao,
    workspace: Workspace,
    names: Vec<&'static str>,
}

impl Stack {
    /// Stores a token under each name and brings all of them into the state.
    async fn of(names: &[&'static str]) -> Self {
        let bao = OpenBao::start().await;
        for name in names {
            let fields = json!({ "claude_oauth_token": token(name), "other": "field" });
            bao.put("secret", name, fields).await;
        }
        let mut workspace = Workspace::new("faults");
        workspace.set("VAULT_TOKEN", OpenBao::ROOT);
        let stack = Self {
            bao,
            workspace,
            names: names.to_vec(),
        };
        stack.point(|_| String::new());
        stack.workspace.apply().exits(0);
        stack
    }

    /// Writes the configuration anew, with further arguments for the provider of each token.
    fn point(&self, arguments: impl Fn(&str) -> String) {
        let mut text = String::new();
        for name in &self.names {
            let given = arguments(name);
            let address = match given.contains("address") {
                true => String::new(),
                false => format!("address = \"{}\"", self.bao.address()),
            };
            writeln!(
                text,
                "provider \"claude\" {{\n  alias = \"{name}\"\n  {address}\n  {given}\n}}\n\n\
                 resource \"claude_oauth_token\" \"{name}\" {{\n  provider = claude.{name}\n  \
                 path     = \"{name}\"\n}}\n"
            )
            .unwrap();
        }
        self.workspace.configure(&text);
    }

    /// Plans with all providers at once.
    fn plan(&self) -> Run {
        self.workspace
            .run(["plan", "-json", "-detailed-exitcode", "-parallelism=64"])
    }
}

/// Returns all that is told about one token.
fn about<'a>(told: &'a [Told], name: &str) -> Vec<&'a Told> {
    let address = format!("claude_oauth_token.{name}");
    told.iter().filter(|told| told.address == address).collect()
}

/// Demands one error about a token, with its id in the summary.
#[track_caller]
fn fails(told: &[Told], name: &str, summary: &str, says: &[&str]) {
    let about = about(told, name);
    let [error] = about[..] else {
        panic!("{name}: {about:#?} of {told:#?}");
    };
    assert!(error.is_error, "{error:#?}");
    let id = format!("secret/{name}#claude_oauth_token");
    assert_eq!(error.summary, format!("{summary}: {id}"), "{error:#?}");
    for text in says {
        assert!(error.detail.contains(text), "{text}: {error:#?}");
    }
}

/// An answer, how often the provider asks for it with one retry, and what is told in the end.
type Fault = (
    &'static str,
    Step,
    usize,
    &'static str,
    &'static [&'static str],
);

fn faults() -> Vec<Fault> {
    vec![
        (
            "lagging",
            Step::json(412, r#"{"errors":["required index state not present"]}"#),
            2,
            "Vault has no active node",
            &["standby that cannot answer (status 412)", "`vault status`"],
        ),
        (
            "limited",
            Step::json(429, r#"{"errors":["rate limit quota exceeded"]}"#),
            2,
            "Vault rate limit exceeded",
            &["lower -parallelism"],
        ),
        (
            "limited-for-an-hour",
            Step::json(429, "{}").with("retry-after", "3600"),
            1,
            "Vault rate limit exceeded",
            &["Run this again later"],
        ),
        (
            "recovery-standby",
            Step::json(472, "{}"),
            2,
            "Vault has no active node",
            &["(status 472)", "Use the address of the active node"],
        ),
        (
            "performance-standby",
            Step::json(473, "{}"),
            2,
            "Vault has no active node",
            &["(status 473)"],
        ),
        (
            "broken",
            Step::json(500, r#"{"errors":["internal error"]}"#),
            2,
            "Vault failed",
            &[
                "Vault answered 500 for `secret/data/broken`: internal error.",
                "server's log",
            ],
        ),
        (
            "gateway",
            Step::html(502),
            2,
            "Vault failed",
            &["Vault answered 502 for `secret/data/gateway`"],
        ),
        (
            "sealed",
            Step::json(503, SEALED),
            2,
            "Vault is sealed",
            &["vault operator unseal"],
        ),
        (
            "cut-before",
            Step::CutBefore,
            2,
            "Vault cannot be reached",
            &["connection", "`vault status`"],
        ),
        (
            "cut-after",
            Step::CutAfter,
            2,
            "Vault cannot be reached",
            &["connection", "`vault status`"],
        ),
        (
            "cut-inside",
            Step::CutInside,
            2,
            "Vault cannot be reached",
            &["connection", "`vault status`"],
        ),
        (
            "page",
            Step::html(200),
            1,
            "The response is not from Vault",
            &[
                "not with JSON but with `text/html; charset=utf-8`",
                "login page",
            ],
        ),
        (
            "forbidden-page",
            Step::html(403),
            1,
            "The response is not from Vault",
            &["answered 403 for"],
        ),
        (
            "empty",
            Step::json(200, "{}"),
            2,
            "The response is not from Vault",
            &["`data` is missing", "`secret/data/empty`"],
        ),
        (
            "moved-301",
            Step::redirect(301, "https://elsewhere.example.com/v1/x?y=z"),
            1,
            "Vault redirects to another address",
            &[
                "status 301 to `https://elsewhere.example.com/v1/x`",
                "The Vault token was not sent there",
            ],
        ),
        (
            "moved-302",
            Step::redirect(302, "https://elsewhere.example.com/v1/x"),
            1,
            "Vault redirects to another address",
            &["status 302 to `https://elsewhere.example.com/v1/x`"],
        ),
        (
            "moved-303",
            Step::redirect(303, "https://elsewhere.example.com/v1/x"),
            1,
            "Vault redirects to another address",
            &["status 303 to `https://elsewhere.example.com/v1/x`"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_failure_has_a_name_and_a_way_out() {
    let faults = faults();
    let names: Vec<_> = faults.iter().map(|fault| fault.0).collect();
    let stack = Stack::of(&names).await;
    let mut proxies = Vec::new();
    for (_, step, ..) in &faults {
        proxies.push(Proxy::before(stack.bao.address(), vec![step.clone(); 9]).await);
    }
    stack.point(|name| {
        let index = names.iter().position(|other| *other == name).unwrap();
        format!(
            "address = \"{}\"\n  max_retries = 1",
            proxies[index].address()
        )
    });
    let run = stack.plan();
    let told = run.exits(1).told();
    for ((name, _, requests, summary, says), proxy) in faults.iter().zip(&proxies) {
        fails(&told, name, summary, says);
        assert_eq!(proxy.seen().len(), *requests, "{name}");
    }
    assert_eq!(told.len(), faults.len(), "{told:#?}");

    // Without retries the first failure is the last.
    let proxies_before: Vec<_> = proxies.iter().map(|proxy| proxy.seen().len()).collect();
    stack.point(|name| {
        let index = names.iter().position(|other| *other == name).unwrap();
        format!(
            "address = \"{}\"\n  max_retries = 0",
            proxies[index].address()
        )
    });
    let told = stack.plan().exits(1).told();
    for (((name, _, requests, summary, says), proxy), before) in
        faults.iter().zip(&proxies).zip(proxies_before)
    {
        fails(&told, name, summary, says);
        // After an odd answer the provider asks what kind of mount it is.
        let further = if *name == "empty" { *requests } else { 1 };
        assert_eq!(proxy.seen().len() - before, further, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_passes_is_not_seen_by_the_user() {
    let passing = [
        ("lagging", Step::json(412, "{}")),
        ("limited", Step::json(429, "{}").with("retry-after", "1")),
        ("recovery", Step::json(472, "{}")),
        ("standby", Step::json(473, "{}")),
        (
            "broken",
            Step::json(500, r#"{"errors":["internal error"]}"#),
        ),
        ("gateway", Step::html(502)),
        ("sealed", Step::json(503, SEALED)),
        ("timeout", Step::html(504)),
        ("cut-before", Step::CutBefore),
        ("cut-after", Step::CutAfter),
        ("cut-inside", Step::CutInside),
        ("late", Step::Delay(Duration::from_millis(1500))),
        ("redirected", Step::Pass),
        ("redirected-too", Step::Pass),
    ];
    let names = passing.clone().map(|(name, _)| name);
    let stack = Stack::of(&names).await;
    let mut proxies = Vec::new();
    for (name, step) in &passing {
        let step = match *name {
            "redirected" => redirect(307, &stack, name),
            "redirected-too" => redirect(308, &stack, name),
            _ => step.clone(),
        };
        proxies.push(Proxy::before(stack.bao.address(), [step]).await);
    }
    stack.point(|name| {
        let index = names.iter().position(|other| *other == name).unwrap();
        format!("address = \"{}\"", proxies[index].address())
    });
    let plan = stack.plan();
    let told = plan.exits(0).told();
    assert_eq!(told.len(), 0, "{told:#?}");
    for ((name, _), proxy) in passing.iter().zip(&proxies) {
        let requests = match *name {
            "late" | "redirected" | "redirected-too" => 1,
            _ => 2,
        };
        assert_eq!(proxy.seen().len(), requests, "{name}");
    }
}

/// A standby that sends to the active node.
fn redirect(status: u16, stack: &Stack, name: &str) -> Step {
    let to = format!("{}/v1/secret/data/{name}", stack.bao.address());
    Step::redirect(status, &to)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_that_never_comes_ends_within_a_minute() {
    let stack = Stack::of(&["silent", "dripping"]).await;
    let silent = Proxy::before(
        stack.bao.address(),
        vec![Step::Delay(Duration::from_secs(300)); 99],
    )
    .await;
    let dripping = Proxy::before(stack.bao.address(), vec![Step::Drip; 99]).await;
    stack.point(|name| {
        let proxy = match name {
            "silent" => &silent,
            _ => &dripping,
        };
        format!("address = \"{}\"", proxy.address())
    });
    let run = stack.plan();
    let told = run.exits(1).told();
    for name in ["silent", "dripping"] {
        let says = ["did not answer within 30 s", "`vault status`"];
        fails(&told, name, "Vault did not respond in time", &says);
    }
    assert!(run.elapsed < Duration::from_secs(60), "{:?}", run.elapsed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn clocks_that_differ_are_told_once() {
    let bao = OpenBao::start().await;
    for name in ["one", "two", "spare"] {
        let fields = json!({ "claude_oauth_token": token(name) });
        bao.put("secret", name, fields).await;
    }
    let skewed = |hours, minutes| {
        let ahead = SignedDuration::from_hours(hours) + SignedDuration::from_mins(minutes);
        Proxy::before(bao.address(), vec![Step::PassAhead(ahead); 99])
    };
    let mut workspace = Workspace::new("skew");
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure(
        "resource \"claude_oauth_token\" \"all\" {\n  for_each = toset([\"one\", \"two\"])\n  \
         path     = each.key\n}\n\n\
         resource \"claude_token_spare_pool\" \"all\" {\n  paths = [\"spare\"]\n}\n",
    );
    let warning = "Vault's clock and this machine's clock differ";
    for (proxy, expected) in [
        (skewed(2, 0).await, 1),
        (skewed(-2, 0).await, 1),
        (skewed(0, 50).await, 0),
    ] {
        for command in [&["apply", "-json", "-auto-approve"][..], &["plan", "-json"]] {
            let run = workspace
                .command(command.iter().copied())
                .env("VAULT_ADDR", proxy.address())
                .run();
            let told = run.exits(0).told();
            let skew: Vec<_> = told.iter().filter(|told| told.summary == warning).collect();
            assert_eq!(skew.len(), expected, "{command:?}: {told:#?}");
            assert!(skew.iter().all(|told| !told.is_error));
        }
    }
}
