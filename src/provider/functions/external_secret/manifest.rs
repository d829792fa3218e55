//! The manifest.

use super::spec::Spec;
use crate::sdk::{Dynamic, Field};

/// Writes the manifest.
///
/// Its attributes do not depend on which values are known: a host compares the type that it
/// planned with the type that it applies.
pub(super) fn of(spec: Spec) -> Dynamic {
    let fixed = |text: &str| Dynamic::text(Field::text(text));
    let mut metadata = vec![
        ("name", Dynamic::text(spec.name)),
        ("namespace", Dynamic::text(spec.namespace)),
    ];
    metadata.extend(
        spec.annotations
            .map(|annotations| ("annotations", annotations)),
    );
    let store = [
        ("kind", Dynamic::text(spec.store_kind)),
        ("name", Dynamic::text(spec.store_name)),
    ];
    let mut target = vec![("name", Dynamic::text(spec.target_name))];
    target.extend(spec.template.map(|template| ("template", template)));
    let inner = [
        ("data", spec.data),
        ("refreshInterval", Dynamic::text(spec.refresh_interval)),
        ("refreshPolicy", Dynamic::text(spec.refresh_policy)),
        ("secretStoreRef", Dynamic::object(store)),
        ("target", Dynamic::object(target)),
    ];
    Dynamic::object([
        ("apiVersion", fixed("external-secrets.io/v1")),
        ("kind", fixed("ExternalSecret")),
        ("metadata", Dynamic::object(metadata)),
        ("spec", Dynamic::object(inner)),
    ])
}
