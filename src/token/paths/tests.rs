//! Tests of the rules for names.

use proptest::prelude::*;

use super::*;

#[test]
fn good_paths_pass() {
    for path in [
        "a",
        "team/agent-1",
        "a.b/..c/d..",
        "a b",
        "é",
        "a,b",
        "data/x",
        "a?b%2f",
    ] {
        assert_eq!(validate_path(path), Ok(()), "{path}");
    }
}

#[test]
fn bad_paths_are_refused_at_a_place() {
    use PathError::*;
    for (path, error) in [
        ("", Empty),
        ("/", LeadingSlash),
        ("/a", LeadingSlash),
        ("a/", TrailingSlash),
        ("a//b", EmptySegment { segment: 2 }),
        (".", DotSegment { segment: 1 }),
        ("a/../b", DotSegment { segment: 2 }),
        ("é\nb", Control { position: 2 }),
        ("a\u{7f}", Control { position: 2 }),
        ("a\u{85}", Control { position: 2 }),
        (&"é".repeat(2049), TooLong { bytes: 4098 }),
        (&format!("a/sk-ant-oat01-{}", "x".repeat(20)), Token),
    ] {
        assert_eq!(validate_path(path), Err(error), "{path:?}");
    }
    for character in ['#', '{', '}', '*'] {
        let error = Forbidden {
            character,
            position: 3,
        };
        assert_eq!(validate_path(&format!("a/{character}")), Err(error));
        assert_eq!(
            error.to_string(),
            format!("character 3 of the path is `{character}`")
        );
    }
}

#[test]
fn fields_have_a_length() {
    assert_eq!(validate_field("claude_oauth_token"), Ok(()));
    assert_eq!(validate_field(""), Err(FieldError::Empty));
    assert_eq!(validate_field(&"x".repeat(100)), Ok(()));
    let long = FieldError::TooLong { bytes: 102 };
    assert_eq!(validate_field(&"é".repeat(51)), Err(long));
}

#[test]
fn ids_split_off_the_field() {
    let id = parse_token_id("kv/team/agent#a#b").unwrap();
    assert_eq!(id.location, "kv/team/agent");
    assert_eq!(id.field.as_deref(), Some("a#b"));
    assert_eq!(parse_token_id("secret/agent").unwrap().field, None);
    assert_eq!(parse_token_id("agent"), Err(IdError::NoMount));
    assert_eq!(
        parse_token_id("secret/agent#"),
        Err(IdError::Field(FieldError::Empty))
    );
    assert_eq!(
        parse_token_id("#field"),
        Err(IdError::Path(PathError::Empty))
    );
    assert_eq!(
        parse_token_id("secret/a-{1,2}").unwrap_err().to_string(),
        "character 10 of the path is `{`"
    );
}

#[test]
fn pools_have_distinct_paths() {
    use PoolPathsError::*;
    let check = |paths: &[&str], primary| {
        let paths: Vec<_> = paths.iter().copied().map(Some).collect();
        validate_pool_paths(&paths, primary)
    };
    assert_eq!(check(&["a", "b"], Some("c")), Ok(()));
    assert_eq!(check(&[], None), Err(Empty));
    assert_eq!(check(&["a", "b,c"], None), Err(Comma { index: 1 }));
    assert_eq!(check(&["a", "b"], Some("b")), Err(Primary { index: 1 }));
    let repeated = Repeated { index: 2, first: 0 };
    assert_eq!(check(&["a", "b", "a"], None), Err(repeated));
    assert_eq!(repeated.index(), Some(2));
    assert_eq!(
        repeated.to_string(),
        "the path is the same as path 1 of the list"
    );
    let source = PathError::TrailingSlash;
    assert_eq!(check(&["a", "b/"], None), Err(Path { index: 1, source }));
    assert_eq!(
        validate_pool_paths(&[None, None, Some("a")], Some("b")),
        Ok(())
    );
    assert_eq!(validate_pool_paths(&[None; 100], None), Ok(()));
    let many = TooMany { count: 101 };
    assert_eq!(validate_pool_paths(&[None; 101], None), Err(many));
}

proptest! {
    #[test]
    fn any_text_is_judged(text: String) {
        let _ = validate_path(&text);
        let _ = validate_field(&text);
        let _ = text.parse::<FieldPath>();
        let _ = parse_token_id(&text);
    }

    #[test]
    fn ids_are_read_back(path in "[a-z0-9._ é-]{1,9}(/[a-z0-9_-]{1,9}){0,3}", field in "[a-z#/.]{1,20}") {
        prop_assume!(validate_path(&path).is_ok());
        let id = parse_token_id(&format!("secret/{path}#{field}")).unwrap();
        prop_assert_eq!(id.location, format!("secret/{path}"));
        prop_assert_eq!(id.field.as_ref(), Some(&field));
        let reference = FieldPath { path, field };
        prop_assert_eq!(reference.to_string().parse(), Ok(reference));
    }
}
