"""The input of the catch-up: realistic lines of several formats, and what of them belongs on which stream.

Runs of lines of four formats (JSON, an access log, Java with stack traces, plain), one record in a hundred an error; the same
at every call. What a stream must be is known from how the records were made, and not from sidetail.
"""

import hashlib
import json
import random
import re

# Five rules as people write them, which for these lines mean the same in Python; not all of what they find are errors.
RULES = [r'"level":"error"', r"^(ERROR|FATAL) ", r" ERROR +\[", r'HTTP/1\.[01]" 50[0-9] ', r'/items/[0-9]*77"']
MATCH_RULES = "\n".join(f"match:{rule}" for rule in RULES)
ANY_RULE = re.compile("|".join(f"(?:{rule})" for rule in RULES).encode())

BLOCK_RECORDS = 200_000


def records(count):
    """Returns records as applications write them, each with whether it is an error."""
    chance = random.Random(1)
    made = []
    kind, left = 0, 0
    for number in range(count):
        if left == 0:
            kind, left = (kind + 1) % 4, chance.randint(500, 5000)
        left -= 1
        is_error = chance.random() < 0.01
        if kind == 0:
            text = '{"level":"%s","ts":1700000%03d.12,"msg":"request served","path":"/api/v1/items/%d","status":200}' % (
                "error" if is_error else chance.choice(["info", "info", "debug", "warn"]), number % 1000, number)
        elif kind == 1:
            text = '10.0.%d.7 - - [05/Jan/2026:10:00:00 +0000] "GET /x/%d HTTP/1.1" %d %d "-" "curl/8"' % (
                number % 255, number, 503 if is_error else 200, chance.randint(1, 9999))
        elif kind == 2:
            text = "2026-01-05 10:00:00,%03d %-5s [main] com.example.Service - handled %d" % (
                number % 1000, "ERROR" if is_error else chance.choice(["INFO", "INFO", "DEBUG"]), number)
            if is_error:
                text += "".join("\n\tat com.example.Foo.bar%d(Foo.java:%d)" % (line, number) for line in range(10))
        else:
            text = "%s something happened id=%d %s" % (
                "ERROR" if is_error else "INFO", number, "x" * chance.randint(0, 200))
        made.append(((text + "\n").encode(), is_error))
    return made


class Expected:
    """The sha256 and the length of what must come on stdout and on stderr."""

    def __init__(self, goes_to_stderr):
        self.goes_to_stderr = goes_to_stderr
        self.digests, self.bytes = [hashlib.sha256(), hashlib.sha256()], [0, 0]

    def part(self, block):
        """Returns the texts of a block on either stream."""
        texts = [[], []]
        for text, is_error in block:
            texts[self.goes_to_stderr(text, is_error)].append(text)
        return [b"".join(stream) for stream in texts]

    def add(self, part):
        for stream, text in enumerate(part):
            self.digests[stream].update(text)
            self.bytes[stream] += len(text)

    def sha256(self):
        return [digest.hexdigest() for digest in self.digests]


def expectations():
    """What belongs on which stream: all on one, by level, and by the rules; a stack trace goes where its first line goes."""
    return {
        "one": Expected(lambda text, is_error: False),
        "level": Expected(lambda text, is_error: is_error),
        "rules": Expected(lambda text, is_error: ANY_RULE.search(text.split(b"\n", 1)[0]) is not None),
    }


def shortened(block, size):
    """As many whole records as `size` bytes take, and one more."""
    kept, length = [], 0
    for record in block:
        if length >= size:
            break
        kept.append(record)
        length += len(record[0])
    return kept


def make(path, size):
    """Writes `size` bytes, or a little more, and returns what is expected, by name."""
    expected = expectations()
    block = shortened(records(BLOCK_RECORDS), size)
    parts, written = {name: one.part(block) for name, one in expected.items()}, 0
    with open(path, "wb") as file:
        while written < size:
            whole = parts["one"][0]
            if size - written < len(whole):
                block = shortened(block, size - written)
                parts = {name: one.part(block) for name, one in expected.items()}
                whole = parts["one"][0]
            for name, one in expected.items():
                one.add(parts[name])
            file.write(whole)
            written += len(whole)
    return expected


def line_of_object(made):
    """Returns the text that an object was made of: its message, and around that what is in fields."""
    message, level = made["message"], made.get("level", "").upper()
    if made["format"] == "access":
        assert made["time"] == "2026-01-05T10:00:00+00:00", made
        return '%s - - [05/Jan/2026:10:00:00 +0000] "%s" %d %d "-" "%s"' % (
            made["client.address"], message, made["http.response.status_code"], made["http.response.body.size"],
            made["user_agent.original"])
    if made["format"] == "log4j":
        return "%s %-5s [%s] %s - %s" % (
            made["time_text"], level, made["thread.name"], made["otel.scope.name"], message)
    return f"{level} {message}"


def lines_of_objects(text):
    """Returns the lines that JSON objects, one a line, were made of: an embedded object as its value, others as text."""
    lines = []
    for one in text.splitlines():
        made = json.loads(one)
        lines += [made["record"]] if "record" in made else line_of_object(made).split("\n")
    return lines


def lines_expected(part):
    """Returns the lines of one stream as `lines_of_objects` returns them."""
    return [json.loads(line) if line.startswith(b"{") else line.decode() for line in part.splitlines()]
