//! Lists of spares that are refused before anything is looked at.

use super::super::stack::{PRIMARY, Stack, errors};
use super::{agent, spoken};

#[tokio::test]
async fn lists_that_make_no_sense_are_refused_at_validate() {
    let stack = Stack::start("spares-refused").await;
    for (list, words) in [
        (format!("[\"a\", {PRIMARY:?}]"), "primary"),
        ("[\"a\", \"b\", \"a\"]".to_owned(), "same as path 1"),
        ("[\"a\", \"/b\"]".to_owned(), "starts with"),
        ("[\"a//b\"]".to_owned(), "empty"),
        ("[\"a\", null]".to_owned(), "A path is null"),
        ("[\"secret/{1,2}\"]".to_owned(), "{"),
    ] {
        stack.write(&agent(&format!("  spare_paths = {list}\n")));
        let run = stack.workspace.run(["validate"]);
        run.exits(1);
        assert_eq!(
            errors(&run),
            ["Invalid spare_paths"],
            "{}",
            run.transcript()
        );
        assert!(
            spoken(&run).contains(words),
            "{words}: {}",
            run.transcript()
        );
        assert!(run.stderr.contains("spare_paths = ["), "{}", run.stderr);
    }
    stack.write(&agent("  spare_paths = []\n"));
    stack.workspace.run(["validate"]).exits(0);
}
