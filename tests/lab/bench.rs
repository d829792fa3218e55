//! The secrets of one run, and the second writer who comes in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use terraform_provider_claude::clock;
use terraform_provider_claude::token::check::check;
use terraform_provider_claude::token::instant::{DAY, format_instant};

use crate::support::openbao::OpenBao;
use crate::support::secrets::token;

/// Field that holds tokens.
pub(super) const FIELD: &str = "claude_oauth_token";
/// The secret whose token is replaced.
pub(super) const PRIMARY: &str = "m-agent";
/// The spare that comes first: its token lasts longest.
pub(super) const BEST: &str = "spare-2";
/// The spares as the configuration lists them; the last holds a copy of the primary's token.
pub(super) const SPARES: [&str; 4] = ["spare-1", BEST, "spare-3", COPY];
/// The spare that is a copy of the primary.
pub(super) const COPY: &str = "spare-4";
/// Another primary; its path sorts first.
const RIVAL: &str = "a-rival";

/// Fields beside the token, with all that a careless copy would change.
const SIBLINGS: &str = r#""big":1234567890123456789012345,"escaped":"\u003cb\u003e \u00e9 \"","nested":{"b":[1,{"z":null}],"a":true},"none":null,"one":1.0"#;

/// What a second writer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Patches another field of the primary.
    Sibling,
    /// Puts another working token into the primary.
    Working,
    /// Puts something into the primary that is no token.
    Broken,
    /// Deletes the primary's current version.
    Delete,
    /// Marks the best spare for another primary.
    Rival,
    /// Puts another token into the best spare.
    Refill,
    /// Puts the primary's first token back.
    Back,
}

impl Deed {
    pub(super) const ALL: [Self; 6] = [
        Self::Sibling,
        Self::Working,
        Self::Broken,
        Self::Delete,
        Self::Rival,
        Self::Refill,
    ];

    /// Returns its name in a table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sibling => "sibling",
            Self::Working => "working",
            Self::Broken => "broken",
            Self::Delete => "delete",
            Self::Rival => "rival",
            Self::Refill => "refill",
            Self::Back => "back",
        }
    }
}

/// One version of a document, every field as the text that the server shows.
pub(super) type Fields = BTreeMap<String, String>;

/// A secret as it is.
#[derive(Clone, Debug)]
pub(super) struct Secret {
    /// Versions from the first on; nothing where one was deleted.
    pub(super) versions: Vec<Option<Fields>>,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Secret {
    /// Returns the number of the current version.
    pub(super) fn version(&self) -> usize {
        self.versions.len()
    }

    /// Returns what a version has in the token's field.
    pub(super) fn value(&self, version: usize) -> Option<String> {
        let fields = self.versions.get(version.checked_sub(1)?)?.as_ref()?;
        serde_json::from_str(fields.get(FIELD)?).ok()
    }

    /// Returns what the current version has in the token's field.
    pub(super) fn current(&self) -> Option<String> {
        self.value(self.version())
    }
}

/// The secrets of one run, in a folder of their own.
pub(super) struct Bench {
    pub(super) bao: Arc<OpenBao>,
    folder: String,
    tokens: Mutex<BTreeMap<String, String>>,
    deeds: Mutex<Vec<(Deed, Option<usize>)>>,
}

impl Bench {
    /// Makes a folder without secrets.
    pub(super) fn new(bao: &Arc<OpenBao>, folder: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            bao: Arc::clone(bao),
            folder: folder.into(),
            tokens: Mutex::default(),
            deeds: Mutex::default(),
        })
    }

    /// Makes a primary with an older version, three spares, a copy and a rival. `age` is that of
    /// the primary's token in days.
    pub(super) async fn furnished(bao: &Arc<OpenBao>, folder: String, age: i32) -> Arc<Self> {
        let bench = Self::new(bao, folder);
        let primary = bench.token("present");
        bench.put(PRIMARY, &bench.token("older"), SIBLINGS).await;
        bench.put(PRIMARY, &primary, SIBLINGS).await;
        bench.date(PRIMARY, &primary, age).await;
        for (spare, age) in [("spare-1", 10), (BEST, 5), ("spare-3", 20)] {
            let token = bench.token(spare);
            bench.put(spare, &token, SIBLINGS).await;
            bench.date(spare, &token, age).await;
        }
        bench.put(COPY, &primary, SIBLINGS).await;
        bench.put(RIVAL, &bench.token("rival"), SIBLINGS).await;
        bench
    }

    /// Returns the path of a secret in the mount.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    /// Returns the token with this label, the same each time.
    pub(super) fn token(&self, label: &str) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        let made = || token(&format!("{}/{label}", self.folder));
        tokens.entry(label.to_owned()).or_insert_with(made).clone()
    }

    /// Returns every token of the run by its label.
    pub(super) fn tokens(&self) -> BTreeMap<String, String> {
        self.tokens.lock().unwrap().clone()
    }

    /// Returns what the second writer did, each with the version of the primary that it made.
    pub(super) fn deeds(&self) -> Vec<(Deed, Option<usize>)> {
        self.deeds.lock().unwrap().clone()
    }

    /// Writes a version that is sent as it is.
    pub(super) async fn put(&self, name: &str, token: &str, siblings: &str) {
        let comma = if siblings.is_empty() { "" } else { "," };
        let body = format!("{{\"data\":{{{siblings}{comma}\"{FIELD}\":\"{token}\"}}}}");
        let path = format!("secret/data/{}", self.path(name));
        let (status, answer) = self.bao.call_text("POST", &path, &body).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Stamps a token as one that was minted so many days ago.
    pub(super) async fn date(&self, name: &str, token: &str, days: i32) {
        let minted_at = clock::now() - DAY * days;
        self.note(
            name,
            &[
                ("fingerprint", short(token)),
                ("minted_at", format_instant(minted_at)),
            ],
        )
        .await;
    }

    /// Sets metadata keys of the field.
    pub(super) async fn note(&self, name: &str, keys: &[(&str, String)]) {
        let entries: BTreeMap<_, _> = keys
            .iter()
            .map(|(key, value)| (format!("{FIELD}.{key}"), value))
            .collect();
        let path = format!("secret/metadata/{}", self.path(name));
        let body = json!({ "custom_metadata": entries });
        self.bao.must("PATCH", &path, body).await;
    }

    /// Does what a second writer does. `number` tells one deed from another.
    pub(super) async fn act(&self, deed: Deed, number: usize) {
        let made = match deed {
            Deed::Sibling => {
                self.patch(PRIMARY, json!({ format!("by_hand_{number}"): number }))
                    .await
            }
            Deed::Working => {
                let token = self.token(&format!("by hand {number}"));
                self.patch(PRIMARY, json!({ FIELD: token })).await
            }
            Deed::Broken => {
                let broken = self.token(&format!("broken {number}"))[..79].to_owned();
                self.patch(PRIMARY, json!({ FIELD: broken })).await
            }
            Deed::Delete => {
                let path = format!("secret/data/{}", self.path(PRIMARY));
                self.bao.must("DELETE", &path, Value::Null).await;
                None
            }
            Deed::Rival => {
                // The mark is about whatever the spare holds at this moment.
                let secret = self.secret(BEST).await;
                let short = short(&secret.current().unwrap());
                let mark = format!(
                    "{short} 2 {} {}#{FIELD}",
                    clock::now().as_second(),
                    self.path(RIVAL)
                );
                self.note(BEST, &[(&format!("promoted_to.{number:08x}"), mark)])
                    .await;
                None
            }
            Deed::Back => {
                let token = self.token("present");
                self.patch(PRIMARY, json!({ FIELD: token })).await
            }
            Deed::Refill => {
                let token = self.token(&format!("refill {number}"));
                self.patch(BEST, json!({ FIELD: token })).await;
                None
            }
        };
        self.deeds.lock().unwrap().push((deed, made));
    }

    /// Merges fields into a document and returns the new version; nothing where it is deleted.
    async fn patch(&self, name: &str, fields: Value) -> Option<usize> {
        let path = format!("secret/data/{}", self.path(name));
        let (status, answer) = self
            .bao
            .call("PATCH", &path, json!({ "data": fields }))
            .await;
        assert!(status == 200 || status == 404, "{status} {answer}");
        let version = answer["data"]["version"].as_u64()?;
        (status == 200).then_some(usize::try_from(version).unwrap())
    }

    /// Brings deleted versions of the primary back, as a person does who is told so.
    pub(super) async fn undelete(&self) {
        let secret = self.secret(PRIMARY).await;
        let deleted: Vec<_> = (1..=secret.version())
            .filter(|version| secret.versions[version - 1].is_none())
            .collect();
        if !deleted.is_empty() {
            let path = format!("secret/undelete/{}", self.path(PRIMARY));
            let body = json!({ "versions": deleted });
            self.bao.must("POST", &path, body).await;
        }
    }

    /// Reads a secret with all that it ever held.
    pub(super) async fn secret(&self, name: &str) -> Secret {
        #[derive(Deserialize)]
        struct Answer {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            data: Option<BTreeMap<String, Box<RawValue>>>,
            metadata: Metadata,
        }
        #[derive(Deserialize)]
        struct Metadata {
            version: usize,
            custom_metadata: Option<BTreeMap<String, String>>,
        }
        let read = async |version: Option<usize>| {
            let query = version.map_or_else(String::new, |version| format!("?version={version}"));
            let path = format!("secret/data/{}{query}", self.path(name));
            let (_, text) = self.bao.call_text("GET", &path, "").await;
            let answer: Answer = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
            let fields = answer.data.data.map(|fields| {
                fields
                    .into_iter()
                    .map(|(name, raw)| (name, raw.get().to_owned()))
                    .collect::<Fields>()
            });
            (answer.data.metadata, fields)
        };
        let (metadata, current) = read(None).await;
        let mut versions = Vec::new();
        for version in 1..metadata.version {
            versions.push(read(Some(version)).await.1);
        }
        versions.push(current);
        Secret {
            versions,
            metadata: metadata.custom_metadata.unwrap_or_default(),
        }
    }
}

/// Returns the part of a token's fingerprint that metadata have.
pub(super) fn short(token: &str) -> String {
    check(token).fingerprint().unwrap().short().to_string()
}

/// Returns a token's fingerprint as states have it.
pub(super) fn fingerprint(token: &str) -> String {
    check(token).fingerprint().unwrap().to_string()
}
