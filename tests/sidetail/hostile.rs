//! Hostile and odd directories: links that lead out, things that are no files, names that are no text.
