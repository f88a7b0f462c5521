"""Prints a log of one of the kinds: python3 -m kinds NAME PERCENT RECORDS [TEXT OF THE LAST ONE]"""

import sys

from . import KINDS


def main(arguments):
    if not arguments:
        print("\n".join(KINDS))
        return
    name, percent, count, *last = arguments
    kind = KINDS[name]
    lines = "".join(kind.records(float(percent), int(count))) + "".join(map(kind.last, last))
    sys.stdout.buffer.write(lines.encode())


main(sys.argv[1:])
