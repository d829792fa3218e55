//! The table, the file with every value, and the page that shows the last run.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::Effort;
use crate::programs::Programs;
use crate::statistics::Values;
use crate::support::provision;

/// Lines of `PERFORMANCE.md` between which the figures stand.
const BEGIN: &str = "<!-- figures: cargo bench, then cargo bench -- --write -->";
const END: &str = "<!-- end of figures -->";

/// What is to be reached.
#[derive(Clone, Copy, Debug)]
enum Reach {
    Value(f64),
    Ratio(f64),
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Figure {
    section: &'static str,
    name: String,
    ours: Values,
    other: Option<(&'static str, Values)>,
    reach: Option<Reach>,
}

impl Figure {
    /// Names a figure and what was measured of ours.
    pub(crate) fn new(section: &'static str, name: impl Into<String>, ours: Values) -> Self {
        Self {
            section,
            name: name.into(),
            ours,
            other: None,
            reach: None,
        }
    }

    /// Adds what was measured of another, in turns with ours.
    pub(crate) fn against(mut self, name: &'static str, other: Values) -> Self {
        self.other = Some((name, other));
        self
    }

    /// Sets the largest median that is good enough.
    pub(crate) fn below(mut self, limit: f64) -> Self {
        self.reach = Some(Reach::Value(limit));
        self
    }

    /// Sets the largest median of the ratio that is good enough.
    pub(crate) fn ratio_below(mut self, limit: f64) -> Self {
        self.reach = Some(Reach::Ratio(limit));
        self
    }

    fn ratio(&self) -> Option<Values> {
        let (_, other) = self.other.as_ref()?;
        Some(self.ours.over(other))
    }

    fn verdict(&self) -> String {
        let (value, limit, text) = match self.reach {
            None => return String::new(),
            Some(Reach::Value(limit)) => {
                let shown = Values::one(self.ours.unit(), limit).to_string();
                (self.ours.median(), limit, shown)
            }
            Some(Reach::Ratio(limit)) => match self.ratio() {
                Some(ratio) => (ratio.median(), limit, format!("{limit} times")),
                None => return String::new(),
            },
        };
        let verdict = if value <= limit { "met" } else { "**missed**" };
        format!("{text}: {verdict}")
    }

    fn row(&self) -> String {
        let (other, ratio) = match &self.other {
            Some((name, values)) => (
                format!("{name}: {values}"),
                self.ratio()
                    .map_or_else(String::new, |ratio| ratio.to_string()),
            ),
            None => Default::default(),
        };
        format!(
            "| {} | {} | {other} | {ratio} | {} |",
            self.name,
            self.ours,
            self.verdict()
        )
    }

    fn json(&self) -> Value {
        json!({
            "section": self.section,
            "name": self.name,
            "ours": self.ours.json(),
            "other": self.other.as_ref().map(|(name, values)| json!({ "name": name, "values": values.json() })),
            "ratio": self.ratio().map(|ratio| ratio.json()),
            "row": self.row(),
        })
    }
}

/// All figures of a run.
pub(crate) struct Report {
    machine: Vec<(&'static str, String)>,
    figures: Vec<Figure>,
}

impl Report {
    /// Starts with the machine.
    pub(crate) fn new(effort: Effort, programs: &Programs) -> Self {
        let mut machine = vec![
            ("processor", processor()),
            ("memory", memory()),
            ("system", first_line(Command::new("uname").args(["-srm"]))),
            ("compiler", first_line(Command::new("rustc").arg("-V"))),
            (
                "Terraform",
                first_line(Command::new(&programs.terraform).arg("version")),
            ),
            (
                "OpenBao",
                first_line(Command::new(provision::openbao()).arg("version")),
            ),
            ("load before the run", load()),
        ];
        if effort == Effort::Quick {
            machine.push(("effort", "quick: too few repetitions to rely on".to_owned()));
        }
        Self {
            machine,
            figures: Vec::new(),
        }
    }

    /// Adds a figure and prints its line.
    pub(crate) fn add(&mut self, figure: Figure) {
        if self
            .figures
            .last()
            .is_none_or(|last| last.section != figure.section)
        {
            println!("\n{}", heading(figure.section));
        }
        println!("{}", figure.row());
        self.figures.push(figure);
    }

    /// Writes the file that holds every value.
    pub(crate) fn finish(&self) {
        let file = file();
        fs::create_dir_all(file.parent().expect("a file is in a folder"))
            .expect("the build folder takes another folder");
        let machine = self.machine.iter();
        let machine: Vec<_> = machine.map(|(name, value)| json!([name, value])).collect();
        let figures: Vec<_> = self.figures.iter().map(Figure::json).collect();
        let document = json!({ "machine": machine, "figures": figures });
        let text = serde_json::to_string_pretty(&document).expect("figures become JSON");
        fs::write(&file, text + "\n").expect("the build folder takes a file");
        println!("\nEvery value is in {}.", file.display());
    }
}

/// Puts the figures of the last run into the page.
pub(crate) fn write_page() {
    let file = file();
    let text = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo bench` first", file.display()));
    let document: Value = serde_json::from_str(&text).expect("the file is one of ours");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("PERFORMANCE.md");
    let old = fs::read_to_string(&page).expect("the page is there");
    let (before, rest) = old
        .split_once(BEGIN)
        .expect("the page has a place for figures");
    let (_, after) = rest.split_once(END).expect("the place for figures ends");
    let new = format!("{before}{BEGIN}\n\n{}\n{END}{after}", figures(&document));
    fs::write(&page, new).expect("the page can be written");
    println!("{} has the figures of the last run.", page.display());
}

fn figures(document: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let mut page = String::new();
    for entry in list("machine") {
        let _ = writeln!(page, "- {}: {}", text(&entry[0]), text(&entry[1]));
    }
    // A section is measured in pieces, between those of others.
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for figure in list("figures") {
        let (section, row) = (text(&figure["section"]), text(&figure["row"]));
        match sections.iter_mut().find(|(name, _)| *name == section) {
            Some((_, rows)) => rows.push(row),
            None => sections.push((section, vec![row])),
        }
    }
    for (section, rows) in sections {
        let _ = write!(page, "\n{}\n{}\n", heading(&section), rows.join("\n"));
    }
    page
}

fn heading(section: &str) -> String {
    format!(
        "**{section}**\n\n| figure | ours | compared with | ratio | target |\n|---|---|---|---|---|"
    )
}

fn file() -> PathBuf {
    provision::target_folder()
        .join("bench")
        .join("figures.json")
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout);
    let text = String::from_utf8_lossy(&output.unwrap_or_default()).into_owned();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn processor() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or(std::env::consts::ARCH, |(_, name)| name);
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{name}, {count} threads")
}

fn memory() -> String {
    let information = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = information.split_whitespace().nth(1);
    let kibibytes: f64 = total
        .and_then(|total| total.parse().ok())
        .unwrap_or_default();
    format!("{:.0} GiB", kibibytes / f64::from(1 << 20))
}

fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}
