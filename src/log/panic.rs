//! The text on standard error when code panics.

use std::any::Any;
use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::panic::{Location, PanicHookInfo};

/// Maximum number of lines of a backtrace. Hosts keep about a hundred lines after a panic.
const MAX_FRAMES: usize = 60;

/// Shown instead of a text that was formatted at run time.
const WITHHELD: &str = "panic text withheld";

/// Replaces the standard panic message with one that hosts show and that contains no value.
///
/// A line that begins with `panic: ` makes the host show it and the lines after it, even without a
/// log. A formatted text may contain data, so only literals in the source are shown.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let backtrace = Backtrace::force_capture().to_string();
        super::write_line(&text(info.payload(), info.location(), &backtrace));
    }));
}

/// Builds the message from the parts of the panic.
fn text(payload: &(dyn Any + Send), location: Option<&Location<'_>>, backtrace: &str) -> String {
    let message = payload.downcast_ref::<&'static str>().unwrap_or(&WITHHELD);
    let mut text = String::new();
    for (index, line) in message.lines().enumerate() {
        text.push_str(if index == 0 { "panic: " } else { "\n  " });
        text.push_str(line);
    }
    text.push('\n');
    if let Some(location) = location {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  at {}:{}", location.file(), location.line());
    }
    for symbol in symbols(backtrace).take(MAX_FRAMES) {
        let _ = writeln!(text, "  in {symbol}");
    }
    text
}

/// Lists the function names in a backtrace, without numbers, files, and unknown frames.
fn symbols(backtrace: &str) -> impl Iterator<Item = &str> {
    backtrace
        .lines()
        .filter_map(|line| line.trim_start().split_once(": "))
        .filter(|(number, symbol)| number.parse::<u32>().is_ok() && *symbol != "<unknown>")
        .map(|(_, symbol)| symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKTRACE: &str = "   0: alpha::beta\n             at /home/someone/src/lib.rs:1:2\n   \
                             1: <unknown>\n   2: main\n";

    #[test]
    fn text_of_the_source_is_told() {
        let payload: &'static str = "no such state\nat all";
        let shown = text(&payload, None, BACKTRACE);
        assert_eq!(
            shown,
            "panic: no such state\n  at all\n  in alpha::beta\n  in main\n"
        );
    }

    #[test]
    fn formatted_text_is_withheld_and_the_place_is_told() {
        let payload = String::from("bad token sk-invented");
        let shown = text(&payload, Some(Location::caller()), "");
        assert!(shown.starts_with("panic: panic text withheld\n  at "));
        assert!(shown.contains("panic.rs:"));
        assert!(!shown.contains("invented"));
    }

    #[test]
    fn every_kind_of_macro_ends_as_expected() {
        let payload_of = |code: fn()| std::panic::catch_unwind(code).unwrap_err();
        let fixed = payload_of(|| panic!("fixed"));
        let name = std::hint::black_box("hvs.invented");
        let formatted = std::panic::catch_unwind(|| panic!("value {name}")).unwrap_err();
        assert!(text(&*fixed, None, "").starts_with("panic: fixed"));
        assert!(text(&*formatted, None, "").starts_with("panic: panic text withheld"));
    }
}
