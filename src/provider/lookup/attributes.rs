//! The attributes that describe a token which no state records, the same in every type that has
//! them.

use crate::protocol::Number;
use crate::provider::lookup::describe::TokenFacts;
use crate::sdk::Field;

/// Declares a model that has its own attributes, followed by everything that is found out about a
/// token.
macro_rules! described {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $($own:tt)*
        }
    ) => {
        $crate::provider::lookup::attributes::described! {
            fingerprint: computed "`sha256:` and the SHA-256 of the token in hexadecimal digits. Null if the field does not hold a token.";
            $(#[$meta])*
            $visibility struct $name {
                $($own)*
            }
        }
    };
    (
        fingerprint: $mode:ident $text:literal;
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $($own:tt)*
        }
    ) => {
        $crate::sdk::model! {
            $(#[$meta])*
            $visibility struct $name {
                $($own)*
                id: String = computed() "`<mount>/<path>#<field>`.";
                fingerprint: String = $mode() $text;
                kv_version: $crate::protocol::Number = computed() "KV version that was read. It changes with every write to the secret, including writes to other fields. To detect a new token, use `fingerprint`.";
                minted_at: String = computed() "When the token was minted (RFC 3339, UTC).";
                minted_at_source: String = computed() "Where `minted_at` comes from: `stamp`, `history`, or `estimated`.";
                expires_at: String = computed(set_by("lifetime_days")) "When the token stops working (RFC 3339, UTC): `minted_at` plus `lifetime_days`, or the deletion time of the KV version if that is earlier.";
                rotate_at: String = computed(set_by("rotate_before_days")) "When the token becomes due for rotation (RFC 3339, UTC): `expires_at` minus `rotate_before_days`.";
                expires_at_unix: $crate::protocol::Number = computed() "`expires_at` in seconds since the epoch, for monitors.";
                status: String = computed() "`in_date`, `rotation_due`, `expired`, `refused` (`verify` found that the token is refused), `malformed`, or `missing`.";
                rotated_from: String = computed() "Path of the spare that this token came from, or null.";
            }
        }

        impl $name {
            /// Records what was found at a place.
            fn record(
                &mut self,
                place: $crate::provider::diagnose::Place<'_>,
                description: &$crate::provider::lookup::describe::Description,
            ) {
                let facts = $crate::provider::lookup::attributes::Facts::of(description.token.as_ref());
                self.id = $crate::sdk::Field::text(place.to_string());
                self.status = $crate::sdk::Field::text(description.status.as_str());
                self.fingerprint = facts.fingerprint;
                self.kv_version = facts.kv_version;
                self.minted_at = facts.minted_at;
                self.minted_at_source = facts.minted_at_source;
                self.expires_at = facts.expires_at;
                self.rotate_at = facts.rotate_at;
                self.expires_at_unix = facts.expires_at_unix;
                self.rotated_from = facts.rotated_from;
            }
        }
    };
}

pub(in crate::provider) use described;

/// A token's facts as attributes, all null if the place does not hold a token.
#[derive(Default)]
pub(in crate::provider) struct Facts {
    pub(in crate::provider) fingerprint: Field<String>,
    pub(in crate::provider) kv_version: Field<Number>,
    pub(in crate::provider) minted_at: Field<String>,
    pub(in crate::provider) minted_at_source: Field<String>,
    pub(in crate::provider) expires_at: Field<String>,
    pub(in crate::provider) rotate_at: Field<String>,
    pub(in crate::provider) expires_at_unix: Field<Number>,
    pub(in crate::provider) rotated_from: Field<String>,
}

impl Facts {
    /// Writes facts as attributes.
    pub(in crate::provider) fn of(token: Option<&TokenFacts>) -> Self {
        let Some(token) = token else {
            return Self::default();
        };
        let dates = &token.dates;
        Self {
            fingerprint: Field::text(token.fingerprint.to_string()),
            kv_version: Field::Known(Number::from(token.kv_version)),
            minted_at: Field::text(dates.minted_at_text()),
            minted_at_source: Field::text(token.source.as_str()),
            expires_at: Field::text(dates.expires_at_text()),
            rotate_at: Field::text(dates.rotate_at_text()),
            expires_at_unix: Field::Known(Number::from(dates.expires_at_unix())),
            rotated_from: token.rotated_from.clone().into(),
        }
    }
}
