//! The image, as a user runs it first, and a release as far as it goes without a registry.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::bounded::run;
use crate::support::markdown::path_of;
use crate::support::pod::podman;

const IMAGE: &str = "ghcr.io/sidetail/sidetail:0.1.0";
/// An image is built, saved and run twice.
const RELEASE_DEADLINE: Duration = Duration::from_secs(240);
/// 200 MiB are written and read by a program that is not optimised.
const STORY_DEADLINE: Duration = Duration::from_secs(600);

#[test]
fn the_image_runs_the_demo_and_says_where_it_comes_from() {
    let Some(podman) = podman() else { return };
    let said = podman.run(&["run", "--rm", "--network", "none", IMAGE, "--version"]);
    assert!(said.starts_with(concat!("sidetail ", env!("CARGO_PKG_VERSION"))), "{said}");
    let said = podman.run(&["run", "--rm", "--network", "none", IMAGE, "demo", "counter", "--for", "2s"]);
    assert!(said.contains("[1.log] 0: "), "{said}");
    let label = |name: &str| {
        podman.run(&[
            "image",
            "inspect",
            "--format",
            &format!("{{{{index .Labels \"org.opencontainers.image.{name}\"}}}}"),
            IMAGE,
        ])
    };
    let package = |name: &str| {
        let manifest = fs::read_to_string(path_of("Cargo.toml")).expect("readable");
        let value = manifest.split_once(&format!("\n{name} = \"")).and_then(|(_, rest)| rest.split('"').next());
        value.expect("a string").to_owned()
    };
    assert_eq!(label("title"), package("name"));
    assert_eq!(label("version"), package("version"));
    assert_eq!(label("source"), package("repository"));
    assert_eq!(label("licenses"), package("license"));
    assert_eq!(podman.run(&["image", "inspect", "--format", "{{.User}}", IMAGE]), "65532:65532");
}

/// As a sidecar runs, and with no disk but memory: what is on the disk counts too.
#[test]
fn the_image_tells_its_story_in_a_small_container() {
    let Some(podman) = podman() else { return };
    let container = ["run", "--rm", "--network", "none", "--cap-drop", "all", "--read-only", "--memory", "64m"];
    let demo = ["--tmpfs", "/tmp", IMAGE, "demo", "--for", "1s"];
    let said = podman.run_within(&[&container[..], &demo].concat(), STORY_DEADLINE);
    assert!(said.contains("app      |  200 MiB written, "), "{said}");
    assert!(said.contains("\nlost            0\nrepeated        0\n"), "{said}");
}

/// Runs the script of a release with the built binary.
fn release(podman: &str, configuration: &Path, tag: Option<&str>) -> Result<String, String> {
    let mut script = Command::new("bash");
    script.arg(".ci/release").args(tag).current_dir(path_of(""));
    script.env("PODMAN", podman).env("CONTAINERS_CONF", configuration);
    run(script.env("SIDETAIL_BINARY", env!("CARGO_BIN_EXE_sidetail")), RELEASE_DEADLINE)
}

#[test]
fn a_release_is_all_made_but_the_push() {
    let Some(podman) = podman() else { return };
    let (words, configuration) = podman.words();
    let said = release(&words, &configuration, None).expect("a rehearsal needs no tag");
    let sums: Vec<_> = said.lines().filter(|line| line.contains("  sidetail-")).collect();
    assert_eq!(sums.len(), 3, "{said}");
    let out = path_of("target/release-of-0.1.0");
    let list = sums.iter().find_map(|line| line.split("  ").nth(1).filter(|name| name.ends_with(".cdx.json")));
    let list = fs::read_to_string(out.join(list.expect("the list of packages"))).expect("readable");
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let names: Vec<_> =
        list["components"].as_array().expect("packages").iter().map(|one| one["name"].as_str()).collect();
    // What is compiled in, what that needs; and not what only tests need.
    for (name, is_in) in [("tokio", true), ("mio", true), ("tempfile", false), ("nix", false)] {
        assert_eq!(names.contains(&Some(name)), is_in, "{name} of {names:?}");
    }
    let is_pinned =
        |one: &Value| one["hashes"][0]["content"].is_string() && one["licenses"][0]["expression"].is_string();
    assert!(list["components"].as_array().expect("packages").iter().all(is_pinned), "{list}");
    assert_eq!(list["metadata"]["component"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_release_with_another_tag_is_refused() {
    for tag in ["v0.0.7", "0.1.0", "latest"] {
        let why = release("false", Path::new("/dev/null"), Some(tag)).expect_err("another tag");
        assert!(why.contains("and Cargo.toml says"), "{why}");
    }
}
