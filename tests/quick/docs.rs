//! README, docs/, `--help` and pod specs say what the program does: the tables are the table's, links lead somewhere, and
//! every configuration that is shown is one. The commands are run in docs_commands.rs.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use sidetail::config::{Config, PREFIX, TABLE};
use sidetail::disk::policy::Budget;
use sidetail::sys::units::quantity;

use crate::support::markdown::{document, documents, path_of};
use crate::support::program::{Program, command};

/// A new user reads no more than this.
const README_LINES_MAX: usize = 200;

#[test]
fn the_readme_is_short() {
    let lines = document("README.md").text.lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines; move something to docs/");
}

/// A cell of a default, as it is shown.
fn shown_default(default: &str) -> String {
    if default.is_empty() { "none".to_owned() } else { format!("`{default}`") }
}

#[test]
fn the_docs_have_the_table_of_variables() {
    let row = |name: &str, default: &str, help: &str, example: &str| {
        let example = example.replace('|', "\\|");
        format!("| `{PREFIX}{name}` | {} | {help} | `{example}` |\n", shown_default(default))
    };
    let table: String = TABLE.iter().map(|one| row(one.name, one.default, one.help, one.example)).collect();
    let docs = document("docs/configuration.md").text;
    let found: String = docs.split_inclusive('\n').filter(|line| line.starts_with("| `SIDETAIL_")).collect();
    assert_eq!(found, table, "the table of docs/configuration.md should be:\n{table}");
}

#[test]
fn the_variables_of_the_readme_have_these_defaults() {
    let readme = document("README.md");
    let (_, table) = &readme.tables()[0];
    assert_eq!(table.len(), 2 + 8, "{table:?}");
    for row in &table[2..] {
        let name = row[0].trim_matches('`').strip_prefix(PREFIX).expect("a variable");
        let variable = TABLE.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("there is no {name}"));
        assert_eq!(row[1], shown_default(variable.default), "{name}");
    }
}

#[test]
fn help_names_every_variable_with_its_default() {
    let help = Program::spawn(command(&[]).arg("--help").stdout(Stdio::piped())).wait().stdout;
    for variable in TABLE {
        let default = if variable.default.is_empty() { "none" } else { variable.default };
        let line = format!("  {PREFIX}{} (default: {default})\n", variable.name);
        assert!(help.contains(&line), "{line}");
    }
}

/// The figures of README are those of docs/benchmarks.md, which `bench/` has printed.
#[test]
fn the_figures_of_the_readme_are_those_of_the_benchmarks() {
    let (readme, benchmarks) = (document("README.md").tables(), document("docs/benchmarks.md").tables());
    let mut compared = 0;
    for (_, table) in &readme {
        if table[0].get(1).is_none_or(|column| column != "sidetail") {
            continue;
        }
        for row in &table[2..] {
            let (caption, label) = row[0].split_once(": ").unwrap_or(("", &row[0]));
            let of_caption = benchmarks.iter().filter(|(text, _)| text.starts_with(caption));
            let mut rows = of_caption.flat_map(|(_, table)| table.iter().map(move |row| (&table[0], row)));
            let (header, found) =
                rows.find(|(_, row)| row[0] == label).unwrap_or_else(|| panic!("{} is nowhere", row[0]));
            for (column, cell) in table[0].iter().zip(row).skip(1) {
                let is_same = |one: &&String| *one == column || **one == format!("{column}, defaults");
                let at = header.iter().position(|one| is_same(&one)).expect("the column");
                assert_eq!(&found[at], cell, "{} of {column}", row[0]);
                compared += 1;
            }
        }
    }
    assert!(compared >= 40, "{compared}");
}

#[test]
fn the_readme_shows_the_sidecar_of_the_pod_spec() {
    let spec = document("examples/pod-specs/sidecar.yaml").text;
    let shown = document("README.md").blocks_of("yaml");
    assert_eq!(shown.len(), 1);
    assert!(spec.contains(&shown[0]), "sidecar.yaml has another one");
    assert!(!spec.contains("SIDETAIL_"), "the defaults are the point");
    let diff = document("README.md").blocks_of("diff").concat();
    for line in diff.lines().filter(|line| !line.starts_with('-')) {
        assert!(spec.contains(&format!("\n  {}\n", line[1..].strip_prefix("  ").expect("indented"))), "{line}");
    }
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut count = 0;
    let others = [
        "SECURITY.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "examples/README.md",
        "examples/drop-in/README.md",
        "examples/injection/README.md",
    ]
    .map(document);
    for from in documents().iter().chain(&others) {
        let links = from.links();
        for link in links.iter().filter(|link| !link.starts_with("https://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let directory = Path::new(&from.name).parent().expect("a file");
            let file = if file.is_empty() { Path::new(&from.name).to_owned() } else { directory.join(file) };
            assert!(path_of("").join(&file).exists(), "{}: {link}", from.name);
            let to = anchor.is_empty().then(Vec::new).unwrap_or_else(|| document(&file.to_string_lossy()).anchors());
            assert!(anchor.is_empty() || to.iter().any(|one| one == anchor), "{}: {link}: {to:?}", from.name);
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
}

#[test]
fn every_page_of_the_docs_is_linked_from_the_readme() {
    let readme = document("README.md");
    for document in &documents()[1..] {
        assert!(readme.links().contains(&document.name.as_str()), "{}", document.name);
    }
}

#[test]
fn every_block_says_what_it_is() {
    const LANGUAGES: [&str; 8] = ["sh", "text", "tsv", "yaml", "diff", "ini", "hcl", "json"];
    for document in documents() {
        for block in document.blocks() {
            assert!(LANGUAGES.contains(&block.language.as_str()), "{}: {block:?}", document.name);
        }
    }
}

/// Settings of sidetail as Compose, systemd, Nomad and ECS have them.
fn settings(block: &str) -> Vec<(OsString, OsString)> {
    let names = block.match_indices(PREFIX).map(|(at, _)| &block[at..]);
    let word = |text: &str| text.chars().take_while(|&one| one.is_ascii_uppercase() || one == '_').collect::<String>();
    let value = |text: &str| {
        let text = text.trim_start_matches(|one: char| "\"=: ,".contains(one));
        let text = text.strip_prefix("value\": \"").unwrap_or(text);
        text.chars().take_while(|one| !"\"\n".contains(*one)).collect::<String>()
    };
    names.map(|text| (word(text).into(), value(&text[word(text).len()..]).into())).collect()
}

#[test]
fn every_configuration_of_the_platforms_is_valid() {
    let docs = document("docs/platforms.md");
    let blocks: Vec<_> = docs.blocks().into_iter().filter(|block| block.text.contains(PREFIX)).collect();
    assert_eq!(blocks.len(), 4, "Compose, systemd, Nomad, ECS");
    for block in blocks {
        let settings = settings(&block.text);
        let config = Config::from_variables(settings.clone(), &[], Path::new("/"));
        assert!(config.is_ok(), "{settings:?}");
        assert!(!settings.is_empty() && settings.iter().all(|(_, value)| !value.is_empty()), "{settings:?}");
    }
}

#[test]
fn settings_are_found_however_they_are_written() {
    let expected = [("SIDETAIL_PATHS".into(), "/x/**/*.log".into())];
    for text in [
        "      SIDETAIL_PATHS: /x/**/*.log\n",
        "Environment=SIDETAIL_PATHS=/x/**/*.log\n",
        "    SIDETAIL_PATHS = \"/x/**/*.log\"\n",
        r#"{"name": "SIDETAIL_PATHS", "value": "/x/**/*.log"}"#,
    ] {
        assert_eq!(settings(text), expected, "{text}");
    }
}

#[test]
fn every_spec_says_where_its_image_comes_from_before_it_is_applied() {
    let mut count = 0;
    for directory in [
        "examples/pod-specs",
        "examples/metrics",
        "examples/kustomize/component",
        "examples/kustomize/overlay",
        "examples/injection",
        "examples/injection/example",
        "examples/drop-in",
    ] {
        for entry in fs::read_dir(path_of(directory)).expect("the examples") {
            let path = entry.expect("readable").path();
            if path.extension().is_none_or(|kind| kind != "yaml") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("readable");
            let Some(apply) = text.find("kubectl apply") else {
                assert!(!text.contains("image: ghcr.io/sidetail/") || directory.contains("kustomize"), "{path:?}");
                continue;
            };
            assert!(text[..apply].contains("docs/image.md"), "{}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, 27);
}

#[test]
fn the_pod_specs_are_valid_configurations() {
    let specs = fs::read_dir(path_of("examples/pod-specs")).expect("the specs");
    let names: Vec<_> = specs.map(|entry| entry.expect("readable").file_name().into_string().expect("ASCII")).collect();
    assert_eq!(names.len(), 14, "{names:?}");
    let specs = names.iter().map(|name| format!("examples/pod-specs/{name}"));
    for name in specs.chain(["examples/kustomize/component/sidecar.yaml".to_owned()]) {
        let spec = document(&name).text;
        let variables = variables(&spec);
        assert_eq!(variables.len(), spec.matches("- name: SIDETAIL_").count(), "{name}");
        let config = Config::from_variables(variables, &[], Path::new("/"));
        let policy = config.unwrap_or_else(|problems| panic!("{name}: {}", problems[0])).rotate;
        // What reclaims disk does so before the kubelet evicts the pod, and nothing else has a limit; nor has a volume that is added
        // to other people's pods.
        let limit = spec.split_once(" sizeLimit: ").and_then(|(_, rest)| rest.lines().next());
        let limit = limit.map(|limit| quantity(limit).expect("a quantity"));
        if name.contains("kustomize") {
            assert_eq!((policy.is_on(), limit), (true, None), "{name}");
            continue;
        }
        assert_eq!(policy.is_on(), limit.is_some(), "{name}");
        let wanted = [policy.size, if let Budget::Bytes(bytes) = policy.budget { Some(bytes) } else { None }];
        assert!(wanted.into_iter().flatten().all(|bytes| Some(bytes) < limit), "{name}");
    }
}

/// The variables of sidetail that a spec sets.
fn variables(spec: &str) -> Vec<(OsString, OsString)> {
    let mut lines = spec.lines().map(str::trim);
    let mut variables = Vec::new();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("- name: SIDETAIL_") else { continue };
        let value = lines.next().and_then(|line| line.strip_prefix("value: ")).expect("a value on the next line");
        variables.push((format!("{PREFIX}{name}").into(), value.trim_matches('"').into()));
    }
    variables
}

#[test]
fn a_mistake_in_a_pod_spec_is_seen() {
    let spec = document("examples/pod-specs/tomcat.yaml").text;
    for (from, to) in [("SIDETAIL_ROTATE_SIZE", "SIDETAIL_ROTATE_SIZ"), ("8Mi", "8MB"), ("\"3\"", "\"three\"")] {
        let wrong = Config::from_variables(variables(&spec.replacen(from, to, 1)), &[], Path::new("/"));
        assert!(wrong.is_err(), "{from} as {to}");
    }
}
