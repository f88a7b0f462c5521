#!/usr/bin/env python3
"""Prints what the program is made of, as CycloneDX: the packages that Cargo.lock pins and a release build compiles in.

.ci/sbom.py TARGET, such as x86_64-unknown-linux-gnu; in the repository.
"""

import json
import subprocess
import sys
import tomllib


def packages(target):
    """The packages of a release build, each with its dependencies, by cargo's own ids."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    known = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, todo = {}, [root]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        is_compiled_in = lambda dependency: any(kind["kind"] is None for kind in dependency["dep_kinds"])
        is_macro = any("proc-macro" in made["kind"] for made in known[name]["targets"])
        needs = [] if is_macro else [one["pkg"] for one in nodes[name]["deps"] if is_compiled_in(one)]
        found[name] = (known[name], needs)
        todo += needs
    return root, found


def checksums():
    with open("Cargo.lock", "rb") as lock:
        return {(one["name"], one["version"]): one.get("checksum") for one in tomllib.load(lock)["package"]}


def main(target):
    root, found = packages(target)
    sums = checksums()
    reference = lambda package: f"pkg:cargo/{package['name']}@{package['version']}"

    def component(package):
        described = {"type": "library", "bom-ref": reference(package), "name": package["name"]}
        described |= {"version": package["version"], "purl": reference(package)}
        if package["license"]:
            described["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := sums.get((package["name"], package["version"])):
            described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return described

    own = component(found[root][0]) | {"type": "application"}
    others = sorted((component(package) for name, (package, _) in found.items() if name != root), key=lambda one: one["purl"])
    dependencies = [
        {"ref": reference(package), "dependsOn": sorted(reference(found[need][0]) for need in needs)}
        for package, needs in found.values()
    ]
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": own, "properties": [{"name": "target", "value": target}]},
        "components": others,
        "dependencies": sorted(dependencies, key=lambda one: one["ref"]),
    }
    json.dump(bom, sys.stdout, indent=1)
    print()


main(sys.argv[1])
