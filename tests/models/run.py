#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the models of the core's protocols with spin; a table of runs, then one of mutants.

    tests/models/run.py [NAME...]

A model is tests/models/NAME.pml. Its comments say what to do with it:

    run: WORD [progress] [-DMACRO=...]     one search through all states: assertions and deadlocks;
                                           with `progress` a second one, for cycles without an end
    @ FILE FUNCTION: text                  the code that the step stands for: in FILE of runtime, in this
                                           function, this text (blanks and comments don't count)

NAME.mutants has mistakes that must be found:

    mutant WORD in RUN: what is wrong      ... by this run
    - text                                 what stands once in the model ...
    + text                                 ... and what the mutant has in its place

That the code still is what the models say is a rule of tests/tidy.py as well.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))
sys.path.insert(0, os.path.join(ROOT, "tests"))
sys.dont_write_bytecode = True
import tidy  # noqa: E402

BUILD = os.path.join(ROOT, "build/models")
SEARCH_S = 300  # at most, for one search
DEPTH_MAX = 200000  # steps of one run of a model
SAFETY, PROGRESS = ["-DSAFETY"], ["-DNP", "-DNOFAIR"]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def mutant(text):
    """(word, run, what is wrong, [(old, new)])"""
    word, run, what = re.match(r"(\w+) in (\w+): (.*)", text).groups()
    return word, run, what, re.findall(r"^- (.*)\n\+ (.*)$", text, re.M)


class Model:
    def __init__(self, path):
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.body = read(path)
        self.runs = {word: (bool(progress), flags.split()) for word, progress, flags in re.findall(
            r"^ \* run: (\w+) *(\[progress\])? *((?:-D\S+ *)*)", self.body, re.M)}
        self.mutants = [mutant(part) for part in re.split(r"^mutant ", read(path[:-3] + "mutants"), flags=re.M)[1:]]

    def mutate(self, changes):
        body = self.body.split("\n")
        for old, _ in changes:
            if self.body.count(old) != 1:
                sys.exit(f"{self.name}.pml: {self.body.count(old)} times, must be once: {old}")
        for old, new in changes:
            at = self.body.index(old)
            line = self.body.count("\n", 0, at)
            start = at - (self.body.rfind("\n", 0, at) + 1)
            body[line] = body[line][:start] + new + body[line][start + len(old):]
        return "\n".join(body)


def search(folder, body, flags, kind, level="-O1"):
    """One search: (verdict or None, states, seconds); the verdict is pan's."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(os.path.join(folder, "model.pml"), "w", encoding="utf-8") as file:
        file.write(body)
    begin = time.monotonic()

    def call(*argv):
        done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=SEARCH_S)
        return done.returncode, done.stdout

    for argv in (["spin", "-a", *flags, "model.pml"], ["gcc", "-w", level, "-DCOLLAPSE", *kind, "-o", "pan", "pan.c"]):
        status, output = call(*argv)
        if status != 0:
            return f"{argv[0]} failed: {output.strip()}", 0, time.monotonic() - begin
    _, output = call("./pan", f"-m{DEPTH_MAX}", *(["-l"] if kind is PROGRESS else []))
    states = re.search(r"(\d+(?:\.\d+e\+\d+)?) states, stored", output)
    errors = re.search(r"errors: (\d+)", output)
    verdict = None
    if errors is None or "Search not completed" in output and errors.group(1) == "0":
        verdict = "the search was not completed: " + output.strip()[-300:]
    elif errors.group(1) != "0":
        found = re.search(r"^pan:\d+: (.*?)(?: \(at depth|$)", output, re.M)
        verdict = found.group(1) if found else output.strip()[:300]
    return verdict, int(float(states.group(1))) if states else 0, time.monotonic() - begin


def search_run(model, run):
    progress, flags = model.runs[run]
    results = [search(os.path.join(BUILD, f"{model.name}.{run}"), model.body, flags, SAFETY)]
    if progress:
        results.append(search(os.path.join(BUILD, f"{model.name}.{run}.progress"), model.body, flags, PROGRESS))
    verdict = next((verdict for verdict, _, _ in results if verdict is not None), None)
    return verdict, results[0][1], sum(seconds for _, _, seconds in results)


def search_mutant(model, mutant):
    word, run, _, changes = mutant
    progress, flags = model.runs[run]
    folder = os.path.join(BUILD, f"{model.name}.{run}.{word}")
    seconds = 0
    for kind in [SAFETY] + [PROGRESS] * progress:
        verdict, states, spent = search(folder, model.mutate(changes), flags, kind, "-O0")
        seconds += spent
        if verdict is not None:
            break
    return verdict, states, seconds


def check_runs(pool, models):
    print(f"{'model':<10} {'run':<10} {'states':>10} {'seconds':>8}  verdict")
    jobs = [(model, run, pool.submit(search_run, model, run)) for model in models for run in model.runs]
    good = True
    for model, run, job in jobs:
        verdict, states, seconds = job.result()
        good = good and verdict is None
        held = "holds, and comes to rest" if model.runs[run][0] else "holds"
        print(f"{model.name:<10} {run:<10} {states:>10} {seconds:>8.1f}  {held if verdict is None else verdict}",
              flush=True)
        if verdict is not None:
            flags = " ".join(model.runs[run][1])
            print(f"    to see it: cd {os.path.relpath(BUILD)}/{model.name}.{run} && spin -t -p -g {flags} model.pml")
    return good


def check_mutants(pool, models):
    print(f"\n{'model':<10} {'mutant':<22} {'seconds':>8}  caught by")
    jobs = [(model, mutant, pool.submit(search_mutant, model, mutant))
            for model in models for mutant in model.mutants]
    caught = 0
    for model, mutant, job in jobs:
        verdict, _, seconds = job.result()
        found = verdict is not None and not re.match("spin failed|gcc failed|the search", verdict)
        caught += found
        shown = verdict if found else f"NOT CAUGHT: {mutant[2]}; {verdict or 'all holds'}"
        print(f"{model.name:<10} {mutant[0]:<22} {seconds:>8.1f}  {shown}", flush=True)
    print(f"{caught} of {len(jobs)} mutants caught")
    return caught == len(jobs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    models = [Model(path) for path in sorted(glob.glob(os.path.join(FOLDER, "*.pml")))]
    models = [model for model in models if not options.names or model.name in options.names]
    if not models:
        parser.error("no such model")
    begin = time.monotonic()
    tree = tidy.Tree(tidy.read_tree(ROOT))
    tidy.check_models(tree)
    for path, line, _, text in tree.found:
        print(f"{path}:{line}: {text}")
    if tree.found:
        sys.exit("look whether the model still says what the code does, then name the new text")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        good = check_runs(pool, models)
        good = check_mutants(pool, models) and good
    print(f"{time.monotonic() - begin:.0f} s")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
