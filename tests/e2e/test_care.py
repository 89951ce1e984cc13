"""The care of a server: doctor online and offline, backup beside normal work and its restore, a kill in the middle of one."""

import json
import pathlib
import shutil
import stat
import subprocess
import threading
import unittest

from support import Millrace, temp_dir, testkit_binary, wait_until


def offline(server, *words):
    """A command that needs no server."""
    return subprocess.run([str(server.binary), *map(str, words)], capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "NO_COLOR": "1", "HOME": str(temp_dir("home"))})


class CareTest(unittest.TestCase):
    def setUp(self):
        self.server = Millrace(binary=testkit_binary())
        self.addCleanup(self.server.close)

    def start(self, kind, workflow, wait=False, **given):
        return self.server.http.post("/v1/workflows" + ("?wait=true" if wait else ""), {"type": kind, "workflowId": workflow, "input": given})

    def test_the_doctor_looks_at_a_server_at_work_and_at_a_store_at_rest(self):
        for i in range(5):
            self.start("test.steps", f"done-{i}", wait=True, n=3)
        self.start("test.timer", "open", seconds=3600)
        report = self.server.http.get("/v1/doctor")
        self.assertEqual(report["faults"], [])
        self.assertGreaterEqual(report["runs"], 6)
        said = self.server.cli("doctor")
        self.assertIn("all hold together", said.stdout)
        data = self.server.data_dir
        busy = offline(self.server, "doctor", "--offline", "--data-dir", data)
        self.assertNotEqual(busy.returncode, 0)
        self.assertIn("store.busy", busy.stderr)
        self.server.stop()
        at_rest = offline(self.server, "doctor", "--offline", "--data-dir", data, "-o", "json")
        self.assertEqual(at_rest.returncode, 0, at_rest.stderr)
        self.assertEqual(json.loads(at_rest.stdout)["faultCount"], 0)

    def test_a_backup_is_restored_elsewhere_and_goes_on(self):
        self.start("test.steps", "before", wait=True, n=3)
        self.start("test.signals", "open", count=1)
        backups = temp_dir("backups") / "b"
        first = json.loads(self.server.cli("backup", backups, "-o", "json").stdout)
        self.assertEqual((first["backupId"], first["secretKey"]), (1, False))
        self.assertFalse((backups / "secret.key").exists(), "left out unless asked for")
        self.start("test.steps", "after", wait=True, n=3)
        second = json.loads(self.server.cli("backup", backups, "--include-secret-key", "-o", "json").stdout)
        self.assertEqual(second["backupId"], 2)
        self.assertEqual(stat.S_IMODE((backups / "secret.key").stat().st_mode), 0o600)
        self.server.kill()

        into = temp_dir("restored") / "data"
        done = offline(self.server, "restore", backups, "--data-dir", into)
        self.assertEqual(done.returncode, 0, done.stderr)
        restored = Millrace(binary=testkit_binary(), data_dir=into)
        self.addCleanup(restored.close)
        self.assertEqual(restored.http.get("/v1/workflows/after")["status"], "Completed")
        restored.http.post("/v1/workflows/open/signal", {"name": "s", "input": 1})
        wait_until(lambda: restored.http.get("/v1/workflows/open")["result"] == [1], "the open one to go on", 20, every=0.02)
        self.assertEqual(restored.http.get("/v1/doctor")["faults"], [])
        held = offline(self.server, "restore", backups, "--data-dir", into, "--yes")
        self.assertIn("store.busy", held.stderr)
        restored.stop()

        # What is there is not thrown away without consent; with it, an earlier one comes back.
        refused = offline(self.server, "restore", backups, "--data-dir", into)
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("cli.consent_missing", refused.stderr)
        earlier = offline(self.server, "restore", backups, "--id", 1, "--data-dir", into, "--yes")
        self.assertEqual(earlier.returncode, 0, earlier.stderr)
        restored.start()
        self.assertEqual(restored.http.request("GET", "/v1/workflows/after").status, 404)
        self.assertEqual(restored.http.get("/v1/workflows/before")["status"], "Completed")
        for words in (["restore", into, "--data-dir", temp_dir("x")], ["restore", backups, "--id", 9, "--data-dir", temp_dir("x")]):
            self.assertIn("store.backup_invalid", offline(self.server, *words).stderr)

    def test_a_kill_in_the_middle_of_a_backup_leaves_the_earlier_ones_whole(self):
        """Crash point 29."""
        backups = temp_dir("backups") / "b"
        self.start("test.steps", "first", wait=True, n=2)
        self.server.cli("backup", backups)
        killed = False
        for turn in range(5):
            self.start("test.steps", f"more-{turn}", wait=True, n=8, payloadBytes=4_000_000)
            before = self.files(backups)
            client = self.server.http
            thread = threading.Thread(target=self.ignore, args=(client, {"directory": str(backups)}))
            thread.start()
            wait_until(lambda: self.files(backups) != before or not thread.is_alive(), "the backup to begin", 30, every=0.0005)
            self.server.kill()
            thread.join()
            killed = {path.name for path in (backups / "meta").iterdir()} == {str(i) for i in range(1, turn + 2)}
            self.server.start()
            if killed:
                break
        self.assertEqual(self.server.http.get("/v1/doctor")["faults"], [])
        self.assertTrue(killed, "no kill came in the middle of a backup")
        into = temp_dir("restored") / "data"
        self.assertEqual(offline(self.server, "restore", backups, "--id", 1, "--data-dir", into).returncode, 0)
        # The next one removes what the killed one has left, and is whole.
        made = self.server.http.post("/v1/backups", {"directory": str(backups)})
        self.assertFalse([path for path in self.files(backups) if ".tmp" in path])
        shutil.rmtree(into)
        done = offline(self.server, "restore", backups, "--id", made["backupId"], "--data-dir", into)
        self.assertEqual(done.returncode, 0, done.stderr)
        restored = offline(self.server, "doctor", "--offline", "--data-dir", into)
        self.assertEqual(restored.returncode, 0, restored.stdout + restored.stderr)

    @staticmethod
    def files(directory: pathlib.Path):
        return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))

    @staticmethod
    def ignore(client, body):
        try:
            client.request("POST", "/v1/backups", body)
        except OSError:
            pass  # killed

    def test_an_execution_that_brings_the_server_down_is_set_aside_after_three_crashes(self):
        """Crash point 26."""
        self.start("test.signals", "bystander", count=1)
        for where in ("turn", "step"):
            with self.subTest(where):
                workflow = f"crash-{where}"
                try:
                    self.start("test.crash", workflow, where=where)
                except OSError:
                    pass  # it died before it could answer
                self.server.process.wait(30)
                for _ in range(2):
                    self.server.start(ready=False)
                    self.server.process.wait(30)
                self.server.start()
                aside = wait_until(lambda: (w := self.server.http.get(f"/v1/workflows/{workflow}"))["setAside"] and w, "it to be set aside", 20)
                self.assertEqual((aside["status"], aside["blocked"]), ("Running", True))
                self.assertFalse(self.server.http.get("/v1/workflows/bystander")["setAside"])
                self.assertEqual(self.server.http.get("/v1/doctor")["faults"], [])
        self.server.http.post("/v1/workflows/bystander/signal", {"name": "s", "input": 1})
        wait_until(lambda: self.server.http.get("/v1/workflows/bystander")["status"] == "Completed", "the rest to go on", 20, every=0.02)
        self.server.cli("workflow", "terminate", "crash-step", "--yes")
        self.assertEqual(self.server.http.get("/v1/workflows/crash-step")["status"], "Terminated")
        self.assertEqual(self.server.stop(), 0, "and it stays up until it is told to stop")

    def test_what_is_not_set_aside_is_left_as_it_is(self):
        self.start("test.timer", "open", seconds=3600)
        shown = json.loads(self.server.cli("workflow", "resume", "open", "-o", "json").stdout)
        self.assertEqual((shown["status"], shown["setAside"], shown["blocked"]), ("Running", False, False))
        self.assertEqual(self.server.cli("workflow", "resume", "nobody", check=False).returncode, 4)


if __name__ == "__main__":
    unittest.main()
