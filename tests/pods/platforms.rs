//! What docs/platforms.md gives for Compose, ECS and systemd: the containers of the first two run as they stand, and systemd reads
//! the unit. Nomad's own language is read by nothing but Nomad.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::bounded::{run, wait_for};
use crate::support::files::directory;
use crate::support::markdown::document;
use crate::support::pod::podman;
use crate::support::podman::Podman;
use crate::support::say::ignore;
use crate::support::validator::Validator;

const DEADLINE: Duration = Duration::from_secs(60);

fn only_block(language: &str) -> String {
    let [block] = &document("docs/platforms.md").blocks_of(language)[..] else { panic!("one block of {language}") };
    block.clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Runs an application that writes lines, and beside it sidetail with these options and variables, and holds what it streams to the
/// lines; stops it as it is stopped there.
#[track_caller]
fn streams(podman: &Podman, options: &[String], directory: &str) {
    let volume = format!("logs:{directory}");
    podman.run(&["volume", "create", "logs"]);
    let name = ["run", "--detach", "--name", "sidetail", "--network", "none", "--volume", &volume];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    podman.run(&[&name[..], &options, &["ghcr.io/sidetail/sidetail:0.1.0"]].concat());
    let script = format!("for i in 1 2 3; do echo line $i >> {directory}/app.log; done");
    podman.run(&["run", "--rm", "--network", "none", "--volume", &volume, "busybox:1.37", "sh", "-c", &script]);
    let logs = || podman.run(&["logs", "sidetail"]);
    let _ = wait_for(|| (logs().lines().count() >= 3).then_some(()), DEADLINE);
    podman.run(&["stop", "--time", "30", "sidetail"]);
    assert_eq!(logs(), "line 1\nline 2\nline 3", "{options:?}");
    assert_eq!(podman.inspect("sidetail", "{{.State.ExitCode}}"), "0");
    podman.run(&["rm", "sidetail"]);
    podman.run(&["volume", "rm", "logs"]);
}

#[test]
fn the_services_of_compose_and_the_containers_of_ecs_run() {
    let (Some(podman), Ok(validator)) = (podman(), Validator::install()) else { return };
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().expect("the temporary directory is writable");
    fs::write(file.path(), only_block("yaml")).expect("our own file is writable");
    let compose = validator.documents(file.path()).remove(0);
    let service = &compose["services"]["sidetail"];
    assert_eq!(compose["services"]["app"]["depends_on"], serde_json::json!(["sidetail"]));
    assert_eq!((&service["read_only"], &service["cap_drop"]), (&Value::Bool(true), &serde_json::json!(["ALL"])));
    let mut options: Vec<String> = ["--read-only", "--cap-drop", "ALL"].map(str::to_owned).into();
    options.extend(["--user", text(&service["user"]), "--memory", text(&service["mem_limit"])].map(str::to_owned));
    for (name, value) in service["environment"].as_object().expect("variables") {
        options.extend(["--env".to_owned(), format!("{name}={}", text(value))]);
    }
    streams(&podman, &options, text(&service["volumes"][0]).split_once(':').expect("a path").1);

    let task: Value = serde_json::from_str(&only_block("json")).expect("JSON");
    let containers = task["containerDefinitions"].as_array().expect("containers");
    let container = containers.iter().find(|one| one["name"] == "sidetail").expect("sidetail");
    assert_eq!(container["readonlyRootFilesystem"], true);
    let mut options: Vec<String> = ["--read-only", "--user", text(&container["user"])].map(str::to_owned).into();
    options.extend(["--memory".to_owned(), format!("{}m", container["memory"])]);
    for variable in container["environment"].as_array().expect("variables") {
        options.extend(["--env".to_owned(), format!("{}={}", text(&variable["name"]), text(&variable["value"]))]);
    }
    streams(&podman, &options, text(&container["mountPoints"][0]["containerPath"]));
}

/// Returns what systemd says of a unit that starts the built program.
fn verified(unit: &str) -> Result<String, String> {
    let dir = directory();
    let path = dir.path().join("sidetail.service");
    fs::write(&path, unit.replace("/usr/local/bin/sidetail", env!("CARGO_BIN_EXE_sidetail"))).expect("written");
    run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path), DEADLINE)
}

#[test]
fn systemd_reads_the_unit() {
    if !Path::new("/usr/bin/systemd-analyze").exists() {
        return ignore("there is no systemd-analyze");
    }
    let unit = only_block("ini");
    verified(&unit).expect("it is right");
    let wrong = unit.replace("ExecStart=", "ExecBegin=");
    assert!(wrong != unit && verified(&wrong).is_err(), "a mistake in it is seen");
}
