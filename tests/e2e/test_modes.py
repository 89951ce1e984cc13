"""Incremental and deduped modes: golden cases of tables that change between syncs, their states, and kills."""

import json
import random
import unittest

from e2e.base import ServerCase
from support import resources
from support.server import rows_read
from support.waiting import wait_until

SHOP = """
CREATE TABLE users (id int PRIMARY KEY, u int, name text);
CREATE TABLE events (id int, u timestamptz, note text);
CREATE TABLE pairs (a int, b int, t int, name text);
"""


class ModesTest(ServerCase):
    def setUp(self):
        self.pg.psql("DROP SCHEMA IF EXISTS m CASCADE; CREATE SCHEMA m; SET search_path = m;" + SHOP, "shop")
        self.name = "m-" + self.id().rsplit(".", 1)[1].replace("_", "-")[:40] + f"-{random.randrange(10**6)}"
        self.schema = f"dw{random.randrange(10**9)}"

    def connect(self, table, mode, **entry):
        stream = {"namespace": "m", "name": table, "syncMode": mode} | entry
        return resources.make_connection(self.server, self.pg, "shop", self.pg, "mirror", [stream], schemas=("m",),
                                         name=self.name, destination_schema=self.schema)

    def sql(self, text):
        self.pg.psql("SET search_path = m;" + text, "shop")

    def rows(self, table, columns="*"):
        out = self.pg.query(f"SELECT coalesce(json_agg(x ORDER BY x::text), '[]') FROM (SELECT {columns} FROM {self.schema}.{table}) x",
                            "mirror")
        return sorted((list(row.values()) for row in json.loads(out)), key=str)

    def sync(self, connection):
        return resources.sync(self.server, connection)

    def stream(self, job):
        return job["streams"][0]

    def test_incremental_append_sends_the_boundary_again_and_nothing_when_nothing_is_new(self):
        connection = self.connect("users", "incremental_append", cursorField=["u"])
        self.sql("INSERT INTO users VALUES (1, 10, 'a'), (2, 20, 'b')")
        self.sync(connection)
        self.assertEqual(self.rows("users", "id, u"), [[1, 10], [2, 20]])
        job = self.sync(connection)
        self.assertEqual(self.stream(job)["rowsCommitted"], 0, "nothing is new")
        self.sql("INSERT INTO users VALUES (3, 30, 'c')")
        self.sync(connection)
        self.assertEqual(self.rows("users", "id, u"), [[1, 10], [2, 20], [2, 20], [3, 30]])

    def test_a_late_row_with_the_cursor_of_the_boundary_is_not_lost(self):
        connection = self.connect("users", "incremental_append", cursorField=["u"])
        self.sql("INSERT INTO users VALUES (1, 10, 'a'), (2, 20, 'b')")
        self.sync(connection)
        self.sql("INSERT INTO users VALUES (4, 20, 'late')")
        self.sync(connection)
        self.assertEqual({row[0] for row in self.rows("users", "id")}, {1, 2, 4})

    def test_incremental_deduped_keeps_the_newest_row_of_each_key(self):
        connection = self.connect("users", "incremental_deduped_history", cursorField=["u"])
        self.sql("INSERT INTO users VALUES (1, 10, 'a'), (2, 20, 'b')")
        self.sync(connection)
        self.assertEqual(self.rows("users"), [[1, 10, "a"], [2, 20, "b"]])
        self.sql("INSERT INTO users VALUES (3, 30, 'c'); UPDATE users SET u = 31, name = 'a2' WHERE id = 1")
        self.sync(connection)
        self.assertEqual(self.rows("users"), [[1, 31, "a2"], [2, 20, "b"], [3, 30, "c"]])
        self.sql("UPDATE users SET name = 'tie' WHERE id = 1; INSERT INTO users VALUES (5, 31, 'new')")
        self.sync(connection)
        self.assertEqual(self.rows("users"), [[1, 31, "tie"], [2, 20, "b"], [3, 30, "c"], [5, 31, "new"]])

    def test_a_composite_key_of_the_users_choice_dedupes_within_and_across_loads(self):
        connection = self.connect("pairs", "incremental_deduped_history", cursorField=["t"], primaryKey=[["a"], ["b"]])
        self.sql("INSERT INTO pairs VALUES (1, 200, 0, 'Alice1'), (1, 200, 1, 'Alice2'), (1, 201, 2, 'Bob1')")
        self.sync(connection)
        self.assertEqual(self.rows("pairs", "a, b, t, name"), [[1, 200, 1, "Alice2"], [1, 201, 2, "Bob1"]])
        self.sql("INSERT INTO pairs VALUES (1, 200, 3, 'Alice3'), (2, 200, 3, 'Carol1')")
        self.sync(connection)
        self.assertEqual(self.rows("pairs", "a, b, t, name"), [[1, 200, 3, "Alice3"], [1, 201, 2, "Bob1"], [2, 200, 3, "Carol1"]])

    def test_rows_without_a_place_in_the_order_neither_get_lost_nor_hide_later_ones(self):
        connection = self.connect("events", "incremental_deduped_history", cursorField=["u"], primaryKey=[["id"]])
        self.sql("INSERT INTO events VALUES (1, '2026-01-01', 'a'), (2, NULL, 'null'), (3, 'infinity', 'inf')")
        self.sync(connection)
        self.sql("INSERT INTO events VALUES (4, '2026-01-02', 'd'), (5, NULL, 'null2')")
        self.sync(connection)
        self.assertEqual([row[0] for row in self.rows("events", "id, note")], [1, 2, 3, 4, 5])

    def test_overwrite_deduped_leaves_one_row_a_key(self):
        connection = self.connect("pairs", "full_refresh_overwrite_deduped", primaryKey=[["a"]])
        self.sql("INSERT INTO pairs VALUES (1, 1, 1, 'x'), (1, 2, 2, 'y'), (2, 1, 1, 'z')")
        self.sync(connection)
        self.assertEqual(sorted(row[0] for row in self.rows("pairs", "a")), [1, 2])
        self.sql("DELETE FROM pairs WHERE a = 2")
        self.sync(connection)
        self.assertEqual([row[0] for row in self.rows("pairs", "a")], [1])

    def test_a_state_is_shown_edited_as_a_revision_and_holds_for_the_next_job(self):
        connection = self.connect("users", "incremental_deduped_history", cursorField=["u"])
        self.sql("INSERT INTO users VALUES (1, 10, 'a'), (2, 20, 'b')")
        job = self.sync(connection)
        state = self.http.get(f"/v1/connections/{connection}/state")["streams"][0]
        self.assertEqual((state["name"], state["author"], state["jobId"]), ("users", "job", job["jobId"]))
        self.assertEqual((state["state"]["cursor"], state["state"]["cursor_field"]), ("20", ["u"]))
        self.pg.psql(f"TRUNCATE {self.schema}.users", "mirror")
        self.assertExit(0, "state", "set", self.name, "--stream", "m.users", "--none")
        self.sync(connection)
        self.assertEqual(self.rows("users"), [[1, 10, "a"], [2, 20, "b"]])
        listed = json.loads(self.assertExit(0, "state", "history", self.name, "--stream", "m.users", "-o", "json").stdout)
        self.assertEqual([revision["revision"] for revision in listed], [3, 2, 1])
        reply = self.http.request("PUT", f"/v1/connections/{connection}/state", {"streams": [{"name": "users", "state": 7}]})
        self.assertProblem(reply, 422)

    def test_without_a_usable_cursor_the_stream_fails_and_says_which_there_are(self):
        connection = self.connect("users", "incremental_append")
        job = self.server.wait_for_job(resources.start_sync(self.server, connection))
        self.assertEqual((job["status"], job["failure"]["code"]), ("failed", "stream.cursor_missing"))
        self.assertIn("id, u, name", str(job["failure"]))


class ModesUnderKillTest(ServerCase):
    """SIGKILL at random moments of syncs whose source is written to meanwhile: each mode ends exact."""

    def test_kills_during_incremental_loads_lose_and_double_nothing(self):
        self.pg.psql("CREATE TABLE live (id bigint PRIMARY KEY, u bigint NOT NULL, note text); CREATE INDEX ON live (u);"
                     "INSERT INTO live SELECT n, n, repeat(md5(n::text), 4) FROM generate_series(1, 60000) n; ANALYZE", "shop")
        connections = {
            mode: resources.make_connection(
                self.server, self.pg, "shop", self.pg, "mirror",
                [{"namespace": "public", "name": "live", "syncMode": mode, "cursorField": ["u"]}], name=f"kill-{mode}",
                destination_schema=f"kill_{mode}")
            for mode in ("incremental_append", "incremental_deduped_history")}
        dice = random.Random(7)
        top = 60000
        for round_ in range(4):
            jobs = [resources.start_sync(self.server, c, options={"rowsPerSplit": 10000}) for c in connections.values()]
            late = 1_000_000 * (round_ + 1)  # the cursor grows with every change, as a cursor must
            self.pg.psql(f"INSERT INTO live SELECT n, {late} + n, 'r{round_}' FROM generate_series({top + 1}, {top + 2000}) n;"
                         f"UPDATE live SET u = {late} + 500000 + id, note = 'moved {round_}' WHERE id % 97 = {round_}", "shop")
            top += 2000
            moment, ended = dice.randrange(60000 if round_ == 0 else 2000), ("succeeded", "failed")
            wait_until(lambda: (job := self.server.job(jobs[round_ % 2]))["status"] in ended or rows_read(job) > moment,
                       "rows on their way")
            self.server.kill()
            self.server.start()
            for job in jobs:
                self.assertEqual(self.server.wait_for_job(job)["status"], "succeeded")
        for connection in connections.values():
            resources.sync(self.server, connection)
        want = self.pg.query("SELECT count(*) || ' ' || md5(string_agg(id || ':' || u || ':' || note, ',' ORDER BY id)) FROM live", "shop")
        got = self.pg.query("SELECT count(*) || ' ' || md5(string_agg(id || ':' || u || ':' || note, ',' ORDER BY id)) "
                            "FROM kill_incremental_deduped_history.live", "mirror")
        self.assertEqual(got, want)
        # Appended: every version of now is there, and a version twice only if its cursor was a boundary.
        missing = self.pg.query("SELECT count(*) FROM live", "shop")
        present = self.pg.query("SELECT count(*) FROM (SELECT DISTINCT ON (id) id, u, note FROM kill_incremental_append.live "
                                "ORDER BY id, u DESC) x", "mirror")
        self.assertEqual(present, missing)
        doubled = self.pg.query("SELECT count(*) FROM (SELECT id, u, note FROM kill_incremental_append.live GROUP BY 1, 2, 3 "
                                "HAVING count(*) > 1) d", "mirror")
        self.assertLessEqual(int(doubled), 10, "a boundary row for each load at most")


if __name__ == "__main__":
    unittest.main()
