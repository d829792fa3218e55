//! The manifest, with nothing in it that the API server would add by itself or rewrite.

use super::spec::Spec;
use crate::sdk::{Dynamic, Field};

/// Writes the manifest.
///
/// Which attributes it has does not depend on whether one is known: a host compares the type of
/// what it planned with the type of what it applies.
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
    let target = [("name", Dynamic::text(spec.target_name))];
    let inner = [
        ("data", spec.data),
        ("refreshInterval", Dynamic::text(spec.refresh_interval)),
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
