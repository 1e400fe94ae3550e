#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Starts a node with three pools of worker processes and gives it real work while its workers are killed.

It parses source files of this machine, transforms a recorded race card and plays a quiz of 50 players, all at
the same time, kills workers of the parser and the transform pool, twice each, and prints what became of every
task. Then it goes on serving until Ctrl-C; with --once it stops the node. The exit status is 0 only if every task
was answered exactly once.
"""
import argparse
import asyncio
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "examples", "clients", "python")]

import jobs as work  # noqa: E402
import report  # noqa: E402
from killer import Killer  # noqa: E402
from node import Node, NodeError  # noqa: E402
from record import Record  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from troupe_client import AsyncClient  # noqa: E402

FILES_MIN = 300


class Board:
    """Progress of the jobs: bars on a terminal, else a line every two seconds."""

    def __init__(self, jobs, quiet):
        self.jobs, self.quiet = jobs, quiet
        self.console = Console(highlight=False, stderr=True)
        self.finished = False
        self.interrupted = False

    def log(self, text):
        if not self.quiet:
            self.console.print(text)

    async def watch(self):
        if self.quiet:
            return
        if not self.console.is_terminal:
            while not self.finished:
                self.console.print("  ".join(f"{job.name}: {job.done}/{job.total}" for job in self.jobs))
                await asyncio.sleep(2)
            return
        columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(),
                   TextColumn("{task.fields[unit]}"), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as bars:
            rows = [(job, bars.add_task(job.name, total=job.total, unit=job.unit)) for job in self.jobs]
            while True:
                for job, row in rows:
                    bars.update(row, completed=job.done, total=job.total)
                if self.finished:
                    return
                await asyncio.sleep(0.1)


async def guard(job, running):
    """A job that fails is told in the report and leaves the others alone."""
    try:
        await running
    except Exception as error:  # whatever it is, the report names it
        job.failed = f"{type(error).__name__}: {error}"


async def drive(node, options):
    sources = [(path, language) for path in work.find_sources(FILES_MIN) for language in work.languages_of(path)]
    races = work.load_card(options.data)
    parse = work.Job("parse", len(sources), "files")
    race = work.Job("races", sum(map(len, races)), "polls")
    quiz = work.Job("quiz", 8, "questions")
    all_jobs = [parse, race, quiz]
    board = Board(all_jobs, options.json)
    killer = Killer(node, board.log)
    plan = [("parser", parse), ("transform", race)] * 2
    async with AsyncClient(node.endpoints["majordomo"]) as client:
        record = Record(client)
        begin = time.perf_counter()
        watching = asyncio.create_task(board.watch())
        killing = asyncio.create_task(asyncio.to_thread(killer.run, plan, board))
        try:
            await asyncio.gather(guard(parse, work.parse_sources(parse, record, sources)),
                                 guard(race, work.transform_races(race, record, races)),
                                 guard(quiz, work.play_quiz(quiz, record)))
        except asyncio.CancelledError:
            board.interrupted = True  # the killer's thread is waited for, whatever happens
            raise
        finally:
            board.finished = True
        await killing
        await watching
        seconds = time.perf_counter() - begin
        await asyncio.sleep(0.2)  # an answer that comes twice would come now
        return report.summarise(record, killer.kills, all_jobs, seconds), len(plan)


def make_data(folder):
    """The race card, once; the generator's own change makes it anew."""
    script = os.path.join(HERE, "generate_races.py")
    card = os.path.join(folder, "card.json")
    if not os.path.exists(card) or os.path.getmtime(card) < os.path.getmtime(script):
        subprocess.run([sys.executable, script, "--out", folder], check=True, stdout=subprocess.DEVNULL)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__.split("\n\n")[0],
                                     epilog=__doc__.split("\n\n", 1)[1])
    parser.add_argument("--once", action="store_true", help="stop the node after the report")
    parser.add_argument("--json", action="store_true", help="the report as one JSON object on standard output")
    parser.add_argument("--set", action="append", default=[], metavar="section.option=value", dest="settings",
                        help="change an option of the node, as majordomo.endpoint=tcp://127.0.0.1:*")
    parser.add_argument("--config", default=os.path.join(HERE, "troupe.conf"), help="another configuration file")
    parser.add_argument("--program", default=os.environ.get("TROUPE_PROGRAM", os.path.join(ROOT, "build", "troupe")),
                        help="the program (build/troupe)")
    parser.add_argument("--data", default=os.path.join(HERE, "data"),
                        help="folder of the race card, made when it is missing")
    return parser.parse_args()


def serve(node):
    print(f"serving on {node.endpoints['majordomo']}, control on {node.endpoints['control']}\n"
          f"try, in another terminal:  export TROUPE_CONTROL={node.endpoints['control']}\n"
          f"                           build/troupe tree\n"
          "Ctrl-C stops the node.", file=sys.stderr, flush=True)
    try:
        status = node.process.wait()
        print(f"the node has ended with exit status {status}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nstopping: what was accepted is finished first", file=sys.stderr)


def main():
    options = parse_arguments()
    make_data(options.data)
    log_path = os.path.join(ROOT, "build", "workshop.log")
    try:
        node = Node(options.program, options.config, options.settings, log_path)
    except (NodeError, OSError) as error:
        sys.exit(f"{error}\nIf the port is taken: ./dev run --set 'majordomo.endpoint=tcp://127.0.0.1:*'")
    good, stopped = False, None
    try:
        summary, kills = asyncio.run(drive(node, options))
        good = report.is_good(summary, kills)
        if options.json:
            print(json.dumps(summary, indent=2), flush=True)
        else:
            report.show(summary, good)
        if not options.once:
            serve(node)
    except (KeyboardInterrupt, NodeError) as error:
        print(f"stopped: {error or 'interrupted'}", file=sys.stderr)
        good = False
    finally:
        stopped = node.stop()
    if stopped != 0:
        print(f"the node ended with exit status {stopped}; its log: {os.path.relpath(log_path)}", file=sys.stderr)
    sys.exit(0 if good and stopped == 0 else 1)


if __name__ == "__main__":
    main()
