//! README and docs/ as the tests read them: fenced blocks, tables, headings, links.

use std::fs;
use std::path::{Path, PathBuf};

/// A document, by its path in the repository.
pub struct Document {
    /// `README.md`, `docs/jobs.md`
    pub name: String,
    pub text: String,
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub language: String,
    pub text: String,
}

/// Returns the path of a file of the repository.
pub fn path_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Reads one document.
pub fn document(name: &str) -> Document {
    let text = fs::read_to_string(path_of(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    Document { name: name.to_owned(), text }
}

/// Returns what a new user reads: README, and then everything in docs/.
pub fn documents() -> Vec<Document> {
    let docs = fs::read_dir(path_of("docs")).expect("docs/");
    let names = docs.map(|entry| entry.expect("readable").file_name().into_string().expect("ASCII"));
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    names.sort();
    names.insert(0, "README.md".to_owned());
    names.iter().map(|name| document(name)).collect()
}

impl Document {
    /// Returns the fenced blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.split_inclusive('\n');
        while let Some(line) = lines.next() {
            let Some(language) = line.strip_prefix("```") else { continue };
            let text = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            blocks.push(Block { language: language.trim().to_owned(), text });
        }
        blocks
    }

    /// Returns the text of the blocks of a language.
    pub fn blocks_of(&self, language: &str) -> Vec<String> {
        self.blocks().into_iter().filter(|block| block.language == language).map(|block| block.text).collect()
    }

    /// Returns each block of commands with the blocks of output that follow it.
    pub fn commands(&self) -> Vec<(String, Vec<String>)> {
        let mut commands: Vec<(String, Vec<String>)> = Vec::new();
        for block in self.blocks() {
            match (block.language.as_str(), commands.last_mut()) {
                ("sh", _) => commands.push((block.text, Vec::new())),
                ("text" | "tsv", Some((_, outputs))) => outputs.push(block.text),
                _ => {}
            }
        }
        commands
    }

    /// Returns the tables, each with the last line of text before it: rows of cells, the header first.
    pub fn tables(&self) -> Vec<(String, Vec<Vec<String>>)> {
        let mut tables = Vec::new();
        let (mut caption, mut rows) = (String::new(), Vec::new());
        for line in self.text.lines().chain([""]) {
            if let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) {
                rows.push(
                    row.replace("\\|", "\u{0}").split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect(),
                );
            } else if !rows.is_empty() {
                tables.push((std::mem::take(&mut caption), std::mem::take(&mut rows)));
            } else if !line.is_empty() {
                line.clone_into(&mut caption);
            }
        }
        tables
    }

    /// Returns what a link to each heading ends with, as GitHub makes it.
    pub fn anchors(&self) -> Vec<String> {
        let mut is_code = false;
        let headings = self.text.lines().filter(|line| {
            is_code ^= line.starts_with("```");
            !is_code && line.starts_with('#')
        });
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }

    /// Returns where the links lead, images too.
    pub fn links(&self) -> Vec<&str> {
        self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|&one| one.is_alphanumeric() || " -_".contains(one));
    kept.map(|one| if one == ' ' { '-' } else { one }).collect()
}

#[test]
fn documents_are_taken_apart() {
    let text = "# A `b` c, d\n\n```sh\n# no heading\nls | wc\n```\n\n```text\n1\n```\n\ncaption\n\n| a | b\\|c |\n| --- | --- |\n\n[x](y.md#z)\n";
    let document = Document { name: "x.md".to_owned(), text: text.to_owned() };
    assert_eq!(document.commands(), [("# no heading\nls | wc\n".to_owned(), vec!["1\n".to_owned()])]);
    assert_eq!(
        document.tables(),
        [("caption".to_owned(), vec![vec!["a".to_owned(), "b|c".to_owned()], vec!["---".to_owned(); 2]])]
    );
    assert_eq!((document.anchors(), document.links()), (vec!["a-b-c-d".to_owned()], vec!["y.md#z"]));
    assert_eq!(anchor("Replace tail -F"), "replace-tail--f");
}
