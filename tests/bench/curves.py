# SPDX-License-Identifier: MIT
"""How costs grow, as markdown with charts: ./dev bench curves. Kept in docs/performance.md."""
import os
import statistics
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build/bench/curve")
RUNS = 3
STEPS = [10, 100, 1000, 10000, 100000, 1000000]


def cost(name, **parameters):
    """The median of a few runs."""
    argv = [PROGRAM, name, *(f"{key}={value}" for key, value in parameters.items())]
    values = []
    for _ in range(RUNS):
        lines = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        values.append(float(lines[1]))
    return statistics.median(values)


def chart(title, labels, values, unit="ns"):
    points = ", ".join(f"{value:.0f}" for value in values)
    print(f"```mermaid\nxychart-beta\n    title \"{title}\"\n    x-axis [{', '.join(labels)}]\n"
          f"    y-axis \"{unit}\" 0 --> {max(values) * 1.2:.0f}\n    bar [{points}]\n```\n")


def table(head, labels, values, unit="ns"):
    print(f"| {head} | " + " | ".join(labels) + " |\n|---|" + "---|" * len(labels))
    print(f"| {unit} | " + " | ".join(f"{value:.0f}" for value in values) + " |\n")


def curve(title, head, steps, **how):
    labels = [f"{step:,}".replace(",", " ") for step in steps]
    values = [cost(n=step, **how) for step in steps]
    print(f"### {title}\n")
    table(head, labels, values)
    chart(title, [f'"{label}"' for label in labels], values)


def main():
    curve("A message, with so many live actors", "live actors", STEPS, name="actors")
    curve("A message, with so many queued before the first is handled", "queued", [1, *STEPS], name="queue")
    curve("A timer set and cancelled, with so many pending", "pending", STEPS, name="timers")
    curve("A name looked up, of so many", "names", STEPS[:5], name="names")
    both = cost("names", n=1000, threads=2)
    print(f"A name looked up by two threads at once, of 1 000: {both:.0f} ns each.\n")
    print(f"A million idle actors, two threads: {cost('idle', threads=2):.0f} us of processor time in a second.")
