"""Two builds of one workflow: what today's code makes of past executions, one by one, all at once, and step by step."""

import json
import os
import pty
import subprocess
import unittest

from e2e.test_testkit import TestkitCase
from support import temp_dir, wait_until


class BuildsTest(TestkitCase):
    """Each test begins under build a."""

    def setUp(self):
        self.build("a")

    def build(self, behaviour):
        """Another build is started over the same data."""
        if self.server.options == ["--behaviour", behaviour]:
            return
        self.server.stop()
        self.server.options = ["--behaviour", behaviour]
        self.server.start()

    def blocked(self):
        return [e["workflowId"] for e in self.http.all("/v1/workflows?query=Status%20%3D%20'Running'") if e["blocked"]]

    def metric(self, kind):
        lines = self.http.request("GET", "/metrics").text.splitlines()
        found = [line for line in lines if line.startswith("millrace_workflow_blocked{") and f'"{kind}"' in line]
        return float(found[0].split()[-1]) if found else 0

    def test_an_execution_that_a_build_does_not_agree_with_is_listed_counted_and_goes_on_under_one_that_does(self):
        name = self.new_id()
        self.start("test.version", name, stepMs=1500)
        wait_until(lambda: self.get(name)["steps"], "the first step")
        self.build("b")
        blocked = wait_until(lambda: (e := self.get(name))["blocked"] and e, "the block")
        self.assertEqual((blocked["status"], blocked["divergence"]["eventId"]), ("Running", 3))
        self.assertIn("first", blocked["divergence"]["expected"])
        self.assertIn("second", blocked["divergence"]["got"])
        self.assertEqual(self.metric("test.version"), 1)
        self.assertIn(name, self.blocked())
        self.assertNotEqual(self.server.cli("doctor", check=False).returncode, 0)
        self.build("patched")
        self.assertCompleted(self.end_of(name), {"order": ["first", "second"]})
        self.assertEqual(self.metric("test.version"), 0)
        self.assertFalse(self.get(name)["blocked"])
        self.assertEqual(self.blocked(), [])

    def test_all_histories_of_a_type_are_verified_before_an_upgrade(self):
        names = [self.new_id() for _ in range(3)]
        for name in names:
            self.run_to_end("test.version", name)
        self.run_to_end("test.steps", self.new_id(), n=2)
        report = self.http.get("/v1/workflows/verify?type=test.version")
        self.assertGreaterEqual(report["runs"], 3)
        self.assertEqual(report["diverged"], 0)
        done = self.server.cli("workflow", "verify", "--type", "test.version", "--since", "1h")
        self.assertIn("decides the same", done.stdout)
        self.build("b")
        before = {name: self.get(name) for name in names}
        done = self.server.cli("workflow", "verify", "--type", "test.version", "-o", "json", check=False)
        self.assertEqual(done.returncode, 1)
        report = json.loads(done.stdout)
        self.assertEqual(report["diverged"], report["runs"])
        told = {d["workflowId"]: d["divergence"] for d in report["divergences"]}
        for name in names:
            self.assertEqual(told[name]["eventId"], 3)
            self.assertIn("first", told[name]["expected"])
            self.assertIn("second", told[name]["got"])
        self.assertEqual({name: self.get(name) for name in names}, before, "verify changes nothing")
        self.assertEqual(self.http.get("/v1/workflows/verify?type=test.steps")["diverged"], 0)
        self.assertEqual(self.http.get("/v1/workflows/verify?since=2100-01-01T00:00:00Z")["runs"], 0)
        self.assertProblem(self.http.request("GET", "/v1/workflows/verify?since=soon"), 400, "request.invalid_parameter")
        self.assertEqual(self.server.cli("workflow", "verify", names[0], check=False).returncode, 1)

    def test_an_exported_history_is_verified_without_its_execution(self):
        name = self.new_id()
        self.run_to_end("test.version", name)
        file = temp_dir("export") / "history.jsonl"
        file.write_text(self.server.cli("workflow", "show", name, "-o", "jsonl").stdout)
        self.assertEqual(json.loads(file.read_text().splitlines()[0])["runId"], self.get(name)["runId"])
        self.assertIn("decides the same", self.server.cli("workflow", "verify", "--file", file).stdout)
        self.build("b")
        self.assertEqual(self.server.cli("workflow", "verify", "--file", file, check=False).returncode, 1)
        report = self.http.call("POST", "/v1/workflows/verify", raw=file.read_bytes())
        self.assertEqual((report["workflowId"], report["divergence"]["eventId"]), (name, 3))
        file.write_text("no history\n")
        self.assertNotEqual(self.server.cli("workflow", "verify", "--file", file, check=False).returncode, 0)

    def test_an_execution_is_walked_event_by_event(self):
        name = self.new_id()
        self.run_to_end("test.version", name)
        view = self.http.get(f"/v1/workflows/{name}/replay?upTo=1")
        self.assertEqual([c["text"].split()[1] for c in view["commands"]], ["first"])
        self.assertEqual((view["commands"][0]["recordedEventId"], view["commands"][0]["agrees"]), (3, True))
        self.assertEqual([w["name"] for w in view["waits"]], ["first"])
        last = self.http.get(f"/v1/workflows/{name}/replay")
        self.assertTrue(last["ended"])
        self.assertProblem(self.http.request("GET", f"/v1/workflows/{name}/replay?upTo=999"), 422, "workflow.event_unknown")
        shown = self.server.cli("workflow", "step", name, "--to", "5").stdout
        self.assertIn("ACTIVITY_TASK_COMPLETED", shown)
        self.assertIn("ACTIVITY_TASK_SCHEDULED second", shown)
        self.build("b")
        done = self.server.cli("workflow", "step", name, "--to", "1", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("DIFFERS at event 3", done.stdout)

    def test_on_a_terminal_the_walk_goes_on_with_n_and_back_with_p(self):
        name = self.new_id()
        self.run_to_end("test.version", name)
        leader, follower = pty.openpty()
        command = [str(self.server.binary), "workflow", "step", name]
        with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=self.server.environment()) as process:
            os.close(follower)
            os.write(leader, b"n\nn\np\n7\nq\n")
            text = b""
            while True:
                try:
                    piece = os.read(leader, 65536)
                except OSError:
                    break
                if not piece:
                    break
                text += piece
            self.assertEqual(process.wait(30), 0)
        os.close(leader)
        seen = [line.split(": ")[1].split(" of ")[0] for line in text.decode().splitlines() if "events consumed" in line]
        self.assertEqual(seen, ["1", "2", "3", "2", "7"])


if __name__ == "__main__":
    unittest.main()
