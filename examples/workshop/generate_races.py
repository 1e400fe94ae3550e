#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes up a card of races, as a totalisator's feed would have told them, poll by poll.

    generate_races.py [--seed 1] [--races 6] [--out data]

Writes DIR/card.json, the index, and DIR/race-NN.jsonl: one poll to a line, each a request body for
race_transform whose `previous` is null; who sends them fills in the last reply. The same seed gives
the same bytes.

A race has 8 to 18 runners with strengths from a Dirichlet distribution. Its pools grow in an S, 45
to 60 % of them in the last 5 minutes. One runner is backed heavily late (steam), one is scratched,
one poll comes twice (stalled), one never (missing), one has shares that add up to 104 % and one to
107 %. The second race starts 3 minutes late and the fifth is abandoned. The last 5 minutes ask for
place probabilities.
"""
import argparse
import json
import math
import os
import random

MINUTE_MS = 60_000
FIRST_START_MS = 1_767_261_600_000  # 2026-01-01 10:00 UTC
BETWEEN_STARTS_MS = 25 * MINUTE_MS
FIRST_POLL_MIN, LAST_POLL_MIN = 61, -5
OVERROUND = 1.18
FIRST_NAMES = "Amber Brave Copper Distant Eager Flying Gentle Hidden Iron Jolly Keen Lucky Misty Noble".split()
LAST_NAMES = "Arrow Breeze Comet Dancer Ember Falcon Glory Harbour Idol Jester Knight Lantern Meadow".split()


def apportion(weights, units):
    """Whole units in proportion to the weights, adding up exactly (largest remainder)."""
    scale = units / sum(weights)
    parts = [math.floor(w * scale) for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (parts[i] - weights[i] * scale, i))
    for i in order[:units - sum(parts)]:
        parts[i] += 1
    return parts


class Growth:
    """Part of the final pool that is there some minutes before the start: an S over an early trickle."""

    def __init__(self, late_part, spread_min, late_min, refund):
        """late_part comes in the last late_min minutes; refund() is what a scratching gives back."""
        self.spread = spread_min
        low, high = -10.0, 40.0  # where the S is steepest, in minutes: the later, the more comes late
        for _ in range(60):
            self.middle = (low + high) / 2
            if (1 - self.at(late_min)) / (1 - refund(self)) > late_part:
                low = self.middle
            else:
                high = self.middle

    def rise(self, minutes):
        return 1 / (1 + math.exp((minutes - self.middle) / self.spread))

    def at(self, minutes):
        minutes = max(minutes, -0.5)  # bets that were on their way at the start
        rise = (self.rise(minutes) - self.rise(65)) / (self.rise(-0.5) - self.rise(65))
        return 0.2 * (65 - minutes) / 65.5 + 0.8 * rise


class Race:
    def __init__(self, rng, index):
        self.rng = rng
        self.race_id = f"workshop-{index + 1:02d}"
        self.start = FIRST_START_MS + index * BETWEEN_STARTS_MS
        count = rng.randint(8, 18)
        gammas = [rng.gammavariate(1.6, 1.0) + 0.02 for _ in range(count)]
        self.strength = [g / sum(gammas) for g in gammas]
        self.held = [0.0] * count  # parts of the final pool
        self.part = 0.0  # of the final pool that was ever bet
        self.noise = 0
        self.names = rng.sample([f"{a} {b}" for a in FIRST_NAMES for b in LAST_NAMES], count)
        self.opening = [self.price(s * OVERROUND) for s in self.strength]
        self.win_final = rng.randint(3_000_000, 15_000_000)
        self.place_final = round(self.win_final * rng.uniform(0.3, 0.5))
        self.takeout = rng.choice([0.1425, 0.1475, 0.15, 0.16])
        self.plan(index, count)
        self.growth = Growth(rng.uniform(0.46, 0.57), rng.uniform(1.5, 3.0), 2 if self.is_delayed else 5,
                             self.refund)
        self.stretch = 1.0  # minutes on the S in a minute of the clock: less once the start is put off

    def plan(self, index, count):
        """What will go wrong, and when, in minutes before the start."""
        rng = self.rng
        by_strength = sorted(range(count), key=lambda i: self.strength[i])
        self.steam = by_strength[count // 2]
        self.steam_at = rng.uniform(2.5, 4.5)
        self.scratched = by_strength[rng.choice([0, 1, count - 2])]
        self.scratch_at = rng.uniform(12, 35)
        self.stall_at = rng.uniform(18, 28)
        self.missing_at = rng.uniform(6, 14)
        self.warning_at = rng.uniform(40, 55)
        self.error_at = rng.uniform(29, 39)
        self.is_delayed = index % 6 == 1
        self.is_abandoned = index % 6 == 4
        self.abandon_at = rng.uniform(1, 4)

    def refund(self, growth):
        """Part of the pool that is paid back when the runner is scratched."""
        return self.strength[self.scratched] * growth.at(self.scratch_at)

    @staticmethod
    def price(chance):
        """Decimal odds as a bookmaker would round them."""
        odds = min(max(1 / chance, 1.04), 501.0)
        step = 0.02 if odds < 2 else 0.1 if odds < 5 else 0.5 if odds < 20 else 1.0
        return round(round(odds / step) * step, 2)

    def bets(self, minutes):
        """The money bet since the last poll, as parts of the final pool by runner."""
        rng = self.rng
        part = self.growth.at(minutes * self.stretch)
        fresh, self.part = part - self.part, part
        weights = [s * rng.uniform(0.85, 1.15) for s in self.strength]
        if minutes < self.scratch_at:
            weights[self.scratched] = 0
        if self.steam_at - 0.8 < minutes <= self.steam_at:
            weights[self.steam] = 3 * sum(weights)  # three quarters of it, for three or four polls
        return [fresh * w / sum(weights) for w in weights]

    def status(self, minutes):
        if self.is_abandoned and minutes <= self.abandon_at:
            return "abandoned"
        if minutes > 0:
            return "open"
        return "closed" if minutes > -2 else "interim" if minutes > -4.75 else "final"

    def poll(self, now, minutes, hold_units):
        """One RaceData."""
        rng = self.rng
        self.held = [h + b for h, b in zip(self.held, self.bets(minutes))]
        if minutes < self.scratch_at:
            self.held[self.scratched] = 0  # paid back
        part = sum(self.held)
        shares = [h / part for h in self.held]
        hold = apportion(shares, hold_units)
        bets = apportion([s ** 0.9 * rng.uniform(0.85, 1.15) for s in shares], 10_000)
        win, place = round(self.win_final * part), round(self.place_final * part)
        ids = [f"e{i + 1}" for i in range(len(shares))]
        return {
            "schema": "racedata/1", "race_id": self.race_id, "start_time": self.start, "polled_at": now,
            "status": self.status(minutes), "currency": "AUD",
            "takeout": {"win": self.takeout, "place": self.takeout},
            "pools": [{"type": "win", "total_cents": win, "status": "open" if minutes > 0 else "closed"},
                      {"type": "place", "total_cents": place, "status": None},
                      {"type": "quinella", "total_cents": win // 3, "status": None}],
            "money": [{"entrant_id": ids[i], "hold_pct": hold[i] / 100, "bet_pct": bets[i] / 100}
                      for i in range(len(ids))],
            "entrants": [self.entrant(i, shares[i], minutes, ids) for i in range(len(ids))],
            "previous": None,
            "monte_carlo": {"draws": 20000, "seed": now % 1_000_000} if minutes <= 5 else None,
        }

    def entrant(self, i, share, minutes, ids):
        is_out = i == self.scratched and minutes < self.scratch_at
        fixed = self.opening[i]
        if i == self.steam and minutes < self.steam_at and not is_out:
            fixed = self.price(share * OVERROUND)
        tote = max(math.floor(10 * (1 - self.takeout) / share) / 10, 1.0) if share > 0 else None
        return {
            "entrant_id": ids[i], "number": i + 1, "name": self.names[i], "scratched": is_out,
            "fixed_win": fixed, "fixed_place": round(1 + (fixed - 1) / 4, 2),
            "tote_win": min(tote, 1000.0) if tote else None,
            "tote_place": round(1 + (min(tote, 1000.0) - 1) / 4, 1) if tote else None,
        }

    def polls(self):
        """All polls, at the pace that race_transform asks for: 60, 30, then 15 seconds."""
        found = []
        now = self.start - FIRST_POLL_MIN * MINUTE_MS
        due = {"stall": self.stall_at, "miss": self.missing_at, "warn": self.warning_at, "error": self.error_at}
        while (minutes := (self.start - now) / MINUTE_MS) >= LAST_POLL_MIN - 0.25:
            if self.is_delayed and minutes <= 2:
                self.is_delayed = False
                self.start += 3 * MINUTE_MS
                self.stretch = minutes / (minutes + 3)
                minutes += 3
            happens = next((name for name, at in due.items() if minutes <= at), None)
            due.pop(happens, None)
            if minutes > 0 and self.rng.random() < 0.1:
                self.noise = self.rng.randint(-20, 20)  # what rounding does to a feed's shares
            poll = self.poll(now, minutes, {"warn": 10_400, "error": 10_700}.get(happens, 10_000 + self.noise))
            if happens != "miss":
                found.append(poll)
            if happens == "stall":
                found.append(poll)
            if poll["status"] in ("final", "abandoned"):
                break
            pause = 15_000 if minutes <= 5 else 30_000 if minutes <= 15 else 60_000
            now += pause + self.rng.randint(0, 250)  # the feed takes its time to answer
        return found


def generate(seed, races):
    """The card: a list of (race id, list of polls). Each race has a generator of its own."""
    card = []
    for index in range(races):
        race = Race(random.Random(f"{seed}/{index}"), index)
        card.append((race.race_id, race.polls()))
    return card


def write(card, seed, out):
    os.makedirs(out, exist_ok=True)
    index = []
    for number, (race_id, polls) in enumerate(card, 1):
        name = f"race-{number:02d}.jsonl"
        with open(os.path.join(out, name), "w", encoding="utf-8", newline="\n") as file:
            for poll in polls:
                file.write(json.dumps(poll, separators=(",", ":")) + "\n")
        index.append({"race_id": race_id, "file": name, "runners": len(polls[0]["entrants"]), "polls": len(polls)})
    with open(os.path.join(out, "card.json"), "w", encoding="utf-8", newline="\n") as file:
        json.dump({"seed": seed, "races": index}, file, indent=2)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of all chance (1)")
    parser.add_argument("--races", type=int, default=6, help="how many (6)")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "data"),
                        help="folder to write to (data beside this script)")
    options = parser.parse_args()
    if not 1 <= options.races <= 99:
        parser.error("--races is 1 to 99")
    write(generate(options.seed, options.races), options.seed, options.out)


if __name__ == "__main__":
    main()
