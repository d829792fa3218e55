//! What the API takes for an `external-secrets.io/v1` ExternalSecret, written down by hand: the
//! rules of its definition and of the operator's webhook, as far as a manifest here can meet them.

use serde_json::{Map, Value, json};

/// What is allowed at one place.
enum Rule {
    /// A text that passes a test.
    Text(fn(&str) -> bool),
    /// Texts by a key.
    Texts,
    /// Anything: parts that no manifest here has.
    Any,
    /// Elements that all follow one rule.
    List(fn() -> Rule),
    /// Fields with a rule for each, and whether it must be there; no others.
    Object(Vec<(&'static str, bool, Rule)>),
}

use Rule::{Any, List, Object, Text, Texts};

fn external_secret() -> Rule {
    Object(vec![
        (
            "apiVersion",
            true,
            Text(|text| text == "external-secrets.io/v1"),
        ),
        ("kind", true, Text(|text| text == "ExternalSecret")),
        ("metadata", true, metadata()),
        ("spec", true, spec()),
    ])
}

fn metadata() -> Rule {
    Object(vec![
        ("name", true, Text(is_name)),
        (
            "namespace",
            true,
            Text(|text| is_name(text) && !text.contains('.')),
        ),
        ("annotations", false, Texts),
        ("labels", false, Texts),
    ])
}

fn spec() -> Rule {
    let policies = [
        (
            "creationPolicy",
            false,
            Text(|text| ["Owner", "Orphan", "Merge", "None"].contains(&text)),
        ),
        (
            "deletionPolicy",
            false,
            Text(|text| ["Delete", "Merge", "Retain"].contains(&text)),
        ),
        ("immutable", false, Any),
        ("template", false, template()),
    ];
    let mut target = vec![("name", false, Text(is_name))];
    target.extend(policies);
    Object(vec![
        ("refreshInterval", false, Text(is_duration)),
        (
            "refreshPolicy",
            false,
            Text(|text| ["CreatedOnce", "Periodic", "OnChange"].contains(&text)),
        ),
        ("secretStoreRef", false, store()),
        ("target", false, Object(target)),
        ("data", false, List(entry)),
        ("dataFrom", false, Any),
    ])
}

fn template() -> Rule {
    let metadata = vec![
        ("annotations", false, Texts),
        ("labels", false, Texts),
        ("finalizers", false, List(|| Text(|_| true))),
    ];
    Object(vec![
        ("type", false, Text(|_| true)),
        ("engineVersion", false, Text(|text| text == "v2")),
        (
            "mergePolicy",
            false,
            Text(|text| ["Replace", "Merge"].contains(&text)),
        ),
        ("metadata", false, Object(metadata)),
        ("data", false, Texts),
        ("templateFrom", false, Any),
    ])
}

fn store() -> Rule {
    Object(vec![
        ("name", false, Text(is_name)),
        (
            "kind",
            false,
            Text(|text| ["SecretStore", "ClusterSecretStore"].contains(&text)),
        ),
    ])
}

fn entry() -> Rule {
    let reference = vec![
        ("key", true, Text(|_| true)),
        ("property", false, Text(|_| true)),
        ("version", false, Text(|_| true)),
        (
            "metadataPolicy",
            false,
            Text(|text| ["None", "Fetch"].contains(&text)),
        ),
        (
            "conversionStrategy",
            false,
            Text(|text| ["Default", "Unicode"].contains(&text)),
        ),
        (
            "decodingStrategy",
            false,
            Text(|text| ["Auto", "Base64", "Base64URL", "None"].contains(&text)),
        ),
        (
            "nullBytePolicy",
            false,
            Text(|text| ["Ignore", "Fail"].contains(&text)),
        ),
    ];
    Object(vec![
        ("secretKey", true, Text(is_key)),
        ("remoteRef", true, Object(reference)),
        (
            "sourceRef",
            false,
            Object(vec![
                ("storeRef", false, store()),
                ("generatorRef", false, Any),
            ]),
        ),
    ])
}

fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(inner)
            && part.ends_with(inner)
            && part.chars().all(|c| c == '-' || inner(c))
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_key(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    (1..=253).contains(&text.len()) && text.chars().all(allowed)
}

/// A duration of whole hours, minutes and seconds, as the operator's own type reads it.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let has_digits = digits.len() < rest.len();
        match digits.strip_prefix(['h', 'm', 's']) {
            Some(after) if has_digits => rest = after,
            _ => return rest == "0" && text == "0",
        }
    }
    !text.is_empty()
}

/// Returns what the API or the webhook would refuse in a manifest.
pub(super) fn violations(manifest: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(&external_secret(), manifest, "", &mut found);
    let data = manifest["spec"]["data"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if data.is_empty() && manifest["spec"]["dataFrom"].is_null() {
        found.push("spec: neither data nor dataFrom".to_owned());
    }
    let mut keys: Vec<_> = data
        .iter()
        .map(|entry| entry["secretKey"].to_string())
        .collect();
    keys.sort();
    let twice = keys.windows(2).filter(|pair| pair[0] == pair[1]);
    found.extend(twice.map(|pair| format!("spec.data: {} twice", pair[0])));
    found
}

fn check(rule: &Rule, value: &Value, at: &str, found: &mut Vec<String>) {
    let mut wrong = |what: &str| found.push(format!("{at}: {what}"));
    match (rule, value) {
        (Any, _) => {}
        (Text(passes), Value::String(text)) if passes(text) => {}
        (Texts, Value::Object(texts)) if set(texts).all(|(_, text)| text.is_string()) => {}
        (List(rule), Value::Array(elements)) => {
            for (index, element) in elements.iter().enumerate() {
                check(&rule(), element, &format!("{at}[{index}]"), found);
            }
        }
        (Object(rules), Value::Object(fields)) => {
            for (name, _) in
                set(fields).filter(|(name, _)| rules.iter().all(|rule| rule.0 != *name))
            {
                wrong(&format!("no field {name}"));
            }
            for (name, required, rule) in rules {
                match fields.get(*name) {
                    None | Some(Value::Null) if *required => found.push(format!("{at}: no {name}")),
                    // The API drops nulls before it looks.
                    None | Some(Value::Null) => {}
                    Some(value) => check(rule, value, &format!("{at}.{name}"), found),
                }
            }
        }
        (_, value) => wrong(&format!("not {value}")),
    }
}

fn set(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    fields.iter().filter(|(_, value)| !value.is_null())
}

/// A manifest as people write it.
fn by_hand() -> Value {
    json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": { "name": "agent", "namespace": "agents", "labels": null },
        "spec": {
            "refreshInterval": "15m0s",
            "refreshPolicy": "OnChange",
            "secretStoreRef": { "kind": "ClusterSecretStore", "name": "vault-kv" },
            "target": { "name": "agent-token", "template": null },
            "data": [{
                "secretKey": "CLAUDE_CODE_OAUTH_TOKEN",
                "remoteRef": { "key": "agent", "property": "token", "version": null },
            }],
        },
    })
}

#[test]
fn a_manifest_that_people_write_passes() {
    assert_eq!(violations(&by_hand()), [""; 0]);
}

#[test]
fn each_rule_is_held() {
    for (pointer, value) in [
        ("/apiVersion", json!("external-secrets.io/v1beta1")),
        ("/kind", json!("SecretStore")),
        ("/metadata/name", json!("Agent")),
        ("/metadata/namespace", json!("a.b")),
        ("/metadata", json!({ "name": "agent" })),
        ("/metadata/labels", json!({ "a": 1 })),
        ("/spec/refreshInterval", json!("15")),
        ("/spec/refreshPolicy", json!("Always")),
        ("/spec/target/template", json!({ "mergePolicy": "Keep" })),
        ("/spec/target/template", json!({ "data": { "A": 1 } })),
        ("/spec/secretStoreRef/kind", json!("Store")),
        ("/spec/secretStoreRef", json!({ "title": "vault-kv" })),
        ("/spec/target/name", json!("")),
        ("/spec/data", json!([])),
        ("/spec/data", json!({})),
        ("/spec/data/0/secretKey", json!("a b")),
        ("/spec/data/0/remoteRef", json!({ "property": "token" })),
        ("/spec/data/0/remoteRef/version", json!(3)),
        (
            "/spec/data/0/remoteRef",
            json!({ "key": "a", "metadataPolicy": "All" }),
        ),
        (
            "/spec/data/0",
            json!({ "secret_key": "A", "remoteRef": { "key": "a" } }),
        ),
    ] {
        let mut manifest = by_hand();
        *manifest.pointer_mut(pointer).unwrap() = value;
        assert_ne!(violations(&manifest), [""; 0], "{pointer}");
    }
    let mut manifest = by_hand();
    let twice = vec![manifest["spec"]["data"][0].clone(); 2];
    manifest["spec"]["data"] = twice.into();
    assert_ne!(violations(&manifest), [""; 0]);
}

#[test]
fn durations_have_units() {
    for text in ["0", "0s", "15m", "1h", "1h0m0s", "90m"] {
        assert!(is_duration(text), "{text}");
    }
    for text in ["", "15", "1d", "h", "1h30", "1 h"] {
        assert!(!is_duration(text), "{text}");
    }
}
