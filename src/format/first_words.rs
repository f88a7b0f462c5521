//! A level that stands at the very front of a line without a time, in a way that only some programs have.

use super::facility;
use super::level::Level;
use super::scan::Scan;

/// Returns the level that a line begins with:
///
/// - `E (1182) wifi: message` of ESP-IDF
/// - `kern  :err   : [   12.345678] message` of dmesg; `0024:err:module:function message` of Wine
/// - `100001.host!BBL.12.1.0: LIBTUX_CAT:1285: ERROR: message` of Tuxedo
/// - `(app:1234): Gtk-CRITICAL **: message` of GLib; `# ** Error: message`, `UVM_ERROR x.sv(12) @ 100: message` of simulators
/// - `M  *** ERROR => message` of SAP; `Error (12345): message` of Quartus; `error[E0382]: message` of Rust's compiler
/// - `app - ERROR - message`, `1.234567: ERROR: message`, `"2026-01-05 10:00:00","ERROR","message"`
/// - `[00007f0012345678] main input error: message` of VLC; `app: [ERROR] message`; `┌ Error: message` of Julia
pub(super) fn level(line: &[u8]) -> Option<Level> {
    let (scan, rest) = (Scan::new(line), line);
    match rest {
        [b'M', b' ', ..] => of_sap(rest),
        [letter @ b'A'..=b'Z', b' ', b'(', ..] => behind_letter(*letter, &rest[3..]),
        [b'0'..=b'9' | b'a'..=b'f', _, _, _, b':', ..] => of_wine(scan),
        [b'[', ..] if let Some(level) = of_sap(rest) => Some(level),
        [b'(' | b'*' | b'#', ..] => of_glib(rest).or_else(|| of_modelsim(rest)),
        [b'U', b'V', b'M', b'_', ..] => of_uvm(scan),
        [b'A'..=b'Z', b'a'..=b'z', ..] => before_number(scan),
        [b'0'..=b'9', ..] => of_tuxedo(scan).or_else(|| behind_elapsed(scan)),
        [b'"', ..] => of_csv(scan),
        [b'[', b'0'..=b'9' | b'a'..=b'f', ..] => behind_address(scan),
        [b'a'..=b'z', ..] => {
            let common = in_brackets_behind_name(scan).or_else(|| between_signs(scan));
            common.or_else(|| of_dmesg(scan)).or_else(|| of_rustc(scan))
        }
        [0xe2, 0x94, 0x8c, b' ', behind @ ..] => {
            let mut scan = Scan::new(behind);
            Level::from_word(scan.letters()).filter(|_| scan.eat(b':'))
        }
        _ => None,
    }
}

/// Returns the level that a line begins with whose time stands behind it: GLib's.
pub(super) fn level_before_time(line: &[u8]) -> Option<Level> {
    if line.first() == Some(&b'(') { of_glib(line) } else { None }
}

fn behind_letter(letter: u8, rest: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(rest);
    let is_uptime = scan.digits(1, 12).is_some() && scan.eat_all(b") ");
    if is_uptime && scan.token().ends_with(b":") { Level::from_letter(letter) } else { None }
}

fn of_wine(mut scan: Scan<'_>) -> Option<Level> {
    let thread = scan.while_is(|byte| byte.is_ascii_hexdigit());
    let is_thread = thread.len() == 4 && scan.eat(b':');
    let word = scan.letters();
    let is_class = is_thread && matches!(word, b"err" | b"warn" | b"trace");
    let is_channel = is_class && scan.eat(b':') && !scan.while_is(|byte| byte.is_ascii_alphanumeric()).is_empty();
    if is_channel && scan.eat(b':') { Level::from_word(word) } else { None }
}

/// Reads `100001.host!BBL.12.1.0: LIBTUX_CAT:1285: ERROR: message`.
fn of_tuxedo(mut scan: Scan<'_>) -> Option<Level> {
    let is_process = scan.digits(6, 6).is_some() && scan.eat(b'.') && scan.token().ends_with(b":") && scan.eat(b' ');
    let catalog = if is_process { scan.until(b':') } else { None };
    let is_message = catalog.is_some_and(|name| name.ends_with(b"_CAT")) && scan.digits(1, 6).is_some();
    let word = if is_message && scan.eat_all(b": ") { scan.letters() } else { b"" };
    if scan.eat(b':') { Level::from_word(word) } else { None }
}

/// Reads `app - ERROR - message` and `app | ERROR | message`.
fn between_signs(mut scan: Scan<'_>) -> Option<Level> {
    scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let sign: &[u8] = if scan.rest().starts_with(b" - ") { b" - " } else { b" | " };
    let word = if scan.eat_all(sign) { scan.while_is(|byte| byte.is_ascii_uppercase()) } else { b"" };
    scan.spaces();
    if scan.eat_all(sign.trim_ascii()) && scan.eat(b' ') { Level::from_word(word) } else { None }
}

/// Reads `1.234567: ERROR: message` and `1.234 ERROR message`, behind the seconds since the start.
fn behind_elapsed(mut scan: Scan<'_>) -> Option<Level> {
    scan.digits(1, 7)?;
    let is_fine = scan.eat(b'.') && scan.digits(3, 9).is_some();
    scan.eat(b':');
    let word = if scan.spaces() { scan.while_is(|byte| byte.is_ascii_uppercase()) } else { b"" };
    if scan.eat_all(b": ") || is_fine && scan.eat(b' ') { Level::from_word(word) } else { None }
}

/// Among how many fields of a table the level is looked for.
const FIELDS_MAX: usize = 4;

/// Reads `"2026-01-05 10:00:00","ERROR","message"`.
fn of_csv(mut scan: Scan<'_>) -> Option<Level> {
    let mut time = Scan::new(scan.between(b'"', b'"')?);
    (time.peek().is_ascii_digit() && time.any_time() && time.is_end()).then_some(())?;
    for _ in 0..FIELDS_MAX {
        scan.eat(b',').then_some(())?;
        if let Some(level) = Level::from_word(scan.between(b'"', b'"')?) {
            return Some(level);
        }
    }
    None
}

/// How much of a line is looked at for what stands behind some words, in bytes.
const NEAR_BYTES_MAX: usize = 160;

fn near(line: &[u8]) -> &[u8] {
    &line[..line.len().min(NEAR_BYTES_MAX)]
}

/// Reads `(app:1234): Gtk-CRITICAL **: 10:00:00.123: message` and `** (process:12): WARNING **: message`.
fn of_glib(line: &[u8]) -> Option<Level> {
    let front = &line[..memchr::memmem::find(near(line), b" **: ")?];
    let word = front.rsplit(|byte| matches!(byte, b' ' | b'-')).next()?;
    if word.iter().all(u8::is_ascii_uppercase) { Level::from_word(word) } else { None }
}

/// Reads `# ** Error: message`, a simulator's.
fn of_modelsim(line: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(line.strip_prefix(b"# ").unwrap_or(line).strip_prefix(b"** ")?);
    let word = scan.letters();
    if scan.eat_all(b": ") { Level::from_word(word) } else { None }
}

/// Reads `UVM_ERROR app.sv(12) @ 100: reporter [X] message`; without the time it is a count.
fn of_uvm(mut scan: Scan<'_>) -> Option<Level> {
    let is_timed = memchr::memmem::find(near(scan.rest()), b" @ ").is_some();
    scan.skip(4);
    let word = scan.letters();
    if is_timed && scan.eat(b' ') { Level::from_word(word) } else { None }
}

/// Reads `M  *** ERROR => message` and `[Thr 12] *** ERROR => message`, of SAP's traces.
fn of_sap(line: &[u8]) -> Option<Level> {
    const MARK: &[u8] = b"*** ERROR => ";
    let at = memchr::memmem::find(near(line), MARK)?;
    let is_front = at <= 3 || line[..at].ends_with(b"] ") && line.starts_with(b"[Thr ");
    is_front.then_some(Level::Error)
}

/// Reads `Error (12345): message`, Quartus'.
fn before_number(mut scan: Scan<'_>) -> Option<Level> {
    let word = scan.letters();
    let is_numbered = scan.eat_all(b" (") && scan.digits(3, 8).is_some() && scan.eat_all(b"): ");
    if is_numbered { Level::from_word(word) } else { None }
}

/// Reads `error[E0382]: message`, the compiler's.
fn of_rustc(mut scan: Scan<'_>) -> Option<Level> {
    let is_numbered = scan.eat_all(b"error[E") && scan.digits(4, 4).is_some() && scan.eat_all(b"]: ");
    is_numbered.then_some(Level::Error)
}

/// How many words of letters stand before the level, at most.
const VLC_WORDS_MAX: usize = 4;

fn behind_address(mut scan: Scan<'_>) -> Option<Level> {
    let address = scan.between(b'[', b']')?;
    let is_address = address.len() >= 8 && address.iter().all(u8::is_ascii_hexdigit) && scan.eat(b' ');
    is_address.then_some(())?;
    for index in 0..=VLC_WORDS_MAX {
        let word = scan.while_is(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if word.is_empty() {
            return None;
        }
        if index > 1 && scan.eat(b':') {
            return Level::from_word(word);
        }
        scan.eat(b' ').then_some(())?;
    }
    None
}

fn of_dmesg(mut scan: Scan<'_>) -> Option<Level> {
    let facility = scan.while_is(|byte| byte.is_ascii_alphanumeric());
    if !facility::is_name(facility) {
        return None;
    }
    scan.spaces();
    let word = if scan.eat(b':') { scan.letters() } else { b"" };
    scan.spaces();
    if scan.eat_all(b": ") { Level::from_word(word) } else { None }
}

fn in_brackets_behind_name(mut scan: Scan<'_>) -> Option<Level> {
    let name = scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    scan.between(b'[', b']');
    if name.is_empty() || !scan.eat_all(b": [") {
        return None;
    }
    let word = scan.while_is(|byte| byte.is_ascii_uppercase());
    if scan.eat_all(b"] ") { Level::from_word(word) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_of_some_programs_state_a_level() {
        let check = |line: &str, expected: Option<Level>| assert_eq!(level(line.as_bytes()), expected, "{line}");
        check("E (1182) esp-tls: no route", Some(Level::Error));
        check("kern  :err   : [   12.345678] x", Some(Level::Error));
        check("0024:err:module:import_dll x", Some(Level::Error));
        check("100001.host!BBL.12.1.0: LIBTUX_CAT:1285: ERROR: x", Some(Level::Error));
        check("[00007f0012345678] main input error: x", Some(Level::Error));
        check("app: [ERROR] x", Some(Level::Error));
        check("app[12]: [ERROR] x", Some(Level::Error));
        check("(app:1234): Gtk-CRITICAL **: 10:00:00.123: x", Some(Level::Critical));
        check("** (process:12): WARNING **: x", Some(Level::Warn));
        check("# ** Error: x", Some(Level::Error));
        check("UVM_ERROR x.sv(12) @ 100: reporter [X] y", Some(Level::Error));
        check("M  *** ERROR => x", Some(Level::Error));
        check("[Thr 12] *** ERROR => x", Some(Level::Error));
        check("Error (12345): x", Some(Level::Error));
        check("error[E0382]: x", Some(Level::Error));
        check("app - ERROR - x", Some(Level::Error));
        check("app.jobs | WARNING  | x", Some(Level::Warn));
        check("1.234567: ERROR: x", Some(Level::Error));
        check("1.234 ERROR x", Some(Level::Error));
        check("\"2026-01-05 10:00:00\",\"app\",\"Error\",\"x\"", Some(Level::Error));
        check("\u{250c} Error: x", Some(Level::Error));
        for line in [
            "E (x) y: z",
            "E (1) z",
            "E: drive is full",
            "C: The drive",
            "F: [x] y",
            "kernel: err: x",
            "0024:error:x",
            "12:err:a:b",
            "[12] main input error: x",
            "[00007f0012345678] error: x",
            "app: [error] x",
            "(app:1234): ERROR of none **: x of errors",
            "** ERROR was **",
            "UVM_ERROR :    3",
            "Maybe *** ERROR => x",
            "Error (none): x",
            "error[0]: x",
            "app - error - x",
            "app - ERROR of x",
            "3 ERROR x",
            "1.2 ERROR x",
            "\"ERROR\",\"x\"",
            "\"2026-01-05 10:00:00\",\"a\",\"b\",\"c\",\"d\",\"ERROR\"",
            "found [ERROR] in the page",
            "",
            "E",
            "E ",
        ] {
            check(line, None);
        }
    }
}
