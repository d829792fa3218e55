//! Sizes of binaries.

use std::fs;
use std::path::Path;

use crate::programs::Programs;
use crate::report::{Figure, Report};
use crate::statistics::{Unit, Values};

const REACH: f64 = 8.0 * 1024.0 * 1024.0;

/// Compares the binaries as they are delivered.
pub(crate) fn measure(report: &mut Report, programs: &Programs) {
    let mut figure =
        Figure::new("size", "size of the binary", size(&programs.provider)).below(REACH);
    if let Some(other) = &programs.go_provider {
        figure = figure.against("Go provider", size(other));
    }
    report.add(figure);
}

fn size(program: &Path) -> Values {
    let bytes = fs::metadata(program).expect("the binary is there").len();
    Values::one(Unit::Bytes, bytes as f64)
}
