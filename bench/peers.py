"""The programs that are compared: how each follows the files of a directory into its stdout. And what machine that was on.

Each is set up as its manual says for this job: no lines lost on purpose, nothing in front of them, from the beginning of the
files. What they keep (positions, pid files, sockets) goes to a hidden folder beside the files, so that two runs never meet.

Debian installs only one syslog daemon at a time. The other can be unpacked into a folder of its own, which is then named with
`--unpacked`:

    mkdir peers && cd peers && apt-get download rsyslog libestr0 libfastjson4 liblognorm5
    for package in *.deb; do dpkg -x "$package" .; done
"""

import contextlib
import glob
import os
import platform
import re
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILT = os.path.abspath(os.environ.get("CARGO_TARGET_DIR") or f"{ROOT}/target")


def release(target_directory):
    """Where cargo leaves the programs of a release build: .cargo/config.toml names the machine's own target."""
    triple = subprocess.run(["rustc", "--print", "host-tuple"], capture_output=True, text=True).stdout.strip()
    return f"{target_directory}/{triple}/release"


SIDETAIL = f"{release(BUILT)}/sidetail"


def search_path():
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Tailer:
    """A program that follows the files of a directory, those that a pattern matches, into its stdout."""

    name = key = package = ""
    program = None  # where it is, or what to look for

    def available(self):
        return self.where() is not None

    def where(self):
        return shutil.which(self.program, path=search_path())

    def command(self, directory, pattern):
        """Returns the command; what it needs beside it is written."""
        raise NotImplementedError

    def environment(self, directory, pattern):
        return {"PATH": search_path(), "LC_ALL": "C"}

    def version(self):
        return first_line([self.where(), "--version"], self.environment("", ""))


def paths_of(directory, pattern):
    """The files that are there; one that is not there by now is named as it is."""
    return sorted(glob.glob(f"{directory}/{pattern}")) or [f"{directory}/{pattern}"]


class Sidetail(Tailer):
    name, key, package = "sidetail", "sidetail", "cargo build --release"

    def __init__(self, binary, **variables):
        self.program, self.variables = os.path.abspath(binary), variables

    def command(self, directory, pattern):
        return [self.program]

    def environment(self, directory, pattern):
        given = {"PATHS": f"{directory}/{pattern}", **self.variables}
        return {**super().environment(directory, pattern), **{f"SIDETAIL_{name}": value for name, value in given.items()}}


class GnuTail(Tailer):
    name, key, package, program = "GNU tail", "tail", "coreutils", "tail"

    def command(self, directory, pattern):
        return [self.where(), "-q", "-n+1", "-F", *paths_of(directory, pattern)]


class BusyboxTail(Tailer):
    name, key, package, program = "busybox tail", "busybox", "busybox-static", "busybox"

    def command(self, directory, pattern):
        return [self.where(), "tail", "-q", "-n+1", "-F", *paths_of(directory, pattern)]

    def version(self):
        return first_line([self.where()], self.environment("", ""))


class Daemon(Tailer):
    """A syslog daemon, in the foreground, with a configuration of its own; installed, or unpacked in a folder."""

    def __init__(self, unpacked=None):
        self.unpacked = os.path.abspath(unpacked) if unpacked else None

    def libraries(self):
        return f"{self.unpacked}/usr/lib/{platform.machine()}-linux-gnu"

    def is_unpacked(self):
        return self.unpacked is not None and os.access(f"{self.unpacked}/usr/sbin/{self.program}", os.X_OK)

    def where(self):
        return f"{self.unpacked}/usr/sbin/{self.program}" if self.is_unpacked() else super().where()

    def environment(self, directory, pattern):
        libraries = {"LD_LIBRARY_PATH": self.libraries()} if self.is_unpacked() else {}
        return {**super().environment(directory, pattern), **libraries}

    def work(self, directory):
        """Returns the folder for what it keeps, without the pid of a life that was killed."""
        work = f"{directory}/.{self.key}"
        os.makedirs(work, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{work}/pid")
        return work


class Rsyslog(Daemon):
    name, key, package, program = "rsyslog imfile", "rsyslog", "rsyslog", "rsyslogd"

    # A direct queue: nothing that was read but not written is lost with the process. The other is twice as fast.
    DIRECT = 'queue.type="Direct"'
    BATCHES = 'queue.type="FixedArray" queue.size="50000" queue.dequeueBatchSize="1024"'

    def __init__(self, unpacked=None, queue=BATCHES, state_every_lines=10_000):
        super().__init__(unpacked)
        self.queue, self.state_every_lines = queue, state_every_lines

    def command(self, directory, pattern):
        work = self.work(directory)
        # Tabs are not to become #011, and no line is to carry the name of its file with it, which costs half as much again.
        with open(f"{work}/conf", "w", encoding="ascii") as conf:
            conf.write(
                f'global(workDirectory="{work}" parser.escapeControlCharactersOnReceive="off")\n'
                'module(load="imfile" mode="inotify")\n'
                'template(name="raw" type="string" string="%msg%\\n")\n'
                f'ruleset(name="out" {self.queue}) {{\n'
                '  action(type="omfile" file="/dev/stdout" template="raw" ioBufferSize="64k")\n'
                "}\n"
                f'input(type="imfile" file="{directory}/{pattern}" tag="app" ruleset="out" reopenOnTruncate="on" '
                f'addMetadata="off" persistStateInterval="{self.state_every_lines}")\n'
            )
        modules = ["-M", f"{self.libraries()}/rsyslog"] if self.is_unpacked() else []
        return [self.where(), "-n", *modules, "-f", f"{work}/conf", "-i", f"{work}/pid"]

    def version(self):
        return first_line([self.where(), "-v"], self.environment("", "")).split(" (")[0]


class SyslogNg(Daemon):
    name, key, package, program = "syslog-ng", "syslog-ng", "syslog-ng-core", "syslog-ng"

    def command(self, directory, pattern):
        work = self.work(directory)
        # Flow control: it does not read what it cannot write, so that a slow reader loses nothing. The window, of lines on
        # their way, is divided by the number of files.
        files = len(paths_of(directory, pattern))
        with open(f"{work}/conf", "w", encoding="ascii") as conf:
            conf.write(
                "@version: 3.38\n"
                "options { stats-freq(0); };\n"
                f'source files {{ wildcard-file(base-dir("{directory}") filename-pattern("{pattern}") flags(no-parse)\n'
                f"  log-iw-size({10_000 + 100 * files}) log-fetch-limit(10000) max-files({files})); }};\n"
                'destination out { pipe("/dev/stdout" template("${MSG}\\n") log-fifo-size(400000) flush-lines(1000)); };\n'
                "log { source(files); destination(out); flags(flow-control); };\n"
            )
        own = ["-f", f"{work}/conf", "-R", f"{work}/persist", "-p", f"{work}/pid", "-c", f"{work}/control"]
        return [self.where(), "-F", "--no-caps", *own]


class Linemux(Tailer):
    """Not a program that one can install, but what one would write with this library: bench/linemux."""

    name, key, package = "linemux", "linemux", "cargo build in bench/linemux"
    program = f"{release(f'{BUILT}/linemux')}/linemux-baseline"

    def build(self):
        """Builds it, which takes the network the first time; returns what kept it, or nothing."""
        command = ["cargo", "build", "--release", "--locked", "--target-dir", f"{BUILT}/linemux"]
        try:
            # From within, so that it is built by the same .cargo/config.toml as sidetail.
            done = subprocess.run(command, cwd=f"{ROOT}/bench/linemux", capture_output=True, text=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return None if done.returncode == 0 else done.stderr.strip()

    def command(self, directory, pattern):
        return [self.where(), *paths_of(directory, pattern)]

    def version(self):
        with open(f"{ROOT}/bench/linemux/Cargo.lock", encoding="ascii") as lock:
            return "linemux " + re.search(r'name = "linemux"\nversion = "([^"]*)"', lock.read())[1]


# The machine.


def first_line(command, environment):
    """The first line that a program prints about itself."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, env=environment, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({error})"
    return ((done.stdout or done.stderr).strip().splitlines() or ["unknown"])[0]


def machine():
    model = "unknown processor"
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        model = next((text.split(":", 1)[1].strip() for text in cpuinfo if text.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} processors, {memory:.0f} GiB, {platform.machine()}"


def file_system(directory):
    best = ("", "unknown")
    with contextlib.suppress(OSError), open("/proc/mounts", encoding="utf-8") as mounts:
        for mount in mounts:
            _, at, kind, *_ = mount.split()
            inside = at == "/" or (os.path.realpath(directory) + "/").startswith(at + "/")
            if inside and len(at) >= len(best[0]):
                best = (at, kind)
    return best[1]


def table(rows):
    """Rows as a table of Markdown, the first one as its heading; all but the first column are figures."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    padded = ([row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:]))] for row in rows)
    lines = ["| " + " | ".join(row) + " |" for row in padded]
    return "\n".join([lines[0], "| " + " | ".join(rule) + " |", *lines[1:]])
