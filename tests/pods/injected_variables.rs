//! Which variables the policy of `examples/injection` passes on to sidetail: those that it has, with values that are valid, and as
//! they are written.
//!
//! Where Python cannot install Google's CEL a test says so in one line and passes; in CI it fails.

use std::ffi::OsString;
use std::path::Path;

use serde_json::{Value, json};
use sidetail::config::{Config, PREFIX, TABLE};

use crate::injection::{Injection, list, pod, sidetail, variables};

fn variable(container: &Value, name: &str) -> Option<String> {
    let name = OsString::from(format!("{PREFIX}{name}"));
    let found = variables(container).into_iter().find(|one| one.0 == name);
    found.map(|one| one.1.into_string().expect("ours are UTF-8"))
}

#[test]
fn a_variable_that_would_stop_sidetail_is_left_out() {
    let Some(injection) = Injection::install() else { return };
    let long = "x".repeat(4097);
    let wrong = [
        ("ROTATE_SIZ", "8Mi"),
        ("rotate_size", "8Mi"),
        ("SIDETAIL_ROTATE_SIZE", "8Mi"),
        ("PATH", "/x"),
        ("NOTHING", "x"),
        ("PATHS", ""),
        ("PATHS", "*.log"),
        ("ROTATE_SIZE", "8MB"),
        ("ROTATE_SIZE", ""),
        ("ROTATE_SIZE", "1"),
        ("ROTATE_SIZE", "8Mi\n"),
        ("DIR_BUDGET", "80%"),
        ("ROTATE_KEEP", "-1"),
        ("OUTPUT", "xml"),
        ("STDERR", "a\u{1}b"),
        ("STDERR", "\u{1b}[0m"),
        ("DROP", &long),
        ("LINGER", "five"),
        ("STATE", "beside"),
        ("STATE", "/a\nb"),
        ("FORMAT_", "x"),
        ("FORMAT_a b", "x"),
        ("LOG", "verbose"),
        ("RATE_LIMIT", "0"),
        ("MAX_LINE", "0"),
        ("", "x"),
    ];
    let pods = wrong.map(|(name, value)| {
        pod(&json!({"sidetail.dev/inject": "/l", format!("sidetail.dev/{name}"): value}), &json!({}))
    });
    for ((name, value), admitted) in wrong.iter().zip(injection.admission.admit(&pods)) {
        let paths: (OsString, OsString) = ("SIDETAIL_PATHS".into(), "/l/**/*.log".into());
        assert_eq!(variables(sidetail(&admitted.object)), [paths], "{name}={value:?}");
        let [said] = &admitted.said[..] else { panic!("{name}={value:?}: {:?}", admitted.said) };
        assert!(said.starts_with(&format!("sidetail.dev/{name}: left out")), "{said}");
    }
}

/// Pairs that are wrong together: the first is left out.
#[test]
fn a_variable_that_contradicts_another_is_left_out() {
    let Some(injection) = Injection::install() else { return };
    let pairs = [
        (("ROTATE_KEEP", "3"), ("DIR_BUDGET", "8Mi")),
        (("ROTATE_METHOD", "punch"), ("ROTATE_SIZE", "off")),
        (("ROTATE_SIGNAL", "HUP:nginx"), ("ROTATE_SIZE", "8Mi")),
        (("STATE", "off"), ("ROTATE_SIZE", "8Mi")),
        (("STATE", "off"), ("DIR_BUDGET", "auto")),
        (("ROTATE_KEEP", "3"), ("ROTATE_SIZE", "8MB")),
    ];
    let pods = pairs.map(|pair| {
        let mut annotations = json!({"sidetail.dev/inject": "/l"});
        for (name, value) in [pair.0, pair.1] {
            annotations[format!("sidetail.dev/{name}")] = value.into();
        }
        pod(&annotations, &json!({}))
    });
    for (pair, admitted) in pairs.iter().zip(injection.admission.admit(&pods)) {
        let sidecar = sidetail(&admitted.object);
        assert_eq!(variable(sidecar, pair.0.0), None, "{pair:?}");
        assert!(admitted.said[0].contains(&format!("sidetail.dev/{}", pair.0.0)), "{pair:?}: {:?}", admitted.said);
        let config = Config::from_variables(variables(sidecar), &[], Path::new("/"));
        assert!(config.is_ok(), "{pair:?}: {:?}", config.err());
    }
}

/// Values for variables of every kind, right and wrong.
const VALUES: [&str; 66] = [
    "off",
    "auto",
    "never",
    "0",
    "1",
    "5",
    "999",
    "1000",
    "1001",
    "-1",
    "1k",
    "64k",
    "65k",
    "63Ki",
    "64Ki",
    "99Ki",
    "100k",
    "100Ki",
    "999999Ki",
    "1Mi",
    "8Mi",
    "99999Mi",
    "1M",
    "1Gi",
    "99999Gi",
    "1Ti",
    "1.5Mi",
    "8MB",
    "8mi",
    "8 Mi",
    "0Mi",
    "1ms",
    "100ms",
    "1s",
    "0s",
    "5s",
    "90m",
    "24h",
    "1h30m",
    "1h30m5s",
    "99999h",
    "1d",
    "1h1h",
    "30",
    "s",
    "inside",
    "any",
    "beginning",
    "end",
    "raw",
    "prefix",
    "json",
    "ecs",
    "gcp",
    "punch",
    "collapse",
    "rename",
    "copytruncate",
    "gzip",
    "none",
    "error",
    "warn",
    "info",
    "debug",
    "text",
    "/state",
];

#[test]
fn what_is_passed_on_is_valid_and_every_variable_can_be_set() {
    let Some(injection) = Injection::install() else { return };
    let name = |name: &str| name.replace("<NAME>", "MINE");
    let mut settings: Vec<(String, String)> = Vec::new();
    let shown = |one: &'static sidetail::config::Variable| {
        [one.default, one.example].map(|value| (name(one.name), value.to_owned()))
    };
    let of_table: Vec<_> = TABLE.iter().flat_map(shown).filter(|(_, value)| !value.is_empty()).collect();
    settings.extend(of_table.clone());
    // What has a syntax of its own sidetail itself judges.
    let own = [
        "PATHS",
        "EXCLUDE",
        "FORMATS",
        "FORMAT_MINE",
        "STDERR",
        "DROP",
        "TIMEZONE",
        "ROTATE_SIGNAL",
        "EXIT_ON",
        "LISTEN",
    ];
    let simple = TABLE.iter().map(|one| name(one.name)).filter(|one| !own.contains(&&**one));
    settings.extend(simple.flat_map(|name| VALUES.map(|value| (name.clone(), value.to_owned()))));
    let annotated = |(name, value): &(String, String)| {
        let mut annotations = json!({"sidetail.dev/inject": "/l"});
        // What some of them need, or sidetail refuses them.
        if ["ROTATE_KEEP", "ROTATE_METHOD", "ROTATE_SIGNAL"].contains(&&**name) {
            annotations["sidetail.dev/ROTATE_SIZE"] = "8Mi".into();
            annotations["sidetail.dev/ROTATE_METHOD"] = "rename".into();
        }
        annotations[format!("sidetail.dev/{name}")] = value.clone().into();
        pod(&annotations, &json!({}))
    };
    let pods: Vec<_> = settings.iter().map(annotated).collect();
    let admitted = injection.admission.admit(&pods);
    let mut passed = 0;
    for (number, ((name, value), admitted)) in settings.iter().zip(&admitted).enumerate() {
        let sidecar = sidetail(&admitted.object);
        let found = variable(sidecar, name);
        let is_passed = found.as_ref() == Some(value);
        assert_eq!(is_passed, admitted.said.is_empty(), "{name}={value}: {:?}", admitted.said);
        assert!(is_passed || found.is_none() || name == "PATHS", "{name}={value}: {found:?}");
        assert!(is_passed || number >= of_table.len(), "{name}={value} is left out");
        if is_passed {
            passed += 1;
            let config = Config::from_variables(variables(sidecar), &[], Path::new("/"));
            assert!(config.is_ok(), "{name}={value} is passed on: {:?}", config.err());
        }
    }
    assert!(passed > 150 && passed < settings.len() - 500, "{passed} of {}", settings.len());
}

#[test]
fn a_value_reaches_sidetail_as_it_is_written() {
    let Some(injection) = Injection::install() else { return };
    let values =
        ["match:^a$(b|c)$$x", "", "level>=warn; match:\t\"é\" 'x' \\d+", "file:a.log\nfile:b.log", "match:$(POD_NAME)"];
    let pods = values.map(|value| pod(&json!({"sidetail.dev/inject": "/l", "sidetail.dev/STDERR": value}), &json!({})));
    for (value, admitted) in values.iter().zip(injection.admission.admit(&pods)) {
        let sidecar = sidetail(&admitted.object);
        assert_eq!(variable(sidecar, "STDERR").as_deref(), Some(*value));
        // The kubelet replaces $(NAME) where the dollar is one of an odd number.
        let raw = list(&sidecar["env"]).iter().find(|one| one["name"] == "SIDETAIL_STDERR").expect("it is there");
        assert_eq!(raw["value"].as_str().expect("text"), value.replace('$', "$$"));
    }
}
