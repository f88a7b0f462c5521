//! `sidetail check` on file systems of all kinds, and as another user.

use std::fs::File;
use std::os::unix::fs::FileExt;

use serde_json::json;

use crate::support::files::{append, directory};
use crate::support::mounted::Mounted;
use crate::support::room::{AnotherUser, set_mode};
use crate::support::say::ignore;
use crate::support::themes::check::{
    first_file, kinds, launched, logs, parsed, report, says_what_is_said, snapshot, warns, warns_of_nothing,
};

#[test]
fn a_budget_by_the_volume_wants_a_volume_of_its_own() {
    warns(&report("/*.no-such-log", &[("DIR_BUDGET", "auto")]), "budget", &["not a dedicated volume", "48Mi"]);
    match Mounted::tmpfs("size=4m") {
        Ok(mounted) => {
            append(&mounted.path().join("a.log"), "a\n");
            warns_of_nothing(&report(&logs(mounted.path()), &[("DIR_BUDGET", "auto")]));
        }
        Err(why) => ignore(&why),
    }
}

#[test]
fn what_another_user_may_not_is_told_with_owner_mode_and_group() {
    let another_user = match AnotherUser::new() {
        Ok(another_user) => another_user,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "a\n");
    std::os::unix::fs::chown(&path, Some(1001), Some(1001)).expect("root may");
    let of = |mode: (u32, u32), group: u32, variables: &[(&str, &str)]| {
        set_mode(dir.path(), mode.0);
        set_mode(&path, mode.1);
        let paths = logs(dir.path());
        let variables = [&[("PATHS", &*paths)], variables].concat();
        parsed(&launched(another_user.command(group), &variables, &["--json"]))
    };
    let rotate = [("ROTATE_SIZE", "1Mi")];
    let report = of((0o777, 0o600), 65532, &[]);
    let words = [
        "it belongs to 1001:1001 with mode 0600, but sidetail runs as 65532:65532",
        "runAsUser: 1001",
        "umask",
        "read",
    ];
    warns(&report, "unreadable", &words);
    assert_eq!((&first_file(&report)["mode"], &first_file(&report)["readable"]), (&json!("0600"), &json!(false)));
    let report = of((0o777, 0o640), 65532, &[]);
    warns(&report, "unreadable", &["0640", "set supplementalGroups: [1001] in the pod's securityContext"]);
    assert!(!report["warnings"].to_string().contains("umask"), "{report:#}");
    // In the right group, with the wrong mode.
    let report = of((0o777, 0o600), 1001, &[]);
    warns(&report, "unreadable", &["65532:1001; set runAsUser: 1001", "a umask in the application"]);
    assert!(!report["warnings"].to_string().contains("supplementalGroups"), "{report:#}");
    warns_of_nothing(&of((0o777, 0o640), 1001, &[]));
    let report = of((0o777, 0o644), 65532, &rotate);
    warns(&report, "rotation", &["cannot reclaim disk space of", "1001:1001 with mode 0644", "runAsUser: 1001"]);
    assert_eq!((&first_file(&report)["writable"], &first_file(&report)["rotation"]), (&json!(false), &json!(null)));
    warns_of_nothing(&of((0o777, 0o666), 65532, &rotate));
    // Of several files of one owner and mode once.
    for name in ["b.log", "c.log"] {
        let path = dir.path().join(name);
        append(&path, "a\n");
        std::os::unix::fs::chown(&path, Some(1001), Some(1001)).expect("root may");
        set_mode(&path, 0o600);
    }
    let report = of((0o777, 0o600), 65532, &[]);
    assert_eq!(kinds(&report), ["unreadable"], "{report:#}");
    warns(&report, "unreadable", &["/a.log and 2 more files of the same owner and mode: permission denied"]);
    for name in ["b.log", "c.log"] {
        std::fs::remove_file(dir.path().join(name)).expect("removed");
    }
    // The directory: archives, the state, renames, and a sticky one.
    let report = of((0o755, 0o666), 65532, &[rotate[0], ("ROTATE_KEEP", "3"), ("STATE", "/tmp")]);
    assert_eq!(kinds(&report), ["archives"], "{report:#}");
    warns(&report, "archives", &["SIDETAIL_ROTATE_KEEP=3", "its directory belongs to 0:0 with mode 0755", "fsGroup"]);
    let report = of((0o755, 0o666), 65532, &[]);
    warns(&report, "state", &["cannot keep state in", ".sidetail/", "SIDETAIL_STATE", "repeats"]);
    assert_eq!(report["state"]["kept"], false);
    let report = of((0o755, 0o666), 65532, &rotate);
    warns(&report, "rotation", &["the checkpoint is not on disk"]);
    let rename = [rotate[0], ("ROTATE_METHOD", "rename"), ("STATE", "/tmp")];
    warns(&of((0o755, 0o666), 65532, &rename), "rotation", &["its directory belongs to 0:0"]);
    warns(&of((0o1777, 0o666), 65532, &rename), "rotation", &["chmod -t"]);
    assert_eq!(first_file(&of((0o777, 0o600 | 0o066), 65532, &rename))["rotation"], "rename");
    // It can be neither listed nor searched.
    warns(&of((0o700, 0o666), 65532, &[("STATE", "off")]), "unreadable", &["0:0 with mode 0700", "fsGroup"]);
}

#[test]
fn what_it_lists_of_permissions_is_what_a_running_one_says() {
    let another_user = match AnotherUser::new() {
        Ok(another_user) => another_user,
        Err(why) => return ignore(&why),
    };
    type Case = ((u32, u32), &'static [(&'static str, &'static str)], &'static [&'static str]);
    let cases: [Case; 5] = [
        ((0o777, 0o600), &[], &["unreadable"]),
        ((0o700, 0o644), &[("STATE", "off")], &["unreadable"]),
        ((0o755, 0o666), &[("ROTATE_SIZE", "64Ki")], &["rotation", "state"]),
        ((0o777, 0o644), &[("ROTATE_SIZE", "64Ki")], &["rotation"]),
        ((0o755, 0o666), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", "rename"), ("STATE", "/tmp")], &["rotation"]),
    ];
    for (modes, variables, kinds) in cases {
        let dir = directory();
        let path = dir.path().join("a.log");
        append(&path, "x".repeat(100_000) + "\n");
        std::os::unix::fs::chown(&path, Some(1001), Some(1001)).expect("root may");
        set_mode(dir.path(), modes.0);
        set_mode(&path, modes.1);
        let paths = logs(dir.path());
        let variables = [&[("PATHS", &*paths)], variables].concat();
        let report = parsed(&launched(another_user.command(65532), &variables, &["--json"]));
        says_what_is_said(&report, another_user.on(dir.path(), 65532, &variables), kinds);
    }
}

#[test]
fn what_the_file_system_cannot_do_is_told() {
    let mounted = match Mounted::ramfs() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    for name in ["a.log", "b.log"] {
        append(&mounted.path().join(name), "a\n");
    }
    let of = |variables: &[(&str, &str)]| report(&logs(mounted.path()), variables);
    let found = of(&[("ROTATE_SIZE", "1Mi")]);
    // Once, though it holds for both files.
    warns(&found, "rotation", &["cannot punch holes", "rename", "copytruncate"]);
    assert_eq!(found["directories"][0]["methods"], json!(["rename", "copytruncate"]));
    assert_eq!(found["directories"][0]["file_system"], "ramfs");
    for method in ["rename", "copytruncate"] {
        let found = of(&[("ROTATE_SIZE", "1Mi"), ("ROTATE_METHOD", method)]);
        warns_of_nothing(&found);
        assert_eq!(first_file(&found)["rotation"], method);
    }
}

#[test]
fn each_file_system_is_tried() {
    for (name, mounted, methods) in [
        ("ext4", Mounted::ext4(), json!(["punch", "collapse", "rename", "copytruncate"])),
        ("xfs", Mounted::xfs(), json!(["punch", "collapse", "rename", "copytruncate"])),
        ("tmpfs", Mounted::tmpfs("size=4m"), json!(["punch", "rename", "copytruncate"])),
        ("overlay", Mounted::overlay(Mounted::tmpfs("size=4m"), |_| {}), json!(["punch", "rename", "copytruncate"])),
    ] {
        let mounted = match mounted {
            Ok(mounted) => mounted,
            Err(why) => return ignore(&why),
        };
        append(&mounted.path().join("a.log"), "a\n");
        let before = snapshot(mounted.path());
        let report = report(&logs(mounted.path()), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "1")]);
        let directory = &report["directories"][0];
        assert_eq!((&directory["file_system"], &directory["methods"]), (&json!(name), &methods), "{report:#}");
        assert_eq!(before, snapshot(mounted.path()), "{name}");
        if let Some(size) = directory["size"].as_u64().filter(|_| name == "tmpfs") {
            assert_eq!(size, 4 << 20);
        }
    }
}

#[test]
fn without_birth_times_it_says_what_is_not_found() {
    // Inodes of 128 bytes have no room for them.
    let mounted = match Mounted::loop_device("ext4", &["-q", "-F", "-I", "128"]) {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    append(&mounted.path().join("a.log"), "a\n");
    let report = report(&logs(mounted.path()), &[]);
    warns(&report, "birth-times", &["records no birth times", "emptyDir"]);
    assert_eq!(report["directories"][0]["birth_times"], false);
}

#[test]
fn a_full_volume_and_one_that_is_too_small_are_told() {
    let mounted = match Mounted::tmpfs("size=4m") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    append(&mounted.path().join("a.log"), "a\n");
    let of = |variables: &[(&str, &str)]| report(&logs(mounted.path()), variables);
    warns(&of(&[("DIR_BUDGET", "48Mi")]), "budget", &["SIDETAIL_DIR_BUDGET=48Mi", "4Mi", "such as 3.1Mi"]);
    warns(&of(&[("ROTATE_SIZE", "4Mi")]), "rotate-size", &["1 file of", "4Mi with a step of 1Mi"]);
    // With a budget the size of one file is no matter.
    let found = of(&[("ROTATE_SIZE", "4Mi"), ("DIR_BUDGET", "3Mi")]);
    assert!(kinds(&found).is_empty(), "{found:#}");
    // To its last block: what is tried needs none.
    File::create(mounted.path().join("filler"))
        .and_then(|file| file.write_all_at(&vec![1; 8 << 20], 0))
        .expect_err("full");
    let found = of(&[("ROTATE_SIZE", "1Mi")]);
    warns(&found, "nearly-full", &["nearly full", "of 4Mi are free"]);
    assert_eq!(first_file(&found)["rotation"], "punch");
}

#[test]
fn a_read_only_volume_is_told_and_left_alone() {
    let mounted = match Mounted::ext4() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    for name in ["a.log", "b.log"] {
        append(&mounted.path().join(name), "a\n");
    }
    mounted.remount("ro");
    let found = report(&logs(mounted.path()), &[("ROTATE_SIZE", "1Mi"), ("ROTATE_KEEP", "2"), ("STATE", "/tmp")]);
    warns(&found, "rotation", &["its volume is read-only"]);
    warns(&found, "archives", &["its volume is read-only"]);
    let directory = &found["directories"][0];
    assert_eq!(directory["methods"], json!([]), "{found:#}");
    assert!(directory["not_tried"].as_str().is_some_and(|why| why.contains("Read-only")), "{found:#}");
    warns(&report(&logs(mounted.path()), &[]), "state", &["Read-only file system"]);
}
