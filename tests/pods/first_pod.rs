//! What README and docs/ give a new user to paste: the shortest sidecar as a pod, and the startup probe that holds an application
//! back.

use std::fs;
use std::time::Duration;

use crate::support::bounded::wait_for;
use crate::support::markdown::document;
use crate::support::pod::{Pod, changed, classic, podman, spec};
use crate::support::rotator::difference;
use crate::support::say::ignore;
use crate::support::validator::Validator;

const LINES: usize = 400;
/// The application needs two seconds on an idle machine.
const STREAM_DEADLINE: Duration = Duration::from_secs(60);

const VOLUMES: &str = "  volumes:\n    - name: varlog\n      emptyDir: {}\n";

#[test]
fn the_shortest_sidecar_streams_every_line_once() {
    let Some(podman) = podman() else { return };
    // podman 4 knows no native sidecars, so both are containers, and the volumes stand behind them.
    let text = changed(&spec("sidecar.yaml"), &[(VOLUMES, "")]) + VOLUMES;
    let finite = [
        ("while true;", &*format!("while [ $i -lt {LINES} ];")),
        ("sleep 1", "usleep 5000"),
        ("done\n", "done; sleep 600\n"),
    ];
    let pod = Pod::play(&podman, "app", &classic(&changed(&text, &finite)));
    let _ = wait_for(|| (pod.log().line_counts() >= (LINES / 5 * 4, LINES / 5)).then_some(()), STREAM_DEADLINE);
    let (log, written) = (pod.log(), pod.file("app.log"));
    for (found, is_error) in [(&log.stdout, false), (&log.stderr, true)] {
        let lines = written.split_inclusive('\n').filter(|line| line.contains(" ERROR ") == is_error);
        assert_eq!(difference(&lines.collect::<String>(), &String::from_utf8_lossy(found)), None);
    }
    assert_eq!(log.line_counts(), (LINES / 5 * 4, LINES / 5));
}

#[test]
fn the_probe_of_the_docs_fits_the_sidecar() {
    let validator = match Validator::install() {
        Ok(validator) => validator,
        Err(why) => return ignore(&why),
    };
    let [probe] = &document("docs/troubleshooting.md").blocks_of("yaml")[..] else { panic!("more than the probe") };
    let always = "      restartPolicy: Always\n";
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().expect("the temporary directory is writable");
    for (probe, is_valid) in [(probe.clone(), true), (probe.replace("periodSeconds", "period"), false)] {
        let text = changed(&spec("sidecar.yaml"), &[(always, &format!("{always}{probe}"))]);
        fs::write(file.path(), text).expect("our own file is writable");
        let verdict = validator.validate(file.path(), "1.37");
        assert_eq!(verdict.is_ok(), is_valid, "{verdict:?}");
    }
}
