//! Bytes as they are: every value, byte order marks, UTF-16, pieces of long lines, unfinished lines after a while.
