//! Whether a file is still the one it was: truncated, rewritten, replaced with the same inode number.
