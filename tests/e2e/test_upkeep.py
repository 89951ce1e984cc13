"""What is done to streams beside their normal flow: refresh, clear, backfill, undo, dry runs, names."""

import json
import random
import unittest

from e2e.base import ServerCase
from support import resources

TABLES = """
CREATE TABLE users (id int PRIMARY KEY, u int, name text);
INSERT INTO users VALUES (1, 10, 'a'), (2, 20, 'b');
"""


class TablesCase(ServerCase):
    """A schema `m` at the source and one of its own at the destination for each test."""

    def setUp(self):
        self.pg.psql("DROP SCHEMA IF EXISTS m CASCADE; CREATE SCHEMA m; SET search_path = m;" + TABLES, "shop")
        self.name = "u-" + self.id().rsplit(".", 1)[1].replace("_", "-")[:40] + f"-{random.randrange(10**6)}"
        self.schema = f"dw{random.randrange(10**9)}"

    def connect(self, mode, table="users", name=None, spec=None, **entry):
        stream = {"namespace": "m", "name": table, "syncMode": mode} | entry
        return resources.make_connection(self.server, self.pg, "shop", self.pg, "mirror", [stream], schemas=("m",),
                                         name=name or self.name, destination_schema=self.schema, **(spec or {}))

    def sql(self, text):
        self.pg.psql("SET search_path = m;" + text, "shop")

    def rows(self, columns="id, u, name", table="users"):
        out = self.pg.query(f"SELECT coalesce(json_agg(x ORDER BY x::text), '[]') FROM (SELECT {columns} FROM {self.schema}.{table}) x",
                            "mirror")
        return sorted((list(row.values()) for row in json.loads(out)), key=str)

    def run_job(self, connection, job_type, status="succeeded", **more):
        answer = self.http.post("/v1/jobs", {"connectionId": connection, "jobType": job_type} | more)
        job = self.server.wait_for_job(answer["jobId"])
        self.assertEqual(job["status"], status, job.get("failure"))
        return job

    def sync(self, connection):
        return self.run_job(connection, "sync")

    def state(self, connection):
        states = self.http.get(f"/v1/connections/{connection}/state")["streams"]
        return states[0]["state"] if states else None


class UpkeepTest(TablesCase):
    def test_a_refresh_puts_what_is_at_the_source_in_the_place_of_all_rows(self):
        for mode, entry in (("incremental_append", {"cursorField": ["u"]}),
                            ("incremental_deduped_history", {"cursorField": ["u"]}), ("full_refresh_append", {})):
            with self.subTest(mode):
                self.setUp()
                connection = self.connect(mode, name=f"{self.name}-{mode}", **entry)
                self.sync(connection)
                self.sql("DELETE FROM users WHERE id = 1; INSERT INTO users VALUES (3, 30, 'c')")
                self.sync(connection)
                job = self.run_job(connection, "refresh")
                self.assertEqual(self.rows(), [[2, 20, "b"], [3, 30, "c"]])
                self.sql("INSERT INTO users VALUES (4, 40, 'd')")
                self.sync(connection)
                self.assertIn([4, 40, "d"], self.rows())
                if mode != "full_refresh_append":
                    self.assertEqual(self.state(connection)["cursor"], "40")
                self.assertEqual(job["jobType"], "refresh")

    def test_a_refresh_that_keeps_reads_again_beside_the_rows_that_are_there(self):
        connection = self.connect("incremental_append", cursorField=["u"])
        self.sync(connection)
        self.sql("DELETE FROM users WHERE id = 1")
        self.assertExit(0, "refresh", self.name, "--keep", "--stream", "m.users", "--wait")
        self.assertEqual(self.rows(), [[1, 10, "a"], [2, 20, "b"], [2, 20, "b"]])

    def test_clear_removes_rows_and_state_and_the_table_stays(self):
        connection = self.connect("incremental_deduped_history", cursorField=["u"])
        self.sync(connection)
        done = self.assertExit(2, "clear", self.name)
        self.assertIn("--yes", done.stderr)
        self.assertEqual(len(self.rows()), 2, "nothing was done without consent")
        self.assertExit(0, "clear", self.name, "--yes", "--wait")
        self.assertEqual(self.rows(), [])
        self.assertIsNone(self.state(connection))
        self.sync(connection)
        self.assertEqual(self.rows(), [[1, 10, "a"], [2, 20, "b"]])

    def test_clear_needs_no_source_and_takes_only_the_streams_that_are_named(self):
        self.sql("CREATE TABLE other (id int)")
        streams = [{"namespace": "m", "name": "*"}]
        connection = resources.make_connection(self.server, self.pg, "shop", self.pg, "mirror", streams, schemas=("m",),
                                               name=self.name, destination_schema=self.schema)
        self.sql("INSERT INTO other VALUES (1)")
        self.sync(connection)
        self.sql("DROP SCHEMA m CASCADE")
        self.run_job(connection, "clear", streams=[{"namespace": "m", "name": "other"}])
        self.assertEqual((len(self.rows()), len(self.rows("id", "other"))), (2, 0))
        job = self.run_job(connection, "clear", "failed", streams=[{"namespace": "x", "name": "nothing"}])
        self.assertEqual(job["failure"]["code"], "stream.not_found")

    def test_a_backfill_reads_a_window_again_and_leaves_the_state_alone(self):
        connection = self.connect("incremental_deduped_history", cursorField=["u"])
        self.sql("INSERT INTO users SELECT n, n * 10, 'row ' || n FROM generate_series(3, 9) n")
        self.sync(connection)
        before = self.state(connection)
        self.pg.psql(f"UPDATE {self.schema}.users SET name = 'spoilt'", "mirror")
        self.sql("UPDATE users SET name = 'mended ' || id")  # no new cursor: a sync would not see it
        job = self.run_job(connection, "backfill", options={"from": "30", "to": "60"})
        self.assertEqual(job["streams"][0]["rowsCommitted"], 3)
        names = dict((row[0], row[2]) for row in self.rows())
        self.assertEqual({i for i, name in names.items() if name.startswith("mended")}, {3, 4, 5})
        self.assertEqual(self.state(connection), before)
        self.assertExit(0, "backfill", self.name, "--filter", "id in (7, 8) and name like 'mended%'", "--wait")
        names = dict((row[0], row[2]) for row in self.rows())
        self.assertEqual({i for i, name in names.items() if name.startswith("mended")}, {3, 4, 5, 7, 8})

    def test_a_backfill_without_a_window_and_options_of_another_type_are_refused(self):
        connection = self.connect("full_refresh_overwrite")
        for body in ({"jobType": "backfill"}, {"jobType": "sync", "options": {"from": "1"}}, {"jobType": "sync", "options": {"keep": True}},
                     {"jobType": "backfill", "options": {"filter": "id = 1; DROP TABLE users"}}):
            reply = self.http.request("POST", "/v1/jobs", {"connectionId": connection} | body)
            self.assertProblem(reply, 422, "request.invalid") if reply.status == 422 else self.assertProblem(reply, 400)
        job = self.run_job(connection, "backfill", "failed", options={"filter": "id = 1"})
        self.assertEqual(job["failure"]["code"], "stream.mode_unsupported")

    def test_undo_brings_the_former_table_of_an_overwrite_back_with_what_hung_on_it(self):
        connection = self.connect("full_refresh_overwrite", keys=True)
        first = self.sync(connection)
        self.pg.psql(f"CREATE VIEW {self.schema}.names AS SELECT name FROM {self.schema}.users; CREATE INDEX by_name ON {self.schema}.users (name)",
                     "mirror")
        self.sql("UPDATE users SET name = 'wrong'")
        second = self.sync(connection)
        self.assertEqual(self.rows(), [[1, 10, "wrong"], [2, 20, "wrong"]])
        self.assertExit(2, "undo", str(second["jobId"]))
        self.assertExit(0, "undo", str(second["jobId"]), "--yes", "--wait")
        self.assertEqual(self.rows(), [[1, 10, "a"], [2, 20, "b"]])
        self.assertEqual(self.rows("name", "names"), [["a"], ["b"]])
        indexes = self.pg.query(f"SELECT string_agg(indexname, ',' ORDER BY indexname) FROM pg_indexes WHERE schemaname = '{self.schema}'", "mirror")
        self.assertEqual(indexes, "by_name,users_pkey")
        reply = self.http.request("POST", f"/v1/jobs/{first['jobId']}/undo", {})
        job = self.server.wait_for_job(reply.json()["jobId"])
        self.assertEqual((job["status"], job["failure"]["code"]), ("failed", "job.undo_impossible"))
        self.sync(connection)
        self.assertEqual(self.rows(), [[1, 10, "wrong"], [2, 20, "wrong"]])

    def test_undo_of_an_append_removes_its_rows_and_the_next_job_reads_them_again(self):
        connection = self.connect("incremental_append", cursorField=["u"])
        self.sync(connection)
        before = self.state(connection)
        self.sql("INSERT INTO users VALUES (3, 30, 'c')")
        second = self.sync(connection)
        self.server.wait_for_job(self.http.post(f"/v1/jobs/{second['jobId']}/undo", {})["jobId"])
        self.assertEqual([row[0] for row in self.rows()], [1, 2])
        self.assertEqual(self.state(connection), before)
        self.sync(connection)
        self.assertEqual(sorted({row[0] for row in self.rows()}), [1, 2, 3])

    def test_undo_of_a_merge_is_refused_and_a_refresh_can_be_undone(self):
        connection = self.connect("incremental_deduped_history", cursorField=["u"])
        self.sync(connection)
        self.sql("UPDATE users SET u = 50, name = 'new' WHERE id = 1")
        second = self.sync(connection)
        job = self.server.wait_for_job(self.http.post(f"/v1/jobs/{second['jobId']}/undo", {})["jobId"])
        self.assertEqual(job["failure"]["code"], "job.undo_impossible")
        self.sql("DELETE FROM users")
        refresh = self.run_job(connection, "refresh")
        self.assertEqual(self.rows(), [])
        self.assertEqual(self.server.wait_for_job(self.http.post(f"/v1/jobs/{refresh['jobId']}/undo", {})["jobId"])["status"], "succeeded")
        self.assertEqual(self.rows(), [[1, 50, "new"], [2, 20, "b"]])
        self.sql("INSERT INTO users VALUES (7, 70, 'g')")
        self.sync(connection)
        self.assertEqual([row[0] for row in self.rows()], [1, 2, 7])

    def test_a_dry_run_says_what_would_be_done_and_does_nothing(self):
        connection = self.connect("incremental_append", cursorField=["u"])
        done = self.run_job(connection, "sync", options={"dryRun": True})
        self.assertEqual((done["streams"][0]["status"], done["streams"][0]["action"]), ("planned", "create"))
        exists = self.pg.query(f"SELECT to_regclass('{self.schema}.users') IS NULL", "mirror")
        self.assertEqual(exists, "t")
        self.sync(connection)
        self.sql("ALTER TABLE users ADD COLUMN email text")
        stream = self.run_job(connection, "sync", options={"dryRun": True})["streams"][0]
        self.assertEqual(stream["action"], "write")
        self.assertIn("column email text is added", stream["changes"])
        self.assertEqual(stream["schemaChanges"][0]["change"], "field_added")
        self.assertExit(0, "sync", self.name, "--dry-run", "--wait")

    def test_two_connections_that_would_write_one_table_are_told_apart_by_name(self):
        first = self.connect("full_refresh_overwrite")
        self.sync(first)
        second = self.connect("full_refresh_overwrite", name=self.name + "-2")
        job = self.run_job(second, "sync", "failed")
        self.assertEqual(job["failure"]["code"], "destination.not_ours")
        for name in (f'"{self.name}"', f'"{self.name}-2"'):
            self.assertIn(name, job["failure"]["message"])


class KeepHistoryTest(TablesCase):
    def test_all_versions_are_kept_with_the_time_in_which_each_held(self):
        connection = self.connect("incremental_deduped_history", cursorField=["u"], keepHistory=True)
        self.sync(connection)
        self.sql("UPDATE users SET u = 30, name = 'a2' WHERE id = 1")
        self.sync(connection)
        self.sql("UPDATE users SET u = 40, name = 'a3' WHERE id = 1; INSERT INTO users VALUES (3, 35, 'c')")
        self.sync(connection)
        got = self.rows("id, name, _valid_from, _valid_to, _active")
        self.assertEqual(got, [[1, "a", 10, 30, False], [1, "a2", 30, 40, False], [1, "a3", 40, None, True],
                               [2, "b", 20, None, True], [3, "c", 35, None, True]])
        self.run_job(connection, "refresh")
        self.assertEqual(self.rows("id, name, _valid_from, _valid_to, _active"),
                         [[1, "a3", 40, None, True], [2, "b", 20, None, True], [3, "c", 35, None, True]])

    def test_a_late_version_takes_its_place_between_the_others(self):
        self.sql("DROP TABLE users; CREATE TABLE users (id int, u int, name text); INSERT INTO users VALUES (1, 10, 'first'), (1, 30, 'third')")
        connection = self.connect("incremental_deduped_history", cursorField=["u"], primaryKey=[["id"]], keepHistory=True)
        self.sync(connection)
        self.sql("INSERT INTO users VALUES (1, 20, 'second')")
        self.run_job(connection, "backfill", options={"from": 15, "to": 25})
        self.assertEqual(self.rows("name, _valid_from, _valid_to, _active"),
                         [["first", 10, 20, False], ["second", 20, 30, False], ["third", 30, None, True]])


class XminTest(TablesCase):
    def test_a_table_without_a_cursor_is_read_by_what_was_written_since(self):
        source = self.http.post("/v1/sources", {"name": f"{self.name}-source", "connector": "postgres", "configuration": self.pg.configuration(
            "shop", schemas=["m"], replication_method={"method": "Xmin"})})
        target = self.http.post("/v1/destinations", {"name": f"{self.name}-destination", "connector": "postgres",
                                                     "configuration": self.pg.configuration("mirror", schema=self.schema)})
        connection = self.http.post("/v1/connections", {
            "name": self.name, "sourceId": source["sourceId"], "destinationId": target["destinationId"],
            "configurations": {"streams": [{"namespace": "m", "name": "users", "syncMode": "incremental_deduped_history"}]}})["connectionId"]
        self.sync(connection)
        self.assertEqual(self.state(connection)["state_type"], "xmin")
        self.sql("UPDATE users SET name = 'changed' WHERE id = 2; INSERT INTO users VALUES (3, NULL, 'c')")
        job = self.sync(connection)
        self.assertEqual(self.rows(), [[1, 10, "a"], [2, 20, "changed"], [3, None, "c"]])
        self.assertLessEqual(job["streams"][0]["rowsCommitted"], 3)
        self.assertEqual(self.sync(connection)["streams"][0]["rowsCommitted"], 0)


if __name__ == "__main__":
    unittest.main()
