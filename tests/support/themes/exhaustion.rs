//! What the tests of exhaustion share: those that anyone can run, and those that need root.

/// The lines that it gave, sorted.
pub fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}
