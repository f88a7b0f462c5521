//! Disk is reclaimed where it is hard: full, read-only, not ours, huge, many; and on each file system that logs are on.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::bounded::{run, wait_for};
use crate::support::clock::Clock;
use crate::support::files::{append, directory};
use crate::support::mounted::{COMMAND_DEADLINE, Mounted, tool};
use crate::support::namespace::alone;
use crate::support::program::{DEADLINE, Program, command};
use crate::support::room::{ANOTHER_USER, AnotherUser, LITTLE, allocated, archives, flood, held, left};
use crate::support::rotator::{
    App, LINE_BYTES, after_ticks, difference, kill_at_rest, numbered, streams, streams_and_says, streams_in_all,
};
use crate::support::say::ignore;

const TEBIBYTE: u64 = 1 << 40;

/// Both ways, on one file system.
fn on(mounted: Result<Mounted, String>, collapses: bool) {
    let mounted = match mounted {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    for (name, appends, variables) in [
        ("punch", false, &[("ROTATE_METHOD", "punch")][..]),
        ("auto", true, &[]),
        ("collapse", true, &[("ROTATE_METHOD", "collapse")]),
        ("not collapse", false, &[("ROTATE_METHOD", "collapse")]),
        ("archives", true, &[("ROTATE_KEEP", "100")]),
        ("positional archives", false, &[("ROTATE_KEEP", "100")]),
    ] {
        println!("{name}");
        let dir = mounted.path().join(name.replace(' ', "-"));
        fs::create_dir(&dir).expect("a directory");
        let path = dir.join("app.log");
        let mut app = if appends { App::appending(&path) } else { App::positional(&path) };
        let program = Program::on(&dir, &[&[("ROTATE_SIZE", "256Ki")], variables].concat());
        flood(&mut app, &program, (1 << 20) / LINE_BYTES, 256 << 10);
        let stderr = streams_and_says(program, app.written()).stderr;
        // What was asked for and cannot be is told of once, however often holes are punched in its place.
        let is_told = name == "collapse" && !collapses;
        assert_eq!(stderr.lines().count(), usize::from(is_told), "{name}: {stderr}");
        assert_eq!(stderr.contains("cannot collapse"), is_told, "{name}: {stderr}");
        let written = app.written().len() as u64;
        let size = fs::metadata(&path).expect("there").len();
        let is_collapsed = appends && collapses && (name == "collapse" || name == "archives");
        assert_eq!(size < written, is_collapsed, "{name}: {size} bytes of {written}");
        if name.contains("archives") {
            assert_eq!(difference(app.written(), &held(&path)), None);
        } else {
            assert!(app.written().ends_with(&left(&path)), "what stays is the newest part");
        }
    }
}

/// A log on ext4 that seems to be 1 TiB long and holds 1000 lines at its end.
fn long(mounted: &Mounted, appends: bool) -> App {
    let path = mounted.path().join("app.log");
    File::create(&path).and_then(|file| file.set_len(TEBIBYTE)).expect("ext4 takes 16 TiB");
    let mut app = if appends { App::appending(&path) } else { App::positional(&path) };
    if !appends {
        app.seek(TEBIBYTE);
    }
    app.lines(1000);
    app
}

/// What reclaiming says if it cannot.
fn refusals(program: &Program) -> usize {
    program.stderr().matches("cannot reclaim disk space of").count()
}

/// A directory and a log in it, of the application's user 1000, with these modes.
fn of_the_application(dir: &Path, dir_mode: u32, file_mode: u32) -> App {
    // What is above it is the test's own.
    for above in dir.ancestors().take_while(|above| *above != std::env::temp_dir()) {
        fs::set_permissions(above, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    let path = dir.join("app.log");
    let mut app = App::appending(&path);
    app.lines(1000);
    chown(dir, Some(1000), Some(2000)).expect("root may");
    chown(&path, Some(1000), Some(2000)).expect("root may");
    fs::set_permissions(dir, fs::Permissions::from_mode(dir_mode)).expect("root may");
    fs::set_permissions(&path, fs::Permissions::from_mode(file_mode)).expect("root may");
    app
}

#[test]
fn on_ext4_disk_is_reclaimed() {
    alone("reclaim_awkward::on_ext4_disk_is_reclaimed", || on(Mounted::ext4(), true));
}

#[test]
fn on_xfs_disk_is_reclaimed() {
    alone("reclaim_awkward::on_xfs_disk_is_reclaimed", || on(Mounted::xfs_with_few_blocks_ready(), true));
}

#[test]
fn on_tmpfs_disk_is_reclaimed() {
    alone("reclaim_awkward::on_tmpfs_disk_is_reclaimed", || on(Mounted::tmpfs("size=64m"), false));
}

#[test]
fn on_an_overlay_disk_is_reclaimed() {
    alone("reclaim_awkward::on_an_overlay_disk_is_reclaimed", || {
        on(Mounted::overlay(Mounted::tmpfs("size=64m"), |_| {}), false)
    });
}

#[test]
fn on_an_overlay_above_ext4_disk_is_reclaimed() {
    alone("reclaim_awkward::on_an_overlay_above_ext4_disk_is_reclaimed", || {
        on(Mounted::overlay(Mounted::ext4(), |_| {}), true)
    });
}

/// Writes lines until the file system is full; returns whether it became full within so many bytes.
fn fill(file: &mut File, written: &mut String, bytes: usize) -> bool {
    let limit = written.len() + bytes;
    while written.len() < limit {
        let count = written.len() / LINE_BYTES;
        let text = numbered("line", count..count + 64);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match file.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(why) => {
                    assert_eq!(why.raw_os_error(), Some(rustix::io::Errno::NOSPC.raw_os_error()), "{why}");
                    written.push_str(&text[..text.len() - rest.len()]);
                    return true;
                }
            }
        }
        written.push_str(&text);
    }
    false
}

/// A writer fills its volume while sidetail does not run; sidetail comes, and the writer goes on.
fn full(mounted: Result<Mounted, String>, variables: &[(&str, &str)], state: bool) {
    let mounted = match mounted {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let (path, elsewhere) = (mounted.path().join("app.log"), directory());
    let state_dir = elsewhere.path().display().to_string();
    let mut file = OpenOptions::new().create(true).append(true).open(&path).expect("created");
    let mut written = String::new();
    // A first start, so that the checkpoint has its place on the volume.
    let state = if state { vec![] } else { vec![("STATE", state_dir.as_str())] };
    let variables = [variables, &state].concat();
    let program = Program::on(mounted.path(), &variables);
    assert!(!fill(&mut file, &mut written, 4096), "it is not full yet");
    streams(&program, &written);
    kill_at_rest(program);
    let before = written.len();
    assert!(fill(&mut file, &mut written, 64 << 20), "it becomes full");
    let program = Program::on(mounted.path(), &variables);
    program.expect(|| allocated(&path) <= 1 << 20, "the disk to be reclaimed");
    // A line of which the writer could write a part only goes on where it ended.
    let rest = LINE_BYTES - written.len() % LINE_BYTES;
    let text = numbered("line", written.len() / LINE_BYTES..written.len() / LINE_BYTES + 1);
    let end = if rest == LINE_BYTES { &text[..] } else { &text[LINE_BYTES - rest..] };
    let is_written = wait_for(|| file.write_all(end.as_bytes()).ok(), DEADLINE).is_some();
    assert!(is_written, "the writer goes on");
    written.push_str(end);
    assert!(!fill(&mut file, &mut written, 1 << 20), "the writer goes on");
    streams(&program, &written[before..]);
    assert!(program.terminate().status.success());
}

#[test]
fn a_full_tmpfs_is_freed_and_the_writer_goes_on() {
    full(Mounted::tmpfs("size=4m"), &[("ROTATE_SIZE", "1Mi")], true);
}

#[test]
fn a_full_ext4_is_freed_and_the_writer_goes_on() {
    full(small_ext4(), &[("ROTATE_SIZE", "1Mi")], true);
}

/// So small that it is full at once: most of the image is kept for root's use by a file.
fn small_ext4() -> Result<Mounted, String> {
    let mounted = Mounted::loop_device("ext4", &["-q", "-F", "-m", "0", "-O", "^has_journal"])?;
    let volume = rustix::fs::statvfs(mounted.path()).expect("mounted");
    let filler = File::create(mounted.path().join("filler")).expect("created");
    let bytes = volume.f_bavail * volume.f_frsize - (4 << 20);
    rustix::fs::fallocate(&filler, rustix::fs::FallocateFlags::empty(), 0, bytes).expect("there is room");
    Ok(mounted)
}

#[test]
fn files_of_another_user_are_reclaimed_if_the_group_may_write() {
    let another_user = match AnotherUser::new() {
        Ok(another_user) => another_user,
        Err(why) => return ignore(&why),
    };
    for keep in ["0", "3"] {
        let dir = directory();
        let app = of_the_application(dir.path(), 0o2775, 0o664);
        let program = another_user.on(dir.path(), 2000, &[("ROTATE_SIZE", "1Mi"), ("ROTATE_KEEP", keep)]);
        streams(&program, app.written());
        program.signal(Signal::HUP);
        program.expect(|| allocated(app.path()) <= LITTLE, "everything to be reclaimed");
        if keep == "3" {
            assert_eq!(held(app.path()), app.written());
            let archive = fs::metadata(&archives(app.path())[0]).expect("there");
            assert_eq!((archive.uid(), archive.gid(), archive.mode() & 0o777), (ANOTHER_USER, 2000, 0o664));
        }
        streams_in_all(program, app.written());
    }
}

#[test]
fn files_that_only_their_owner_may_write_are_told_of_and_streamed() {
    let another_user = match AnotherUser::new() {
        Ok(another_user) => another_user,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    let mut app = of_the_application(dir.path(), 0o2775, 0o644);
    let program = another_user.on(dir.path(), 2000, &[("ROTATE_SIZE", "64Ki")]);
    streams(&program, app.written());
    for _ in 0..2 {
        program.signal(Signal::HUP);
        app.lines(1000);
        streams(&program, app.written());
        after_ticks(&program, 1);
    }
    assert_eq!(left(app.path()), app.written());
    let stderr = streams_and_says(program, app.written()).stderr;
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for words in ["cannot reclaim", "1000:2000 with mode 0644", "65532:2000", "umask"] {
        assert!(stderr.contains(words), "{words} is not in {stderr}");
    }
}

#[test]
fn in_a_sticky_directory_nothing_is_lost() {
    let another_user = match AnotherUser::new() {
        Ok(another_user) => another_user,
        Err(why) => return ignore(&why),
    };
    // As /tmp: everybody may create, nobody may rename or delete what is another's.
    for (keep, method) in [("0", "auto"), ("2", "auto"), ("2", "rename")] {
        let dir = directory();
        let mut app = of_the_application(dir.path(), 0o1777, 0o666);
        let program = another_user.on(
            dir.path(),
            3000,
            &[("ROTATE_SIZE", "1Mi"), ("ROTATE_KEEP", keep), ("ROTATE_METHOD", method)],
        );
        for _ in 0..4 {
            streams(&program, app.written());
            program.signal(Signal::HUP);
            let is_answered = || allocated(app.path()) <= LITTLE || refusals(&program) > 0;
            program.expect(is_answered, "everything to be reclaimed, or a word");
            app.lines(1000);
        }
        let stderr = streams_and_says(program, app.written()).stderr;
        assert_eq!(stderr.lines().count(), usize::from(method == "rename"), "{method}, {keep}: {stderr}");
        assert!(app.written().ends_with(&held(app.path())), "what is left is the newest part");
    }
}

#[test]
fn a_volume_that_becomes_read_only_is_told_of_once_and_streamed() {
    let mounted = match Mounted::ext4() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let state = directory();
    let mut texts = Vec::new();
    for name in ["a.log", "b.log"] {
        let text = numbered(name, 0..1000);
        append(&mounted.path().join(name), &text);
        texts.push(text);
    }
    mounted.remount("ro");
    let state = state.path().display().to_string();
    let program = Program::on(mounted.path(), &[("ROTATE_SIZE", "64Ki"), ("STATE", &state)]);
    let whole = texts.concat().len();
    program.expect(|| program.stdout_bytes() == whole, "both to be streamed");
    program.signal(Signal::HUP);
    program.expect(|| refusals(&program) > 0, "a word about it");
    after_ticks(&program, 1);
    program.signal(Signal::HUP);
    after_ticks(&program, 1);
    let ended = program.terminate();
    assert!(ended.status.success());
    assert_eq!(ended.stdout.len(), whole);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("read-only"), "{}", ended.stderr);
}

#[test]
fn a_read_only_volume_without_a_place_for_the_state_is_streamed() {
    let mounted = match Mounted::ext4() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let text = numbered("line", 0..1000);
    append(&mounted.path().join("a.log"), &text);
    mounted.remount("ro");
    let program = Program::on(mounted.path(), &[("ROTATE_SIZE", "64Ki")]);
    streams(&program, &text);
    program.signal(Signal::HUP);
    after_ticks(&program, 2);
    let stderr = streams_and_says(program, &text).stderr;
    assert!(stderr.contains("cannot reclaim disk") || stderr.contains("read-only"), "{stderr}");
    assert!(stderr.lines().count() <= 2, "{stderr}");
}

#[test]
fn a_file_that_may_only_be_appended_to_is_told_of_and_streamed() {
    let mounted = match Mounted::ext4() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let mut app = App::appending(&mounted.path().join("app.log"));
    app.lines(2000);
    run(tool("chattr").arg("+a").arg(app.path()), COMMAND_DEADLINE).expect("ext4 can");
    let program = Program::on(mounted.path(), &[("ROTATE_SIZE", "64Ki")]);
    program.expect(|| refusals(&program) == 1, "a word about it");
    app.lines(2000);
    program.signal(Signal::HUP);
    after_ticks(&program, 1);
    let stderr = streams_and_says(program, app.written()).stderr;
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("chattr -a"), "{stderr}");
    run(tool("chattr").arg("-a").arg(app.path()), COMMAND_DEADLINE).expect("ext4 can");
    assert_eq!(left(app.path()), app.written());
}

#[test]
fn a_file_system_that_cannot_punch_holes_is_told_of_once_and_streamed() {
    for keep in ["0", "3"] {
        let mounted = match Mounted::ramfs() {
            Ok(mounted) => mounted,
            Err(why) => return ignore(&why),
        };
        let mut apps = ["a.log", "b.log"].map(|name| App::appending(&mounted.path().join(name)));
        let program = Program::on(mounted.path(), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", keep)]);
        for _ in 0..2 {
            apps.iter_mut().for_each(|app| app.lines(2000));
            let whole: usize = apps.iter().map(|app| app.written().len()).sum();
            program.expect(|| program.stdout_bytes() == whole, "both to be streamed");
            program.signal(Signal::HUP);
            program.expect(|| refusals(&program) > 0, "a word about it");
            after_ticks(&program, 1);
        }
        let stderr = program.terminate().stderr;
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        for words in ["its file system cannot punch holes", "emptyDir", "ROTATE_METHOD to rename", "copytruncate"] {
            assert!(stderr.contains(words), "{words} is not in {stderr}");
        }
        apps.iter().for_each(|app| assert_eq!(left(app.path()), app.written()));
    }
}

#[test]
fn past_1_tib_a_file_whose_writer_appends_is_collapsed() {
    alone("reclaim_awkward::past_1_tib_a_file_whose_writer_appends_is_collapsed", || {
        let mounted = match Mounted::ext4() {
            Ok(mounted) => mounted,
            Err(why) => return ignore(&why),
        };
        let mut app = long(&mounted, true);
        let program = Program::on(mounted.path(), &[("ROTATE_SIZE", "64Ki")]);
        streams(&program, app.written());
        program.expect(|| fs::metadata(app.path()).expect("there").len() < 1 << 20, "it to be short");
        app.lines(1000);
        streams_in_all(program, app.written());
        assert!(app.written().ends_with(&left(app.path())));
    });
}

#[test]
fn where_no_archive_fits_the_volume_is_freed_all_the_same() {
    full(Mounted::tmpfs("size=4m"), &[("ROTATE_SIZE", "1Mi"), ("ROTATE_KEEP", "3")], true);
    full(small_ext4(), &[("ROTATE_SIZE", "1Mi"), ("ROTATE_KEEP", "3"), ("ROTATE_COMPRESS", "none")], true);
}

#[test]
fn past_1_tib_a_quiet_file_is_truncated() {
    alone("reclaim_awkward::past_1_tib_a_quiet_file_is_truncated", || {
        let mounted = match Mounted::ext4() {
            Ok(mounted) => mounted,
            Err(why) => return ignore(&why),
        };
        // Nobody has it open: whether its writer appends is not known.
        let app = long(&mounted, false);
        let (path, text) = (app.path().to_owned(), app.written().to_owned());
        drop(app);
        let program = Program::on(mounted.path(), &[("ROTATE_SIZE", "64Ki")]);
        streams(&program, &text);
        program.expect(|| fs::metadata(&path).expect("there").len() == 0, "it to be truncated");
        append(&path, "a line after it\n");
        streams_in_all(program, &(text + "a line after it\n"));
    });
}

#[test]
fn past_1_tib_a_file_whose_writer_does_not_append_is_told_of() {
    let mounted = match Mounted::ext4() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let mut app = long(&mounted, false);
    let program = Program::on(mounted.path(), &[("ROTATE_SIZE", "64Ki")]);
    streams(&program, app.written());
    // It is truncated when it is quiet, but its writer goes on where it was.
    program.expect(|| fs::metadata(app.path()).expect("there").len() == 0, "it to be truncated");
    app.lines(1000);
    streams(&program, app.written());
    program.expect(|| program.stderr().contains("16 TiB"), "a word about its end");
    let stderr = streams_and_says(program, app.written()).stderr;
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    let (_, day) = stderr.split_once("16 TiB, around ").expect("when that will be");
    // It has become so long within a second.
    let today = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    assert_eq!(day[..4], today[..4], "{stderr}");
    assert_eq!(day.get(10..11), Some(";"), "{stderr}");
}

#[test]
fn a_file_that_may_be_appended_to_only_again_is_told_of_again() {
    let mounted = match Mounted::ext4() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    // The same is told of a file once a minute.
    let clock = match Clock::new("CLOCK_MONOTONIC", Duration::from_secs(70)) {
        Ok(clock) => clock,
        Err(why) => return ignore(&why),
    };
    let mut app = App::appending(&mounted.path().join("app.log"));
    let paths = format!("{}/*.log", mounted.path().display());
    let program = clock.start(&command(&[("PATHS", &paths), ("ROTATE_SIZE", "1Gi")]));
    for told in 1..3 {
        app.lines(1000);
        streams(&program, app.written());
        run(tool("chattr").arg("+a").arg(app.path()), COMMAND_DEADLINE).expect("ext4 can");
        program.signal(Signal::HUP);
        program.expect(|| refusals(&program) == told, "a word about it");
        run(tool("chattr").arg("-a").arg(app.path()), COMMAND_DEADLINE).expect("ext4 can");
        program.signal(Signal::HUP);
        program.expect(|| allocated(app.path()) <= LITTLE, "everything to be reclaimed");
        clock.put_ahead();
    }
    assert_eq!(program.terminate().stderr.lines().count(), 2);
}

#[test]
fn a_directory_without_room_for_archives_is_told_of_and_not_its_files() {
    let another_user = match AnotherUser::new() {
        Ok(another_user) => another_user,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    let app = of_the_application(dir.path(), 0o755, 0o666);
    let state = directory();
    fs::set_permissions(state.path(), fs::Permissions::from_mode(0o777)).expect("ours");
    let state = state.path().display().to_string();
    let variables = [("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "2"), ("STATE", state.as_str())];
    let program = another_user.on(dir.path(), 3000, &variables);
    streams(&program, app.written());
    program.signal(Signal::HUP);
    program.expect(|| refusals(&program) == 1, "a word about it");
    let stderr = streams_and_says(program, app.written()).stderr;
    assert!(stderr.contains("its directory belongs to 1000:2000 with mode 0755"), "{stderr}");
}
