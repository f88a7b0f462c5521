"""Kinds of logs as applications write them: a table of templates each, from what their documentation says.

python3 -m kinds                          names them, in the folder bench
python3 -m kinds NAME PERCENT RECORDS     prints so many records, of which so many in a hundred are errors
"""

from . import databases, java, languages, systems, web
from .templates import Kind, Log, one_of

BLOCK_BYTES, BLOCK_RECORDS_MAX, LONGEST_RECORD = 2 << 20, 1 << 20, 4096
KINDS = {kind.name: kind for table in (web, databases, java, languages, systems) for kind in table.KINDS}


class Mixed:
    """Each record is one of another kind: nothing that was found of a line holds for the next one."""

    name, source = "changing from line to line", "all of the others"

    def records(self, percent, count):
        """Yields so many records, of which so many in a hundred are errors."""
        log = Log(f"{self.name} {percent}")
        sources = [kind.records(percent, count) for kind in KINDS.values() if isinstance(kind, Kind)]
        for _ in range(count):
            yield next(one_of(sources)(log))

    def last(self, text):
        """Returns an ordinary record with this text."""
        return next(iter(KINDS.values())).last(text)


KINDS[Mixed.name] = Mixed()


def write(path, kind, percent, size):
    """Writes a log of so many bytes, or a little less, and returns how many bytes and lines there are.

    It is some 2 MiB, over and over: more than a processor's caches hold.
    """
    parts, length = [], 0
    for record in kind.records(percent, BLOCK_RECORDS_MAX):
        parts.append(record.encode())
        length += len(parts[-1])
        if length > min(size, BLOCK_BYTES) - LONGEST_RECORD:
            break
    block, times = b"".join(parts), size // length
    with open(path, "wb") as file:
        for _ in range(times):
            file.write(block)
    return times * length, times * block.count(b"\n")
