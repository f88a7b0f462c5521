"""How a program is started, watched and ended: figures of the whole process, all of its threads, from the kernel.

CPU time is that of the process's own CPU clock (clock_getcpuclockid(3)), which has nanoseconds and knows of threads that ended;
the rest is from /proc. Whatever is started here is ended here, however the measurement ends, and waited for with a limit.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

COMMAND_SECONDS = 60.0


def compile_lines(directory):
    """Compiles what writes and reads the lines, and returns where it is."""
    binary = f"{directory}/lines"
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.c")
    done = subprocess.run(["cc", "-O2", "-pthread", "-o", binary, source], capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    if done.returncode != 0:
        sys.exit(f"cannot compile bench/run.c: {done.stderr.strip()}")
    return binary


def ended(process):
    """Ends a process, by force and at once, and waits for it."""
    if process.poll() is None:
        process.kill()
    process.wait(timeout=COMMAND_SECONDS)


class Lines:
    """One of the programs of run.c."""

    def __init__(self, binary, *arguments, stdin=subprocess.DEVNULL, pass_fds=()):
        command = [binary, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, pass_fds=pass_fds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ended(self.process)
        self.process.stdout.close()

    def is_running(self):
        return self.process.poll() is None

    def result(self, seconds):
        """Returns what it found, which must be within so many seconds."""
        output, _ = self.process.communicate(timeout=seconds)
        if self.process.returncode != 0:
            sys.exit(f"{' '.join(self.process.args[:2])} failed")
        return json.loads(output)


class Running:
    """A program under measurement, which writes to two pipes; both are held open here, so that readers can follow each other."""

    def __init__(self, command, environment, messages=None):
        """`messages`: where its stderr goes, if that is no stream of lines. Its stdin is a pipe to which nobody writes."""
        self.pipes = [os.pipe()] if messages else [os.pipe(), os.pipe()]
        stderr = messages or self.pipes[1][1]
        try:
            self.began_ns = time.monotonic_ns()
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=self.pipes[0][1], stderr=stderr
            )
        except OSError:
            self.close([end for pipe in self.pipes for end in pipe])
            raise
        self.close([write_end for _, write_end in self.pipes])
        self.pid = self.process.pid

    @staticmethod
    def close(fds):
        for fd in fds:
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ended(self.process)
        self.process.stdin.close()
        self.close(self.read_ends())

    def read_ends(self):
        return [read_end for read_end, _ in self.pipes]

    def reader(self, binary, kind, *arguments):
        """Starts what reads its streams."""
        stdout, *stderr = self.read_ends()
        return Lines(binary, kind, *(stderr or [-1]), *arguments, stdin=stdout, pass_fds=stderr)

    def cpu_seconds(self):
        return time.clock_gettime((~self.pid << 3) | 2)

    def switches(self):
        """Returns the context switches of each thread: those that it asked for by waiting, and the others."""
        found = {}
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            path = f"/proc/{self.pid}/task/{thread}/status"
            with contextlib.suppress(OSError), open(path, encoding="ascii", errors="replace") as text:
                status = text.read()
                found[thread] = [
                    int(re.search(rf"(?m)^{name}_ctxt_switches:\s*(\d+)", status)[1]) for name in ("voluntary", "nonvoluntary")
                ]
        return found

    def status_kib(self, field):
        """Returns a size of /proc/PID/status; nothing if the process has none, because it ended."""
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
            found = re.search(rf"(?m)^{field}:\s*(\d+) kB", status.read())
        return int(found[1]) if found else None

    def memory_kib(self):
        """Returns resident, private and proportional memory; `dirty` is what no second process of the program could share."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as rollup:
            kib = dict(re.findall(r"(?m)^(\w+):\s*(\d+) kB", rollup.read()))
        return {
            "rss_kib": int(kib["Rss"]),
            "private_kib": int(kib["Private_Clean"]) + int(kib["Private_Dirty"]),
            "dirty_kib": int(kib["Private_Dirty"]),
            "pss_kib": int(kib["Pss"]),
        }

    def mapped_files(self):
        """Returns the programs and libraries that it has loaded."""
        with open(f"/proc/{self.pid}/maps", encoding="utf-8", errors="replace") as maps:
            return {line.split(None, 5)[5].strip() for line in maps if re.match(r"\S+ r-x. .* /", line)}


class Since:
    """What a program used from a moment on. The context switches of threads that ended meanwhile are not known."""

    def __init__(self, running):
        self.running, self.cpu, self.switches = running, running.cpu_seconds(), running.switches()

    def used(self):
        cpu, switches = self.running.cpu_seconds() - self.cpu, [0, 0]
        for thread, counts in self.running.switches().items():
            then = self.switches.get(thread, [0, 0])
            switches = [total + now - before for total, now, before in zip(switches, counts, then)]
        return {"cpu_s": cpu, "voluntary_switches": switches[0], "involuntary_switches": switches[1]}


def libraries(program, environment):
    """Returns the libraries that a program asks for, by ldd(1); none if it is static."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=COMMAND_SECONDS, env=environment, check=False)
    return set(re.findall(r"(/\S+) \(0x", done.stdout))


def is_static(program):
    return not libraries(program, None)


def emptied(directory):
    """Returns a directory, as an empty one."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    return directory
