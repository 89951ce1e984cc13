"""kill -9 every few seconds under 500 executions of the test workflows and more: each ends with the right result, no step
completes twice, the ledger has no attempt twice, and all histories are verified after it."""

import collections
import os
import pathlib
import random
import time
import unittest

from crash.harness import ROUNDS, SEED
from support import Millrace, temp_dir, testkit_binary, wait_until
from support.waiting import pause

COUNT = int(os.environ.get("MILLRACE_CRASH_EXECUTIONS", "500"))
SECONDS = 15 if ROUNDS <= 3 else 120


def kinds(ledger):
    """(type, input, signals to send, what must come of it)"""
    step = {"ledger": ledger, "stepMs": 400}
    return [
        ("test.steps", {"n": 8, **step}, 0, {"sum": 36}),
        ("test.parallel", {"n": 6, **step}, 0, {"sum": 21}),
        ("test.retry", {"failures": 2, "ledger": ledger}, 0, None),
        ("test.timer", {"seconds": 6, "count": 3}, 0, None),
        ("test.signals", {"count": 3, "ledger": ledger, "stepBetween": True}, 3, ["1", "2", "3"]),
        ("test.children", {"n": 2, "type": "test.steps", "input": {"n": 3, **step}}, 0, [{"sum": 6}, {"sum": 6}]),
        ("test.continue", {"runs": 4, "ledger": ledger}, 0, {"runs": 4}),
        ("test.ring", {"nodes": 3, "laps": 2, "ledger": ledger}, 0, {"laps": 2}),
        ("test.saga", {"failAt": 3, "ledger": ledger}, 0, None),
    ]


class EngineKillTest(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.ledger = temp_dir("ledger") / "ledger"
        self.ledger.touch()
        self.server = Millrace(binary=testkit_binary())
        print(f"seed {SEED} (MILLRACE_CRASH_SEED), {COUNT} executions (MILLRACE_CRASH_EXECUTIONS), {SECONDS} s", flush=True)

    def insist(self, action):
        """Asks until a server answers; the request id makes a repeat harmless. None of these may change the outcome."""
        for _ in range(400):
            try:
                return action()
            except OSError:
                self.come_back()
        raise AssertionError("the server does not answer")

    def come_back(self):
        if self.server.process.poll() is not None:
            self.server.start()
        else:
            pause(0.02)

    def kill_when_due(self):
        if time.monotonic() >= self.next_kill and self.kills_left():
            self.server.kill()
            self.kills += 1
            self.next_kill = time.monotonic() + self.random.uniform(1.5, 4)
            self.server.start()

    def kills_left(self):
        return time.monotonic() < self.end

    def begin(self, n, kind):
        """Starts one and sends its signals; (its run, its kind)."""
        body = {"type": kind[0], "workflowId": f"k{n}", "input": kind[1], "requestId": f"start-{n}"}
        answer = self.insist(lambda: self.server.http.post("/v1/workflows", body))
        for i in range(1, kind[2] + 1):
            signal = {"name": "s", "input": str(i), "requestId": f"signal-{n}-{i}"}
            self.insist(lambda signal=signal: self.server.http.post(f"/v1/workflows/k{n}/signal", signal))
        return answer["runId"], kind

    def test_executions_under_kills_end_right_and_do_each_step_once(self):
        known = kinds(str(self.ledger))
        self.kills, self.end = 0, time.monotonic() + SECONDS
        self.next_kill = time.monotonic() + 2
        started = {}
        # COUNT at once, and then others for those that end, so that there are always many to be killed.
        while len(started) < COUNT or self.kills_left():
            self.kill_when_due()
            n = len(started)
            started[f"k{n}"] = self.begin(n, known[n % len(known)])
            if n >= COUNT:
                pause(0.04)
        self.assertGreater(self.kills, 3)
        print(f"    {self.kills} kills", flush=True)
        for workflow, (_, kind) in started.items():
            self.check_end(workflow, kind)
        self.check_histories()

    def check_end(self, workflow, kind):
        def ended():
            execution = self.server.http.get(f"/v1/workflows/{workflow}")
            return execution if execution["status"] not in ("Running", "ContinuedAsNew") else None
        execution = wait_until(ended, f"the end of {workflow}", 180, every=0.05)
        expected = "Failed" if kind[0] == "test.saga" else "Completed"
        self.assertEqual(execution["status"], expected, (workflow, execution))
        if kind[3] is not None:
            self.assertEqual(execution["result"], kind[3], workflow)
        if kind[0] == "test.timer":
            self.assertTrue(all(late >= 0 for late in execution["result"]["lateMs"]), (workflow, execution["result"]))

    def check_histories(self):
        """Each run's history beside the ledger."""
        lines = pathlib.Path(self.ledger).read_text().splitlines()
        seen = collections.Counter(lines)
        self.assertEqual([line for line, n in seen.items() if n > 1], [], "attempts that ran twice")
        ran = {tuple(line.split()[:2]) for line in lines}
        completed = set()
        for execution in self.server.http.all("/v1/workflows"):
            events = self.server.history(execution["workflowId"], execution["runId"])
            self.assertEqual([e["id"] for e in events], list(range(1, len(events) + 1)))
            names = {e["id"]: e["attributes"]["activityId"] for e in events if e["type"] == "ACTIVITY_TASK_SCHEDULED"}
            ends = collections.Counter(e["attributes"]["scheduledEventId"] for e in events if e["type"] == "ACTIVITY_TASK_COMPLETED")
            self.assertTrue(all(n == 1 for n in ends.values()), (execution["runId"], ends))
            completed |= {(execution["runId"], names[event]) for event in ends}
        self.assertEqual(completed - ran, set(), "steps that completed and never ran")
        self.assertGreater(len(completed), COUNT)
        report = self.server.http.get("/v1/workflows/verify")
        self.assertEqual((report["diverged"], report["divergences"]), (0, []))
        self.assertGreaterEqual(report["runs"], COUNT)
        self.assertEqual(report["openRuns"], 0)
        self.assertEqual(self.server.cli("doctor", check=False).returncode, 0, "the doctor's word on the store")


if __name__ == "__main__":
    unittest.main()
