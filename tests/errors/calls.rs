//! What can go wrong with a system call, by its manual page and by how kernels run out of things.

/// Returns the errors that a call may have though it was a right one. None for calls that cannot fail, or whose failure says
/// something that is not so: `ENXIO` of lseek(2) is that there is no more data, a `close` that did nothing leaks, and brk(2) returns
/// no error, but the old break.
pub fn errors_of(call: &str) -> &'static [&'static str] {
    match call {
        "openat" | "openat2" | "open" => {
            &["ENOMEM", "EMFILE", "ENFILE", "EACCES", "EINTR", "EIO", "ELOOP", "ENOSPC", "ESTALE", "EAGAIN"]
        }
        "read" | "pread64" | "readv" | "preadv" => &["EIO", "EINTR", "ENOMEM", "EAGAIN", "ESTALE"],
        "write" | "writev" | "sendto" | "sendmsg" => {
            &["EINTR", "EAGAIN", "EIO", "ENOSPC", "ENOMEM", "ENOBUFS", "EDQUOT"]
        }
        "pwrite64" | "pwritev" | "copy_file_range" => &["EINTR", "EIO", "ENOSPC", "ENOMEM", "EDQUOT"],
        "fsync" | "fdatasync" | "sync_file_range" => &["EIO", "ENOSPC", "EINTR", "EDQUOT"],
        "statx" | "fstat" | "newfstatat" | "stat" | "lstat" | "fstatfs" | "statfs" => {
            &["ENOMEM", "EIO", "EACCES", "EINTR"]
        }
        "getdents64" => &["EIO", "ENOMEM", "EACCES", "EINTR"],
        "renameat" | "renameat2" | "unlinkat" | "mkdirat" | "linkat" | "symlinkat" | "rename" | "unlink" | "mkdir" => {
            &["EIO", "ENOSPC", "EACCES", "EROFS", "ENOMEM", "EBUSY"]
        }
        "fallocate" | "ftruncate" | "fchmod" | "fchown" | "fchmodat" | "fchownat" | "utimensat" => {
            &["EIO", "EINTR", "ENOSPC", "EPERM", "EOPNOTSUPP"]
        }
        "flock" => &["EINTR", "ENOLCK", "EAGAIN", "ENOMEM"],
        "inotify_add_watch" => &["ENOSPC", "ENOMEM", "EACCES"],
        "inotify_init1" | "epoll_create1" | "eventfd2" | "timerfd_create" | "pipe2" | "socketpair" | "pidfd_open" => {
            &["EMFILE", "ENFILE", "ENOMEM"]
        }
        "socket" | "accept4" => &["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EACCES"],
        "epoll_ctl" => &["ENOMEM", "ENOSPC"],
        "epoll_wait" | "epoll_pwait" => &["EINTR"],
        "poll" | "ppoll" => &["EINTR", "ENOMEM"],
        "bind" | "listen" | "setsockopt" => &["EADDRINUSE", "EACCES", "ENOMEM"],
        "dup" | "dup3" => &["EMFILE", "EINTR"],
        "fcntl" => &["EMFILE", "EINTR"],
        "lseek" => &["EIO", "EINTR"],
        "clone" | "clone3" => &["EAGAIN", "ENOMEM"],
        "ioctl" => &["ENOTTY", "EINVAL"],
        "readlink" | "readlinkat" | "getcwd" | "access" | "faccessat" | "faccessat2" => &["EIO", "ENOMEM", "EACCES"],
        "prctl" | "setpriority" | "ioprio_set" | "sched_setscheduler" => &["EPERM", "EINVAL"],
        "mmap" | "mremap" | "madvise" => &["ENOMEM"],
        _ => &[],
    }
}
