//! How far a file is reclaimed, and when: pure functions of the policy, what is known of its room, what it takes of the disk,
//! and the time.

use std::time::{Duration, Instant};

use crate::disk::policy::{Method, Policy};
use crate::paths::beneath::Stat;
use crate::shelf::progress::Progress;
use crate::shelf::room::Room;

/// After how many more streamed bytes a file's size is checked again, at most.
const LOOK_BYTES: u64 = 64 << 10;

/// How long to wait before retrying a file that could not be rotated.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(60);

/// From which apparent size on something is done about it, in bytes.
pub(super) const APPARENT_BYTES_MAX: u64 = 1 << 40;

/// Returns whether it is time to repeat what was last done or reported then.
pub(super) fn is_time(last: Option<Instant>, every: Duration, now: Instant) -> bool {
    last.is_none_or(|last| now.duration_since(last) >= every)
}

/// Returns the offset from which on the size of a file is checked again.
pub(super) fn next_look(policy: &Policy, progress: &Progress) -> u64 {
    progress.noted() + LOOK_BYTES.min(policy.step_bytes() / 4)
}

/// Returns up to where to reclaim a file with this room, or `None` if it may stay as it is.
///
/// With archives everything goes, up to the size of one archive; without, a part stays for people to read.
pub(super) fn wanted_end(policy: &Policy, (room, progress): (&Room, &Progress), stat: &Stat) -> Option<u64> {
    if policy.keep > 0 {
        // Truncated when all is archived but what can be at that moment.
        return archive_end(policy, (room, progress), stat)
            .or(Some(progress.noted()).filter(|_| room.is_to_be_truncated));
    }
    if room.is_to_be_truncated {
        return Some(progress.noted());
    }
    let (limit, kept) = (progress.limit(stat.block_bytes), progress.reclaimed());
    if room.due.is_now() {
        return Some(limit).filter(|end| *end > kept);
    }
    let size = policy.size.filter(|size| stat.allocated_bytes > *size)?;
    let step = policy.step_bytes();
    let excess = stat.allocated_bytes - (size - step);
    let end = kept.saturating_add(excess.max(step)).min(limit) / stat.block_bytes * stat.block_bytes;
    // Less is not worth a flush; what is not streamed yet comes later.
    Some(end).filter(|end| *end >= kept + step.min(size / 2))
}

fn archive_end(policy: &Policy, (room, progress): (&Room, &Progress), stat: &Stat) -> Option<u64> {
    let kept = progress.reclaimed();
    let archive_bytes_max = policy.size.unwrap_or(u64::MAX);
    let is_too_large = policy.size.is_some_and(|size| stat.allocated_bytes > size);
    let end = progress.limit(1).min(kept.saturating_add(archive_bytes_max));
    let bytes_min = if room.due.is_now() { 1 } else { policy.step_bytes().min(archive_bytes_max / 2) };
    Some(end).filter(|end| (room.due.is_now() || is_too_large) && *end >= kept + bytes_min)
}

/// Returns whether something of a file will have to be reclaimed soon, and what was streamed of it is not durable for the most
/// part.
pub(super) fn is_nearly_full(policy: &Policy, progress: &Progress, stat: &Stat) -> bool {
    let step = policy.step_bytes();
    let is_near = policy.size.is_some_and(|size| stat.allocated_bytes > size - step);
    is_near && policy.keep == 0 && progress.not_durable_bytes() >= step / 2
}

/// Returns how much of what is before `end` can be reclaimed at once: usually what was flushed last is enough. `None` if it
/// must wait for a flush.
pub(super) fn end_without_flush(policy: &Policy, progress: &Progress, block_bytes: u64, end: u64) -> Option<u64> {
    let durable = progress.durable_limit(block_bytes).min(end);
    let is_enough = durable == end || durable >= progress.reclaimed() + policy.step_bytes();
    is_enough.then_some(durable)
}

/// Returns whether to collapse the hole of a file with this room: the policy says so, or the file has become very long.
pub(super) fn is_collapse_wanted(policy: &Policy, progress: &Progress) -> bool {
    let is_asked_for = policy.method == Method::Collapse || (policy.method == Method::Auto && policy.keep > 0);
    is_asked_for || progress.noted() > APPARENT_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use rustix::fs::FileType;

    use super::*;
    use crate::paths::beneath::FileId;
    use crate::shelf::room::Due;

    const KI: u64 = 1 << 10;
    const MI: u64 = 1 << 20;

    fn stat(allocated_bytes: u64) -> Stat {
        Stat {
            id: FileId { dev: 1, ino: 2, btime: 3 },
            kind: FileType::RegularFile,
            size: allocated_bytes,
            links: 1,
            mtime: 0,
            uid: 0,
            gid: 0,
            mode: 0o644,
            block_bytes: 4096,
            allocated_bytes,
        }
    }

    fn policy(size: u64, keep: u32) -> Policy {
        Policy { size: Some(size), keep, ..Policy::default() }
    }

    /// A file of which all is noted up to `noted`, durable up to `durable`, and reclaimed up to `reclaimed`.
    fn progress(reclaimed: u64, durable: u64, noted: u64) -> Progress {
        let mut progress = Progress::default();
        for offset in [durable, noted] {
            progress.take(offset);
            progress.note();
            if offset == durable {
                progress.begin_flush();
                progress.flushed();
            }
        }
        progress.pass_over(reclaimed);
        progress
    }

    #[test]
    fn without_archives_a_file_is_reclaimed_down_to_its_size_less_a_step() {
        for (size, kept, saved, allocated, expected) in [
            (64 * KI, 0, 64 * KI, 64 * KI, None),
            (64 * KI, 0, 300 * KI, 304 * KI, Some(296 * KI)),
            (8 * MI, 0, 9 * MI, 9 * MI, Some(3 * MI)),
            (8 * MI, 3 * MI, 11 * MI, 8 * MI, None),
            // Little of it is streamed: it is not worth a flush.
            (8 * MI, 0, MI, 9 * MI, None),
            (64 * KI, 296 * KI, 300 * KI, 68 * KI, None),
        ] {
            let end = wanted_end(&policy(size, 0), (&Room::default(), &progress(kept, 0, saved)), &stat(allocated));
            assert_eq!(end, expected, "{size}, {kept} to {saved}, {allocated} allocated");
        }
    }

    #[test]
    fn what_is_due_is_reclaimed_up_to_the_block_with_the_marker() {
        for (kept, saved, expected) in [(0, 10 * KI, Some(8 * KI)), (8 * KI, 10 * KI, None), (0, 4 * KI, None)] {
            let due = Room { due: Due::Yes, ..Room::default() };
            let end = wanted_end(&policy(MI, 0), (&due, &progress(kept, 0, saved)), &stat(12 * KI));
            assert_eq!(end, expected, "{kept} to {saved}");
        }
    }

    #[test]
    fn an_archive_is_no_larger_than_the_size_and_goes_up_to_a_line() {
        for (is_due, kept, saved, allocated, expected) in [
            (false, 0, 300 * KI, 304 * KI, Some(64 * KI)),
            (false, 64 * KI, 300 * KI, 240 * KI, Some(128 * KI)),
            (false, 0, 60 * KI, 60 * KI, None),
            (true, 0, 60 * KI, 60 * KI, Some(60 * KI - 128)),
            (true, 60 * KI - 128, 60 * KI, 4 * KI, None),
        ] {
            let due = if is_due { Due::Yes } else { Due::No };
            let room = Room { due, ..Room::default() };
            let end = wanted_end(&policy(64 * KI, 3), (&room, &progress(kept, 0, saved)), &stat(allocated));
            assert_eq!(end, expected, "{is_due}, {kept} to {saved}, {allocated} allocated");
        }
        let last = Room { is_to_be_truncated: true, ..Room::default() };
        let end = wanted_end(&policy(64 * KI, 3), (&last, &progress(60 * KI, 0, 61 * KI)), &stat(4 * KI));
        assert_eq!(end, Some(61 * KI));
    }

    #[test]
    fn what_is_durable_is_reclaimed_at_once_if_it_is_all_or_a_step() {
        for (durable, end, expected) in [
            (300 * KI, 296 * KI, Some(296 * KI)),
            (100 * KI, 296 * KI, Some(96 * KI)),
            (60 * KI, 296 * KI, None),
            (0, 4 * KI, None),
        ] {
            // The marker before the offset stays.
            let progress = progress(0, durable, 301 * KI);
            assert_eq!(end_without_flush(&policy(64 * KI, 0), &progress, 4 * KI, end), expected, "{durable} to {end}");
        }
    }

    #[test]
    fn a_file_that_is_nearly_full_has_its_checkpoint_flushed_before() {
        for (keep, allocated, durable, expected) in
            [(0, 8 * MI, 0, true), (0, 8 * MI, 7 * MI, false), (0, 5 * MI, 0, false), (3, 8 * MI, 0, false)]
        {
            let progress = progress(0, durable, 7 * MI + 512 * KI);
            let is_nearly_full = is_nearly_full(&policy(8 * MI, keep), &progress, &stat(allocated));
            assert_eq!(is_nearly_full, expected, "{keep}, {allocated}, {durable}");
        }
    }

    #[test]
    fn a_hole_is_taken_out_where_that_is_asked_for_or_the_file_is_very_long() {
        for (method, keep, saved, expected) in [
            (Method::Auto, 0, MI, false),
            (Method::Auto, 3, MI, true),
            (Method::Punch, 3, MI, false),
            (Method::Collapse, 0, MI, true),
            (Method::Punch, 0, APPARENT_BYTES_MAX + 1, true),
        ] {
            let policy = Policy { method, keep, ..Policy::default() };
            assert_eq!(is_collapse_wanted(&policy, &progress(0, 0, saved)), expected, "{method:?}, {keep}, {saved}");
        }
    }

    #[test]
    fn its_time_has_come_when_so_much_has_passed() {
        let told = Instant::now();
        let every = Duration::from_secs(60);
        for (last, seconds, expected) in
            [(None, 0, true), (Some(told), 0, false), (Some(told), 59, false), (Some(told), 60, true)]
        {
            assert_eq!(is_time(last, every, told + Duration::from_secs(seconds)), expected, "{last:?}, {seconds} s");
        }
    }
}
