//! The source's own rules: imports point downward, as the map in `src/lib.rs` lists the floors.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the modules in the order of `src/lib.rs`, which is from the ground up.
fn modules(lib: &str) -> Vec<String> {
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(ToOwned::to_owned).collect()
}

/// Returns every import that does not point to a module listed earlier.
fn upward_imports(modules: &[String], module: &str, source: &str) -> Vec<String> {
    let floor = |name: &str| modules.iter().position(|one| one == name);
    let imports = source.lines().filter_map(|line| line.trim().strip_prefix("use crate::"));
    imports
        .filter(|import| {
            let names = import.trim_start_matches('{').split([',', '}']).map(str::trim);
            let names: Vec<_> = if import.starts_with('{') { names.collect() } else { vec![*import] };
            names.iter().filter(|name| !name.is_empty() && **name != ";").any(|name| {
                let name = name.split([':', ';', ' ']).next().unwrap_or_default();
                name != module && floor(name).is_none_or(|imported| Some(imported) >= floor(module))
            })
        })
        .map(|import| format!("{module}: use crate::{import}"))
        .collect()
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the sources").map(|entry| entry.expect("readable").path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn imports_point_downward() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules = modules(&fs::read_to_string(src.join("lib.rs")).expect("the map"));
    assert!(modules.len() > 10, "the map lists the modules: {modules:?}");
    let mut upward = Vec::new();
    for path in sources(&src) {
        let inside = path.strip_prefix(&src).expect("beneath it").with_extension("");
        let module = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        if module != "lib" && module != "main" {
            assert!(modules.contains(&module), "{module} is not in the map");
            upward.extend(upward_imports(&modules, &module, &fs::read_to_string(&path).expect("readable")));
        }
    }
    assert_eq!(upward, Vec::<String>::new());
}

#[test]
fn an_upward_import_is_found() {
    let modules = ["low", "high"].map(ToOwned::to_owned);
    assert_eq!(upward_imports(&modules, "low", "use crate::high::Thing;").len(), 1);
    assert_eq!(upward_imports(&modules, "low", "use crate::{log, high};").len(), 1);
    assert_eq!(upward_imports(&modules, "high", "use crate::low::Thing;\nuse crate::high::inner;").len(), 0);
}
