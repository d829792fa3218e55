//! What the quickstart prints: numbered steps with their durations, and text below them.

use std::io::{self, IsTerminal, Stdout, Write};
use std::time::{Duration, Instant};

const WIDTH: usize = 78;
const MARGIN: &str = "   ";

/// Standard output, coloured where a person reads it.
pub(crate) struct Terminal {
    out: Stdout,
    colours: bool,
    steps: u32,
}

impl Terminal {
    /// Uses colours on a terminal only, and never where `plain` asks for none.
    pub(crate) fn new(plain: bool) -> Self {
        let out = io::stdout();
        Self {
            colours: out.is_terminal() && !plain,
            out,
            steps: 0,
        }
    }

    /// Prints the heading of the next step, does the work, and adds how long it took.
    pub(crate) fn step<T, E: From<io::Error>>(
        &mut self,
        title: &str,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.steps += 1;
        let heading = format!("{:>2} {title}", self.steps);
        write!(self.out, "\n{}", self.paint("1", &heading))?;
        // The line stays open while the work is under way, so it must be shown now.
        self.out.flush()?;
        let started = Instant::now();
        let result = work();
        let took = if result.is_ok() {
            seconds(started.elapsed())
        } else {
            "failed".to_owned()
        };
        let width = WIDTH.saturating_sub(heading.chars().count()).max(1);
        let took = format!("{took:>width$}");
        writeln!(self.out, "{}", self.paint("2", &took))?;
        result
    }

    /// Prints a text below the heading; lines keep their own indentation.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            let line = line.trim_end();
            if line.is_empty() {
                writeln!(self.out)?;
            } else {
                writeln!(self.out, "{MARGIN}{}", self.highlight(line))?;
            }
        }
        Ok(())
    }

    /// Prints rows under column titles, each column as wide as its widest cell.
    pub(crate) fn table<const N: usize>(
        &mut self,
        titles: [&str; N],
        rows: &[[String; N]],
    ) -> io::Result<()> {
        let widths: [usize; N] = std::array::from_fn(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .chain([titles[column].len()])
                .max()
                .unwrap_or_default()
        });
        let line = |cells: [&str; N]| {
            cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect::<Vec<_>>()
                .join("  ")
        };
        let heading = self.paint("2", line(titles).trim_end());
        writeln!(self.out, "{MARGIN}{heading}")?;
        for row in rows {
            self.text(&line(row.each_ref().map(String::as_str)))?;
        }
        Ok(())
    }

    /// Colours what decides: what Terraform would do, and what it warns of.
    fn highlight(&self, line: &str) -> String {
        let start = line.trim_start();
        if start.starts_with("Warning:") || start.starts_with("~ ") {
            self.paint("33", line)
        } else if start.starts_with("Error:") || start.starts_with("- ") {
            self.paint("31", line)
        } else if start.starts_with("+ ") || start.starts_with("No changes.") {
            self.paint("32", line)
        } else if start.starts_with("# ") || start.starts_with("Plan:") {
            self.paint("1", line)
        } else {
            line.to_owned()
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Writes a duration in seconds, with as many digits as a person cares for.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{seconds:.0} s")
    }
}
