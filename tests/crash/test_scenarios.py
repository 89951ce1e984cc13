"""What else can go wrong under a running sync: sessions ended, servers restarted, a COMMIT in flight, a full disk."""

import os
import pathlib
import shutil
import subprocess
import unittest

from crash.harness import CrashCase, splits_complete
from support import Millrace, PgCluster, compare_tables, rows_committed, temp_dir, wait_until
from support.resources import make_connection, start_sync


class ScenarioTest(CrashCase):
    def under_load(self, job_id):
        """Waits until a split is committed and the job still runs."""
        wait_until(lambda: splits_complete(self.server.job(job_id)) > 0, "the first committed split", every=0.002)
        self.assertIn(self.server.job(job_id)["status"], ("running", "incomplete"))

    def ends_well(self, job_id):
        """The job succeeds by itself, in a later attempt of its sync step, with equal tables."""
        job = self.server.wait_for_job(job_id, 300)
        self.assertGreater(len(self.sync_attempts(job)), 1, "the fault was felt")
        self.assertEqual(job["status"], "succeeded", job.get("failure"))
        self.check_history(job)
        self.check_equal()
        return job

    def terminate_until_felt(self, job_id, cluster, database):
        """Ends all sessions on a database, as an administrator would, until it has cost an attempt: a session that is ended
        while it is idle is simply opened again, and nobody is the worse for it."""
        sql = ("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
               f"datname = '{database}' AND backend_type = 'client backend' AND state <> 'idle'")

        def felt():
            cluster.value(sql, "postgres")
            job = self.server.job(job_id)
            return any(a.get("failure") for a in self.sync_attempts(job)) or job["status"] not in ("running", "incomplete")

        wait_until(felt, "an attempt that lost its sessions", 30, every=0.001)

    def test_sessions_ended_at_the_source(self):
        job_id = self.start()
        self.under_load(job_id)
        self.terminate_until_felt(job_id, self.source, "shop")
        self.ends_well(job_id)

    def test_sessions_ended_at_the_destination(self):
        job_id = self.start()
        self.under_load(job_id)
        self.terminate_until_felt(job_id, self.destination, "mirror")
        self.ends_well(job_id)

    def test_the_source_restarts(self):
        job_id = self.start()
        self.under_load(job_id)
        self.source.restart()
        self.ends_well(job_id)

    def test_the_destination_restarts(self):
        job_id = self.start()
        self.under_load(job_id)
        self.destination.restart()
        self.ends_well(job_id)


# Every transaction that wrote to a table in the schema millrace sleeps once inside its COMMIT.
SLOW_COMMIT = """
CREATE TABLE public.slow_commit (seconds double precision);
INSERT INTO public.slow_commit VALUES (2);
CREATE FUNCTION public.sleep_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF coalesce(current_setting('slow.transaction', true), '') <> txid_current()::text THEN
    PERFORM set_config('slow.transaction', txid_current()::text, true);
    PERFORM pg_sleep(seconds) FROM public.slow_commit;
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION public.make_slow() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made record;
BEGIN
  FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE command_tag = 'CREATE TABLE' AND schema_name = 'millrace' LOOP
    EXECUTE format('CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE ON %s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW '
                   'EXECUTE FUNCTION public.sleep_once()', made.object_identity);
  END LOOP;
END $$;
CREATE EVENT TRIGGER make_slow ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.make_slow();
"""


class CommitInFlightTest(unittest.TestCase):
    def test_a_commit_in_flight_when_the_server_is_killed_counts_once(self):
        with PgCluster() as pg, Millrace() as server:
            pg.create_database("shop")
            pg.create_database("mirror")
            pg.psql("CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 3000) n; ANALYZE",
                    "shop")
            pg.psql(SLOW_COMMIT, "mirror")
            connection = make_connection(server, pg, "shop", pg, "mirror", [{"namespace": "public", "name": "t",
                                                                            "syncMode": "full_refresh_append"}])
            job_id = start_sync(server, connection)
            in_commit = ("SELECT count(*) FROM pg_stat_activity WHERE datname = 'mirror' AND wait_event = 'PgSleep' AND query ~* 'commit'")
            # The transactions before the data (the fence among them) sleep too: wait for one that holds rows.
            def data_in_commit():
                return pg.value(in_commit, "postgres") and pg.value(
                    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database "
                    "WHERE d.datname = 'mirror' AND a.wait_event = 'PgSleep' AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock'",
                    "postgres") >= 2
            wait_until(data_in_commit, "the COMMIT of the rows", 120, every=0.005)
            server.kill()
            self.assertTrue(pg.value(in_commit, "postgres"), "the COMMIT goes on without its client")
            server.start()
            job = server.wait_for_job(job_id)
            self.assertEqual(job["status"], "succeeded", job.get("failure"))
            self.assertEqual(compare_tables((pg, "shop", "public", "t"), (pg, "mirror", "raw", "t")), 3000)


class FullDiskTest(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("a small file system can be mounted by root only")
        self.mount = temp_dir("disk")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700m", "millrace-test", self.mount], check=False,
                          capture_output=True).returncode != 0:
            self.skipTest("this machine lets nobody mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", "-l", self.mount], check=False)

    def test_a_full_disk_is_told_loses_nothing_and_passes(self):
        filler = pathlib.Path(self.mount) / "filler"
        with PgCluster() as pg, Millrace(data_dir=pathlib.Path(self.mount) / "data") as server:
            self.addCleanup(server.close)
            server.log_path = temp_dir("log") / "server.log"
            pg.create_database("shop")
            pg.create_database("mirror")
            pg.psql("CREATE TABLE t AS SELECT n AS id, md5(n::text) AS x FROM generate_series(1, 1500000) n; "
                    "ALTER TABLE t ADD PRIMARY KEY (id); ANALYZE", "shop")
            connection = make_connection(server, pg, "shop", pg, "mirror", [{"namespace": "public", "name": "t"}])
            before = server.wait_for_job(start_sync(server, connection))
            self.assertEqual(before["status"], "succeeded", before.get("failure"))
            running = start_sync(server, connection, options={"rowsPerSplit": 50_000})
            wait_until(lambda: rows_committed(server.job(running)) > 0, "the first committed split", every=0.002)
            free = shutil.disk_usage(self.mount).free
            with open(filler, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, free - (64 << 10))

            source = {"name": "another", "connector": "postgres", "configuration": pg.configuration("shop", schemas=["public"])}

            def refused():
                reply = server.http.request("POST", "/v1/sources", source)
                if reply.status == 200:
                    server.http.call("DELETE", f"/v1/sources/{reply.json()['sourceId']}")
                return reply if reply.status == 503 else None
            problem = wait_until(refused, "the server to refuse work", 60, every=0.1).json()
            self.assertEqual(problem["code"], "store.disk_full")
            self.assertTrue(problem["remedy"])
            self.assertNotEqual(server.http.request("GET", "/readyz").status, 200, "not ready while it takes no work")
            self.assertEqual(server.http.request("GET", "/livez").status, 200)
            self.assertEqual(server.job(before["jobId"])["status"], "succeeded", "what was acknowledged can be read")
            self.assertNotEqual(server.job(running)["status"], "failed", "the running job waits for room")

            filler.unlink()
            under_load = server.wait_for_job(running)
            self.assertEqual(under_load["status"], "succeeded", under_load.get("failure"))
            def accepted():
                reply = server.http.request("POST", "/v1/jobs?onConflict=attach", {"connectionId": connection, "jobType": "sync"})
                return reply.json()["jobId"] if reply.status == 200 else None
            job = server.wait_for_job(wait_until(accepted, "the server to take work again by itself", 60, every=0.1))
            self.assertEqual(job["status"], "succeeded", job.get("failure"))
            self.assertEqual(server.job(before["jobId"])["status"], "succeeded")
            compare_tables((pg, "shop", "public", "t"), (pg, "mirror", "raw", "t"))
            server.kill()
            server.start()
            self.assertEqual(server.job(before["jobId"])["status"], "succeeded", "nothing acknowledged is lost")


if __name__ == "__main__":
    unittest.main()
