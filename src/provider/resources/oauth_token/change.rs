//! What a configuration requests in addition to its plain arguments, compared with the prior state.

use jiff::Timestamp;

use super::model::OauthToken;
use super::private::Private;
use crate::sdk::Field;
use crate::token::expiry::Status;
use crate::token::instant::parse_instant;
use crate::token::mint::MintSource;

/// What a change does to the token; the first variant that applies.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// An argument is not known yet, so it may be anything below.
    Unknowable,
    /// A token from the configuration is stored.
    Store,
    /// The user explicitly asked for a rotation.
    Request,
    /// The dates are computed again; nothing rotates.
    Redate(Redate),
    /// The token is due.
    Due(Status),
    /// Nothing.
    Nothing,
}

/// The changes to the arguments that determine the dates.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Redate {
    /// A mint time that is bound to the token; null if only the days change.
    pub(super) minted_at: Field<Timestamp>,
}

impl Change {
    /// Compares the arguments of two models of the same instance; `planned` has defaults filled.
    /// The arguments of an import are not a request, and neither is a request that was answered
    /// manually.
    pub(super) fn between(prior: &OauthToken, planned: &OauthToken, private: &Private) -> Self {
        if planned.token_wo_version.is_unknown() {
            return Self::Unknowable;
        }
        if !planned.token_wo_version.is_null() && planned.token_wo_version != prior.token_wo_version
        {
            return Self::Store;
        }
        match planned.request() {
            Field::Unknown => return Self::Unknowable,
            Field::Known(request)
                if !private.is_import()
                    && prior.request() != Field::Known(request.clone())
                    && !private.has_answer(prior, planned) =>
            {
                return Self::Request;
            }
            Field::Known(_) | Field::Null => {}
        }
        if let Some(redate) = Redate::between(prior, planned, private) {
            return Self::Redate(redate);
        }
        match prior.known_status() {
            Some(status) if status.is_due() => {
                let undecided = planned.on_rotation_due.is_unknown()
                    || (planned.known_spare_paths().is_none()
                        && planned.on_rotation_due.as_str() == Some("plan"));
                if undecided {
                    Self::Unknowable
                } else {
                    Self::Due(status)
                }
            }
            _ => Self::Nothing,
        }
    }
}

impl Redate {
    fn between(prior: &OauthToken, planned: &OauthToken, private: &Private) -> Option<Self> {
        let minted_at = match &planned.token_minted_at {
            _ if stamp_counts(prior, private) => Field::Null,
            // A mint time that is removed from the configuration stays bound to its token.
            same if *same == prior.token_minted_at => Field::Null,
            Field::Known(text) => parse_instant(text).ok().into(),
            Field::Null => Field::Null,
            Field::Unknown => Field::Unknown,
        };
        let changed = !minted_at.is_null()
            || planned.lifetime_days != prior.lifetime_days
            || planned.rotate_before_days != prior.rotate_before_days;
        changed.then_some(Self { minted_at })
    }
}

/// Reports whether the token's stamp outranks the mint time of the configuration. A mint time that
/// comes with an import is treated like the one at creation.
pub(super) fn stamp_counts(prior: &OauthToken, private: &Private) -> bool {
    private.is_import() && prior.minted_at_source.as_str() == Some(MintSource::Stamp.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::private::Import;
    use super::*;
    use crate::protocol::Number;

    fn model(status: &str) -> OauthToken {
        OauthToken {
            status: Field::text(status),
            on_rotation_due: Field::text("plan"),
            spare_paths: Field::Known(Vec::new()),
            ..OauthToken::default()
        }
    }

    fn between(prior: &OauthToken, planned: &OauthToken, imported: bool) -> Change {
        let private = Private {
            import: imported.then_some(Import::Read),
            ..Private::default()
        };
        Change::between(prior, planned, &private)
    }

    fn map(values: &[(&str, &str)]) -> Field<BTreeMap<String, Field<String>>> {
        Field::Known(
            values
                .iter()
                .map(|(key, value)| ((*key).to_owned(), Field::text(*value)))
                .collect(),
        )
    }

    #[test]
    fn a_request_is_a_change_to_something_else_outside_an_import() {
        let empty = map(&[]);
        let first = map(&[("leak", "1")]);
        let second = map(&[("leak", "2")]);
        for (before, after, imported, asked) in [
            (&Field::Null, &first, false, true),
            (&empty, &first, false, true),
            (&first, &second, false, true),
            (&first, &first, false, false),
            (&first, &empty, false, false),
            (&first, &Field::Null, false, false),
            (&Field::Null, &empty, false, false),
            (&Field::Null, &first, true, false),
        ] {
            let with = |map: &Field<_>| OauthToken {
                rotate_when_changed: map.clone(),
                ..model("in_date")
            };
            let change = between(&with(before), &with(after), imported);
            assert_eq!(change == Change::Request, asked, "{before:?} to {after:?}");
        }
    }

    #[test]
    fn a_mint_time_that_comes_with_an_import_yields_to_a_stamp() {
        for (source, imported, bound) in [
            ("stamp", true, false),
            ("stamp", false, true),
            ("history", true, true),
            ("estimated", true, true),
        ] {
            let prior = OauthToken {
                minted_at_source: Field::text(source),
                ..model("in_date")
            };
            let mut planned = prior.clone();
            planned.token_minted_at = Field::text("2026-01-01T00:00:00Z");
            let change = between(&prior, &planned, imported);
            assert_eq!(matches!(change, Change::Redate(_)), bound, "{source}");
            planned.lifetime_days = Field::Known(Number::from(400_i64));
            let Change::Redate(redate) = between(&prior, &planned, imported) else {
                panic!("other days move the dates in any case");
            };
            assert_eq!(!redate.minted_at.is_null(), bound, "{source}");
        }
    }

    #[test]
    fn what_the_user_asks_for_comes_before_what_is_due() {
        let prior = model("expired");
        let mut planned = prior.clone();
        assert_eq!(
            between(&prior, &planned, false),
            Change::Due(Status::Expired)
        );
        planned.lifetime_days = Field::Known(Number::from(400_i64));
        assert!(matches!(
            between(&prior, &planned, false),
            Change::Redate(_)
        ));
        planned.rotate_when_changed = map(&[("leak", "1")]);
        assert_eq!(between(&prior, &planned, false), Change::Request);
        planned.token_wo_version = Field::Known(Number::from(1_i64));
        assert_eq!(between(&prior, &planned, false), Change::Store);
        planned.token_wo_version = Field::Unknown;
        assert_eq!(between(&prior, &planned, false), Change::Unknowable);
    }

    #[test]
    fn unknown_spares_matter_once_the_token_is_due() {
        let in_date = model("in_date");
        let mut planned = in_date.clone();
        planned.spare_paths = Field::Unknown;
        assert_eq!(between(&in_date, &planned, false), Change::Nothing);
        let due = model("rotation_due");
        assert_eq!(between(&due, &planned, false), Change::Unknowable);
        planned.on_rotation_due = Field::text("warn");
        assert_eq!(
            between(&due, &planned, false),
            Change::Due(Status::RotationDue)
        );
    }
}
