//! Medians and spread.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// What values measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds, shown in whichever part of them reads best.
    Seconds,
    /// Bytes, shown in MiB.
    Bytes,
    /// A plain number.
    Count,
}

/// Values of one thing, in the order in which they were measured.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    unit: Unit,
    values: Vec<f64>,
}

impl Values {
    /// Starts without any.
    pub(crate) fn new(unit: Unit) -> Self {
        Self {
            unit,
            values: Vec::new(),
        }
    }

    /// Holds one alone.
    pub(crate) fn one(unit: Unit, value: f64) -> Self {
        Self {
            unit,
            values: vec![value],
        }
    }

    /// Returns what the values measure.
    pub(crate) fn unit(&self) -> Unit {
        self.unit
    }

    /// Adds a value.
    pub(crate) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// Adds a time.
    pub(crate) fn push_time(&mut self, time: Duration) {
        self.push(time.as_secs_f64());
    }

    /// Returns the value in the middle.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        }
    }

    /// Divides each value by the one that was measured beside it: what disturbed one disturbed
    /// both.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self {
            unit: Unit::Count,
            values: self
                .values
                .iter()
                .zip(&other.values)
                .map(|(value, other)| value / other)
                .collect(),
        }
    }

    /// Returns all there is, for a machine to read.
    pub(crate) fn json(&self) -> Value {
        json!({
            "unit": match self.unit {
                Unit::Seconds => "seconds",
                Unit::Bytes => "bytes",
                Unit::Count => "count",
            },
            "median": self.median(),
            "values": self.values,
        })
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// Shows the median and, where there are several values, the least and the largest.
impl fmt::Display for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted = self.sorted();
        let [first, .., last] = sorted.as_slice() else {
            return match sorted.first() {
                Some(value) => formatter.write_str(&shown(self.unit, *value)),
                None => formatter.write_str("not measured"),
            };
        };
        let show = |value| shown(self.unit, value);
        write!(
            formatter,
            "{} ({} to {})",
            show(self.median()),
            show(*first),
            show(*last)
        )
    }
}

fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes => format!("{:.1} MiB", value / f64::from(1 << 20)),
        Unit::Seconds if value >= 1.0 => format!("{value:.2} s"),
        Unit::Seconds if value >= 0.001 => format!("{:.1} ms", value * 1e3),
        Unit::Seconds => format!("{:.1} µs", value * 1e6),
        Unit::Count if value.fract() == 0.0 => format!("{value:.0}"),
        Unit::Count => format!("{value:.2}"),
    }
}
