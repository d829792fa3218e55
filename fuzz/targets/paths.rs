//! Import ids, paths, fields, and lists of paths in braces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use terraform_provider_claude::token::path_list::{compress, expand, parse_pool_id, pool_id};
use terraform_provider_claude::token::paths::{
    MAXIMUM_PATHS, parse_token_id, validate_field, validate_path, validate_pool_paths,
};

fuzz_target!(|text: &str| {
    let _ = validate_field(text);
    if let Ok(id) = parse_token_id(text) {
        assert_eq!(validate_path(&id.location), Ok(()));
        if let Some(field) = &id.field {
            assert_eq!(parse_token_id(&format!("{}#{field}", id.location)), Ok(id));
        }
    }
    if let Ok(paths) = expand(text) {
        assert!((1..=MAXIMUM_PATHS).contains(&paths.len()));
        assert!(paths.iter().all(|path| validate_path(path).is_ok()));
        assert_reads_back(&paths);
    }
    if let Ok(id) = parse_pool_id(text)
        && let Some(field) = &id.field
    {
        let paths: Option<Vec<_>> = id
            .locations
            .iter()
            .map(|location| location.strip_prefix("secret/"))
            .collect();
        if let Some(paths) = paths
            && paths.iter().all(|path| validate_path(path).is_ok())
        {
            assert_eq!(parse_pool_id(&pool_id("secret", &paths, field)), Ok(id));
        }
    }
    // Any paths of a pool, not only those that a list in braces can name.
    let lines: Vec<&str> = text.lines().collect();
    let named: Vec<Option<&str>> = lines.iter().copied().map(Some).collect();
    if validate_pool_paths(&named, None).is_ok() {
        assert_reads_back(&lines);
    }
});

/// Demands that the list which names the paths names them again, in their order.
fn assert_reads_back(paths: &[impl AsRef<str>]) {
    let list = compress(paths);
    let again = expand(&list).expect("a list that was written is read");
    assert!(
        again
            .iter()
            .map(String::as_str)
            .eq(paths.iter().map(AsRef::as_ref)),
        "{list}"
    );
}
