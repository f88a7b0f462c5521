//! What the examples are as documents: whoever copies one has a sidecar with the limits and rights of all the others, a volume
//! that both containers mount, and requests and limits everywhere. And `examples/kustomize`, as kubectl builds it.
//!
//! A machine without Python or without kubectl says so in one line and passes; without Python it fails in CI (`CI=true`).
//! Debian has no kubectl that knows components.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bounded::{run, wait_for};
use crate::support::pod::{Pod, changed, classic_of, podman, spec_path};
use crate::support::podman::Podman;
use crate::support::rotator::difference;
use crate::support::say::{ignore, say};
use crate::support::validator::Validator;

const KUBECTL_DEADLINE: Duration = Duration::from_secs(60);
/// The application of the component's test needs two seconds on an idle machine.
const STREAM_DEADLINE: Duration = Duration::from_secs(60);

/// The pods of applications that one knows; the container of each that writes the logs comes first.
const APPLICATIONS: [&str; 5] = ["nginx.yaml", "postgres.yaml", "mysql.yaml", "spring-boot.yaml", "legacy.yaml"];

#[test]
fn the_pods_of_applications_have_all_that_a_sidecar_needs() {
    let Some(validator) = validator() else { return };
    let sidecar = model(&validator);
    for name in APPLICATIONS {
        let pod = document(&validator, &spec_path(name));
        assert_eq!(faults(&pod["spec"], &sidecar), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_pod_that_lacks_something_is_seen() {
    let Some(validator) = validator() else { return };
    let sidecar = model(&validator);
    let pod = document(&validator, &spec_path("nginx.yaml"));
    let without = |pointer: &str, name: &str| {
        let mut spec = pod["spec"].clone();
        let map = spec.pointer_mut(pointer).and_then(Value::as_object_mut).expect("it is there");
        map.remove(name).expect("it is there");
        faults(&spec, &sidecar)
    };
    for (pointer, name) in [
        ("/containers/0/resources", "limits"),
        ("/containers/0/resources/requests", "cpu"),
        ("/initContainers/0/resources/limits", "memory"),
        ("/initContainers/0", "restartPolicy"),
        ("/initContainers/0/securityContext", "readOnlyRootFilesystem"),
        ("/securityContext", "runAsGroup"),
        ("/volumes/0/emptyDir", "sizeLimit"),
        ("/containers/0", "volumeMounts"),
        ("/securityContext", "runAsUser"),
    ] {
        assert_ne!(without(pointer, name), Vec::<String>::new(), "{name} of {pointer}");
    }
}

/// The sidecar of the first example, which the others repeat.
fn model(validator: &Validator) -> Value {
    document(validator, &spec_path("counter.yaml"))["spec"]["initContainers"][0].clone()
}

/// What is wrong with the spec of a pod, in words.
fn faults(spec: &Value, model: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(sidecar) = list(&spec["initContainers"]).iter().find(|one| one["name"] == "sidetail") else {
        return vec!["no sidetail".to_owned()];
    };
    for field in ["image", "restartPolicy", "resources"] {
        if sidecar[field] != model[field] {
            faults.push(format!("the sidecar's {field}: {}", sidecar[field]));
        }
    }
    let mut rights = sidecar["securityContext"].clone();
    let rights = rights.as_object_mut().expect("an object");
    // It may be the application's user, and nothing else may differ; but somebody must say its group, or that is root's.
    let [user, group] = ["runAsUser", "runAsGroup"].map(|field| rights.remove(field));
    let is_user = user.is_some_and(|user| user != model["securityContext"]["runAsUser"]);
    let mut model = model["securityContext"].as_object().expect("an object").clone();
    model.retain(|field, _| field != "runAsUser" && field != "runAsGroup");
    if *rights != model {
        faults.push(format!("the sidecar's securityContext: {rights:?}"));
    }
    let pod = &spec["securityContext"];
    if group.is_none() && pod["runAsGroup"].is_null() {
        faults.push("the sidecar's group is root's".to_owned());
    }
    if !is_user && pod["runAsUser"].is_null() && pod["fsGroup"].is_null() {
        faults.push("nothing says how the sidecar may read and write the files".to_owned());
    }
    for container in list(&spec["containers"]).iter().chain(list(&spec["initContainers"])) {
        for resource in ["/resources/requests/cpu", "/resources/requests/memory", "/resources/limits/memory"] {
            if container.pointer(resource).is_none() {
                faults.push(format!("{} of {}", resource, container["name"]));
            }
        }
    }
    let mount = &sidecar["volumeMounts"][0]["name"];
    if !list(&spec["containers"][0]["volumeMounts"]).iter().any(|one| &one["name"] == mount) {
        faults.push(format!("the application does not mount {mount}"));
    }
    let volume = list(&spec["volumes"]).iter().find(|one| &one["name"] == mount);
    if volume.is_none_or(|volume| !volume["emptyDir"]["sizeLimit"].is_string()) {
        faults.push(format!("{mount} is no emptyDir with a sizeLimit"));
    }
    faults
}

#[test]
fn the_component_adds_a_sidecar_to_the_example() {
    let (Some(validator), Some(kubectl)) = (validator(), kubectl()) else { return };
    let dir = tempfile::tempdir().expect("the temporary directory is writable");
    let built = kubectl.build(&example("overlay"), &dir.path().join("built.yaml"));
    for version in ["1.29", "1.37"] {
        for file in [&built, &example("base/deployment.yaml")] {
            let verdict = validator.validate(file, version);
            assert!(verdict.is_ok(), "{} for Kubernetes {version}: {verdict:?}", file.display());
        }
    }
    // The ConfigMap that says where the application writes is for kustomize alone.
    let [deployment] = &validator.documents(&built)[..] else { panic!("more than the Deployment") };
    let spec = &deployment["spec"]["template"]["spec"];
    // Nobody is evicted from a volume that his pod did not have before.
    assert_eq!(faults(spec, &model(&validator)), ["\"sidetail-logs\" is no emptyDir with a sizeLimit"]);
    let base = document(&validator, &example("base/deployment.yaml"));
    let mut without = deployment.clone();
    let template = without["spec"]["template"]["spec"].as_object_mut().expect("an object");
    for added in ["initContainers", "volumes"] {
        template.remove(added);
    }
    template["containers"][0].as_object_mut().expect("an object").remove("volumeMounts");
    assert_eq!(without, base, "the rest of the Deployment has changed");
    let variables = json!([
        {"name": "SIDETAIL_STDERR", "value": "level>=warn"}, {"name": "SIDETAIL_ROTATE_SIZE", "value": "8Mi"}
    ]);
    assert_eq!(spec["initContainers"][0]["env"], variables);
}

/// Two more Deployments: one that has none of what the component adds to, and one that has all of it.
const OTHERS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: bare}
spec:
  selector: {matchLabels: {app: bare}}
  template:
    metadata: {labels: {app: bare}}
    spec:
      containers: [{name: bare, image: bare}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: full}
spec:
  selector: {matchLabels: {app: full}}
  template:
    metadata: {labels: {app: full}}
    spec:
      securityContext: {fsGroup: 7}
      initContainers: [{name: migrate, image: full, volumeMounts: [{name: data, mountPath: /data}]}]
      containers:
        - {name: full, image: full, volumeMounts: [{name: data, mountPath: /data}]}
        - {name: proxy, image: proxy}
      volumes: [{name: data, emptyDir: {}}]
";

#[test]
fn the_component_adds_a_sidecar_to_any_deployment() {
    let (Some(validator), Some(kubectl)) = (validator(), kubectl()) else { return };
    let dir = tempfile::tempdir().expect("the temporary directory is writable");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("our own directory is writable");
    fs::create_dir(dir.path().join("component")).expect("our own directory is writable");
    for name in ["component/kustomization.yaml", "component/sidecar.yaml"] {
        fs::copy(example(name), dir.path().join(name)).expect("the component can be read");
    }
    write("others.yaml", OTHERS);
    write("kustomization.yaml", "resources: [others.yaml]\ncomponents: [component]\n");
    let built = validator.documents(&kubectl.build(dir.path(), &dir.path().join("built.yaml")));
    assert_eq!(built.len(), 2);
    let model = model(&validator);
    let logs = json!({"name": "sidetail-logs", "mountPath": "/tmp/shop"});
    for deployment in built {
        let spec = &deployment["spec"]["template"]["spec"];
        let names = |field: &str| list(&spec[field]).iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
        let sidecar = &spec["initContainers"][0];
        for field in ["image", "restartPolicy", "resources"] {
            assert_eq!(sidecar[field], model[field], "{field}");
        }
        let mut rights = model["securityContext"].clone();
        // The user is the pod's, if that says one.
        rights.as_object_mut().expect("an object").remove("runAsUser");
        assert_eq!(sidecar["securityContext"], rights);
        let mounts = |container: usize| spec["containers"][container]["volumeMounts"].clone();
        if deployment["metadata"]["name"] == "bare" {
            assert_eq!(
                (names("initContainers"), names("volumes")),
                (vec![json!("sidetail")], vec![json!("sidetail-logs")])
            );
            assert_eq!(mounts(0), json!([logs]));
        } else {
            // Before the other one, whose lines it would miss.
            assert_eq!(names("initContainers"), ["sidetail", "migrate"]);
            assert_eq!(names("volumes"), ["sidetail-logs", "data"]);
            assert_eq!(mounts(0), json!([{"name": "data", "mountPath": "/data"}, logs]));
            assert_eq!(mounts(1), Value::Null);
            assert_eq!(spec["securityContext"], json!({"fsGroup": 7}));
        }
    }
}

#[test]
fn the_pod_of_the_component_streams_every_line_once() {
    let (Some(validator), Some(kubectl), Some(podman)) = (validator(), kubectl(), podman()) else { return };
    let built = kubectl.build(&example("overlay"), &podman.dir().join("built.yaml"));
    check_shop(&podman, &document(&validator, &built)["spec"]["template"]["spec"], "sidetail-logs");
}

/// Plays the pod of a Deployment called shop, with sidetail in it: every line comes once, on its stream.
pub fn check_shop(podman: &Podman, spec: &Value, volume: &str) {
    // podman 4 knows of a Deployment not all.
    let spec = classic_of(spec);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop"}, "spec": spec}).to_string();
    let changes =
        [("while true;", "while [ $i -lt 400 ];"), ("sleep 1\\n", "usleep 5000\\n"), ("done\\n", "done; sleep 600\\n")];
    let pod = Pod::play_with(podman, "shop", &changed(&pod, &changes), volume, None);
    let _ = wait_for(|| (pod.log().line_counts() >= (300, 100)).then_some(()), STREAM_DEADLINE);
    let (log, written) = (pod.log(), pod.file("orders.log"));
    let of_level = |level: &str| -> String {
        written.split_inclusive('\n').filter(|line| line.contains(&format!("\"level\":\"{level}\""))).collect()
    };
    for (found, level) in [(&log.stdout, "info"), (&log.stderr, "error")] {
        assert_eq!(difference(&of_level(level), &String::from_utf8_lossy(found)), None, "{level}");
    }
    assert_eq!(log.line_counts(), (300, 100));
}

/// A kubectl that builds kustomizations with components.
struct Kubectl;

/// `None` if this machine has none, which is said: Debian's own is too old, so no CI can be asked to have one.
fn kubectl() -> Option<Kubectl> {
    match run(Command::new("kubectl").args(["kustomize", "--help"]), KUBECTL_DEADLINE) {
        Ok(_) => Some(Kubectl),
        Err(why) => {
            say(&format!("ignored: examples/kustomize is not built: {}", why.lines().next().unwrap_or_default()));
            None
        }
    }
}

impl Kubectl {
    /// Builds a kustomization into a file, whose path it returns.
    fn build(&self, directory: &Path, file: &Path) -> PathBuf {
        let built = run(Command::new("kubectl").arg("kustomize").arg(directory), KUBECTL_DEADLINE);
        fs::write(file, built.unwrap_or_else(|failure| panic!("{failure}"))).expect("our own directory is writable");
        file.to_owned()
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kustomize").join(name)
}

fn validator() -> Option<Validator> {
    Validator::install().map_err(|why| ignore(&why)).ok()
}

/// The only document of a file.
fn document(validator: &Validator, file: &Path) -> Value {
    let mut documents = validator.documents(file);
    assert_eq!(documents.len(), 1, "{}", file.display());
    documents.remove(0)
}

/// The elements of a list; none if it is not there.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
