//! Several paths in one text: `agent-spare-{1,2}`, `agent-spare-{1..5}` or a single path.

use std::collections::HashSet;

use thiserror::Error;

use super::paths::{FieldError, MAXIMUM_PATHS, PathError, split_field, validate_path};

/// The id of a pool as a user gives it: `<mount>/<path list>[#field]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolId {
    /// Mount and path of each secret, in order; only Vault knows where the mount ends.
    pub locations: Vec<String>,
    /// The field, if one is given.
    pub field: Option<String>,
}

/// Reads the id of a pool.
pub fn parse_pool_id(text: &str) -> Result<PoolId, PathListError> {
    let (list, field) = split_field(text)?;
    let locations = expand(list)?;
    if locations.iter().any(|location| !location.contains('/')) {
        return Err(PathListError::NoMount);
    }
    Ok(PoolId {
        locations,
        field: field.map(str::to_owned),
    })
}

/// Writes the unique id of a pool: the same paths in the same order always give the same text.
pub fn pool_id(mount: &str, paths: &[impl AsRef<str>], field: &str) -> String {
    format!("{}/{}#{field}", mount.trim_matches('/'), compress(paths))
}

/// Why a text is not a list of paths.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathListError {
    /// A brace is missing, or there is more than one pair.
    #[error("a list of paths has at most one pair of braces, such as `spare-{{1,2}}`")]
    Braces,
    /// Nothing is in the braces, or before, between, or after the commas.
    #[error("a part of the list in braces is empty")]
    EmptyPart,
    /// A comma is outside the braces.
    #[error("a list of paths must be in braces, such as `spare-{{1,2}}`")]
    Comma,
    /// Two dots are in the braces, but not between two numbers.
    #[error("a range in braces must be between two numbers, such as `{{1..5}}`")]
    Range,
    /// A range covers more than [`MAXIMUM_PATHS`], or a list has more parts.
    #[error("a list has at most {MAXIMUM_PATHS} paths")]
    TooMany,
    /// The same path results twice.
    #[error("the list contains `{0}` twice")]
    Repeated(String),
    /// There is a path but no mount before it.
    #[error("the id has no mount: write it as `<mount>/<paths>[#field]`")]
    NoMount,
    /// A path breaks the rules for paths.
    #[error("the list contains `{path}`, which is not a valid path")]
    Path {
        /// The path as expanded from the braces.
        path: String,
        /// The rule that it breaks.
        source: PathError,
    },
    /// The part after `#` breaks the rules for fields.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Returns the paths that a list names, distinct, at most [`MAXIMUM_PATHS`], and in its order.
///
/// A range runs up or down. If one of its ends has a leading zero, all numbers are padded to the
/// width of the wider end, as in a shell.
pub fn expand(list: &str) -> Result<Vec<String>, PathListError> {
    let paths = match list.split_once('{') {
        None if list.contains('}') => return Err(PathListError::Braces),
        None if list.contains(',') => return Err(PathListError::Comma),
        None => vec![list.to_owned()],
        Some((before, rest)) => {
            let (inside, after) = rest.split_once('}').ok_or(PathListError::Braces)?;
            if before.contains('}') || inside.contains('{') || after.contains(['{', '}']) {
                return Err(PathListError::Braces);
            }
            if before.contains(',') || after.contains(',') {
                return Err(PathListError::Comma);
            }
            parts_of(inside)?
                .iter()
                .map(|part| format!("{before}{part}{after}"))
                .collect()
        }
    };
    let mut seen = HashSet::new();
    for path in &paths {
        validate_path(path).map_err(|source| PathListError::Path {
            path: path.clone(),
            source,
        })?;
        if !seen.insert(path) {
            return Err(PathListError::Repeated(path.clone()));
        }
    }
    Ok(paths)
}

/// Returns the alternatives between the braces.
fn parts_of(inside: &str) -> Result<Vec<String>, PathListError> {
    let parts: Vec<String> = if inside.contains(',') {
        inside.split(',').map(str::to_owned).collect()
    } else if let Some((first, last)) = inside.split_once("..") {
        range(first, last)?
    } else {
        vec![inside.to_owned()]
    };
    if parts.len() > MAXIMUM_PATHS {
        return Err(PathListError::TooMany);
    }
    if parts.iter().any(String::is_empty) {
        return Err(PathListError::EmptyPart);
    }
    Ok(parts)
}

/// Returns the numbers from `first` to `last`, in that direction.
fn range(first: &str, last: &str) -> Result<Vec<String>, PathListError> {
    let (start, end) = (number(first)?, number(last)?);
    let (low, high) = (start.min(end), start.max(end));
    if high - low >= MAXIMUM_PATHS as u64 {
        return Err(PathListError::TooMany);
    }
    let padded = [first, last]
        .iter()
        .any(|text| text.len() > 1 && text.starts_with('0'));
    let width = if padded {
        first.len().max(last.len())
    } else {
        0
    };
    let mut numbers: Vec<String> = (low..=high)
        .map(|number| format!("{number:0width$}"))
        .collect();
    if start > end {
        numbers.reverse();
    }
    Ok(numbers)
}

fn number(text: &str) -> Result<u64, PathListError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        // The limit keeps the padded numbers narrow as well.
        Ok(number) if digits && text.len() <= 19 => Ok(number),
        _ => Err(PathListError::Range),
    }
}

/// Returns the list that [`expand`] turns back into these paths, in the same order.
///
/// The paths are those of a pool: distinct, valid under the rules, and without commas. The part
/// that all have in common is outside the braces, but no word and no number is cut, and no part in
/// the braces is empty. Paths with nothing in common are in the braces whole.
pub fn compress(paths: &[impl AsRef<str>]) -> String {
    if let [single] = paths {
        return single.as_ref().to_owned();
    }
    let mut parts: Vec<Vec<char>> = paths
        .iter()
        .map(|path| path.as_ref().chars().collect())
        .collect();
    let before = take_common_start(&mut parts);
    parts.iter_mut().for_each(|part| part.reverse());
    let mut after = take_common_start(&mut parts);
    parts.iter_mut().for_each(|part| part.reverse());
    after.reverse();

    let text = |characters: &Vec<char>| characters.iter().collect::<String>();
    let parts: Vec<String> = parts.iter().map(text).collect();
    format!("{}{{{}}}{}", text(&before), parts.join(","), text(&after))
}

/// Strips the common beginning of all texts, up to where a word or number ends in each of them.
fn take_common_start(texts: &mut [Vec<char>]) -> Vec<char> {
    let Some((first, others)) = texts.split_first() else {
        return Vec::new();
    };
    let mut length = (0..first.len())
        .find(|&at| others.iter().any(|other| other.get(at) != first.get(at)))
        .unwrap_or(first.len());
    while length > 0 && texts.iter().any(|text| cuts(text, length)) {
        length -= 1;
    }
    let common = texts.first().map(|first| first[..length].to_vec());
    for text in texts {
        text.drain(..length);
    }
    common.unwrap_or_default()
}

/// Reports whether a cut before the character at `at` leaves nothing or splits a word or a number.
fn cuts(text: &[char], at: usize) -> bool {
    match text.get(at - 1..=at) {
        Some([left, right]) => {
            left.is_alphabetic() && right.is_alphabetic()
                || left.is_ascii_digit() && right.is_ascii_digit()
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    fn expanded(list: &str) -> Vec<String> {
        expand(list).unwrap()
    }

    #[test]
    fn lists_are_expanded_in_order() {
        assert_eq!(expanded("team/a"), ["team/a"]);
        assert_eq!(expanded("a-{2,1}"), ["a-2", "a-1"]);
        assert_eq!(expanded("t/{a,b}/c"), ["t/a/c", "t/b/c"]);
        assert_eq!(expanded("{a,b}"), ["a", "b"]);
        assert_eq!(expanded("a-{1}"), ["a-1"]);
        assert_eq!(expanded("a-{1..3}"), ["a-1", "a-2", "a-3"]);
        assert_eq!(expanded("a-{3..1}b"), ["a-3b", "a-2b", "a-1b"]);
        assert_eq!(expanded("a-{08..10}"), ["a-08", "a-09", "a-10"]);
        assert_eq!(expanded("a-{1..1}"), ["a-1"]);
        assert_eq!(expanded("a-{0..99}").len(), 100);
        assert_eq!(expanded("a-{1..2,x}"), ["a-1..2", "a-x"]);
    }

    #[test]
    fn bad_lists_are_refused() {
        use PathListError::*;
        for (list, error) in [
            ("a-{1,2", Braces),
            ("a-1,2}", Braces),
            ("a}-{1,2", Braces),
            ("a}{1,2}", Braces),
            ("a-{1,{2,3}}", Braces),
            ("{a,b}-{1,2}", Braces),
            ("a,b", Comma),
            ("a,b-{1,2}", Comma),
            ("a-{1,2},b", Comma),
            ("a-{}", EmptyPart),
            ("a-{1,}", EmptyPart),
            ("a-{,1}", EmptyPart),
            ("a-{1,,2}", EmptyPart),
            ("a-{1..}", Range),
            ("a-{..}", Range),
            ("a-{a..c}", Range),
            ("a-{+1..3}", Range),
            ("a-{1..2..3}", Range),
            ("a-{1..99999999999999999999}", Range),
            ("a-{0..100}", TooMany),
            ("a-{0..9999999999999999999}", TooMany),
            ("a-{1,2,1}", Repeated("a-1".to_owned())),
            (
                "",
                Path {
                    path: String::new(),
                    source: PathError::Empty,
                },
            ),
            (
                "a-{1,/}",
                Path {
                    path: "a-/".to_owned(),
                    source: PathError::TrailingSlash,
                },
            ),
        ] {
            assert_eq!(expand(list), Err(error), "{list}");
        }
        let many = format!("a-{{{}}}", vec!["x"; 101].join(","));
        assert_eq!(expand(&many), Err(TooMany));
    }

    #[test]
    fn what_paths_share_stands_outside() {
        for (paths, list) in [
            (&["a"][..], "a"),
            (&["agent-spare-1", "agent-spare-2"], "agent-spare-{1,2}"),
            (&["agent-spare-2", "agent-spare-1"], "agent-spare-{2,1}"),
            (&["spare1", "spare2"], "spare{1,2}"),
            (&["spare-10", "spare-11"], "spare-{10,11}"),
            (&["spare-1", "spare-10"], "spare-{1,10}"),
            (&["alpha", "apple"], "{alpha,apple}"),
            (&["a", "a-2"], "{a,a-2}"),
            (&["1/spare", "2/spare"], "{1,2}/spare"),
            (&["t/a/token", "t/b/token"], "t/{a,b}/token"),
            (&["t/eu-spare", "t/us-spare"], "t/{eu,us}-spare"),
            (&["spare-é", "spare-è"], "spare-{é,è}"),
            (&["a-1..5", "a-2"], "a-{1..5,2}"),
            (&["aa", "a", "aaa"], "{aa,a,aaa}"),
            (&["a-b-b", "a-b"], "a-{b-b,b}"),
        ] {
            assert_eq!(compress(paths), list);
            assert_eq!(expanded(list), paths);
        }
    }

    #[test]
    fn pool_ids_are_read_back() {
        let id = pool_id(
            "secret",
            &["agent-spare-1", "agent-spare-2"],
            "claude_oauth_token",
        );
        assert_eq!(id, "secret/agent-spare-{1,2}#claude_oauth_token");
        let read = parse_pool_id(&id).unwrap();
        assert_eq!(
            read.locations,
            ["secret/agent-spare-1", "secret/agent-spare-2"]
        );
        assert_eq!(read.field.as_deref(), Some("claude_oauth_token"));
        assert_eq!(parse_pool_id("kv/{a,b}").unwrap().field, None);
        assert_eq!(parse_pool_id("a-{1,2}"), Err(PathListError::NoMount));
        assert_eq!(
            parse_pool_id("kv/a#"),
            Err(PathListError::Field(FieldError::Empty))
        );
        let long = "x".repeat(101);
        assert_eq!(
            parse_pool_id(&format!("kv/a#{long}")),
            Err(PathListError::Field(FieldError::TooLong { bytes: 101 }))
        );
    }

    /// Paths that a pool may have, with much in common and in any order.
    fn pools() -> impl Strategy<Value = Vec<String>> {
        let path = prop_oneof![
            "[ab1/.é-]{1,6}",
            "team/spare-?[0-9]{1,3}(/token)?",
            "[a-c]{1,3}(-|/|[.][.])?[0-9]{0,2}",
        ];
        btree_set(path, 1..12)
            .prop_map(|paths| {
                paths
                    .into_iter()
                    .filter(|path| validate_path(path).is_ok())
                    .collect::<Vec<_>>()
            })
            .prop_filter("one path at least", |paths| !paths.is_empty())
            .prop_shuffle()
    }

    proptest! {
        #[test]
        fn lists_round_trip(paths in pools()) {
            let list = compress(&paths);
            prop_assert_eq!(expand(&list), Ok(paths.clone()), "{}", list);
            let read = parse_pool_id(&pool_id("kv/x", &paths, "a#b")).unwrap();
            let locations: Vec<_> = paths.iter().map(|path| format!("kv/x/{path}")).collect();
            prop_assert_eq!(read.locations, locations);
            prop_assert_eq!(read.field.as_deref(), Some("a#b"));
        }

        #[test]
        fn any_text_is_expanded_or_refused(text in r"\PC{0,30}|[a-c{},./0-9#]{0,20}") {
            if let Ok(paths) = expand(&text) {
                prop_assert!((1..=MAXIMUM_PATHS).contains(&paths.len()));
                prop_assert!(paths.iter().all(|path| validate_path(path).is_ok() && !path.contains(',')));
                prop_assert_eq!(expand(&compress(&paths)), Ok(paths));
            }
            let _ = parse_pool_id(&text);
        }
    }
}
