//! What is logged, at the most talkative level and by every crate below.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::json;
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{Credentials, Identity, Login, Reading};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use super::{path, root_store, settings, store};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

/// Writes down every event and span with all of their fields.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Everything {
    fn add(&self, target: &str, record: impl FnOnce(&mut Line)) {
        let mut line = Line(target.to_owned());
        record(&mut line);
        let mut all = self.0.lock().unwrap();
        all.push_str(&line.0);
        all.push('\n');
    }
}

impl<S: Subscriber> Layer<S> for Everything {
    fn on_new_span(&self, attributes: &Attributes<'_>, _id: &Id, _context: Context<'_, S>) {
        let target = attributes.metadata().target();
        self.add(target, |line| attributes.record(line));
    }

    fn on_record(&self, _id: &Id, values: &Record<'_>, _context: Context<'_, S>) {
        self.add("record", |line| values.record(line));
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        self.add(event.metadata().target(), |line| event.record(line));
    }
}

#[tokio::test]
async fn logs_tell_each_request_and_no_secret() {
    let bao = OpenBao::start().await;
    let fields = json!({ "token": "canary-field", "filler": "canary-sibling" });
    bao.put("secret", "agent", fields).await;
    let given = json!({ "auth": { "client_token": OpenBao::ROOT } }).to_string();
    let echo = json!({ "errors": ["canary-jwt", OpenBao::ROOT] }).to_string();
    let proxy = Proxy::before(
        bao.address(),
        [
            Step::json(503, &echo),
            Step::json(200, &given),
            Step::json(500, &echo),
            Step::html(502),
            Step::CutBefore,
            Step::Pass,
            Step::json(405, &echo),
            Step::redirect(302, "https://vault/canary-jwt"),
            Step::json(200, r#"{"data":{"token":"canary-field"}}"#),
        ],
    )
    .await;

    let everything = Everything::default();
    let subscriber = tracing_subscriber::registry().with(everything.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    let login = Login {
        mount: "jwt".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "ci".into(),
            jwt: Secret::new("canary-jwt"),
        },
    };
    let reader = store(settings(proxy.address(), Credentials::Login(login)));
    reader.read(&path("agent")).await.unwrap();
    for _ in 0..3 {
        reader.read(&path("agent")).await.unwrap_err();
    }
    reader.close().await;
    drop(guard);

    let logged = everything.0.lock().unwrap();
    for secret in ["canary", OpenBao::ROOT] {
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
    let own = "terraform_provider_claude::vault::channel message=answer method=GET api_path=\"secret/data/agent\" attempt=4";
    assert!(
        logged
            .lines()
            .any(|line| line.starts_with(own) && line.ends_with("status=200")),
        "{logged}"
    );
}

#[tokio::test]
async fn a_write_shows_nothing_of_the_document() {
    const TOKEN: &str = "sk-ant-oat01-canary-of-a-written-token";
    let bao = OpenBao::start().await;
    let fields = json!({ "token": "canary-field", "filler": "canary-sibling" });
    bao.put("secret", "agent", fields).await;
    let echo = json!({ "errors": [format!("cannot store {TOKEN}")] }).to_string();
    let proxy = Proxy::before(
        bao.address(),
        [
            Step::Pass,
            Step::json(500, &echo),
            Step::html(502),
            Step::CutBefore,
            Step::CutAfter,
            Step::Pass,
            Step::json(400, &echo),
        ],
    )
    .await;
    let everything = Everything::default();
    let subscriber = tracing_subscriber::registry().with(everything.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    let store = root_store(proxy.address());
    let Reading::Present(read) = store.read(&path("agent")).await.unwrap() else {
        panic!();
    };
    let new = read.with_field("token", &Secret::new(TOKEN));
    let mut shown = format!("{new:?}");
    for _ in 0..2 {
        let failure = store
            .write(&path("agent"), &new, 1, Timestamp::MAX)
            .await
            .unwrap_err();
        write!(shown, "{failure} {failure:?}").unwrap();
    }
    drop(guard);
    assert_eq!(proxy.seen().len(), 7);
    assert!(!shown.contains("canary"), "{shown}");
    let logged = everything.0.lock().unwrap();
    let line = logged.lines().find(|line| line.contains("canary"));
    assert_eq!(line, None);
    let own = "terraform_provider_claude::vault::channel message=answer method=POST api_path=\"secret/data/agent\" attempt=5";
    assert!(
        logged
            .lines()
            .any(|line| line.starts_with(own) && line.ends_with("status=400")),
        "{logged}"
    );
}
