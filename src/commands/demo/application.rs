//! The application of the demo: it writes log files, as applications do, and knows nothing of sidetail.
#![allow(clippy::disallowed_methods, reason = "it plays the application, in a directory that is the demo's own")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::times::TimeOfDay;

/// Bytes of a block of `st_blocks`, stat(2).
const BLOCK_BYTES: u64 = 512;

/// What is written to at a time, of the many lines of a batch.
const BATCH_BYTES: usize = 64 * 1024;

/// Its directory and the files that it has open.
#[derive(Debug)]
pub(super) struct Application {
    directory: PathBuf,
    open: Vec<(&'static str, File)>,
    /// How many records it has written.
    number: u64,
}

/// What was written, and why not all of it.
pub(super) type Written = (usize, io::Result<()>);

impl Application {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), open: Vec::new(), number: 1000 }
    }

    /// Appends to a file, which is made if it is not open.
    pub(super) fn append(&mut self, name: &'static str, text: &str) -> Written {
        let mut written = 0;
        let outcome = self.file(name).and_then(|file| {
            while written < text.len() {
                written += file.write(&text.as_bytes()[written..])?;
            }
            Ok(())
        });
        (written, outcome)
    }

    fn file(&mut self, name: &'static str) -> io::Result<&mut File> {
        let at = match self.open.iter().position(|(open, _)| *open == name) {
            Some(at) => at,
            None => {
                let file = OpenOptions::new().create(true).append(true).open(self.directory.join(name))?;
                self.open.push((name, file));
                self.open.len() - 1
            }
        };
        Ok(&mut self.open[at].1)
    }

    /// Renames a file, which stays open under its new name: a logger that has not noticed yet goes on writing to it.
    pub(super) fn rename(&mut self, from: &'static str, to: &'static str) -> io::Result<()> {
        fs::rename(self.directory.join(from), self.directory.join(to))?;
        for (name, _) in &mut self.open {
            if *name == from {
                *name = to;
            }
        }
        Ok(())
    }

    /// Returns what `du` shows of the whole directory, in bytes: the blocks of all files, sidetail's own too.
    pub(super) fn disk_bytes(&self) -> u64 {
        blocks(&self.directory) * BLOCK_BYTES
    }

    /// Returns a record of a service that logs JSON.
    pub(super) fn json(&mut self) -> String {
        let (time, number) = (TimeOfDay::now(), self.next());
        format!(
            "{{\"time\":\"{}\",\"level\":\"info\",\"msg\":\"order accepted\",\"order\":{number}}}\n",
            time.in_json()
        )
    }

    /// Returns a request in nginx's access log.
    pub(super) fn request(&mut self, status: u16) -> String {
        let (time, number) = (TimeOfDay::now().in_access_log(), self.next());
        format!("10.0.0.7 - - [{time}] \"POST /orders/{number} HTTP/1.1\" {status} 64 \"-\" \"curl/8.5.0\"\n")
    }

    /// Returns a record of a Java service.
    pub(super) fn java(&mut self) -> String {
        let (time, number) = (TimeOfDay::now().in_java(), self.next());
        format!("{time}  INFO 1 --- [http-1] c.shop.OrderService : order {number} is stored\n")
    }

    /// Returns an exception of it: one record of several lines.
    pub(super) fn exception(&mut self) -> String {
        let (time, number) = (TimeOfDay::now().in_java(), self.next());
        format!(
            "{time} ERROR 1 --- [http-1] c.shop.OrderService : order {number} is not stored\n\
             java.lang.IllegalStateException: no connection to the store\n\
             \tat com.shop.Store.save(Store.java:42)\n\
             \tat com.shop.OrderService.accept(OrderService.java:17)\n\
             Caused by: java.net.ConnectException: Connection refused\n\
             \t... 12 more\n"
        )
    }

    /// Replaces `text` by some [`BATCH_BYTES`] of records, each its own.
    pub(super) fn fill(&mut self, text: &mut String) {
        let time = TimeOfDay::now();
        text.clear();
        while text.len() < BATCH_BYTES {
            let number = self.next();
            text.push_str("{\"time\":\"");
            text.push_str(time.in_json());
            text.push_str(
                "\",\"level\":\"info\",\"msg\":\"row copied from the old store to the new one, checked against its \
                           checksum and acknowledged\",\"batch\":\"nightly\",\"row\":",
            );
            text.push_str(&number.to_string());
            text.push_str("}\n");
        }
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

/// Returns the blocks of everything below a directory; what vanishes meanwhile has none.
fn blocks(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let of_entry = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => blocks(&entry.path()),
        Ok(found) => found.blocks(),
        Err(_) => 0,
    };
    entries.map(of_entry).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_batch_is_another() {
        let mut application = Application::new(Path::new("/"));
        let mut text = String::new();
        application.fill(&mut text);
        let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        application.fill(&mut text);
        lines.extend(text.lines().map(ToOwned::to_owned));
        let count = lines.len();
        lines.sort_unstable();
        lines.dedup();
        assert!(count > 500 && lines.len() == count, "{} of {count}", lines.len());
    }
}
