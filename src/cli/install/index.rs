//! The two JSON files that make a packed mirror a network mirror. Entries for other versions and
//! platforms are kept.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Map, Value, json};

use super::InstallError;
use super::layout::{VERSION, platform};

/// Returns the content of `index.json` with this version added.
pub(super) fn versions(folder: &Path) -> Result<(PathBuf, Vec<u8>), InstallError> {
    with_entry(folder.join("index.json"), "versions", VERSION, json!({}))
}

/// Returns the content of `VERSION.json` with this platform's archive added.
pub(super) fn archives(
    folder: &Path,
    archive: &str,
    hashes: &[String],
) -> Result<(PathBuf, Vec<u8>), InstallError> {
    let file = folder.join(format!("{VERSION}.json"));
    let entry = json!({ "url": archive, "hashes": hashes });
    with_entry(file, "archives", &platform(), entry)
}

/// Adds an entry to a map in a JSON file.
fn with_entry(
    file: PathBuf,
    map: &str,
    name: &str,
    entry: Value,
) -> Result<(PathBuf, Vec<u8>), InstallError> {
    let mut content: Map<String, Value> = match fs::read(&file) {
        Ok(text) => match serde_json::from_slice(&text) {
            Ok(content) => content,
            Err(_) => return Err(InstallError::Index { path: file }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Map::new(),
        Err(source) => return Err(InstallError::Read { path: file, source }),
    };
    match content.entry(map).or_insert_with(|| json!({})) {
        Value::Object(entries) => entries.insert(name.to_owned(), entry),
        _ => return Err(InstallError::Index { path: file }),
    };
    let text = format!("{:#}\n", Value::Object(content));
    Ok((file, text.into_bytes()))
}
