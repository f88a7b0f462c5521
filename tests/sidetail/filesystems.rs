//! Real file systems: ext4 and xfs on loop mounts, tmpfs, overlay.
