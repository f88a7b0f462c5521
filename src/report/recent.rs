//! The same message is logged once per minute: the others are counted, and the last of them is logged with their number.
//!
//! Messages are the same if they come from the same place of the source, and have the same kind of finding and the same file; a
//! finding that is about no file is known by its text.
//! Memory is bounded: the least recent message makes room.

use std::time::{Duration, Instant};

use tracing::callsite::Identifier;

use super::message::Message;

/// The same message is logged again after this time.
const INTERVAL: Duration = Duration::from_secs(60);

/// How many different messages are remembered.
const DIFFERENT_MAX: usize = 64;

/// What was logged lately.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// The least recent first.
    told: Vec<ToldMessage>,
    /// Whether any of them holds something back.
    is_holding: bool,
}

#[derive(Debug)]
struct ToldMessage {
    place: Identifier,
    kind: Option<String>,
    file: Option<String>,
    /// The text of a finding that is about no file.
    text: Option<String>,
    at: Instant,
    /// The last message that was held back since, and how many were held back before it.
    held: Option<(Message, u64)>,
}

impl Recent {
    /// Nothing was logged yet.
    #[must_use]
    pub(crate) const fn new() -> Self {
        Self { told: Vec::new(), is_holding: false }
    }

    /// Passes to `tell` what to log now: the message, unless the same was logged lately, and what has to make room for it.
    pub(crate) fn admit(&mut self, place: Identifier, message: Message, now: Instant, mut tell: impl FnMut(Message)) {
        self.tell_due(now, &mut tell);
        let text = (message.kind.is_some() && message.file.is_none()).then(|| message.text.clone());
        let same = |one: &&mut ToldMessage| {
            one.place == place && one.kind == message.kind && one.file == message.file && one.text == text
        };
        if let Some(told) = self.told.iter_mut().find(same) {
            let before = told.held.take().map_or(0, |(_, before)| before + 1);
            told.held = Some((message, before));
            self.is_holding = true;
            return;
        }
        if self.told.len() == DIFFERENT_MAX {
            self.told.remove(0).release(&mut tell);
        }
        let (kind, file) = (message.kind.clone(), message.file.clone());
        self.told.push(ToldMessage { place, kind, file, text, at: now, held: None });
        tell(message);
    }

    /// Passes to `tell` what was held back for long enough; costs nothing if nothing is held back.
    pub(crate) fn tell_held(&mut self, now: Instant, tell: impl FnMut(Message)) {
        if self.is_holding {
            self.tell_due(now, tell);
        }
    }

    /// Passes everything that is held back to `tell`: there is no later chance.
    pub(crate) fn tell_all(&mut self, mut tell: impl FnMut(Message)) {
        self.told.drain(..).for_each(|one| one.release(&mut tell));
    }

    fn tell_due(&mut self, now: Instant, mut tell: impl FnMut(Message)) {
        let due = self.told.iter().take_while(|one| now.duration_since(one.at) >= INTERVAL).count();
        for mut one in self.told.drain(..due).collect::<Vec<_>>() {
            if let Some((message, before)) = one.held.take() {
                tell(Message { held_back: before, ..message });
                // It was told just now, so it is so again for this long.
                one.at = now;
                self.told.push(one);
            }
        }
        self.is_holding = self.told.iter().any(|one| one.held.is_some());
    }
}

impl ToldMessage {
    fn release(self, tell: &mut impl FnMut(Message)) {
        if let Some((message, held_back)) = self.held {
            tell(Message { held_back, ..message });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;
    use tracing::callsite::Callsite;

    fn message(text: &str, file: Option<&str>) -> Message {
        Message { file: file.map(ToOwned::to_owned), ..Message::new(Level::WARN, text) }
    }

    /// A place of the source of its own for each macro that is expanded.
    macro_rules! place {
        () => {
            tracing::callsite!(name: "test", kind: tracing::metadata::Kind::EVENT, fields: message).metadata().callsite()
        };
    }

    /// Logs messages at seconds, and returns what was logged when, with the number of those held back.
    fn told(messages: &[(u64, Identifier, &str, Option<&str>)], end: u64) -> Vec<String> {
        let start = Instant::now();
        let mut recent = Recent::new();
        let mut told = Vec::new();
        let mut next = messages.iter().peekable();
        for second in 0..=end {
            let now = start + Duration::from_secs(second);
            let mut tell = |message: Message| told.push(format!("{second} {} {}", message.text, message.held_back));
            while let Some((_, place, text, file)) = next.next_if(|(at, ..)| *at == second) {
                recent.admit(place.clone(), message(text, *file), now, &mut tell);
            }
            recent.tell_held(now, &mut tell);
            assert!(recent.told.len() <= DIFFERENT_MAX);
        }
        recent.tell_all(|message| told.push(format!("end {} {}", message.text, message.held_back)));
        told
    }

    #[test]
    fn the_same_message_is_told_once_a_minute_with_how_many_were_held_back() {
        let place = place!();
        let messages: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().zip([0, 10, 59, 60, 130]).collect();
        let messages: Vec<_> = messages.into_iter().map(|(text, at)| (at, place.clone(), text, Some("f"))).collect();
        assert_eq!(told(&messages, 200), ["0 a 0", "60 c 1", "120 d 0", "180 e 0"]);
        assert_eq!(told(&messages[..3], 59), ["0 a 0", "end c 1"]);
    }

    #[test]
    fn another_kind_of_finding_is_not_the_same_though_all_are_told_at_one_place() {
        let (place, now) = (place!(), Instant::now());
        let (mut recent, mut told) = (Recent::new(), Vec::new());
        for (kind, text) in [("inotify", "a"), ("links", "b"), ("inotify", "a"), ("inotify", "c")] {
            let message = Message { kind: Some(kind.to_owned()), ..message(text, None) };
            recent.admit(place.clone(), message, now, |message| told.push(message.text));
        }
        // Of those that are about no file each text is one of its own.
        assert_eq!(told, ["a", "b", "c"]);
    }

    #[test]
    fn another_file_and_another_place_are_not_the_same() {
        let (one, other) = (place!(), place!());
        assert!(one != other);
        let messages = [
            (0, one.clone(), "a", Some("f")),
            (0, one.clone(), "b", Some("g")),
            (0, other, "c", Some("f")),
            (1, one, "d", None),
        ];
        assert_eq!(told(&messages, 100), ["0 a 0", "0 b 0", "0 c 0", "1 d 0"]);
    }

    #[test]
    fn what_makes_room_is_told_before() {
        let place = place!();
        let files: Vec<_> = (0..=DIFFERENT_MAX).map(|number| number.to_string()).collect();
        let mut messages = vec![(0, place.clone(), "first", Some("0")), (0, place.clone(), "again", Some("0"))];
        messages.extend(files[1..].iter().map(|file| (1, place.clone(), "other", Some(&**file))));
        let told = told(&messages, 1);
        assert_eq!(told.len(), 2 + DIFFERENT_MAX);
        assert_eq!((&*told[0], &*told[DIFFERENT_MAX]), ("0 first 0", "1 again 0"));
    }
}
