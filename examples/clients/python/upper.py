#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A worker of the tool `upper`: {"text": ...} in capitals, word by word as partial answers.

    upper.py [ENDPOINT]

    troupe call upper '{"text": "some words"}'
"""
import sys

from troupe_worker import Worker


def upper(body):
    words = [word.upper() for word in body["text"].split()]
    yield from words
    return {"text": " ".join(words)}


if __name__ == "__main__":
    Worker(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5555", "upper", upper).run()
