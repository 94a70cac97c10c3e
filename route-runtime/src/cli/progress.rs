//! Progress bars, which are shown on a terminal only.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::routes::{Step, Watch};

/// Returns a watch that shows how many paths are rendered in a progress bar.
pub(super) fn bar(message: &'static str) -> Watch {
    let shown: Mutex<Option<ProgressBar>> = Mutex::default();
    Watch::new(move |step| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Begun(length) => *shown = Some(begin(length, message)),
            Step::Rendered => shown.iter().for_each(|bar| bar.inc(1)),
            Step::Ended => shown.take().iter().for_each(ProgressBar::finish_and_clear),
        }
    })
}

fn begin(length: usize, message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(message);
    match ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
