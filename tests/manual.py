#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples in the headers' manuals, made into programs.

    tests/manual.py FRAME      prints the C file FRAME with each line  MANUAL("runtime/x.h", 2)  replaced by the
                               second example of that header
    tests/manual.py --check    every example of a header stands in a frame

An example is a block of lines that are indented by five blanks in a comment (" *     "), one of which ends as C
does: with ; or } or is a #define. The frames, tests/manual/*.c, give the examples what they leave out.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INDENT = " *     "
MANUAL = re.compile(r'^\s*MANUAL\("([^"]+)", (\d+)\)$')
IS_C = re.compile(r"([;}]\s*(//.*)?$)|(^#define )")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def examples(header):
    """(line, text) of each example in a header."""
    blocks, lines, begin = [], [], 0
    for number, line in enumerate(read(header).splitlines() + [""], 1):
        blank = bool(lines) and line.rstrip() == " *"
        if line.startswith(INDENT) or blank:
            begin = begin if lines else number
            lines.append("" if blank else line[len(INDENT):].removesuffix(" */"))
            continue
        if any(IS_C.search(text) for text in lines):
            blocks.append((begin, "\n".join(lines).rstrip() + "\n"))
        lines = []
    return blocks


def fill(frame):
    out = [f'#line 1 "{frame}"']
    for number, line in enumerate(read(frame).splitlines(), 1):
        match = MANUAL.match(line)
        if not match:
            out.append(line)
            continue
        header, which = match.group(1), int(match.group(2))
        begin, text = examples(header)[which - 1]
        out += [f'#line {begin} "{header}"', text.rstrip("\n"), f'#line {number + 1} "{frame}"']
    return "\n".join(out) + "\n"


def check():
    """Names the examples that no frame has."""
    framed = {(match.group(1), int(match.group(2)))
              for frame in glob.glob(os.path.join(ROOT, "tests/manual/*.c"))
              for match in map(MANUAL.match, read(frame).splitlines()) if match}
    wanted = {(header, which)
              for header in sorted(os.path.relpath(path, ROOT) for folder in ("messages", "runtime")
                                   for path in glob.glob(os.path.join(ROOT, folder, "*.h")))
              for which in range(1, len(examples(header)) + 1)}
    lacking = sorted(wanted - framed)
    for header, which in lacking:
        print(f"{header}: example {which} is in no frame of tests/manual/")
    return 1 if lacking or not wanted else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(check())
    sys.stdout.write(fill(sys.argv[1]))
