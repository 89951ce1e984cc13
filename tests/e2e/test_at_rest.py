"""What a server takes that has nothing to do: at first, and after many finished jobs (MILLRACE_FINISHED_JOBS)."""

import os
import pathlib
import threading
import unittest

from support import Client, Millrace, PgCluster, wait_until
from support.resources import sync
from support.waiting import pause

JOBS = int(os.environ.get("MILLRACE_FINISHED_JOBS", "300"))
CLIENTS = 8
MB = 1e6


def resident(server):
    """Bytes of the server's memory that are in RAM."""
    pages = int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(server):
    """Time that the server has worked so far."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class AtRestTest(unittest.TestCase):
    def test_a_server_at_rest_takes_under_40_megabytes_and_half_a_percent_of_cpu(self):
        with Millrace() as server:
            self.assertLess(resident(server), 40 * MB)
            before, seconds = cpu_seconds(server), 6
            pause(seconds)
            share = (cpu_seconds(server) - before) / seconds
            print(f"    at rest: {resident(server) / MB:.1f} MB resident, {share:.2%} of a CPU", flush=True)
            self.assertLess(resident(server), 40 * MB)
            self.assertLess(share, 0.005)

    def test_finished_jobs_leave_it_under_90_megabytes(self):
        with PgCluster() as pg, Millrace() as server:
            pg.create_database("mirror")
            source = server.http.post("/v1/sources", {"name": "made", "connector": "datagen", "configuration": {"rows": 100}})["sourceId"]
            target = server.http.post("/v1/destinations", {"name": "mirror", "connector": "postgres",
                                                           "configuration": pg.configuration("mirror", schema="raw")})
            connection = server.http.post("/v1/connections", {"name": "made", "sourceId": source,
                                                              "destinationId": target["destinationId"]})["connectionId"]
            failures = []

            def work(count):
                client = Client("127.0.0.1", server.port, server.token)
                for _ in range(count):
                    answer = client.request("POST", f"/v1/sources/{source}/check")
                    if answer.status != 200 or answer.json()["status"] != "succeeded":
                        failures.append(answer)

            def run(count):
                """Jobs, most of them short ones, some whole syncs."""
                syncs = max(1, count // 100)
                workers = [threading.Thread(target=work, args=((count - syncs) // CLIENTS,)) for _ in range(CLIENTS)]
                for worker in workers:
                    worker.start()
                for _ in range(syncs):
                    sync(server, connection)
                for worker in workers:
                    worker.join()
                self.assertEqual(failures, [])

            run(JOBS // 10)
            early = resident(server)
            run(JOBS - JOBS // 10)
            wait_until(lambda: server.http.get("/v1/workflows/count?query=ExecutionStatus%3D%22Running%22")["count"] == 0,
                       "the last job to end")
            late = resident(server)
            print(f"    {JOBS} finished jobs: {late / MB:.1f} MB resident, {early / MB:.1f} MB after a tenth of them", flush=True)
            self.assertLess(late, 90 * MB)


if __name__ == "__main__":
    unittest.main()
