#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the layout of the sources: who may include whom, sizes, and calls that are banned.

    tests/tidy.py               checks the tree; prints  file:line: rule: what to do
    tests/tidy.py --self-test   shows that every rule can fail

The first table below is the architecture. An edge that is not in it is an error: to add one is a
decision, to be made here and to be seen in review.
"""
import ast
import os
import re
import sys

# The parts, a folder each, but that a header of the core and the program are parts of their own; and what each may
# include of the project. Includes go downwards, or sideways inside a part. The public headers stand in runtime/ itself.
FACADE = "runtime/core/runtime.h"  # the core as the layers above it see it
PROGRAM = "actors/main.c"  # names the classes, which stand on what is beside it
PUBLIC = ["messages", "runtime"]
RUNTIME = PUBLIC + ["runtime/base", FACADE]
EDGE = RUNTIME + ["runtime/transport", "runtime/edge"]
PLACE = EDGE + ["runtime/guardian", "runtime/place"]
NODE = PLACE + ["runtime/client", "runtime/node"]
CONTROL = EDGE + ["runtime/guardian", "runtime/config", "supervisor", "supervisor/control"]
TREE = NODE + CONTROL + ["supervisor/tree"]
# The router's parts from the ground up: each stands on those before it.
ROUTER = [f"actors/router/{part}" for part in ("base", "state", "pool", "answer", "dispatch", "port", "order")]
ROUTED = PUBLIC + ["runtime/config", "runtime/edge"]
ALLOWED = {
    "messages": ["messages"],
    "runtime": PUBLIC,
    "runtime/base": PUBLIC + ["runtime/base"],
    FACADE: PUBLIC + ["runtime/base"],
    "runtime/core": RUNTIME + ["runtime/core"],
    "runtime/store": RUNTIME + ["runtime/store"],
    "runtime/config": RUNTIME + ["runtime/config"],
    "runtime/transport": RUNTIME + ["runtime/transport"],
    "runtime/edge": EDGE,
    "runtime/guardian": RUNTIME + ["runtime/guardian"],
    "runtime/place": PLACE,
    "runtime/client": PLACE + ["runtime/client"],
    "runtime/node": NODE,
    "runtime/tools": PUBLIC + ["runtime/tools"],
    "supervisor": RUNTIME + ["supervisor"],
    "supervisor/control": CONTROL,
    "supervisor/tree": TREE,
    "supervisor/command": TREE + ["supervisor/command"],
    "actors": RUNTIME + ["actors"],
    PROGRAM: PUBLIC + ["actors", "actors/router", "actors/match", "actors/parser", "actors/transform"],
    "actors/grammars": PUBLIC,
    "actors/router/base": PUBLIC + ["actors/router/base"],
    **{part: ROUTED + ROUTER[:at + 1] for at, part in enumerate(ROUTER) if at > 0},
    "actors/router": ROUTED + ["runtime/node", "supervisor/control", "actors/router"] + ROUTER,
    "actors/match": RUNTIME + ["actors", "actors/match"],
    "actors/parser": RUNTIME + ["actors", "actors/parser"],
    "actors/transform": RUNTIME + ["actors", "actors/transform"],
    "simulator": PUBLIC + ["simulator"],  # its public header
    "examples": PUBLIC + ["supervisor", "actors", "actors/router", "simulator", "examples"],
}
CORE = ["messages", "runtime", "runtime/base", FACADE, "runtime/core", "runtime/store"]  # builds without czmq
ORDERED = ["actors/router/"]  # here each .c with its header is a module, and no two modules need each other

# Libraries that may be seen from some parts only.
LIBRARIES = {
    "czmq.h": ["runtime/config"],
    "zmq.h": ["messages", "runtime", "runtime/transport", "runtime/edge", "runtime/tools", "actors/router/base"],
    "msgpack.h": ["messages"],
    "jansson.h": ["messages"],
    "tree_sitter/api.h": ["actors/parser"],
    "sodium.h": ["actors/router/base"],
    "seccomp.h": ["runtime/guardian"],
}

# Call -> (where it is allowed all the same, what to use instead). Paths are prefixes.
BANNED = {
    "strcpy": ([], "snprintf or memcpy with a known length"),
    "strcat": ([], "snprintf or memcpy with a known length"),
    "sprintf": ([], "snprintf"),
    "vsprintf": ([], "vsnprintf"),
    "gets": ([], "fgets"),
    "fork": (["runtime/guardian/guardian", "tests/"], "the guardian: it is the only process without threads"),
    "atomic_thread_fence": ([], "an ordering on the operation itself, which the race detector can follow"),
}
# What only the host may ask for (runtime/base/host.h), so that a simulation decides it: call -> what to use instead.
HOSTED = {
    **dict.fromkeys(("time", "gettimeofday", "clock_gettime", "timespec_get"), "the host's clock: trp_now_ns"),
    **dict.fromkeys(("rand", "srand", "random", "drand48", "getrandom", "getentropy"), "the host's chance: trp_random"),
    **dict.fromkeys(("getpid", "getppid", "gettid", "_exit"), "the host's process: runtime_host"),
    **dict.fromkeys(("pthread_create", "pthread_join", "pthread_self", "thrd_create"), "the host's threads"),
    **dict.fromkeys(("getenv", "secure_getenv"), "the configuration"),
}
# Who may all the same, with why. Paths are prefixes.
HOSTS = {
    "runtime/base/host": "it is the host",
    "runtime/transport/": "libzmq and the kernel are behind it",
    "runtime/guardian/guardian": "a process of its own, outside of every runtime",
    "runtime/guardian/cgroup.c": "getpid: part of that process",
    "runtime/guardian/black_box": "memory of two processes and its clocks",
    "runtime/node/worker.c": "getenv: the guardian's word to a program of its own",
    "runtime/node/worker_box.c": "gettid: which thread of a real process writes the box",
    "runtime/tools/": "a program that is no node",
    "supervisor/command/": "a command, not a node",
    "actors/parser/parser_grammar.c": "getenv: where grammars are installed",
    "tests/": "tests run the host itself; the simulator has none of these (see SIMULATED)",
    "examples/": "programs of users",
}
SIMULATED = "tests/sim/sim_"  # the simulator: what it asks the system, no seed can repeat

BANNED_IN_TESTS = {name: "wait for a condition with a deadline, or the virtual clock"
                   for name in ("sleep", "usleep", "nanosleep", "clock_nanosleep")}

FUNCTION_LINES, FILE_LINES, PARAMETERS = 70, 500, 5
COLUMNS = {".c": 100, ".h": 100, ".py": 120}  # .editorconfig; clang-format leaves comments alone
FOLDERS = ["messages", "runtime", "supervisor", "actors", "examples", "tests", "docs", ".ci"]
PEERS = "tests/bench/peers/"  # other systems' benchmarks: theirs is not our architecture
OPEN_ENDS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
HOME = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


class Tree:
    """The files of a project, path -> text, and what was found in them."""

    def __init__(self, files):
        self.files = files
        self.found = []

    def report(self, path, line, rule, text):
        self.found.append((path, line, rule, text))

    def sources(self, *endings, peers=False):
        for path in sorted(self.files):
            if path.endswith(endings) and (peers or not path.startswith(PEERS)):
                yield path, self.files[path]


def part_of(path):
    """The part of the architecture that a file belongs to."""
    if path in (FACADE, PROGRAM):
        return path
    if path == "tests/sim/trp_sim.h":
        return "simulator"
    folder = os.path.dirname(path)
    return folder if folder.split("/")[0] not in ("tests", "examples") else folder.split("/")[0]


def code_only(text):
    """C text with comments and literals blanked, lines kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def includes(text):
    """(line, project path or None, library header or None) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def check_layers(tree):
    for path, text in tree.sources(".c", ".h"):
        part = part_of(path)
        if part != "tests" and part not in ALLOWED:
            tree.report(path, 1, "part", "put this folder in ALLOWED of tests/tidy.py, with what it may include")
            continue
        for line, ours, library in includes(text):
            if ours is not None:
                check_edge(tree, path, line, part, ours)
            elif part not in ("tests", "examples") and part not in LIBRARIES.get(library, [part]):
                tree.report(path, line, "library",
                            f"<{library}> is for {', '.join(LIBRARIES[library])} only; ask one of those")


def check_edge(tree, path, line, part, target):
    if target not in tree.files:
        tree.report(path, line, "root", f'"{target}" is not a file here; write includes from the root')
    elif part != "tests" and part_of(target) not in ALLOWED[part]:
        tree.report(path, line, "layer",
                    f"{part} may not include {part_of(target)}; it may: {', '.join(ALLOWED[part])}")


def rings(edges):
    """Each ring of a graph, node -> nodes: its nodes in a row, the first one again at the end."""
    done, trail = set(), []

    def visit(node):
        trail.append(node)
        for target in edges.get(node, ()):
            if target in trail:
                yield trail[trail.index(target):] + [target]
            elif target not in done:
                yield from visit(target)
        done.add(trail.pop())

    for node in edges:
        if node not in done:
            yield from visit(node)


def check_table(tree, table=None):
    """The table above is an order: no two parts may include each other, nor through others."""
    edges = {part: [other for other in allowed if other != part] for part, allowed in (table or ALLOWED).items()}
    for ring in rings(edges):
        tree.report("tests/tidy.py", 1, "table", "break " + " -> ".join(ring))


def check_cycles(tree):
    """No header includes itself through others."""
    lines = {path: {ours: line for line, ours, _ in includes(text) if ours in tree.files}
             for path, text in tree.sources(".h")}
    for ring in rings(lines):
        tree.report(ring[-2], lines[ring[-2]][ring[-1]], "cycle", "break " + " -> ".join(ring))


def check_modules(tree):
    """Where files are ordered: none stands on another one that stands on it."""
    lines = {}
    for path, text in tree.sources(".c", ".h"):
        for line, ours, _ in includes(text) if path.startswith(tuple(ORDERED)) else ():
            if ours in tree.files and ours.startswith(tuple(ORDERED)) and ours[:-2] != path[:-2]:
                lines.setdefault(path[:-2], {})[ours[:-2]] = path, line
    for ring in rings(lines):
        path, line = lines[ring[-2]][ring[-1]]
        tree.report(path, line, "ring",
                    "let one of them return, or be handed, what the other has: break " + " -> ".join(ring))


def check_own_header(tree):
    for path, text in tree.sources(".c"):
        own = path[:-1] + "h"
        if own not in tree.files and path.startswith("runtime/"):
            own = "runtime/" + os.path.basename(own)  # a public one
        first = next(includes(text), None)
        if own in tree.files and (first is None or first[1] != own):
            tree.report(path, first[0] if first else 1, "own-header", f'include "{own}" first')


def functions(text):
    """(name, first line, last line, parameters) of each C function.

    Exact for the project's format: a function's braces, and no others, stand in column 0.
    """
    lines = code_only(text).splitlines()
    start = None
    for number, line in enumerate(lines):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            head = start - 1
            while head > 0 and lines[head - 1].strip() and not re.search(r"[;}\\]\s*$|^\s*#", lines[head - 1]):
                head -= 1
            name, count = signature(" ".join(lines[head:start]))
            yield name, head + 1, number + 1, count
            start = None


def signature(text):
    """The name and the number of parameters of a function's head."""
    text = text.rstrip()
    depth, commas, at = 0, 0, len(text) - 1
    while at >= 0:
        if text[at] == ")":
            depth += 1
        elif text[at] == "(":
            depth -= 1
            if depth == 0:
                break
        elif text[at] == "," and depth == 1:
            commas += 1
        at -= 1
    inner = text[at + 1:-1].strip()
    name = re.search(r"(\w+)\s*$", text[:max(at, 0)])
    return (name.group(1) if name else "?"), (0 if inner in ("", "void") else commas + 1)


def check_sizes(tree):
    for path, text in tree.sources(".c", ".h", ".py"):
        lines = text.count("\n")
        if lines > FILE_LINES and not path.startswith("tests/"):
            tree.report(path, 1, "file-size", f"{lines} lines; split it, {FILE_LINES} is the limit")
        for name, first, last, parameters in (python_functions if path.endswith(".py") else functions)(text):
            if last - first + 1 > FUNCTION_LINES:
                tree.report(path, first, "function-size",
                            f"{name} has {last - first + 1} lines; split it, {FUNCTION_LINES} is the limit")
            if parameters > PARAMETERS:
                tree.report(path, first, "parameters",
                            f"{name} takes {parameters}; pass a struct, {PARAMETERS} is the limit")


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            positional = node.args.posonlyargs + node.args.args
            count = len([a for a in positional if a.arg not in ("self", "cls")])
            yield node.name, node.lineno, node.end_lineno, count


def check_calls(tree):
    for path, text in tree.sources(".c", ".h"):
        rules = {name: advice for name, (where, advice) in BANNED.items() if not path.startswith(tuple(where))}
        if path.startswith(SIMULATED) or not path.startswith(tuple(HOSTS)):
            rules.update(HOSTED)
        if path.startswith("tests/"):
            rules.update(BANNED_IN_TESTS)
        call = re.compile(r"(?<![\w.>])(" + "|".join(rules) + r")\s*\(")
        for number, line in enumerate(code_only(text).splitlines(), 1):
            for match in call.finditer(line):
                tree.report(path, number, "banned", f"{match.group(1)}: use {rules[match.group(1)]}")


def check_text(tree):
    for path, text in sorted(tree.files.items()):
        lines = text.splitlines()
        if path.endswith((".c", ".h", ".cpp", ".py", ".sh", ".go", ".erl", ".js")):
            if not any("SPDX-License-Identifier: MIT" in line for line in lines[:2]):
                tree.report(path, 1, "licence", "begin with the comment SPDX-License-Identifier: MIT")
        columns = COLUMNS.get(os.path.splitext(path)[1], sys.maxsize)
        is_table = False  # laid out by hand
        for number, line in enumerate(lines, 1):
            is_table = "clang-format off" in line or (is_table and "clang-format on" not in line)
            if len(line) > columns and not is_table:
                tree.report(path, number, "columns", f"{len(line)} columns; {columns} is the limit")
            if OPEN_ENDS.search(line):
                tree.report(path, number, "open-end", "do it, or open an issue and remove the note")
            if HOME.search(line):
                tree.report(path, number, "machine-path", "make the path relative: it exists on one machine only")


def check_models(tree):
    """Each step of a model names code that is there: see tests/models/run.py."""
    bodies = {}
    sources = {os.path.basename(path): code_only(text) for path, text in tree.sources(".c", ".h") if path.startswith("runtime/")}
    for path, text in tree.sources(".pml"):
        for match in re.finditer(r"/\* @ (\S+) (\w+): (.*?) \*/", text, re.S):
            leaf, name, words = match.groups()
            code = sources.get(leaf, "")
            if leaf not in bodies:
                lines = code.splitlines()
                bodies[leaf] = {function: " ".join("\n".join(lines[first - 1:last]).split())
                                for function, first, last, _ in functions(code)}
            if " ".join(words.split()) not in bodies[leaf].get(name, ""):
                tree.report(path, text.count("\n", 0, match.start()) + 1, "model",
                            f"{leaf} in runtime, {name} has no longer: {words}")


def check_atomics(tree):
    """Each order of an atomic but the strongest has its reason: a comment in its function or right above that, or
    one right above the struct, for all in the file, that names the order."""
    weaker = re.compile(r"memory_order_(acquire|release|acq_rel|relaxed)")
    about_struct = re.compile(r"/\*((?:[^*]|\*(?!/))*)\*/\n(?:typedef )?struct")
    for path, text in tree.sources(".c", ".h"):
        lines = text.splitlines()
        explained = False
        named = " ".join(about_struct.findall(text)).lower()
        for number, line in enumerate(lines, 1):
            explained = "*/" in line or (explained and not line.startswith("}"))
            beside = "/*" in "".join(lines[number - 1:number + 1])
            orders = [order for order in weaker.findall(line) if order not in named]
            if orders and not explained and not beside and not path.startswith("tests/"):
                tree.report(path, number, "atomic", "say what the order is for: which write it makes visible, and to whom")


CHECKS = [check_table, check_layers, check_cycles, check_modules, check_own_header, check_sizes, check_calls, check_text, check_models, check_atomics]


def check(files):
    tree = Tree(files)
    for rule in CHECKS:
        rule(tree)
    return sorted(tree.found)


def read_tree(root):
    files = {}
    for folder in FOLDERS:
        for place, names, leaves in os.walk(os.path.join(root, folder)):
            names[:] = [n for n in names if n not in ("node_modules", "__pycache__", "data", "build")]
            for leaf in leaves:
                path = os.path.join(place, leaf)
                try:
                    with open(path, encoding="utf-8") as file:
                        files[os.path.relpath(path, root)] = file.read()
                except UnicodeDecodeError:
                    pass  # a recorded binary, not a source
    return files


def self_test():
    """Each rule on the smallest tree that breaks it, and a sound tree that breaks none."""
    spdx = "/* SPDX-License-Identifier: MIT */\n"
    sound = {
        "messages/pid.h": spdx + "struct pid {\n    int x;\n};\n",
        "runtime/troupe.h": spdx + '#include "messages/pid.h"\n',
        "runtime/base/option.h": spdx,
        "runtime/core/cell.h": spdx + '#include "runtime/base/option.h"\n',
        "tests/models/cell.pml": spdx + "x = 1 /* @ cell.c f: h->time(a) */\n",
        "runtime/core/cell.c": spdx + '#include "runtime/core/cell.h"\n\n/* strcpy( is only named here */\n'
                          + "int f(int (*g)(int, int), int a, int b, int c, int d)\n{\n    return h->time(a);\n}\n",
    }
    body = "".join("    x();\n" for _ in range(FUNCTION_LINES))
    breaks = {
        "part": {"runtime/odd/odd.c": spdx},
        "layer": {"runtime/base/option.c": spdx + '#include "runtime/base/option.h"\n#include "runtime/core/cell.h"\n'},
        "library": {"runtime/core/cell.h": spdx + "#include <czmq.h>\n"},
        "root": {"runtime/base/option.c": spdx + '#include "option.h"\n'},
        "cycle": {"runtime/base/option.h": spdx + '#include "runtime/base/host.h"\n',
                  "runtime/base/host.h": spdx + '#include "runtime/base/option.h"\n'},
        "ring": {"actors/router/state/a.h": spdx, "actors/router/state/b.h": spdx,
                 "actors/router/state/a.c": spdx + '#include "actors/router/state/a.h"\n#include "actors/router/state/b.h"\n',
                 "actors/router/state/b.c": spdx + '#include "actors/router/state/b.h"\n#include "actors/router/state/a.h"\n'},
        "own-header": {"runtime/core/cell.c": spdx + '#include "runtime/base/option.h"\n#include "runtime/core/cell.h"\n'},
        "file-size": {"messages/long.c": spdx + "\n" * FILE_LINES},
        "function-size": {"messages/long.c": spdx + "int f(void)\n{\n" + body + "}\n"},
        "parameters": {"messages/wide.c": spdx + "int f(int a, int b, int c, int d,\n      int e, int f)\n{\n}\n"},
        "columns": {"messages/wide.c": spdx + "/* " + "x" * 100 + " */\n"},
        "banned": {"messages/copy.c": spdx + "int f(void)\n{\n    strcpy(a, b);\n}\n"},
        "licence": {"messages/bare.c": "int x;\n"},
        "atomic": {"messages/flag.c": spdx + "/* f */\nint f(void)\n{\n}\n\nint g(void)\n{\n"
                                      "    return atomic_load_explicit(&x, memory_order_acquire);\n}\n"},
        "model": {"tests/models/cell.pml": spdx + "x = 1 /* @ cell.c f: h->now(a) */\n"},
        "open-end": {"messages/later.c": spdx + "/* TO" + "DO */\n"},
        "machine-path": {"tests/run.sh": "# SPDX-License-Identifier: MIT\ncd /ho" + "me/me\n"},
    }
    failures = [f"a sound tree breaks {found}" for found in check(sound)]
    for rule, files in breaks.items():
        rules = {found[2] for found in check({**sound, **files})}
        if rule not in rules:
            failures.append(f"{rule} was not found: {rules or 'nothing'}")
    ringed = Tree({})
    check_table(ringed, {**ALLOWED, ROUTER[0]: ALLOWED[ROUTER[0]] + ROUTER[-1:]})
    if not ringed.found:
        failures.append("a ring in the table was not found")
    banned = [(name, "messages/a.c") for name in (*BANNED, *HOSTED)] + [(name, SIMULATED + "a.c") for name in HOSTED]
    banned += [(name, "tests/a.c") for name in BANNED_IN_TESTS]
    for name, path in banned:
        path = "messages/a.c" if name == "fork" else path
        if not any(found[2] == "banned" for found in check({path: spdx + f"int a = {name}(1);\n"})):
            failures.append(f"a call of {name} was not found")
    for failure in failures:
        print("tidy self-test:", failure)
    return failures


def main():
    if sys.argv[1:] not in ([], ["--self-test"]):
        sys.exit(__doc__)
    if sys.argv[1:]:
        sys.exit(1 if self_test() else 0)
    found = check(read_tree(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    for path, line, rule, text in found:
        print(f"{path}:{line}: {rule}: {text}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
