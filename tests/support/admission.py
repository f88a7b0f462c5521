"""Admission policies of Kubernetes without a server: what they make of an object, and what they say of it.

Reads {"policies": [...], "objects": [...]} from the file that is named, and writes, for each object, what it is in the end, whether it was
patched, and the messages of the validations that it fails. The expressions are compiled and evaluated by Google's CEL in C++; the API server
has the one in Go. What the API server adds is here: its list functions, JSONPatch{..} and Object.x.y{..}, which are read as maps, with
the check that each type is named after the path of its field.
"""

import copy
import functools
import json
import re
import sys

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings


def index_of(items, item):
    for index, one in enumerate(items):
        if one == item:
            return index
    return -1


DYN = cel.Type.DYN
ENV = cel.NewEnv(
    variables={"object": DYN, "variables": cel.Type.Map(cel.Type.STRING, DYN)},
    extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()],
    functions=[
        cel.FunctionDecl(
            # The strings have one of that name, which the policies do not use.
            "listIndexOf",
            [
                cel.Overload(
                    "list_a_index_of_int",
                    return_type=cel.Type.INT,
                    # Of strings: there is no overload for anything.
                    parameters=[cel.Type.LIST, cel.Type.STRING],
                    is_member=True,
                    impl=index_of,
                )
            ],
        )
    ],
)

VARIABLE = re.compile(r"\bvariables\.(\w+)")
TOKEN = re.compile(r"""r'[^']*'|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|Object(?:\.\w+)*\{|JSONPatch\{|\w+|\s+|.""", re.S)


def as_maps(text):
    """The expression with maps in the place of objects.

    Raises ValueError where an object is not of the type that its field has.
    """
    out, braces, field = [], [], None
    tokens = TOKEN.findall(text)
    for index, token in enumerate(tokens):
        following = "".join(tokens[index + 1 :]).lstrip()[:1]
        if token.endswith("{"):
            kind = token[:-1]
            around = next((one for one in reversed(braces) if one[0]), None)
            if kind.startswith("Object") and around and around[0] != "JSONPatch":
                if kind != f"{around[0]}.{around[1]}":
                    raise ValueError(f"{kind} is in the field {around[1]} of {around[0]}")
            braces.append([kind, None])
            out.append("{")
        elif token == "}":
            braces.pop()
            out.append(token)
        elif braces and braces[-1][0] and re.fullmatch(r"\w+", token) and following == ":" and is_name(tokens, index):
            braces[-1][1] = token
            out.append(f'"{token}"')
        else:
            out.append(token)
    return "".join(out).replace(".indexOf(", ".listIndexOf(")


def is_name(tokens, index):
    """Whether what stands before is the beginning of an object or a comma: else it is a part of `a ? b : c`."""
    before = "".join(tokens[:index]).rstrip()
    return before.endswith(("{", ","))


@functools.lru_cache(maxsize=None)
def compiled(expression):
    return ENV.compile(as_maps(expression))


def native(value):
    """What a value of CEL is in JSON."""
    value = value.value() if hasattr(value, "value") and callable(value.value) else value
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    if hasattr(value, "items"):
        return {native(key): native(one) for key, one in value.items()}
    return [native(one) for one in value]


class Scope:
    """An object, and the variables of a policy, each evaluated when it is first needed."""

    def __init__(self, policy, thing):
        self.object = thing
        self.expressions = {one["name"]: one["expression"] for one in policy["spec"].get("variables", [])}
        self.values, self.failures = {}, {}
        known = set()
        for name, expression in self.expressions.items():
            later = set(VARIABLE.findall(expression)) - known
            if later:
                raise ValueError(f"{name} needs {later}, which is not defined before it")
            known.add(name)

    def evaluate(self, expression):
        for name in dict.fromkeys(VARIABLE.findall(expression)):
            if name not in self.values and name not in self.failures:
                try:
                    self.values[name] = self.evaluate(self.expressions[name])
                except Failure as why:
                    # What mentions it may not need it.
                    self.failures[name] = why
        # One that does not compile is a mistake in the policy, whatever its failurePolicy is.
        result = compiled(expression).eval(data={"object": self.object, "variables": dict(self.values)})
        if result.type() == cel.Type.ERROR:
            why = str(result.value())
            raise next((one for name, one in self.failures.items() if f'"{name}"' in why), Failure(f"{why}: {expression}"))
        return native(result)


class Failure(Exception):
    pass


def patched(thing, patch):
    thing = copy.deepcopy(thing)
    for operation in patch:
        assert operation["op"] == "add", operation
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        target = thing
        for part in parents:
            target = target[int(part)] if isinstance(target, list) else target[part]
        if isinstance(target, list):
            target.insert(len(target) if last == "-" else int(last), operation["value"])
        else:
            target[last] = operation["value"]
    return thing


def admitted(policies, thing):
    before, said = thing, []
    for policy in policies:
        scope = Scope(policy, thing)
        try:
            if not all(scope.evaluate(one["expression"]) for one in policy["spec"].get("matchConditions", [])):
                continue
            for mutation in policy["spec"].get("mutations", []):
                thing = patched(thing, scope.evaluate(mutation["jsonPatch"]["expression"]))
            for validation in policy["spec"].get("validations", []):
                if not scope.evaluate(validation["expression"]):
                    message = validation.get("messageExpression")
                    said.append(scope.evaluate(message) if message else validation["message"])
        except Failure as why:
            if policy["spec"]["failurePolicy"] != "Ignore":
                raise
            said.append(f"failed: {why}")
    return {"object": thing, "patched": thing != before, "said": said}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    json.dump([admitted(given["policies"], one) for one in given["objects"]], sys.stdout)


if __name__ == "__main__":
    main()
