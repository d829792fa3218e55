//! The texts of `help` and `--help`.

use super::arguments::Topic;

/// Where tokens come from, for people who tried to pass one as an argument.
pub(super) fn tokens_by_input(topic: Topic) -> String {
    let command = match topic {
        Topic::Find => "find",
        Topic::Verify => "verify -",
        _ => "store PATH",
    };
    format!(
        "\
A token comes only from the prompt or standard input: an argument stays in the
history of the shell and shows in the list of processes. Run this, paste the
token, and press Enter:

    terraform-provider-claude {command}

If what you typed was a real token, remove it from the shell's history.
"
    )
}

/// Returns the help about something.
pub(super) fn text(topic: Topic) -> &'static str {
    match topic {
        Topic::Program => include_str!("help/program.txt"),
        Topic::Install => include_str!("help/install.txt"),
        Topic::Store => include_str!("help/store.txt"),
        Topic::Status => include_str!("help/status.txt"),
        Topic::Verify => include_str!("help/verify.txt"),
        Topic::Exec => include_str!("help/exec.txt"),
        Topic::Find => include_str!("help/find.txt"),
        Topic::Promote => include_str!("help/promote.txt"),
    }
}
