//! Which name was meant.

use strsim::levenshtein;

/// Most edits that a typo needs.
const MOST_EDITS: usize = 3;

/// Returns the known name that is nearest to the given one, if any is near. Case, underscores, and
/// hyphens are ignored.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name = plain(name);
    let measured = known
        .iter()
        .map(|known| (levenshtein(&name, &plain(known)), *known));
    let (edits, known) = measured.min_by_key(|(edits, _)| *edits)?;
    let is_near = edits <= MOST_EDITS && edits * 2 <= name.chars().count();
    is_near.then_some(known)
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["name", "namespace", "refresh_interval"];

    #[test]
    fn near_names_are_found() {
        for (name, meant) in [
            ("refreshInterval", "refresh_interval"),
            ("refresh-intervall", "refresh_interval"),
            ("namespaces", "namespace"),
            ("Name", "name"),
            ("naem", "name"),
        ] {
            assert_eq!(nearest(name, &KNOWN), Some(meant), "{name}");
        }
    }

    #[test]
    fn far_names_are_not() {
        for name in ["", "x", "labels", "template", "creation_policy"] {
            assert_eq!(nearest(name, &KNOWN), None, "{name}");
        }
        assert_eq!(nearest("name", &[]), None);
    }
}
