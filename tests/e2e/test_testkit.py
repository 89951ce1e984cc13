"""Every type of tests/testkit over real HTTP: what it returns, what it refuses, and what its ledger says really ran."""

import datetime
import json
import unittest

from support import Millrace, temp_dir, testkit_binary, wait_until


class TestkitCase(unittest.TestCase):
    server_options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Millrace(binary=testkit_binary(), options=cls.server_options)
        cls.addClassCleanup(cls.server.close)
        cls.count = 0

    @property
    def http(self):
        return self.server.http

    def new_id(self):
        type(self).count += 1
        return f"{type(self).__name__}-{self.count}"

    def ledger(self):
        return temp_dir("ledger") / "ledger"

    def lines(self, ledger, run=None):
        """What the ledger holds: "STEP ATTEMPT", of one run or of all."""
        found = [line.split(" ") for line in ledger.read_text().splitlines()] if ledger.exists() else []
        return [f"{step} {attempt}" for run_id, step, attempt in found if run in (None, run_id)]

    def run_to_end(self, kind, workflow=None, /, **given):
        """Starts it and waits for its end."""
        body = {"type": kind, "workflowId": workflow or self.new_id(), "input": {k: str(v) if k == "ledger" else v for k, v in given.items()}}
        return self.http.post("/v1/workflows?wait=true&timeoutSeconds=60", body)

    def start(self, kind, workflow, /, **given):
        return self.http.post("/v1/workflows", {"type": kind, "workflowId": workflow, "input": {k: str(v) if k == "ledger" else v for k, v in given.items()}})

    def get(self, workflow):
        return self.http.get(f"/v1/workflows/{workflow}")

    def send(self, workflow, verb, expect=(200, 202), **body):
        return self.http.call("POST", f"/v1/workflows/{workflow}/{verb}", body, expect=expect)

    def end_of(self, workflow):
        def ended():
            execution = self.get(workflow)
            return execution if execution["status"] != "Running" else None
        return wait_until(ended, f"the end of {workflow}", 60, every=0.02)

    def assertCompleted(self, execution, result):
        self.assertEqual((execution["status"], execution["result"]), ("Completed", result), execution)

    def assertProblem(self, reply, status, code):
        self.assertEqual((reply.status, reply.json()["code"]), (status, code), reply)


class StepsTest(TestkitCase):
    def test_steps_run_one_after_the_other(self):
        ledger = self.ledger()
        done = self.run_to_end("test.steps", n=5, ledger=ledger, payloadBytes=100)
        self.assertCompleted(done, {"sum": 15})
        self.assertEqual(self.lines(ledger), [f"work-{i} 1" for i in range(1, 6)])

    def test_steps_run_at_once(self):
        ledger = self.ledger()
        self.assertCompleted(self.run_to_end("test.parallel", n=20, ledger=ledger, stepMs=10), {"sum": 210})
        self.assertEqual(sorted(self.lines(ledger)), sorted(f"work-{i} 1" for i in range(1, 21)))

    def test_a_payload_above_the_size_of_a_blob_comes_back_whole(self):
        workflow = self.new_id()
        self.assertCompleted(self.run_to_end("test.steps", workflow, n=1, payloadBytes=300_000), {"sum": 1})
        self.assertEqual(len(self.get(workflow)["steps"][0]["result"]["payload"]), 300_000)

    def test_a_step_is_tried_until_it_succeeds(self):
        ledger = self.ledger()
        done = self.run_to_end("test.retry", failures=2, ledger=ledger, retryPolicy={"initialMs": 1, "maximumMs": 5})
        self.assertCompleted(done, {"attempts": 3})
        self.assertEqual(self.lines(ledger), ["flaky-1 1", "flaky-1 2", "flaky-1 3"])

    def test_the_failure_may_name_the_delay_of_the_next_attempt(self):
        # The policy's own delay would be an hour.
        done = self.run_to_end("test.retry", failures=1, nextDelayMs=1, retryPolicy={"initialMs": 3_600_000})
        self.assertCompleted(done, {"attempts": 2})

    def test_some_failures_are_not_tried_again(self):
        for more in ({"nonRetryable": True}, {"retryPolicy": {"nonRetryableTypes": ["TestFailure"]}}, {"retryPolicy": {"maximumAttempts": 1}}):
            ledger = self.ledger()
            done = self.run_to_end("test.retry", failures=1, ledger=ledger, **more)
            self.assertEqual((done["status"], done["failure"]["type"]), ("Failed", "TestFailure"), more)
            self.assertEqual(self.lines(ledger), ["flaky-1 1"], more)

    def test_each_time_out_is_told_apart(self):
        kinds = {"scheduleToStart": "TimeoutScheduleToStart", "startToClose": "TimeoutStartToClose",
                 "heartbeat": "TimeoutHeartbeat", "scheduleToClose": "TimeoutScheduleToClose"}
        for kind, failure in kinds.items():
            ledger = self.ledger()
            done = self.run_to_end("test.timeouts", kind=kind, timeouts={kind + "Ms": 50}, retryPolicy={"maximumAttempts": 2, "initialMs": 1}, ledger=ledger)
            self.assertEqual((done["status"], done["failure"]["type"]), ("Failed", failure), kind)
            attempts = {"scheduleToStart": 0, "scheduleToClose": 1}.get(kind, 2)
            self.assertEqual(self.lines(ledger), [f"hang-1 {n}" for n in range(1, attempts + 1)], kind)

    def test_a_step_says_where_it_is(self):
        ledger = self.ledger()
        self.assertCompleted(self.run_to_end("test.heartbeat", total=20, everyMs=1, ledger=ledger), {"startedFrom": [0]})
        self.assertEqual(self.lines(ledger), ["count-1 1"])

    def test_what_failed_is_undone_in_reverse(self):
        ledger = self.ledger()
        done = self.run_to_end("test.saga", failAt=3, ledger=ledger)
        self.assertEqual((done["status"], done["failure"]["type"]), ("Failed", "TestFailure"))
        self.assertEqual(self.lines(ledger), ["do-1 1", "do-2 1", "do-3 1", "undo-2 1", "undo-1 1"])

    def test_a_run_continues_as_new(self):
        ledger, workflow = self.ledger(), self.new_id()
        started = self.start("test.continue", workflow, runs=3, ledger=ledger)
        self.assertCompleted(self.end_of(workflow), {"runs": 3})
        self.assertEqual(self.lines(ledger), ["work-1 1", "work-2 1", "work-3 1"])
        self.assertEqual(self.lines(ledger, started["runId"]), ["work-1 1"])
        first = self.http.get(f"/v1/workflows/{workflow}?runId={started['runId']}")
        self.assertEqual(first["status"], "ContinuedAsNew")
        self.assertTrue(first["continuedRunId"])
        self.assertEqual(self.get(workflow)["firstRunId"], started["runId"])

    def test_timers_fire_late_but_never_early(self):
        done = self.run_to_end("test.timer", seconds=0.2, count=5)
        self.assertEqual((done["status"], len(done["result"]["lateMs"])), ("Completed", 5))
        self.assertTrue(all(late >= 0 for late in done["result"]["lateMs"]), done)

    def test_unknown_fields_are_refused_by_each_type(self):
        for kind in ("test.steps", "test.parallel", "test.retry", "test.timeouts", "test.heartbeat", "test.timer", "test.signals", "test.children",
                     "test.cleanup", "test.update", "test.continue", "test.version", "test.saga", "test.ring"):
            reply = self.http.request("POST", "/v1/workflows", {"type": kind, "input": {"nonsense": 1}})
            self.assertProblem(reply, 422, "workflow.input_invalid")
            self.assertIn("nonsense", reply.json()["detail"], kind)


class CancelTest(TestkitCase):
    def test_cleanup_runs_for_a_timer_and_in_each_cancel_mode(self):
        for mode in (None, "try", "wait", "abandon"):
            ledger, workflow = self.ledger(), self.new_id()
            self.start("test.cleanup", workflow, seconds=3600, ledger=ledger, **({"cancelMode": mode} if mode else {}))
            if mode:
                wait_until(lambda: self.lines(ledger), "the long step", 20, every=0.01)
            self.send(workflow, "cancel", reason="enough", requestId="c")
            self.send(workflow, "cancel", expect=(202, 409), reason="enough", requestId="c")
            self.assertEqual(self.end_of(workflow)["status"], "Canceled", mode)
            self.assertEqual(self.lines(ledger)[-1], "cleanup 1", mode)
            kinds = [event["type"] for event in self.server.history(workflow)]
            self.assertEqual(kinds.count("WORKFLOW_EXECUTION_CANCEL_REQUESTED"), 1)


class MessagesTest(TestkitCase):
    def test_signals_come_in_order_and_once(self):
        workflow, ledger = self.new_id(), self.ledger()
        started = self.start("test.signals", workflow, count=4, stepBetween=True, ledger=ledger)
        for i in range(3):
            for _ in range(2):  # twice under one id
                sent = self.send(workflow, "signal", name="s", input={"i": i}, requestId=f"s-{i}")
                self.assertEqual(sent, {"workflowId": workflow, "runId": started["runId"]})
        self.send(workflow, "signal", name="other", input="nobody reads it")
        wait_until(lambda: [s["name"] for s in self.get(workflow)["pendingSignals"]] == ["other"], "only one signal unread", 20, every=0.02)
        self.http.call("POST", f"/v1/workflows/{workflow}/signal?runId={started['runId']}", {"name": "s"}, headers={"Idempotency-Key": "last"})
        self.assertCompleted(self.end_of(workflow), [{"i": 0}, {"i": 1}, {"i": 2}, None])
        self.assertEqual(self.lines(ledger), [f"between-{i} 1" for i in range(1, 5)])
        # What was taken is answered again, what is new is refused.
        self.send(workflow, "signal", name="s", requestId="last")
        self.assertProblem(self.http.request("POST", f"/v1/workflows/{workflow}/signal", {"name": "s"}), 409, "workflow.closed")
        self.assertProblem(self.http.request("POST", "/v1/workflows/nobody/signal", {"name": "s"}), 404, "workflow.not_found")
        self.assertProblem(self.http.request("POST", f"/v1/workflows/{workflow}/signal", {"nam": "s"}), 422, "request.invalid")

    def test_updates_and_queries(self):
        workflow = self.new_id()
        started = self.start("test.update", workflow)
        for _ in range(2):
            done = self.send(workflow, "update", name="add", input={"by": 5}, updateId="u1")
            self.assertEqual(done, {"result": 5, "updateId": "u1", "runId": started["runId"], "status": "completed"})
        accepted = self.send(workflow, "update", name="add", input={"by": 2}, updateId="u2", wait="accepted")
        self.assertEqual((accepted["status"], accepted["updateId"]), ("accepted", "u2"))
        self.assertEqual(self.send(workflow, "query", name="get"), {"result": 7})
        before = self.get(workflow)["historyLength"]
        refused = self.http.request("POST", f"/v1/workflows/{workflow}/update", {"name": "add", "input": {"by": -1}})
        self.assertProblem(refused, 422, "workflow.refused")
        self.assertEqual(refused.json()["data"]["failure"]["type"], "NegativeNumber")
        self.assertEqual(self.get(workflow)["historyLength"], before, "a refused update leaves no event")
        self.assertProblem(self.http.request("POST", f"/v1/workflows/{workflow}/update", {"name": "sub"}), 422, "workflow.update_unknown")
        self.assertProblem(self.http.request("POST", f"/v1/workflows/{workflow}/query", {"name": "set"}), 422, "workflow.query_unknown")
        self.assertProblem(self.http.request("POST", f"/v1/workflows/{workflow}/update", {"name": "add", "wait": "never"}), 422, "request.invalid")
        self.send(workflow, "signal", name="finish")
        self.assertCompleted(self.end_of(workflow), 7)
        # A closed one still answers, by replay and from its history.
        self.assertEqual(self.send(workflow, "query", name="get"), {"result": 7})
        self.assertEqual(self.send(workflow, "update", name="add", input={"by": 5}, updateId="u1")["result"], 5)
        self.assertProblem(self.http.request("POST", f"/v1/workflows/{workflow}/update", {"name": "add", "updateId": "u9"}), 409, "workflow.closed")

    def test_the_command_line_sends_and_asks(self):
        workflow = self.new_id()
        self.server.cli("workflow", "start", "test.update", "--id", workflow)
        self.assertEqual(self.server.cli("workflow", "update", workflow, "add", "--input", '{"by": 3}').stdout, "3\n")
        self.assertEqual(self.server.cli("workflow", "query", workflow, "get").stdout, "3\n")
        self.assertEqual(json.loads(self.server.cli("workflow", "query", workflow, "get", "-o", "json").stdout), {"result": 3})
        refused = self.server.cli("workflow", "update", workflow, "add", "--input", '{"by": -3}', check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("by is negative", refused.stderr)
        self.server.cli("workflow", "signal", workflow, "finish", "--request-id", "f")
        done = self.server.cli("workflow", "result", workflow)
        self.assertEqual(done.stdout, f"{workflow} Completed\n3\n")
        self.assertEqual(self.server.cli("workflow", "signal", workflow, "finish", check=False).returncode, 5)
        self.assertEqual(self.server.cli("workflow", "query", "nobody", "get", check=False).returncode, 4)


class ChildrenTest(TestkitCase):
    def test_children_give_their_results_in_order(self):
        workflow, ledger = self.new_id(), self.ledger()
        done = self.run_to_end("test.children", workflow, n=3, type="test.steps", input={"n": 2, "ledger": str(ledger)})
        self.assertCompleted(done, [{"sum": 3}] * 3)
        self.assertEqual(sorted(self.lines(ledger)), sorted(["work-1 1", "work-2 1"] * 3))
        shown = self.get(workflow)["children"]
        self.assertEqual([(c["workflowId"], c["status"], c["pending"], c["result"]) for c in shown],
                         [(f"{workflow}-c{i}", "Completed", False, {"sum": 3}) for i in (1, 2, 3)])
        child = self.get(f"{workflow}-c2")
        self.assertEqual(child["parent"], {"workflowId": workflow, "runId": done["runId"]})
        self.assertEqual(child["runId"], shown[1]["runId"])

    def test_what_becomes_of_children_when_their_parent_closes(self):
        for policy, status in (("terminate", "Terminated"), ("requestCancel", "Canceled"), ("abandon", "Running")):
            workflow = self.new_id()
            done = self.run_to_end("test.children", workflow, n=2, type="test.timer", input={"seconds": 3600}, parentClosePolicy=policy, wait=False)
            self.assertEqual((done["status"], len(done["result"])), ("Completed", 2), policy)
            for child in (f"{workflow}-c1", f"{workflow}-c2"):
                wait_until(lambda child=child: self.get(child)["status"] == status, f"{child} to be {status}", 20, every=0.02)

    def test_an_open_child_is_shown_as_pending(self):
        workflow = self.new_id()
        self.start("test.children", workflow, n=1, type="test.timer", input={"seconds": 3600})
        shown = wait_until(lambda: [c for c in self.get(workflow)["children"] if c["status"] == "Running"], "the child to run", 20, every=0.02)
        self.assertEqual((shown[0]["pending"], shown[0]["parentClosePolicy"]), (True, "TERMINATE"))
        self.send(workflow, "terminate", reason="enough")
        self.assertEqual(self.end_of(f"{workflow}-c1")["status"], "Terminated")

    def test_a_token_goes_round(self):
        ledger, workflow = self.ledger(), self.new_id()
        self.assertCompleted(self.run_to_end("test.ring", workflow, nodes=3, laps=4, ledger=ledger), {"laps": 4})
        self.assertEqual(sorted(self.lines(ledger)), sorted([f"lap-{i} 1" for i in range(1, 5)] * 3))


class VersionTest(unittest.TestCase):
    """One data directory, three builds of test.version, one of them with a wrong clock."""

    def test_behaviours_follow_each_other(self):
        ledger = temp_dir("ledger") / "ledger"
        server = Millrace(binary=testkit_binary(), options=["--behaviour", "a"])
        body = {"type": "test.version", "workflowId": "open", "input": {"ledger": str(ledger), "stepMs": 3_600_000}}
        server.http.post("/v1/workflows", body)
        wait_until(ledger.exists, "the first step", 20, every=0.01)
        self.assertTrue(ledger.read_text().endswith(" first 1\n"))
        server.kill()

        # b asks for the steps the other way round: the open run is blocked, a new one is not.
        server.options = ["--behaviour", "b", "--clock-offset", "86400"]
        server.start()
        blocked = wait_until(lambda: (w := server.http.get("/v1/workflows/open"))["blocked"] and w, "the run to be blocked", 20, every=0.02)
        self.assertIn("first", blocked["divergence"]["expected"])
        self.assertIn("second", blocked["divergence"]["got"])
        fresh = server.http.post("/v1/workflows?wait=true", {"type": "test.version"})
        self.assertEqual(fresh["result"], {"order": ["second", "first"]})
        started = datetime.datetime.fromisoformat(server.http.get(f"/v1/workflows/{fresh['workflowId']}")["startTime"].replace("Z", "+00:00"))
        ahead = (started - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
        self.assertTrue(86_000 < ahead < 87_000, f"the clock is {ahead} s ahead")
        server.kill()

        # patched takes the old way for the old run, the new way for a new one.
        server.options = ["--behaviour", "patched"]
        server.start()
        wait_until(lambda: not server.http.get("/v1/workflows/open")["blocked"], "the run to go on", 20, every=0.02)
        self.assertEqual(server.http.post("/v1/workflows?wait=true", {"type": "test.version"})["result"], {"order": ["second", "first"]})
        lines = [line.split(" ", 1)[1] for line in ledger.read_text().splitlines()]
        self.assertEqual(lines[0], "first 1")
        self.assertEqual(len(lines), len(set(lines)), "no attempt began twice")
        server.close()


if __name__ == "__main__":
    unittest.main()
