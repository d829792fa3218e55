//! Attributes of `claude_oauth_token`, and what follows only from configuration.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::protocol::Number;
use crate::provider::block::configured::Configured;
use crate::provider::block::days::Days;
use crate::provider::defaults::{DEFAULT_FIELD, DEFAULT_SECRET_KEY};
use crate::provider::diagnose::Place;
use crate::provider::functions::data_entry::{DataEntry, remote_key};
use crate::provider::observe::Observer;
use crate::provider::promotion::{Prior, Promotion, Reason, Remembered};
use crate::provider::store::{Replaces, Storing};
use crate::sdk::{Field, model};
use crate::secret::Secret;
use crate::token::expiry::{Dates, Lifetime, Status};
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::instant::{format_instant, parse_instant};
use crate::token::mint::{Dated, MintSource};
use crate::token::stamp::request_digest;
use crate::token::verdict::{Verdict, status_with};

model! {
    /// Configuration, plan and state of `claude_oauth_token`.
    pub(in crate::provider) struct OauthToken {
        path: String = required(replaces) "Path of the secret in the mount, without `data/`. Changing it replaces the resource and removes nothing from Vault.";
        mount: String = optional_computed(replaces) "KV version 2 mount. Defaults to the provider's `mount`. Changing it replaces the resource.";
        field: String = optional_computed(replaces) "Field of the secret that holds the token. Defaults to `claude_oauth_token`. Changing it replaces the resource.";
        secret_key: String = optional_computed() "Key in the Kubernetes Secret (`secretKey`). Defaults to `CLAUDE_CODE_OAUTH_TOKEN`.";
        remote_key: String = optional_computed() "Key of the secret in the External Secrets store (`remoteRef.key`). Set it if the store is not rooted at the mount, or is of ESO's own `openBao` kind. Defaults to `path`, or `<mount>/data/<path>` if the path begins with the mount's name or `data`, or contains `/data/`.";
        lifetime_days: Number = optional_computed() "Days from mint to expiry. Defaults to the provider's `lifetime_days`.";
        rotate_before_days: Number = optional_computed() "How many days before its expiry the token becomes due for rotation. Defaults to the provider's `rotate_before_days`.";
        token_minted_at: String = optional() "When the token that is now in Vault, or the one in `token_wo`, was minted (RFC 3339). It applies only to that token. A later token is dated by its own stamp or by the KV history. On create and import, an existing stamp of the token takes precedence.";
        token_wo: Secret = optional(write_only) "A new token to store. It is written when `token_wo_version` changes. Only this field is written, and the value is in neither the plan nor the state. White space around it is trimmed. Requires Terraform or OpenTofu 1.11.";
        token_wo_version: Number = optional() "Change it to write `token_wo`: for example, count up from 1.";
        spare_paths: Vec<Field<String>> = optional_computed() "Paths of spares in the same mount. An apply promotes one of them when this token is due, is unusable, or is rotated on request. The spare that expires last comes first. If several expire at the same time, this order decides. Defaults to none.";
        rotate_when_changed: BTreeMap<String, Field<String>> = optional() "Values that rotate the token when they change, such as after a leak. The plan fails if no spare in `spare_paths` is usable. Setting it for the first time counts as a change, except on create or import. Removing it never does.";
        stamp_metadata: bool = optional_computed() "Whether to write the mint date, the expiry, and the origin of the token to the secret's `custom_metadata`, where monitors and other stacks can read them. Defaults to `true`.";
        on_rotation_due: String = optional_computed() "`plan` shows a due token as a planned change. `warn` only warns, and nothing is rotated. Defaults to `plan`.";
        id: String = computed() "`<mount>/<path>#<field>`.";
        fingerprint: String = computed() "`sha256:` and the SHA-256 of the token in hexadecimal digits. Null if the field does not hold a token.";
        kv_version: Number = computed() "KV version that was current when this token was first read here. It changes only with the fingerprint.";
        minted_at: String = computed(set_by("token_minted_at")) "When the token was minted (RFC 3339, UTC).";
        minted_at_source: String = computed() "Where `minted_at` comes from: `config`, `stamp`, `history`, `estimated`, or `promotion`.";
        expires_at: String = computed(set_by("lifetime_days")) "When the token stops working (RFC 3339, UTC): `minted_at` plus `lifetime_days`, or the deletion time of the KV version if that is earlier.";
        rotate_at: String = computed(set_by("rotate_before_days")) "When the token becomes due for rotation (RFC 3339, UTC): `expires_at` minus `rotate_before_days`.";
        expires_at_unix: Number = computed() "`expires_at` in seconds since the epoch, for monitors.";
        status: String = computed() "`in_date`, `rotation_due`, `expired`, `refused` (`verify` found that the token is refused), `malformed`, or `missing`.";
        rotated_from: String = computed() "Path of the spare that this token came from, or null.";
        rotation_reason: String = computed() "Why the last planned rotation was planned, regardless of what the apply then did: `rotation_due`, `expired`, `refused`, `malformed`, `missing`, or `requested`. Null if none was planned.";
        external_secret_data: Vec<DataEntry> = computed() "The entry for `spec.data` of an ExternalSecret that delivers this token, as a list with one element.";
    }
}

model! {
    /// What identifies a token.
    pub(in crate::provider) struct OauthTokenIdentity {
        mount: String = optional() "KV version 2 mount. If omitted, the provider's `mount`.";
        path: String = required() "Path of the secret in the mount.";
        field: String = optional() "Field of the secret. If omitted, `claude_oauth_token`.";
    }
}

impl OauthToken {
    /// Fills the arguments that are not set with their defaults, and what follows from them.
    pub(super) fn with_defaults(mut self, configured: &Configured) -> Self {
        self.mount = self.mount.or(configured.mount.clone());
        self.field = self.field.or(Field::text(DEFAULT_FIELD));
        self.secret_key = self.secret_key.or(Field::text(DEFAULT_SECRET_KEY));
        let key = remote_key(&self.mount, &self.path);
        self.remote_key = self.remote_key.or(key);
        self.on_rotation_due = self.on_rotation_due.or(Field::text("plan"));
        self.spare_paths = self.spare_paths.or(Field::Known(Vec::new()));
        self.stamp_metadata = self.stamp_metadata.or(Field::Known(true));
        self.token_wo = Field::Null;
        let days = configured
            .defaults
            .resolve(&self.lifetime_days, &self.rotate_before_days);
        self.lifetime_days = days.lifetime_days;
        self.rotate_before_days = days.rotate_before_days;
        self.derive()
    }

    /// Computes what follows only from the arguments.
    fn derive(mut self) -> Self {
        self.id = match (self.mount.as_str(), self.path.as_str(), self.field.as_str()) {
            (Some(mount), Some(path), Some(field)) => {
                Field::text(format!("{mount}/{path}#{field}"))
            }
            _ => Field::Unknown,
        };
        self.external_secret_data = Field::Known(vec![DataEntry::new(
            self.secret_key.clone(),
            self.remote_key.clone(),
            self.field.clone(),
        )]);
        self
    }

    /// Reports whether two models name the same field of the same secret.
    pub(super) fn is_same_place(&self, other: &Self) -> bool {
        self.mount == other.mount && self.path == other.path && self.field == other.field
    }

    /// Copies the computed attributes of another model.
    pub(super) fn with_token_of(mut self, other: &Self) -> Self {
        self.fingerprint = other.fingerprint.clone();
        self.kv_version = other.kv_version.clone();
        self.minted_at = other.minted_at.clone();
        self.minted_at_source = other.minted_at_source.clone();
        self.expires_at = other.expires_at.clone();
        self.rotate_at = other.rotate_at.clone();
        self.expires_at_unix = other.expires_at_unix.clone();
        self.status = other.status.clone();
        self.rotated_from = other.rotated_from.clone();
        self.rotation_reason = other.rotation_reason.clone();
        self
    }

    /// Leaves everything that the apply finds out about the token unknown.
    pub(super) fn with_unknown_token(mut self) -> Self {
        self.fingerprint = Field::Unknown;
        self.kv_version = Field::Unknown;
        self.rotated_from = Field::Unknown;
        self.minted_at = Field::Unknown;
        self.minted_at_source = Field::Unknown;
        self.with_unknown_dates()
    }

    /// Leaves the status and the dates that follow from the mint time unknown until the apply.
    pub(super) fn with_unknown_dates(mut self) -> Self {
        self.expires_at = Field::Unknown;
        self.rotate_at = Field::Unknown;
        self.expires_at_unix = Field::Unknown;
        self.status = Field::Unknown;
        self
    }

    /// Sets the mint time and where it comes from.
    pub(super) fn set_minted(&mut self, at: Timestamp, source: MintSource) {
        self.minted_at = Field::text(format_instant(at));
        self.minted_at_source = Field::text(source.as_str());
    }

    /// Computes the dates from the mint time and the days; null if there is no mint time.
    pub(super) fn set_dates(&mut self, deletion_at: Option<Timestamp>) -> Option<Dates> {
        let dates = self.dates(deletion_at);
        self.expires_at = dates.as_ref().map(Dates::expires_at_text).into();
        self.rotate_at = dates.as_ref().map(Dates::rotate_at_text).into();
        self.expires_at_unix = dates
            .as_ref()
            .map(|dates| Number::from(dates.expires_at_unix()))
            .into();
        dates
    }

    /// Returns the dates of a token with a known mint time and known days.
    pub(super) fn dates(&self, deletion_at: Option<Timestamp>) -> Option<Dates> {
        let (minted_at, lifetime) = self.life()?;
        Some(Dates::new(minted_at, lifetime, deletion_at))
    }

    pub(super) fn life(&self) -> Option<(Timestamp, Lifetime)> {
        let minted_at = parse_instant(self.minted_at.as_str()?).ok()?;
        Some((minted_at, self.days().lifetime().ok()??))
    }

    /// Sets the status of an existing token from its dates and the last verdict on it.
    pub(super) fn set_status_at(
        &mut self,
        dates: Option<&Dates>,
        verdict: Option<&Verdict>,
        now: Timestamp,
    ) {
        // A token without dates was never dated; nothing says that it is out of date.
        let status = dates.map_or(Status::InDate, |dates| status_with(verdict, dates, now));
        self.status = Field::text(status.as_str());
    }

    /// Returns a promotion into this token; `None` while days are not known.
    pub(super) fn promotion<'a>(
        &self,
        configured: &'a Configured,
        observer: &'a Observer,
        primary: Place<'a>,
        spare_paths: &'a [String],
        reason: Reason,
    ) -> Option<Promotion<'a>> {
        Some(Promotion {
            configured,
            observer,
            cancelled: CancellationToken::new(),
            primary,
            spare_paths,
            lifetime: self.days().lifetime().ok()??,
            reason,
            prior: Prior::default(),
            remembered: Remembered::default(),
            request: self.request_digest(),
            stamps: self.stamp_metadata.known() != Some(&false),
            reread: true,
            progress: None,
            is_on_demand: false,
        })
    }

    /// Returns what a promotion must know about this state.
    pub(super) fn known(&self) -> Prior {
        let version = self.kv_version.known().and_then(Number::as_i64);
        Prior {
            fingerprint: self.recorded(),
            dated: self.dated(),
            kv_version: version.and_then(|version| u64::try_from(version).ok()),
        }
    }

    /// Returns the mint time from the configuration, unless it belongs to the previous token.
    pub(super) fn given_mint_time(&self, prior: Option<&Self>) -> Option<Timestamp> {
        if prior.is_some_and(|prior| prior.token_minted_at == self.token_minted_at) {
            return None;
        }
        parse_instant(self.token_minted_at.as_str()?).ok()
    }

    /// Returns how a token from the configuration is stored.
    pub(super) fn storing<'a>(
        &self,
        replaces: Replaces,
        minted_at: Option<Timestamp>,
        promotion: Option<&'a Promotion<'a>>,
    ) -> Storing<'a> {
        Storing {
            replaces,
            stamps: self.stamp_metadata.known() != Some(&false),
            minted_at,
            request: self.request_digest(),
            promotion,
            any_length: false,
        }
    }

    /// Returns the fingerprint that was recorded as good.
    pub(super) fn recorded(&self) -> Option<Fingerprint> {
        self.fingerprint.as_str()?.parse().ok()
    }

    /// Returns the mint time, and where it comes from.
    pub(super) fn dated(&self) -> Option<Dated> {
        Some(Dated {
            at: parse_instant(self.minted_at.as_str()?).ok()?,
            source: MintSource::parse(self.minted_at_source.as_str()?)?,
        })
    }

    /// Returns the days that determine when a token expires and when it is due.
    pub(super) fn days(&self) -> Days {
        Days {
            lifetime_days: self.lifetime_days.clone(),
            rotate_before_days: self.rotate_before_days.clone(),
        }
    }

    /// Returns the paths of the spares once all of them are known.
    pub(super) fn known_spare_paths(&self) -> Option<Vec<String>> {
        self.spare_paths
            .known()?
            .iter()
            .map(|path| path.known().cloned())
            .collect()
    }

    /// Returns the values that cause a rotation when they change, without an empty map; `Unknown`
    /// if any of them is not known.
    pub(super) fn request(&self) -> Field<BTreeMap<String, String>> {
        match &self.rotate_when_changed {
            Field::Null => Field::Null,
            Field::Unknown => Field::Unknown,
            Field::Known(values) => values
                .iter()
                .map(|(key, value)| match value {
                    Field::Known(value) => Some((key.clone(), value.clone())),
                    Field::Null => Some((key.clone(), String::new())),
                    Field::Unknown => None,
                })
                .collect::<Option<BTreeMap<_, _>>>()
                .map_or(Field::Unknown, |values| {
                    if values.is_empty() {
                        Field::Null
                    } else {
                        Field::Known(values)
                    }
                }),
        }
    }

    /// Returns the digest of the request that a token stored now would answer.
    pub(super) fn request_digest(&self) -> Option<ShortFingerprint> {
        self.request().known().map(request_digest)
    }

    /// Returns the status, if it is known.
    pub(super) fn known_status(&self) -> Option<Status> {
        Status::parse(self.status.as_str()?)
    }
}
