//! The source's own rules: imports point downward, within a room too; a room's front has no code; a name is one type's.
//!
//! The order is that of the `mod` lines, from the ground up, in `src/lib.rs` and in each room's `mod.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module's path below the crate, and its source without its tests.
struct Module {
    path: Vec<String>,
    source: String,
    is_front: bool,
}

/// Returns every module in reading order: a room's front, then what it lists.
fn modules(directory: &Path, front: &str, path: &[String]) -> Vec<Module> {
    let source = fs::read_to_string(directory.join(front)).unwrap_or_else(|why| panic!("{front}: {why}"));
    let names: Vec<String> = declared(&source).map(ToOwned::to_owned).collect();
    let mut all = vec![Module { path: path.to_vec(), source: without_tests(&source), is_front: true }];
    for name in names {
        let path = [path, std::slice::from_ref(&name)].concat();
        if directory.join(&name).is_dir() {
            all.extend(modules(&directory.join(&name), "mod.rs", &path));
        } else {
            let source = fs::read_to_string(directory.join(format!("{name}.rs"))).expect("a file of this name");
            all.push(Module { path, source: without_tests(&source), is_front: false });
        }
    }
    all
}

fn all_modules() -> Vec<Module> {
    let all = modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "lib.rs", &[]);
    assert!(all.len() > 60, "the rooms list their modules");
    all
}

/// Returns the names of the modules that a source declares.
fn declared(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let line =
            ["pub(crate) ", "pub(super) ", "pub "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    })
}

/// Tests may import what they like.
fn without_tests(source: &str) -> String {
    source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// Returns every path that a module imports or writes out, from the crate's root on.
fn imports(module: &[String], source: &str, is_front: bool) -> Vec<Vec<String>> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let uses = code.split("use ").skip(1).filter_map(|rest| Some(expanded(rest.split_once(';')?.0.trim())));
    let written_out = code.split("crate::").skip(1).map(|rest| format!("crate::{rest}"));
    let written_out = written_out.map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        rest[..end].trim_end_matches(':').to_owned()
    });
    uses.flatten().chain(written_out).filter_map(|path| resolved(&path, module, is_front)).collect()
}

/// Returns the paths of one `use`, its braces expanded.
fn expanded(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| expanded(&format!("{before}{part}"))).collect()
}

/// Returns a path from the crate's root on; `None` if it leads to another crate.
fn resolved(path: &str, module: &[String], is_front: bool) -> Option<Vec<String>> {
    let path = path.split(" as ").next().unwrap_or_default();
    let mut words = path.split("::").map(str::trim).peekable();
    // `super` is relative to the module, for a front as for a file.
    let mut here = module.to_vec();
    match words.next()? {
        "crate" => here.clear(),
        "self" => {}
        "super" => {
            here.pop();
            while words.peek() == Some(&"super") {
                words.next();
                here.pop();
            }
        }
        // A front names its children without a word in front.
        first if is_front => here.push(first.to_owned()),
        _ => return None,
    }
    here.extend(words.map(ToOwned::to_owned));
    Some(here)
}

/// Returns every import that does not point to what is listed earlier.
fn upward(all: &[Module]) -> BTreeSet<String> {
    let order: BTreeMap<&[String], usize> = all.iter().enumerate().map(|(at, one)| (&*one.path, at)).collect();
    let mut found = BTreeSet::new();
    for module in all.iter().filter(|module| !module.path.is_empty()) {
        for import in imports(&module.path, &module.source, module.is_front) {
            let ancestors = (0..=import.len()).rev().map(|end| &import[..end]);
            let Some(target) = ancestors.clone().find(|path| order.contains_key(path)) else { continue };
            let common = target.iter().zip(&module.path).take_while(|(one, other)| one == other).count();
            let is_own = target == module.path || (module.is_front && common == module.path.len());
            // What is earlier is decided where the two paths part; a front that is above both is upward.
            let is_earlier = target.len() > common
                && order[&target[..=common]] < order[&module.path[..=common.min(module.path.len() - 1)]];
            if !is_own && !is_earlier {
                found.insert(format!("{} imports {}", module.path.join("::"), import.join("::")));
            }
        }
    }
    found
}

#[test]
fn imports_point_downward() {
    assert_eq!(upward(&all_modules()), BTreeSet::new());
}

#[test]
fn a_front_has_no_code() {
    let is_code = |line: &&str| {
        let words = [
            "//",
            "#![",
            "mod ",
            "pub mod ",
            "pub(crate) mod ",
            "pub(super) mod ",
            "pub use ",
            "pub(crate) use ",
            "pub(super) use ",
            "use ",
            " ",
            "}",
        ];
        !line.is_empty() && !words.iter().any(|word| line.starts_with(word))
    };
    for module in all_modules().iter().filter(|module| module.is_front) {
        let code: Vec<&str> = module.source.lines().filter(is_code).collect();
        assert_eq!(code, Vec::<&str>::new(), "{}", module.path.join("::"));
    }
}

/// Returns the names of the types that a source defines.
fn types(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub").map_or(line, |rest| rest.trim_start_matches(|c| c != ' ').trim_start());
        let name = ["struct ", "enum ", "trait ", "union "].iter().find_map(|word| line.strip_prefix(word))?;
        name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
    })
}

#[test]
fn no_two_types_have_the_same_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for module in all_modules() {
        for name in types(&module.source) {
            places.entry(name.to_owned()).or_default().push(module.path.join("::"));
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert_eq!(places, BTreeMap::new());
}

#[test]
fn no_two_modules_have_the_same_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for module in all_modules().iter().filter(|module| !module.path.is_empty()) {
        places.entry(module.path[module.path.len() - 1].clone()).or_default().push(module.path.join("::"));
    }
    places.retain(|_, places| places.len() > 1);
    assert_eq!(places, BTreeMap::new());
}

/// `unsafe` stands in these alone, each with its reason.
const UNSAFE: [&str; 3] = ["sys::heap", "sys::readiness", "format::fast::vector"];

#[test]
fn unsafe_stands_where_it_is_said_to() {
    let has_unsafe = |module: &Module| module.source.contains("allow(unsafe_code");
    let found: Vec<_> =
        all_modules().iter().filter(|module| has_unsafe(module)).map(|one| one.path.join("::")).collect();
    assert_eq!(found, UNSAFE);
}

fn module(path: &str, source: &str, is_front: bool) -> Module {
    let path = path.split("::").map(ToOwned::to_owned).collect();
    Module { path, source: source.to_owned(), is_front }
}

/// A room `low` with two files, a room `high` with a folder.
fn house(source: impl Fn(&str) -> &'static str) -> Vec<Module> {
    let paths = ["low", "low::first", "low::second", "high", "high::inner", "high::inner::deep", "high::top"];
    paths.iter().map(|path| module(path, source(path), ["low", "high", "high::inner"].contains(path))).collect()
}

#[test]
fn an_upward_import_is_found() {
    for (at, source, expected) in [
        ("low::first", "use crate::high::top::Thing;", 1),
        ("low::first", "use super::second::Thing;", 1),
        ("low::first", "use super::{\n    second::{A, B},\n};", 2),
        ("low::first", "use crate::low::Thing;", 1),
        ("low::first", "fn f() { crate::high::top::f() }", 1),
        ("high::inner::deep", "use super::super::top::Thing;", 1),
        ("high::inner", "use crate::high::top;", 1),
        ("low::second", "use super::first::Thing;", 0),
        ("low", "pub use second::Thing;", 0),
        ("high::inner::deep", "use crate::low::Thing;\nuse crate::{low, sys};", 0),
        ("high::top", "use super::inner::deep::Thing;\nuse super::inner;", 0),
        ("high::top", "// as in crate::commands\nuse std::fs;", 0),
    ] {
        let found = upward(&house(|path| if path == at { source } else { "" }));
        assert_eq!(found.len(), expected, "{at}: {source}: {found:?}");
    }
}

#[test]
fn types_are_found() {
    let source = "pub struct One {\n    enum Two<T> {\npub(super) enum Three {\n// struct Four\nlet structure = 5;\n";
    assert_eq!(types(source).collect::<Vec<_>>(), ["One", "Two", "Three"]);
}
