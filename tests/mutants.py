#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants bugs in a copy of the sources and sees whether the tests that are made for them find them.

    tests/mutants.py sim [--seeds 10000] [NAME...]    tests/sim/mutants: by the simulator
    tests/mutants.py tsan [--seconds 60] [NAME...]    tests/stress/mutants: by a stress program under the
                                                      thread sanitizer
    tests/mutants.py test [NAME...]                   tests/mutants: each by the test that it names, which passes
                                                      without it
    tests/mutants.py check                            only whether all of them can still be planted

A bug is a patch. Its first line says what is wrong. Lines of this form follow:

    program: NAME    the stress program, or what a system test needs of build/ besides troupe
    test: TEST       SUITE/NAME of the unit tests, tests/system/FILE.py::NAME, or the same with tests/cgroup.sh before
                     it and a blank: in a kernel that has control groups
"""
import argparse
import collections
import concurrent.futures
import functools
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEARCH_S = 300  # at most, for one bug
SOURCES = ["messages", "runtime", "supervisor", "actors", "examples", "tests", "SConstruct"]


class Mutant:
    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.what = text.split("\n", 1)[0]
        self.programs = re.findall(r"^program: (\S+)$", text, re.M)
        self.test = "".join(re.findall(r"^test: (.+)$", text, re.M))

    def apply(self, tree, *options):
        """None, or what patch says against it."""
        done = subprocess.run(["patch", "-p1", "--force", "--silent", *options, "-i", self.path], cwd=tree,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.strip() if done.returncode != 0 else None


def mutants_of(kind, names=()):
    paths = sorted(glob.glob(os.path.join(ROOT, KINDS[kind].folder, "*.patch")))
    found = [Mutant(path) for path in paths]
    return [mutant for mutant in found if not names or mutant.name in names]


def workspace(place, output):
    """A copy of the sources and of what was built of them, so that a bug costs one file's compilation."""
    tree = os.path.join(ROOT, "build/mutants", place)
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    for name in SOURCES:
        source = os.path.join(ROOT, name)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(tree, name), ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy2(source, tree)
    os.makedirs(os.path.join(tree, output))
    for name in ("vendor", "build/grammars"):
        os.symlink(os.path.join(ROOT, name), os.path.join(tree, name))
    shutil.copytree(os.path.join(ROOT, output, "obj"), os.path.join(tree, output, "obj"))
    known = os.path.join(output, ".sconsign.dblite")
    if os.path.exists(os.path.join(ROOT, known)):
        shutil.copy2(os.path.join(ROOT, known), os.path.join(tree, known))
    return tree


def run_until(argv, tree, env, found, seconds):
    """Runs it until a line of its output matches `found`, it ends, or the time is up: (match, lines, status)."""
    child = subprocess.Popen(argv, cwd=tree, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    watch = threading.Timer(seconds, os.killpg, (child.pid, signal.SIGKILL))
    watch.start()
    lines, match = [], None
    for line in child.stdout:
        lines.append(line)
        match = re.search(found, line)
        if match:
            break
    watch.cancel()
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return match, lines, child.wait()


def by_simulator(tree, mutant, options):
    env = dict(os.environ, GLIBC_TUNABLES="glibc.malloc.tcache_count=0")
    argv = ["build/tests/sim/run", "--quiet", "--seeds", str(options.seeds)]
    match, lines, _ = run_until(argv, tree, env, r"^FAILED +(\w+) seed (\d+)(?:, step \d+)?: (.*)|"
                                r"^signal (\d+);.*--scenario (\w+) --seed (\d+)", SEARCH_S)
    if match is None:
        return None, "".join(lines[-1:]).strip()
    if match.group(2):
        return f"seed {match.group(2)}", f"{match.group(1)}: {match.group(3)}"
    said = next((line.strip() for line in lines if "Assertion" in line), f"signal {match.group(4)}")
    return f"seed {match.group(6)}", f"{match.group(5)}: {said}"


def by_sanitizer(tree, mutant, options):
    quiet = os.path.join(ROOT, "tests/stress/tsan.supp")
    env = dict(os.environ, TSAN_OPTIONS=f"halt_on_error=1:suppressions={quiet}")
    argv = ["setarch", os.uname().machine, "-R", f"build/tsan/tests/stress/{mutant.programs[0]}"]
    begin = time.monotonic()
    rounds = 0
    while rounds == 0 or time.monotonic() - begin < options.seconds:
        rounds += 1
        match, lines, _ = run_until(argv, tree, env, r"WARNING: ThreadSanitizer: ([\w -]+)", SEARCH_S)
        if match:
            return f"round {rounds}", f"{mutant.programs[0]}: {match.group(1).strip()}"
    return None, f"{rounds} rounds of {mutant.programs[0]} were quiet"


def end_left(tree):
    """Kills what a test that failed, or was ended, has left of the tree's programs."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{entry}/exe").startswith(tree + "/"):
                os.kill(int(entry), signal.SIGKILL)
        except OSError:
            continue  # not ours, or gone


def run_test(tree, test):
    """Runs one test of a tree. (whether it passed, the last that it complained of)"""
    system = re.fullmatch(r"(tests/cgroup.sh )?tests/system/(\w+)\.py::(\w+)", test)
    if system is None:
        argv = ["build/tests/unit", "--timeout", "60", "--filter", test]
    else:
        argv = ["/usr/bin/python3", "-m", "unittest", "-v", "-k", system.group(3), system.group(2)]
        if system.group(1):
            argv = ["tests/cgroup.sh", *argv[4:]]
    folder = os.path.join(tree, "tests/system")
    env = dict(os.environ, TROUPE_PROGRAM=os.path.join(tree, "build/troupe"), LANG="C.UTF-8",
               PYTHONPATH=f"{folder}:{tree}", PYTHONDONTWRITEBYTECODE="1")
    _, lines, status = run_until(argv, tree, env, r"(?!)", SEARCH_S)
    end_left(tree)
    output = "".join(lines)
    passed = status == 0 and re.search(r"Tested: 1 \| Passing: 1 |^Ran [1-9][0-9]* tests? in .*\n\nOK$", output, re.M)
    said = re.findall(r"^\w*Error: .*|Assertion.*|.*Unexpected signal.*|skipped .*", output, re.M) or lines[-1:] or [""]
    return bool(passed), f"{test.split('/')[-1].split('::')[-1]}: {said[-1].strip()}"


def by_test(tree, mutant, options):
    passed, said = run_test(tree, mutant.test)
    return None if passed else "its test", "its test passes" if passed else said


# What is planted where, the variant that is built, the programs that are, and who finds it.
Kind = collections.namedtuple("Kind", "folder variant programs hunter")
KINDS = {
    "sim": Kind("tests/sim/mutants", "release", lambda mutant: ["tests/sim/run"], by_simulator),
    "tsan": Kind("tests/stress/mutants", "tsan", lambda mutant: [f"tests/stress/{mutant.programs[0]}"], by_sanitizer),
    "test": Kind("tests/mutants", "release", lambda mutant: ["troupe", *mutant.programs] if ".py::" in mutant.test
                 else ["tests/unit"], by_test),
}


def output_of(kind):
    return "build" if kind.variant == "release" else f"build/{kind.variant}"


def build(tree, kind, mutants):
    """None, or what the compiler says against it."""
    programs = sorted({f"{output_of(kind)}/{program}" for mutant in mutants for program in kind.programs(mutant)})
    built = subprocess.run(["scons", "-Q", f"variant={kind.variant}", *programs], cwd=tree, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    return None if built.returncode == 0 else "does not compile: " + built.stdout[-400:]


def hunt(spaces, kind, mutant, options):
    """(where it was found or None, what was said, seconds)"""
    begin = time.monotonic()
    tree = spaces.pop()
    try:
        said = mutant.apply(tree)
        if said is not None:
            return None, said, 0
        where, said = None, build(tree, kind, [mutant])
        if said is None:
            where, said = kind.hunter(tree, mutant, options)
        mutant.apply(tree, "-R")
        return where, said, time.monotonic() - begin
    finally:
        spaces.append(tree)


def prove(spaces, kind, mutants, pool):
    """Runs each test without any bug. What those said that do not pass, by test: their failing would show nothing."""
    def run(test):
        tree = spaces.pop()
        try:
            return run_test(tree, test)
        finally:
            spaces.append(tree)

    refused = [said for said in pool.map(lambda tree: build(tree, kind, mutants), list(spaces)) if said is not None]
    tests = sorted({mutant.test for mutant in mutants})
    if refused:
        return dict.fromkeys(tests, refused[0])
    done = dict(zip(tests, pool.map(run, tests)))
    failed = {test: f"without the bug, too: {said}" for test, (passed, said) in done.items() if not passed}
    print(f"{len(tests) - len(failed)} of {len(tests)} tests pass without a bug", flush=True)
    return failed


@functools.cache
def texts_of(pattern):
    """All files of that pattern, one after the other."""
    texts = []
    for path in glob.glob(os.path.join(ROOT, pattern), recursive=True):
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return "".join(texts)


def has_test(test):
    words = re.fullmatch(r"(?:tests/cgroup.sh )?(.+?)(?:::|/)(\w+)", test)
    if words is None:
        return False
    place, name = words.groups()
    if place.endswith(".py"):
        return f"    def {name}(self)" in texts_of(place)
    return f"\nTest({place}, {name}" in texts_of("tests/**/*.c")


def faults_of(kind, mutant):
    refused = mutant.apply(ROOT, "--dry-run")
    if refused is not None:
        yield refused
    if kind.hunter is by_test and not has_test(mutant.test):
        yield f"there is no test `{mutant.test}`"


def check():
    count = faults = 0
    for name, kind in KINDS.items():
        for mutant in mutants_of(name):
            count += 1
            for said in faults_of(kind, mutant):
                faults += 1
                print(f"{os.path.relpath(mutant.path, ROOT)}: {said}")
    print(f"{count} bugs, {f'{faults} faults' if faults else 'all can be planted'}")
    return faults == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=[*KINDS, "check"])
    parser.add_argument("--seeds", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if options.kind == "check":
        sys.exit(0 if check() else 1)
    mutants, kind = mutants_of(options.kind, options.names), KINDS[options.kind]
    if not mutants:
        parser.error("no such bug")
    jobs_max = min(os.cpu_count() or 1, len(mutants))
    spaces = [workspace(f"{options.kind}{number}", output_of(kind)) for number in range(jobs_max)]
    width = max(len(mutant.name) for mutant in mutants)
    found = 0
    with concurrent.futures.ThreadPoolExecutor(jobs_max) as pool:
        useless = prove(spaces, kind, mutants, pool) if kind.hunter is by_test else {}
        jobs = [(mutant, pool.submit(hunt, spaces, kind, mutant, options)) for mutant in mutants
                if mutant.test not in useless]
        print(f"{'planted bug':<{width}} {'found at':<10} {'seconds':>7}  by")
        for mutant, job in jobs:
            where, said, seconds = job.result()
            found += where is not None
            shown = said[:100] if where is not None else f"{mutant.what} {said}"
            print(f"{mutant.name:<{width}} {where or 'NOT FOUND':<10} {seconds:>7.1f}  {shown}", flush=True)
        for mutant in mutants:
            if mutant.test in useless:
                print(f"{mutant.name:<{width}} {'NOT SHOWN':<10} {'':>7}  {useless[mutant.test]}")
    shutil.rmtree(os.path.join(ROOT, "build/mutants"), ignore_errors=True)
    print(f"{found} of {len(mutants)} found")
    sys.exit(0 if found == len(mutants) else 1)


if __name__ == "__main__":
    main()
