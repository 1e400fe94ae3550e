#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random scenarios of the form in README.md, one JSON object a line.

    tests/supervision/generate.py SEED COUNT [FAMILY...] > SCENARIOS.jsonl

Families: plain, nested, template, hold, gate, gate_template, auto, killed, window. Default: all in turn.
"""
import json
import random
import sys

REASONS = ["normal", "shutdown", "shutdown:x", "error", "error", "error", "kill"]
RESTARTS = ["permanent", "permanent", "transient", "temporary"]


class Maker:
    def __init__(self, seed, number, family):
        self.random = random.Random(f"{seed} {number} {family}")
        self.family = family
        self.name = f"{family}-{number:04d}"
        self.workers, self.supervisors, self.fresh = [], [], 0

    def pick(self, values):
        return self.random.choice(values)

    def chance(self, part):
        return self.random.random() < part

    def worker(self, path, name, supervisor):
        one = {"id": name}
        if self.chance(0.6):
            one["restart"] = self.pick(RESTARTS)
        how = self.random.random()
        if how < 0.12:
            one["shutdown"] = "brutal_kill"
        elif how < 0.2:
            one.update(shutdown=self.pick([20, 40]), on_shutdown="ignore")
        elif how < 0.25:
            one["shutdown"] = "infinity"
        if "on_shutdown" not in one and self.chance(0.2):
            one["on_shutdown"] = self.pick(["normal", "error", "shutdown:x"])
        if one.get("shutdown") == "brutal_kill" and self.chance(0.3):
            one["on_shutdown"] = "ignore"
        if self.chance(0.25) and self.family not in ("killed",):
            one["starts"] = ["ok"] + [self.pick(["ok", "fail", "ignore"]) for _ in range(self.random.randint(1, 3))]
            if self.chance(0.08):
                one["starts"][0] = self.pick(["fail", "ignore"])
        if supervisor.get("auto_shutdown", "never") != "never" and self.chance(0.6):
            one.update(significant=True, restart=self.pick(["transient", "temporary"]))
        self.workers.append(f"{path}/{name}")
        return one

    def flags(self):
        one = {"strategy": self.pick(["one_for_one", "one_for_all", "rest_for_one"]),
               "intensity": self.random.randint(0, 4), "period": 1 if self.family == "window" else 3600}
        if self.family == "auto" or self.chance(0.1):
            one["auto_shutdown"] = self.pick(["any_significant", "all_significant", "never"])
        return one

    def supervisor(self, path, depth):
        one = self.flags()
        self.supervisors.append(path)
        one["children"] = []
        for name in "abcd"[:self.random.randint(1, 4)]:
            if depth > 0 and self.chance(0.4):
                child = self.supervisor(f"{path}/{name}", depth - 1)
                child["id"] = name
                if self.chance(0.5):
                    child["restart"] = self.pick(RESTARTS)
                if one.get("auto_shutdown", "never") != "never" and self.chance(0.4):
                    child.update(significant=True, restart=self.pick(["transient", "temporary"]))
            else:
                child = self.worker(path, name, one)
            one["children"].append(child)
        return one

    def template(self, path):
        child = self.worker(path, "w", {})
        child.pop("starts", None)
        self.workers.pop()
        self.supervisors.append(path)
        return {"strategy": "simple_one_for_one", "intensity": self.random.randint(1, 5), "period": 3600,
                "children": [child]}

    def request(self, path, names):
        op = self.pick(["terminate_child", "restart_child", "delete_child", "get_childspec", "start_child",
                        "which_children", "count_children", "start_child", "terminate_child"])
        step = {"op": op, "sup": path}
        if op == "start_child":
            name = self.pick(names + [f"n{self.fresh}"])
            self.fresh += 1
            step["child"] = self.worker(path, name, {})
            self.workers[-1:] = [f"{path}/{name}"]
            if "starts" in step["child"]:
                step["child"].pop("starts")
        elif op.endswith(("child", "spec")):
            step["id"] = self.pick(names + ["nobody"] if self.chance(0.2) else names)
        return step

    def names(self, path):
        return sorted({w.rsplit("/", 1)[1] for w in self.workers + self.supervisors
                       if "/" in w and w.rsplit("/", 1)[0] == path}) or ["a"]

    def instance_request(self, path, count):
        op = self.pick(["start_child", "start_child", "terminate_child", "which_children", "count_children",
                        "get_childspec", "restart_child"])
        step = {"op": op, "sup": path}
        if op == "start_child" and self.chance(0.4):
            step["starts"] = [self.pick(["ok", "ok", "fail", "ignore"])] + [
                self.pick(["ok", "fail", "ok"]) for _ in range(2)]
        elif op in ("terminate_child", "get_childspec"):
            step["id"] = f"#{self.random.randint(1, max(count, 1))}"
        elif op == "restart_child":
            step["id"] = "w"
        return step

    def crash(self, paths):
        return {"op": "crash", "child": self.pick(paths), "reason": self.pick(REASONS)}

    def plain_steps(self):
        steps = []
        for _ in range(self.random.randint(3, 9)):
            if self.chance(0.55):
                steps.append(self.crash(self.workers))
            else:
                path = self.pick(self.supervisors)
                steps.append(self.request(path, self.names(path)))
        return steps

    def template_steps(self, path):
        steps, count = [], 0
        for _ in range(self.random.randint(4, 10)):
            if count and self.chance(0.4):
                steps.append(self.crash([f"{path}#{self.random.randint(1, count)}"]))
            else:
                steps.append(self.instance_request(path, count))
                count += steps[-1]["op"] == "start_child"
        return steps

    def hold_steps(self):
        path = self.pick(self.supervisors)
        own = [w for w in self.workers if w.rsplit("/", 1)[0] == path] or self.workers
        steps = [self.crash(self.workers)] if self.chance(0.3) else []
        steps.append({"op": "hold", "sup": path})
        for _ in range(self.random.randint(2, 5)):
            steps.append(self.crash(own) if self.chance(0.6) else self.request(path, self.names(path)))
        steps.append({"op": "release", "sup": path})
        return steps + [{"op": "which_children", "sup": path}, {"op": "count_children", "sup": path}]

    def gate_steps(self, tree):
        workers = [c for c in tree["children"] if "strategy" not in c and c.get("restart") != "temporary"]
        if not workers:
            return self.plain_steps()
        one = self.pick(workers)
        one["starts"] = ["ok", "hold"] + [self.pick(["ok", "fail", "hold"]) for _ in range(2)]
        one.pop("significant", None)
        gate = {"op": "finish_start", "child": f"root/{one['id']}", "outcome": ""}
        steps = [{"op": "crash", "child": gate["child"], "reason": "error"}]
        for _ in range(one["starts"].count("hold")):
            for _ in range(self.random.randint(0, 3)):
                others = [w for w in self.workers if w != gate["child"]]
                steps.append(self.crash(others) if others and self.chance(0.4)
                             else self.request("root", self.names("root")))
            steps.append(dict(gate, outcome=self.pick(["ok", "fail", "fail", "ignore"])))
            if steps[-1]["outcome"] != "fail":
                break
        return steps + [{"op": "which_children", "sup": "root"}]

    def gate_template_steps(self):
        steps = [{"op": "start_child", "sup": "root"},
                 {"op": "start_child", "sup": "root", "starts": ["ok", "hold", self.pick(["ok", "fail"]), "ok"]},
                 {"op": "crash", "child": "root#2", "reason": "error"}]
        for _ in range(self.random.randint(0, 4)):
            steps.append(self.instance_request("root", 2) if self.chance(0.7) else self.crash(["root#1"]))
        steps.append({"op": "finish_start", "child": "root#2", "outcome": self.pick(["ok", "fail", "fail"])})
        return steps + [{"op": "which_children", "sup": "root"}, {"op": "count_children", "sup": "root"}]

    def killed_steps(self):
        steps = []
        for _ in range(3):
            below = [p for p in self.supervisors if p != "root"]
            if below and self.chance(0.6):
                steps.append({"op": "crash", "child": self.pick(below), "reason": "kill", "order": "any"})
            else:
                steps.append(self.crash(self.workers))
            steps.append({"op": "which_children", "sup": self.pick(self.supervisors)})
        return steps

    def window_steps(self):
        steps = []
        for _ in range(self.random.randint(3, 6)):
            steps.append({"op": "wait", "ms": 2300} if self.chance(0.3) else self.crash(self.workers))
        return steps

    def scenario(self):
        if self.family in ("template", "gate_template"):
            tree = self.template("root")
            steps = self.template_steps("root") if self.family == "template" else self.gate_template_steps()
        else:
            tree = self.supervisor("root", {"plain": 0, "gate": 0, "hold": 1, "window": 0}.get(self.family, 2))
            if not self.workers:
                return None
            steps = (self.hold_steps() if self.family == "hold" else
                     self.gate_steps(tree) if self.family == "gate" else
                     self.killed_steps() if self.family == "killed" else
                     self.window_steps() if self.family == "window" else self.plain_steps())
        return {"name": self.name, "needs": [], "tree": tree, "steps": steps + [{"op": "stop"}]}


FAMILIES = ["plain", "nested", "template", "hold", "gate", "gate_template", "auto", "killed", "window"]


def scenarios(seed, count, families):
    for number in range(count):
        scenario = Maker(seed, number, families[number % len(families)]).scenario()
        if scenario is not None:
            yield scenario


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    for scenario in scenarios(arguments[0], int(arguments[1]), arguments[2:] or FAMILIES):
        print(json.dumps(scenario))


if __name__ == "__main__":
    main(sys.argv[1:])
