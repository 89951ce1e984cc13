"""Reset, pause and help for a step, over real HTTP and by the command line."""

import unittest

from support import wait_until
from e2e.test_testkit import TestkitCase


class OperatorTest(TestkitCase):
    def test_a_closed_run_is_reset_to_before_a_step_and_runs_from_there(self):
        ledger, name = self.ledger(), self.new_id()
        first = self.run_to_end("test.steps", name, n=3, ledger=ledger)
        answer = self.send(name, "reset", step="work-2", point="before", reason="again", requestId="r1", expect=(201,))
        self.assertNotEqual(answer["runId"], first["runId"])
        again = self.send(name, "reset", step="work-2", point="before", reason="again", requestId="r1", expect=(200,))
        self.assertEqual(again["runId"], answer["runId"])
        wait_until(lambda: self.get(name)["status"] == "Completed", 30)
        self.assertEqual(self.get(name)["result"]["sum"], first["result"]["sum"])
        self.assertEqual(self.lines(ledger, first["runId"]), ["work-1 1", "work-2 1", "work-3 1"])
        self.assertEqual(self.lines(ledger, answer["runId"]), ["work-2 1", "work-3 1"])
        marks = [e for e in self.http.get(f"/v1/workflows/{name}/history?limit=1000")["data"] if e["type"] == "WORKFLOW_TASK_FAILED"]
        self.assertEqual([(m["attributes"]["baseRunId"], m["attributes"]["reason"]) for m in marks], [(first["runId"], "again")])

    def test_a_point_that_is_not_there_and_a_body_that_names_two_are_refused(self):
        name = self.new_id()
        self.run_to_end("test.steps", name, n=1)
        self.assertEqual(self.send(name, "reset", step="nothing", expect=(422,))["code"], "workflow.reset_invalid")
        self.assertEqual(self.send(name, "reset", step="work-1", eventId=3, expect=(422,))["code"], "request.invalid")

    def test_a_paused_run_waits_and_the_command_line_lets_it_go_on(self):
        name = self.new_id()
        self.start("test.timer", name, seconds=1)
        self.server.cli("workflow", "pause", name, "--reason", "look")
        wait_until(lambda: any(e["type"] == "TIMER_FIRED" for e in self.http.get(f"/v1/workflows/{name}/history")["data"]), 30)
        self.assertEqual(self.get(name)["status"], "Paused")
        self.server.cli("workflow", "unpause", name)
        wait_until(lambda: self.get(name)["status"] == "Completed", 30)

    def test_a_step_that_backs_off_is_completed_by_hand(self):
        name = self.new_id()
        self.start("test.retry", name, failures=5, retryPolicy={"initialMs": 600000})
        wait_until(lambda: [s["status"] for s in self.get(name)["pendingSteps"]] == ["BackingOff"], 30)
        step = self.get(name)["pendingSteps"][0]["activityId"]
        self.send(name, f"activities/{step}/pause", reason="look")
        self.assertTrue(self.get(name)["pendingSteps"][0]["paused"])
        self.send(name, f"activities/{step}/unpause")
        self.send(name, f"activities/{step}/complete", result={"attempts": 1})
        wait_until(lambda: self.get(name)["status"] != "Running", 30)
        self.assertEqual(self.get(name)["status"], "Completed")
        self.assertEqual(self.send(name, f"activities/{step}/retry", expect=(409,))["code"], "workflow.closed")


if __name__ == "__main__":
    unittest.main()
