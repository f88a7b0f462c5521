//! What is valid and probably not meant: variables without effect, values that are far off. Findings, not errors.

use std::ffi::OsString;

use tracing_subscriber::filter::LevelFilter;

use super::settings::Config;
use super::table::{PREFIX, TABLE};
use crate::report::finding::{Finding, Kind};

/// A shorter `MAX_LINE` cuts nearly every line; in bytes.
const LINE_BYTES_USUAL: usize = 64;

/// Returns a finding for a variable of ours that is ignored because its name begins otherwise: not in capitals, or with another
/// sign than `_` between the words, or without one.
pub(super) fn misspelled(name: &str) -> Option<Finding> {
    if name.starts_with(PREFIX) {
        return None;
    }
    let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let short = upper.strip_prefix(PREFIX.trim_end_matches('_'))?.trim_start_matches('_');
    let is_known = short.starts_with("FORMAT_") || TABLE.iter().any(|variable| variable.name == short);
    is_known.then(|| doubt(format!("{name} has no effect; use {PREFIX}{short}")))
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
        if self.line_bytes_max < LINE_BYTES_USUAL {
            let bytes = self.line_bytes_max;
            let pieces = if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") };
            let meant = if bytes == 1 { "did you mean 1Mi?".to_owned() } else { format!("did you mean {bytes}Ki?") };
            doubts.push(format!("{PREFIX}MAX_LINE={bytes} cuts lines into pieces of {pieces}; {meant}"));
        }
        for (name, rules) in [("DROP", &self.router.drop), ("STDERR", &self.router.stderr)] {
            let in_vain = rules.iter().filter_map(|rule| rule.in_vain());
            doubts.extend(in_vain.map(|why| format!("{PREFIX}{name}: {why}")));
        }
        self.findings.extend(doubts.into_iter().map(doubt));
    }
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
        check(&[("SIDETAIL_LOG", "off"), ("SIDETAIL_LOG_FORMAT", "json")], "while SIDETAIL_LOG is off");
        check(&[("SIDETAIL_STDERR", "level>fatal")], "SIDETAIL_STDERR: rule \"level>fatal\" holds for no line");
        check(&[("SIDETAIL_DROP", "match:a file:b")], "SIDETAIL_DROP: rule \"match:a file:b\": match: takes the rest");
        check(&[("SIDETAIL_MAX_LINE", "1")], "pieces of 1 byte; did you mean 1Mi?");
        check(&[("SIDETAIL_MAX_LINE", "16")], "did you mean 16Ki?");
    }

    #[test]
    fn what_is_in_order_is_not_doubted() {
        assert_eq!(doubts(&[("sidetail_home", "/x"), ("HOME", "/root"), ("SIDETAIL_MAX_LINE", "64")]), [""; 0]);
        let keep = ("SIDETAIL_ROTATE_KEEP", "5");
        let rotate = [("SIDETAIL_ROTATE_SIZE", "8Mi"), keep, ("SIDETAIL_ROTATE_COMPRESS", "none")];
        assert_eq!(doubts(&rotate), [""; 0]);
    }
}
