"""The disk under one of the two PostgreSQL servers runs full in the middle of a sync, and has room again."""

import errno
import os
import pathlib
import shutil
import subprocess
import unittest

from support import Millrace, PgCluster, compare_tables, rows_committed, temp_dir, wait_until
from support.resources import make_connection, start_sync


class FullPostgresTest(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("a small file system can be mounted by root only")
        self.mount = pathlib.Path(temp_dir("disk"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900m", "millrace-test", self.mount], check=False,
                          capture_output=True).returncode != 0:
            self.skipTest("this machine lets nobody mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", "-l", self.mount], check=False)
        self.mount.chmod(0o755)
        self.filler = self.mount / "filler"

    def fill(self, leave=0):
        """Takes the room that is left but for so many bytes, while others take it too."""
        with open(self.filler, "wb", buffering=0) as file:
            if leave:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.mount).free - leave)
                return
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as full:
                    self.assertEqual(full.errno, errno.ENOSPC)

    def start(self, server, source, destination, room=None):
        """A sync with a committed split; its number. `room`: what the disk has left for it."""
        source.create_database("shop")
        destination.create_database("mirror")
        source.psql("CREATE TABLE t AS SELECT n AS id, md5(n::text) AS x FROM generate_series(1, 1000000) n; "
                    "ALTER TABLE t ADD PRIMARY KEY (id); ANALYZE; CHECKPOINT", "shop")
        connection = make_connection(server, source, "shop", destination, "mirror", [{"namespace": "public", "name": "t"}])
        if room:
            self.fill(room)
        job_id = start_sync(server, connection, options={"rowsPerSplit": 50_000})
        wait_until(lambda: rows_committed(server.job(job_id)) > 0, "the first committed split", every=0.002)
        return job_id

    def ends_well(self, server, job_id, source, destination):
        job = server.wait_for_job(job_id, 300)
        self.assertEqual(job["status"], "succeeded", job.get("failure"))
        self.assertEqual(compare_tables((source, "shop", "public", "t"), (destination, "mirror", "raw", "t")), 1_000_000)
        history = [event["type"] for event in server.history(job["workflowId"], job["runId"])]
        self.assertEqual(history.count("ACTIVITY_TASK_COMPLETED"), history.count("ACTIVITY_TASK_SCHEDULED"))

    def felt(self, server, job_id):
        """The disk is felt at the destination: an attempt has failed of it, with a code and what to do."""
        def failed():
            job = server.job(job_id)
            self.assertIn(job["status"], ("running", "incomplete", "pending"), job.get("failure"))
            return [a["failure"] for step in job["steps"] for a in step["attempts"] if a.get("failure")]
        failure = wait_until(failed, "an attempt that felt the full disk", 120, every=0.01)[0]
        self.assertIn(failure["code"], ("postgres.disk_full", "postgres.connection_lost"), failure)
        self.assertTrue(failure["remedy"])
        print(f"    {failure['code']}: {failure['message'][:160]}", flush=True)

    @staticmethod
    def revive(cluster):
        """A server that PANICked of its log has ended; its restart is an administrator's."""
        if cluster._postmaster.poll() is not None:
            cluster._postmaster = None
            cluster.start()

    def test_under_the_destination_it_is_told_and_the_sync_goes_on_when_space_returns(self):
        with PgCluster() as source, PgCluster(directory=self.mount, conf={"max_wal_size": "'64MB'"}, durable=True) as destination, \
                Millrace() as server:
            # Room for some splits of the twenty.
            job_id = self.start(server, source, destination, room=48 << 20)
            self.felt(server, job_id)
            self.assertGreater(rows_committed(server.job(job_id)), 0)
            self.filler.unlink()
            self.revive(destination)
            self.ends_well(server, job_id, source, destination)

    def test_under_the_source_it_harms_no_sync(self):
        with PgCluster(directory=self.mount, conf={"max_wal_size": "'64MB'"}, durable=True) as source, PgCluster() as destination, \
                Millrace() as server:
            job_id = self.start(server, source, destination)
            self.fill()
            self.ends_well(server, job_id, source, destination)
            self.filler.unlink()
            self.assertIsNone(source._postmaster.poll(), source.log()[-2000:])


if __name__ == "__main__":
    unittest.main()
