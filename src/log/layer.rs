//! Converts events to the lines that plugin hosts read.

use jiff::Timestamp;
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::fields::Fields;

/// Name of this crate, the prefix of its events' targets.
const CRATE: &str = env!("CARGO_CRATE_NAME");

/// Root of the module names in the log, as hosts expect it.
const MODULE_ROOT: &str = "provider";

/// Maximum length of a line in bytes. Hosts split lines of 64 KiB and then read neither part as a
/// record.
const MAX_LINE_BYTES: usize = 48 * 1024;

/// Writes one line for each event of this crate.
pub(super) struct HostLog<N, W> {
    level: LevelFilter,
    now: N,
    write: W,
}

impl<N, W> HostLog<N, W>
where
    N: Fn() -> Timestamp,
    W: Fn(&str),
{
    /// Writes events up to `level`, dated by `now`, with `write`, which receives one whole line per
    /// call.
    pub(super) fn new(level: LevelFilter, now: N, write: W) -> Self {
        Self { level, now, write }
    }
}

impl<N, W> HostLog<N, W> {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        module(metadata.target()).is_some() && *metadata.level() <= self.level
    }
}

/// Returns the path of the module inside this crate, or `None` for any other crate.
fn module(target: &str) -> Option<&str> {
    let rest = target.strip_prefix(CRATE)?;
    (rest.is_empty() || rest.starts_with("::")).then_some(rest)
}

impl<S, N, W> Layer<S> for HostLog<N, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: Fn() -> Timestamp + 'static,
    W: Fn(&str) + 'static,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        // Checked again, because another layer may have enabled the event.
        if !self.wants(metadata) {
            return;
        }
        let mut fields = Fields::default();
        let scope = context.event_scope(event);
        for span in scope.into_iter().flat_map(Scope::from_root) {
            if let Some(span_fields) = span.extensions().get::<Fields>() {
                fields.set_all(span_fields);
            }
        }
        event.record(&mut fields);
        (self.write)(&line(metadata, fields, (self.now)()));
    }
}

/// Writes the line: the host's own keys first, then fields until the line is full.
fn line(metadata: &Metadata<'_>, mut fields: Fields, now: Timestamp) -> String {
    let module = module(metadata.target()).unwrap_or_default();
    let module = format!("{MODULE_ROOT}{}", module.replace("::", "."));
    let mut line = String::from("{");
    for (key, text) in [
        ("@level", level(*metadata.level()).to_owned()),
        ("@message", fields.take_message()),
        ("@module", module),
        // Hosts require exactly six decimals of a second.
        ("@timestamp", format!("{now:.6}")),
    ] {
        push(&mut line, key, &Value::String(text));
    }
    let mut left_out = 0_u64;
    for (name, value) in fields.iter() {
        let length = line.len();
        push(&mut line, name, value);
        if line.len() > MAX_LINE_BYTES {
            line.truncate(length);
            left_out += 1;
        }
    }
    if left_out > 0 {
        push(&mut line, "fields_left_out", &Value::from(left_out));
    }
    line.push_str("}\n");
    line
}

/// Adds a key and its value to the object that `line` has opened.
fn push(line: &mut String, key: &str, value: &Value) {
    if line.len() > 1 {
        line.push(',');
    }
    line.push_str(&Value::from(key).to_string());
    line.push(':');
    line.push_str(&value.to_string());
}

/// Returns a level's name in hosts.
fn level(level: Level) -> &'static str {
    match level {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{debug, error, info, info_span, trace, warn};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Runs the code and returns the lines that it logged.
    fn logged(level: LevelFilter, code: impl FnOnce()) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let layer = HostLog::new(
            level,
            || "2027-03-20T01:02:03.4Z".parse().unwrap(),
            move |line: &str| sink.lock().unwrap().push(line.to_owned()),
        );
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), code);
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    /// Parses the only line that the code logged.
    fn record(code: impl FnOnce()) -> serde_json::Map<String, Value> {
        let lines = logged(LevelFilter::TRACE, code);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].find('\n'), Some(lines[0].len() - 1));
        serde_json::from_str(&lines[0]).unwrap()
    }

    #[test]
    fn line_has_the_keys_of_the_host() {
        let lines = logged(LevelFilter::TRACE, || info!(count = 3, name = "x", "done"));
        assert_eq!(
            lines,
            [concat!(
                r#"{"@level":"info","@message":"done","@module":"provider.log.layer.tests","#,
                r#""@timestamp":"2027-03-20T01:02:03.400000Z","count":3,"name":"x"}"#,
                "\n"
            )]
        );
    }

    #[test]
    fn other_crates_are_never_written() {
        let lines = logged(LevelFilter::TRACE, || {
            error!(target: "vaultrs::api", body = "hvs.invented", "request");
            trace!(target: "rustify", "hvs.invented");
            debug!(target: "terraform_provider_claude_other", "hvs.invented");
            let span = info_span!(target: "reqwest::connect", "connect", token = "hvs.invented");
            span.in_scope(|| warn!("ours"));
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("ours"));
        assert!(!lines[0].contains("invented"));
    }

    #[test]
    fn level_is_a_limit() {
        let lines = logged(LevelFilter::INFO, || {
            debug!("too fine");
            info!("fits");
        });
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("fits"));
    }

    #[test]
    fn spans_lend_their_fields_and_the_event_wins() {
        let record = record(|| {
            let outer = info_span!(
                "call",
                tf_rpc = "ReadResource",
                step = 1,
                late = tracing::field::Empty
            );
            let _outer = outer.enter();
            outer.record("late", "recorded");
            let _inner = info_span!("inner", step = 2).entered();
            info!(step = 3, "read");
        });
        assert_eq!(record["tf_rpc"], "ReadResource");
        assert_eq!(record["late"], "recorded");
        assert_eq!(record["step"], 3);
        assert_eq!(record["@message"], "read");
    }

    #[test]
    fn values_are_text_or_number_and_control_characters_are_escaped() {
        let record = record(|| {
            info!(
                flag = true,
                not_a_number = f64::NAN,
                half = 0.5,
                huge = u64::MAX,
                small = i64::MIN,
                debug = ?Some("a\nb"),
                text = "line\nbreak\u{1b}[0m",
            );
        });
        assert_eq!(record["flag"], "true");
        assert_eq!(record["not_a_number"], "NaN");
        assert_eq!(record["half"], 0.5);
        assert_eq!(record["huge"], u64::MAX.to_string());
        assert_eq!(record["small"], i64::MIN.to_string());
        assert_eq!(record["text"], "line\nbreak\u{1b}[0m");
        assert_eq!(record["@message"], "");
        for (key, value) in &record {
            assert!(value.is_string() || (value.is_number() && !key.starts_with('@')));
        }
    }

    #[test]
    fn keys_of_the_host_cannot_be_set_by_a_field() {
        let record = record(|| info!("@level" = 5, "@caller" = 6, message = 7));
        assert_eq!(record["@level"], "info");
        assert_eq!(record["@message"], "7");
        assert!(!record.contains_key("@caller"));
    }

    #[test]
    fn lines_stay_far_below_the_limit_of_the_host() {
        let long = "\u{1}".repeat(100_000);
        let lines = logged(LevelFilter::TRACE, || {
            info!(a = long, b = long, c = long, d = long, e = 5, "{long}");
        });
        assert!(lines[0].len() < 60_000, "{}", lines[0].len());
        let record: serde_json::Map<String, Value> = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(record["e"], 5);
        assert!(record["fields_left_out"].as_u64().unwrap() > 0);
    }
}
