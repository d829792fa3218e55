//! Import by id or by identity.

use super::OauthTokenResource;
use super::model::{OauthToken, OauthTokenIdentity};
use super::private::{Import, Private};
use super::secret;
use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::{Content, Observed};
use crate::provider::resources::ids::{self, Location};
use crate::sdk::{Diagnostics, Failure, Field, ImportRequest, Imported};
use crate::token::paths::{IdError, PathError, parse_token_id, validate_field, validate_path};

/// The format of an id.
const FORM: &str = "<mount>/<path>[#field], such as secret/claude-agent-service";

/// Finds the token; the refresh that follows dates it.
pub(super) async fn import(
    configured: &Configured,
    request: ImportRequest<OauthTokenResource>,
) -> Result<Imported<OauthTokenResource>, Failure> {
    let observer = configured
        .observer()
        .map_err(|unknown| diagnose::not_configured(unknown, "An import"))?;
    let named = match request {
        ImportRequest::Id(id) => {
            let id =
                parse_token_id(&id).map_err(|error| diagnose::wrong_import_id(&error, FORM))?;
            let Location { mount, mut paths } =
                ids::locate(observer, &configured.mount, &[id.location]).await?;
            OauthToken {
                mount: Field::text(mount),
                path: paths.pop().into(),
                field: id.field.into(),
                ..OauthToken::default()
            }
        }
        ImportRequest::Identity(identity) => by_identity(identity)?,
    };
    let state = named.with_defaults(configured);
    ids::everything_known(&[
        ("mount", state.mount.is_unknown()),
        ("lifetime_days", state.lifetime_days.is_unknown()),
        ("rotate_before_days", state.rotate_before_days.is_unknown()),
    ])?;
    let (Some(secret), Some(field)) = (secret(&state), state.field.as_str()) else {
        return Err(diagnose::wrong_import_id(&IdError::from(PathError::Empty), FORM).into());
    };
    let place = Place {
        secret: &secret,
        field,
    };
    let observed = observer
        .observe(&secret)
        .await
        .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    let there = match &*observed {
        Observed::Present(document) => document.field(field, None) != Content::Missing,
        _ => false,
    };
    if !there {
        return Err(diagnose::nothing_to_import(place, &observed).into());
    }
    Ok(Imported {
        state,
        private: Private {
            import: Some(Import::Named),
            ..Private::default()
        },
        diagnostics: Diagnostics::new(),
    })
}

fn by_identity(identity: OauthTokenIdentity) -> Result<OauthToken, Diagnostic> {
    let wrong = |error: IdError| {
        diagnose::wrong_import_id(&error, "{ path = \"…\" } with mount and field if needed")
    };
    for path in [&identity.path, &identity.mount] {
        if let Some(path) = path.as_str() {
            validate_path(path).map_err(|error| wrong(error.into()))?;
        }
    }
    let field = identity.field.or(Field::text(DEFAULT_FIELD));
    if let Some(field) = field.as_str() {
        validate_field(field).map_err(|error| wrong(error.into()))?;
    }
    Ok(OauthToken {
        mount: identity.mount,
        path: identity.path,
        field,
        ..OauthToken::default()
    })
}
