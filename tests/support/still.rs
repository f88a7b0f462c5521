//! A still of a terminal: what it shows, colours and all, as an SVG.

use std::fmt::Write as _;

/// Of a character of 12 pixels, and of a line of them.
const CHARACTER: (f64, f64) = (7.225, 16.0);

/// Around the text.
const MARGIN: f64 = 14.0;

/// One line, and the colour that all of it has: the code between `ESC [` and `m`, empty for none.
pub type Line = (String, String);

/// Takes apart what a terminal shows, where each line has one colour.
pub fn lines(shown: &str) -> Vec<Line> {
    let line = |text: &str| match text.strip_prefix("\x1b[").and_then(|rest| rest.split_once('m')) {
        Some((colour, rest)) => (colour.to_owned(), rest.replace("\x1b[0m", "")),
        None => (String::new(), text.to_owned()),
    };
    shown.lines().map(line).collect()
}

/// Returns the picture. It has its own background, so it is the same on a light page and on a dark one.
pub fn svg(title: &str, lines: &[Line], columns: u16) -> String {
    let (width, height) =
        (f64::from(columns) * CHARACTER.0 + 2.0 * MARGIN, lines.len() as f64 * CHARACTER.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-labelledby=\"title\">\n  <title id=\"title\">{title}</title>\n  <style>\n    \
         text {{ font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre; fill: #d5dde5; }}\n    \
         .c1 {{ fill: #ffffff; font-weight: bold; }} .c1-32 {{ fill: #56d364; font-weight: bold; }} \
         .c36 {{ fill: #39c5cf; }} .c35 {{ fill: #d2a8ff; }} .c31 {{ fill: #ff7b72; }}\n  \
         </style>\n  <rect width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\" fill=\"#0d1117\"/>\n"
    );
    for (at, (colour, text)) in lines.iter().enumerate().filter(|(_, (_, text))| !text.is_empty()) {
        let class = if colour.is_empty() { String::new() } else { format!(" class=\"c{}\"", colour.replace(';', "-")) };
        let y = MARGIN + (at as f64 + 0.75) * CHARACTER.1;
        // Wherever the font is wider or narrower, a line is as long as it is here.
        let length = text.chars().count() as f64 * CHARACTER.0;
        writeln!(
            svg,
            "  <text x=\"{MARGIN:.0}\" y=\"{y:.0}\" textLength=\"{length:.0}\"{class} xml:space=\"preserve\">{}</text>",
            escaped(text)
        )
        .expect("a string takes everything");
    }
    svg + "</svg>\n"
}

/// Returns the lines of such a picture; empty ones, which it does not have, are left out.
pub fn texts(svg: &str) -> Vec<String> {
    let texts = svg.lines().filter(|line| line.starts_with("  <text "));
    let inner = texts.filter_map(|line| line.strip_suffix("</text>")?.split_once('>'));
    inner.map(|(_, text)| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[test]
fn a_still_has_what_was_shown() {
    let shown = "\x1b[1m== a ==\x1b[0m\n\nb < c & d > e\n";
    let lines = lines(shown);
    assert_eq!(lines[0], ("1".to_owned(), "== a ==".to_owned()));
    assert_eq!(texts(&svg("x", &lines, 80)), ["== a ==", "b < c & d > e"]);
}
