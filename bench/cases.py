"""The cases of bench/run: what happens in each, and what is measured.

Every function runs one program once and returns its figures. A program has two phases at least: the first line of each file must
come through before anything is measured, so that nobody pays, or loses, for starting. Lines are numbered, and each is checked;
`lost`, `repeated` and `torn` are among the figures of every case.
"""

import contextlib
import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
import time

import measure
import mixed
import peers

GIB = 1 << 30
READY_MS = 20_000  # longer than the slowest start
QUIET_MS = 5_000  # longer than everybody's poll: what has not come by then never will
SLACK_SECONDS = 60.0
SETTLE_SECONDS = 3.0


class Program:
    """A program in a case: how it is called there, and whether its stderr is a stream of lines."""

    def __init__(self, name, tailer, key=None, expected="one"):
        """`expected`: which streams it must make of the input of the catch-up, as bench/mixed.py names them."""
        self.name, self.tailer, self.key, self.expected = name, tailer, key or tailer.key, expected
        self.is_sidetail = isinstance(tailer, peers.Sidetail)
        self.is_equal = None  # whether the catch-up came through, once that is known
        self.object_bytes = None  # how many the input is as objects, once that is known

    def start(self, directory, pattern, work):
        with open(f"{work}/messages-{self.key}", "ab") as messages:
            command, environment = self.tailer.command(directory, pattern), self.tailer.environment(directory, pattern)
            return measure.Running(command, environment, None if self.is_sidetail else messages)


class Cat(peers.Tailer):
    """What copying a file to a pipe costs; in the end it waits for its stdin, so that it can be measured."""

    name, key, package, program = "cat", "cat", "coreutils", "cat"

    def command(self, directory, pattern):
        return [self.where(), *peers.paths_of(directory, pattern), "-"]


class Bench:
    """What all cases need: the options, the folder to work in, and what reads and writes."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.lines = measure.compile_lines(work)
        self.input = self.input_bytes = self.expected = None

    def directory(self, program):
        return measure.emptied(f"{self.work}/logs-{program.key}")

    def write(self, paths, count, rate, first, rotate_ms=0):
        """Starts the writer: so many lines for each file, at this rate for each."""
        return measure.Lines(self.lines, "write", count, rate, first, rotate_ms, *paths)

    def read(self, running, files, first, count, wait_s=0.0, quiet_ms=QUIET_MS, stall=(0.0, 0.0)):
        """Starts the reader; it waits for lines at least that long, and stalls where it is told to."""
        milliseconds = [int(1000 * seconds) for seconds in (wait_s, *stall)]
        return running.reader(self.lines, "read", files, first, count, milliseconds[0], quiet_ms, *milliseconds[1:])

    @contextlib.contextmanager
    def following(self, program, files):
        """A program that follows new files, of which it has streamed the first line; and the files."""
        directory = self.directory(program)
        paths = [f"{directory}/{number}.log" for number in range(files)]
        with self.write(paths, 1, 1e6, 0) as writer:
            writer.result(SLACK_SECONDS)
        with program.start(directory, "*.log", self.work) as running:
            with self.read(running, files, 0, 1, quiet_ms=READY_MS) as reader:
                if reader.result(SLACK_SECONDS)["lost"]:
                    print(f"{program.name} has not streamed the first line of each file after {READY_MS} ms", file=sys.stderr)
            yield running, paths


def checked(found):
    """What came through, of what a reader found."""
    return {name: found[name] for name in ("lost", "repeated", "torn")}


def waited(lines, seconds):
    return lines.result(seconds + (QUIET_MS + READY_MS) / 1000 + SLACK_SECONDS)


# (a) catch-up


def make_input(bench):
    """Writes the input, once, and waits until it is on the disk, so that nothing else is written while it is read."""
    directory = measure.emptied(f"{bench.work}/input")
    bench.input = f"{directory}/input.log"
    bench.expected = mixed.make(bench.input, bench.options.mib << 20)
    bench.input_bytes = os.path.getsize(bench.input)
    with open(bench.input, "rb") as file:
        os.fsync(file.fileno())


def catch_up_limit_seconds(size):
    """What the slowest may take: 4 MiB a second."""
    return SLACK_SECONDS + size / (4 << 20)


def start_catch_up(program, path, work):
    """Starts a program on the input, as if it had never seen it."""
    directory, name = os.path.split(path)
    for entry in os.listdir(directory):
        if entry != name:
            shutil.rmtree(f"{directory}/{entry}")
    return program.start(directory, name, work)


def verified(bench, program):
    """Streams the input once, and returns whether each stream is what it must be."""
    if program.expected == "objects":
        return verified_objects(bench, program)
    digests = [hashlib.sha256(), hashlib.sha256()]
    with start_catch_up(program, bench.input, bench.work) as running:
        for stream, part in parts_of(running, bench.input_bytes, catch_up_limit_seconds(bench.input_bytes)):
            digests[stream].update(part)
    return [digest.hexdigest() for digest in digests] == bench.expected[program.expected].sha256()


def verified_objects(bench, program):
    """Each object is decoded, so of a smaller input; there is one for each record."""
    path = measure.emptied(f"{bench.work}/objects") + "/input.log"
    mixed.make(path, min(bench.options.mib << 20, 8 << 20))
    size = os.path.getsize(path)
    block = mixed.shortened(mixed.records(mixed.BLOCK_RECORDS), size)
    texts, left = [bytearray(), bytearray()], len(block)
    with start_catch_up(program, path, bench.work) as running:
        for stream, part in parts_of(running, 1 << 62, catch_up_limit_seconds(size)):
            texts[stream] += part
            left -= part.count(b"\n")
            if left <= 0:
                break
    if size == bench.input_bytes:
        program.object_bytes = len(texts[0]) + len(texts[1])
    wanted = mixed.expectations()["level"].part(block)
    return [mixed.lines_of_objects(text) for text in texts] == [mixed.lines_expected(text) for text in wanted]


def parts_of(running, size, limit_s):
    """Yields what comes, and on which stream; ends when `size` bytes have come, or nothing for a while."""
    ends, came = running.read_ends(), 0
    poll = select.poll()
    for read_end in ends:
        poll.register(read_end, select.POLLIN)
    deadline, last = time.monotonic() + limit_s, time.monotonic()
    while came < size and time.monotonic() < min(deadline, last + QUIET_MS / 1000):
        for read_end, _ in poll.poll(100):
            part = os.read(read_end, 1 << 20)
            if not part:
                poll.unregister(read_end)
                continue
            came, last = came + len(part), time.monotonic()
            yield ends.index(read_end), part


def catch_up(bench, program):
    """The input, from the page cache into pipes."""
    if bench.input is None:
        make_input(bench)
    if program.is_equal is None:
        print(f"catch-up: {program.name}: is it equal? ...", file=sys.stderr, flush=True)
        program.is_equal = verified(bench, program)
    are_objects = program.expected == "objects"
    # How many bytes of objects there will be is known after the first run, if not before.
    wanted = (program.object_bytes or 1 << 62) if are_objects else bench.input_bytes
    with start_catch_up(program, bench.input, bench.work) as running:
        with running.reader(bench.lines, "drain", wanted, QUIET_MS) as reader:
            found = reader.result(catch_up_limit_seconds(bench.input_bytes) + QUIET_MS / 1000)
        cpu, peak = running.cpu_seconds(), running.status_kib("VmHWM")
    came = sum(found["bytes"])
    if are_objects:
        program.object_bytes = program.object_bytes or came
        is_whole = program.object_bytes == came
    else:
        is_whole = found["bytes"] == bench.expected[program.expected].bytes
    return {
        "mb_per_s": bench.input_bytes / (found["last_ns"] - running.began_ns) * 1e3,
        "cpu_s_per_gib": cpu * GIB / bench.input_bytes,
        "peak_kib": peak,
        "bytes_out": came,
        "is_equal": program.is_equal and is_whole,
    }


# (b) steady


def steady(bench, program):
    """3 files at 1,000 lines a second each; then lone lines, each after quiet."""
    files, rate, seconds = 3, 1000, bench.options.seconds
    count = int(rate * seconds)
    with bench.following(program, files) as (running, paths):
        since = measure.Since(running)
        with bench.read(running, files, 1, count, wait_s=seconds) as reader, bench.write(paths, count, rate, 1) as writer:
            written, found = waited(writer, seconds), waited(reader, seconds)
        used = since.used()
        time.sleep(1.0)
        # At a rate that is no multiple of anybody's poll.
        lone, lone_rate = int(2.5 * seconds), 7.3
        with bench.read(running, 1, count + 1, lone, wait_s=lone / lone_rate) as reader:
            with bench.write(paths[:1], lone, lone_rate, count + 1) as writer:
                waited(writer, lone / lone_rate)
                alone = waited(reader, lone / lone_rate)
    lines = files * count
    return {
        "cpu_s_per_million": used["cpu_s"] * 1e6 / lines,
        "switches_per_s": (used["voluntary_switches"] + used["involuntary_switches"]) / seconds,
        **used,
        "p50_ms": in_ms(found, "p50_us"),
        "p99_ms": in_ms(found, "p99_us"),
        "lone_p50_ms": in_ms(alone, "p50_us"),
        "lone_p99_ms": in_ms(alone, "p99_us"),
        "writer_behind_ms": in_ms(written, "most_behind_us"),
        **{name: found[name] + alone[name] for name in ("lost", "repeated", "torn")},
    }


def in_ms(found, name):
    return found[name] / 1000 if name in found else None


# (c) idle


def idle(bench, programs):
    """10 files in which nothing happens, of all programs side by side; at the end each gets a line more."""
    files, seconds, results = 10, 1.5 * bench.options.seconds, {}
    with contextlib.ExitStack() as stack:
        started = [(program, *stack.enter_context(bench.following(program, files))) for program in programs]
        time.sleep(SETTLE_SECONDS)
        since = {program.key: measure.Since(running) for program, running, _ in started}
        time.sleep(seconds)
        for program, running, _ in started:
            used = since[program.key].used()
            results[program.key] = {
                "cpu_ms_per_min": used["cpu_s"] * 1000 * 60 / seconds,
                "wakeups_per_s": used["voluntary_switches"] / seconds,
                **running.memory_kib(),
            }
        for program, running, paths in started:
            with bench.read(running, files, 1, 1) as reader, bench.write(paths, 1, 1e6, 1) as writer:
                waited(writer, 0)
                results[program.key].update(checked(waited(reader, 0)))
    return results


# (d) many files


def many(bench, program):
    """1,000 files, or what is asked for, at a line a second each."""
    files, seconds = bench.options.files, bench.options.seconds
    with bench.following(program, files) as (running, paths):
        since = measure.Since(running)
        with bench.read(running, files, 1, int(seconds), wait_s=seconds) as reader:
            with bench.write(paths, int(seconds), 1, 1) as writer:
                waited(writer, seconds)
                found = waited(reader, seconds)
        used = since.used()
        memory = {"rss_kib": running.status_kib("VmRSS"), "peak_kib": running.status_kib("VmHWM")}
    return {**used, **memory, "p50_ms": in_ms(found, "p50_us"), "p99_ms": in_ms(found, "p99_us"), **checked(found)}


# (e) a stalled consumer


def stalled(bench, program):
    """20,000 lines a second into one file, renamed and created ten times meanwhile, while nobody reads for a good part of it."""
    seconds, rate = bench.options.seconds / 2, 20_000
    count, stall = int(rate * seconds), (seconds / 5, seconds * 3 / 5)
    with bench.following(program, 1) as (running, paths):
        with bench.read(running, 1, 1, count, wait_s=seconds, stall=stall) as reader:
            began, before, most = time.monotonic(), 0, 0
            with bench.write(paths, count, rate, 1, int(seconds * 100)) as writer:
                while reader.is_running() and time.monotonic() < began + seconds + SLACK_SECONDS:
                    kib = running.status_kib("VmRSS") or 0
                    most = max(most, kib)
                    before = kib if time.monotonic() < began + stall[0] else before
                    time.sleep(0.02)
                rotations = waited(writer, 0)["rotations"]
                found = waited(reader, 0)
    return {"growth_kib": most - before, "rss_kib": before, "stall_s": stall[1], "rotations": rotations, **checked(found)}


# (f) start to first byte


def first_byte(bench, program):
    """One start, until the first byte of a small file is in the pipe; and then all of the file."""
    directory = bench.directory(program)
    path = f"{directory}/0.log"
    with bench.write([path], 10, 1e6, 0) as writer:
        writer.result(SLACK_SECONDS)
    command, environment = program.tailer.command(directory, "*.log"), program.tailer.environment(directory, "*.log")
    arguments = [bench.lines, "first", str(READY_MS), str(os.path.getsize(path)), *command]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=SLACK_SECONDS, check=True)
    found = json.loads(done.stdout)
    took = found["first_byte_us"] / 1000 if found["first_byte_us"] >= 0 else None
    return {"first_byte_ms": took, "is_equal": found["bytes"] == os.path.getsize(path)}


# (g) what it weighs on the disk


def size(bench, program):
    """The binary, and what an image would need: its libraries by ldd, and what it has loaded when it follows a file."""
    binary = os.path.realpath(program.tailer.where())
    with bench.following(program, 1) as (running, _):
        loaded = running.mapped_files()
    needed = libraries_of(program, binary) | {os.path.realpath(path) for path in loaded} | {binary}
    sizes = [os.path.getsize(path) for path in needed if os.path.exists(path)]
    return {"binary_bytes": os.path.getsize(binary), "image_bytes": sum(sizes), "files": len(sizes)}


def libraries_of(program, binary):
    return {os.path.realpath(path) for path in measure.libraries(binary, program.tailer.environment("", ""))}
