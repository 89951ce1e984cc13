"""Change data capture: random changes from several sessions, begun before the first load, arrive exactly, under kills."""

import json
import random
import subprocess
import unittest

from e2e.base import ServerCase
from support import resources
from support.waiting import wait_until

SHOP = '''
CREATE TABLE plain (id bigint PRIMARY KEY, v int, note text, big text);
ALTER TABLE plain ALTER big SET STORAGE EXTERNAL;
INSERT INTO plain SELECT n, 0, 'note ' || n, repeat(md5(n::text), 100) FROM generate_series(1, 3000) n;
CREATE TABLE pairs (a text, b int, v numeric(20,5), at timestamptz DEFAULT '2026-01-01', PRIMARY KEY (b, a));
INSERT INTO pairs SELECT 'k' || n % 50, n, n / 7.0 FROM generate_series(1, 3000) n;
CREATE TABLE "Odd ""name""" ("The ""id""" uuid PRIMARY KEY, doc jsonb, tags text[], raw bytea);
CREATE TYPE mood AS ENUM ('ok', 'so so', 'bad');
CREATE TABLE moods (id int PRIMARY KEY, m mood, ms mood[], d date, i interval);
ANALYZE;
'''
TABLES = {"plain": "id, v, note, md5(big) AS big", "pairs": "a, b, v, at", 'Odd "name"': '"The ""id""", doc, tags, raw',
          "moods": "id, m::text AS m, ms::text AS ms, d, i"}


def quote(name):
    return '"' + name.replace('"', '""') + '"'


class Workload:
    """Transactions of one session, all decided by a seed."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.seed = seed

    def statement(self):
        d = self.dice
        key, other = d.randrange(1, 4000), d.randrange(1, 4000)
        uuid = f"'00000000-0000-0000-0000-{d.randrange(300):012d}'"
        return d.choice([
            lambda: f"INSERT INTO plain VALUES ({key}, {self.seed}, 'new', repeat('n', {d.choice([10, 3000])})) "
                    f"ON CONFLICT (id) DO UPDATE SET v = plain.v + 1",
            lambda: f"UPDATE plain SET v = v + 1 WHERE id BETWEEN {key} AND {key + d.randrange(20)}",
            lambda: f"UPDATE plain SET big = repeat('b{d.randrange(9)}', 2000), note = NULL WHERE id = {key}",
            lambda: f"DELETE FROM plain WHERE id BETWEEN {key} AND {key + d.randrange(5)}",
            lambda: f"UPDATE plain SET id = {other + 10000} WHERE id = {key} AND NOT EXISTS (SELECT 1 FROM plain WHERE id = {other + 10000})",
            lambda: f"INSERT INTO pairs VALUES ('k{d.randrange(60)}', {key}, {d.random()}) ON CONFLICT DO NOTHING",
            lambda: f"UPDATE pairs SET v = 'NaN', at = 'infinity' WHERE b = {key}",
            lambda: f"DELETE FROM pairs WHERE b % 500 = {key % 500}",
            lambda: f"INSERT INTO \"Odd \"\"name\"\"\" VALUES ({uuid}, '{{\"n\": [{key}, null]}}', ARRAY['a', NULL, 'c \"d\"'], '\\x00ff5c')"
                    f" ON CONFLICT (\"The \"\"id\"\"\") DO UPDATE SET doc = EXCLUDED.doc, tags = NULL",
            lambda: f"DELETE FROM \"Odd \"\"name\"\"\" WHERE \"The \"\"id\"\"\" = {uuid}",
            lambda: f"INSERT INTO moods VALUES ({key % 100}, 'so so', '{{ok,\"so so\"}}', '2020-02-29', '1 mon -3 days 00:00:01.5')"
                    f" ON CONFLICT (id) DO UPDATE SET m = 'bad', ms = NULL",
            lambda: f"UPDATE moods SET id = id + 1000 WHERE id = {key % 100} AND NOT EXISTS (SELECT 1 FROM moods WHERE id = {key % 100} + 1000)",
        ])()

    def transaction(self):
        d = self.dice
        lines = ["BEGIN;"]
        for _ in range(d.choice([1, 1, 1, 2, 5, 20])):
            if d.random() < 0.15:
                lines.append("SAVEPOINT s;")
                lines.append(self.statement() + ";")
                lines.append(d.choice(["ROLLBACK TO s;", "RELEASE s;"]))
            else:
                lines.append(self.statement() + ";")
        if d.random() < 0.01:
            lines.append("TRUNCATE moods;")
        if d.random() < 0.02:
            lines.append("UPDATE plain SET v = v + 1;")
        lines.append(d.choice(["COMMIT;"] * 9 + ["ROLLBACK;"]))
        return "\n".join(lines)

    def script(self, transactions):
        return "\n".join(self.transaction() for _ in range(transactions))


class CdcCase(ServerCase):
    def setUp(self):
        self.name = f"cdc{random.randrange(10**9)}"
        self.pg.create_database(self.name)
        self.pg.create_database(self.name + "_dw")
        self.pg.psql(SHOP, self.name)
        self.writers = []
        self.addCleanup(self.drop_slots)

    def drop_slots(self):
        for writer in self.writers:
            writer.kill()
            writer.wait()
        for job in self.server.http.get("/v1/jobs")["data"]:
            if job["status"] not in ("succeeded", "failed", "cancelled"):
                self.server.http.call("DELETE", f"/v1/jobs/{job['jobId']}")
                self.server.wait_for_job(job["jobId"])
        self.pg.psql("SELECT pg_terminate_backend(active_pid), pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                     f"WHERE database = '{self.name}' AND NOT active", self.name)

    def connect(self, mode, tables=TABLES, schedule=None, name="", **entry):
        http = self.server.http
        config = self.pg.configuration(self.name, schemas=["public"], replication_method={
            "method": "CDC", "replication_slot": self.name + name, "publication": self.name + name})
        source = http.post("/v1/sources", {"name": self.name + name, "connector": "postgres", "configuration": config})
        target = http.post("/v1/destinations", {"name": self.name + name, "connector": "postgres",
                                                "configuration": self.pg.configuration(self.name + "_dw", schema="dw" + name)})
        streams = [{"namespace": "public", "name": table, "syncMode": mode} | entry for table in tables]
        body = {"name": self.name + name, "sourceId": source["sourceId"], "destinationId": target["destinationId"],
                "configurations": {"streams": streams}}
        if schedule:
            body["schedule"] = schedule
        return http.post("/v1/connections", body)["connectionId"]

    def write(self, seed, transactions):
        """A session that works beside the test; errors of its statements (deadlocks) are a part of it."""
        path = self.file(Workload(seed).script(transactions), f"workload-{seed}.sql")
        command = [word if word != "ON_ERROR_STOP=1" else "ON_ERROR_STOP=0" for word in self.pg.psql_command(self.name)]
        self.writers.append(subprocess.Popen([*command, "-f", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def writing(self):
        return any(writer.poll() is None for writer in self.writers)

    def assertMirrored(self, tables=TABLES, schema="dw", where=""):
        for table in tables:
            columns = TABLES[table]
            ask = "SELECT coalesce(json_agg(x ORDER BY x::text), '[]') FROM (SELECT {} FROM {}.{}{}) x"
            want = json.loads(self.pg.query(ask.format(columns, "public", quote(table), ""), self.name))
            got = json.loads(self.pg.query(ask.format(columns, schema, quote(table), where), self.name + "_dw"))
            if want != got:
                missing = [row for row in want if row not in got][:3]
                extra = [row for row in got if row not in want][:3]
                self.fail(f"{table}: {len(want)} rows wanted, {len(got)} there; missing {missing}, too much {extra}")


class CdcTest(CdcCase):
    def test_random_changes_arrive_exactly_under_kills(self):
        seed = random.randrange(10**6)
        with self.subTest(seed=seed):
            for session in range(3):
                self.write(seed + session, 400)
            connection = self.connect("incremental_deduped_history")
            dice = random.Random(seed)
            kills = 0
            while self.writing() or kills < 4:
                job = resources.start_sync(self.server, connection, options={"rowsPerSplit": 500})
                looks = [dice.randrange(1, 40)]  # at the job, before the server is killed

                def now():
                    looks[0] -= 1
                    return looks[0] <= 0 or self.server.job(job)["status"] in ("succeeded", "failed")
                wait_until(now, "a moment to kill", every=0.05)
                self.server.kill()
                self.server.start()
                kills += 1
                done = self.server.wait_for_job(job)
                self.assertEqual(done["status"], "succeeded", done.get("failure"))
            resources.sync(self.server, connection)
            self.assertMirrored()

    def test_a_log_of_changes_has_each_change_once(self):
        connection = self.connect("incremental_append", tables=["plain"], name="log")
        resources.sync(self.server, connection)
        for session in range(2):
            self.write(900 + session, 150)
        while self.writing():
            resources.sync(self.server, connection)
        resources.sync(self.server, connection)
        doubled = self.pg.query("SELECT count(*) FROM (SELECT 1 FROM dwlog.plain WHERE _op <> 'r' GROUP BY _lsn, _seq HAVING count(*) > 1) x",
                                self.name + "_dw")
        self.assertEqual(doubled, "0")
        # The last change of each key, laid over its load, is the row; v was sent with every change.
        state = ("SELECT coalesce(json_agg(json_build_array(id, v) ORDER BY id), '[]') FROM (SELECT DISTINCT ON (id) id, v, _op FROM dwlog.plain "
                 "ORDER BY id, _lsn DESC, _seq DESC) x WHERE _op <> 'd'")
        want = "SELECT coalesce(json_agg(json_build_array(id, v) ORDER BY id), '[]') FROM plain WHERE id IN (SELECT id FROM plain)"
        got = {row[0]: row[1] for row in json.loads(self.pg.query(state, self.name + "_dw"))}
        for key, value in json.loads(self.pg.query(want, self.name)):
            self.assertEqual(got.get(key), value, f"row {key}")

    def test_a_continuous_connection_follows_until_it_is_cancelled_and_the_slot_is_shown(self):
        connection = self.connect("incremental_deduped_history", tables=["pairs"], schedule={"scheduleType": "continuous"}, name="c")
        job = self.server.http.post("/v1/jobs?onConflict=attach", {"connectionId": connection, "jobType": "sync"})["jobId"]
        count = lambda: self.pg.query("SELECT to_regclass('dwc.pairs') IS NOT NULL", self.name + "_dw") == "t" and \
            self.pg.value("SELECT count(*) FROM dwc.pairs WHERE a = 'now'", self.name + "_dw")
        wait_until(lambda: count() == 0 and self.server.job(job)["steps"][-1]["name"] == "follow", "the first load")
        self.pg.psql("INSERT INTO pairs VALUES ('now', 1, 1)", self.name)
        wait_until(lambda: count() == 1, "the first change")
        self.pg.psql("ALTER TABLE pairs ADD COLUMN late int; INSERT INTO pairs VALUES ('now', 2, 1, NULL, 7)", self.name)
        wait_until(lambda: count() == 2, "a change of a table with a new column")
        self.assertEqual(self.pg.query("SELECT late FROM dwc.pairs WHERE a = 'now' AND b = 2", self.name + "_dw"), "7")
        self.server.kill()
        self.server.start()
        self.pg.psql("INSERT INTO pairs VALUES ('now', 3, 1)", self.name)
        wait_until(lambda: count() == 3, "a change after a kill")
        slot = self.server.http.get(f"/v1/slots/{self.name}c")
        self.assertEqual((slot["exists"], slot["active"], slot["connections"]), (True, True, [self.name + "c"]))
        listed = self.server.cli("slot", "list", "-o", "json")
        self.assertIn(self.name + "c", listed.stdout)
        self.assertExit(0, "slot", "show", self.name + "c")
        self.assertExit(4, "slot", "show", "nobody")
        self.assertIn(f'millrace_cdc_slot_retained_bytes{{slot="{self.name}c"}}', self.server.http.request("GET", "/metrics").text)
        self.server.http.call("DELETE", f"/v1/jobs/{job}")
        self.assertEqual(self.server.wait_for_job(job)["status"], "cancelled")

    def test_a_lost_slot_stops_the_job_by_name_and_a_new_load_mends_it(self):
        connection = self.connect("incremental_deduped_history", tables=["pairs"], name="l")
        resources.sync(self.server, connection)
        wait_until(lambda: self.pg.query(f"SELECT active FROM pg_replication_slots WHERE slot_name = '{self.name}l'", self.name) == "f",
                   "the slot to be free")
        self.pg.psql(f"SELECT pg_drop_replication_slot('{self.name}l'); INSERT INTO pairs VALUES ('gap', 1, 1)", self.name)
        job = self.server.wait_for_job(resources.start_sync(self.server, connection))
        self.assertEqual((job["status"], job["failure"]["code"]), ("failed", "cdc.slot_lost"))
        self.assertExit(0, "state", "set", self.name + "l", "--stream", "public.pairs", "--none")
        resources.sync(self.server, connection)
        self.assertMirrored(["pairs"], "dwl")


if __name__ == "__main__":
    unittest.main()
