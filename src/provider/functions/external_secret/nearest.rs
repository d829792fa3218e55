//! Which name was meant.

/// Most edits that a slip of the pen takes.
const MOST_EDITS: usize = 3;

/// Returns the known name that is nearest to the given one, if any is near. The case of letters
/// and underscores do not count.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name = plain(name);
    let measured = known
        .iter()
        .map(|known| (edits(&name, &plain(known)), *known));
    let (edits, known) = measured.min_by_key(|(edits, _)| *edits)?;
    let is_near = edits <= MOST_EDITS && edits * 2 <= name.len();
    is_near.then_some(known)
}

fn plain(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.flat_map(char::to_lowercase).collect()
}

/// Counts the letters to insert, remove or replace (Levenshtein).
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in (1..).zip(one) {
        let mut diagonal = row[0];
        row[0] = line;
        for (column, candidate) in (1..).zip(other) {
            let replaced = diagonal + usize::from(letter != candidate);
            diagonal = row[column];
            row[column] = replaced.min(row[column] + 1).min(row[column - 1] + 1);
        }
    }
    row[other.len()]
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
