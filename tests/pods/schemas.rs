//! `docs/schemas`: what `check --json` and `classify --json` print is what the schemas say, no member more and none less.
//!
//! Without Python for the schemas a test says so in one line and passes; in CI (`CI=true`) it fails.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::support::files::directory;
use crate::support::markdown::path_of;
use crate::support::program::{Program, command};
use crate::support::say::ignore;
use crate::support::validator::Validator;

fn schema(command: &str) -> PathBuf {
    path_of("docs/schemas").join(format!("{command}.schema.json"))
}

fn validator() -> Option<Validator> {
    Validator::install().map_err(|why| ignore(&why)).ok()
}

/// What a command prints with these variables.
fn printed(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<Value> {
    let program = Program::spawn(command(variables).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let ended = program.wait();
    ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Each object without one of its members, and with one more: of its own, and of every object in it.
fn mistakes(right: &Value) -> Vec<Value> {
    let mut mistakes = Vec::new();
    match right {
        Value::Object(map) => {
            for (name, value) in map {
                let mut without = map.clone();
                without.remove(name);
                mistakes.push(without.into());
                for wrong in self::mistakes(value) {
                    let mut with = map.clone();
                    with[name] = wrong;
                    mistakes.push(with.into());
                }
            }
            let mut more = map.clone();
            more.insert("unheard-of".to_owned(), true.into());
            mistakes.push(more.into());
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                for wrong in self::mistakes(value) {
                    let mut with = list.clone();
                    with[index] = wrong;
                    mistakes.push(with.into());
                }
            }
        }
        _ => {}
    }
    mistakes
}

#[test]
fn check_prints_what_its_schema_says() {
    let Some(validator) = validator() else { return };
    let dir = directory();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("app.log"), "{\"level\":\"info\"}\nERROR one\n\tat two\n").expect("written");
    fs::write(at("empty.log"), "").expect("written");
    fs::write(at("app.txt"), "beside\n").expect("written");
    fs::create_dir(at("directory.log")).expect("created");
    symlink("/etc/passwd", at("out.log")).expect("linked");
    let logs = at("*.log").to_string_lossy().into_owned();
    let more = format!("{logs},{},/nowhere/*.log,/proc/*.log", at("app.log").display());
    let cases: [&[(&str, &str)]; 5] = [
        &[("PATHS", &logs)],
        &[("PATHS", &more), ("STDERR", "file:app.log"), ("DROP", "match:one; level<=debug"), ("LISTEN", "127.0.0.1:0")],
        &[
            ("PATHS", &logs),
            ("ROTATE_SIZE", "8Mi"),
            ("ROTATE_INTERVAL", "24h"),
            ("ROTATE_KEEP", "3"),
            ("DIR_BUDGET", "auto"),
        ],
        &[("PATHS", &logs), ("ROTATE_SIZE", "8Mi"), ("ROTATE_METHOD", "rename"), ("FORMATS", "*.log=plain")],
        &[("PATHS", "/nowhere/*.log"), ("STATE", "off")],
    ];
    let mut reports: Vec<Value> = cases.iter().flat_map(|variables| printed(&["check", "--json"], variables)).collect();
    assert_eq!(reports.len(), cases.len());
    // Beside one that runs, and has streamed.
    let running = Program::on(dir.path(), &[]);
    running.expect(|| running.stderr().contains("ERROR one"), "the lines");
    reports.extend(printed(&["check", "--json"], &[("PATHS", &logs)]));
    drop(running);
    for (number, report) in reports.iter().enumerate() {
        assert_eq!(
            validator.unlike(&schema("check"), std::slice::from_ref(report)),
            [""; 0],
            "case {number}: {report:#}"
        );
    }
    let wrong: Vec<_> = reports.iter().take(3).flat_map(mistakes).collect();
    assert!(wrong.len() > 200, "{}", wrong.len());
    assert_eq!(validator.unlike(&schema("check"), &wrong).len(), wrong.len(), "mistakes that are seen");
}

#[test]
fn classify_prints_what_its_schema_says() {
    let Some(validator) = validator() else { return };
    let dir = directory();
    let file = dir.path().join("app.log");
    fs::write(&file, "{\"level\":\"info\"}\nERROR one\n\tat two\nnothing\n\ndrop\n").expect("written");
    let name = file.to_string_lossy();
    let lines = printed(&["classify", "--json", &name], &[("DROP", "match:^drop")]);
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().any(|line| line["stream"].is_null()) && lines.iter().any(|line| line["continues"] == true));
    assert_eq!(validator.unlike(&schema("classify"), &lines), [""; 0]);
    let wrong: Vec<_> = lines.iter().flat_map(mistakes).collect();
    assert_eq!(validator.unlike(&schema("classify"), &wrong).len(), wrong.len(), "mistakes that are seen");
}
