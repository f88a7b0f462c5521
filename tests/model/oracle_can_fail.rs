//! The oracle has to fail: each kind of damage is shown to it once, and what is allowed beside it.

use super::oracle::{IncarnationId, Oracle, REPEATED_BYTES_MAX, Stream};

/// An oracle with one incarnation of a.log that holds `lines` lines, and these lines.
fn written(lines: usize) -> (Oracle, IncarnationId, Vec<Vec<u8>>) {
    let mut oracle = Oracle::default();
    let id = oracle.begin('a', Some(Stream::Out));
    let lines = (0..lines).map(|_| line(&mut oracle, id, 40)).collect();
    (oracle, id, lines)
}

/// Writes one line and returns it without its newline.
fn line(oracle: &mut Oracle, id: IncarnationId, payload_bytes: usize) -> Vec<u8> {
    let bytes = oracle.append(id, payload_bytes, true);
    bytes[..bytes.len() - 1].to_vec()
}

/// Hands lines to the oracle until it objects.
fn judge(oracle: &mut Oracle, lines: &[&[u8]]) -> Result<(), String> {
    lines.iter().try_for_each(|line| oracle.line(Stream::Out, line))
}

#[track_caller]
fn fails_as(verdict: Result<(), String>, word: &str) {
    let why = verdict.expect_err("the oracle has to object");
    assert!(why.contains(word), "expected `{word}` in: {why}");
}

#[test]
fn exactly_what_was_written_is_right() {
    let (mut oracle, _, lines) = written(3);
    assert!(oracle.owed().is_some(), "nothing came out yet");
    judge(&mut oracle, &[&lines[0], &lines[1], &lines[2]]).expect("this is what was written");
    assert_eq!(oracle.owed_at_the_end(), None);
}

#[test]
fn a_lost_line_is_detected() {
    let (mut oracle, _, lines) = written(3);
    judge(&mut oracle, &[&lines[0], &lines[1]]).expect("a line that is late is not yet lost");
    assert!(oracle.owed_at_the_end().is_some_and(|owed| owed.contains("lost")));
    let (mut oracle, _, lines) = written(3);
    fails_as(judge(&mut oracle, &[&lines[0], &lines[2]]), "lost");
}

#[test]
fn a_lost_file_is_detected() {
    let (mut oracle, _, lines) = written(1);
    let other = oracle.begin('b', Some(Stream::Err));
    line(&mut oracle, other, 9);
    judge(&mut oracle, &[&lines[0]]).expect("this is what was written");
    assert!(oracle.owed().is_some());
}

#[test]
fn a_repeated_line_is_detected() {
    let (mut oracle, _, lines) = written(2);
    fails_as(judge(&mut oracle, &[&lines[0], &lines[1], &lines[1]]), "repeated");
    let (mut oracle, _, lines) = written(2);
    judge(&mut oracle, &[&lines[0]]).expect("this is what was written");
    oracle.life_ended([b"", b""]).expect("an orderly end");
    fails_as(judge(&mut oracle, &[&lines[0]]), "repeated");
}

#[test]
fn a_torn_line_is_detected() {
    let (mut oracle, _, lines) = written(2);
    fails_as(judge(&mut oracle, &[&lines[0][..20]]), "torn");
    fails_as(judge(&mut oracle, &[&lines[0][20..]]), "nobody wrote");
    let mixed = [&lines[0][..], &lines[1][..]].concat();
    fails_as(judge(&mut oracle, &[&mixed]), "torn");
    let mut changed = lines[0].clone();
    changed[30] ^= 1;
    fails_as(judge(&mut oracle, &[&changed]), "torn");
    fails_as(oracle.life_ended([&lines[0][..5], b""]), "torn");
}

#[test]
fn a_wrong_order_is_detected() {
    let (mut oracle, _, lines) = written(3);
    fails_as(judge(&mut oracle, &[&lines[1], &lines[0]]), "out of order");
}

#[test]
fn a_wrong_stream_and_a_foreign_line_are_detected() {
    let (mut oracle, _, lines) = written(1);
    fails_as(oracle.line(Stream::Err, &lines[0]), "wrong stream");
    fails_as(judge(&mut oracle, &[b"==> a.log <=="]), "foreign");
    fails_as(judge(&mut oracle, &[b"@a0.77:no such piece"]), "foreign");
    fails_as(judge(&mut oracle, &[b""]), "foreign");
    oracle.line(Stream::Err, b"sidetail: a message of its own").expect("its own messages are not lines");
    assert_eq!(oracle.messages.len(), 1);
}

#[test]
fn a_kill_may_repeat_one_write_and_no_more() {
    let (mut oracle, id, _) = written(0);
    let lines: Vec<_> = (0..3).map(|_| line(&mut oracle, id, REPEATED_BYTES_MAX / 2 - 100)).collect();
    judge(&mut oracle, &[&lines[0], &lines[1], &lines[2]]).expect("this is what was written");
    oracle.killed([b"", b""]).expect("nothing was cut");
    judge(&mut oracle, &[&lines[1], &lines[2]]).expect("one write may be repeated");
    oracle.killed([b"", b""]).expect("nothing was cut");
    fails_as(judge(&mut oracle, &[&lines[0], &lines[1], &lines[2]]), "repeated");
}

#[test]
fn what_a_kill_may_repeat_may_come_after_the_next_one() {
    let (mut oracle, id, _) = written(0);
    let lines: Vec<_> = (0..5).map(|_| line(&mut oracle, id, REPEATED_BYTES_MAX / 2 - 100)).collect();
    judge(&mut oracle, &[&lines[0], &lines[1], &lines[2], &lines[3]]).expect("this is what was written");
    oracle.killed([b"", b""]).expect("nothing was cut");
    judge(&mut oracle, &[&lines[4]]).expect("the file that has something to repeat waits");
    oracle.killed([b"", b""]).expect("nothing was cut");
    judge(&mut oracle, &[&lines[1], &lines[2], &lines[3], &lines[4]]).expect("one write each");
    let (mut oracle, id, _) = written(0);
    let lines: Vec<_> = (0..6).map(|_| line(&mut oracle, id, REPEATED_BYTES_MAX / 2 - 100)).collect();
    judge(&mut oracle, &[&lines[0], &lines[1], &lines[2], &lines[3], &lines[4], &lines[5]]).expect("all of it");
    oracle.killed([b"", b""]).expect("nothing was cut");
    oracle.killed([b"", b""]).expect("nothing was cut");
    fails_as(judge(&mut oracle, &[&lines[1], &lines[2], &lines[3], &lines[4], &lines[5]]), "repeated");
}

#[test]
fn a_kill_may_cut_a_line_at_the_joint_and_nowhere_else() {
    let (mut oracle, _, lines) = written(3);
    oracle.killed([&lines[0][..17], b""]).expect("the line was due");
    judge(&mut oracle, &[&lines[0], &lines[1]]).expect("it may come again whole");
    let (mut oracle, _, lines) = written(3);
    oracle.killed([&lines[0][..17], b""]).expect("the line was due");
    judge(&mut oracle, &[&lines[0][17..], &lines[1]]).expect("or only the rest comes");
    let (mut oracle, _, lines) = written(3);
    oracle.killed([&lines[0][..17], b""]).expect("the line was due");
    oracle.killed([&lines[0][17..25], b""]).expect("the rest may be cut again");
    judge(&mut oracle, &[&lines[0][25..], &lines[1]]).expect("and the rest of the rest comes");
    let (mut oracle, _, lines) = written(3);
    oracle.killed([&lines[0][..17], b""]).expect("the line was due");
    fails_as(judge(&mut oracle, &[&lines[0][18..]]), "nobody wrote");
    let (mut oracle, _, lines) = written(3);
    fails_as(oracle.killed([&lines[1][..17], b""]), "torn");
    let (mut oracle, _, lines) = written(3);
    oracle.killed([&lines[0][..17], b""]).expect("the line was due");
    fails_as(judge(&mut oracle, &[&lines[1]]), "lost");
}

#[test]
fn a_kill_may_repeat_the_rest_of_a_line_that_is_longer_than_a_write() {
    for (len, right) in [(REPEATED_BYTES_MAX + 100, true), (REPEATED_BYTES_MAX - 100, false)] {
        let (mut oracle, id, _) = written(0);
        let line = line(&mut oracle, id, len);
        judge(&mut oracle, &[&line]).expect("this is what was written");
        oracle.killed([b"", b""]).expect("nothing was cut");
        assert_eq!(judge(&mut oracle, &[&line[line.len() - 50..]]).is_ok(), right, "a line of {len} bytes");
    }
}

#[test]
fn what_was_destroyed_unread_may_be_missing_and_nothing_else() {
    let (mut oracle, id, lines) = written(3);
    judge(&mut oracle, &[&lines[0]]).expect("this is what was written");
    oracle.excuse_unread(id);
    let last = line(&mut oracle, id, 20);
    assert!(oracle.owed().is_some(), "the last line was written afterwards");
    judge(&mut oracle, &[&last]).expect("the two between were destroyed");
    assert_eq!(oracle.owed(), None);
    fails_as(judge(&mut oracle, &[&lines[1]]), "repeated or out of order");
}

#[test]
fn a_deleted_file_is_owed_by_a_reader_that_has_it_open() {
    for (open, killed, owed) in [(true, false, true), (false, false, false), (true, true, false)] {
        let (mut oracle, id, lines) = written(2);
        judge(&mut oracle, &[&lines[0]]).expect("this is what was written");
        oracle.unlinked(id, open);
        if killed {
            oracle.killed([b"", b""]).expect("nothing was cut");
        }
        assert_eq!(oracle.owed().is_some(), owed, "open: {open}, killed: {killed}");
    }
}

#[test]
fn a_truncation_to_the_middle_allows_what_it_kept_once_more() {
    let (mut oracle, id, lines) = written(3);
    judge(&mut oracle, &[&lines[0], &lines[1], &lines[2]]).expect("this is what was written");
    let (new, size) = oracle.truncate(id, lines[0].len() + 1 + lines[1].len() + 1);
    assert_eq!(size as usize, oracle.len(new));
    let next = line(&mut oracle, new, 10);
    let mut repeated = |lines: &[&[u8]]| judge(&mut oracle, lines);
    repeated(&[&lines[0], &lines[1], &next]).expect("kept lines may be read again");
    fails_as(repeated(&[&lines[0]]), "repeated");

    let (mut oracle, id, lines) = written(3);
    judge(&mut oracle, &[&lines[0], &lines[1], &lines[2]]).expect("this is what was written");
    let (new, _) = oracle.truncate(id, lines[0].len() + 1 + lines[1].len() + 1);
    let next = line(&mut oracle, new, 10);
    fails_as(judge(&mut oracle, &[&lines[1], &next]), "out of order");
    judge(&mut oracle, &[&next]).expect("or none of them is");
    assert_eq!(oracle.owed_at_the_end(), None);
}

#[test]
fn a_kept_line_that_was_not_read_is_owed_once() {
    let unread = || {
        let (mut oracle, id, lines) = written(3);
        judge(&mut oracle, &[&lines[0]]).expect("this is what was written");
        let (new, _) = oracle.truncate(id, lines[0].len() + 1 + lines[1].len() + 1);
        let next = line(&mut oracle, new, 10);
        (oracle, lines, next)
    };
    let (mut oracle, lines, next) = unread();
    judge(&mut oracle, &[&lines[1], &next]).expect("the reader goes on where it was");
    assert_eq!(oracle.owed_at_the_end(), None);
    let (mut oracle, lines, next) = unread();
    judge(&mut oracle, &[&lines[0], &lines[1], &next]).expect("or begins again");
    assert_eq!(oracle.owed_at_the_end(), None);
    let (mut oracle, lines, next) = unread();
    judge(&mut oracle, &[&lines[1], &lines[2], &lines[0], &lines[1], &next])
        .expect("or all was on the way, and begins again");
    assert_eq!(oracle.owed_at_the_end(), None);
    let (mut oracle, lines, next) = unread();
    judge(&mut oracle, &[&next]).expect("the file may be told by its later lines");
    assert!(oracle.owed_at_the_end().is_some(), "a kept line is missing");
    fails_as(judge(&mut oracle, &[&lines[2]]), "order");
}

#[test]
fn a_line_of_which_only_the_newline_was_cut_off_is_owed_once() {
    for times in 0..=3 {
        let (mut oracle, id, lines) = written(1);
        oracle.truncate(id, lines[0].len());
        oracle.terminating();
        let verdict = judge(&mut oracle, &vec![&lines[0][..]; times]);
        assert_eq!(verdict.is_ok(), times < 3, "it was on its way and is unfinished now, so it may come twice");
        assert_eq!(oracle.owed_at_the_end().is_some(), times == 0);
    }
}

#[test]
fn a_truncation_behind_a_line_that_sigterm_ended_need_not_be_noticed() {
    let ended_and_cut_behind = || {
        let (mut oracle, id, lines) = written(1);
        let fragment = oracle.append(id, 20, false).to_vec();
        oracle.terminating();
        judge(&mut oracle, &[&lines[0], &fragment]).expect("SIGTERM ends it");
        oracle.life_ended([b"", b""]).expect("an orderly end");
        let rest = line(&mut oracle, id, 60);
        let (new, _) = oracle.truncate(id, lines[0].len() + 1 + fragment.len() + 40);
        assert_eq!(oracle.owed(), None, "no line is there that did not come out");
        let end = line(&mut oracle, new, 10);
        let rest = [&rest[..40], &end].concat();
        (oracle, rest.clone(), [lines[0].clone(), [fragment, rest].concat()])
    };
    let (mut oracle, rest, _) = ended_and_cut_behind();
    judge(&mut oracle, &[&rest]).expect("the reader goes on where it was");
    assert_eq!(oracle.owed_at_the_end(), None);
    let (mut oracle, _, whole) = ended_and_cut_behind();
    judge(&mut oracle, &[&whole[0], &whole[1]]).expect("or begins again");
    assert_eq!(oracle.owed_at_the_end(), None);
    let (mut oracle, _, whole) = ended_and_cut_behind();
    assert!(oracle.owed_at_the_end().is_some(), "what is behind it is owed");
    fails_as(judge(&mut oracle, &[&whole[1]]), "order");
    let (mut oracle, rest, whole) = ended_and_cut_behind();
    judge(&mut oracle, &[&rest]).expect("the reader goes on where it was");
    fails_as(judge(&mut oracle, &[&whole[0]]), "repeated");
}

#[test]
fn a_short_copy_of_what_is_gone_may_come_once_more_and_no_other_copy() {
    let (few, many) = (100, 600);
    // Bytes that had come out; whether a line came out after the truncation; whether the original is gone, and was open.
    for (bytes, later, gone, open, right) in [
        (few, false, true, false, true),
        (many, false, true, false, false),
        (few, true, true, false, false),
        (few, false, false, false, false),
        (few, false, true, true, false),
    ] {
        let (mut oracle, id, _) = written(0);
        let lines = [line(&mut oracle, id, bytes / 2), line(&mut oracle, id, bytes / 2)];
        judge(&mut oracle, &[&lines[0], &lines[1]]).expect("this is what was written");
        oracle.copied(id);
        let new = oracle.begin_again(id);
        let next = line(&mut oracle, new, 5);
        if later {
            judge(&mut oracle, &[&next]).expect("this is what was written");
        }
        oracle.life_ended([b"", b""]).expect("an orderly end");
        if gone {
            oracle.unlinked(new, open);
        }
        let another = oracle.begin('b', Some(Stream::Err));
        oracle.unlinked(another, false);
        let verdict = judge(&mut oracle, &[&lines[0], &lines[1]]);
        let which = format!("{bytes} bytes, later: {later}, gone: {gone}, open: {open}");
        assert_eq!(verdict.is_ok(), right, "{which}: {verdict:?}");
        if right {
            fails_as(judge(&mut oracle, &[&lines[0]]), "repeated");
        }
    }
}

#[test]
fn a_short_copy_that_lacks_the_last_line_may_come_once_more_and_no_longer_one() {
    for (bytes, between, right) in [(100, true, true), (600, true, false), (100, false, false)] {
        let (mut oracle, id, _) = written(0);
        let copied = line(&mut oracle, id, bytes);
        judge(&mut oracle, &[&copied]).expect("this is what was written");
        oracle.copied(id);
        if between {
            let last = line(&mut oracle, id, 50);
            judge(&mut oracle, &[&last]).expect("this is what was written");
        }
        let new = oracle.begin_again(id);
        assert_eq!(judge(&mut oracle, &[&copied]).is_ok(), right, "{bytes} bytes, a line between: {between}");
        line(&mut oracle, new, 5);
        assert!(oracle.owed().is_some(), "what was written afterwards is owed");
    }
}

#[test]
fn a_short_copy_of_what_is_gone_comes_whole_or_not_at_all() {
    let orphaned = |lines: usize| {
        let (mut oracle, id, lines) = written(lines);
        lines.iter().try_for_each(|line| judge(&mut oracle, &[line])).expect("this is what was written");
        oracle.killed([b"", b""]).expect("nothing was cut");
        oracle.copied(id);
        let new = oracle.begin_again(id);
        oracle.unlinked(new, false);
        oracle.life_ended([b"", b""]).expect("an orderly end");
        (oracle, id, lines)
    };
    let (mut oracle, _, lines) = orphaned(3);
    assert_eq!(oracle.owed_at_the_end(), None, "not at all");
    judge(&mut oracle, &[&lines[0]]).expect("it begins again");
    assert!(oracle.owed_at_the_end().is_some(), "not half of it");
    let (mut oracle, _, lines) = orphaned(3);
    fails_as(judge(&mut oracle, &[&lines[1]]), "repeated");
    let (mut oracle, id, lines) = orphaned(3);
    oracle.unlinked(id, false);
    judge(&mut oracle, &[&lines[0]]).expect("it begins again");
    assert_eq!(oracle.owed_at_the_end(), None, "unless it is deleted, too");
}

#[test]
fn an_unfinished_line_comes_out_when_it_is_due() {
    let (mut oracle, id, _) = written(0);
    let fragment = oracle.append(id, 20, false).to_vec();
    assert_eq!(oracle.owed(), None, "it stays in the file");
    fails_as(judge(&mut oracle, &[&fragment]), "torn");
    oracle.terminating();
    assert!(oracle.owed_at_the_end().is_some());
    judge(&mut oracle, &[&fragment]).expect("SIGTERM ends it");
    oracle.life_ended([b"", b""]).expect("an orderly end");
    let rest = line(&mut oracle, id, 20);
    judge(&mut oracle, &[&rest]).expect("the rest is a line by itself");
    assert_eq!(oracle.owed_at_the_end(), None);
}
