#!/bin/sh
# SPDX-License-Identifier: MIT
# Parses a source file with a node's code_parse tool, from a shell: parse.sh FILE
# TROUPE names the program (default: build/troupe of this checkout), TROUPE_CONTROL the node.
set -eu
[ $# -eq 1 ] || { echo "usage: parse.sh FILE" >&2; exit 2; }
troupe=${TROUPE:-$(dirname "$0")/../../../build/troupe}
python3 -c '
import json, os, sys
with open(sys.argv[1], encoding="utf-8") as file:
    json.dump({"filename": os.path.basename(sys.argv[1]), "code": file.read()}, sys.stdout)
' "$1" | "$troupe" call code_parse -
