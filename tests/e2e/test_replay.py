"""Replay of jobs between real databases: done again as they were then, or from a point of their history on."""

import json
import unittest

from e2e.base import ServerCase
from support import resources

TABLE = "CREATE TABLE users (id int PRIMARY KEY, u int, name text); INSERT INTO users VALUES (1, 10, 'a'), (2, 20, 'b');"


class ReplayJobTest(ServerCase):
    def setUp(self):
        self.name = "r-" + self.id().rsplit(".", 1)[1].replace("_", "-")[5:40]
        self.schema = self.name.replace("-", "_")
        self.pg.psql("DROP SCHEMA IF EXISTS r CASCADE; CREATE SCHEMA r; SET search_path = r;" + TABLE, "shop")

    def connect(self, mode, table="users", **entry):
        stream = {"namespace": "r", "name": table, "syncMode": mode} | entry
        return resources.make_connection(self.server, self.pg, "shop", self.pg, "mirror", [stream], schemas=("r",),
                                         name=self.name, destination_schema=self.schema)

    def sql(self, text):
        self.pg.psql("SET search_path = r;" + text, "shop")

    def rows(self, columns="id, u", table="users", schema=None):
        out = self.pg.query(f"SELECT coalesce(json_agg(x ORDER BY x::text), '[]') FROM (SELECT {columns} FROM {schema or self.schema}.{table}) x", "mirror")
        return sorted((list(row.values()) for row in json.loads(out)), key=str)

    def replay(self, job, expect=(202,), **body):
        return self.http.call("POST", f"/v1/jobs/{job}/replay", body, expect=expect)

    def succeeded(self, job):
        ended = self.server.wait_for_job(job["jobId"])
        self.assertEqual(ended["status"], "succeeded", ended)
        return ended

    def test_a_rerun_of_an_incremental_sync_starts_where_it_started_then_with_the_revisions_of_then(self):
        connection = self.connect("incremental_append", cursorField=["u"])
        resources.sync(self.server, connection)
        self.sql("INSERT INTO users VALUES (3, 30, 'c')")
        second = resources.sync(self.server, connection)
        self.assertEqual(self.rows(), [[1, 10], [2, 20], [2, 20], [3, 30]])
        self.sql("INSERT INTO users VALUES (4, 40, 'd')")
        resources.sync(self.server, connection)
        # The connection goes elsewhere now, and the state has moved on: neither matters to what is done again.
        self.http.call("PATCH", f"/v1/connections/{connection}", {"prefix": "moved_"}, expect=(200,))
        job = self.replay(second["jobId"], mode="rerun", reason="rows were lost")
        self.assertEqual(job["replay"]["mode"], "rerun")
        ended = self.succeeded(job)
        self.assertEqual(ended["revisions"], second["revisions"])
        # From the state behind row 2 on: its boundary, and what the source has by now.
        self.assertEqual(ended["streams"][0]["rowsCommitted"], 3)
        self.assertEqual(self.rows(), sorted([[1, 10], [2, 20], [2, 20], [3, 30], [3, 30], [4, 40]] + [[2, 20], [3, 30], [4, 40]], key=str))
        self.assertEqual(self.pg.query(f"SELECT count(*) FROM pg_tables WHERE schemaname = '{self.schema}' AND tablename = 'moved_users'", "mirror"), "0")
        # Who, when, from which run and why: in its view, its history and on the command line.
        replay = ended["replay"]
        self.assertEqual((replay["jobId"], replay["runId"], replay["reason"]), (second["jobId"], second["runId"], "rows were lost"))
        self.assertTrue(replay["principal"] and replay["time"])
        started = self.server.history(ended["workflowId"])[0]["attributes"]
        self.assertEqual(started["input"]["replay"], replay)
        shown = self.assertExit(0, "job", ended["jobId"]).stdout
        self.assertIn(f"rerun of job {second['jobId']}", shown)
        self.assertIn("rows were lost", shown)

    def test_a_rerun_of_the_first_sync_reads_everything_again(self):
        connection = self.connect("incremental_deduped_history", cursorField=["u"])
        first = resources.sync(self.server, connection)
        self.pg.psql(f"TRUNCATE {self.schema}.users", "mirror")
        self.assertExit(0, "replay", first["jobId"], "--mode", "rerun", "--wait")
        self.assertEqual(self.rows(), [[1, 10], [2, 20]])
        self.sql("INSERT INTO users VALUES (3, 30, 'c')")
        resources.sync(self.server, connection)
        self.assertEqual(self.rows(), [[1, 10], [2, 20], [3, 30]])

    def test_a_failed_job_is_reset_to_its_sync_step_and_goes_on_with_the_old_revisions(self):
        self.sql("ALTER TABLE users ADD COLUMN v numeric; CREATE TABLE broken (id int PRIMARY KEY)")
        connection = self.connect("full_refresh_overwrite")
        # What the destination does not let happen: a view that is not ours is in the way.
        self.pg.psql(f"CREATE SCHEMA {self.schema}; CREATE VIEW {self.schema}.users AS SELECT 1 AS x", "mirror")
        failed = self.server.wait_for_job(resources.start_sync(self.server, connection))
        self.assertEqual(failed["status"], "failed", failed)
        steps = [step["name"] for step in failed["steps"]]
        self.assertIn("sync", steps)
        self.pg.psql(f"DROP VIEW {self.schema}.users", "mirror")
        self.http.call("PATCH", f"/v1/connections/{connection}", {"prefix": "moved_"}, expect=(200,))
        job = self.replay(failed["jobId"], mode="reset", step="sync", reason="the view is gone")
        self.assertEqual((job["workflowId"], job["replay"]["step"]), (failed["workflowId"], "sync"))
        self.assertNotEqual(job["runId"], failed["runId"])
        ended = self.succeeded(job)
        self.assertEqual(self.rows(), [[1, 10], [2, 20]])
        self.assertEqual(ended["revisions"], failed["revisions"])
        self.assertEqual(ended["replay"]["reason"], "the view is gone")
        # What stood before the step was not done again: its attempts are of the run before.
        history = self.server.history(ended["workflowId"])
        mark = next(e for e in history if e["type"] == "WORKFLOW_TASK_FAILED")["attributes"]
        self.assertEqual((mark["baseRunId"], mark["reason"]), (failed["runId"], "the view is gone"))
        scheduled = [e["attributes"]["activityType"] for e in history if e["type"] == "ACTIVITY_TASK_SCHEDULED" and e["id"] > mark["baseEventId"]]
        self.assertEqual(scheduled, ["sync", "normalize"])
        self.assertEqual(self.http.get(f"/v1/jobs/{failed['jobId']}")["status"], "failed")
        verified = self.replay(ended["jobId"], expect=(200,), mode="verify")
        self.assertIsNone(verified["divergence"])
        # The next job of the connection is an ordinary one.
        resources.sync(self.server, connection)

    def test_the_last_failed_step_is_done_again_once_its_cause_is_mended(self):
        self.sql("DROP TABLE users")
        connection = self.connect("full_refresh_overwrite", table="later")
        failed = self.server.wait_for_job(resources.start_sync(self.server, connection))
        self.assertEqual((failed["status"], failed["steps"][-1]["name"]), ("failed", "check"))  # there is nothing to read
        self.sql("CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (7)")
        self.assertExit(0, "replay", failed["jobId"], "--mode", "reset", "--to", "last-failed-step", "--wait")
        self.assertEqual(self.rows("id", "later"), [[7]])

    def test_short_jobs_are_done_again_too(self):
        self.connect("full_refresh_overwrite")
        for words in (["check", f"{self.name}-source"], ["discover", f"{self.name}-source"], ["spec", "postgres"]):
            with self.subTest(words):
                made = json.loads(self.assertExit(0, *words, "-o", "json").stdout)
                again = self.succeeded(self.replay(made["jobId"], mode="rerun"))
                self.assertEqual(again["replay"]["jobId"], made["jobId"])
                reset = self.succeeded(self.replay(made["jobId"], mode="reset", step=again["jobType"]))
                self.assertEqual(reset["workflowId"], f"job-{made['jobId']}")

    def test_the_same_key_starts_one_job_and_what_cannot_be_done_says_why(self):
        connection = self.connect("full_refresh_overwrite")
        job = resources.sync(self.server, connection)
        path = f"/v1/jobs/{job['jobId']}/replay"
        once = self.http.call("POST", path, {"mode": "rerun"}, expect=(202,), headers={"Idempotency-Key": self.name})
        twice = self.http.call("POST", path, {"mode": "rerun"}, expect=(202,), headers={"Idempotency-Key": self.name})
        self.assertEqual(once["jobId"], twice["jobId"])
        self.succeeded(once)
        self.assertProblem(self.http.request("POST", path, {"mode": "redeliver"}), 422, "job.rows_not_kept")
        self.assertProblem(self.http.request("POST", path, {"mode": "again"}), 422, "request.invalid")
        self.assertProblem(self.http.request("POST", path, {"mode": "reset"}), 422, "request.invalid")
        self.assertProblem(self.http.request("POST", path, {"mode": "reset", "step": "no-such"}), 422, "workflow.reset_invalid")
        self.assertProblem(self.http.request("POST", "/v1/jobs/999999/replay", {"mode": "rerun"}), 404, "job.not_found")
        self.assertExit(2, "replay", job["jobId"], "--mode", "reset")
        self.assertExit(1, "replay", job["jobId"], "--mode", "redeliver")
        self.assertExit(4, "replay", 999999, "--mode", "rerun")


if __name__ == "__main__":
    unittest.main()
