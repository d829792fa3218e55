//! Import by id or by identity.

use super::TokenSparePoolResource;
use super::model::{Private, Problem, TokenSparePool, TokenSparePoolIdentity};
use super::survey::Surveyor;
use crate::protocol::{Diagnostic, Text, text};
use crate::provider::block::configured::Configured;
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::resources::ids::{self, Location};
use crate::sdk::{Diagnostics, Failure, Field, ImportRequest, Imported};
use crate::token::path_list::parse_pool_id;
use crate::token::paths::{validate_field, validate_path, validate_pool_paths};

/// The format of an id.
const FORM: &str = "<mount>/<paths>[#field], such as 'secret/claude-agent-service-spare-{1,2}' (in \
                    quotes, because a shell expands braces)";
/// The format of an identity.
const IDENTITY_FORM: &str = "{ paths = [\"…\"] } with mount and field if needed";

/// Finds the spares; the refresh that follows dates them.
pub(super) async fn import(
    configured: &Configured,
    request: ImportRequest<TokenSparePoolResource>,
) -> Result<Imported<TokenSparePoolResource>, Failure> {
    let observer = configured
        .observer()
        .map_err(|unknown| diagnose::not_configured(unknown, "An import"))?;
    let named = match request {
        ImportRequest::Id(id) => {
            let id = parse_pool_id(&id).map_err(|error| diagnose::wrong_import_id(&error, FORM))?;
            let Location { mount, paths } =
                ids::locate(observer, &configured.mount, &id.locations).await?;
            TokenSparePool {
                mount: Field::text(mount),
                paths: Field::Known(paths.into_iter().map(Field::Known).collect()),
                field: id.field.into(),
                ..TokenSparePool::default()
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
    everything_there(configured, &state).await?;
    Ok(Imported {
        state: TokenSparePool {
            spares: Field::Null,
            ..state
        },
        private: Private::default(),
        diagnostics: Diagnostics::new(),
    })
}

/// Refuses an import if any of its spares is missing, and lists what was found.
async fn everything_there(
    configured: &Configured,
    state: &TokenSparePool,
) -> Result<(), Diagnostics> {
    let observer = configured
        .observer()
        .map_err(|unknown| vec![diagnose::not_configured(unknown, "An import")])?;
    let surveyor = Surveyor {
        configured,
        observer,
        reread: false,
    };
    let survey = surveyor.survey(state, &Private::default()).await?;
    let is_missing = |status: &Field<String>| status.as_str() == Some("missing");
    if !survey
        .spares
        .values()
        .any(|spare| is_missing(&spare.status))
    {
        return Ok(());
    }
    let found = survey
        .spares
        .iter()
        .map(|(path, spare)| {
            let private = survey.private.spares.get(path);
            let problem = private.and_then(|private| private.problem.as_ref());
            let mount = state.mount.as_str().unwrap_or_default();
            let what = match (problem, secret_path(mount, path)) {
                (Some(Problem::NoToken(unusable)), Ok(secret)) => {
                    let place = Place {
                        secret: &secret,
                        field: state.field.as_str().unwrap_or_default(),
                    };
                    diagnose::unusable_text(place, unusable)
                }
                _ => spare.status.as_str().unwrap_or("not known").into(),
            };
            text!("- {path}:") + what
        })
        .fold(Text::from("Found:"), Text::line);
    Err(vec![Diagnostic::error(
        format!(
            "Nothing to import at some paths of {}",
            state.id.as_str().unwrap_or_default()
        ),
        found.line(
            "Store the missing tokens, or import only the paths that hold one. Nothing was \
             changed.",
        ),
    )])
}

fn by_identity(identity: TokenSparePoolIdentity) -> Result<TokenSparePool, Diagnostic> {
    fn wrong(error: &dyn std::error::Error) -> Diagnostic {
        diagnose::wrong_import_id(error, IDENTITY_FORM)
    }
    let paths: Vec<_> = identity
        .paths
        .known()
        .into_iter()
        .flatten()
        .map(|path| Some(path.as_str().unwrap_or_default()))
        .collect();
    validate_pool_paths(&paths, None).map_err(|error| wrong(&error))?;
    if let Some(mount) = identity.mount.as_str() {
        validate_path(mount).map_err(|error| wrong(&error))?;
    }
    let field = identity.field.or(Field::text(DEFAULT_FIELD));
    if let Some(field) = field.as_str() {
        validate_field(field).map_err(|error| wrong(&error))?;
    }
    Ok(TokenSparePool {
        mount: identity.mount,
        paths: identity.paths,
        field,
        ..TokenSparePool::default()
    })
}
