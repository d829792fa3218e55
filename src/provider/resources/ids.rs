//! What imports of every resource share: finding the mount in an id.

use crate::protocol::Diagnostic;
use crate::provider::diagnose;
use crate::provider::observe::Observer;
use crate::sdk::Field;

/// The mount and the paths that an id names.
pub(in crate::provider) struct Location {
    /// The mount.
    pub(in crate::provider) mount: String,
    /// The paths in the mount.
    pub(in crate::provider) paths: Vec<String>,
}

/// Splits `<mount>/<path>`, for several paths in one mount.
///
/// A mount may contain slashes, so this asks Vault, as Vault's own command line does. If Vault does
/// not say, the mount is the provider's mount if the id begins with it, and otherwise the first
/// segment.
pub(in crate::provider) async fn locate(
    observer: &Observer,
    default: &Field<String>,
    locations: &[String],
) -> Result<Location, Diagnostic> {
    let first = locations.first().map(String::as_str).unwrap_or_default();
    let answered = match observer.store().mount_of(first).await {
        Ok(info) => Some(info.path),
        Err(_) => None,
    };
    let default = default
        .as_str()
        .filter(|mount| inside(mount, first).is_some());
    let mount = answered
        .as_deref()
        .map(|mount| mount.trim_end_matches('/'))
        .filter(|mount| inside(mount, first).is_some())
        .or(default)
        .or_else(|| first.split('/').next())
        .unwrap_or_default();
    let paths = locations
        .iter()
        .map(|location| inside(mount, location).map(str::to_owned))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| {
            Diagnostic::error(
                "Invalid import id",
                format!(
                    "The id covers more than one mount ({mount} and another). Import each mount's \
                     paths with a separate id."
                ),
            )
        })?;
    Ok(Location {
        mount: mount.to_owned(),
        paths,
    })
}

/// Returns the path in a mount.
fn inside<'a>(mount: &str, location: &'a str) -> Option<&'a str> {
    location
        .strip_prefix(mount)?
        .strip_prefix('/')
        .filter(|path| !path.is_empty())
}

/// Refuses an import while something that decides its state is not known.
pub(in crate::provider) fn everything_known(
    unknown: &[(&'static str, bool)],
) -> Result<(), Diagnostic> {
    match unknown.iter().find(|(_, unknown)| *unknown) {
        Some((name, _)) => Err(diagnose::not_configured(name, "An import")),
        None => Ok(()),
    }
}
