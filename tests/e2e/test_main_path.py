"""The main job from outside: files applied, a sync, equal tables, its history, replay, metrics."""

import json
import unittest

from e2e.base import TABLES, ServerCase
from support import compare_tables


class MainPathTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        file = cls.resources(cls())
        cls.applied = cls.server.cli("apply", "-f", file, "--yes")
        cls.waited = cls.server.cli("sync", "shop-to-mirror", "--wait", "-o", "json")
        cls.job = cls.server.http.get("/v1/jobs")["data"][0]
        cls.job = cls.server.job(cls.job["jobId"])

    def runTest(self):
        """So that setUpClass can make an instance."""

    def test_each_table_equals_its_source(self):
        for table in TABLES:
            with self.subTest(table=table):
                self.assertGreater(compare_tables((self.pg, "shop", "public", table), (self.pg, "mirror", "shop_raw", table)), 0)

    def test_defaults_add_no_column_and_the_destination_names_the_namespace(self):
        columns = self.pg.query("SELECT string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns "
                                "WHERE table_schema = 'shop_raw' AND table_name = 'orders'", "mirror")
        self.assertEqual(columns, "id,customer,total,placed")
        leftovers = self.pg.query("SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_|information_schema'",
                                  "mirror")
        self.assertEqual(set(leftovers.split(",")) - {"shop_raw", "append_raw"}, {"public", "millrace"}, "helper tables live in millrace only")

    def test_the_job_says_what_it_did(self):
        job = self.job
        self.assertEqual((job["status"], job["jobType"]), ("succeeded", "sync"))
        self.assertLessEqual({"get_spec", "check", "discover", "sync", "normalize"}, {step["name"] for step in job["steps"]})
        for step in job["steps"]:
            self.assertEqual((step["status"], len(step["attempts"])), ("succeeded", 1), step)
        self.assertEqual({stream["name"] for stream in job["streams"]}, set(TABLES))
        orders = next(stream for stream in job["streams"] if stream["name"] == "orders")
        self.assertEqual((orders["rowsRead"], orders["rowsCommitted"]), (1000, 1000))
        self.assertEqual(job["rowsSynced"], 1010)
        for member in ("startTime", "lastUpdatedAt", "duration", "bytesSynced", "workflowId", "runId", "revisions", "connectionId"):
            self.assertIn(member, job)

    def test_the_history_is_dense_and_each_step_completed_once(self):
        events = self.server.history(self.job["workflowId"])
        self.assertEqual([event["id"] for event in events], list(range(1, len(events) + 1)))
        self.assertEqual(events[0]["type"], "WORKFLOW_EXECUTION_STARTED")
        self.assertEqual(events[-1]["type"], "WORKFLOW_EXECUTION_COMPLETED")
        scheduled = sorted(event["id"] for event in events if event["type"] == "ACTIVITY_TASK_SCHEDULED")
        completed = sorted(event["attributes"]["scheduledEventId"] for event in events if event["type"] == "ACTIVITY_TASK_COMPLETED")
        self.assertEqual(scheduled, completed)
        self.assertTrue(scheduled)

    def test_the_execution_is_listed_and_verifies(self):
        execution = self.http.get(f"/v1/workflows/{self.job['workflowId']}")
        self.assertEqual(execution["status"], "Completed")
        listed = [item["workflowId"] for item in self.http.get("/v1/workflows")["data"]]
        self.assertIn(self.job["workflowId"], listed)
        report = self.http.post(f"/v1/jobs/{self.job['jobId']}/replay", {"mode": "verify"})
        self.assertIsNone(report["divergence"])
        self.assertEqual(report["eventsChecked"], len(self.server.history(self.job["workflowId"])))
        self.assertExit(0, "replay", self.job["jobId"], "--mode", "verify")

    def test_the_command_line_shows_job_logs_and_history(self):
        self.assertIn("succeeded", self.assertExit(0, "job", self.job["jobId"]).stdout)
        self.assertIn("orders", self.assertExit(0, "job", self.job["jobId"]).stdout)
        self.assertIn(str(self.job["jobId"]), self.assertExit(0, "jobs", "--connection", "shop-to-mirror").stdout)
        self.assertTrue(self.assertExit(0, "logs", self.job["jobId"]).stdout.strip())
        self.assertIn("ACTIVITY_TASK_COMPLETED", self.assertExit(0, "workflow", "show", self.job["workflowId"]).stdout)
        self.assertIn("Completed", self.assertExit(0, "workflow", "describe", self.job["workflowId"]).stdout)
        self.assertIn(self.job["workflowId"], self.assertExit(0, "workflow", "list").stdout)
        for words in (["get", "sources"], ["get", "connections"], ["describe", "connection", "shop-to-mirror"]):
            self.assertIn("shop", self.assertExit(0, *words).stdout)
        self.assertEqual(json.loads(self.assertExit(0, "job", self.job["jobId"], "-o", "json").stdout)["jobId"], self.job["jobId"])

    def test_metrics_tell_of_it(self):
        text = self.http.request("GET", "/metrics").text
        for name in ("millrace_build_info", "millrace_workflow_started_total", "millrace_workflow_completed_total", "millrace_workflow_open",
                     "millrace_activity_attempts_total", "millrace_sync_records_total", "millrace_sync_bytes_total",
                     "millrace_sync_last_success_timestamp_seconds", "millrace_store_commit_seconds_bucket", "millrace_http_requests_total"):
            self.assertIn(f"\n{name}", text, name)
        committed = [line for line in text.splitlines() if line.startswith("millrace_sync_records_total") and 'stage="committed"' in line]
        self.assertGreaterEqual(sum(float(line.split()[-1]) for line in committed), 1010)

    def test_check_and_discover_are_jobs_of_their_own(self):
        self.assertRegex(self.assertExit(0, "check", "shop").stdout, r"(?i)job\D*\d+")
        self.assertIn("orders", self.assertExit(0, "discover", "shop").stdout)
        source = next(item for item in self.http.get("/v1/sources")["data"] if item["name"] == "shop")
        answer = self.http.post(f"/v1/sources/{source['sourceId']}/check")
        self.assertEqual(answer["status"], "succeeded")
        self.assertIsInstance(answer["jobId"], int)
        found = self.http.post(f"/v1/sources/{source['sourceId']}/discover")
        self.assertIsInstance(found["jobId"], int)
        self.assertIn("catalog", found)

    def test_applying_the_same_files_again_changes_nothing(self):
        done = self.assertExit(0, "plan", "-f", self.resources(), "--detailed-exitcode")
        self.assertNotIn("update", done.stdout)
        before = self.http.get("/v1/connections")["data"]
        self.assertExit(0, "apply", "-f", self.resources())
        self.assertEqual(self.http.get("/v1/connections")["data"], before)
        self.assertExit(2, "plan", "-f", self.resources(name="other"), "--detailed-exitcode")
        exported = self.file(self.assertExit(0, "export").stdout, "exported.yaml")
        self.assertRegex(exported.read_text(), r'sourceId: "[0-9a-f-]{36}"')
        self.assertExit(0, "plan", "-f", exported, "--prune", "--detailed-exitcode")

    def test_a_second_sync_leaves_equal_tables_and_appending_adds_rows(self):
        self.pg.psql("UPDATE orders SET total = total + 1 WHERE id < 100; DELETE FROM orders WHERE id > 990", "shop")
        self.assertExit(0, "sync", "shop-to-mirror", "--wait")
        compare_tables((self.pg, "shop", "public", "orders"), (self.pg, "mirror", "shop_raw", "orders"))
        file = self.resources(name="append", streams=["{namespace: public, name: customers, syncMode: full_refresh_append}"])
        self.assertExit(0, "apply", "-f", file, "--yes")
        for times in (1, 2):
            self.assertExit(0, "sync", "append-to-mirror", "--wait")
            self.assertEqual(self.pg.value("SELECT count(*) FROM append_raw.customers", "mirror"), 7 * times)
        self.assertEqual(self.pg.value("SELECT count(DISTINCT _load_id) FROM append_raw.customers WHERE _extracted_at IS NOT NULL", "mirror"), 2)


class CopyTest(ServerCase):
    def test_copy_needs_no_server_and_keeps_the_sources_namespaces(self):
        self.pg.create_database("copied")
        done = self.assertExit(0, "copy", self.pg.url("shop"), self.pg.url("copied"), env={"MILLRACE_SERVER": "http://127.0.0.1:1"})
        for table in TABLES:
            with self.subTest(table=table):
                compare_tables((self.pg, "shop", "public", table), (self.pg, "copied", "public", table))
        self.assertIn("orders", done.stdout + done.stderr)

    def test_copy_takes_the_named_streams_only(self):
        self.pg.create_database("part")
        self.assertExit(0, "copy", self.pg.url("shop"), self.pg.url("part"), "--stream", "public.customers")
        tables = self.pg.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", "part")
        self.assertEqual(tables, "customers")


if __name__ == "__main__":
    unittest.main()
