"""No limit on the length of a history or the size of a payload ends a run; memory stays bounded. With ./dev test --all: 200,000 events
and a step result of 20 MB, else a tenth of that."""

import os
import unittest

from support import Millrace, testkit_binary, wait_until

FULL = int(os.environ.get("MILLRACE_CRASH_ROUNDS", "3")) >= 25
STEPS = 50_000 if FULL else 2_500
RESULT = 20_000_000 if FULL else 2_000_000


class LongHistoryTest(unittest.TestCase):
    def memory(self):
        """Resident bytes of the server."""
        with open(f"/proc/{self.server.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_a_long_history_and_a_large_result_complete_within_bounded_memory_also_after_a_kill(self):
        self.server = Millrace(binary=testkit_binary())
        self.addCleanup(self.server.close)
        http = self.server.http
        large = http.post("/v1/workflows?wait=true", {"type": "test.steps", "workflowId": "large", "input": {"n": 1, "payloadBytes": RESULT}})
        self.assertEqual(large["result"], {"sum": 1})
        self.assertEqual(len(http.get("/v1/workflows/large")["steps"][0]["result"]["payload"]), RESULT)
        after_large = self.memory()

        http.post("/v1/workflows", {"type": "test.steps", "workflowId": "long", "input": {"n": STEPS}})
        length = lambda: http.get("/v1/workflows?query=" + "WorkflowId%20%3D%20'long'")["data"][0]["historyLength"]
        wait_until(lambda: length() > STEPS, "a good part of the history", 600, every=0.2)
        self.server.kill()
        self.server.start()
        most = 0

        def ended():
            nonlocal most
            most = max(most, self.memory())
            return http.get("/v1/workflows?query=" + "WorkflowId%20%3D%20'long'")["data"][0]["status"] != "Running"
        wait_until(ended, "its end", 900, every=0.2)
        done = http.get("/v1/workflows?query=" + "WorkflowId%20%3D%20'long'")["data"][0]
        self.assertEqual(done["status"], "Completed")
        self.assertGreaterEqual(done["historyLength"], 4 * STEPS)
        self.assertLess(most, max(after_large, 100_000_000) + 100_000_000, f"{most} bytes resident")
        if not FULL:
            result = http.post("/v1/workflows?wait=true", {"type": "test.steps", "workflowId": "again", "input": {"n": 1}})
            self.assertEqual(result["result"], {"sum": 1})
        if 4 * STEPS > 10_240:
            self.assertIn("the history is long", self.server.log())


if __name__ == "__main__":
    unittest.main()
