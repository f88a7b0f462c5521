//! What the machine runs out of: inotify, descriptors, system calls, disk. It degrades, says so once, and goes on.
