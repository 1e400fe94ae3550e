# SPDX-License-Identifier: MIT
"""The money flow of a race computed a second time, as plainly as the rules are written.

It shares no code and no thought with actors/transform/transform_*.c: integers of any size, fractions where the
C has 128 bits, lists where it has tables. What both say of the same race must be equal.
"""
import math
from fractions import Fraction

LADDER = [60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 4, 3, 2, 1, 0] + [-n / 2 for n in range(1, 11)]
MASK = (1 << 64) - 1


def units(number, scale):
    return math.floor(number * scale + 0.5)


def bucket_of(minutes):
    """minutes: a Fraction"""
    for step in LADDER:
        if step <= minutes:
            return float(step)
    return float(math.floor(minutes))


def label_of(minutes):
    for bound, label in ((30, "5m"), (5, "1m"), (3, "30s"), (0, "15s")):
        if minutes > bound:
            return label
    return "live"


def next_poll(minutes, status):
    if status in ("final", "abandoned"):
        return None
    return 15000 if minutes <= 5 else 30000 if minutes <= 15 else 60000


def split(total, shares, numbers):
    """Largest remainder; the lowest number first among equals."""
    whole = sum(shares)
    if whole == 0:
        return [0] * len(shares)
    exact = [Fraction(total * share, whole) for share in shares]
    parts = [math.floor(x) for x in exact]
    order = sorted(range(len(shares)), key=lambda i: (parts[i] - exact[i], numbers[i]))
    for i in order[:total - sum(parts)]:
        parts[i] += 1
    return parts


class Chance:
    """xoshiro256** started by splitmix64."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            z = ((seed ^ seed >> 30) * 0xBF58476D1CE4E5B9) & MASK
            z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
            self.s.append(z ^ z >> 31)

    def next(self):
        s = self.s
        output = (self.rotl(s[1] * 5 & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = self.rotl(s[3], 45)
        return output

    @staticmethod
    def rotl(x, by):
        return (x << by | x >> (64 - by)) & MASK


def place_counts(race, holds):
    """How often each entrant was placed, or None when no place is drawn."""
    wanted = race.get("monte_carlo")
    field = sorted((e["number"], i) for i, e in enumerate(race["entrants"]) if holds[i] > 0)
    if wanted is None or not field:
        return None, 1
    draws = 20000 if wanted.get("draws") is None else wanted["draws"]
    chance = Chance(wanted.get("seed") or 0)
    runners_in = sum(not e["scratched"] for e in race["entrants"])
    places = min(3 if runners_in >= 8 else 2 if runners_in >= 5 else 1, len(field))
    counts = [0] * len(holds)
    for _ in range(draws):
        left = [i for _, i in field]
        for _ in range(places):
            u = chance.next() * sum(holds[i] for i in left) >> 64
            for i in left:
                if u < holds[i]:
                    break
                u -= holds[i]
            counts[i] += 1
            left.remove(i)
    return counts, draws


def surge(entrant_id, history, polled_at, win_total, inc_win):
    """The signal of one entrant, or None. history: pairs, this poll's last."""
    now = history[-1][1]
    shifts = [now - h for at, h in history[:-1] if polled_at - at <= 60000]
    if shifts and max(shifts) >= 500:
        return {"type": "surge", "rule": "shift", "entrant_id": entrant_id, "points": max(shifts) / 100}
    changes = [b[1] - a[1] for a, b in zip(history, history[1:])]
    if not changes:
        return None
    c, earlier = changes[-1], changes[:-1][-20:]
    n, s1, s2 = len(earlier), sum(earlier), sum(x * x for x in earlier)
    above, spread = n * c - s1, n * s2 - s1 * s1
    if n < 5 or spread == 0 or above <= 0 or above * above < 9 * spread:
        return None
    if win_total <= 0 or 100 * inc_win < win_total:
        return None
    return {"type": "surge", "rule": "z", "entrant_id": entrant_id, "z": above / math.sqrt(spread)}


class Money:
    """Shares and amounts of one poll, by entrant."""

    def __init__(self, race):
        entrants = race["entrants"]
        rows = race["money"]
        self.totals = {"win": 0, "place": 0}
        for pool in race["pools"]:
            self.totals[pool["type"]] = pool["total_cents"]
        self.hold = [self.add(rows, e, lambda r: units(r["hold_pct"], 100)) for e in entrants]
        self.bet = [self.add(rows, e, lambda r: units(r["bet_pct"], 100)) for e in entrants]
        self.fed, self.amounts = {}, {}
        for pool in ("win", "place"):
            member = pool + "_cents"
            self.fed[pool] = any(row.get(member) is not None for row in rows)
            if self.fed[pool]:
                self.amounts[pool] = [self.add(rows, e, lambda r: r[member]) for e in entrants]
            else:
                self.amounts[pool] = split(self.totals[pool], self.hold, [e["number"] for e in entrants])

    @staticmethod
    def add(rows, entrant, figure):
        if entrant["scratched"]:
            return 0
        return sum(figure(row) for row in rows if row["entrant_id"] == entrant["entrant_id"])


def odds_of(entrant, before):
    price, was = entrant.get("fixed_win"), before and before["odds"]["fixed_win"]
    odds = {name: entrant.get(name) for name in ("fixed_win", "fixed_place", "tote_win", "tote_place")}
    odds.update(implied_p=None, move_pct=None, log_move=None, trend=None)
    if price is None:
        return odds
    u = units(price, 10000)
    odds["implied_p"] = 10000 / u
    if was is not None:
        w = units(was, 10000)
        odds["move_pct"] = 100 * (w - u) / w
        odds["log_move"] = math.log(w / u)
        odds["trend"] = "firming" if 50 * (w - u) > w else "drifting" if 50 * (u - w) > w else "steady"
    return odds


def flow_of(money, i, previous, before, passed):
    """Increments, rate and shifts of one entrant."""
    win, place = money.amounts["win"][i], money.amounts["place"][i]
    flow = dict(inc_win=win, inc_place=place, rate_cpm=None, ewma_cpm=None, hold_shift=None, bet_shift=None)
    if previous is not None and before is None:
        flow.update(inc_win=0, inc_place=0)
    if before is not None:
        flow["inc_win"] -= before["win_cents"]
        flow["inc_place"] -= before["place_cents"]
        flow["hold_shift"] = (money.hold[i] - units(before["hold_pct"], 100)) / 100
        flow["bet_shift"] = (money.bet[i] - units(before["bet_pct"], 100)) / 100
        flow["ewma_cpm"] = before["ewma_cpm"]
        if passed != 0:
            flow["rate_cpm"] = (flow["inc_win"] + flow["inc_place"]) * 60000 / passed
            w = 2 ** (-passed / 60000)
            flow["ewma_cpm"] = flow["rate_cpm"] if before["ewma_cpm"] is None else (
                w * before["ewma_cpm"] + (1 - w) * flow["rate_cpm"])
    flow["inc_total"] = flow["inc_win"] + flow["inc_place"]
    return flow


def flags_of(origin, flow, hold, bet, is_fed):
    """origin: "baseline", "gap" or nothing"""
    flags = [origin] if origin else []
    if flow["inc_win"] < 0 or flow["inc_place"] < 0:
        flags.append("negative")
    if bet and 10 * hold > 13 * bet:
        flags.append("big_money")
    if bet and 10 * hold < 7 * bet:
        flags.append("small_bets")
    return flags + ["feed"] * is_fed


def timeline_of(previous, bucket, entrants):
    timeline = {b["bucket"]: {k: dict(v) for k, v in b["inc"].items()}
                for b in (previous["timeline"] if previous else [])}
    here = timeline.setdefault(bucket, {})
    for e in entrants:
        entry = here.setdefault(e["entrant_id"], {"win": 0, "place": 0})
        entry["win"] += e["inc_win"]
        entry["place"] += e["inc_place"]
    return [{"bucket": b, "inc": timeline[b]} for b in sorted(timeline, reverse=True)]


def quality_of(money, entrants, previous):
    hold = sum(money.hold)
    text = f"hold_sum {hold // 100}.{hold % 100:02d}"
    off = abs(hold - 10000)
    warnings = [text] if 50 < off <= 500 else []
    errors = [text] if off > 500 else []
    gaps = {}
    for pool in ("win", "place"):
        total, amounts = money.totals[pool], sum(money.amounts[pool])
        gaps[pool] = abs(amounts - total) / total if total else float(amounts != 0)
        if money.fed[pool] and 20 * abs(amounts - total) > total:
            warnings.append(f"gap {pool}")
        if total and hold == 0 and not money.fed[pool]:
            errors.append(f"no_shares {pool}")
    warnings += [f"negative {e['entrant_id']}" for e in entrants if "negative" in e["flags"]]
    ids = {e["entrant_id"] for e in entrants}
    warnings += [f"vanished {e['entrant_id']}" for e in (previous["entrants"] if previous else [])
                 if e["entrant_id"] not in ids]
    score = max(0.0, 100 - 50 * (gaps["win"] + gaps["place"]))
    if not any(money.totals[pool] for pool in ("win", "place")):
        score = 50.0
    return {"score": score, "hold_sum": hold / 100, "warnings": warnings, "errors": errors}


def entrant_of(race, money, i, context):
    previous, passed, counts, draws = context
    entrant = race["entrants"][i]
    before = next((e for e in (previous["entrants"] if previous else [])
                   if e["entrant_id"] == entrant["entrant_id"]), None)
    hold, bet, win, place = money.hold[i], money.bet[i], money.amounts["win"][i], money.amounts["place"][i]
    total, place_total = money.totals["win"], money.totals["place"]
    flow = flow_of(money, i, previous, before, passed)
    odds = odds_of(entrant, before)
    takeout = (race.get("takeout") or {}).get("win")
    dividend = value_gap = None
    if takeout is not None and win:
        dividend = max(10, (10000 - units(takeout, 10000)) * total // (1000 * win)) / 10
    if odds["implied_p"] is not None and not entrant["scratched"] and total:
        value_gap = odds["implied_p"] - win / total
    history = (before["recent"] if before else []) + [[race["polled_at"], hold]]
    origin = "baseline" if previous is None else "gap" if before is None else None
    signal = surge(entrant["entrant_id"], history, race["polled_at"], total, flow["inc_win"])
    return {
        "entrant_id": entrant["entrant_id"], "number": entrant["number"], "scratched": entrant["scratched"],
        "hold_pct": hold / 100, "bet_pct": bet / 100, "win_cents": win, "place_cents": place,
        "win_share": 100 * win / total if total else None,
        "place_share": 100 * place / place_total if place_total else None,
        "stake_index": hold / bet if bet else None, "odds": odds, "est_dividend": dividend,
        "value_gap": value_gap, "place_probability": None if counts is None else counts[i] / draws,
        "recent": history[-21:],
        "flags": flags_of(origin, flow, hold, bet, any(money.fed.values())), **flow,
    }, signal


def late(entrant, timeline, below):
    if entrant["win_cents"] == 0:
        return None
    money = sum(b["inc"].get(entrant["entrant_id"], {"win": 0})["win"] for b in timeline if b["bucket"] < below)
    return money / entrant["win_cents"]


def transform(race):
    """The TransformedRace of a RaceData, without its timing."""
    previous = race.get("previous")
    money = Money(race)
    tts = (race["start_time"] - race["polled_at"]) // 1000
    minutes = Fraction(tts, 60)
    passed = race["polled_at"] - previous["polled_at"] if previous else 0
    counts, draws = place_counts(race, money.hold)
    both = [entrant_of(race, money, i, (previous, passed, counts, draws)) for i in range(len(race["entrants"]))]
    entrants = [entrant for entrant, _ in both]
    timeline = timeline_of(previous, bucket_of(minutes), entrants)
    for entrant in entrants:
        entrant["late5"], entrant["late1"] = late(entrant, timeline, 5), late(entrant, timeline, 1)
    prices = [e["odds"]["implied_p"] for e in entrants if e["odds"]["implied_p"] and not e["scratched"]]
    then = previous["pools"] if previous else {"win_cents": 0, "place_cents": 0}
    return {
        "schema": "transformedrace/1", "race_id": race["race_id"], "status": race["status"],
        "polled_at": race["polled_at"], "tts_s": tts, "bucket": bucket_of(minutes),
        "interval_type": label_of(minutes), "next_poll_ms": next_poll(minutes, race["status"]),
        "pools": {"win_cents": money.totals["win"], "place_cents": money.totals["place"],
                  "win_growth": money.totals["win"] - then["win_cents"],
                  "place_growth": money.totals["place"] - then["place_cents"]},
        "book_pct": 100 * sum(prices) if prices else None,
        "entrants": entrants, "timeline": timeline, "signals": [signal for _, signal in both if signal],
        "quality": quality_of(money, entrants, previous),
    }


def differences(ours, theirs, path=""):
    """Paths at which two values differ: doubles by more than 10^-9 of their size, all else at all."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = [f"{path}.{key}: on one side only" for key in ours.keys() ^ theirs.keys()]
        for key in ours.keys() & theirs.keys():
            found += differences(ours[key], theirs[key], f"{path}.{key}")
        return found
    if isinstance(theirs, list) and isinstance(ours, list):
        found = [f"{path}: {len(ours)} and {len(theirs)} items"] if len(ours) != len(theirs) else []
        for i, (a, b) in enumerate(zip(ours, theirs)):
            found += differences(a, b, f"{path}[{i}]")
        return found
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)) and type(ours) is not bool:
        same = math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=0) or abs(ours - theirs) < 1e-12
        return [] if same else [f"{path}: {ours!r} and {theirs!r}"]
    return [] if ours == theirs else [f"{path}: {ours!r} and {theirs!r}"]
