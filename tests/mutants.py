#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants bugs in a copy of the sources and sees whether the tests that are made for them find them.

    tests/mutants.py sim [--seeds 10000] [NAME...]    tests/sim/mutants: by the simulator
    tests/mutants.py tsan [--seconds 60] [NAME...]    tests/stress/mutants: by a stress program under the
                                                      thread sanitizer
    tests/mutants.py check                            only whether all of them can still be planted

A bug is a patch. Its first line says what is wrong; a line  program: NAME  which stress program it is for.
"""
import argparse
import concurrent.futures
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
FOLDERS = {"sim": "tests/sim/mutants", "tsan": "tests/stress/mutants"}
SEARCH_S = 300  # at most, for one bug
SOURCES = ["messages", "runtime", "supervisor", "actors", "examples", "tests", "SConstruct"]


class Mutant:
    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.what = text.split("\n", 1)[0]
        program = re.search(r"^program: (\w+)$", text, re.M)
        self.program = program.group(1) if program else None

    def apply(self, tree, *options):
        """None, or what patch says against it."""
        done = subprocess.run(["patch", "-p1", "--batch", "--silent", *options, "-i", self.path], cwd=tree,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.strip() if done.returncode != 0 else None


def mutants_of(kind, names=()):
    paths = sorted(glob.glob(os.path.join(ROOT, FOLDERS[kind], "*.patch")))
    found = [Mutant(path) for path in paths]
    return [mutant for mutant in found if not names or mutant.name in names]


def workspace(kind, number, output):
    """A copy of the sources and of what was built of them, so that a bug costs one file's compilation."""
    tree = os.path.join(ROOT, "build/mutants", f"{kind}{number}")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    for name in SOURCES:
        source = os.path.join(ROOT, name)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(tree, name), ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy2(source, tree)
    os.symlink(os.path.join(ROOT, "vendor"), os.path.join(tree, "vendor"))
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
    argv = ["setarch", os.uname().machine, "-R", f"build/tsan/tests/stress/{mutant.program}"]
    begin = time.monotonic()
    rounds = 0
    while rounds == 0 or time.monotonic() - begin < options.seconds:
        rounds += 1
        match, lines, _ = run_until(argv, tree, env, r"WARNING: ThreadSanitizer: ([\w -]+)", SEARCH_S)
        if match:
            return f"round {rounds}", f"{mutant.program}: {match.group(1).strip()}"
    return None, f"{rounds} rounds of {mutant.program} were quiet"


def hunt(spaces, kind, mutant, options):
    """(where it was found or None, what was said, seconds)"""
    begin = time.monotonic()
    tree = spaces.pop()
    try:
        refused = mutant.apply(tree)
        if refused is not None:
            return None, refused, 0
        program = f"build/tsan/tests/stress/{mutant.program}" if kind == "tsan" else "build/tests/sim/run"
        argv = ["scons", "-Q", *(["variant=tsan"] if kind == "tsan" else []), program]
        built = subprocess.run(argv, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if built.returncode != 0:
            where, said = None, "does not compile: " + built.stdout[-400:]
        else:
            where, said = (by_simulator if kind == "sim" else by_sanitizer)(tree, mutant, options)
        mutant.apply(tree, "-R")
        return where, said, time.monotonic() - begin
    finally:
        spaces.append(tree)


def check(mutants):
    stray = [(mutant, said) for mutant in mutants for said in [mutant.apply(ROOT, "--dry-run")] if said is not None]
    for mutant, said in stray:
        print(f"{os.path.relpath(mutant.path, ROOT)}: {said}")
    print(f"{len(mutants) - len(stray)} bugs can be planted, {len(stray)} cannot")
    return not stray


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["sim", "tsan", "check"])
    parser.add_argument("--seeds", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if options.kind == "check":
        sys.exit(0 if check(mutants_of("sim") + mutants_of("tsan")) else 1)
    mutants = mutants_of(options.kind, options.names)
    if not mutants:
        parser.error("no such bug")
    output = "build/tsan" if options.kind == "tsan" else "build"
    jobs_max = min(os.cpu_count() or 1, len(mutants))
    spaces = [workspace(options.kind, number, output) for number in range(jobs_max)]
    print(f"{'planted bug':<26} {'found at':<10} {'seconds':>7}  by")
    found = 0
    with concurrent.futures.ThreadPoolExecutor(jobs_max) as pool:
        jobs = [(mutant, pool.submit(hunt, spaces, options.kind, mutant, options)) for mutant in mutants]
        for mutant, job in jobs:
            where, said, seconds = job.result()
            found += where is not None
            shown = said[:100] if where is not None else f"{mutant.what} {said}"
            print(f"{mutant.name:<26} {where or 'NOT FOUND':<10} {seconds:>7.1f}  {shown}", flush=True)
    shutil.rmtree(os.path.join(ROOT, "build/mutants"), ignore_errors=True)
    print(f"{found} of {len(mutants)} found")
    sys.exit(0 if found == len(mutants) else 1)


if __name__ == "__main__":
    main()
