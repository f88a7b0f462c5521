//! Sizes and durations as people write them in pod specs.
//!
//! Pure: text in, numbers out. It knows no variable names; callers add where the text came from.

use std::time::Duration;

/// The suffixes of a Kubernetes quantity that make sense for bytes, with their factors.
const SUFFIXES: [(&str, u64); 12] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
];

/// Parses a Kubernetes quantity into bytes, 0 to 2^64 - 1.
///
/// Accepted: `1048576`, `10Mi`, `500k`, `1.5Gi`, `.5Mi`. A fraction is rounded up to a whole byte, as Kubernetes does.
///
/// # Errors
/// Returns what is wrong and the right spelling: no digits, an unknown suffix (`10MB`, `10m`), a number that does not fit.
/// Exponents (`1e3`) are refused: nobody writes a log size so.
///
/// Source: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
pub fn quantity(text: &str) -> Result<u64, String> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits_end);
    let factor = match suffix {
        "" => 1,
        _ => SUFFIXES.iter().find(|(name, _)| *name == suffix).map(|(_, factor)| *factor).ok_or_else(|| {
            format!("{suffix:?} is not a unit of size; use a Kubernetes quantity such as 10Mi, 500k or 1048576")
        })?,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err("not a number; use a Kubernetes quantity such as 10Mi, 500k or 1048576".to_owned());
    }
    scaled(whole, fraction, factor).ok_or_else(|| "larger than 2^64 - 1 bytes; use a smaller size".to_owned())
}

/// Returns `whole.fraction * factor`, rounded up, or `None` when it does not fit 64 bits.
fn scaled(whole: &str, fraction: &str, factor: u64) -> Option<u64> {
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // 18 digits: more cannot change a whole byte, and they fit the arithmetic in 128 bits.
    let fraction = &fraction[..fraction.len().min(18)];
    let denominator = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let numerator: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let rest = (numerator * u128::from(factor)).div_ceil(denominator);
    whole.checked_mul(factor)?.checked_add(u64::try_from(rest).ok()?)
}

/// Returns a size for people, rounded down to two digits or to a whole number: `1.2Ki`, `12Ki`, `0`.
#[must_use]
pub fn shown(bytes: u64) -> String {
    let (mut whole, mut rest, mut power) = (bytes, 0, 0);
    while whole >= 1024 {
        (whole, rest, power) = (whole >> 10, whole & 1023, power + 1);
    }
    let unit = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power];
    match (rest * 10) >> 10 {
        tenth @ 1.. if whole < 10 => format!("{whole}.{tenth}{unit}"),
        _ => format!("{whole}{unit}"),
    }
}

/// Nothing here takes longer, and the sum with any time fits.
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// Parses a duration in Go's notation, at most a year.
///
/// Accepted: `30s`, `1h30m`, `1500ms`, `1.5s`, `250us`, `0`. Units are those of Go: `ns us µs ms s m h`; `1d` is refused,
/// as Kubernetes refuses it.
///
/// # Errors
/// Returns what is wrong and the right spelling: no unit, an unknown unit, a sign, a number that does not fit.
///
/// Source: <https://pkg.go.dev/time#ParseDuration>
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = |why: &str| format!("{why}; use a duration such as 30s, 1h30m or 1500ms");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    // humantime also knows months (`M`), words and blanks: whoever writes `5M` for minutes must not get five months.
    let mut units = text.split(|c: char| c.is_ascii_digit() || c == '.').filter(|unit| !unit.is_empty());
    if let Some(unit) = units.find(|unit| !matches!(*unit, "ns" | "us" | "µs" | "ms" | "s" | "m" | "h")) {
        return Err(wrong(&format!("{unit:?} is not a unit of time")));
    }
    let duration = humantime::parse_duration(text).map_err(|why| wrong(&why.to_string()))?;
    if duration > DURATION_MAX { Err(wrong("longer than a year")) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_those_of_kubernetes() {
        let cases: [(&str, Option<u64>); 17] = [
            ("0", Some(0)),
            ("1048576", Some(1_048_576)),
            ("10Mi", Some(10 << 20)),
            ("500k", Some(500_000)),
            ("1.5Gi", Some(3 << 29)),
            (".5Ki", Some(512)),
            ("1.", Some(1)),
            ("0.1", Some(1)),
            ("16Ei", None),
            ("15Ei", Some(15 << 60)),
            ("", None),
            (".", None),
            ("Mi", None),
            ("1.2.3", None),
            ("10MB", None),
            ("100m", None),
            ("-1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(quantity(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_shown_short() {
        let cases: [(u64, &str); 10] = [
            (0, "0"),
            (1023, "1023"),
            (1024, "1Ki"),
            (1300, "1.2Ki"),
            (10 << 10, "10Ki"),
            ((11 << 10) - 1, "10Ki"),
            ((1 << 20) - 1, "1023Ki"),
            (3 << 29, "1.5Gi"),
            (64 << 20, "64Mi"),
            (u64::MAX, "15Ei"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(shown(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn durations_are_those_of_go() {
        let cases: [(&str, Option<u64>); 14] = [
            ("0", Some(0)),
            ("30s", Some(30_000)),
            ("1h30m", Some(5_400_000)),
            ("1500ms", Some(1_500)),
            ("1.5s", Some(1_500)),
            ("2000us", Some(2)),
            ("", None),
            ("5", None),
            ("5M", None),
            ("1d", None),
            ("1 h", None),
            ("-1s", None),
            ("soon", None),
            ("5124095576030430h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_millis), "{text:?}");
        }
    }
}
