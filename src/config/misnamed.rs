//! Which variable is meant by a name that is none: those of other programs, and names with a mistake. Pure.

/// What every variable's name begins with.
pub const PREFIX: &str = "SIDETAIL_";

/// The names of other programs for a variable of ours.
const SYNONYMS: [(&str, &[&str]); 21] = [
    (
        "PATHS",
        &[
            "FILE",
            "FILES",
            "FILENAME",
            "GLOB",
            "GLOBS",
            "INCLUDE",
            "INCLUDES",
            "INCLUDE_PATHS",
            "LOGS",
            "LOGFILE",
            "LOGFILES",
            "LOG_FILE",
            "LOG_FILES",
            "LOG_PATH",
            "LOG_PATHS",
            "LOGDIR",
            "LOG_DIR",
            "LOG_DIRS",
            "DIR",
            "DIRS",
            "DIRECTORY",
            "DIRECTORIES",
            "FOLDER",
            "SOURCE",
            "SOURCES",
            "INPUT",
            "INPUTS",
            "PATTERN",
            "PATTERNS",
            "TARGETS",
        ],
    ),
    ("EXCLUDE", &["IGNORE", "IGNORED", "IGNORE_FILES", "IGNORE_PATHS", "SKIP", "BLACKLIST", "DENYLIST"]),
    ("LINKS", &["SYMLINK", "SYMLINKS", "FOLLOW_LINKS", "FOLLOW_SYMLINKS"]),
    (
        "START",
        &["READ_FROM", "READ_FROM_HEAD", "READ_FROM_BEGINNING", "FROM_BEGINNING", "INITIAL_POSITION", "TAIL", "SINCE"],
    ),
    ("FORMATS", &["PARSER", "PARSERS"]),
    ("OUTPUT", &["ENCODING", "CODEC", "FORMATTER"]),
    ("STDERR", &["ERR", "ERROR", "ERRORS", "LEVEL", "MIN_LEVEL", "ERROR_LEVEL", "SEVERITY", "STDOUT", "RULES"]),
    ("DROP", &["FILTER", "FILTERS", "GREP", "DISCARD", "EXCLUDE_LINES", "INCLUDE_LINES"]),
    ("MAX_LINE", &["LINE_MAX", "MAX_BYTES", "MAX_MESSAGE_SIZE", "BUFFER_SIZE", "BUFFER_MAX_SIZE"]),
    ("PARTIAL_TIMEOUT", &["FLUSH_TIMEOUT", "FLUSH_INTERVAL"]),
    ("RATE_LIMIT", &["LIMIT", "THROTTLE", "MAX_RATE"]),
    (
        "DRAIN_TIMEOUT",
        &["GRACE", "GRACE_PERIOD", "SHUTDOWN_TIMEOUT", "STOP_TIMEOUT", "TERMINATION_GRACE_PERIOD", "TIMEOUT"],
    ),
    ("LINGER", &["SHUTDOWN_DELAY", "STOP_DELAY", "PRE_STOP"]),
    (
        "ROTATE_SIZE",
        &["SIZE", "MAXSIZE", "MAX_SIZE", "FILE_SIZE", "MAX_FILE_SIZE", "ROTATE_MAX_SIZE", "ROTATION", "ROTATION_SIZE"],
    ),
    ("ROTATE_KEEP", &["KEEP", "BACKUPS", "MAX_BACKUPS", "MAX_FILES", "ROTATE_COUNT", "ROTATE_FILES", "ARCHIVES"]),
    ("ROTATE_MAX_AGE", &["MAXAGE", "MAX_AGE", "RETENTION"]),
    ("ROTATE_COMPRESS", &["COMPRESS", "COMPRESSION", "GZIP"]),
    ("DIR_BUDGET", &["BUDGET", "DISK", "MAX_DISK", "DISK_LIMIT", "SIZE_LIMIT", "QUOTA"]),
    (
        "STATE",
        &[
            "CHECKPOINT",
            "CHECKPOINTS",
            "POS_FILE",
            "POSITIONS",
            "POSITION_FILE",
            "DB",
            "DATA_DIR",
            "REGISTRY",
            "CURSOR",
        ],
    ),
    (
        "LISTEN",
        &[
            "ADDR",
            "ADDRESS",
            "BIND",
            "HTTP",
            "HTTP_PORT",
            "HEALTH",
            "HEALTHZ",
            "METRICS",
            "METRICS_ADDR",
            "METRICS_ADDRESS",
            "METRICS_ENABLED",
            "METRICS_PORT",
            "PROMETHEUS",
            "PROMETHEUS_PORT",
        ],
    ),
    ("LOG", &["DEBUG", "DEBUG_LEVEL", "LOGLEVEL", "LOG_LEVEL", "LOGGING", "QUIET", "VERBOSE", "VERBOSITY"]),
];

/// Names that a mistake may make of each other share this part of their letters, one in so many, and two at least.
const LETTERS_PER_MISTAKE: usize = 4;

/// Returns the name of ours that this is, or that other programs have this name for.
pub(crate) fn exactly(upper: &str, known: &[&'static str]) -> Option<&'static str> {
    let synonym = SYNONYMS.iter().find(|(_, theirs)| theirs.contains(&upper)).map(|(ours, _)| *ours);
    synonym.or_else(|| known.iter().copied().find(|name| *name == upper))
}

/// Returns the name of ours that is meant by one without the prefix, in capitals; `known` are all names.
pub(crate) fn meant(upper: &str, known: &[&'static str]) -> Option<&'static str> {
    let upper = &*upper.replace(['-', '.', ' '], "_");
    if let Some(ours) = exactly(upper, known) {
        return Some(ours);
    }
    if upper.starts_with("FORMAT_") {
        return known.iter().copied().find(|name| name.starts_with("FORMAT_"));
    }
    // Whoever writes the first word of several means the one that turns it on, which stands first.
    let is_first_word = |name: &str| name.strip_prefix(upper).is_some_and(|rest| rest.starts_with('_'));
    if let Some(name) = known.iter().find(|name| is_first_word(name) && !name.contains('<')) {
        return Some(name);
    }
    let (distance, near) = known.iter().map(|name| (strsim::damerau_levenshtein(upper, name), *name)).min()?;
    if distance <= 2.max(near.len() / LETTERS_PER_MISTAKE) {
        return Some(near);
    }
    // What is written behind a name says more of it: STATE_DIR, LISTEN_ADDRESS.
    let is_longer = |name: &&&str| upper.strip_prefix(**name).is_some_and(|rest| rest.starts_with('_'));
    known.iter().filter(is_longer).max_by_key(|name| name.len()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TABLE;

    fn check(name: &str, expected: Option<&str>) {
        let known: Vec<_> = TABLE.iter().map(|variable| variable.name).collect();
        assert_eq!(meant(name, &known), expected, "{name}");
    }

    #[test]
    fn names_of_other_programs_are_understood() {
        for (ours, theirs) in SYNONYMS {
            assert!(TABLE.iter().any(|variable| variable.name == ours), "{ours}");
            theirs.iter().for_each(|name| check(name, Some(ours)));
        }
    }

    #[test]
    fn names_with_a_mistake_are_recognised() {
        for (name, ours) in [
            ("PATH", "PATHS"),
            ("PATHS_", "PATHS"),
            ("_PATHS", "PATHS"),
            ("PTAHS", "PATHS"),
            ("STD_ERR", "STDERR"),
            ("STDERROR", "STDERR"),
            ("ROTATESIZE", "ROTATE_SIZE"),
            ("ROTATE-SIZE", "ROTATE_SIZE"),
            ("ROTATION_SIZE", "ROTATE_SIZE"),
            ("ROTATE", "ROTATE_SIZE"),
            ("EXITON", "EXIT_ON"),
            ("STATE_DIR", "STATE"),
            ("LISTEN_ADDRESS", "LISTEN"),
            ("MAX_LINE_LENGTH", "MAX_LINE"),
            ("OUTPUT_FORMAT", "OUTPUT"),
            ("MULTILINE_PATTERN", "MULTILINE"),
            ("FORMAT", "FORMATS"),
            ("FORMAT_APP", "FORMAT_<NAME>"),
        ] {
            check(name, Some(ours));
        }
    }

    #[test]
    fn no_name_is_made_of_what_nobody_has() {
        for name in ["COLOUR", "POLL_INTERVAL", "REFRESH_INTERVAL", "WORKERS", "POD_NAME", "CONFIG", "TAGS", ""] {
            check(name, None);
        }
    }
}
