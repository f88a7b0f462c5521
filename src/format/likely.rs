//! Which format is meant by a name that none has: what other programs call it, or a mistake. Pure.

/// What other programs call a format of ours.
const SYNONYMS: [(&str, &[&str]); 13] = [
    ("access", &["combined", "common", "clf", "nginx-access", "apache-access", "httpd"]),
    ("nginx", &["nginx-error"]),
    ("apache", &["apache2", "apache-error"]),
    ("log4j", &["java", "spring", "spring-boot", "logback", "log4j2", "slf4j", "tomcat", "kafka", "hadoop"]),
    ("jul", &["java.util.logging"]),
    ("rfc3164", &["syslog", "syslog3164", "bsd"]),
    ("rfc5424", &["syslog5424", "ietf"]),
    ("postgresql", &["postgres", "pg"]),
    ("mysql", &["mariadb"]),
    ("json", &["bunyan", "pino", "zap", "logrus", "ndjson", "gelf"]),
    ("cri", &["crio", "containerd", "kubernetes", "k8s"]),
    ("plain", &["text", "raw", "none", "off", "auto"]),
    ("go", &["golang", "slog"]),
];

/// Returns the name of these that is meant.
pub(super) fn meant<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let synonym = SYNONYMS.iter().find(|(_, theirs)| theirs.contains(&&*name)).map(|(ours, _)| *ours);
    if let Some(ours) = synonym {
        return names.iter().copied().find(|known| *known == ours);
    }
    let distances = names.iter().map(|known| (strsim::damerau_levenshtein(&name, known), *known));
    let (distance, near) = distances.min()?;
    (distance == 1 && name.len() > 3).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Formats;

    #[test]
    fn what_others_call_a_format_and_mistakes_are_understood() {
        let formats = Formats::default();
        let names: Vec<_> = formats.names().collect();
        for (ours, theirs) in SYNONYMS {
            theirs.iter().for_each(|name| assert_eq!(meant(name, &names), Some(ours), "{name}"));
        }
        for (name, ours) in [("ngnix", "nginx"), ("Log4J2", "log4j"), ("nginx_error", "nginx"), ("pyhton", "python")] {
            assert_eq!(meant(name, &names), Some(ours), "{name}");
        }
        for name in ["jsn", "own", "", "cobol"] {
            assert_eq!(meant(name, &names), None, "{name}");
        }
    }
}
