//! `examples/injection`: what its policies make of pods, evaluated without a server, and one of those pods under podman.
//!
//! Where Python cannot install Google's CEL a test says so in one line and passes; in CI it fails.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sidetail::config::Config;

use crate::restricted::refusals;
use crate::specs::check_shop;
use crate::support::admission::{Admission, Admitted};
use crate::support::markdown::path_of;
use crate::support::pod::{podman, spec_path};
use crate::support::say::ignore;
use crate::support::validator::Validator;

/// The first version that has the policies, and the newest that the validator carries.
const VERSIONS: [&str; 2] = ["1.36", "1.37"];

fn example(name: &str) -> PathBuf {
    path_of("examples/injection").join(name)
}

/// The policies as they are installed, without their bindings.
pub(crate) struct Injection {
    validator: Validator,
    pub(crate) admission: Admission,
    policies: Vec<Value>,
}

impl Injection {
    /// `None` if this machine cannot, which is said.
    pub(crate) fn install() -> Option<Self> {
        let validator = Validator::install().map_err(|why| ignore(&why)).ok()?;
        let files = ["policy.yaml", "advice.yaml"].map(|name| validator.documents(&example(name)));
        let policies: Vec<_> = files
            .concat()
            .into_iter()
            .filter(|one| !one["kind"].as_str().expect("a kind").ends_with("Binding"))
            .collect();
        assert_eq!(policies.len(), 2);
        let admission = Admission::install(policies.clone()).map_err(|why| ignore(&why)).ok()?;
        Some(Self { validator, admission, policies })
    }

    /// Whether each of these is a document that fits the schema, and would be taken: names and paths are not used twice.
    #[track_caller]
    fn check_the_pods(&self, pods: &[Value]) {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().expect("the temporary directory is writable");
        let text: String = pods.iter().map(|pod| format!("---\n{pod}\n")).collect();
        fs::write(file.path(), text).expect("our own file is writable");
        for version in VERSIONS {
            let verdict = self.validator.validate(file.path(), version);
            assert!(verdict.is_ok(), "{version}: {verdict:?}");
        }
        for pod in pods {
            let spec = &pod["spec"];
            let volumes = unique(list(&spec["volumes"]), "name");
            let containers = [list(&spec["initContainers"]), list(&spec["containers"])].concat();
            unique(&containers, "name");
            for container in &containers {
                unique(list(&container["volumeMounts"]), "mountPath");
                for mount in list(&container["volumeMounts"]) {
                    let name = mount["name"].as_str().expect("a name");
                    assert!(volumes.contains(name), "no volume {name}: {pod}");
                }
            }
        }
    }
}

/// The values of a field, no two of which are the same.
#[track_caller]
fn unique(list: &[Value], field: &str) -> BTreeSet<String> {
    let values: BTreeSet<_> = list.iter().map(|one| one[field].as_str().expect("text").to_owned()).collect();
    assert_eq!(values.len(), list.len(), "{field} of {list:?}");
    values
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A pod of one container, `app`, with these annotations, changed by `spec`, a merge patch of its spec.
pub(crate) fn pod(annotations: &Value, spec: &Value) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "annotations": annotations},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    });
    for (name, value) in spec.as_object().expect("an object") {
        pod["spec"][name] = value.clone();
    }
    pod
}

pub(crate) fn sidetail(pod: &Value) -> &Value {
    let found = list(&pod["spec"]["initContainers"]).first().filter(|one| one["name"] == "sidetail");
    found.unwrap_or_else(|| panic!("no sidetail: {pod:#}"))
}

/// The variables of a container.
pub(crate) fn variables(container: &Value) -> Vec<(OsString, OsString)> {
    let variable = |one: &Value| {
        // The kubelet makes one of two.
        let value = one["value"].as_str().expect("a value").replace("$$", "$");
        (one["name"].as_str().expect("a name").into(), value.into())
    };
    list(&container["env"]).iter().map(variable).collect()
}

/// What `kubectl` shows of a container's mounts: `VOLUME:PATH`, or `VOLUME/SUBPATH:PATH`.
fn mounts(container: &Value) -> Vec<String> {
    let shown = |one: &Value| {
        let [name, path, sub] = ["name", "mountPath", "subPath"].map(|field| one[field].as_str().unwrap_or_default());
        if sub.is_empty() { format!("{name}:{path}") } else { format!("{name}/{sub}:{path}") }
    };
    list(&container["volumeMounts"]).iter().map(shown).collect()
}

#[test]
fn the_policies_fit_the_schema() {
    let Some(injection) = Injection::install() else { return };
    // As README says for the versions that have it as a beta.
    let beta = tempfile::Builder::new().suffix(".yaml").tempfile().expect("the temporary directory is writable");
    let policy = fs::read_to_string(example("policy.yaml")).expect("readable");
    fs::write(beta.path(), policy.replace(".k8s.io/v1\n", ".k8s.io/v1beta1\n")).expect("our own file is writable");
    for version in ["1.34", "1.35"] {
        let verdict = injection.validator.validate(beta.path(), version);
        assert!(verdict.is_ok(), "for Kubernetes {version}: {verdict:?}");
    }
    for version in VERSIONS {
        for name in ["policy.yaml", "advice.yaml", "example/deployment.yaml"] {
            let verdict = injection.validator.validate(&example(name), version);
            assert!(verdict.is_ok(), "{name} for Kubernetes {version}: {verdict:?}");
        }
    }
    // Both know the same variables and values.
    let [policy, advice] = &injection.policies[..] else { panic!("two policies") };
    let expressions = [policy, advice].map(|one| {
        let of = |name: &str| {
            let variables = list(&one["spec"]["variables"]);
            let one = variables.iter().find(|one| one["name"] == name).expect("the variable");
            one["expression"].as_str().expect("text").to_owned()
        };
        let (_, rest) =
            of("valid").split_once("&& (k").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("the expression");
        [rest, of("rotates"), of("settings")]
    });
    assert_eq!(expressions[0], expressions[1]);
    let bindings = |name: &str| injection.validator.documents(&example(name)).remove(1);
    for (name, policy) in [("policy.yaml", policy), ("advice.yaml", advice)] {
        assert_eq!(bindings(name)["spec"]["policyName"], policy["metadata"]["name"], "{name}");
    }
}

/// Pods that get the sidecar: what they are, the sidecar's mounts, and those of the container `app`.
fn helped() -> Vec<(&'static str, Value, Vec<&'static str>, Vec<&'static str>)> {
    let logs = json!({"sidetail.dev/inject": "/opt/app/logs"});
    let mounted = |path: &str, volume: Value| {
        json!({"containers": [{"name": "app", "image": "app", "volumeMounts": [{"name": "v", "mountPath": path}]}],
               "volumes": [volume]})
    };
    let two = |mounts: Value| {
        json!({"containers": [{"name": "proxy", "image": "proxy"}, {"name": "app", "image": "app", "volumeMounts": mounts}],
               "volumes": [{"name": "v", "emptyDir": {}}]})
    };
    let with = |name: &str, value: &str| {
        let mut annotations = logs.clone();
        annotations[name] = value.into();
        annotations
    };
    vec![
        (
            "nothing there",
            pod(&logs, &json!({})),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["sidetail-logs-0:/opt/app/logs"],
        ),
        (
            "a slash at the end",
            pod(&json!({"sidetail.dev/inject": " /opt/app/logs/ "}), &json!({})),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["sidetail-logs-0:/opt/app/logs"],
        ),
        (
            "two directories",
            pod(&json!({"sidetail.dev/inject": "/a/logs, /tmp\n"}), &json!({})),
            vec!["sidetail-logs-0:/a/logs", "sidetail-logs-1:/tmp"],
            vec!["sidetail-logs-0:/a/logs", "sidetail-logs-1:/tmp"],
        ),
        (
            "an emptyDir there",
            pod(&logs, &mounted("/opt/app/logs", json!({"name": "v", "emptyDir": {}}))),
            vec!["v:/opt/app/logs"],
            vec!["v:/opt/app/logs"],
        ),
        (
            "a claim above",
            pod(&logs, &mounted("/opt/app/", json!({"name": "v", "persistentVolumeClaim": {"claimName": "c"}}))),
            vec!["v:/opt/app/"],
            vec!["v:/opt/app/"],
        ),
        (
            "a neighbour",
            pod(&logs, &mounted("/opt/app/log", json!({"name": "v", "emptyDir": {}}))),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["v:/opt/app/log", "sidetail-logs-0:/opt/app/logs"],
        ),
        (
            "one below",
            pod(&logs, &mounted("/opt/app/logs/old", json!({"name": "v", "emptyDir": {}}))),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["v:/opt/app/logs/old", "sidetail-logs-0:/opt/app/logs"],
        ),
        (
            "two directories in one volume",
            pod(&json!({"sidetail.dev/inject": "/d/a,/d/b,/e"}), &mounted("/d", json!({"name": "v", "emptyDir": {}}))),
            vec!["v:/d", "sidetail-logs-0:/e"],
            vec!["v:/d", "sidetail-logs-0:/e"],
        ),
        (
            "the nearest of two",
            pod(
                &logs,
                &json!({"containers": [{"name": "app", "image": "app", "volumeMounts": [
                {"name": "v", "mountPath": "/opt"}, {"name": "v", "mountPath": "/opt/app", "subPath": "a/b"}]}],
                "volumes": [{"name": "v", "emptyDir": {}}]}),
            ),
            vec!["v/a/b:/opt/app"],
            vec!["v:/opt", "v/a/b:/opt/app"],
        ),
        (
            "another container has it",
            pod(&logs, &two(json!([{"name": "v", "mountPath": "/opt/app/logs"}]))),
            vec!["v:/opt/app/logs"],
            vec!["v:/opt/app/logs"],
        ),
        (
            "another container has one above",
            pod(&logs, &two(json!([{"name": "v", "mountPath": "/opt"}]))),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["v:/opt"],
        ),
        (
            "the container is named",
            pod(&with("sidetail.dev/container", "app"), &two(json!([]))),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["sidetail-logs-0:/opt/app/logs"],
        ),
        (
            "kubectl's container",
            pod(&with("kubectl.kubernetes.io/default-container", "app"), &two(json!([]))),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["sidetail-logs-0:/opt/app/logs"],
        ),
        (
            "kubectl's container is none",
            pod(&with("kubectl.kubernetes.io/default-container", "x"), &json!({})),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["sidetail-logs-0:/opt/app/logs"],
        ),
        (
            "the state elsewhere",
            pod(&with("sidetail.dev/STATE", "/state"), &mounted("/opt/app/logs", json!({"name": "v", "emptyDir": {}}))),
            vec!["v:/opt/app/logs", "sidetail-state:/state"],
            vec!["v:/opt/app/logs"],
        ),
        (
            "the state below",
            pod(&with("sidetail.dev/STATE", "/opt/app/logs/state"), &json!({})),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["sidetail-logs-0:/opt/app/logs"],
        ),
        (
            "a large pod",
            pod(&logs, &large()),
            vec!["sidetail-logs-0:/opt/app/logs"],
            vec!["sidetail-logs-0:/opt/app/logs"],
        ),
    ]
}

/// Twenty containers, some with variables of the same name twice, which Kubernetes takes; and init containers.
fn large() -> Value {
    let env: Vec<_> = (0..80).map(|n| json!({"name": format!("V{}", n % 70), "value": "$(V1)"})).collect();
    let container =
        |n: usize| json!({"name": if n == 0 { "app".to_owned() } else { format!("c{n}") }, "image": "c", "env": env});
    json!({"containers": (0..20).map(container).collect::<Vec<_>>(),
           "initContainers": [{"name": "init", "image": "init"}], "automountServiceAccountToken": false})
}

#[test]
fn a_pod_that_asks_for_it_gets_the_sidecar() {
    let Some(injection) = Injection::install() else { return };
    let cases = helped();
    let before: Vec<_> = cases.iter().map(|case| case.1.clone()).collect();
    let admitted = injection.admission.admit(&before);
    let after: Vec<_> = admitted.iter().map(|one| one.object.clone()).collect();
    injection.check_the_pods(&after);
    let model = injection.validator.documents(&spec_path("sidecar.yaml")).remove(0);
    let model = &model["spec"]["initContainers"][0];
    for ((name, before, expected, of_app), admitted) in cases.iter().zip(&admitted) {
        let (pod, said) = (&admitted.object, &admitted.said);
        assert_eq!(said, &Vec::<String>::new(), "{name}");
        let sidecar = sidetail(pod);
        for field in ["image", "restartPolicy", "resources", "securityContext"] {
            assert_eq!(sidecar[field], model[field], "{name}: {field}");
        }
        assert_eq!(&mounts(sidecar), expected, "{name}");
        let app = list(&pod["spec"]["containers"]).iter().find(|one| one["name"] == "app").expect("the container");
        assert_eq!(&mounts(app), of_app, "{name}");
        let config = Config::from_variables(variables(sidecar), &[], Path::new("/"));
        assert!(config.is_ok(), "{name}: {:?}", config.err());
        // Nothing that a pod had is changed, and nobody is evicted from a volume that it did not have.
        let mut without = pod.clone();
        list_mut(&mut without["spec"], "initContainers").retain(|one| one["name"] != "sidetail");
        let is_ours = |one: &Value| one["name"].as_str().is_some_and(|name| name.starts_with("sidetail-"));
        for volume in list(&pod["spec"]["volumes"]).iter().filter(|one| is_ours(one)) {
            assert_eq!(volume["emptyDir"], json!({}), "{name}");
        }
        list_mut(&mut without["spec"], "volumes").retain(|one| !is_ours(one));
        for container in list_mut(&mut without["spec"], "containers").iter_mut() {
            list_mut(container, "volumeMounts").retain(|one| !is_ours(one));
        }
        assert_eq!(without_empty(&without), without_empty(before), "{name}");
    }
    // A second look changes nothing.
    assert!(injection.admission.admit(&after).iter().all(|one| !one.is_patched));
}

/// A list that is there or not.
fn list_mut<'value>(value: &'value mut Value, field: &str) -> &'value mut Vec<Value> {
    if value[field].is_null() {
        value[field] = json!([]);
    }
    value[field].as_array_mut().expect("a list")
}

/// Without lists that are empty, which are as if they were not there.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, one)| one.as_array().is_none_or(|list| !list.is_empty()))
            .map(|(name, one)| (name.clone(), without_empty(one)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(list) => list.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_sidecar_is_the_applications_user_and_keeps_the_pods_class() {
    let Some(injection) = Injection::install() else { return };
    let logs = json!({"sidetail.dev/inject": "/l"});
    let of_pod = json!({"runAsUser": 1000, "runAsGroup": 2000});
    let app = |more: Value| {
        let mut app = json!({"name": "app", "image": "app"});
        app.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!([app])
    };
    let limited = |requests: &str, limits: Value| {
        app(json!({"resources": {"requests": {"cpu": requests, "memory": "1Gi"}, "limits": limits}}))
    };
    let both = json!({"cpu": "1", "memory": "1Gi"});
    let pods = [
        pod(&logs, &json!({"securityContext": of_pod})),
        pod(
            &logs,
            &json!({"securityContext": of_pod, "containers": app(json!({"securityContext": {"runAsUser": 7}}))}),
        ),
        pod(&logs, &json!({"containers": app(json!({"securityContext": {"runAsUser": 0}}))})),
        pod(&json!({"sidetail.dev/inject": "/l", "sidetail.dev/user": "999"}), &json!({"securityContext": of_pod})),
        pod(&json!({"sidetail.dev/inject": "/l", "sidetail.dev/user": "999:998"}), &json!({})),
        pod(&logs, &json!({"containers": limited("1", both.clone())})),
        pod(&logs, &json!({"containers": limited("500m", both.clone())})),
        pod(&logs, &json!({"containers": limited("1", json!({"memory": "1Gi"}))})),
        pod(&logs, &json!({"containers": limited("1", both.clone()), "initContainers": [{"name": "i", "image": "i"}]})),
        pod(&logs, &json!({"resources": {"requests": {"cpu": "1"}}, "containers": limited("1", both)})),
    ];
    let admitted = injection.admission.admit(&pods);
    injection.check_the_pods(&admitted.iter().map(|one| one.object.clone()).collect::<Vec<_>>());
    let user = |one: &Admitted| {
        let rights = &sidetail(&one.object)["securityContext"];
        (rights["runAsUser"].as_u64(), rights["runAsGroup"].as_u64(), rights["runAsNonRoot"].as_bool())
    };
    let users: Vec<_> = admitted[..5].iter().map(user).collect();
    let of = |user, group, is_not_root| (Some(user), Some(group), Some(is_not_root));
    let expected = [of(1000, 2000, true), of(7, 2000, true), of(0, 0, false), of(999, 999, true), of(999, 998, true)];
    assert_eq!(users, expected);
    let resources: Vec<_> = admitted[5..].iter().map(|one| sidetail(&one.object)["resources"].clone()).collect();
    let (small, both) = (json!({"cpu": "10m", "memory": "8Mi"}), json!({"cpu": "200m", "memory": "16Mi"}));
    let memory = json!({"memory": "16Mi"});
    let expected = [
        json!({"requests": both, "limits": both}),
        json!({"requests": small, "limits": both}),
        json!({"requests": small, "limits": memory}),
        json!({"requests": small, "limits": memory}),
        json!({"requests": {}, "limits": {}}),
    ];
    assert_eq!(resources, expected);
}

#[test]
fn a_pod_that_a_restricted_namespace_admits_is_still_admitted() {
    let Some(injection) = Injection::install() else { return };
    let deployment = injection.validator.documents(&example("example/deployment.yaml")).remove(0);
    let mut pod = deployment["spec"]["template"].clone();
    pod["metadata"]["annotations"]["sidetail.dev/STATE"] = "/state".into();
    assert_eq!(refusals(&pod["spec"]), Vec::<String>::new());
    let admitted = injection.admission.admit(&[pod]).remove(0);
    assert_eq!(mounts(sidetail(&admitted.object)), ["sidetail-logs-0:/tmp/shop", "sidetail-state:/state"]);
    assert_eq!(refusals(&admitted.object["spec"]), Vec::<String>::new());
}

#[test]
fn a_pod_that_cannot_be_helped_is_left_alone() {
    let Some(injection) = Injection::install() else { return };
    let asks = |directory: &str| pod(&json!({"sidetail.dev/inject": directory}), &json!({}));
    let with = |spec: Value| pod(&json!({"sidetail.dev/inject": "/d/logs"}), &spec);
    let annotated = |name: &str, value: &str| {
        let mut pod = asks("/d/logs");
        pod["metadata"]["annotations"][name] = value.into();
        pod
    };
    let mounted = |mount: Value, volume: Value| {
        with(json!({"containers": [{"name": "app", "image": "app", "volumeMounts": [mount]}], "volumes": [volume]}))
    };
    let at = |path: &str| json!({"name": "v", "mountPath": path});
    let long = format!("/{}", "x".repeat(250));
    let many = (0..17).map(|n| format!("/l/{n}")).collect::<Vec<_>>().join(",");
    let mut left: Vec<Value> = [
        "",
        " ",
        ",",
        "\n",
        "logs",
        "./logs",
        "/",
        "//",
        "/a//b",
        "/a/../b",
        "/..",
        "/a/.",
        "/a:b",
        "/a*",
        "/a/{b,c}",
        "/a/b\\",
        "/$(HOME)",
        "/\u{0}",
        "/a\u{7}",
        "/a\nb",
        "/ä",
        "/dev",
        "/dev/shm/l",
        "/etc/app",
        "/proc/1",
        "/sys",
        "/usr",
        "/usr/bin",
        "/var",
        "/sidetail",
        "/sidetail/x",
        "/run/secrets/kubernetes.io/serviceaccount",
        "/var/run/secrets",
        "/a,/a",
        "/a,/a/",
        "/ok,relative",
        "true",
        "/a?b",
        "/a[b]",
        "\"/a\"",
        &long,
        &many,
    ]
    .map(asks)
    .into();
    let volumes = ["configMap", "secret", "projected", "downwardAPI"].map(|kind| json!({"name": "v", kind: {}}));
    left.extend(volumes.into_iter().map(|volume| mounted(at("/d"), volume)));
    left.extend([
        mounted(
            json!({"name": "v", "mountPath": "/d/logs", "subPathExpr": "$(POD_NAME)"}),
            json!({"name": "v", "emptyDir": {}}),
        ),
        mounted(at("/"), json!({"name": "v", "emptyDir": {}})),
        mounted(at("/x"), json!({"name": "sidetail-logs-0", "emptyDir": {}})),
        with(json!({"os": {"name": "windows"}})),
        with(json!({"nodeSelector": {"kubernetes.io/os": "windows"}})),
        annotated("sidetail.dev/container", "nobody"),
        annotated("sidetail.dev/container", ""),
        annotated("sidetail.dev/user", "root"),
        annotated("sidetail.dev/user", "-1"),
        annotated("sidetail.dev/user", "99999999999999999999"),
        annotated("sidetail.dev/STATE", "/etc/state"),
        annotated("sidetail.dev/STATE", "/a/../etc"),
    ]);
    // Of these nobody need be told.
    let quiet = [
        annotated("kubernetes.io/config.mirror", "x"),
        with(json!({"initContainers": [{"name": "sidetail", "image": "mine"}]})),
        with(json!({"containers": [{"name": "app", "image": "app"}, {"name": "sidetail", "image": "mine"}]})),
        pod(&json!({"other.io/inject": "/d"}), &json!({})),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "app", "image": "app"}]}}),
    ];
    let admitted = injection.admission.admit(&left);
    for (before, admitted) in left.iter().zip(&admitted) {
        assert!(!admitted.is_patched && admitted.object == *before, "{before}");
        let said = &admitted.said;
        assert!(
            said.iter().any(|one| one.contains("sidetail")) && !said.iter().any(|one| one.contains("failed")),
            "{before}: {said:?}"
        );
    }
    for (before, admitted) in quiet.iter().zip(injection.admission.admit(&quiet)) {
        assert!(!admitted.is_patched, "{before}");
        let is_mirror = before["metadata"]["annotations"]["kubernetes.io/config.mirror"].is_string();
        assert_eq!(admitted.said.is_empty(), !is_mirror, "{before}: {:?}", admitted.said);
    }
}

#[test]
fn a_mistake_in_a_workload_is_a_warning() {
    let Some(injection) = Injection::install() else { return };
    let deployment = injection.validator.documents(&example("example/deployment.yaml")).remove(0);
    let annotated = |name: &str, value: &str| {
        let mut workload = deployment.clone();
        workload["spec"]["template"]["metadata"]["annotations"][name] = value.into();
        workload
    };
    let mut misplaced = deployment.clone();
    misplaced["metadata"]["annotations"] = json!({"sidetail.dev/inject": "/l"});
    let mut missing = deployment.clone();
    missing["spec"]["template"]["metadata"]["annotations"] = json!({"sidetail.dev/LOG": "info"});
    let job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "j"}, "spec": {"jobTemplate": {"spec": {
        "template": {"metadata": {"annotations": {"sidetail.dev/inject": "logs"}}, "spec": {"containers": [{"name": "c"}]}}}}}});
    let cases = [
        (deployment.clone(), None),
        (annotated("sidetail.dev/injct", "/l"), Some("sidetail.dev/injct: left out")),
        (annotated("sidetail.dev/ROTATE_SIZE", "8MB"), Some("sidetail.dev/ROTATE_SIZE: left out")),
        (annotated("sidetail.dev/container", "shopp"), Some("no container of this name")),
        (annotated("sidetail.dev/user", "nobody"), Some("use the number of a user")),
        (annotated("sidetail.dev/inject", "tmp/shop"), Some("use the absolute path")),
        (misplaced, Some("have no effect on a workload")),
        (missing, Some("sidetail.dev/inject is missing")),
        (job, Some("use the absolute path")),
    ];
    let workloads: Vec<_> = cases.iter().map(|case| case.0.clone()).collect();
    // The other policy is for pods alone.
    let advice = Admission::install(vec![injection.policies[1].clone()]).map_err(|why| ignore(&why));
    let Ok(advice) = advice else { return };
    for ((workload, expected), admitted) in cases.iter().zip(advice.admit(&workloads)) {
        let is_right = match (&admitted.said[..], expected) {
            ([], None) => true,
            ([said], Some(expected)) => said.contains(expected),
            _ => false,
        };
        assert!(is_right, "{expected:?}: {:?} of {workload}", admitted.said);
    }
}

#[test]
fn the_injected_pod_streams_every_line_once() {
    let (Some(injection), Some(podman)) = (Injection::install(), podman()) else { return };
    let deployment = injection.validator.documents(&example("example/deployment.yaml")).remove(0);
    let mut pod = deployment["spec"]["template"].clone();
    pod["metadata"]["name"] = "shop".into();
    let admitted = injection.admission.admit(&[pod]).remove(0);
    assert_eq!((admitted.is_patched, admitted.said), (true, vec![]));
    check_shop(&podman, &admitted.object["spec"], "sidetail-logs-0");
}
