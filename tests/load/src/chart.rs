//! A bar chart as SVG, which the README shows.

use std::fmt::Write as _;

const LABELS: f64 = 210.0;
const BARS: f64 = 380.0;
const ROW: f64 = 26.0;
const TOP: f64 = 40.0;

/// Draws a bar for each ratio, as long as the ratio is large. Readable on light and on dark pages.
pub(crate) fn bars(title: &str, bars: &[(String, f64)]) -> String {
    let most = bars
        .iter()
        .map(|(_, ratio)| *ratio)
        .fold(f64::MIN, f64::max);
    let (width, height) = (LABELS + BARS + 60.0, TOP + ROW * bars.len() as f64 + 8.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#888\" role=\"img\">\n\
         <title>{title}</title>\n<text x=\"8\" y=\"22\" font-size=\"15\">{title}</text>\n",
    );
    for (index, (label, ratio)) in bars.iter().enumerate() {
        let top = TOP + ROW * index as f64;
        let text = top + 15.0;
        let length = (ratio / most * BARS).max(1.0);
        let is_ours = label.starts_with("**");
        let label = label.replace("**", "");
        let color = if is_ours { "#d9480f" } else { "#868e96" };
        let end = LABELS + length + 6.0;
        // Writing to a string does not fail.
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{label}</text>\
             <rect x=\"{LABELS}\" y=\"{top}\" width=\"{length:.1}\" height=\"20\" rx=\"2\" \
             fill=\"{color}\"/><text x=\"{end:.1}\" y=\"{text}\">{ratio:.2}</text>",
            LABELS - 8.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}
