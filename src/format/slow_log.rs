//! The header of MySQL's and MariaDB's slow log: the comments before a statement.

use super::attribute::Attribute;
use super::head::Span;
use super::header_layout::ReadSoFar;
use super::outline::Outline;
use super::scan::Scan;

/// How many lines of comments are looked at.
const LINES_MAX: usize = 12;

/// What is known of the pairs in the comments.
const KEYS: &[(&[u8], Attribute)] = &[
    (b"Query_time", Attribute::QuerySeconds),
    (b"Lock_time", Attribute::LockSeconds),
    (b"Rows_sent", Attribute::RowsSent),
    (b"Rows_examined", Attribute::RowsExamined),
    (b"Thread_id", Attribute::ThreadId),
    (b"Id", Attribute::ThreadId),
    (b"Schema", Attribute::Database),
    (b"Bytes_sent", Attribute::BytesSent),
];

/// Outlines a record: the message is the statement.
///
/// `# User@Host: root[root] @ localhost []  Id:     8`, `# Query_time: 3.0  Lock_time: 0.1 Rows_sent: 1  Rows_examined: 7`
pub(super) fn outline(record: &[u8], found: &ReadSoFar) -> Option<Outline> {
    let mut comments = Comments { outline: Outline::default(), extra: None, seen: 0 };
    let mut scan = Scan::new(record);
    for _ in 0..LINES_MAX {
        let before = scan;
        if !scan.eat_all(b"# ") || scan.rest().starts_with(b"administrator command: ") {
            scan = before;
            break;
        }
        if scan.eat_all(b"Time: ") {
            comments.time(&mut scan, found);
        } else if scan.eat_all(b"User@Host: ") {
            comments.user(&mut scan);
            comments.pairs(&mut scan);
        } else {
            comments.pairs(&mut scan);
        }
        scan.eat(b'\r');
        if !scan.eat(b'\n') {
            break;
        }
    }
    let Comments { mut outline, extra, .. } = comments;
    outline.places.message = scan.at();
    let is_whole = extra.is_none_or(|extra| outline.add(Attribute::Extra, extra));
    (is_whole && scan.at() > 0).then_some(outline)
}

/// What the comments said so far.
struct Comments {
    outline: Outline,
    /// From the first thing that nobody knows to the last.
    extra: Option<Span>,
    /// A bit for each attribute that was there.
    seen: u64,
}

impl Comments {
    fn time(&mut self, scan: &mut Scan<'_>, found: &ReadSoFar) {
        scan.spaces();
        let start = scan.at();
        if found.time.end > start && found.time.start == start {
            scan.skip((found.time.end - start) as usize);
            self.outline.places.time = found.time;
        } else {
            scan.while_is(|byte| byte != b'\n' && byte != b'\r');
            self.outline.places.time = scan.since(start);
        }
        scan.spaces();
    }

    /// `root[root] @ localhost [127.0.0.1]`
    fn user(&mut self, scan: &mut Scan<'_>) {
        let start = scan.at();
        let user = scan.while_is(|byte| !matches!(byte, b'[' | b'\n'));
        self.add(Attribute::User, Span { start, end: start + length(user.trim_ascii_end()) });
        let rest = scan.at();
        scan.between(b'[', b']');
        let privileged = scan.at();
        // Whose privileges it has is told only if it is another.
        let other = Span { start: rest + 1, end: privileged.saturating_sub(1).max(rest + 1) };
        let is_other = scan.passed().get(other.start as usize..other.end as usize).is_some_and(|name| name != user);
        if is_other && !other_is_empty(other) {
            self.extend(other);
        }
        scan.spaces();
        scan.eat(b'@');
        scan.spaces();
        let host = scan.at();
        scan.while_is(|byte| !matches!(byte, b' ' | b'[' | b'\n'));
        let host = scan.since(host);
        scan.spaces();
        let start = scan.at() + 1;
        let address = scan.between(b'[', b']').unwrap_or_default();
        let address = Span { start, end: start + length(address) };
        if other_is_empty(host) {
            self.add(Attribute::Client, address);
        } else {
            self.add(Attribute::Client, host);
            if !other_is_empty(address) {
                self.extend(address);
            }
        }
        scan.spaces();
    }

    /// `Key: value  Key: value`, to the end of the line.
    fn pairs(&mut self, scan: &mut Scan<'_>) {
        while !scan.is_end() && !matches!(scan.peek(), b'\n' | b'\r') {
            let start = scan.at();
            let key = scan.while_is(|byte| !matches!(byte, b':' | b' ' | b'\n' | b'\r'));
            let known =
                KEYS.iter().find(|(name, _)| *name == key && scan.peek() == b':').map(|(_, attribute)| *attribute);
            scan.eat(b':');
            scan.spaces();
            let value_start = scan.at();
            let value = scan.while_is(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
            let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
            let is_right =
                known == Some(Attribute::Database) || value.iter().all(is_number) && (1..=15).contains(&value.len());
            let span = scan.since(value_start);
            match known.filter(|_| is_right) {
                Some(attribute) if self.add(attribute, span) => {}
                _ => self.extend(Span { start, end: span.end.max(start) }),
            }
            scan.spaces();
        }
    }

    /// Adds an attribute, unless it is there already.
    fn add(&mut self, attribute: Attribute, span: Span) -> bool {
        let bit = 1 << (attribute as u64);
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new && (other_is_empty(span) || self.outline.add(attribute, span))
    }

    fn extend(&mut self, span: Span) {
        let start = self.extra.map_or(span.start, |extra| extra.start.min(span.start));
        self.extra = Some(Span { start, end: span.end });
    }
}

fn other_is_empty(span: Span) -> bool {
    span.end <= span.start
}

fn length(text: &[u8]) -> u32 {
    u32::try_from(text.len()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_taken_apart_and_the_statement_is_the_message() {
        let check = |record: &str, expected: &str| {
            let outline =
                outline(record.as_bytes(), &ReadSoFar { time: Span::default(), level: None }).expect("comments");
            let shown = outline
                .attributes(record.as_bytes())
                .map(|(attribute, value)| format!("{}={} ", attribute.name(), String::from_utf8_lossy(value)));
            assert_eq!(
                shown.collect::<String>() + "|" + &record[outline.places.message as usize..],
                expected,
                "{record:?}"
            );
        };
        check(
            "# User@Host: a[a] @ localhost []  Id:     8\n# Query_time: 3.5  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 7\nSELECT 1;\n# x",
            "user=a client=localhost thread-id=8 query-seconds=3.5 lock-seconds=0.0 rows-sent=1 rows-examined=7 |SELECT 1;\n# x",
        );
        check(
            "# User@Host: a[b] @  [10.0.0.7]\n# Thread_id: 9  Schema: shop  QC_hit: No\n# administrator command: Quit;",
            "user=a client=10.0.0.7 thread-id=9 database=shop extra=b] @  [10.0.0.7]\n# Thread_id: 9  Schema: shop  QC_hit: No |# administrator command: Quit;",
        );
        check("# Bytes_sent: 5", "bytes=5 |");
    }
}
