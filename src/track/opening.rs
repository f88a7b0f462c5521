//! A file is opened, and followed from where it was left, from where the file that it is a copy of was left, or from its beginning.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use super::clock;
use super::event::{Event, InArchives};
use super::start::{Start, after_kill, copied_paths, earlier_paths, hold_against};
use super::tracker::Tracker;
use crate::config::settings::ReadFrom;
use crate::disk::policy::Intent;
use crate::output::rules::Route;
use crate::paths::beneath::{Stat, real_path};
use crate::paths::discover::Found;
use crate::read::buffer::{Buffer, HEAD_BYTES};
use crate::read::follower::Follower;
use crate::read::kinship::Kinship;
use crate::read::position::Position;
use crate::shelf::entry::{KnownFile, path_sum};
use crate::shelf::followed::{Course, Followed};
use crate::shelf::lineage::{Key, Lineage};
use crate::shelf::room::Room;

impl Tracker {
    /// Begins to follow a file at a path that a pattern matches, unless it is a copy of one.
    pub(super) fn begin(&mut self, found: &Found, stat: Stat, buffer: &mut Buffer) {
        let is_known = self.known_as(found, stat, false, buffer).is_some();
        if !is_known && self.is_archive(found, stat.id) {
            return;
        }
        if !is_known && self.copied_lineages_of(&found.path).next().is_some() {
            match self.kinship(found, stat, HEAD_BYTES, buffer) {
                Kinship::None => {}
                Kinship::Perhaps => return,
                Kinship::Copy(None) => return,
                Kinship::Copy(Some(rest)) => return self.open(found, Start::At(rest), None, buffer),
            }
        }
        let is_first_start = self.known.as_ref().is_none_or(|known| known.is_first_start);
        // While the first look takes several turns, files come up that are new.
        let was_there = self.is_first_look && stat.id.btime <= self.started_at;
        let from_end = was_there && is_first_start && self.config.start == ReadFrom::End;
        self.open(found, if from_end { Start::End } else { Start::Beginning }, None, buffer);
    }

    /// Opens a file and follows it: at its path, or, if a lineage is given, detached as a rotated file of it.
    pub(super) fn open(&mut self, found: &Found, start: Start, rotated_of: Option<&Rc<Lineage>>, buffer: &mut Buffer) {
        let is_known = |stat: &Stat| self.known.as_ref().is_some_and(|known| known.has_inode(stat.id.ino));
        let is_known = found.stat.as_ref().is_ok_and(is_known);
        if !self.has_place(is_known, rotated_of.is_some()) {
            return self.leave_for_sweep();
        }
        self.make_room();
        let (file, stat) = match found.open() {
            Ok(opened) => opened,
            Err(why) => {
                return self.refusals.refuse(&found.path, &why, found.stat.as_ref().ok().copied(), || found.is_link());
            }
        };
        debug_assert_eq!(stat.kind, FileType::RegularFile, "nothing else is opened");
        if let Some((key, _)) = self.files.with_id(stat.id) {
            // It came to the path since it was looked at, and is followed already.
            return self.files.make_ready(key);
        }
        if found.stat.as_ref().is_ok_and(|seen| seen.id != stat.id) {
            // Another one came to the path since it was looked at, perhaps a copy; the hint of that is still to come.
            return;
        }
        if self.output.contains(&stat.id) {
            return self.refusals.refuse_output(&found.path);
        }
        // The root's own path may lead through links: those are the user's.
        let is_at_its_place = |real: &PathBuf| {
            *real == found.path
                || self.discovery.real_root(&found.root).is_some_and(|root| *real == root.join(&found.name))
        };
        let real_path = real_path(&file).filter(|real| !is_at_its_place(real));
        if let Some(real_path) = &real_path {
            self.note_link(&found.path, &found.root);
            if rotated_of.is_none() && self.meet_under_own_name(found, stat, real_path, buffer) {
                return;
            }
        }
        // Of the file that was opened: another one may have come to the path since it was looked at.
        let known_id = self.known_as(found, stat, rotated_of.is_some(), buffer);
        let was_asleep = known_id.is_some_and(|id| self.known.as_ref().is_some_and(|known| known.is_asleep(id)));
        let mut known = known_id.and_then(|id| self.known.as_ref()?.file(id));
        let agreed = |known: &mut KnownFile| {
            after_kill(known, &file, buffer)?;
            hold_against(known, &file, buffer)
        };
        let opened = known.as_mut().map_or(Ok(()), agreed);
        let begin = known.as_ref().map_or(start, |known| Start::At(known.position));
        match opened.and_then(|()| begin.follow(file, stat, buffer)) {
            Ok(follower) => {
                let is_for_room = was_asleep && self.note_room_of(&stat);
                // Only now: if it cannot be read, the next try must know it still.
                known_id.and_then(|id| self.known.as_mut()?.take(id));
                let known = known.map(|known| (known, was_asleep));
                let key = self.follow(found, (follower, stat), known, start, rotated_of);
                if let Some(real_path) = real_path {
                    // Events tell of what the link leads to, in that one's directory.
                    self.files.add_alias(key, &real_path);
                }
                if let Some((lineage, birth)) = rotated_of.zip(self.files.by_key(key).map(Followed::birth)) {
                    self.make_older_ready(lineage, birth);
                }
                self.files.make_ready(key);
                self.woken_for_room.extend(Some(key).filter(|_| is_for_room));
                if self.are_turns_late {
                    self.note_sizes(&[key], buffer);
                }
                // Renamed and then destroyed while no process ran.
                self.let_destroyed_go(key, buffer);
            }
            Err(why) => self.refusals.refuse(&found.path, &why, Some(stat), || found.is_link()),
        }
    }

    /// Follows a file that was met through a link at its own path instead, if files of that path are followed: it comes after those.
    /// Returns whether it is followed then.
    fn meet_under_own_name(&mut self, found: &Found, stat: Stat, real_path: &Path, buffer: &mut Buffer) -> bool {
        if self.files.lineage(real_path).is_none() {
            return false;
        }
        let Some(own) = self.discovery.look(real_path) else { return false };
        if own.stat.as_ref().is_ok_and(|own| own.id == stat.id) {
            self.settle(&own, buffer);
        }
        let Some((key, _)) = self.files.with_id(stat.id) else { return false };
        self.files.add_alias(key, &found.path);
        self.files.make_ready(key);
        true
    }

    /// Returns whether the path of a lineage is a link, and a file at this path is called as its target is, but not as what is rotated
    /// from there: one of dated files, to the newest of which the link leads.
    fn is_beside_target_of(&self, lineage: &Lineage, path: &Path) -> bool {
        let is_rotated_from = |log: &Path| earlier_paths(path).any(|earlier| earlier == *log);
        self.linked.target_of(&lineage.path).is_some_and(|target| !is_rotated_from(target))
            && !is_rotated_from(&lineage.path)
    }

    /// Has the files that are older than one which was found under another name take their turns too: they were perhaps written to
    /// before that was created, and the hint of that is still to come.
    fn make_older_ready(&mut self, lineage: &Rc<Lineage>, birth: i64) {
        let is_older = |file: &Followed| Rc::ptr_eq(&file.lineage, lineage) && file.birth() < birth;
        for key in self.files.keys(|file| is_older(file) && file.follower.is_open()) {
            self.files.make_ready(key);
        }
    }

    /// Logs and counts a file that begins to be followed, unless it was before it fell asleep.
    fn note_opened(&mut self, found: &Found, offset: u64, is_rotated: bool) {
        let path = found.path.display();
        tracing::info!(file = %path, each = true, "following {path} from byte {offset}");
        self.files_followed += 1;
        self.totals.reopened += u64::from(!is_rotated && self.files.lineage(&found.path).is_some());
    }

    /// Follows an open file, of which something may be known from an earlier process.
    fn follow(
        &mut self,
        found: &Found,
        (mut follower, stat): (Follower, Stat),
        known: Option<(KnownFile, bool)>,
        start: Start,
        rotated_of: Option<&Rc<Lineage>>,
    ) -> Key {
        let was_asleep = known.as_ref().is_some_and(|(_, was_asleep)| *was_asleep);
        let mut known = known.map(|(known, _)| known);
        let unknown = known.as_mut().and_then(|known| known.unknown.take());
        let known = known.as_ref();
        if let Some(known) = known {
            follower.resume_waypoints(&known.waypoints);
        }
        self.refusals.accept(&found.path);
        self.suspects.remove(&stat.id);
        self.let_go.forget(stat.id);
        if !was_asleep {
            self.note_opened(found, follower.offset(), rotated_of.is_some());
        }
        self.note_unsure(found, rotated_of.is_some());
        let first_at = |one: &Rc<Lineage>| known.is_some_and(|known| known.at == path_sum(&one.path));
        let rotated_under = || self.lineages_of(&found.path).find(first_at);
        let lineage = rotated_of.cloned().or_else(rotated_under).unwrap_or_else(|| self.lineage(found, stat, known));
        if rotated_of.is_none() {
            self.look_beside_last_of(&lineage);
        }
        let (line_of_original, archived_of_original) = self.known_of_original(&found.path, &start);
        let going_on = known.filter(|_| follower.offset() > 0);
        let course = Course::resumed(
            self.config.formats.judge(&lineage.path),
            going_on.map_or(line_of_original, |known| known.line_route),
            going_on.and_then(|known| known.record_route),
        );
        if known.is_none() {
            self.note_begun(&found.path, start, stat.size - follower.offset().min(stat.size));
        }
        let has_changed = known.is_some() && follower.earlier().is_some();
        let mut progress = start.progress(known, follower.offset(), stat.block_bytes);
        if known.is_none() && matches!(start, Start::At(_)) && self.is_held_of(&found.path) {
            progress.wait_for_original();
        }
        let name = self.discovery.shown_name(&lineage.path);
        let is_itself = || found.stat_itself().is_ok_and(|found| found.id == stat.id);
        let is_through_link = self.config.rotate.is_on() && !is_itself();
        let path = if *lineage.path == *found.path { Rc::clone(&lineage.path) } else { Rc::from(&*found.path) };
        // A process that was killed may have left it with nothing streamed, and its elders with more than one turn's.
        let is_restart = self.is_first_look && self.known.as_ref().is_some_and(|known| known.last_written > 0);
        let is_at_beginning = follower.offset() == 0 && follower.earlier().is_none();
        let is_to_be_ordered = matches!(start, Start::Beginning)
            && if is_restart { is_at_beginning } else { known.is_none() && !self.is_first_look };
        let is_successor = known.is_none()
            && matches!(start, Start::Beginning)
            && rotated_of.is_some_and(|lineage| self.is_beside_target_of(lineage, &found.path));
        let mut file = Followed {
            router: self.config.router.of_file(&lineage.path),
            opening: (self.config.output.opening)(&name, &lineage.path),
            slot: known.and_then(|known| known.slot),
            unknown,
            cut_line: known.filter(|_| going_on.is_none()).and_then(|known| known.line_route),
            is_detached: rotated_of.is_some(),
            is_successor,
            seen_in: self.sweep.number,
            progress,
            room: Room { is_through_link, ..Room::known(going_on.map_or(Intent::None, |known| known.intent)) }.into(),
            ..Followed::new(follower, lineage, path, course)
        };
        file.note_future(clock::future());
        let key = self.files.add(file);
        if self.is_ending {
            self.opened_late.push(key);
        }
        if is_to_be_ordered {
            self.just_begun.push(key);
        }
        // Noted even before anything is streamed: a restart must know how old the lineage is. But of a file that was truncated
        // meanwhile the checkpoint still says what copies of it hold, until these are met and noted, too.
        if !has_changed {
            self.save(key);
        }
        let archived = archived_of_original.filter(|_| known.is_none() && rotated_of.is_none());
        self.note_followed(key, archived, known.map(|known| known.intent), (rotated_of.is_some(), going_on.is_some()));
        key
    }

    /// Notes that a file of which nothing was known is streamed: it may be a copy of one that was truncated.
    fn note_begun(&mut self, path: &Path, start: Start, bytes: u64) {
        match start {
            Start::At(position) => self.destroyed.note_begun(path, position, bytes),
            Start::Beginning => self.destroyed.note_begun(path, Position::default(), bytes),
            Start::End => {}
        }
    }

    /// Reports to `reclaim` which file is followed now.
    fn note_followed(
        &mut self,
        key: Key,
        archived_of_original: Option<InArchives>,
        intent: Option<Intent>,
        (is_rotated, is_going_on): (bool, bool),
    ) {
        if let Some(archived) = archived_of_original {
            self.note(Event::CopyBegun { key, archived });
        }
        if is_rotated && is_going_on {
            self.note(Event::FoundRenamed);
        }
        if let Some(Intent::Archive { end, id }) = intent {
            self.note(Event::ArchiveLeft { key, end, id, is_truncated: !is_going_on });
        }
    }

    /// Notes that others may be older than a file that is about to be followed, if others were at its path before.
    fn note_unsure(&mut self, found: &Found, is_rotated: bool) {
        let was_known = || self.known.as_ref().is_some_and(|known| known.since(path_sum(&found.path)).is_some());
        if is_rotated || self.files.lineage(&found.path).is_some() || was_known() {
            let directories = [found.path.parent(), self.linked.directory_behind(&found.path)];
            self.unsure.extend(directories.into_iter().flatten().map(Path::to_owned));
        }
    }

    /// Returns where the line went within which the file was left by an earlier process that a copy goes on with, and up to
    /// where what it held is in archives, if there are any.
    fn known_of_original(&self, path: &Path, start: &Start) -> (Option<Route>, Option<InArchives>) {
        let Start::At(position) = start else { return (None, None) };
        let is_at = |other: &Position| other == position;
        let truncated = || {
            let mut files = self.files.iter();
            let (key, file) = files.find(|(_, file)| file.follower.earlier().as_ref().is_some_and(is_at))?;
            Some((file.cut_line, InArchives::OfTruncated(key)))
        };
        let unmet = || {
            let below = copied_paths(path).map(|path| path_sum(&path));
            let sums: Vec<u64> = self.origins_of(path).map(|path| path_sum(&path)).chain(below).collect();
            let (_, known) = self.known.as_ref()?.at(&sums).find(|(_, known)| is_at(&known.position))?;
            Some((known.line_route, InArchives::UpTo(known.kept)))
        };
        let followed = || {
            let (_, file) = self.files.iter().find(|(_, file)| is_at(&file.follower.position()))?;
            Some((None, InArchives::UpTo(file.progress.reclaimed())))
        };
        let Some((line, archived)) = truncated().or_else(unmet).or_else(followed) else { return (None, None) };
        (line, Some(archived).filter(|_| self.config.rotate.keep > 0))
    }
}
