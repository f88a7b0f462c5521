//! Wrong configurations: every problem at once, a line each, exit code 64, nothing started.

use std::process::Stdio;

use crate::support::namespace::unshare;
use crate::support::program::{Program, command, with_variables};

#[test]
fn all_problems_are_told_at_once() {
    let ended =
        Program::start(&[("MAX_LINE", "10MB"), ("OUTPUT", "xml"), ("STDER", "file:a"), ("DROP", "level>=loud")]).wait();
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(64), ""));
    let expected = [
        r#"sidetail: SIDETAIL_DROP="level>=loud": rule "level>=loud", column 1: "loud" is not a level; use one of trace, debug, info, notice, warn, error, critical, fatal"#,
        r#"sidetail: SIDETAIL_OUTPUT="xml": not a valid choice; use one of raw, prefix, json, ecs, gcp"#,
        r#"sidetail: SIDETAIL_MAX_LINE="10MB": "MB" is not a unit of size; did you mean 10M or 10Mi?"#,
        "sidetail: SIDETAIL_STDER: unknown variable; did you mean SIDETAIL_STDERR?",
    ];
    assert_eq!(ended.stderr.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_kubelet_is_told_the_same() {
    // Kubernetes bind-mounts the file into every container.
    let Some(unshare) = unshare(&["--mount"]) else { return };
    let mut container = with_variables(unshare, &[("MAX_LINE", "10MB"), ("OUTPUT", "xml")]);
    let script = r#"mount -t tmpfs tmpfs /dev && : > /dev/termination-log && "$0"; cat /dev/termination-log"#;
    container.args(["sh", "-c", script, env!("CARGO_BIN_EXE_sidetail")]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = Program::spawn(&mut container).wait();
    assert_eq!(ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("SIDETAIL_MAX_LINE"), "{}", ended.stderr);
}

#[test]
fn what_kubernetes_injects_for_a_service_is_no_problem() {
    let injected = [("PORT", "tcp://10.0.0.1:9100"), ("SERVICE_HOST", "10.0.0.1")];
    let program = Program::start(&[&injected[..], &[("PATHS", "/nonexistent/*.log"), ("LOG", "info")]].concat());
    program.expect(|| program.stderr().contains("follows /nonexistent/*.log"), "the first message");
    assert_eq!(program.terminate().status.code(), Some(0));
}

#[test]
fn a_wrong_argument_says_where_the_help_is() {
    let ended = Program::spawn(command(&[]).arg("--fellow").stdout(Stdio::piped()).stderr(Stdio::piped())).wait();
    assert_eq!(ended.status.code(), Some(64));
    assert_eq!(ended.stderr, "sidetail: invalid option '--fellow'; `sidetail --help` lists commands and options\n");
}

#[test]
fn a_secret_in_another_variable_is_not_looked_at() {
    let mut with_secret = command(&[("PATHS", "/nonexistent/*.log"), ("LOG", "trace")]);
    with_secret.env("OTHER", "secret").env("SIDETAILS", "secret").stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = Program::spawn(&mut with_secret);
    program.expect(|| program.stderr().contains("follows /nonexistent/*.log"), "the first message");
    assert!(!program.terminate().stderr.contains("secret"));
}
