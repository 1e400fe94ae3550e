#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Parses a source file with a node's code_parse tool and prints its tree.

    parse.py FILE [ENDPOINT]
"""
import os
import sys

from troupe_client import ToolError, call


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    endpoint = sys.argv[2] if len(sys.argv) == 3 else "tcp://127.0.0.1:5555"
    with open(sys.argv[1], encoding="utf-8") as file:
        body = {"filename": os.path.basename(sys.argv[1]), "code": file.read()}
    try:
        tree = call("code_parse", body, endpoint, timeout=10.0)
    except (ToolError, OSError) as error:
        sys.exit(f"parse.py: {error}")
    print(tree["root"])
    print(f"{tree['language']}: {tree['node_count']} nodes", file=sys.stderr)


if __name__ == "__main__":
    main()
