//! Wrong configurations: every problem at once, a line each, exit code 64, nothing started.

use std::fs;
use std::process::Stdio;

use crate::support::program::{Program, command};

#[test]
fn all_problems_are_told_at_once_and_to_the_kubelet() {
    // Kubernetes bind-mounts this file into every container; here root can put one there for a moment.
    let termination_log = fs::OpenOptions::new().write(true).create_new(true).open("/dev/termination-log");
    let ended =
        Program::start(&[("MAX_LINE", "10MB"), ("OUTPUT", "xml"), ("STDER", "file:a"), ("DROP", "level>=loud")]).wait();
    let told = fs::read_to_string("/dev/termination-log");
    if termination_log.is_ok() {
        fs::remove_file("/dev/termination-log").expect("our own file");
        assert_eq!(told.expect("readable"), ended.stderr);
    } else {
        assert!(std::env::var_os("CI").is_none(), "CI can create /dev/termination-log");
        crate::support::say::say("ignored: /dev/termination-log cannot be created here, so it is not checked");
    }
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(64), ""));
    let expected = [
        r#"sidetail: SIDETAIL_DROP="level>=loud": rule "level>=loud", column 1: "loud" is no level; write one of trace, debug, info, notice, warn, error, critical, fatal"#,
        r#"sidetail: SIDETAIL_OUTPUT="xml": it is none of the choices; write one of raw, prefix, json, ecs, gcp"#,
        r#"sidetail: SIDETAIL_MAX_LINE="10MB": "MB" is not a unit of bytes; write a Kubernetes quantity such as 10Mi, 500k or 1048576"#,
        "sidetail: SIDETAIL_STDER: there is no such variable; did you mean SIDETAIL_STDERR?",
    ];
    assert_eq!(ended.stderr.lines().collect::<Vec<_>>(), expected);
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
    let ended = Program::spawn(command(&[]).arg("--follow").stdout(Stdio::piped()).stderr(Stdio::piped())).wait();
    assert_eq!(ended.status.code(), Some(64));
    assert_eq!(ended.stderr, "sidetail: invalid option '--follow'; `sidetail --help` shows what there is\n");
}

#[test]
fn a_secret_in_another_variable_is_not_looked_at() {
    let mut with_secret = command(&[("PATHS", "/nonexistent/*.log"), ("LOG", "trace")]);
    with_secret.env("OTHER", "secret").env("SIDETAILS", "secret").stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = Program::spawn(&mut with_secret);
    program.expect(|| program.stderr().contains("follows /nonexistent/*.log"), "the first message");
    assert!(!program.terminate().stderr.contains("secret"));
}
