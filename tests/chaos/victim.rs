//! A file of which something is destroyed while it is seen and unread: what is said to be lost must be what is missing.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// How much of it is written ahead, in lines: more than a pipe and a write hold.
const AHEAD: u64 = 6000;

/// How many bytes a pipe and a write hold.
const ON_ITS_WAY: u64 = 128 << 10;

/// Each line is so long.
const LINE_BYTES: usize = 64;

/// The file and what came of it.
#[derive(Debug)]
pub struct Victim {
    pub path: PathBuf,
    mark: String,
    /// Whether each line has come out.
    came: Vec<bool>,
    /// How many bytes were said to be lost, by the process that runs.
    said: Vec<u64>,
    /// How many of its bytes were last said to be unread.
    unread: u64,
    /// Which of its lines are to be judged: those that were destroyed under the eyes of the process that runs.
    judged: Option<std::ops::Range<usize>>,
}

impl Victim {
    pub fn new(path: PathBuf, mark: String) -> Self {
        Self { path, mark, came: Vec::new(), said: Vec::new(), unread: 0, judged: None }
    }

    /// Whether something was destroyed since the process began.
    pub fn is_judged(&self) -> bool {
        self.judged.is_some()
    }

    fn text(&self, number: usize) -> String {
        let text = format!("INFO {} {number:07} ", self.mark);
        let filling = "v".repeat(LINE_BYTES - 1 - text.len());
        text + &filling + "\n"
    }

    /// Writes much more than can be streamed while nobody reads; says whether it could.
    pub fn write_ahead(&mut self) -> bool {
        let (first, last) = (self.came.len(), self.came.len() + AHEAD as usize);
        let text: String = (first..last).map(|number| self.text(number)).collect();
        self.unread = 0;
        let opened = OpenOptions::new().create(true).append(true).open(&self.path);
        let Ok(mut file) = opened else { return false };
        let is_whole = file.write(text.as_bytes()).is_ok_and(|written| written == text.len());
        if is_whole {
            self.came.resize(last, false);
            self.judged = Some(first..last);
        }
        is_whole
    }

    /// Whether it was said that what was written ahead is unread, but for what is on its way.
    pub fn is_seen(&self) -> bool {
        self.unread > AHEAD * LINE_BYTES as u64 - ON_ITS_WAY
    }

    /// Destroys all of it.
    pub fn destroy(&self) {
        let opened = OpenOptions::new().write(true).truncate(true).open(&self.path);
        opened.expect("nobody else takes it away");
    }

    /// Notes a line that came out, and what is said of it.
    pub fn line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        // In an object the level is a field of its own.
        if let Some((_, rest)) = text.split_once(&format!("{} ", self.mark)) {
            let number: Option<usize> = rest.get(..7).and_then(|digits| digits.parse().ok());
            if let Some(came) = number.and_then(|number| self.came.get_mut(number)) {
                *came = true;
            }
        }
        let of_it = format!(" bytes of {}: it was truncated", self.path.display());
        if let Some((before, _)) = text.split_once(&of_it) {
            self.said.extend(before.rsplit(' ').next().and_then(|bytes| bytes.parse::<u64>().ok()));
        }
        if let Some((_, status)) = text.split_once(&format!("status of {}: ", self.path.display())) {
            let unread = status.split_once(" unread, ").and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
            self.unread = unread.unwrap_or(self.unread);
        }
    }

    /// Says whether what was said to be lost is what is missing, at the end of a process; one that was killed, or that nobody heard,
    /// may have had more to say.
    pub fn judge(&mut self, is_unheard: bool) -> Result<(), String> {
        let (said, judged) = (std::mem::take(&mut self.said), self.judged.take());
        let Some(judged) = judged.filter(|_| !is_unheard) else { return Ok(()) };
        let missing = self.came[judged.clone()].iter().filter(|came| !**came).count() * LINE_BYTES;
        let said_bytes: u64 = said.iter().sum();
        if missing as u64 == said_bytes {
            return Ok(());
        }
        Err(format!("of lines {judged:?} of the victim {missing} bytes are missing, and {said:?} were said to be lost"))
    }
}

#[test]
fn what_is_said_to_be_lost_is_held_to_what_is_missing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (path, lost) = (dir.path().join("victim.log"), 64 * (AHEAD - 10));
    for (said, is_right) in [(vec![lost], true), (vec![lost - 1], false), (vec![], false), (vec![lost, 64], false)] {
        let mut victim = Victim::new(path.clone(), "v-1".to_owned());
        assert!(victim.write_ahead());
        for number in 0..10 {
            let text = victim.text(number);
            victim.line(text.trim_end().as_bytes());
        }
        for bytes in said {
            let reason = "it was truncated or overwritten before they were read";
            victim.line(format!("sidetail: cannot stream {bytes} bytes of {}: {reason}", path.display()).as_bytes());
        }
        assert_eq!(victim.judge(false).is_ok(), is_right);
    }
}
