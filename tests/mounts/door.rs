//! What an application puts in the place of directories and files, where that takes mounts and other users.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use crate::support::files::{append, directory};
use crate::support::mounted::Mounted;
use crate::support::program::Program;
use crate::support::say::ignore;
use crate::support::themes::hostile::{path_in, start};

/// Whom the application runs as.
const APPLICATION: u32 = 1001;

#[test]
fn a_mount_is_a_root_of_trust_and_what_is_below_it_is_not() {
    let mounted = match Mounted::tmpfs("size=16m,mode=0777,uid=1001") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&format!("a_mount_is_a_root_of_trust: {why}")),
    };
    // The application owns all that is around the mount, as with a volume that is mounted within another one.
    let above = mounted.path().parent().expect("the test's own directory");
    chown(above, Some(APPLICATION), None).expect("root");
    let outside = directory();
    append(&path_in(&outside, "a.log"), "the secret\n");
    append(&mounted.path().join("plain.log"), "plain\n");
    symlink(outside.path(), mounted.path().join("app")).expect("a link");
    let program = start(mounted.path(), &["app/*.log", "*.log"], &[("STATE", "off")]);
    program.expect_stdout("plain\n");
    let ended = program.terminate();
    assert_eq!(ended.stdout, "plain\n");
    assert!(ended.stderr.contains("a symbolic link on its way"), "{}", ended.stderr);
}

#[test]
fn a_state_directory_of_somebody_elses_is_not_believed() {
    if !rustix::process::geteuid().is_root() {
        return ignore("a_state_directory_of_somebody_elses needs root");
    }
    let dir = directory();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).expect("ours");
    let log = path_in(&dir, "app.log");
    append(&log, "first\n");
    let first = Program::on(dir.path(), &[]);
    first.expect_stdout("first\n");
    first.terminate();
    let state = path_in(&dir, ".sidetail");
    let checkpoint = fs::read_dir(&state).expect("made").next().expect("one").expect("readable").path();
    let forge = |path: &Path, owner, mode| {
        chown(path, Some(owner), Some(owner)).expect("root");
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("root");
    };
    // Of the application's, or writable for all; the group may write, as an fsGroup lets it.
    for (of_directory, of_file, is_believed) in [
        ((APPLICATION, 0o755), (APPLICATION, 0o600), false),
        ((0, 0o777), (0, 0o600), false),
        ((0, 0o755), (APPLICATION, 0o600), false),
        ((0, 0o755), (0, 0o666), false),
        ((0, 0o2775), (0, 0o660), true),
    ] {
        forge(&state, of_directory.0, of_directory.1);
        forge(&checkpoint, of_file.0, of_file.1);
        // What `START=end` passes over at a first start is not passed over because somebody else took the checkpoint away.
        let program = Program::on(dir.path(), &[("START", "end")]);
        append(&log, "next\n");
        program.expect(|| program.stdout().ends_with("next\n"), "what is new");
        let ended = program.terminate();
        let what = format!("{of_directory:?}, {of_file:?}: {}", ended.stderr);
        assert_eq!(ended.stdout.contains("first\n"), !is_believed, "{what}");
        assert_eq!(ended.stderr.lines().count(), usize::from(!is_believed), "{what}");
    }
}
