//! What is valid and probably not meant: variables without effect, values that are far off. Findings, not errors.

use std::ffi::OsString;
use std::time::Duration;

use humantime::format_duration;
use tracing_subscriber::filter::LevelFilter;

use super::misnamed::PREFIX;
use super::settings::Config;
use super::table::TABLE;
use crate::report::finding::{Finding, Kind};

/// A shorter `MAX_LINE` cuts nearly every line; in bytes.
const LINE_BYTES_USUAL: usize = 64;

/// How many letters of the prefix may be wrong for a name to be taken for one of ours.
const PREFIX_MISTAKES_MAX: usize = 2;

/// Whoever reclaims disk more often than this means something else.
const INTERVAL_USUAL: Duration = Duration::from_secs(1);

/// Returns a finding for a variable of ours that is ignored because its name begins otherwise: not in capitals, or with another
/// sign than `_` between the words, or without one.
pub(super) fn misspelled(name: &str) -> Option<Finding> {
    if name.starts_with(PREFIX) {
        return None;
    }
    let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let own = PREFIX.trim_end_matches('_');
    if let Some(short) = upper.strip_prefix(own).map(|short| short.trim_start_matches('_')) {
        let is_known = short.starts_with("FORMAT_") || TABLE.iter().any(|variable| variable.name == short);
        return is_known.then(|| doubt(format!("{name} has no effect; use {PREFIX}{short}")));
    }
    // The longest name is that of the variable: what stands before it may be the prefix with a mistake.
    let ends = TABLE
        .iter()
        .filter_map(|variable| Some((upper.strip_suffix(variable.name)?.strip_suffix('_')?, variable.name)));
    let (before, short) = ends.max_by_key(|(_, short)| short.len())?;
    let is_near = before.starts_with('S') && strsim::damerau_levenshtein(before, own) <= PREFIX_MISTAKES_MAX;
    is_near.then(|| doubt(format!("{name} has no effect; did you mean {PREFIX}{short}?")))
}

/// Returns a finding for a variable that is passed over as if Kubernetes had injected it, though its value says otherwise: it
/// injects `tcp://10.0.0.1:9100` as `..._PORT`.
///
/// Source: <https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables>
pub(super) fn no_service_link(name: &str, value: &str) -> Option<Finding> {
    let is_meant = name.ends_with("PORT") && !name.contains("SERVICE") && !value.contains("://");
    is_meant.then(|| doubt(format!("{PREFIX}{name} has no effect; did you mean {PREFIX}LISTEN?")))
}

impl Config {
    /// Adds what is valid and probably not meant; `given` are the variables that were set, without the prefix.
    pub(super) fn add_doubts(&mut self, given: &[(String, OsString)]) {
        let is_given = |name: &str| given.iter().any(|(known, _)| known == name);
        let mut doubts = Vec::new();
        for name in ["ROTATE_COMPRESS", "ROTATE_MAX_AGE"] {
            if is_given(name) && self.rotate.keep == 0 {
                doubts.push(without(name, "ROTATE_KEEP", "such as 5"));
            }
        }
        if is_given("LOG_FORMAT") && self.log == LevelFilter::OFF {
            doubts.push(format!("{PREFIX}LOG_FORMAT has no effect while {PREFIX}LOG is off; remove one of the two"));
        }
        if is_given("TIMEZONE") && self.output.object_fields().is_none() {
            doubts.push(without("TIMEZONE", "OUTPUT", "such as json"));
        }
        if self.line_bytes_max < LINE_BYTES_USUAL {
            let bytes = self.line_bytes_max;
            let pieces = if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") };
            let meant = if bytes == 1 { "did you mean 1Mi?".to_owned() } else { format!("did you mean {bytes}Ki?") };
            doubts.push(format!("{PREFIX}MAX_LINE={bytes} cuts lines into pieces of {pieces}; {meant}"));
        }
        if let Some(interval) = self.rotate.interval.filter(|interval| *interval < INTERVAL_USUAL) {
            let way_out = "use one such as 1h, or off";
            doubts.push(format!(
                "{PREFIX}ROTATE_INTERVAL={} reclaims disk without a pause; {way_out}",
                format_duration(interval)
            ));
        }
        if self.rotate.max_age.is_some_and(|age| age < INTERVAL_USUAL) {
            doubts.push(format!("{PREFIX}ROTATE_MAX_AGE deletes archives at once; use one such as 7d, or off"));
        }
        for own in self.formats.own.iter().filter(|own| is_quoted(own.expression())) {
            let name = own.name.to_ascii_uppercase();
            doubts.push(format!("{PREFIX}FORMAT_{name}: the signs around the expression are part of it; remove them"));
        }
        for (name, rules) in [("DROP", &self.router.drop), ("STDERR", &self.router.stderr)] {
            let in_vain = rules.iter().filter_map(|rule| rule.in_vain());
            doubts.extend(in_vain.map(|why| format!("{PREFIX}{name}: {why}")));
        }
        self.findings.extend(doubts.into_iter().map(doubt));
    }
}

/// Returns whether quotes or slashes are around an expression, as a shell or another language would want them.
fn is_quoted(expression: &str) -> bool {
    let inside = |sign: char| expression.strip_prefix(sign)?.strip_suffix(sign);
    ['"', '\'', '/'].into_iter().filter_map(inside).any(|inside| !inside.is_empty())
}

fn without(name: &str, needed: &str, example: &str) -> String {
    format!(
        "{PREFIX}{name} has no effect without {PREFIX}{needed}; set {PREFIX}{needed}, {example}, or remove {PREFIX}{name}"
    )
}

fn doubt(text: String) -> Finding {
    Finding::new(Kind::Configuration, text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn doubts(variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let config = Config::from_variables(variables, &[], Path::new("/work")).expect("valid");
        config.findings.into_iter().map(|found| found.text).collect()
    }

    fn check(variables: &[(&str, &str)], words: &str) {
        let found = doubts(variables);
        assert!(found.len() == 1 && found[0].contains(words), "{variables:?}: {found:?}");
    }

    #[test]
    fn what_is_set_in_vain_is_found() {
        check(&[("sidetail_paths", "/x")], "sidetail_paths has no effect; use SIDETAIL_PATHS");
        check(&[("Sidetail_Output", "json")], "use SIDETAIL_OUTPUT");
        check(&[("SIDETAIL-PATHS", "/x")], "SIDETAIL-PATHS has no effect; use SIDETAIL_PATHS");
        check(&[("SIDETAILPATHS", "/x")], "use SIDETAIL_PATHS");
        check(&[("sidetail.output", "json")], "use SIDETAIL_OUTPUT");
        check(&[("SIDETAIL_ROTATE_COMPRESS", "none")], "has no effect without SIDETAIL_ROTATE_KEEP");
        check(&[("SIDETAIL_ROTATE_MAX_AGE", "1d")], "has no effect without SIDETAIL_ROTATE_KEEP");
        check(
            &[("SIDETAIL_TIMEZONE", "+02:00")],
            "has no effect without SIDETAIL_OUTPUT; set SIDETAIL_OUTPUT, such as json",
        );
        check(&[("SIDETAIL_LOG", "off"), ("SIDETAIL_LOG_FORMAT", "json")], "while SIDETAIL_LOG is off");
        check(&[("SIDETAIL_STDERR", "level>fatal")], "SIDETAIL_STDERR: rule \"level>fatal\" holds for no line");
        check(&[("SIDETAIL_DROP", "match:a file:b")], "SIDETAIL_DROP: rule \"match:a file:b\": match: takes the rest");
        check(&[("SIDE_TAIL_PATHS", "/x")], "SIDE_TAIL_PATHS has no effect; did you mean SIDETAIL_PATHS?");
        check(&[("SIDETAL_ROTATE_SIZE", "8Mi")], "did you mean SIDETAIL_ROTATE_SIZE?");
        check(&[("SIDTEAIL_LOG_FORMAT", "json")], "did you mean SIDETAIL_LOG_FORMAT?");
        check(&[("SIDETAIL_METRICS_PORT", "9100")], "did you mean SIDETAIL_LISTEN?");
        check(&[("SIDETAIL_PORT", "9100")], "did you mean SIDETAIL_LISTEN?");
        check(&[("SIDETAIL_ROTATE_INTERVAL", "0")], "SIDETAIL_ROTATE_INTERVAL=0s reclaims disk without a pause");
        check(&[("SIDETAIL_FORMAT_APP", "\"^(?<level>x)\"")], "SIDETAIL_FORMAT_APP: the signs around the expression");
        check(&[("SIDETAIL_FORMAT_APP", "/^(?<level>x)/")], "SIDETAIL_FORMAT_APP: the signs around the expression");
        check(&[("SIDETAIL_STDERR", "file:a.log,b.log")], "use file:{a.log,b.log}");
        let old = [("SIDETAIL_ROTATE_SIZE", "8Mi"), ("SIDETAIL_ROTATE_KEEP", "5"), ("SIDETAIL_ROTATE_MAX_AGE", "0")];
        check(&old, "SIDETAIL_ROTATE_MAX_AGE deletes archives at once");
        check(&[("SIDETAIL_MAX_LINE", "1")], "pieces of 1 byte; did you mean 1Mi?");
        check(&[("SIDETAIL_MAX_LINE", "16")], "did you mean 16Ki?");
    }

    #[test]
    fn what_is_in_order_is_not_doubted() {
        assert_eq!(doubts(&[("sidetail_home", "/x"), ("HOME", "/root"), ("SIDETAIL_MAX_LINE", "64")]), [""; 0]);
        assert_eq!(doubts(&[("SIDECAR_PATHS", "/x"), ("APP_LOG", "/x"), ("LOG", "x"), ("SPLUNK_STATE", "x")]), [""; 0]);
        assert_eq!(doubts(&[("SIDETAIL_PORT", "tcp://10.0.0.1:80"), ("SIDETAIL_SERVICE_PORT", "80")]), [""; 0]);
        let keep = ("SIDETAIL_ROTATE_KEEP", "5");
        let rotate = [("SIDETAIL_ROTATE_SIZE", "8Mi"), keep, ("SIDETAIL_ROTATE_COMPRESS", "none")];
        assert_eq!(doubts(&rotate), [""; 0]);
    }
}
