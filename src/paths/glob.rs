//! Patterns of paths: the syntax of `PATHS` and `EXCLUDE` and of a rule's `file:`.
//!
//! Pure: it matches names and never looks at a disk. Matching one name against one component is `fast-glob`'s work; ours
//! is what a walk over directories needs: the fixed directory in front, components one by one, braces across slashes.
//!
//! Invariant: a component that is a glob never matches a name with a leading dot unless the glob has it too, as in a
//! shell. So `**` does not enter hidden directories, our own `.sidetail` among them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component as PathComponent, Path, PathBuf};

/// How many patterns the braces of one pattern may expand to: `{a,b}` six times is 64.
const EXPANSIONS_MAX: usize = 256;

/// The file names that compressors leave, in lower case: a log that ends so was streamed before it was compressed.
const COMPRESSED: [&str; 13] =
    [".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".z", ".tgz", ".br", ".7z", ".lzma", ".lzo", ".rar"];

/// What stands behind those while a compressor works, or when it was to keep what had the name.
const UNFINISHED: [&str; 4] = [".tmp", ".part", ".partial", "~"];

/// One pattern without braces: a fixed directory, and what must match beneath it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The directory before the first component that is a glob; for a plain path, its parent. Absolute.
    pub(crate) root: PathBuf,
    /// The same before the braces were expanded: `/var/log` of `/var/log/{a,b}/x.log`.
    pub(crate) base: PathBuf,
    /// What follows, one component a directory level; never empty.
    pub(crate) components: Vec<Component>,
}

/// One directory level of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Component {
    /// This very name.
    Name(OsString),
    /// A name that the glob matches.
    Glob(Vec<u8>),
    /// `**`: any number of directories, none included.
    Deep,
}

impl Component {
    /// Returns whether a single name matches; `Deep` matches the names that `**` may pass through.
    #[must_use]
    pub(crate) fn matches(&self, name: &OsStr) -> bool {
        let bytes = name.as_bytes();
        match self {
            Self::Name(literal) => literal == name,
            Self::Glob(glob) => {
                let states_the_dot = glob.starts_with(b".") || glob.starts_with(b"\\.");
                (states_the_dot || !bytes.starts_with(b".")) && fast_glob::glob_match(glob, bytes)
            }
            Self::Deep => !bytes.starts_with(b"."),
        }
    }
}

impl Pattern {
    /// Returns the patterns that `text` stands for: one, or one for each expansion of its braces.
    ///
    /// A relative pattern is taken beneath `cwd`, which must be absolute.
    ///
    /// # Errors
    /// Returns what is wrong and the way out: an empty pattern, an unclosed `[` or `{`, more than 256 expansions, a `..` behind
    /// a glob, a `/` at the end.
    pub fn parse(text: &[u8], cwd: &Path) -> Result<Vec<Self>, String> {
        if text.is_empty() {
            return Err("the pattern is empty; use a path such as /var/log/*.log".to_owned());
        }
        fast_glob::validate(text).map_err(|wrong| invalid(&wrong.to_string()))?;
        let mut expansions = Vec::new();
        expand_braces(text.to_vec(), &mut expansions)?;
        let mut patterns: Vec<Self> =
            expansions.iter().map(|one| Self::parse_one(one, cwd)).collect::<Result<_, _>>()?;
        if let Some((open, ..)) = first_braces(text) {
            let before = memchr::memrchr(b'/', &text[..open]).map_or(&b"./"[..], |slash| &text[..=slash]);
            // Any name will do: what counts is the directory that it is in.
            let base = Self::parse_one(&[before, b"x"].concat(), cwd)?.root;
            patterns.iter_mut().for_each(|pattern| pattern.base.clone_from(&base));
        }
        Ok(patterns)
    }

    fn parse_one(text: &[u8], cwd: &Path) -> Result<Self, String> {
        if text.ends_with(b"/") {
            return Err("this is a directory; name its files, as in DIR/*.log".to_owned());
        }
        let mut root = if text.starts_with(b"/") { PathBuf::from("/") } else { cwd.to_owned() };
        let mut components: Vec<Component> = Vec::new();
        let parts = text.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
        for part in parts {
            check_component(part)?;
            match component(part) {
                Component::Name(name) if name == ".." && !components.is_empty() => {
                    return Err("`..` after a wildcard is not supported; write the directory in full".to_owned());
                }
                Component::Name(name) if components.is_empty() => root.push(name),
                Component::Deep if components.last() == Some(&Component::Deep) => {}
                next => components.push(next),
            }
        }
        if components.last() == Some(&Component::Deep) {
            components.push(Component::Glob(b"*".to_vec()));
        }
        if components.is_empty() {
            let name = root.file_name().ok_or("this is a directory; name its files, as in DIR/*.log")?.to_owned();
            root.pop();
            components.push(Component::Name(name));
        }
        Ok(Self { base: root.clone(), root, components })
    }

    /// Returns it as it could have been written, absolute and without braces.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let mut path = self.root.clone();
        for component in &self.components {
            path.push(match component {
                Component::Name(name) => name,
                Component::Glob(glob) => OsStr::from_bytes(glob),
                Component::Deep => OsStr::new("**"),
            });
        }
        path.to_string_lossy().into_owned()
    }

    /// Returns whether the pattern, as a whole, matches an absolute path.
    #[must_use]
    pub fn matches(&self, path: &Path) -> bool {
        let Ok(rest) = path.strip_prefix(&self.root) else { return false };
        let mut names = Vec::with_capacity(self.components.len());
        for part in rest.components() {
            let PathComponent::Normal(name) = part else { return false };
            names.push(name);
        }
        matches_all(&self.components, &names)
    }
}

/// Returns whether the components match the names, in a time that grows with the product of their numbers: how deep the
/// directories are is the application's choice.
fn matches_all(components: &[Component], names: &[&OsStr]) -> bool {
    // Whether the components so far can match the first so many names.
    let mut reached = vec![false; names.len() + 1];
    reached[0] = true;
    for component in components {
        let mut next = vec![false; names.len() + 1];
        for (index, name) in names.iter().enumerate() {
            next[index + 1] = match component {
                Component::Deep => reached[index + 1] || ((next[index] || reached[index]) && component.matches(name)),
                _ => reached[index] && component.matches(name),
            };
        }
        next[0] = reached[0] && *component == Component::Deep;
        reached = next;
    }
    reached[names.len()]
}

/// A glob on names: against the base name, or against the whole path if it has a `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameGlob {
    /// One for each expansion of its braces.
    globs: Vec<Vec<u8>>,
    whole_path: bool,
}

impl NameGlob {
    /// Returns the glob of a text such as `*.log` (base name), `/var/log/nginx/*` (whole path) or `nginx/*.log`
    /// (the end of the path).
    ///
    /// # Errors
    /// Returns what is wrong: an empty glob, an unclosed `[` or `{`.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the glob is empty; use one such as *.log".to_owned());
        }
        fast_glob::validate(text)
            .map_err(|wrong| format!("{:?}: {}", String::from_utf8_lossy(text), invalid(&wrong.to_string())))?;
        let shown = String::from_utf8_lossy(text).into_owned();
        let text = text.strip_prefix(b"./").unwrap_or(text);
        if text.ends_with(b"/") {
            return Err(format!("{shown:?}: this is a directory; name its files, as in DIR/**"));
        }
        for part in text.split(|byte| *byte == b'/') {
            if part == b".." {
                return Err(format!("{shown:?}: `..` is not supported here; write the path in full"));
            }
        }
        let whole_path = text.contains(&b'/');
        let mut globs = Vec::new();
        expand_braces(text.to_vec(), &mut globs).map_err(|why| format!("{shown:?}: {why}"))?;
        for glob in &mut globs {
            *glob = if whole_path && !glob.starts_with(b"/") { [b"**/", &**glob].concat() } else { plain(glob) };
        }
        Ok(Self { globs, whole_path })
    }

    /// Returns a path of the only name that it matches; `None` if there may be several.
    #[must_use]
    pub(crate) fn literal(&self) -> Option<PathBuf> {
        let [glob] = &*self.globs else { return None };
        let is_literal = !self.whole_path && !glob.iter().any(|byte| b"*?[\\".contains(byte));
        is_literal.then(|| Path::new("/").join(OsStr::from_bytes(glob)))
    }

    /// Returns whether the glob matches the file at this absolute path.
    #[must_use]
    pub fn matches(&self, path: &Path) -> bool {
        let subject = if self.whole_path { Some(path.as_os_str()) } else { path.file_name() };
        let matches = |subject: &OsStr| self.globs.iter().any(|glob| fast_glob::glob_match(glob, subject.as_bytes()));
        subject.is_some_and(matches)
    }
}

/// Why a file that a pattern matches is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// `EXCLUDE` names it.
    Excluded,
    /// It has the name of a compressed file.
    Compressed,
}

impl LeftOut {
    /// Returns the reason, for people.
    #[must_use]
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Excluded => "excluded by SIDETAIL_EXCLUDE",
            Self::Compressed => "compressed",
        }
    }
}

/// Returns whether a path has the name of a compressed file; such files are never followed.
#[must_use]
pub fn is_compressed(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes().to_ascii_lowercase();
    let name = UNFINISHED.iter().find_map(|suffix| name.strip_suffix(suffix.as_bytes())).unwrap_or(&name);
    // `app.log.gz.1`: numbered behind what the compressor added.
    let numbered = memchr::memrchr(b'.', name).filter(|dot| *dot + 1 < name.len());
    let numbered = numbered.filter(|dot| name[dot + 1..].iter().all(u8::is_ascii_digit)).map(|dot| &name[..dot]);
    [Some(name), numbered]
        .into_iter()
        .flatten()
        .any(|name| COMPRESSED.iter().any(|suffix| name.ends_with(suffix.as_bytes())))
}

/// Returns the patterns of a list separated by newlines, or by commas outside braces; blanks around them and empty
/// ones are left out. `\,` is a comma that does not separate.
#[must_use]
pub fn split_list(text: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut escaped) = (0, 0_usize, false);
    for (index, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'\n' => {
                parts.push(&text[start..index]);
                (start, depth) = (index + 1, 0);
            }
            b',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(<[u8]>::trim_ascii).filter(|part| !part.is_empty()).collect()
}

/// Returns what is wrong with a glob, with the way out if the matcher does not say it.
fn invalid(wrong: &str) -> String {
    let way_out = if wrong.contains("limit") { "; use fewer braces, or several patterns" } else { "" };
    format!("{wrong}{way_out}")
}

/// Refuses what would be accepted and never match, or match something else than it seems to.
fn check_component(text: &[u8]) -> Result<(), String> {
    fast_glob::validate(text).map_err(|_| "a `[` class cannot contain a `/`; write the directories out".to_owned())?;
    if text.len() > 2 && text.windows(2).any(|pair| pair == b"**") {
        return Err("`**` must stand alone between slashes; use **/*.log for files in all directories below".to_owned());
    }
    Ok(())
}

/// Returns the kind of one component's text.
fn component(text: &[u8]) -> Component {
    if text == b"**" {
        return Component::Deep;
    }
    let mut literal = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' => return Component::Glob(plain(text)),
            b'\\' => literal.extend(bytes.next()),
            _ => literal.push(byte),
        }
    }
    Component::Name(OsString::from_vec(literal))
}

/// Returns a glob in which a `!` in front is a plain character: `fast-glob` would negate the whole glob.
fn plain(glob: &[u8]) -> Vec<u8> {
    if glob.starts_with(b"!") { [b"\\", glob].concat() } else { glob.to_vec() }
}

/// Appends every expansion of the braces in `text`, in the order in which they are written.
fn expand_braces(text: Vec<u8>, expansions: &mut Vec<Vec<u8>>) -> Result<(), String> {
    let Some((open, commas, close)) = first_braces(&text) else {
        if expansions.len() == EXPANSIONS_MAX {
            return Err(format!("the braces expand to more than {EXPANSIONS_MAX} patterns; use fewer, or `*`"));
        }
        expansions.push(text);
        return Ok(());
    };
    let mut start = open + 1;
    for end in commas.into_iter().chain([close]) {
        let one = [&text[..open], &text[start..end], &text[close + 1..]].concat();
        expand_braces(one, expansions)?;
        start = end + 1;
    }
    Ok(())
}

/// Returns where the first braces open, where their own commas are and where they close.
fn first_braces(text: &[u8]) -> Option<(usize, Vec<usize>, usize)> {
    let (mut open, mut commas, mut depth) = (None, Vec::new(), 0_usize);
    let (mut escaped, mut in_class) = (false, false);
    for (index, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b']' if in_class => in_class = false,
            _ if in_class => {}
            b'[' => in_class = true,
            b'{' => {
                depth += 1;
                open.get_or_insert(index);
            }
            b',' if depth == 1 => commas.push(index),
            b'}' if depth == 1 => return open.map(|open| (open, commas, index)),
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, path: &str, expected: bool) {
        let patterns = Pattern::parse(pattern.as_bytes(), Path::new("/work")).expect(pattern);
        let matched = patterns.iter().any(|one| one.matches(Path::new(path)));
        assert_eq!(matched, expected, "{pattern} against {path}");
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        check("/var/log/*.log", "/var/log/a.log", true);
        check("/var/log/*.log", "/var/log/sub/a.log", false);
        check("/var/log/*.log", "/var/log/.hidden.log", false);
        check("/var/log/.*.log", "/var/log/.hidden.log", true);
        check("/var/log/**/*.log", "/var/log/a.log", true);
        check("/var/log/**/*.log", "/var/log/a/b/c.log", true);
        check("/var/log/**/*.log", "/var/log/.sidetail/c.log", false);
        check("/var/log/**/x/*.log", "/var/log/a/x/b/x/c.log", true);
        check("/var/log/**", "/var/log/a/b", true);
        check("/var/log/a?c[0-9].log", "/var/log/abc7.log", true);
        check("/var/log/a?c[!0-9].log", "/var/log/abc7.log", false);
        check("/var/{log,tmp/x}/*.{log,txt}", "/var/tmp/x/a.txt", true);
        check("/var/{log,tmp/x}/*.{log,txt}", "/var/log/a.txt", true);
        check("/var/{log,tmp/x}/*.{log,txt}", "/var/tmp/a.txt", false);
        check("/var/log/app.log", "/var/log/app.log", true);
        check("logs/*.log", "/work/logs/a.log", true);
        check("./a.log", "/work/a.log", true);
        check(r"/l/a\*.log", "/l/a*.log", true);
        check(r"/l/a\*.log", "/l/ab.log", false);
        check("/l/!a*", "/l/!ab", true);
        check("/l/!a*", "/l/b", false);
    }

    #[test]
    fn the_fixed_directory_ends_before_the_first_glob() {
        let root = |text: &str| Pattern::parse(text.as_bytes(), Path::new("/work")).expect(text)[0].root.clone();
        assert_eq!(root("/var/log/*/x/*.log"), Path::new("/var/log"));
        assert_eq!(root("/var/log/app.log"), Path::new("/var/log"));
        assert_eq!(root("/app.log"), Path::new("/"));
        assert_eq!(root("../x/*.log"), Path::new("/work/../x"));
    }

    #[test]
    fn names_are_shown_below_the_directory_before_the_first_brace() {
        let base = |text: &str| Pattern::parse(text.as_bytes(), Path::new("/work")).expect(text)[0].base.clone();
        assert_eq!(base("/var/log/{a,b}/x.log"), Path::new("/var/log"));
        assert_eq!(base("/var/log/*/{a,b}.log"), Path::new("/var/log"));
        assert_eq!(base("{a,b}/x.log"), Path::new("/work"));
        assert_eq!(base("/var/log/*.log"), Path::new("/var/log"));
    }

    #[test]
    fn unusable_patterns_say_why() {
        for (text, word) in [
            ("", "empty"),
            ("/var/log/", "directory"),
            ("/", "directory"),
            ("/var/log/[a", "lose"),
            ("/var/log/{a,b", "lose"),
            ("/a*/../b", ".."),
            ("/a/[b/c]d", "class"),
            ("/a/**.log", "stand alone"),
            ("/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "more than 256"),
        ] {
            let why = Pattern::parse(text.as_bytes(), Path::new("/")).expect_err(text);
            assert!(why.contains(word), "{text}: {why}");
        }
    }

    #[test]
    fn a_glob_without_a_slash_is_for_the_base_name() {
        let check = |glob: &str, path: &str| NameGlob::parse(glob.as_bytes()).expect(glob).matches(Path::new(path));
        assert!(check("2.log", "/var/log/2.log"));
        assert!(!check("2.log", "/var/log/12.log"));
        assert!(check("*.{log,txt}", "/var/log/a.txt"));
        assert!(check("/var/log/nginx/*", "/var/log/nginx/a.log"));
        assert!(check("nginx/*", "/var/log/nginx/a.log"));
        assert!(!check("nginx/*", "/var/log/other/a.log"));
        assert!(check("/var/**/a.log", "/var/log/nginx/a.log"));
    }

    #[test]
    fn no_pattern_takes_long() {
        let deep = format!("/{}", "a/".repeat(40));
        check(&format!("/{}b", "**/a/".repeat(20)), &format!("{deep}c"), false);
        check(&format!("/{}a", "**/a/".repeat(20)), &format!("{deep}a"), true);
        assert!(NameGlob::parse("{a,aa,*}".repeat(10).as_bytes()).expect_err("too many").contains("more than 256"));
    }

    #[test]
    fn what_a_compressor_leaves_or_is_at_is_compressed() {
        for name in [
            "a.gz",
            "a.GZ",
            "a.Z",
            "a.gz.1",
            "a.1.gz",
            "a.gz.tmp",
            "a.gz.part",
            "a.gz~",
            "a.br",
            "a.7z",
            "a.lzma",
            "a.7z.001",
        ] {
            assert!(is_compressed(&Path::new("/l").join(name)), "{name}");
        }
        for name in ["a.log", "a.log.1", "a.log.tmp", "gz", "a.gz.log", "a.zone", "a.1", "a~", "a.gz.", "a."] {
            assert!(!is_compressed(&Path::new("/l.gz").join(name)), "{name}");
        }
    }

    #[test]
    fn lists_are_split_at_newlines_and_outer_commas() {
        let parts = split_list(b" /a/{b,c}.log, /d\n\n/e\\,f ,");
        assert_eq!(parts, [&b"/a/{b,c}.log"[..], b"/d", b"/e\\,f"]);
    }
}
