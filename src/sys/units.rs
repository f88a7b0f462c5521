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
            let way_out = meant_quantity(number, suffix)
                .unwrap_or_else(|| "use a Kubernetes quantity such as 10Mi, 500k or 1048576".to_owned());
            format!("{suffix:?} is not a unit of size; {way_out}")
        })?,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err("not a number; use a Kubernetes quantity such as 10Mi, 500k or 1048576".to_owned());
    }
    scaled(whole, fraction, factor).ok_or_else(|| "larger than 2^64 - 1 bytes; use a smaller size".to_owned())
}

/// Returns the question after what was probably meant by a size of another notation: `10MB`, `10 MiB`, `10mb`, `10K`.
fn meant_quantity(number: &str, suffix: &str) -> Option<String> {
    let per_second = suffix.trim().strip_suffix("/s");
    if let Some(suffix) = per_second.filter(|suffix| SUFFIXES.iter().any(|(name, _)| name == suffix)) {
        return Some(format!("did you mean {number}{suffix}?"));
    }
    let digits = || suffix.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b',' | b'\'' | b' '));
    if !number.is_empty() && suffix.bytes().any(|byte| byte.is_ascii_digit()) && digits() {
        return Some(format!("did you mean {number}{}?", suffix.replace(['_', ',', '\'', ' '], "")));
    }
    if let Some(fraction) = suffix.strip_prefix(',').filter(|_| !number.is_empty() && !number.contains('.')) {
        let meant = format!("{number}.{fraction}");
        return quantity(&meant).is_ok().then(|| format!("did you mean {meant}?"));
    }
    if let Some(meant) = suffix.strip_prefix('+').filter(|meant| number.is_empty() && quantity(meant).is_ok()) {
        return Some(format!("did you mean {meant}?"));
    }
    let letters = per_second.unwrap_or(suffix).trim().to_ascii_lowercase();
    let power = letters.trim_end_matches("ytes").trim_end_matches("yte").strip_suffix('b').unwrap_or(&letters);
    let (binary, decimal) = match power {
        "" => return (!number.is_empty()).then(|| format!("did you mean {number}?")),
        "k" | "ki" | "kilo" | "kibi" => ("Ki", "k"),
        "m" | "mi" | "mega" | "mebi" | "meg" => ("Mi", "M"),
        "g" | "gi" | "giga" | "gibi" => ("Gi", "G"),
        "t" | "ti" | "tera" | "tebi" => ("Ti", "T"),
        _ => return None,
    };
    match number {
        "" => None,
        _ if power.ends_with("bi") || power.len() == 2 => Some(format!("did you mean {number}{binary}?")),
        _ => Some(format!("did you mean {number}{decimal} or {number}{binary}?")),
    }
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
/// Accepted: `30s`, `1h30m`, `1500ms`, `1.5s`, `250us`, `0`. Units are those of Go, `ns us µs ms s m h`, and `d` for 24 hours.
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
    let unknown = units.find(|unit| !matches!(*unit, "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" | "d"));
    let has_last = text.ends_with(|c: char| c.is_ascii_alphabetic());
    let why = match unknown {
        Some(unit) => format!("{unit:?} is not a unit of time"),
        None if text.is_empty() || has_last => {
            let duration = humantime::parse_duration(text).map_err(|why| wrong(&why.to_string()))?;
            return if duration > DURATION_MAX { Err(wrong("longer than a year")) } else { Ok(duration) };
        }
        None if text.bytes().any(|byte| byte.is_ascii_alphabetic()) => "the last unit is missing".to_owned(),
        None => "the unit is missing".to_owned(),
    };
    match meant_duration(text).filter(|meant| duration(meant).is_ok()) {
        Some(meant) => Err(format!("{why}; did you mean {meant}?")),
        None => Err(wrong(&why)),
    }
}

/// Returns the duration that was probably meant, with units that are known, none missing, and without blanks.
fn meant_duration(text: &str) -> Option<String> {
    match &*text.trim_start_matches('@').to_ascii_lowercase() {
        "hourly" => return Some("1h".to_owned()),
        "daily" => return Some("1d".to_owned()),
        "weekly" => return Some("7d".to_owned()),
        _ => {}
    }
    let (mut meant, mut last) = (String::new(), None);
    let mut rest = text.trim_start_matches('+').trim_start();
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(number_end);
        let unit_end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        rest = behind;
        if number.is_empty() {
            return None;
        }
        let unit = match (unit.trim(), last) {
            ("", None) => "s",
            ("", Some(last)) => smaller_unit(last)?,
            (unit, _) => match meant_unit(unit) {
                // It has no unit of its own.
                Some("w") => {
                    meant += &format!("{}d", number.parse::<u64>().ok()?.checked_mul(7)?);
                    last = Some("d");
                    continue;
                }
                unit => unit?,
            },
        };
        meant += &format!("{number}{unit}");
        last = Some(unit);
    }
    Some(meant)
}

/// Returns the unit that a number at the end lacks, as in `1h30`: the one below the last that is there.
fn smaller_unit(unit: &str) -> Option<&'static str> {
    match unit {
        "d" => Some("h"),
        "h" => Some("m"),
        "m" => Some("s"),
        "s" => Some("ms"),
        _ => None,
    }
}

/// Returns the unit that was probably meant; `w` for weeks.
fn meant_unit(unit: &str) -> Option<&'static str> {
    match &*unit.trim_end_matches([',', ';']).to_ascii_lowercase() {
        "ns" => Some("ns"),
        "us" | "µs" | "usec" => Some("us"),
        "ms" | "msec" | "msecs" | "millis" | "milliseconds" => Some("ms"),
        "s" | "sec" | "secs" | "second" | "seconds" => Some("s"),
        "m" | "min" | "mins" | "minute" | "minutes" => Some("m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some("h"),
        "d" | "day" | "days" => Some("d"),
        "w" | "week" | "weeks" => Some("w"),
        _ => None,
    }
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
    fn what_was_meant_by_another_notation_is_asked() {
        for (text, question) in [
            ("5MB", "did you mean 5M or 5Mi?"),
            ("5mb", "did you mean 5M or 5Mi?"),
            ("10m", "did you mean 10M or 10Mi?"),
            ("10K", "did you mean 10k or 10Ki?"),
            ("10 MiB", "did you mean 10Mi?"),
            ("10B", "did you mean 10?"),
            ("2GB", "did you mean 2G or 2Gi?"),
            ("2tib", "did you mean 2Ti?"),
            ("2Mi/s", "did you mean 2Mi?"),
            ("1,000,000", "did you mean 1000000?"),
            ("1,5Mi", "did you mean 1.5Mi?"),
            ("5megabytes", "did you mean 5M or 5Mi?"),
            ("5 mebibytes", "did you mean 5Mi?"),
            ("512 bytes", "did you mean 512?"),
            ("1 byte", "did you mean 1?"),
            ("+5Mi", "did you mean 5Mi?"),
        ] {
            let why = quantity(text).expect_err(text);
            assert!(why.ends_with(question), "{text}: {why}");
        }
        for (text, question) in [
            ("5", "did you mean 5s?"),
            ("5M", "did you mean 5m?"),
            ("90min", "did you mean 90m?"),
            ("2 days", "did you mean 2d?"),
            ("30 s", "did you mean 30s?"),
            ("1h30", "did you mean 1h30m?"),
            ("2m5", "did you mean 2m5s?"),
            ("1d12", "did you mean 1d12h?"),
            ("1min30", "did you mean 1m30s?"),
            ("1h 30min", "did you mean 1h30m?"),
            ("1w", "did you mean 7d?"),
            ("2 weeks", "did you mean 14d?"),
            ("daily", "did you mean 1d?"),
            ("@hourly", "did you mean 1h?"),
            ("0.5", "did you mean 0.5s?"),
            ("+5s", "did you mean 5s?"),
        ] {
            let why = duration(text).expect_err(text);
            assert!(why.ends_with(question), "{text}: {why}");
        }
        for text in ["PT30S", "01:30", "-5s", "1y", "monthly", "60w", "h", "s5"] {
            let why = duration(text).expect_err(text);
            assert!(why.ends_with("use a duration such as 30s, 1h30m or 1500ms"), "{text}: {why}");
        }
        assert!(duration("5x").expect_err("no unit").ends_with("use a duration such as 30s, 1h30m or 1500ms"));
    }

    #[test]
    fn durations_are_those_of_go_and_days() {
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
            ("1d", Some(86_400_000)),
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
