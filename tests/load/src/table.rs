//! The tables that are printed: what was measured, how it compares, and whether it meets its goal.

use std::fmt;

/// A figure, how it compares with others, and its goal.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) figure: String,
    pub(crate) ratio: Option<f64>,
    pub(crate) goal: Option<Goal>,
}

/// The bound that a figure, or its ratio, has to meet.
#[derive(Clone, Copy)]
pub(crate) struct Goal {
    value: f64,
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    pub(crate) fn at_most(value: f64, bound: f64) -> Self {
        Self {
            value,
            bound: Bound::AtMost(bound),
        }
    }

    pub(crate) fn at_least(value: f64, bound: f64) -> Self {
        Self {
            value,
            bound: Bound::AtLeast(bound),
        }
    }

    fn holds(self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.value <= most,
            Bound::AtLeast(least) => self.value >= least,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bound {
            Bound::AtMost(most) => write!(f, "≤ {most}")?,
            Bound::AtLeast(least) => write!(f, "≥ {least}")?,
        }
        f.write_str(if self.holds() { "" } else { ": MISSED" })
    }
}

/// A table in Markdown, as in the README.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        figure: impl Into<String>,
        ratio: impl Into<Option<f64>>,
        goal: impl Into<Option<Goal>>,
    ) {
        self.rows.push(Row {
            what: what.into(),
            figure: figure.into(),
            ratio: ratio.into(),
            goal: goal.into(),
        });
    }

    /// Returns how many goals were missed.
    pub(crate) fn missed(&self) -> usize {
        let goals = self.rows.iter().filter_map(|row| row.goal);
        goals.filter(|goal| !goal.holds()).count()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} | | ratio | goal |\n|---|--:|--:|---|", self.title)?;
        for row in &self.rows {
            let ratio = row
                .ratio
                .map_or(String::new(), |ratio| format!("{ratio:.3}"));
            let goal = row.goal.map_or(String::new(), |goal| goal.to_string());
            writeln!(f, "| {} | {} | {ratio} | {goal} |", row.what, row.figure)?;
        }
        Ok(())
    }
}

/// Returns the median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Formats a number, with a space between groups of three digits.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
