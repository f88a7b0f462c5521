//! What holds for every example that is applied: Pod Security "restricted" admits it, every container has requests and limits,
//! every image has a version, and the index names it.
//!
//! Without Python for the documents a test says so in one line and passes; in CI (`CI=true`) it fails.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::markdown::{document, path_of};
use crate::support::say::ignore;
use crate::support::validator::Validator;

/// What an operator ships is as it is.
const OF_OTHERS: &str = "examples/drop-in/before";

/// Every YAML file below `examples/`.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("the examples") {
        let path = entry.expect("readable").path();
        if path.is_dir() && path != path_of(OF_OTHERS) {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|kind| kind == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The spec of the pod that an object is, or is made into.
fn pod_spec(object: &Value) -> Option<&Value> {
    let spec = ["/spec/jobTemplate/spec/template/spec", "/spec/template/spec", "/spec"];
    let found = spec.iter().filter_map(|pointer| object.pointer(pointer));
    found.into_iter().find(|spec| spec["containers"].is_array() || spec["initContainers"].is_array())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn containers(spec: &Value) -> Vec<&Value> {
    list(&spec["initContainers"]).iter().chain(list(&spec["containers"])).collect()
}

/// Why a namespace with Pod Security "restricted" would not admit it.
///
/// Source: <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>
pub(crate) fn refusals(spec: &Value) -> Vec<String> {
    let mut refusals = Vec::new();
    for of_host in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec[of_host] == true {
            refusals.push(of_host.to_owned());
        }
    }
    const VOLUMES: [&str; 9] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    for volume in list(&spec["volumes"]) {
        let kinds = volume.as_object().expect("an object").keys().filter(|key| *key != "name");
        refusals.extend(kinds.filter(|kind| !VOLUMES.contains(&kind.as_str())).cloned());
    }
    let of_pod = &spec["securityContext"];
    for container in containers(spec) {
        let rights = &container["securityContext"];
        let effective = |pointer: &str| rights.pointer(pointer).or_else(|| of_pod.pointer(pointer));
        let mut holds = |is_held: bool, what: &str| {
            if !is_held {
                refusals.push(format!("{what} of {}", container["name"]));
            }
        };
        holds(rights["privileged"] != true, "privileged");
        holds(rights["allowPrivilegeEscalation"] == false, "allowPrivilegeEscalation");
        holds(effective("/runAsNonRoot") == Some(&json!(true)), "runAsNonRoot");
        holds(effective("/runAsUser").is_none_or(|user| user != 0), "runAsUser");
        let seccomp = effective("/seccompProfile/type").and_then(Value::as_str);
        holds(matches!(seccomp, Some("RuntimeDefault" | "Localhost")), "seccompProfile");
        holds(list(&rights["capabilities"]["drop"]).iter().any(|one| one == "ALL"), "capabilities");
        let added = list(&rights["capabilities"]["add"]);
        holds(added.iter().all(|one| one == "NET_BIND_SERVICE"), "capabilities");
        holds(list(&container["ports"]).iter().all(|port| port["hostPort"].is_null()), "hostPort");
        holds(rights["procMount"].is_null() || rights["procMount"] == "Default", "procMount");
    }
    refusals
}

#[test]
fn a_restricted_namespace_admits_every_example() {
    let validator = match Validator::install() {
        Ok(validator) => validator,
        Err(why) => return ignore(&why),
    };
    let mut count = 0;
    for file in files(&path_of("examples")) {
        for object in validator.documents(&file) {
            let Some(spec) = pod_spec(&object) else { continue };
            count += 1;
            assert_eq!(refusals(spec), Vec::<String>::new(), "{}", file.display());
            for container in containers(spec) {
                for resource in ["/resources/requests/cpu", "/resources/requests/memory", "/resources/limits/memory"] {
                    assert!(
                        container.pointer(resource).is_some(),
                        "{}: {resource} of {}",
                        file.display(),
                        container["name"]
                    );
                }
                let image = container["image"].as_str().expect("an image");
                let version = image.rsplit_once(':').map(|(_, version)| version);
                let has_version = version.is_some_and(|version| version != "latest" && !version.contains('/'));
                assert!(has_version, "{}: {image}", file.display());
            }
        }
    }
    assert!(count > 25, "{count}");
}

#[test]
fn what_a_restricted_namespace_refuses_is_seen() {
    let right = json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "a", "ports": [{"containerPort": 1}], "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
        "volumes": [{"name": "v", "emptyDir": {}}],
    });
    assert_eq!(refusals(&right), Vec::<String>::new());
    for (pointer, value, refused) in [
        ("/securityContext/runAsNonRoot", json!(false), "runAsNonRoot of \"a\""),
        ("/securityContext/seccompProfile/type", json!("Unconfined"), "seccompProfile of \"a\""),
        ("/containers/0/securityContext/allowPrivilegeEscalation", Value::Null, "allowPrivilegeEscalation of \"a\""),
        ("/containers/0/securityContext/capabilities/drop/0", json!("KILL"), "capabilities of \"a\""),
        ("/containers/0/ports/0", json!({"hostPort": 1}), "hostPort of \"a\""),
        ("/volumes/0", json!({"name": "v", "hostPath": {"path": "/"}}), "hostPath"),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).expect("it is there") = value;
        assert_eq!(refusals(&wrong), [refused], "{pointer}");
    }
    for (field, value, refused) in [
        ("privileged", json!(true), "privileged of \"a\""),
        ("runAsUser", json!(0), "runAsUser of \"a\""),
        ("runAsNonRoot", json!(false), "runAsNonRoot of \"a\""),
    ] {
        let mut wrong = right.clone();
        wrong["containers"][0]["securityContext"][field] = value;
        assert_eq!(refusals(&wrong), [refused], "{field}");
    }
}

#[test]
fn the_index_names_every_example() {
    let index = document("examples/README.md");
    let links: Vec<_> = index.links().into_iter().map(ToOwned::to_owned).collect();
    for file in files(&path_of("examples")) {
        let name = file.strip_prefix(path_of("examples")).expect("below it").to_string_lossy().into_owned();
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        // By its own name; or its directory's, or that of the page there, which has a table of its own.
        let is_named = |link: &String| {
            *link == name
                || *link == format!("{directory}/README.md")
                || *link == directory
                || name.starts_with("injection/") && link == "injection/README.md"
                || name.starts_with("kustomize/") && link.starts_with("kustomize/")
        };
        assert!(links.iter().any(is_named), "{name} is not in examples/README.md");
    }
    for link in &links {
        assert!(path_of("examples").join(link).exists(), "{link}");
    }
}
