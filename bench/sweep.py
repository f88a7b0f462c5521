"""All kinds of logs (bench/kinds), one after the other: what each costs, by whom it is streamed.

A log of a kind is written, streamed by each program in turn, so many rounds, and removed. The two streams of a program have a
reader each: quick ones take whatever is there, slow ones a piece at a time, and pause. CPU time is that of the program alone,
from its start until the last byte was read. Peers that take their time stream a shorter log: it is the CPU time for a GiB that
counts.
"""

import os
import shutil
import socket
import statistics
import sys

import cases
import kinds
import measure
import mixed
import peers

MIB = 48  # of a log, if nothing else is asked for
PERCENTS = (0, 1, 20)  # of records that are errors
USUAL = 1
SHARE = 4  # the part of a log that is enough for whoever is slow
# What the two readers take at a time, and how long each pauses then: a third of what a pipe holds, some 300 MB/s in all.
READERS = {"quick": (1 << 20, 0), "slow": (24 << 10, 60)}
QUIET_MS = 400  # after which an unknown number of bytes has come
PEERS_QUIET_MS = 1_000  # after which one that loses bytes is not waited for any more
LIMIT_SECONDS = 120.0
WORST_SHOWN = 10


class Column:
    """A program with one way to run it."""

    def __init__(self, name, program, percents=(USUAL,), reader="quick", is_slow=False):
        self.name, self.program, self.percents, self.reader, self.is_slow = name, program, percents, reader, is_slow

    def key(self, percent):
        return f"{self.program.key} {percent} {self.reader}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def columns_of(options, others):
    """Who is measured, the limit and the yardstick first."""
    columns, by_key = [Column("cat", cases.Program("cat", cases.Cat()))], {program.key: program for program in others}
    if "tail" in by_key:
        columns += [
            Column("GNU tail", by_key["tail"], PERCENTS),
            Column("GNU tail, slow readers", by_key["tail"], reader="slow"),
        ]
    if "busybox" in by_key:
        columns.append(Column("busybox tail", by_key["busybox"]))
    if "sidetail" in options.programs:
        columns += own_columns(options.binary)
    slow = [by_key[key] for key in ("rsyslog", "linemux") if key in by_key]
    return columns + [Column(program.name, program, is_slow=True) for program in slow]


def own_columns(binary):
    def own(key, **variables):
        return cases.Program("sidetail", peers.Sidetail(binary, **variables), key)

    defaults = own("defaults")
    return [
        Column("sidetail, one stream", own("one", STDERR="")),
        Column("sidetail, defaults", defaults, PERCENTS),
        Column("sidetail, defaults, slow readers", defaults, reader="slow"),
        Column("sidetail, `LISTEN`", own("listen", LISTEN=f"127.0.0.1:{free_port()}")),
        Column("sidetail, five `match:` rules", own("rules", STDERR=mixed.MATCH_RULES), is_slow=True),
        Column("sidetail, `OUTPUT=json`", own("json", OUTPUT="json"), is_slow=True),
    ]


# The measurements.


class Logs:
    """The logs of a kind with so many errors: a whole one, and the part that is enough for whoever is slow."""

    def __init__(self, work, kind, percent, size):
        self.paths = {is_slow: measure.emptied(f"{work}/kind-{is_slow}") + "/app.log" for is_slow in (False, True)}
        self.bytes, self.lines = {}, {}
        for is_slow, path in self.paths.items():
            self.bytes[is_slow], self.lines[is_slow] = kinds.write(path, kind, percent, size // SHARE if is_slow else size)

    def remove(self):
        for path in self.paths.values():
            shutil.rmtree(os.path.dirname(path))


def streamed(bench, logs, column, wanted):
    """Streams a log once; returns the CPU seconds and how many bytes came, of which `wanted` are waited for."""
    path = logs.paths[column.is_slow]
    with cases.start_catch_up(column.program, path, bench.work) as running:
        quiet = QUIET_MS if wanted is None else cases.QUIET_MS if column.program.is_sidetail else PEERS_QUIET_MS
        with running.reader(bench.lines, "sip", wanted or 1 << 62, quiet, *READERS[column.reader]) as reader:
            found = reader.result(LIMIT_SECONDS)
        return running.cpu_seconds(), sum(found["bytes"])


def measured_kind(bench, columns, kind, percent):
    """Returns the CPU seconds for a GiB of each round, by column; who did not stream all; and how long a line is on average."""
    logs = Logs(bench.work, kind, percent, bench.options.mib << 20)
    columns = [column for column in columns if percent in column.percents]
    rounds, short, object_bytes = {column.key(percent): [] for column in columns}, {}, None
    for _ in range(bench.options.rounds):
        for column in columns:
            are_objects = column.program.key == "json"
            wanted = object_bytes if are_objects else logs.bytes[column.is_slow]
            cpu, came = streamed(bench, logs, column, wanted)
            object_bytes = came if are_objects and object_bytes is None else object_bytes
            if came != (object_bytes if are_objects else wanted):
                short[column] = f"{kind.name}, {percent} % errors: {column.name}: {came:,} bytes came, not {wanted:,}"
            rounds[column.key(percent)].append(cpu * cases.GIB / logs.bytes[column.is_slow])
    bytes_per_line = logs.bytes[False] / logs.lines[False]
    logs.remove()
    return rounds, short, bytes_per_line


def measured_all(bench, columns, names):
    """Returns, by kind, the CPU seconds for a GiB of each round by column; and what did not come, by column."""
    results, short = {}, {}
    for place, name in enumerate(names):
        print(f"kind {place + 1} of {len(names)}: {name} ...", file=sys.stderr, flush=True)
        results[name] = {"rounds": {}}
        for percent in PERCENTS:
            rounds, of_kind, bytes_per_line = measured_kind(bench, columns, kinds.KINDS[name], percent)
            results[name]["rounds"].update(rounds)
            for column, what in of_kind.items():
                short.setdefault(column, []).append(what)
            if percent == USUAL:
                results[name]["bytes_per_line"] = bytes_per_line
    return results, short


def faults(short):
    """What sidetail must never do."""
    return [what for column, whats in short.items() if column.program.is_sidetail for what in whats]


# The tables.


def medians(results, key):
    return {name: statistics.median(result["rounds"][key]) for name, result in results.items()}


def spread(rounds):
    """By how much the rounds differ, as a part of their median."""
    return (max(rounds) - min(rounds)) / statistics.median(rounds)


def times(results, key, beside):
    """How many times the CPU of something else, by kind."""
    own, other = medians(results, key), medians(results, beside)
    return {name: own[name] / other[name] for name in own}


def worst(values):
    name = max(values, key=values.get)
    return name, values[name]


def key_of_tail(results, key):
    """The yardstick of a column: GNU tail on the same log with the same readers, if it takes part."""
    beside = " ".join(["tail", *key.split(" ")[1:]])
    return beside if all(beside in result["rounds"] for result in results.values()) else None


def row_of_column(results, name, key):
    costs, beside = medians(results, key), key_of_tail(results, key)
    row = [name, f"{statistics.median(costs.values()):.2f}", f"{worst(costs)[1]:.2f}"]
    if beside is None:
        row += ["-", "-", worst(costs)[0]]
    else:
        ratios = times(results, key, beside)
        row += [f"{statistics.median(ratios.values()):.2f}", f"{worst(ratios)[1]:.2f}", worst(ratios)[0]]
    return [*row, f"{100 * statistics.median(spread(result['rounds'][key]) for result in results.values()):.0f} %"]


def table_of_columns(results, columns):
    """A row for each program and each way to run it, over all kinds."""
    rows = [["", "CPU s/GiB, median", "at worst", "times `tail`, median", "at worst", "the worst kind", "spread"]]
    for column in columns:
        for percent in column.percents:
            errors = f", {percent or 'no'}{' %' if percent else ''} errors" if len(column.percents) > 1 else ""
            rows.append(row_of_column(results, column.name + errors, column.key(percent)))
    return peers.table(rows)


def shares(results):
    """How many times `tail` the defaults take, by kind, for each share of errors, and with slow readers."""
    keys = [f"{percent} quick" for percent in PERCENTS] + [f"{USUAL} slow"]
    return [times(results, f"defaults {key}", f"tail {key}") for key in keys]


def table_of_kinds(results):
    """A row for each kind, the worst first."""
    ratios, costs = shares(results), medians(results, f"defaults {USUAL} quick")
    tail, objects = medians(results, f"tail {USUAL} quick"), medians(results, f"json {USUAL} quick")
    heading = [
        "kind",
        "bytes a line",
        "`tail`, CPU s/GiB",
        "times, no errors",
        "1 %",
        "20 %",
        "1 %, slow readers",
        "ns a line more",
        "`OUTPUT=json`, CPU s/GiB",
    ]
    rows = [heading]
    for name in sorted(results, key=lambda name: -max(ratio[name] for ratio in ratios)):
        length = results[name]["bytes_per_line"]
        more = (costs[name] - tail[name]) / cases.GIB * length * 1e9
        rows.append(
            [
                name,
                f"{length:.0f}",
                f"{tail[name]:.2f}",
                *(f"{ratio[name]:.2f}" for ratio in ratios),
                f"{more:.0f}",
                f"{objects[name]:.2f}",
            ]
        )
    return rows


def print_tables(results, short, columns):
    print(f"\nAll {len(results)} kinds of logs, {USUAL} % of the records errors where nothing else is said:\n")
    print(table_of_columns(results, columns))
    for column, whats in short.items():
        print(f"\nNot all bytes came from {column.name}, {len(whats)} times; the first time: {whats[0]}.")
    keys = {column.key(percent) for column in columns for percent in column.percents}
    if f"tail {USUAL} quick" not in keys or f"defaults {USUAL} quick" not in keys:
        return
    listening = times(results, f"listen {USUAL} quick", f"defaults {USUAL} quick")
    most = worst(listening)
    print(
        f"\n`LISTEN` takes {statistics.median(listening.values()):.2f} times the defaults, at worst {most[1]:.2f} ({most[0]})."
    )
    rows = table_of_kinds(results)
    print(f"\nThe defaults beside `tail`, the {min(WORST_SHOWN, len(results))} worst kinds of {len(results)}:\n")
    print(peers.table(rows[: WORST_SHOWN + 1]))
    if rows[WORST_SHOWN + 1 :]:
        print("\nThe others:\n")
        print(peers.table([rows[0], *rows[WORST_SHOWN + 1 :]]))
