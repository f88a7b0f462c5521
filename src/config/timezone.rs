//! `TIMEZONE`: an offset, rules, or a name of zoneinfo.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

use crate::format::{TABLE_BYTES_MAX, Zone};
use crate::paths::beneath::Links;
use crate::paths::roots::Roots;

/// Where the tables of zones are, in an image or mounted.
const ZONEINFO: &str = "/usr/share/zoneinfo";

/// Returns the zone that a text names.
///
/// # Errors
/// Why it is none, and what would be.
pub(super) fn find(text: &str) -> Result<Zone, String> {
    find_in(Path::new(ZONEINFO), text)
}

fn find_in(directory: &Path, text: &str) -> Result<Zone, String> {
    // As the C library has it.
    let text = text.strip_prefix(':').unwrap_or(text);
    if let Some(zone) = Zone::parse(text) {
        return Ok(zone);
    }
    let name = Path::new(text);
    let is_name = text.len() <= 64
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && !text.contains(',')
        && name.components().all(|part| matches!(part, Component::Normal(_)));
    if !is_name {
        let shown: String = text.chars().take(64).collect();
        return Err(format!(
            "{shown:?} is not a time zone; use an offset (+01:00), a POSIX TZ string (CET-1CEST,M3.5.0,M10.5.0/3) or a name \
             (Europe/Berlin)"
        ));
    }
    let way_out = "mount zoneinfo there, or use an offset (+01:00) or a POSIX TZ string (CET-1CEST,M3.5.0,M10.5.0/3)";
    let bytes = read(directory, name).map_err(|why| {
        format!("cannot read the rules of {text:?} in {}: {}; {way_out}", directory.display(), plain(&why))
    })?;
    Zone::of_table(&bytes)
        .ok_or_else(|| format!("the file {text:?} in {} has no rules of a time zone; {way_out}", directory.display()))
}

/// Reads a table, through the door: no link that leads out, nothing but a regular file, and no more than a table has.
fn read(directory: &Path, name: &Path) -> io::Result<Vec<u8>> {
    let (file, _) = Roots::new(Links::Inside).open(directory)?.open_file(name)?;
    let mut bytes = Vec::new();
    File::from(file).take(TABLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn plain(why: &io::Error) -> String {
    let text = why.to_string();
    text.split_once(" (os error").map_or(&*text, |(text, _)| text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn names_are_read_through_the_door_and_nothing_else_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let [inside, outside] = ["zones", "other"].map(|name| dir.path().join(name));
        fs::create_dir(&inside).expect("new");
        // One of version 2 without a time, with one type.
        let header = |types: u8| [&b"TZif2"[..], &[0; 15], &[0; 16], &[0, 0, 0, types], &[0; 4]].concat();
        let table = [header(0), header(1), vec![0; 6], b"\nCET-1\n".to_vec()].concat();
        fs::write(&outside, &table).expect("written");
        fs::write(inside.join("Good"), &table).expect("written");
        fs::write(inside.join("Forged"), b"TZif2 and more").expect("written");
        fs::write(inside.join("Large"), vec![b'T'; 1 << 20]).expect("written");
        rustix::fs::mkfifoat(rustix::fs::CWD, inside.join("Fifo"), rustix::fs::Mode::RWXU).expect("new");
        symlink("Good", inside.join("Same")).expect("new");
        symlink(&outside, inside.join("Out")).expect("new");
        for name in ["Good", "Same", ":Good"] {
            assert!(matches!(find_in(&inside, name), Ok(Zone::Table(_))), "{name}: {:?}", find_in(&inside, name));
        }
        let long = "x".repeat(4096);
        for name in [
            "Forged",
            "Large",
            "Fifo",
            "Out",
            "Missing",
            "../other",
            "/etc/passwd",
            ":/etc/passwd",
            "::Good",
            ":",
            "a/../../other",
            "",
            "+1:",
            &long,
        ] {
            let why = find_in(&inside, name).expect_err(name);
            assert!(why.contains("; mount") || why.contains("; use an offset"), "{why}");
            assert!(why.len() < 400, "{why}");
        }
        assert_eq!(find_in(&inside, "+01:00"), Ok(Zone::Fixed(3_600)));
    }
}
