//! Columns between bars, with a letter for the level: Grid Engine's messages, OFBiz.

use crate::format::block::{Dated, Format, Front, Reader, Shape};
use crate::format::head::Head;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// Columns between bars.
pub(crate) const COLUMNS: Format = Format {
    name: "columns",
    read: Reader::Line(read),
    front: Front { first: b"t", dated: Dated::new(Shape::Any, b"|"), ..Front::ANY },
    has_no_alarms: true,
    ..Format::NONE
};

/// How many columns stand before the letter, at most.
const COLUMNS_MAX: usize = 3;

/// Reads `01/05/2026 10:00:00|worker|host|E|message` and `2026-01-05 10:00:00,123 |main  |Class  |E| message`.
///
/// Source: Grid Engine's sge_conf(5), "loglevel"; OFBiz' log4j2.xml.
fn read(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let is_timed = scan.any_time();
    let time = scan.since(0);
    scan.spaces();
    (is_timed && scan.eat(b'|')).then_some(())?;
    for _ in 0..=COLUMNS_MAX {
        let column = scan.until(b'|')?;
        if let [letter] = column {
            let level = Level::from_letter(*letter)?;
            return Some(Head { level: Some(level), time, message: scan.at(), ..Head::default() });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_in_a_column_of_its_own_is_the_level() {
        let check = |line: &str, expected: Option<Level>| {
            assert_eq!(read(line.as_bytes()).and_then(|head| head.level), expected, "{line}");
        };
        check("01/05/2026 10:00:00|worker|host|E|x", Some(Level::Error));
        check("2026-01-05 10:00:00,123 |main  |X    |W| x", Some(Level::Warn));
        for line in
            ["01/05/2026 10:00:00|a|b|c|d|E|x", "01/05/2026 10:00:00 a|E|x", "a|E|x", "01/05/2026 10:00:00|a|E", ""]
        {
            check(line, None);
        }
    }
}
