"""Task queues and workers from outside: fair shares, reasons, limits, the example worker, and tokens over a kill."""

import os
import subprocess
import sys
import threading

from e2e.test_testkit import TestkitCase
from support import wait_until
from support.http_client import Client
from support.paths import REPO, at_end


class Queues(TestkitCase):
    server_options = ("--queue", "narrow=2", "--limit", "host:*=1")

    def test_a_key_with_a_long_line_starves_nobody(self):
        ledger = self.ledger()
        for n in range(60):
            self.start("test.flood", f"big-{n}", n=n, key="big", queue="narrow", stepMs=50, ledger=ledger)
        for n in range(100, 104):
            self.start("test.flood", f"small-{n}", n=n, key="small", queue="narrow", stepMs=50, ledger=ledger)
        for n in range(100, 104):
            self.end_of(f"small-{n}")
        begun = self.lines(ledger)
        small = [place for place, line in enumerate(begun) if int(line.split()[0].removeprefix("flood-")) >= 100]
        big_waiting = self.http.get("/v1/queues/narrow")["waiting"]
        self.assertGreater(big_waiting, 0, "the small key ended before the long line did")
        # Once it came, every other step was of the small key.
        self.assertLessEqual(small[-1] - small[0], 10, begun)
        for n in range(60):
            self.end_of(f"big-{n}")
        self.assertEqual(len(self.lines(ledger)), 64)

    def test_a_waiting_step_says_why(self):
        for n in range(3):
            self.start("test.flood", f"why-{n}", n=n, queue="why", limitKeys=["host:a"], stepMs=1500)
        waiting = wait_until(lambda: self.get("why-2")["pendingSteps"][0]["waitingFor"], "a waiting step", 20)
        self.assertEqual((waiting["queue"], waiting["reason"], waiting["limitKey"]), ("why", "key_full", "host:a"))
        queue = self.http.get("/v1/queues/why")
        self.assertEqual((queue["running"], queue["waiting"]), (1, 2), queue)
        self.assertEqual(queue["limitKeys"][0]["concurrency"], 1)
        metrics = self.http.request("GET", "/metrics").text
        self.assertIn('millrace_task_queue_backlog{kind="activity",queue="why"} 2', metrics)
        for n in range(3):
            self.end_of(f"why-{n}")

    def test_limits_change_while_it_runs(self):
        self.server.cli("queue", "set", "gate", "--concurrency", "0")
        self.start("test.flood", "gated", n=1, queue="gate")
        wait_until(lambda: self.get("gated")["pendingSteps"][0]["waitingFor"], "a waiting step", 20)
        self.assertIn("gate", self.server.cli("queue", "list").stdout)
        self.server.cli("queue", "set", "gate", "--concurrency", "none")
        self.assertEqual(self.end_of("gated")["status"], "Completed")
        self.assertProblem(self.http.request("GET", "/v1/queues/unheard-of"), 404, "queue.not_found")
        self.assertEqual(self.http.request("PUT", "/v1/queues/gate", {"concurrency": -1}).status, 422)


class Workers(TestkitCase):
    def poll(self, queue, client=None, **more):
        return (client or self.http).post(f"/v1/queues/{queue}/poll", {"waitSeconds": 10} | more)["task"]

    def test_the_example_worker_does_all_steps(self):
        token = self.http.post("/v1/tokens", {"name": "worker", "scope": "worker"})["token"]
        workers = [subprocess.Popen([sys.executable, str(REPO / "docs/examples/worker.py"), self.server.url, "squares"],
                                    env={**os.environ, "MILLRACE_TOKEN": token}) for _ in range(2)]
        for worker in workers:
            at_end(worker.kill)
        done = self.run_to_end("test.external", n=6, queue="squares")
        for worker in workers:
            worker.kill()
            worker.wait()
        self.assertEqual([one["square"] for one in done["result"]["results"]], [1, 4, 9, 16, 25, 36])

    def test_a_completion_after_a_kill_of_the_server_is_taken(self):
        self.start("test.external", "survivor", queue="kill", retryPolicy={"maximumAttempts": 1})
        task = self.poll("kill")
        self.server.kill()
        self.server.start()
        path = f"/v1/queues/kill/tasks/{task['token']}"
        self.assertEqual(self.http.post(path + "/heartbeat", {"details": 1}), {"cancelRequested": False, "paused": False})
        self.http.post(path + "/complete", {"result": "kept"})
        self.assertCompleted(self.end_of("survivor"), {"results": ["kept"]})
        self.assertProblem(self.http.request("POST", path + "/complete", {"result": "again"}), 404, "task.not_found")

    def test_a_worker_that_dies_is_seen_and_cancel_reaches_one(self):
        self.start("test.external", "silent", queue="silent", timeouts={"heartbeatMs": 2000}, retryPolicy={"initialMs": 50})
        first = self.poll("silent")
        second = self.poll("silent")
        self.assertEqual((first["attempt"], second["attempt"]), (1, 2))
        self.assertProblem(self.http.request("POST", f"/v1/queues/silent/tasks/{first['token']}/heartbeat", {}), 404,
                           "task.not_found")
        self.send("silent", "cancel")
        beat = self.http.post(f"/v1/queues/silent/tasks/{second['token']}/heartbeat", {})
        self.assertTrue(beat["cancelRequested"])
        self.http.post(f"/v1/queues/silent/tasks/{second['token']}/fail", {"failure": {"type": "Cancelled"}})
        self.assertEqual(self.end_of("silent")["status"], "Canceled")

    def test_a_waiting_poll_is_answered_when_a_step_comes_and_one_that_goes_takes_nothing(self):
        gone = Client("127.0.0.1", self.server.port, self.server.token, timeout=0.3)
        with self.assertRaises(OSError):
            self.poll("late", gone)
        wait_until(lambda: self.http.request("GET", "/v1/queues/late").status == 404, "the poll to be forgotten", 20)
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(self.poll("late")), daemon=True)
        waiting.start()
        wait_until(lambda: self.http.request("GET", "/v1/queues/late").status == 200, "a poll", 20)
        self.start("test.external", "late", queue="late")
        waiting.join(20)
        self.assertEqual((answers[0]["workflowId"], answers[0]["attempt"]), ("late", 1))
        self.http.post(f"/v1/queues/late/tasks/{answers[0]['token']}/complete", {"result": 1})
        self.assertCompleted(self.end_of("late"), {"results": [1]})

    def test_the_scope_of_a_worker_is_narrow(self):
        token = self.http.post("/v1/tokens", {"name": "narrow", "scope": "worker"})["token"]
        worker = Client("127.0.0.1", self.server.port, token)
        self.assertEqual(worker.post("/v1/queues/none/poll", {"waitSeconds": 0}), {"task": None})
        for method, path in (("GET", "/v1/workflows"), ("POST", "/v1/workflows"), ("GET", "/v1/queues"), ("GET", "/v1/sources")):
            self.assertEqual(worker.request(method, path, {} if method == "POST" else None).status, 403, path)
