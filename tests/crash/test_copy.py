"""`millrace copy` killed in the middle, and normalize after a kill between loading and publishing."""

import os
import signal
import subprocess
import unittest

from support import Millrace, PgCluster, compare_tables, millrace_binary, temp_dir, wait_until
from support.resources import make_connection, start_sync

ROWS = 2_500_000  # ten splits


class CopyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pg = PgCluster(durable=True)
        cls.addClassCleanup(cls.pg.close)
        cls.pg.create_database("shop")
        cls.pg.psql(f"CREATE TABLE t AS SELECT n AS id, md5(n::text) AS x FROM generate_series(1, {ROWS}) n; "
                    "ALTER TABLE t ADD PRIMARY KEY (id); ANALYZE t", "shop")

    def setUp(self):
        self.pg.create_database("copied")
        self.addCleanup(self.pg.drop_database, "copied")
        self.home = temp_dir("home")
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MILLRACE_", "PG"))}
        self.env = env | {"HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state"), "NO_COLOR": "1"}

    def copy(self, *more):
        """The line, as a process."""
        process = subprocess.Popen([millrace_binary(), "copy", self.pg.url("shop"), self.pg.url("copied"), *more], env=self.env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def splits(self):
        """Splits that are durable at the destination."""
        made = self.pg.query("SELECT to_regclass('millrace.checkpoints')", "copied")
        return self.pg.value("SELECT count(*) FROM millrace.checkpoints WHERE complete", "copied") if made else 0

    def interrupted(self, number):
        """The line, ended by the signal after its first split; its exit code, and the splits that are durable."""
        process = self.copy()
        wait_until(lambda: self.splits() or process.poll() is not None, "the first split", every=0.002)
        process.send_signal(number)
        code = process.wait(60)
        done = self.splits()
        self.assertTrue(0 < done < 10, f"{done} splits: {process.stdout.read()}")
        self.assertFalse(self.pg.query("SELECT to_regclass('public.t')", "copied"), "nobody sees a half table")
        return code, done

    def goes_on(self):
        # A server of the destination may take a moment to see that its client is gone.
        process = self.copy()
        text = process.communicate(timeout=300)[0]
        self.assertEqual(process.returncode, 0, text)
        self.assertEqual(compare_tables((self.pg, "shop", "public", "t"), (self.pg, "copied", "public", "t")), ROWS)
        return text

    def test_killed_in_the_middle_it_goes_on_when_run_again(self):
        code, _ = self.interrupted(signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        self.goes_on()
        # Another run of the same line is another copy: one job more, and not the old one again.
        self.assertEqual(self.pg.value("SELECT max(generation) FROM millrace.loads", "copied"), 1)
        self.goes_on()
        self.assertGreater(self.pg.value("SELECT max(generation) FROM millrace.loads", "copied"), 1)

    def test_interrupted_it_says_so_with_exit_code_130_and_goes_on(self):
        code, _ = self.interrupted(signal.SIGINT)
        self.assertEqual(code, 130)
        self.goes_on()
        self.assertEqual(self.pg.value("SELECT max(generation) FROM millrace.loads", "copied"), 1)

    def test_a_copy_that_fails_is_exit_code_1_and_a_line_that_makes_no_sense_2(self):
        process = self.copy("--stream", "public.nothing")
        self.assertIn("stream.not_found", process.communicate(timeout=60)[0])
        self.assertEqual(process.returncode, 1)
        done = subprocess.run([millrace_binary(), "copy", "gopher://x", self.pg.url("copied")], env=self.env, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)


class NormalizeTest(unittest.TestCase):
    def test_killed_between_sync_and_normalize_the_former_table_stands_and_normalize_alone_completes_it(self):
        with PgCluster(durable=True) as pg, Millrace() as server:
            pg.create_database("shop")
            pg.create_database("mirror")
            pg.psql("CREATE TABLE t AS SELECT n AS id, 0 AS load FROM generate_series(1, 1000) n; ALTER TABLE t ADD PRIMARY KEY (id)", "shop")
            connection = make_connection(server, pg, "shop", pg, "mirror", [{"namespace": "public", "name": "t"}])
            self.assertEqual(server.wait_for_job(start_sync(server, connection))["status"], "succeeded")
            pg.psql("UPDATE t SET load = 1", "shop")
            # A reader that won't go holds the swap up: loaded, not published.
            reader = subprocess.Popen(pg.psql_command("mirror"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            self.addCleanup(reader.wait)
            self.addCleanup(reader.kill)
            self.addCleanup(reader.stdin.close)
            reader.stdin.write("BEGIN;\nSELECT count(*) FROM raw.t;\n")
            reader.stdin.flush()
            holds = "SELECT count(*) FROM pg_locks WHERE relation = 'raw.t'::regclass AND granted AND mode = 'AccessShareLock'"
            wait_until(lambda: pg.value(holds, "mirror"), "the reader's lock")
            job_id = start_sync(server, connection)

            def normalizes():
                return any(step["name"] == "normalize" and step["status"] == "running" for step in server.job(job_id)["steps"])
            wait_until(normalizes, "normalize to begin")
            server.kill()
            self.assertEqual(pg.query("SELECT count(*), max(load) FROM raw.t", "mirror"), "1000|0", "the former table stands")
            server.start()
            server.http.call("DELETE", f"/v1/jobs/{job_id}")
            self.assertEqual(server.wait_for_job(job_id)["status"], "cancelled")
            self.assertEqual(pg.query("SELECT count(*), max(load) FROM raw.t", "mirror"), "1000|0", "the former table stands")
            reader.kill()
            pg.psql("UPDATE t SET load = 2", "shop")
            reads = pg.value("SELECT count(*) FROM millrace.checkpoints", "mirror")
            normalize = server.http.post("/v1/jobs", {"connectionId": connection, "jobType": "normalize"})["jobId"]
            job = server.wait_for_job(normalize)
            self.assertEqual(job["status"], "succeeded", job.get("failure"))
            self.assertEqual([step["name"] for step in job["steps"]][-1], "normalize")
            self.assertNotIn("sync", [step["name"] for step in job["steps"]])
            self.assertEqual(pg.query("SELECT count(*), min(load), max(load) FROM raw.t", "mirror"), "1000|1|1", "what was loaded, not read again")
            self.assertEqual(pg.value("SELECT count(*) FROM millrace.checkpoints", "mirror"), reads)


if __name__ == "__main__":
    unittest.main()
