//! The changelog has the form that a release, and whoever reads it, counts on.

use jiff::civil::Date;

use super::{read, root};

const KINDS: [&str; 6] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

/// Returns the parts of a text that begin with a heading: the heading's words, then the rest.
fn sections<'a>(text: &'a str, mark: &str) -> Vec<(&'a str, &'a str)> {
    text.split(mark)
        .skip(1)
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
        .collect()
}

/// Returns a version as numbers that can be compared, and the date, of `VERSION - YYYY-MM-DD`.
fn release(heading: &str) -> Option<(Vec<u32>, Date)> {
    let (version, date) = heading.split_once(" - ")?;
    let numbers: Result<Vec<u32>, _> = version.split('.').map(str::parse).collect();
    let numbers = numbers.ok().filter(|numbers| numbers.len() == 3)?;
    Some((numbers, date.parse().ok()?))
}

#[test]
fn releases_are_dated_and_the_newest_comes_first() {
    let text = read(&root().join("CHANGELOG.md"));
    let sections = sections(&text, "\n## ");
    assert_eq!(sections[0].0, "Unreleased");
    let releases: Vec<_> = sections[1..]
        .iter()
        .map(|(heading, _)| release(heading).unwrap_or_else(|| panic!("{heading}")))
        .collect();
    for pair in releases.windows(2) {
        let ((newer, later), (older, earlier)) = (&pair[0], &pair[1]);
        assert!(newer > older && later >= earlier, "{newer:?}, {older:?}");
    }
    let (present, _) = release(concat!(env!("CARGO_PKG_VERSION"), " - 2000-01-01")).unwrap();
    if let Some((newest, _)) = releases.first() {
        assert!(present >= *newest, "Cargo.toml is behind the changelog");
    }
}

#[test]
fn entries_are_sorted_by_kind() {
    let text = read(&root().join("CHANGELOG.md"));
    for (heading, section) in sections(&text, "\n## ") {
        let section = format!("\n{}", section.trim_start());
        for (kind, entries) in sections(&section, "\n### ") {
            assert!(KINDS.contains(&kind), "{heading}: {kind}");
            for line in entries.lines().filter(|line| !line.is_empty()) {
                let is_entry = line.starts_with("- ") || line.starts_with("  ");
                assert!(is_entry, "{heading}: {line}");
            }
            assert!(entries.contains("- "), "{heading}: {kind} is empty");
        }
    }
}
