# SPDX-License-Identifier: MIT
"""The three jobs of the workshop: source files are parsed, a race card is transformed, a quiz is played."""
import asyncio
import json
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FILE_MAX = 512 * 1024  # bytes; the grammars' own parser.c of 8 MB are over the tool's limit
LANGUAGES = {".c": "c", ".h": "c", ".js": "javascript", ".jsx": "jsx", ".ts": "typescript", ".tsx": "tsx",
             ".py": "python", ".json": "json", ".go": "go", ".rs": "rust"}
PLAYERS = 50


class Job:
    """A job's progress, for whoever draws it."""

    def __init__(self, name, total, unit):
        self.name, self.total, self.unit, self.done = name, total, unit, 0
        self.result = ""
        self.failed = None


# ---- 1. source files ----

def find_sources(wanted):
    """Source files of this machine: the project's own, the fetched grammars', then those of installed packages."""
    found, seen = [], set()
    roots = [os.path.join(ROOT, folder) for folder in
             ("messages", "runtime", "supervisor", "actors", "examples", "tests", "vendor")]
    for root in roots + ["/usr/share/nodejs", "/usr/lib/python3.11", "/usr/lib/python3", "/usr/include"]:
        for folder, folders, files in os.walk(root):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(folder, name)
                if os.path.splitext(name)[1] in LANGUAGES and os.path.realpath(path) not in seen:
                    seen.add(os.path.realpath(path))
                    if 0 < os.path.getsize(path) <= FILE_MAX:
                        found.append(path)
            if len(found) >= wanted and root not in roots:
                return found[:max(wanted, len(found))]
    return found


def languages_of(path):
    """A file of TypeScript is one of TSX as well, as long as it has no casts in angle brackets."""
    language = LANGUAGES[os.path.splitext(path)[1]]
    return [language, "tsx"] if path.endswith(".d.ts") else [language]


async def parse_sources(job, record, sources, at_once=16):
    """All sources, (path, language), `at_once` at a time; how many of each language."""
    languages = {}
    waiting = asyncio.Semaphore(at_once)

    async def parse(path, language):
        async with waiting:
            with open(path, encoding="utf-8", errors="replace", newline="") as file:
                code = file.read()
            body = {"language": language, "code": code}
            reply = await record.request("code_parse", body)
            if reply and reply["success"]:
                name = reply["result"]["language"]
                languages[name] = languages.get(name, 0) + 1
            job.done += 1

    await asyncio.gather(*(parse(*source) for source in sources))
    job.result = ", ".join(f"{count} {name}" for name, count in sorted(languages.items(), key=lambda item: -item[1]))


# ---- 2. races ----

def load_card(folder):
    with open(os.path.join(folder, "card.json"), encoding="utf-8") as file:
        card = json.load(file)
    races = []
    for race in card["races"]:
        with open(os.path.join(folder, race["file"]), encoding="utf-8") as file:
            races.append([json.loads(line) for line in file])
    return races


async def transform_races(job, record, races, burst=5):
    """All polls, in bursts of five races; each poll has the reply to the one before as `previous`."""
    signals = 0
    for first in range(0, len(races), burst):
        group = races[first:first + burst]
        previous = [None] * len(group)
        for number in range(max(map(len, group))):
            here = [i for i, polls in enumerate(group) if number < len(polls)]
            bodies = [dict(group[i][number], previous=previous[i]) for i in here]
            replies = await asyncio.gather(*(record.request("race_transform", body) for body in bodies))
            for i, reply in zip(here, replies):
                job.done += 1
                if reply and reply["success"]:
                    previous[i] = reply["result"]
                    signals += len(reply["result"]["signals"])
    job.result = f"{len(races)} races, {signals} surge signals"


# ---- 3. a quiz ----

class Quiz:
    """One match of PLAYERS players from lobby to final ranking."""

    def __init__(self, job, record, seed):
        self.job, self.record = job, record
        self.chance = random.Random(seed)

    async def call(self, tool, **body):
        reply = await self.record.request(tool, body)
        if reply is None or not reply["success"]:
            raise RuntimeError(f"{tool}: {reply['error'] if reply else 'no answer'}")
        return reply["result"]

    def guess(self, question):
        """An answer of the right form; now and then the player has no idea."""
        options = [option["id"] for option in question.get("options") or []]
        if question["type"] == "multi":
            return self.chance.sample(options, self.chance.randint(1, len(options)))
        if question["type"] == "boolean":
            return self.chance.random() < 0.5
        if question["type"] == "numeric":
            return self.chance.randint(1, 2000)
        if question["type"] == "text":
            return self.chance.choice(["Berlin", "blue", "seven", "Ada Lovelace"])
        return self.chance.choice(options)

    async def play(self):
        with open(os.path.join(HERE, "questions.json"), encoding="utf-8") as file:
            questions = json.load(file)["questions"][:8]
        self.job.total = len(questions)
        settings = {"question_ms": 10000, "countdown_ms": 200, "reveal_ms": 150, "leaderboard_ms": 150}
        match = await self.call("match_create", questions=questions, settings=settings)
        match_id = match["match_id"]
        joined = await asyncio.gather(*(self.call("match_join", match_id=match_id, name=f"player {i + 1:02d}")
                                        for i in range(PLAYERS)))
        players = [seat["player_id"] for seat in joined]
        await self.call("match_start", match_id=match_id, host_key=match["host_key"])
        asked = set()
        while True:
            state = await self.call("match_state", match_id=match_id)
            question = state.get("question")
            if state["state"] == "QUESTION" and question["id"] not in asked:
                asked.add(question["id"])
                await asyncio.gather(*(self.call("match_answer", match_id=match_id, player_id=player,
                                                 question_id=question["id"], answer=self.guess(question))
                                       for player in players))
                self.job.done += 1
            elif state["state"] in ("FINISHED", "ABORTED"):
                break
            await asyncio.sleep(0.05)
        final = await self.call("match_state", match_id=match_id, player_id=players[0])
        ranking = final["ranking"]
        if len(ranking) != PLAYERS:
            raise RuntimeError(f"{len(ranking)} of {PLAYERS} players are in the ranking")
        self.job.result = f"{PLAYERS} players, {ranking[0]['name']} won with {ranking[0]['score']} points"


async def play_quiz(job, record, seed=1):
    await Quiz(job, record, seed).play()
