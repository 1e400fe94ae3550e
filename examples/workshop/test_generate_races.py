# SPDX-License-Identifier: MIT
"""The generator keeps its promises, for some seeds."""
import filecmp
import os
import subprocess
import sys
import tempfile
import unittest

from generate_races import generate

SEEDS = (1, 2, 3)


def total(poll):
    return poll["pools"][0]["total_cents"]


def hold_sum(poll):
    return round(sum(row["hold_pct"] for row in poll["money"]), 2)


class Generator(unittest.TestCase):
    def test_same_seed_gives_the_same_bytes(self):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "generate_races.py")
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            for folder in (one, two):
                subprocess.run([sys.executable, script, "--seed", "9", "--races", "2", "--out", folder], check=True)

            self.assertEqual(sorted(os.listdir(one)), ["card.json", "race-01.jsonl", "race-02.jsonl"])
            for name in os.listdir(one):
                self.assertTrue(filecmp.cmp(os.path.join(one, name), os.path.join(two, name), shallow=False), name)

    def test_other_seed_gives_another_card(self):
        self.assertNotEqual(generate(1, 1), generate(2, 1))

    def test_pools_grow_late(self):
        for seed in SEEDS:
            for race_id, polls in generate(seed, 6):
                last = polls[-1]
                if last["status"] == "abandoned":
                    continue
                early = [poll for poll in polls if last["start_time"] - poll["polled_at"] >= 300_000]
                late = 1 - total(early[-1]) / total(last)
                with self.subTest(seed=seed, race=race_id):
                    low = 0.40 if polls[0]["start_time"] != last["start_time"] else 0.45
                    self.assertTrue(low <= late <= 0.61, late)  # a poll is seldom 5 minutes sharp before

    def test_every_race_has_its_mishaps(self):
        for _, polls in generate(1, 6):
            sums = [hold_sum(poll) for poll in polls]
            pauses = [b["polled_at"] - a["polled_at"] for a, b in zip(polls, polls[1:])]

            self.assertEqual((sums.count(104), sums.count(107)), (1, 1))
            self.assertEqual(pauses.count(0), 1)  # stalled
            self.assertTrue(any(59_000 < p < 61_500 and (polls[i]["start_time"] - polls[i]["polled_at"]) < 880_000
                                for i, p in enumerate(pauses)))  # missing: twice 30 s
            self.assertEqual(sum(e["scratched"] for e in polls[-1]["entrants"]), 1)
            self.assertTrue(8 <= len(polls[0]["entrants"]) <= 18)

    def test_one_race_is_late_and_one_is_abandoned(self):
        races = [polls for _, polls in generate(1, 6)]

        self.assertEqual([i for i, polls in enumerate(races) if polls[-1]["start_time"] != polls[0]["start_time"]], [1])
        self.assertEqual(races[1][-1]["start_time"] - races[1][0]["start_time"], 180_000)
        self.assertEqual([polls[-1]["status"] for polls in races], ["final"] * 4 + ["abandoned", "final"])

    def test_first_poll_is_61_minutes_before_the_start(self):
        for _, polls in generate(1, 6):
            self.assertEqual(polls[0]["start_time"] - polls[0]["polled_at"], 61 * 60_000)


if __name__ == "__main__":
    unittest.main()
