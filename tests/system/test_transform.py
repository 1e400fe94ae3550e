# SPDX-License-Identifier: MIT
"""race_transform of a real node against the reference, over whole races, and its refusals."""
import json
import os
import random
import sys
import unittest

from majordomo import Client
from node import ROOT, Node
from transform_reference import differences, transform

sys.path.insert(0, os.path.join(ROOT, "examples", "workshop"))
from generate_races import generate  # noqa: E402

CONFIG = """
node
    name = test
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    transform
        class = transform
        place = process
        min = 2
        tools = race_transform
"""


class Wild:
    """Races that no feed would send but any client may: all that the rules allow."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.start = 10 ** 12
        self.now = self.start - self.rng.randint(0, 70 * 60_000)
        count = self.rng.randint(1, 14)
        self.everyone = [f"{'é' if i % 5 == 0 else 'x'}{i}" for i in range(count)]
        self.numbers = self.rng.sample(range(1, 9999), count)
        self.scale = self.rng.choice([100, 10 ** 6, 10 ** 13 - 1])

    def odds(self):
        return self.rng.choice([None, 1.0, round(self.rng.uniform(1, 30), 2), self.rng.uniform(1, 10 ** 6), 7])

    def rows(self, listed):
        rng = self.rng
        fed = [rng.random() < 0.2, rng.random() < 0.2]
        rows = []
        for entrant in rng.choices(listed, k=rng.randint(0, 2 * len(listed))):
            row = {"entrant_id": entrant, "hold_pct": round(rng.uniform(0, 100 / len(listed)), rng.randint(0, 4)),
                   "bet_pct": rng.choice([0, rng.uniform(0, 20), rng.randint(0, 100)])}
            for is_fed, member in zip(fed, ("win_cents", "place_cents")):
                if is_fed:
                    row[member] = rng.randint(0, self.scale // 30)
            rows.append(row)
        return rows

    def poll(self):
        rng = self.rng
        listed = [e for e in self.everyone if rng.random() < 0.95] or self.everyone[:1]
        self.now += rng.choice([0, rng.randint(1, 90_000), 15_000])
        if rng.random() < 0.05:
            self.start += 180_000
        race = {
            "schema": "racedata/1", "race_id": "wild", "start_time": self.start, "polled_at": self.now,
            "status": rng.choice(["open", "closed", "interim", "final", "abandoned"]), "currency": "€",
            "takeout": rng.choice([None, {"win": rng.uniform(0, 0.9999)}, {"win": None, "place": 0.1}]),
            "pools": [{"type": kind, "total_cents": rng.choice([0, rng.randint(0, self.scale)])}
                      for kind in rng.sample(["win", "place", "trifecta"], rng.randint(0, 3))],
            "money": self.rows(listed),
            "entrants": [{"entrant_id": e, "number": self.numbers[self.everyone.index(e)], "name": "",
                          "scratched": rng.random() < 0.1, "fixed_win": self.odds(), "tote_place": self.odds()}
                         for e in listed],
        }
        if rng.random() < 0.5:
            race["monte_carlo"] = {"draws": rng.randint(1, 100), "seed": rng.choice([None, rng.randrange(2 ** 53)])}
        return race


def wild_races(count, polls):
    for seed in range(count):
        wild = Wild(seed)
        yield [wild.poll() for _ in range(polls)]


class Transform(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node(CONFIG)

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def setUp(self):
        self.client = Client(self.node.endpoints["majordomo"])
        self.addCleanup(self.client.socket.close)

    def check_race(self, polls, call):
        """Every result equals the reference's and is taken back with the next poll."""
        previous = None
        for poll in polls:
            poll = dict(poll, previous=previous)
            reply = call("race_transform", poll)
            self.assertTrue(reply["success"], reply.get("error"))
            previous = dict(reply["result"])
            timing = previous.pop("timing")
            self.assertEqual(sorted(timing), ["transform_us", "validate_us"])
            self.assertEqual(differences(previous, transform(poll)), [], json.dumps(poll))
            previous["timing"] = timing

    def test_generated_races_agree_with_the_reference(self):
        for number, (_, polls) in enumerate(generate(1, 3)):
            polls = [dict(poll, monte_carlo=poll["monte_carlo"] and {"draws": 50, "seed": number}) for poll in polls]
            self.check_race(polls, self.client.call_01 if number % 2 else self.client.call_02)

    def test_races_of_chance_agree_with_the_reference(self):
        for number, polls in enumerate(wild_races(20, 25)):
            self.check_race(polls, self.client.call_02 if number % 2 else self.client.call_01)

    def test_refusal_is_five_strings_and_its_message_starts_with_the_path(self):
        poll = generate(1, 1)[0][1][0]
        poll["money"][3]["hold_pct"] = "12"
        for call in (self.client.call_01, self.client.call_02):
            reply = call("race_transform", poll)

            self.assertIs(reply["success"], False)
            error = reply["error"]
            self.assertEqual((error["code"], error["path"], error["value"]),
                             ("E_BAD_PAYLOAD", "money[3].hold_pct", '"12"'))
            self.assertTrue(error["message"].startswith("money[3].hold_pct"))
            self.assertIsInstance(error["rule"], str)

    def test_unknown_members_pass_when_strict_is_off(self):
        poll = dict(generate(1, 1)[0][1][0], weather="dry")
        self.assertEqual(self.client.call_01("race_transform", poll)["error"]["path"], "weather")

        with Node(CONFIG, settings=["pools.transform.options.strict=0"]) as lax:
            with Client(lax.endpoints["majordomo"]) as client:
                self.assertTrue(client.call_01("race_transform", poll)["success"])


if __name__ == "__main__":
    unittest.main()
