//! Refusals of single arguments, each on its attribute; unknown and null values pass.

use jiff::Timestamp;

use crate::external_secret::validate_secret_key;
use crate::protocol::{AttributePath, Diagnostic};
use crate::sdk::Field;
use crate::secret::Secret;
use crate::token::check::{Check, check, trim};
use crate::token::fingerprint::Fingerprint;
use crate::token::instant::parse_minted_at;
use crate::token::mark::MAX_PRIMARY_BYTES;
use crate::token::paths::{validate_field, validate_path, validate_pool_paths};
use crate::token::prefix::Prefix;
use crate::vault::SecretPath;

fn refusal(name: &'static str, detail: String) -> Diagnostic {
    refused_at(AttributePath::attribute(name), name, false, detail)
}

/// Refuses the value at a place. If it is secret, the error has no path, because the host would
/// quote it.
fn refused_at(
    place: AttributePath,
    name: &'static str,
    is_secret: bool,
    detail: String,
) -> Diagnostic {
    let refused = Diagnostic::error(format!("Invalid {name}"), detail);
    if is_secret {
        refused
    } else {
        refused.at(place)
    }
}

/// Refuses anything that is not a path of a secret.
pub(in crate::provider) fn path(path: &Field<String>, name: &'static str) -> Option<Diagnostic> {
    let error = validate_path(path.as_str()?).err()?;
    Some(refused_at(
        AttributePath::attribute(name),
        name,
        error.is_secret(),
        format!(
            "{}. Write it as `vault kv list` shows it, without the mount and without data/, such \
             as claude-agent-service.",
            capital(&error)
        ),
    ))
}

/// Joins mount and path.
///
/// # Errors
///
/// Fails if together they are not a path that Vault accepts.
pub(in crate::provider) fn secret_path(mount: &str, path: &str) -> Result<SecretPath, Diagnostic> {
    SecretPath::new(mount, path).map_err(|error| {
        Diagnostic::error(
            format!("Invalid path {mount}/{path}"),
            format!("{error}. Compare it with `vault kv list`."),
        )
    })
}

/// Refuses anything that is not a prefix of a path.
pub(in crate::provider) fn path_prefix(
    prefix: &Field<String>,
    name: &'static str,
) -> Option<Diagnostic> {
    let error = Prefix::parse(prefix.as_str()?).err()?;
    Some(refused_at(
        AttributePath::attribute(name),
        name,
        error.is_secret(),
        format!(
            "{}. Write it as `vault kv list` shows it, without the mount: team/ for a folder, \
             claude-agent for all paths that begin with it, and nothing for the whole mount.",
            capital(&error)
        ),
    ))
}

/// Refuses anything that is not a mount.
pub(in crate::provider) fn mount(mount: &Field<String>) -> Option<Diagnostic> {
    let error = validate_path(mount.as_str()?).err()?;
    Some(refused_at(
        AttributePath::attribute("mount"),
        "mount",
        error.is_secret(),
        format!(
            "{}. Write it as `vault secrets list` shows it, without the last slash, such as secret.",
            capital(&error.about("mount"))
        ),
    ))
}

/// Refuses anything that cannot be a field.
pub(in crate::provider) fn field(field: &Field<String>) -> Option<Diagnostic> {
    let error = validate_field(field.as_str()?).err()?;
    Some(refused_at(
        AttributePath::attribute("field"),
        "field",
        error.is_secret(),
        format!(
            "{}. It is the key in the document, such as claude_oauth_token.",
            capital(&error)
        ),
    ))
}

/// Refuses anything that cannot be a key of a Kubernetes Secret.
pub(in crate::provider) fn secret_key(
    key: &Field<String>,
    name: &'static str,
) -> Option<Diagnostic> {
    let error = validate_secret_key(key.as_str()?).err()?;
    Some(refusal(name, format!("{}.", capital(&error))))
}

/// Refuses a text that is not a fingerprint.
pub(in crate::provider) fn fingerprint(text: &Field<String>) -> Option<Diagnostic> {
    text.as_str()?.parse::<Fingerprint>().is_err().then(|| {
        refusal(
            "fingerprint",
            "A fingerprint is `sha256:` and 64 lowercase hexadecimal digits. Use the attribute \
             fingerprint of a resource or data source."
                .to_owned(),
        )
    })
}

/// Refuses an empty text.
pub(in crate::provider) fn empty(text: &Field<String>, name: &'static str) -> Option<Diagnostic> {
    text.as_str()?.is_empty().then(|| {
        refusal(
            name,
            format!("{name} is empty. Remove it to use the default."),
        )
    })
}

/// Refuses anything that is not a timestamp, or is more than a day after `now`.
pub(in crate::provider) fn minted_at(
    text: &Field<String>,
    name: &'static str,
    now: Timestamp,
) -> Option<Diagnostic> {
    let error = parse_minted_at(text.as_str()?, now).err()?;
    Some(refusal(name, format!("{}.", capital(&error))))
}

/// Refuses a word that is not one of the choices.
pub(in crate::provider) fn choice(
    word: &Field<String>,
    name: &'static str,
    choices: &[&str],
) -> Option<Diagnostic> {
    let word = word.as_str()?;
    (!choices.contains(&word))
        .then(|| refusal(name, format!("{name} is \"{}\".", choices.join("\" or \""))))
}

/// Refuses a list with spares that are not paths, occur twice, or are the primary itself.
pub(in crate::provider) fn pool_paths(
    paths: &[Field<String>],
    primary: Option<&str>,
    name: &'static str,
) -> Option<Diagnostic> {
    let at = |index: Option<usize>| {
        let list = AttributePath::attribute(name);
        match index.and_then(|index| i64::try_from(index).ok()) {
            Some(index) => list.then_index(index),
            None => list,
        }
    };
    if let Some(index) = paths.iter().position(Field::is_null) {
        return Some(
            Diagnostic::error(
                format!("Invalid {name}"),
                "A path is null. Remove it from the list.",
            )
            .at(at(Some(index))),
        );
    }
    let texts: Vec<_> = paths.iter().map(Field::as_str).collect();
    let error = validate_pool_paths(&texts, primary).err()?;
    let rule =
        std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
    Some(refused_at(
        at(error.index()),
        name,
        error.is_secret(),
        format!(
            "{}{rule}. Write each path as `vault kv list` shows it, without the mount and \
             without data/.",
            capital(&error)
        ),
    ))
}

/// Refuses a primary with spares if its name is longer than a mark on a spare can record.
pub(in crate::provider) fn unmarkable(path: &Field<String>, field: &str) -> Option<Diagnostic> {
    let length = path.as_str()?.len() + 1 + field.len();
    (length > MAX_PRIMARY_BYTES).then(|| {
        refusal(
            "path",
            format!(
                "path and field have {} bytes together, and a token with spares may have {}, \
                 because a promotion records them in the spare's metadata, where Vault limits \
                 their length. Move the token to a shorter path, or use it without spares.",
                length - 1,
                MAX_PRIMARY_BYTES - 1
            ),
        )
    })
}

/// Refuses a value that is not a token. No path: the host would quote the value.
pub(in crate::provider) fn token(token: &Field<Secret>, name: &str) -> Option<Diagnostic> {
    let (text, _) = trim(token.known()?.expose());
    let detail = match check(text) {
        Check::Valid { unproven, .. } => super::unproven(unproven?),
        Check::Malformed(malformed) => {
            let problem = malformed.problem;
            format!("{}. {}", capital(&problem), problem.advice())
        }
    };
    Some(Diagnostic::error(format!("Invalid {name}"), detail))
}

/// Writes an error as the beginning of a sentence.
pub(in crate::provider) fn capital(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
