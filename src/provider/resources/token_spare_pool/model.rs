//! Attributes of `claude_token_spare_pool`, and what follows only from configuration.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::primary::{Held, Walked};
use crate::external_secret::numbered_key;
use crate::protocol::Number;
use crate::provider::block::configured::Configured;
use crate::provider::block::days::Days;
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::functions::data_entry::{DataEntry, remote_key};
use crate::provider::observe::unusable::Unusable;
use crate::sdk::{Field, model};
use crate::secret::Secret;
use crate::token::path_list::pool_id;
use crate::token::spare::Bar;

/// Prefix of the keys in the Kubernetes Secret if no prefix is configured.
const DEFAULT_PREFIX: &str = "CLAUDE_CODE_OAUTH_TOKEN_SPARE_";

model! {
    /// Configuration, plan and state of `claude_token_spare_pool`.
    pub(in crate::provider) struct TokenSparePool {
        paths: Vec<Field<String>> = required() "Paths of the spares in the mount, without `data/`: 1 to 100 distinct paths without commas. If several spares expire at the same time, this order decides which one is promoted first.";
        mount: String = optional_computed(replaces) "KV version 2 mount. Defaults to the provider's `mount`. Changing it replaces the resource and removes nothing from Vault.";
        field: String = optional_computed(replaces) "Field of each secret that holds the token. Defaults to `claude_oauth_token`. Changing it replaces the resource.";
        primary_path: String = optional() "Path of the secret whose token no spare may hold. Write it as a plain string: the token resource may depend on the pool, but the pool must not depend on the token resource.";
        lifetime_days: Number = optional_computed() "Days from mint to expiry. Defaults to the provider's `lifetime_days`.";
        rotate_before_days: Number = optional_computed() "How many days before its expiry a spare becomes due and is no longer available. Defaults to the provider's `rotate_before_days`.";
        tokens_wo: BTreeMap<String, Field<Secret>> = optional(write_only) "Newly minted tokens to store, by path of the spare. They are written when `tokens_wo_version` changes, and are in neither the plan nor the state. White space around a token is trimmed.";
        tokens_wo_version: Number = optional() "Change it to write `tokens_wo`.";
        stamp_metadata: bool = optional_computed() "Whether to write the mint date and the expiry to each secret's `custom_metadata`, where monitors and other stacks can read them. Defaults to `true`.";
        min_available: Number = optional_computed() "How many spares must be available. Fewer is a shortage. Defaults to the number of `paths`.";
        on_shortage: String = optional_computed() "`plan` shows a shortage as a planned change. `warn` only warns. Defaults to `plan`.";
        secret_key_prefix: String = optional_computed() "Prefix of the keys in the Kubernetes Secret. The position of the spare follows, counted from 1. Defaults to `CLAUDE_CODE_OAUTH_TOKEN_SPARE_`.";
        remote_key_prefix: String = optional_computed() "Prefix of each `remoteRef.key`; the path of the spare follows. Set it if the store is not rooted at the mount, or is of ESO's own `openBao` kind. Defaults to no prefix: the key is the path, or `<mount>/data/<path>` where ESO would otherwise cut the path.";
        id: String = computed() "`<mount>/<paths>#<field>`, with all paths in one pair of braces.";
        spares: BTreeMap<String, Spare> = computed(set_by("paths")) "The spares, by path.";
        available_paths: Vec<String> = computed() "Paths of the available spares in promotion order: the latest expiry first, then the order of `paths`.";
        available_count: Number = computed(set_by("min_available")) "How many spares are available.";
        runway_until: String = computed() "The latest `expires_at` among the available spares (RFC 3339, UTC). After it, no spare can help. Null if no spare is available.";
        external_secret_data: Vec<DataEntry> = computed() "The entries for `spec.data` of an ExternalSecret, one for each path. Use a separate Secret for them: one missing field makes the whole ExternalSecret fail, and a process that holds all tokens can leak them all.";
    }
}

model! {
    /// What is known about one spare.
    pub(in crate::provider) struct Spare {
        fingerprint: String = computed() "`sha256:` and the SHA-256 of the token in hexadecimal digits. Null if the field does not hold a token.";
        kv_version: Number = computed() "KV version that was current when this token was first read here.";
        minted_at: String = computed() "When the token was minted (RFC 3339, UTC).";
        minted_at_source: String = computed() "Where `minted_at` comes from: `stamp`, `history`, or `estimated`.";
        expires_at: String = computed() "When the token stops working (RFC 3339, UTC).";
        expires_at_unix: Number = computed() "`expires_at` in seconds since the epoch.";
        rotate_at: String = computed() "When the spare becomes due (RFC 3339, UTC).";
        status: String = computed() "The first that applies: `missing`, `malformed`, `spent`, `duplicate`, `refused`, `expired`, `rotation_due`, `unproven`, `available`.";
        promoted_to: String = computed() "The primary that holds or held a spent token, as `<path>#<field>`.";
        duplicate_of: String = computed() "The path that holds the same token: the primary or an earlier spare.";
    }
}

model! {
    /// What identifies a pool. It changes with `paths`.
    pub(in crate::provider) struct TokenSparePoolIdentity {
        mount: String = optional() "KV version 2 mount. If omitted, the provider's `mount`.";
        paths: Vec<Field<String>> = required() "Paths of the secrets in the mount.";
        field: String = optional() "Field of each secret. If omitted, `claude_oauth_token`.";
    }
}

/// Private state: facts that a plan needs and a user does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::provider) struct Private {
    /// Facts of each spare, by path.
    pub(super) spares: BTreeMap<String, SparePrivate>,
    /// What dated the primary's token, if its history was needed. Left out otherwise: the host
    /// would report a member that earlier builds did not write as drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) primary: Option<Walked>,
    /// The tokens that the primary held before its current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<Held>,
    /// Tokens of spares that were proven to be spent, each with its primary. They stay spent even
    /// if the metadata of the secrets is wiped.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) spent: BTreeMap<String, String>,
    /// Whether the provider's mount was not known at the refresh. The plan then keeps the mount in
    /// state, and so must the plan that follows within the apply, when the mount is known.
    pub(super) mount_unknown: bool,
}

/// The private state of one spare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SparePrivate {
    /// When Vault will automatically delete the KV version that holds the token, according to
    /// [`Dates::deletion_of_known`](crate::token::expiry::Dates::deletion_of_known).
    pub(super) deletion_at: Option<Timestamp>,
    /// Why the spare cannot be promoted, if state does not show it.
    pub(super) problem: Option<Problem>,
    /// The last token that passed the check, if there is none now.
    pub(super) last_good: Option<LastGood>,
}

/// Why a spare cannot be promoted, if state does not show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Problem {
    /// There is no token.
    NoToken(Unusable),
    /// The token may be another primary's.
    Barred(Bar),
}

/// A spare's token that was recorded as good, and everything that was known about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastGood {
    fingerprint: String,
    kv_version: Option<i64>,
    minted_at: Option<String>,
    minted_at_source: Option<String>,
}

impl LastGood {
    /// Reads it from what the state has recorded about a spare.
    pub(super) fn of(spare: &Spare) -> Option<Self> {
        Some(Self {
            fingerprint: spare.fingerprint.known()?.clone(),
            kv_version: spare.kv_version.known().and_then(Number::as_i64),
            minted_at: spare.minted_at.known().cloned(),
            minted_at_source: spare.minted_at_source.known().cloned(),
        })
    }

    /// Returns it as a spare about which nothing else is known.
    pub(super) fn spare(&self) -> Spare {
        Spare {
            fingerprint: Field::text(&self.fingerprint),
            kv_version: self.kv_version.map(Number::from).into(),
            minted_at: self.minted_at.clone().into(),
            minted_at_source: self.minted_at_source.clone().into(),
            ..Spare::default()
        }
    }
}

impl TokenSparePool {
    /// Fills the arguments that are not set with their defaults, and what follows from them.
    pub(super) fn with_defaults(mut self, configured: &Configured) -> Self {
        self.mount = self.mount.or(configured.mount.clone());
        self.field = self.field.or(Field::text(DEFAULT_FIELD));
        self.tokens_wo = Field::Null;
        self.stamp_metadata = self.stamp_metadata.or(Field::Known(true));
        self.on_shortage = self.on_shortage.or(Field::text("plan"));
        self.secret_key_prefix = self.secret_key_prefix.or(Field::text(DEFAULT_PREFIX));
        self.remote_key_prefix = self.remote_key_prefix.or(Field::text(""));
        let count = self.paths.map(|paths| Number::from(paths.len() as u64));
        self.min_available = self.min_available.or(count);
        let days = configured
            .defaults
            .resolve(&self.lifetime_days, &self.rotate_before_days);
        self.lifetime_days = days.lifetime_days;
        self.rotate_before_days = days.rotate_before_days;
        self.derive()
    }

    /// Computes what follows only from the arguments.
    pub(super) fn derive(mut self) -> Self {
        self.id = match (self.mount.as_str(), self.known_paths(), self.field.as_str()) {
            (Some(mount), Some(paths), Some(field)) => Field::text(pool_id(mount, &paths, field)),
            _ => Field::Unknown,
        };
        self.external_secret_data = self.paths.map(|paths| {
            (1..)
                .zip(paths)
                .map(|(position, path)| {
                    let key = match &self.secret_key_prefix {
                        Field::Known(prefix) => numbered_key(prefix, position).ok().into(),
                        Field::Null => Field::Null,
                        Field::Unknown => Field::Unknown,
                    };
                    DataEntry::new(key, self.remote_key(path), self.field.clone())
                })
                .collect()
        });
        self
    }

    /// Returns the key of a spare in an External Secrets store.
    fn remote_key(&self, path: &Field<String>) -> Field<String> {
        match (&self.remote_key_prefix, path) {
            (Field::Known(prefix), Field::Known(path)) if !prefix.is_empty() => {
                Field::text(format!("{prefix}{path}"))
            }
            (Field::Unknown, _) => Field::Unknown,
            _ => remote_key(&self.mount, path),
        }
    }

    /// Returns the paths once all of them are known.
    pub(super) fn known_paths(&self) -> Option<Vec<String>> {
        self.paths
            .known()?
            .iter()
            .map(|path| path.known().cloned())
            .collect()
    }

    /// Returns the days that determine when a token expires and when it is due.
    pub(super) fn days(&self) -> Days {
        Days {
            lifetime_days: self.lifetime_days.clone(),
            rotate_before_days: self.rotate_before_days.clone(),
        }
    }

    /// Copies the computed attributes of another model.
    pub(super) fn with_spares_of(mut self, other: &Self) -> Self {
        self.spares = other.spares.clone();
        self.available_paths = other.available_paths.clone();
        self.available_count = other.available_count.clone();
        self.runway_until = other.runway_until.clone();
        self
    }

    /// Leaves the availability of the pool unknown until the apply.
    pub(super) fn with_unknown_availability(mut self) -> Self {
        self.available_paths = Field::Unknown;
        self.available_count = Field::Unknown;
        self.runway_until = Field::Unknown;
        self
    }
}

impl Spare {
    /// Returns a spare about which nothing is known until the apply.
    pub(super) fn unknown() -> Self {
        Self {
            fingerprint: Field::Unknown,
            kv_version: Field::Unknown,
            minted_at: Field::Unknown,
            minted_at_source: Field::Unknown,
            expires_at: Field::Unknown,
            expires_at_unix: Field::Unknown,
            rotate_at: Field::Unknown,
            status: Field::Unknown,
            promoted_to: Field::Unknown,
            duplicate_of: Field::Unknown,
        }
    }

    /// Fills unknown values with what was found, and keeps what was planned.
    pub(super) fn decided_by(self, found: &Self) -> Self {
        fn decide<T: Clone>(planned: Field<T>, found: &Field<T>) -> Field<T> {
            match planned {
                Field::Unknown => found.clone(),
                known => known,
            }
        }
        Self {
            fingerprint: decide(self.fingerprint, &found.fingerprint),
            kv_version: decide(self.kv_version, &found.kv_version),
            minted_at: decide(self.minted_at, &found.minted_at),
            minted_at_source: decide(self.minted_at_source, &found.minted_at_source),
            expires_at: decide(self.expires_at, &found.expires_at),
            expires_at_unix: decide(self.expires_at_unix, &found.expires_at_unix),
            rotate_at: decide(self.rotate_at, &found.rotate_at),
            status: decide(self.status, &found.status),
            promoted_to: decide(self.promoted_to, &found.promoted_to),
            duplicate_of: decide(self.duplicate_of, &found.duplicate_of),
        }
    }
}
