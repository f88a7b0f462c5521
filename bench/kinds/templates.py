"""How the lines of a kind are made from its templates.

A template is text with fields: `$ip`, `${n}`, or a time as strftime(3) writes it, `${%H:%M:%S}`; `$$` is a dollar. Everything is
drawn from one seeded generator, so a kind gives the same lines at every call. The clock of a log runs on by itself.
"""

import random
import re
import time

BEGIN_MS = 1_767_600_000_000  # 2026-01-05 08:00 UTC
FIELD = re.compile(r"\$(?:(\$)|\{([^}]*)\}|([a-z][a-z0-9]*))")
WORDS = (
    "account address batch bucket cache cart catalog channel checkout client config consumer customer delivery device event "
    "export feed gateway import index inventory invoice item job ledger mailbox media message metric notification offer order "
    "partition payment policy price product profile query queue quota region replica report request route schedule search "
    "segment session shard shipment snapshot stock stream tenant ticket token upload user vendor wallet webhook worker"
).split()
USERS = "alice bob carol dave erin frank grace heidi ivan judy mallory niaj olivia peggy root trent www-data backup".split()
HOSTS = [f"{name}-{number}" for name in ("web", "api", "db", "node", "cache", "worker") for number in range(1, 6)]
NAMES = "Account Batch Cache Catalog Checkout Client Config Event Export Index Invoice Job Order Payment Price Query".split()
ROLES = "Service Controller Repository Handler Manager Listener Factory Scheduler".split()
AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
    "kube-probe/1.30",
    "python-requests/2.32.3",
    "Go-http-client/1.1",
    "okhttp/4.12.0",
]


class Log:
    """Where a log is: its clock, its random numbers, and how many records there were."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.ms, self.count = BEGIN_MS, 0
        self.pids = [self.chance.randint(2, 32_768) for _ in range(4)]
        self.times = {}  # those of the current second, by how they are written

    def next_record(self):
        before = self.ms // 1000
        self.ms += int(self.chance.random() ** 4 * 400)
        if self.ms // 1000 != before:
            self.times.clear()
        self.count += 1

    def time(self, written):
        if written not in self.times:
            self.times[written] = time.strftime(written, time.gmtime(self.ms // 1000))
        return self.times[written]

    def digits(self, count):
        return str(self.chance.randrange(10 ** (count - 1), 10**count))

    def hexadecimal(self, count):
        return f"{self.chance.getrandbits(4 * count):0{count}x}"


def one_of(values):
    return lambda log: values[int(log.chance.random() * len(values))]


def uuid(log):
    text = log.hexadecimal(32)
    return "-".join((text[:8], text[8:12], "4" + text[13:16], "a" + text[17:20], text[20:]))


FIELDS = {
    "ms": lambda log: f"{log.ms % 1000:03}",
    "us": lambda log: f"{log.ms % 1000:03}{log.count % 1000:03}",
    "ns": lambda log: f"{log.ms % 1000:03}{log.count * 7919 % 1_000_000:06}",
    "epoch": lambda log: str(log.ms // 1000),
    "epochms": lambda log: str(log.ms),
    "uptime": lambda log: f"{(log.ms - BEGIN_MS) / 1000 + 12:.3f}",
    "seq": lambda log: str(log.count),
    "n": lambda log: str(int(10 ** (log.chance.random() * 5))),
    "bytes": lambda log: str(int(10 ** (2 + log.chance.random() * 4))),
    "f": lambda log: f"{log.chance.random() ** 3 * 9:.3f}",
    "percent": lambda log: f"{log.chance.random() * 100:.1f}",
    "ip": lambda log: f"10.{log.chance.getrandbits(3)}.{log.chance.getrandbits(8)}.{log.chance.getrandbits(8)}",
    "port": lambda log: str(log.chance.randint(1_025, 65_535)),
    "pid": lambda log: str(log.pids[log.chance.getrandbits(2)]),
    "uuid": uuid,
    "word": one_of(WORDS),
    "user": one_of(USERS),
    "host": one_of(HOSTS),
    "method": one_of(["GET"] * 6 + ["POST"] * 2 + ["PUT", "DELETE"]),
    "agent": one_of(AGENTS),
    "class": lambda log: one_of(NAMES)(log) + one_of(ROLES)(log),
    "path": lambda log: f"/{one_of(WORDS)(log)}/{one_of(WORDS)(log)}s/{log.digits(1 + log.chance.randrange(7))}",
    "file": lambda log: f"/srv/app/{one_of(WORDS)(log)}/{one_of(WORDS)(log)}_{log.digits(3)}.dat",
    **{f"d{count}": lambda log, count=count: log.digits(count) for count in range(1, 13)},
    **{f"x{count}": lambda log, count=count: log.hexadecimal(count) for count in (4, 6, 8, 12, 16, 32, 40)},
}


def compiled(template):
    """Returns a template as texts and functions, one after the other."""
    pieces, end = [], 0
    for found in FIELD.finditer(template):
        dollar, braced, name = found.groups()
        pieces.append(template[end : found.start()] + (dollar or ""))
        end, name = found.end(), braced or name
        if name and "%" in name:
            pieces.append(lambda log, name=name: log.time(name))
        elif name:
            pieces.append(FIELDS[name])
    return [*pieces, template[end:]]


def written(pieces, log):
    return "".join([piece if isinstance(piece, str) else piece(log) for piece in pieces])


class Kind:
    """A kind of log: what a line is, and what texts there are of each level.

    `line` holds `$text`, and `$level` if that is written; the levels are named as they are written. The first texts of a level
    are the most frequent ones.
    """

    def __init__(self, name, source, line, errors, **texts):
        """`errors`: the texts of errors by their level; `texts`: all others."""
        self.name, self.source, self.line = name, source, line
        usual = texts["usual"]
        self.usual = [self.record(level, text) for level, of_level in usual.items() for text in of_level]
        self.errors = [self.record(level, text) for level, of_level in errors.items() for text in of_level]
        self.level = next(iter(usual))
        self.weights = [1 / (1 + place) for of_level in usual.values() for place in range(len(of_level))]

    def record(self, level, text):
        return compiled(self.line.replace("$level", level).replace("$text", text) + "\n")

    def records(self, percent, count):
        """Yields so many records, of which so many in a hundred are errors."""
        log = Log(f"{self.name} {percent}")
        for _ in range(count):
            log.next_record()
            is_error = log.chance.random() * 100 < percent
            pieces = one_of(self.errors)(log) if is_error else log.chance.choices(self.usual, self.weights)[0]
            yield written(pieces, log)

    def last(self, text):
        """Returns an ordinary record with this text."""
        log = Log(f"{self.name} at its end")
        return written(self.record(self.level, text), log)
