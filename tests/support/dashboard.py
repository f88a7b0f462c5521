"""A dashboard as Grafana's schema has it: prints what of it the schema does not know, one path a line.

The package is generated from that schema: what it reads and writes again is what Grafana knows.
"""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def missing(ours, theirs, path):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from missing(value, theirs[key], f"{path}.{key}")
            # What is nothing is left out.
            elif value not in (None, [], {}, ""):
                yield f"{path}.{key}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs)):
            yield from missing(*pair, f"{path}[{index}]")
    elif ours != theirs:
        yield f"{path}: {ours!r}, not {theirs!r}"


def main():
    register_default_plugins()
    with open(sys.argv[1], encoding="utf-8") as file:
        ours = json.load(file)
    theirs = json.loads(JSONEncoder().encode(Dashboard.from_json(ours)))
    print(*missing(ours, theirs, ""), sep="\n")


if __name__ == "__main__":
    main()
