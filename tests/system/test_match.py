# SPDX-License-Identifier: MIT
"""Quiz matches of a real node: played to their end, kept apart, ended with their worker."""
import json
import unittest

from majordomo import Client
from node import SLOW, Node, wait_for

CONFIG = """
node
    name = test
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    match
        class = match
        place = process
        min = 2
        max = 2
        tools = "match_create match_join match_start match_answer match_state match_end match_control match_leave"
        key_member = match_id
        key_tools_new = match_create
        keys_max = 2
        inflight_max = 64
        options
            reveal_ms = 50
            leaderboard_ms = 50
            countdown_ms = 50
            empty_match_ttl_ms = 2000
            report_ms = 200
"""

TEXT = {"id": "t", "type": "text", "text": "?", "correct": ["SECRET"]}
MULTI = {"id": "m", "type": "multi", "text": "?", "correct": ["a", "b"],
         "options": [{"id": option, "text": option} for option in "abc"]}


def points(time_ms, t_ms, base=1000):
    """The rule of the points, in another language: base * (1 - t / 2T), rounded half up."""
    return base if t_ms < 500 else (base * (2 * time_ms - t_ms) + time_ms) // (2 * time_ms)


class Match(unittest.TestCase):
    def setUp(self):
        self.node = Node(CONFIG)  # one for each: matches that have ended keep their places for a while
        self.addCleanup(self.node.close)
        self.client = Client(self.node.endpoints["majordomo"])
        self.addCleanup(self.client.socket.close)

    def ask(self, tool, **body):
        reply = self.client.call_02(tool, body)
        self.assertTrue(reply["success"], reply.get("error"))
        return reply["result"]

    def refused(self, tool, **body):
        reply = self.client.call_01(tool, body)
        self.assertFalse(reply["success"], reply)
        return reply["error"]

    def create(self, *questions, **settings):
        return self.ask("match_create", questions=list(questions), settings=settings)

    def wait_state(self, match_id, state, **more):
        def reached():
            snapshot = self.ask("match_state", match_id=match_id, **more)
            return snapshot if snapshot["state"] == state else None
        return wait_for(reached, what=state)

    def test_a_match_goes_from_the_lobby_to_the_ranking_that_its_answers_make(self):
        match = self.create(TEXT, MULTI, question_ms=10000)
        match_id = match["match_id"]
        players = [self.ask("match_join", match_id=match_id, name=f"player {i}")["player_id"] for i in range(6)]
        answers = {"t": lambda i: " secret" if i % 2 else "no idea",
                   "m": lambda i: [["a", "b"], ["a"], ["a", "c"]][i % 3]}
        expected = [0] * len(players)
        streak = [0] * len(players)

        self.ask("match_start", match_id=match_id, host_key=match["host_key"])
        for question in ("t", "m"):
            before = self.wait_state(match_id, "QUESTION", since_version=0)
            self.assertEqual(before["question"]["id"], question)
            self.assertTrue(question == "m" or "SECRET" not in json.dumps(before))
            for i, player in enumerate(players):
                ack = self.ask("match_answer", match_id=match_id, player_id=player, question_id=question,
                               answer=answers[question](i), answer_id=f"{question}{i}")
                self.assertTrue(ack["accepted"])
                share = (i % 2, 1)[0] if question == "t" else (1, 0.5, 0)[i % 3]
                streak[i] = streak[i] + 1 if share == 1 else 0
                expected[i] += int(points(10000, ack["t_ms"]) * share) + (100 if streak[i] == 2 else 0)
        final = self.wait_state(match_id, "FINISHED", since_version=0)

        self.assertEqual({row["seat"]: row["score"] for row in final["ranking"]},
                         {i + 1: score for i, score in enumerate(expected)})
        self.assertEqual([row["score"] for row in final["ranking"]], sorted(expected, reverse=True))
        events = [event["event"] for event in final["events"]]
        self.assertEqual(events.count("match:finished"), 1)
        self.assertEqual([event["version"] for event in final["events"]], list(range(1, final["version"] + 1)))
        self.assertEqual(self.refused("match_end", match_id=match_id, host_key=match["host_key"])["code"], "E_STATE")

    def test_matches_are_spread_over_the_workers_and_stay_there(self):
        made = [self.client.call_02("match_create", {"questions": [TEXT]}) for _ in range(4)]
        workers = [reply["metrics"]["worker"] for reply in made]
        self.assertEqual(sorted(workers), ["match.1", "match.1", "match.2", "match.2"])

        for reply, worker in zip(made, workers):
            match_id = reply["result"]["match_id"]
            for i in range(4):
                with Client(self.node.endpoints["majordomo"]) as player:
                    joined = player.call_02("match_join", {"match_id": match_id, "name": f"player {i}"})
                    seen = player.call_02("match_state", {"match_id": match_id})
                self.assertEqual((joined["success"], joined["metrics"]["worker"]), (True, worker))
                self.assertEqual((seen["success"], seen["metrics"]["worker"]), (True, worker))

    def test_no_worker_gets_more_matches_than_it_may_and_their_end_makes_room(self):
        self.assertEqual(self.node.command("set", "match", "strategy=weighted").returncode, 0)
        self.assertEqual(self.node.command("set", "match", "weights=1000 1").returncode, 0)  # all to the first
        for _ in range(4):
            self.ask("match_create", questions=[TEXT], settings={"empty_match_ttl_ms": int(500 * SLOW)})

        self.assertEqual(self.refused("match_create", questions=[TEXT])["code"], "E_NO_CAPACITY")
        self.assertEqual(self.held_by_each(), [2, 2])
        wait_for(lambda: self.client.call_02("match_create", {"questions": [TEXT]})["success"], what="room")

    def held_by_each(self):
        pool = next(pool for pool in self.node.ask("pools") if pool["name"] == "match")
        return [worker["keys"] for worker in pool["workers"]]

    def held(self):
        return sum(self.held_by_each())

    def test_ends_that_the_router_did_not_hear_of_make_room_too(self):
        for _ in range(4):
            self.ask("match_create", questions=[TEXT], settings={"empty_match_ttl_ms": int(500 * SLOW)})
        self.assertEqual(self.held(), 4)
        self.node.command("debug", "crash-router")  # the workers tell the former one of the ends
        wait_for(lambda: self.held() == 0, what="the workers' own count of matches")
        for _ in range(4):
            self.create(TEXT)
        self.assertEqual(self.held(), 4)

    def test_the_death_of_a_worker_is_told_to_those_who_play_there(self):
        match = self.create(TEXT)
        worker = self.client.call_02("match_state", {"match_id": match["match_id"]})["metrics"]["worker"]
        index = [row["name"] for row in self.node.workers("match")].index(worker)

        victim = self.node.kill_worker("match", index)

        error = wait_for(lambda: self.client.call_02("match_state", {"match_id": match["match_id"]}).get("error"))
        self.assertEqual(error["code"], "E_WORKER_LOST")
        self.assertIn("signal 9", error["message"])
        self.node.wait_replaced(victim)
        self.create(TEXT)

    def test_what_does_not_fit_is_refused_by_its_place(self):
        bad = dict(MULTI, correct=["z"])
        error = self.refused("match_create", questions=[TEXT, bad])
        self.assertEqual((error["code"], error["path"]), ("E_BAD_PAYLOAD", "questions[1].correct[0]"))
        self.assertEqual(self.refused("match_state", match_id="m-0000000000000000")["code"], "E_NOT_FOUND")
        self.assertEqual(self.refused("match_state")["path"], "match_id")


if __name__ == "__main__":
    unittest.main()
