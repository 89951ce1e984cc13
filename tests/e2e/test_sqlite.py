"""SQLite as destination and source, from outside: datagen to a file in seconds, a shop there and back, a kill between."""

import sqlite3
import subprocess
import unittest

from e2e.base import TABLES, ServerCase
from support import compare_tables, resources, temp_dir
from support.server import rows_committed
from support.waiting import wait_until


class SqliteTest(ServerCase):
    def make(self, kind, name, connector, configuration):
        reply = self.http.post(f"/v1/{kind}s", {"name": name, "connector": connector, "configuration": configuration})
        return reply[f"{kind}Id"]

    def connect(self, name, source, destination, **more):
        return self.http.post("/v1/connections", {"name": name, "sourceId": source, "destinationId": destination} | more)["connectionId"]

    def rows(self, path, sql):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return db.execute(sql).fetchall()

    def test_made_up_rows_are_in_a_file_at_once(self):
        path = temp_dir("sqlite") / "demo.db"
        source = self.make("source", "made", "datagen", {"rows": 5000, "streams": 2})
        connection = self.connect("demo", source, self.make("destination", "demo", "sqlite", {"path": str(path)}))
        resources.sync(self.server, connection)
        self.assertEqual(self.rows(path, "SELECT count(*), min(id), max(id) FROM stream_1"), [(5000, 1, 5000)])
        self.assertEqual(self.rows(path, "SELECT count(DISTINCT id) FROM stream_2"), [(5000,)])
        leftovers = self.rows(path, "SELECT name FROM sqlite_schema WHERE name LIKE 'millrace_stage%'")
        self.assertEqual(leftovers, [])

    def test_a_shop_goes_to_a_file_and_back_unchanged_by_copy(self):
        path = temp_dir("sqlite") / "shop.db"
        self.pg.create_database("returned")
        url = f"postgres://postgres@127.0.0.1:{self.pg.port}"
        for source, destination in ((f"{url}/shop", f"sqlite://{path}"), (f"sqlite:{path}", f"{url}/returned")):
            done = subprocess.run([str(self.server.binary), "copy", source, destination, "--state-dir", str(temp_dir("copy") / "state")],
                                  capture_output=True, text=True, check=False, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for table in TABLES:
            with self.subTest(table=table):
                self.assertGreater(compare_tables((self.pg, "shop", "public", table), (self.pg, "returned", "public", table)), 0)

    def test_a_killed_server_goes_on_and_the_file_is_exact(self):
        path = temp_dir("sqlite") / "killed.db"
        self.pg.psql("CREATE SCHEMA big; CREATE TABLE big.t (id bigint PRIMARY KEY, n numeric, at timestamptz, note text);"
                     "INSERT INTO big.t SELECT n, n / 7.0, '2026-01-01'::timestamptz + n * interval '1 second', repeat(md5(n::text), 3) "
                     "FROM generate_series(1, 120000) n; ANALYZE", "shop")
        source = self.make("source", "big", "postgres", {"host": "127.0.0.1", "port": self.pg.port, "database": "shop",
                                                         "schemas": ["big"], "username": "postgres"})
        connection = self.connect("big", source, self.make("destination", "big", "sqlite", {"path": str(path)}))
        job = resources.start_sync(self.server, connection, options={"rowsPerSplit": 10000})
        for _ in range(2):
            before = rows_committed(self.server.job(job))
            wait_until(lambda: rows_committed(self.server.job(job)) > before or self.server.job(job)["status"] == "succeeded",
                       "rows in the file", 60, every=0.01)
            self.server.kill()
            self.server.start()
        ended = self.server.wait_for_job(job)
        self.assertEqual(ended["status"], "succeeded")
        self.assertGreater(max(len(step["attempts"]) for step in ended["steps"]), 1, "a kill met the load")
        self.assertEqual(self.rows(path, "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM t"), [(120000, 120000, 1, 120000)])
        back = self.connect("back", self.make("source", "back", "sqlite", {"path": str(path)}),
                            self.make("destination", "back", "postgres", {"host": "127.0.0.1", "port": self.pg.port, "database": "mirror",
                                                                          "username": "postgres", "schema": "returned"}))
        resources.sync(self.server, back)
        self.assertEqual(compare_tables((self.pg, "shop", "big", "t"), (self.pg, "mirror", "returned", "t")), 120000)

    def test_a_path_that_can_not_work_is_told_by_its_own_code(self):
        for path, code in (("shop.db", "path.not_absolute"), ("/no/such/directory/shop.db", "path.missing")):
            destination = self.make("destination", f"bad {code}", "sqlite", {"path": path})
            answer = self.http.post(f"/v1/destinations/{destination}/check", {})
            self.assertEqual((answer["status"], answer["code"]), ("failed", code), answer)
            self.assertIn(path.removesuffix("/shop.db"), answer["message"])


if __name__ == "__main__":
    unittest.main()
