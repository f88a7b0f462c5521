//! `examples/metrics` against the real thing: names that exist, rules that promtool takes, and a Prometheus that scrapes a
//! sidetail and has data for every query.
//!
//! Without Debian's `prometheus` package, or Python for the documents, a test says so in one line and passes; in CI it fails.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sidetail::config::{Config, PREFIX};

use crate::support::bounded::{run, wait_for};
use crate::support::files::{append, directory};
use crate::support::markdown;
use crate::support::program::{DEADLINE, Program};
use crate::support::say::ignore;
use crate::support::scrape::{ask, get, listening};
use crate::support::validator::Validator;
use crate::support::venv::programs_with;

const PROMTOOL_DEADLINE: Duration = Duration::from_secs(60);

/// A Prometheus starts within a second or two, scrapes every second, and rates need two scrapes.
const PROMETHEUS_DEADLINE: Duration = Duration::from_secs(60);

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/metrics").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(example(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn validator() -> Option<Validator> {
    Validator::install().map_err(|why| ignore(&why)).ok()
}

fn document(validator: &Validator, name: &str) -> Value {
    let [document] = &validator.documents(&example(name))[..] else { panic!("{name}: more than one document") };
    document.clone()
}

/// Says whether Debian's package is there.
fn has_prometheus() -> bool {
    let tried = run(Command::new("promtool").arg("--version"), PROMTOOL_DEADLINE);
    if let Err(why) = &tried {
        ignore(&format!("without prometheus nobody scrapes: {why}; bash .ci/run installs it"));
    }
    tried.is_ok()
}

fn promtool(arguments: &[&str]) -> Result<String, String> {
    run(Command::new("promtool").args(arguments).current_dir(example("files")), PROMTOOL_DEADLINE)
}

/// The lines `NAME TYPE HELP` of a page, in order.
fn described(page: &str) -> Vec<(String, String, String)> {
    let mut lines = page.lines().filter(|line| line.starts_with("# "));
    let mut described = Vec::new();
    while let (Some(help), Some(kind)) = (lines.next(), lines.next()) {
        let (name, help) = help.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect("a HELP line");
        let (same, kind) = kind.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')).expect("a TYPE line");
        assert_eq!(name, same);
        described.push((name.to_owned(), kind.to_owned(), help.to_owned()));
    }
    described
}

/// The names of our metrics that stand in a text.
fn mentioned(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("sidetail_") || word.starts_with("process_")).collect()
}

#[test]
fn the_examples_and_the_docs_name_metrics_that_exist() {
    let dir = directory();
    let (_program, address) = listening(dir.path(), &[]);
    let described = described(&get(address, "/metrics").body);
    let names: BTreeSet<_> = described.iter().map(|(name, ..)| name.as_str()).collect();
    // What the adapter makes of them.
    let made = ["sidetail_error_records_per_second", "sidetail_lag_bytes"];
    for file in [
        "prometheusrule.yaml",
        "files/alerts.yaml",
        "files/alerts_test.yaml",
        "files/adapter-rules.yaml",
        "hpa.yaml",
        "files/dashboard.json",
    ] {
        let text = text(file);
        let found = mentioned(&text);
        assert!(!found.is_empty(), "{file}");
        for name in found.iter().filter(|name| !made.contains(name)) {
            assert!(names.contains(name), "{file}: there is no {name}");
        }
    }
    for name in made {
        assert!(
            text("files/adapter-rules.yaml").contains(&format!("as: {name}\n")) && text("hpa.yaml").contains(name),
            "{name}"
        );
    }
    let row = |(name, kind, help): &(String, String, String)| format!("| `{name}` | {kind} | {help} |\n");
    let table: String = described.iter().map(row).collect();
    let docs = markdown::document("docs/metrics.md").text;
    let is_row = |line: &&str| line.starts_with("| `sidetail_") || line.starts_with("| `process_");
    let found: String = docs.split_inclusive('\n').filter(is_row).collect();
    assert_eq!(found, table, "the table of docs/metrics.md should be:\n{table}");
}

#[test]
fn a_name_that_does_not_exist_is_found() {
    let found = mentioned("rate(sidetail_read_bytes_total{a=\"b\"}[5m]) / sidetail_nothing and process_x");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["process_x", "sidetail_nothing", "sidetail_read_bytes_total"]);
}

#[test]
fn the_documents_fit_kubernetes_and_each_other() {
    let Some(validator) = validator() else { return };
    for (name, versions) in [("pod.yaml", ["1.29", "1.37"]), ("hpa.yaml", ["1.29", "1.37"])] {
        for version in versions {
            let verdict = validator.validate(&example(name), version);
            assert!(verdict.is_ok(), "{name} for Kubernetes {version}: {verdict:?}");
        }
    }
    let (pod, monitor) = (document(&validator, "pod.yaml"), document(&validator, "podmonitor.yaml"));
    let [deployment, scaler] = &validator.documents(&example("hpa.yaml"))[..] else { panic!("two documents") };
    let (wanted, found) = (&scaler["spec"]["scaleTargetRef"], &deployment["metadata"]["name"]);
    assert_eq!((&wanted["kind"], &wanted["name"]), (&deployment["kind"], found));
    // The pods are those of pod.yaml, and Prometheus finds them by the same label.
    let template = &deployment["spec"]["template"];
    assert_eq!(template["spec"], pod["spec"]);
    assert_eq!(template["metadata"]["labels"]["sidetail.io/metrics"], pod["metadata"]["labels"]["sidetail.io/metrics"]);
    assert_eq!(deployment["spec"]["selector"]["matchLabels"]["app"], template["metadata"]["labels"]["app"]);
    assert!(deployment["spec"]["replicas"].is_null(), "it is the scaler's");
    // The operator's objects: the same alerts, and the label by which kube-prometheus-stack finds them.
    let rule = document(&validator, "prometheusrule.yaml");
    assert_eq!(rule["spec"], document(&validator, "files/alerts.yaml"));
    for (object, kind) in [(&rule, "PrometheusRule"), (&monitor, "PodMonitor")] {
        assert_eq!((&object["apiVersion"], &object["kind"]), (&json!("monitoring.coreos.com/v1"), &json!(kind)));
        assert_eq!(object["metadata"]["labels"]["release"], "kube-prometheus-stack");
    }
    let sidecar = &pod["spec"]["initContainers"][0];
    let variables = sidecar["env"].as_array().expect("variables").iter().map(|variable| {
        (variable["name"].as_str().expect("a name").into(), variable["value"].as_str().expect("a value").into())
    });
    let config = Config::from_variables(variables, &[], Path::new("/")).expect("a valid configuration");
    let port = sidecar["ports"][0]["containerPort"].as_u64().expect("a port");
    assert_eq!(config.listen.map(|address| u64::from(address.port())), Some(port), "{PREFIX}LISTEN");
    assert_eq!(pod["metadata"]["annotations"]["prometheus.io/port"], port.to_string());
    assert_eq!(pod["metadata"]["annotations"]["prometheus.io/path"], "/metrics");
    let labels = monitor["spec"]["selector"]["matchLabels"].as_object().expect("labels");
    assert!(labels.iter().all(|(name, value)| pod["metadata"]["labels"][name] == *value));
    assert_eq!(monitor["spec"]["podMetricsEndpoints"][0]["port"], sidecar["ports"][0]["name"]);
}

/// `kubectl apply -f examples/metrics` takes everything that is there, and nothing that is in a folder.
#[test]
fn the_folder_can_be_applied_as_it_is() {
    let Some(validator) = validator() else { return };
    let mut kinds = Vec::new();
    for entry in fs::read_dir(example("")).expect("the examples") {
        let path = entry.expect("readable").path();
        // kubectl takes these, and no others.
        if path.extension().is_some_and(|kind| ["yaml", "yml", "json"].iter().any(|one| kind == *one)) {
            for object in validator.documents(&path) {
                let [version, kind] = ["apiVersion", "kind"].map(|name| object[name].as_str());
                assert!(version.is_some() && object["metadata"]["name"].is_string(), "{}", path.display());
                kinds.push(kind.expect("a kind").to_owned());
            }
        }
    }
    kinds.sort();
    assert_eq!(kinds, ["Deployment", "HorizontalPodAutoscaler", "Pod", "PodMonitor", "PrometheusRule"]);
}

/// The package that is generated from Grafana's schema.
const GRAFANA: &str = "grafana-foundation-sdk==1769699998!10.1.0";

#[test]
fn grafana_knows_all_of_the_dashboard() {
    let programs = match programs_with(GRAFANA) {
        Ok(programs) => programs,
        Err(why) => return ignore(&why),
    };
    let unknown = |file: &Path| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/dashboard.py");
        let unknown = run(Command::new(programs.join("python")).arg(script).arg(file), PROMTOOL_DEADLINE);
        unknown.unwrap_or_else(|failure| panic!("{failure}"))
    };
    assert_eq!(unknown(&example("files/dashboard.json")).trim(), "");
    let file = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
    fs::write(file.path(), text("files/dashboard.json").replace("\"colorMode\"", "\"colourMode\"")).expect("written");
    assert!(unknown(file.path()).contains(".options.colourMode"), "a mistake is seen");
}

#[test]
fn every_panel_of_the_dashboard_explains_itself_and_has_its_place() {
    let dashboard: Value = serde_json::from_str(&text("files/dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let of_kind = |kind: &str| panels.iter().filter(|panel| panel["type"] == kind).count();
    assert!(of_kind("row") >= 5 && of_kind("stat") >= 5 && of_kind("timeseries") >= 15);
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("a number")), "{title}: its id is another's");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("a number"));
        assert!(x + w <= 24, "{title} is too wide");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{title} is over another one");
        }
        if panel["type"] != "row" {
            let description = panel["description"].as_str().unwrap_or_default();
            assert!(description.len() > 20 && description.ends_with('.'), "{title}: {description:?}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
        }
        if panel["type"] == "stat" {
            let steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array().expect("thresholds");
            assert!(steps[0]["value"].is_null() && !steps.is_empty(), "{title}");
            assert!(steps.windows(2).all(|pair| pair[0]["value"].as_f64() < pair[1]["value"].as_f64()), "{title}");
        }
    }
}

#[test]
fn promtool_takes_the_rules_and_the_page() {
    if !has_prometheus() {
        return;
    }
    promtool(&["check", "rules", "alerts.yaml"]).expect("valid rules");
    promtool(&["test", "rules", "alerts_test.yaml"]).expect("alerts fire when they should, and only then");
    // Debian's Prometheus is built without Kubernetes; everything else of the configuration is looked at.
    let config =
        text("files/scrape.yaml").replace("kubernetes_sd_configs:\n      - role: pod\n", "static_configs: []\n");
    assert!(!config.contains("kubernetes_sd"));
    let dir = directory();
    fs::copy(example("files/alerts.yaml"), dir.path().join("alerts.yaml")).expect("copied");
    let file = dir.path().join("scrape.yaml");
    fs::write(&file, config).expect("written");
    promtool(&["check", "config", &file.to_string_lossy()]).expect("a valid configuration");
    let (_program, address) = listening(dir.path(), &[("DROP", "match:x")]);
    let mut lint = Command::new("promtool");
    lint.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut lint = lint.spawn().expect("promtool");
    lint.stdin.take().expect("a pipe").write_all(get(address, "/metrics").body.as_bytes()).expect("written");
    let verdict = lint.wait_with_output().expect("it ends with its input");
    assert!(verdict.status.success() && verdict.stderr.is_empty(), "{verdict:?}");
}

/// A Prometheus that scrapes one address every second.
struct Prometheus {
    _program: Program,
    address: SocketAddr,
}

impl Prometheus {
    fn start(directory: &Path, target: SocketAddr) -> Self {
        // Free now, and nobody else's soon: the kernel goes on to others first.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let config = directory.join("prometheus.yaml");
        let text = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: sidetail\n  static_configs:\n  \
             - targets: [\"{target}\"]\n    labels: {{namespace: default, pod: metered}}\n"
        );
        fs::write(&config, text).expect("written");
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", directory.join("data").display()));
        command.args([&format!("--web.listen-address={address}"), "--log.level=error"]);
        let program = Program::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        Self { _program: program, address }
    }

    /// How many series the answer to a query has; `None` while it does not answer.
    fn results(&self, query: &str) -> Option<usize> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        std::net::TcpStream::connect(self.address).ok()?;
        let answer = ask(self.address, format!("GET /api/v1/query?query={escaped} HTTP/1.0\r\n\r\n"));
        let answer: Value = serde_json::from_str(&answer.body).ok()?;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        Some(answer["data"]["result"].as_array()?.len())
    }
}

/// The parts of an alert's expression that have a value even while all is well: what is compared.
fn operands(expression: &str) -> Vec<&str> {
    let compared = |term: &'_ str| [" > ", " < ", " == "].iter().find_map(|sign| term.find(sign));
    let terms = expression.split(" and ");
    terms.map(|term| compared(term).map_or(term, |end| &term[..end])).collect()
}

#[test]
fn what_is_compared_is_told_from_what_it_is_compared_with() {
    assert_eq!(operands("a > 60 and deriv(b[5m]) > 0"), ["a", "deriv(b[5m])"]);
    assert_eq!(operands("a / b < 0.95"), ["a / b"]);
    assert_eq!(operands("a == 0"), ["a"]);
}

#[test]
fn a_real_prometheus_has_data_for_every_query() {
    let Some(validator) = validator() else { return };
    if !has_prometheus() {
        return;
    }
    let dir = directory();
    let storage = directory();
    let variables = [("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "1"), ("DIR_BUDGET", "8Mi"), ("DROP", "match:^drop")];
    let (program, target) = listening(dir.path(), &variables);
    let prometheus = Prometheus::start(storage.path(), target);
    let mut queries = Vec::new();
    for rule in document(&validator, "files/alerts.yaml")["groups"][0]["rules"].as_array().expect("rules") {
        queries.extend(operands(rule["expr"].as_str().expect("an expression")).into_iter().map(ToOwned::to_owned));
    }
    for rule in document(&validator, "files/adapter-rules.yaml")["rules"]["custom"].as_array().expect("rules") {
        let query = rule["metricsQuery"].as_str().expect("a query");
        queries.push(query.replace("<<.LabelMatchers>>", "namespace=\"default\"").replace("<<.GroupBy>>", "pod"));
        queries.push(rule["seriesQuery"].as_str().expect("a query").to_owned());
    }
    let dashboard: Value = serde_json::from_str(&text("files/dashboard.json")).expect("JSON");
    for panel in dashboard["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] != "row") {
        for target in panel["targets"].as_array().expect("queries") {
            let query = target["expr"].as_str().expect("a query");
            let query = query.replace("$__rate_interval", "30s").replace("$__range", "1h");
            queries.push(query.replace("$namespace", ".*").replace("$pod", ".*"));
        }
    }
    assert!(queries.len() > 46, "{queries:#?}");
    let path = dir.path().join("app.log");
    let mut number = 0;
    let mut missing = queries.clone();
    let all_have_data = || {
        number += 1;
        append(&path, format!("{{\"level\":\"error\",\"msg\":\"{number}\"}}\ndrop this\nINFO {number}\n"));
        missing.retain(|query| prometheus.results(query).is_none_or(|results| results == 0));
        missing.is_empty().then_some(())
    };
    let found = wait_for(all_have_data, PROMETHEUS_DEADLINE);
    assert!(found.is_some(), "no data for {missing:#?}");
    // It asks for OpenMetrics, and parses what it gets.
    assert_eq!(prometheus.results("up{job=\"sidetail\"} == 1"), Some(1));
    assert_eq!(prometheus.results("sidetail_nothing"), Some(0));
    assert!(wait_for(|| program.is_asleep().then_some(()), DEADLINE).is_some());
    assert_eq!(program.terminate().status.code(), Some(0));
}
