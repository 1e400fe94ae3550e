#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests of one build and ends with the line  N passed, N failed.

    tests/run.py [--variant release] [--stages unit,system,...] [--seconds 2] [FILTER...]

Stages: unit     build/tests/unit, the Criterion program
        manual   build/tests/manual/*: the examples in the headers' comments
        system   tests/system/test_*.py: real nodes; they find the program in TROUPE_PROGRAM
        stress   build/tests/stress/*: threads against each other, each again until its seconds are up
        examples examples/*/test_*.py, and the programs of examples/*/test_*.c
        sim      build/tests/sim/run: 2,800 worlds, and all schedules of a small one
        tidy     the layout of the sources (tests/tidy.py and its self-test), and whether the
                 bugs of tests/mutants.py can still be planted
Files of system tests and examples, which wait more than they work, run side by side, two for each processor.
Each is tried once: what fails now and then is a fault, of the test or of what it tests.
A filter is a part of a suite's, a file's or a test's name; several are joined by "or".
"""
import argparse
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STAGES = ["unit", "manual", "system", "stress", "examples", "sim", "tidy"]
TIME_LIMIT_S = 600  # of one program or file of tests
AGAIN_MAX = 5  # unit tests that failed: with more it is no accident
RUNNING = set()  # children, ended with this program
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(colour, text):
    return f"\033[{colour}m{text}\033[0m" if COLOUR else text


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.unsteady = []
        self.lock = threading.Lock()

    def add(self, name, passed, failed, skipped, seconds):
        """One line for one program or file, and its share of the sums. Any thread."""
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped
        if passed + failed + skipped == 0:
            return
        verdict = paint("31", "FAILED") if failed else paint("32", "ok")
        counts = f"{passed} passed" + (f", {failed} failed" if failed else "") + (
            f", {skipped} skipped" if skipped else "")
        print(f"{verdict}  {name}  {counts}  ({seconds:.1f} s)", flush=True)


def kill_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(argv, env, echo=None, limit=TIME_LIMIT_S):
    """Runs a program in a process group of its own: (exit status, output, seconds).

    echo(line) sees each line as it comes. What is left of the group at the end is killed.
    """
    begin = time.monotonic()
    child = subprocess.Popen(argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    RUNNING.add(child)
    lines, ended = [], []

    def read():
        for line in child.stdout:
            lines.append(line)
            if echo:
                echo(line.rstrip("\n"))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        child.wait(limit)
    except subprocess.TimeoutExpired:
        ended.append(f"ended after {limit:.0f} s, the time limit\n")
    finally:
        kill_group(child)
        RUNNING.discard(child)
    reader.join(5)
    if reader.is_alive():
        ended.append("left a process behind that still holds its output\n")
    return child.wait(), "".join(lines + ended), time.monotonic() - begin


def show(output):
    print("".join(f"    {line}\n" for line in output.splitlines()[-200:]), end="", flush=True)


def unit(totals, build, env, options):
    program = os.path.join(build, "tests/unit")
    if not os.path.exists(program):
        return
    arguments = ["--timeout", "60", f"-j{2 * os.cpu_count()}"]  # some wait
    if options.filters:
        words = [pattern for word in options.filters for pattern in (f"*{word}*/*", f"*/*{word}*")]
        arguments += ["--filter", f"@({'|'.join(words)})"]
    passed, failed, skipped, seconds, output = unit_tests([program, *arguments], env)
    names = sorted(set(re.findall(r"^\[(?:FAIL|CRASH)\] (\w+)::(\w+)", output, re.M)))
    if options.again and 0 < failed == len(names) <= AGAIN_MAX:
        seconds += again(totals, program, names, env)
        passed, failed = passed + failed, 0
        for name in names:
            if "unit " + "/".join(name) not in totals.unsteady:
                passed, failed = passed - 1, failed + 1
    totals.add("unit", passed, failed, skipped, seconds)


def again(totals, program, names, env):
    """Each of the unit tests that failed once more, by itself; returns the seconds."""
    spent = 0.0
    for name in names:
        passed, failed, _, seconds, _ = unit_tests([program, "--timeout", "60", "--filter", "/".join(name)], env)
        spent += seconds
        if passed > 0 and failed == 0:
            totals.unsteady.append("unit " + "/".join(name))
    return spent


def unit_tests(argv, env):
    """(passed, failed, skipped, seconds, output), which is shown when a test failed."""
    status, output, seconds = run(argv, env)
    count = {name: int(n) for name, n in re.findall(r"(Tested|Passing|Failing): (\d+)", output)}
    passed, failed = count.get("Passing", 0), count.get("Failing", 0)
    skipped = count.get("Tested", passed + failed) - passed - failed
    ends_wrong = "Assertion Failed" in output or "during its setup or teardown" in output  # which Criterion lets pass
    if failed == 0 and (status != 0 or ends_wrong):
        failed = 1
    if failed:
        show(output)
    return passed, failed, skipped, seconds, output


def python_file(totals, path, env, options):
    """One file of unittest; with --again a second time when one of its tests fails."""
    counts = python_tests(path, env, options)
    if counts[1] > 0 and options.again:
        second = python_tests(path, env, options)
        if second[1] == 0:
            totals.unsteady.append(os.path.relpath(path, ROOT))
            counts = second
    totals.add(os.path.relpath(path, ROOT), *counts)


def python_tests(path, env, options):
    """(passed, failed, skipped, seconds), each test shown as it ends."""
    stem = os.path.splitext(os.path.basename(path))[0]
    name = os.path.relpath(path, ROOT)
    words = [] if any(w in name for w in options.filters) else [a for w in options.filters for a in ("-k", w)]
    folder = os.path.dirname(path)
    argv = ["/usr/bin/python3", "-m", "unittest", "-v", *words, stem]

    def progress(line):
        match = re.match(r"(.*?)(?: \(\S+\))? \.\.\. (ok|skipped .*|FAIL|ERROR|expected failure)$", line)
        if match:
            print(f"    {stem}: {match.group(1)}: {match.group(2)}", flush=True)

    path_list = os.pathsep.join([folder, ROOT] + env.get("PYTHONPATH", "").split(os.pathsep))
    status, output, seconds = run(argv, {**env, "PYTHONPATH": path_list.rstrip(os.pathsep)}, progress)
    ran = re.search(r"^Ran (\d+) test", output, re.M)
    count = {key: int(n) for key, n in re.findall(r"(failures|errors|skipped|unexpected successes)=(\d+)", output)}
    skipped = count.pop("skipped", 0)
    failed = sum(count.values()) or (1 if status != 0 else 0)
    if failed:
        show(output)
    return max((int(ran.group(1)) if ran else 0) - failed - skipped, 0), failed, skipped, seconds


def manual(totals, build, env, options):
    for frame in sorted(glob.glob(os.path.join(ROOT, "tests/manual/*.c"))):
        program = os.path.join(build, os.path.relpath(frame, ROOT))[:-2]
        name = os.path.relpath(program, ROOT)
        if options.filters and not any(word in name for word in options.filters):
            continue
        status, output, seconds = run([program], env)
        if status != 0:
            show(output)
        totals.add(name, int(status == 0), int(status != 0), 0, seconds)
    if not options.filters:
        status, output, seconds = run(["/usr/bin/python3", "tests/manual.py", "--check"], env)
        show(output)
        totals.add("tests/manual.py --check", int(status == 0), int(status != 0), 0, seconds)


def python_files(totals, pattern, env, options):
    with concurrent.futures.ThreadPoolExecutor(2 * os.cpu_count()) as pool:
        jobs = [pool.submit(python_file, totals, path, env, options)
                for path in sorted(glob.glob(os.path.join(ROOT, pattern)))]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(RUNNING):
                kill_group(child)
            raise


def system(totals, build, env, options):
    python_files(totals, "tests/system/test_*.py", env, options)


def examples(totals, build, env, options):
    python_files(totals, "examples/*/test_*.py", env, options)
    example_tests(totals, build, env, options)


def example_tests(totals, build, env, options):
    """Users' actors in simulated nodes."""
    for path in sorted(glob.glob(os.path.join(build, "examples/test_*"))):
        name = os.path.relpath(path, ROOT)
        if options.filters and not any(word in name for word in options.filters):
            continue
        status, output, seconds = run([path], env)
        if status != 0:
            show(output)
        totals.add(name, int(status == 0), int(status != 0), 0, seconds)


def sim(totals, build, env, options):
    """Many simulated worlds, 1,800 of them of the router's scenarios, and all schedules of a small one."""
    program = os.path.join(build, "tests/sim/run")
    name = os.path.relpath(program, ROOT)
    if not os.path.exists(program) or (options.filters and not any(word in name for word in options.filters)):
        return
    exact = {**env, "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    for arguments in (["--seeds", "2800", "--quiet"], ["--search", "3"]):
        status, output, seconds = run([program, *arguments], exact)
        if status != 0:
            show(output)
        totals.add(" ".join([name, *arguments]), int(status == 0), int(status != 0), 0, seconds)


def unrandomised():
    """A prefix that lays out memory as the thread sanitizer of gcc 12 needs it, where that is allowed."""
    prefix = ["setarch", os.uname().machine, "-R"]
    try:
        return prefix if subprocess.run(prefix + ["true"], capture_output=True).returncode == 0 else []
    except FileNotFoundError:
        return []


def stress(totals, build, env, options):
    prefix = unrandomised() if options.variant == "tsan" else []
    for source in sorted(glob.glob(os.path.join(ROOT, "tests/stress/*.c"))):
        program = os.path.join(build, os.path.relpath(source, ROOT))[:-2]
        name = os.path.relpath(program, ROOT)
        if options.filters and not any(word in name for word in options.filters):
            continue
        spent, rounds, status = 0.0, 0, 0
        while status == 0 and (rounds == 0 or spent < options.seconds):
            status, output, seconds = run([*prefix, program], env)
            spent += seconds
            rounds += 1
        if status != 0:
            show(output + f"exit status {status} in round {rounds}\n")
        totals.add(name, int(status == 0), int(status != 0), 0, spent)


def tidy(totals, build, env, options):
    if options.filters and not any(word in "tests/tidy" for word in options.filters):
        return
    for argv in (["tests/tidy.py"], ["tests/tidy.py", "--self-test"], ["tests/mutants.py", "check"]):
        status, output, seconds = run(["/usr/bin/python3", *argv], env)
        if status != 0:
            show(output)
        totals.add(" ".join(argv), int(status == 0), int(status != 0), 0, seconds)


def sanitizer_reports(totals, folder):
    """A report of a worker process that nobody waited for is a failure too. No report is what the search for leaks
    says of a thread that ended under it."""
    reports = []
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        with open(path, encoding="utf-8", errors="replace") as file:
            said = re.sub(r"^==\d+==Unable to get registers from thread \d+\.\n", "", file.read(), flags=re.M)
        if said.strip():
            reports.append(said)
            show(said)
    if reports:
        totals.add("sanitizer reports in processes", 0, len(reports), 0, 0)


def environment(build, variant):
    """What the tests see, and the folder for the sanitizers' reports."""
    reports = os.path.join(build, "reports")
    os.makedirs(reports, exist_ok=True)
    for path in glob.glob(os.path.join(reports, "*")):
        os.unlink(path)
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1", LANG="C.UTF-8")
    env.setdefault("TROUPE_PROGRAM", os.path.join(build, "troupe"))
    if variant == "asan":
        env.setdefault("TROUPE_TEST_SLOW", "4")  # the system tests' limits are for a release build
        log = f"log_path={reports}/report"
        env["ASAN_OPTIONS"] = f"{log}:detect_stack_use_after_return=1"
        env["UBSAN_OPTIONS"] = f"{log}:print_stacktrace=1"
        quiet = os.path.join(ROOT, "tests/lsan.supp")
        env["LSAN_OPTIONS"] = f"suppressions={quiet}:print_suppressions=0"
    if variant == "tsan":
        quiet = os.path.join(ROOT, "tests/stress/tsan.supp")
        env["TSAN_OPTIONS"] = "second_deadlock_stack=1" + (f":suppressions={quiet}" if os.path.exists(quiet) else "")
    return env, reports


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="release")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--seconds", type=int, default=2, help="of each stress program")
    parser.add_argument("--again", action="store_true", help="try failed unit tests, and files, once more")
    parser.add_argument("filters", nargs="*", metavar="FILTER")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it, and so would all tests
    stages = options.stages.split(",")
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown:
        parser.error(f"no stage '{unknown[0]}'; there are: {', '.join(STAGES)}")
    build = os.path.join(ROOT, "build", *([] if options.variant == "release" else [options.variant]))
    env, reports = environment(build, options.variant)
    totals = Totals()
    for stage in stages:
        globals()[stage](totals, build, env, options)
    sanitizer_reports(totals, reports)
    if totals.passed + totals.failed == 0:
        print(f"no test matches {' or '.join(options.filters)}" if options.filters else "no tests found")
    for name in totals.unsteady:
        print(paint("33", f"unsteady: {name} failed, then passed: find out why"))
    if totals.skipped:
        print(f"{totals.skipped} skipped; the reasons stand above")
    print(f"{totals.passed} passed, {totals.failed} failed")
    sys.exit(0 if totals.passed and not totals.failed else 1)


if __name__ == "__main__":
    main()
