"""Files as destination and source, from outside: a shop to CSV and JSONL and back, a kill between, rejects, refusals."""

import gzip
import json
import subprocess
import unittest

from e2e.base import TABLES, ServerCase
from support import compare_tables, resources, temp_dir
from support.server import rows_committed
from support.waiting import wait_until


class FilesTest(ServerCase):
    def make(self, kind, name, connector, configuration):
        reply = self.http.post(f"/v1/{kind}s", {"name": name, "connector": connector, "configuration": configuration})
        return reply[f"{kind}Id"]

    def postgres(self, kind, name, database, **more):
        return self.make(kind, name, "postgres", {"host": "127.0.0.1", "port": self.pg.port, "database": database, "username": "postgres"} | more)

    def connect(self, name, source, destination, **more):
        return self.http.post("/v1/connections", {"name": name, "sourceId": source, "destinationId": destination} | more)["connectionId"]

    def test_a_shop_goes_to_files_and_back_unchanged_by_copy(self):
        url = f"postgres://postgres@127.0.0.1:{self.pg.port}"
        for form in ("format=jsonl", "format=csv&compression=gzip"):
            path, database = temp_dir("files") / "shop", "back_" + form[7:10]
            self.pg.create_database(database)
            for source, destination in ((f"{url}/shop", f"file://{path}?{form}"), (f"file:{path}", f"{url}/{database}")):
                done = subprocess.run([str(self.server.binary), "copy", source, destination, "--state-dir", str(temp_dir("copy") / "state")],
                                      capture_output=True, text=True, check=False, timeout=120)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for table in TABLES:
                with self.subTest(form=form, table=table):
                    self.assertGreater(compare_tables((self.pg, "shop", "public", table), (self.pg, database, "public", table)), 0)

    def test_a_killed_server_goes_on_and_the_files_are_exact(self):
        path = temp_dir("files") / "out"
        path.mkdir()
        self.pg.psql("CREATE SCHEMA big; CREATE TABLE big.t (id bigint PRIMARY KEY, n numeric, at timestamptz, note text);"
                     "INSERT INTO big.t SELECT n, n / 7.0, '2026-01-01'::timestamptz + n * interval '1 second', repeat(md5(n::text), 3) "
                     "FROM generate_series(1, 120000) n; ANALYZE", "shop")
        connection = self.connect("big", self.postgres("source", "big", "shop", schemas=["big"]),
                                  self.make("destination", "big", "files", {"path": str(path), "compression": "gzip"}))
        job = resources.start_sync(self.server, connection, options={"rowsPerSplit": 10000})
        for _ in range(2):
            before = rows_committed(self.server.job(job))
            wait_until(lambda: rows_committed(self.server.job(job)) > before or self.server.job(job)["status"] == "succeeded",
                       "rows in files", 60, every=0.01)
            self.server.kill()
            self.server.start()
        ended = self.server.wait_for_job(job)
        self.assertEqual(ended["status"], "succeeded")
        self.assertGreater(max(len(step["attempts"]) for step in ended["steps"]), 1, "a kill met the load")
        ids = [json.loads(line)["id"] for file in path.glob("t/*.jsonl.gz") for line in gzip.open(file, "rt")]
        self.assertEqual(sorted(ids), list(range(1, 120001)))
        back = self.connect("back", self.make("source", "back", "files", {"path": str(path)}),
                            self.postgres("destination", "back", "mirror", schema="returned"))
        resources.sync(self.server, back)
        self.assertEqual(compare_tables((self.pg, "shop", "big", "t"), (self.pg, "mirror", "returned", "t")), 120000)

    def test_files_of_others_are_read_with_their_types_and_rows_that_do_not_fit_are_put_aside(self):
        path, rejects = temp_dir("files"), temp_dir("rejects")
        (path / "people.csv").write_text("id,name,born\n1,Ada,1815-12-10\n2,Alan,1912-06-23\nthree,Grace,1906-12-09\n")
        columns = [{"name": "id", "type": "bigint"}, {"name": "name", "type": "text"}, {"name": "born", "type": "date"}]
        source = self.make("source", "people", "files", {"path": str(path / "*.csv"), "stream": "people", "columns": columns,
                                                         "rejects": str(rejects)})
        connection = self.connect("people", source, self.postgres("destination", "people", "mirror", schema="people"))
        resources.sync(self.server, connection)
        self.assertEqual(self.pg.query("SELECT id, name, born FROM people.people ORDER BY id", "mirror"),
                         "1|Ada|1815-12-10\n2|Alan|1912-06-23")
        rejected = json.loads((rejects / "people-0000.jsonl").read_text())
        self.assertEqual((rejected["line"], rejected["items"]["id"]), (4, "three"))

    def test_a_mode_that_files_can_not_do_is_refused_when_the_connection_is_written(self):
        source = self.make("source", "made", "datagen", {"rows": 10})
        destination = self.make("destination", "made", "files", {"path": str(temp_dir("files"))})
        reply = self.http.request("POST", "/v1/connections", {
            "name": "refused", "sourceId": source, "destinationId": destination,
            "configurations": {"streams": [{"name": "*", "syncMode": "full_refresh_overwrite_deduped"}]}})
        problem = self.assertProblem(reply, 422)
        self.assertIn("can't be done by the destination connector files", str(problem["errors"]))

    def test_a_path_that_can_not_work_is_told_by_its_own_code(self):
        for kind, path, code in (("source", "/no/such/*.csv", "path.missing"), ("destination", "out", "path.not_absolute")):
            made = self.make(kind, f"bad {code}", "files", {"path": path})
            answer = self.http.post(f"/v1/{kind}s/{made}/check", {})
            self.assertEqual((answer["status"], answer["code"]), ("failed", code), answer)


if __name__ == "__main__":
    unittest.main()
