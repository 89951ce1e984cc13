"""Following a running job from the command line: time-out, interrupt, the bar on a terminal, a line now and then elsewhere."""

import os
import pty
import re
import select
import signal
import subprocess
import time
import unittest

from e2e.base import ServerCase
from support import wait_until


class FollowingTest(ServerCase):
    """One job that takes longer than any of these tests: rows that are made slowly."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source = cls.server.http.post("/v1/sources", {"name": "slow", "connector": "datagen",
                                                      "configuration": {"rows": 1_000_000, "rows_per_second": 2_000}})
        target = cls.server.http.post("/v1/destinations", {"name": "target", "connector": "postgres",
                                                           "configuration": cls.pg.configuration("mirror", schema="slow")})
        connection = cls.server.http.post("/v1/connections", {
            "name": "slow", "sourceId": source["sourceId"], "destinationId": target["destinationId"]})["connectionId"]
        cls.job = cls.server.http.post("/v1/jobs", {"connectionId": connection, "jobType": "sync"})["jobId"]
        wait_until(lambda: any(s.get("rowsRead") for s in cls.server.job(cls.job)["streams"]), "the first rows")

    WAIT = ("sync", "slow", "--wait", "--attach")

    def follow(self, **more):
        """The command line that waits for the job, as a process."""
        process = subprocess.Popen([str(self.server.binary), *self.WAIT], env=self.server.environment(), **more)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def still_runs(self):
        self.assertEqual(self.server.job(self.job)["status"], "running", "nobody's going ends the job")

    def test_a_time_out_is_exit_code_6_and_the_job_goes_on(self):
        done = self.assertExit(6, *self.WAIT, "--timeout", "0.5")
        self.assertIn(str(self.job), done.stderr)
        self.assertIn("goes on", done.stderr)
        self.still_runs()

    def test_an_interrupt_is_exit_code_130_and_the_job_goes_on(self):
        before = self.asked()
        process = self.follow(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        wait_until(lambda: self.asked() > before + 3, "the client to wait")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        self.still_runs()

    def asked(self):
        """How often the job was asked for."""
        text = self.server.http.request("GET", "/metrics").text
        return sum(float(line.split()[-1]) for line in text.splitlines()
                   if line.startswith("millrace_http_requests_total") and "/v1/jobs/{" in line and 'method="GET"' in line)

    def test_a_terminal_shows_a_bar_that_moves(self):
        screen, terminal = pty.openpty()
        self.addCleanup(os.close, screen)
        self.follow(stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        text = ""

        def rows():
            return re.findall(r"\r\x1b\[K\[[#.]+\] +\d+ % job \d+ running: 0/1 streams, ([\d.,]+ ?[kM]?) rows", text)
        deadline = time.monotonic() + 30
        while len(set(rows())) < 2 and time.monotonic() < deadline:
            if select.select([screen], [], [], 0.5)[0]:
                text += os.read(screen, 65536).decode(errors="replace")
        self.assertGreaterEqual(len(set(rows())), 2, repr(text[-2000:]))
        self.assertNotIn("\x1b[36m", text, "NO_COLOR")

    def test_elsewhere_there_is_a_line_every_ten_seconds(self):
        process = self.follow(stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        begun = time.monotonic()
        line = process.stderr.readline()
        took = time.monotonic() - begun
        self.assertRegex(line, rf"^job {self.job} running: 0/1 streams, .* rows/s\n$")
        self.assertGreater(took, 9, "not more often")
        self.assertLess(took, 25)


if __name__ == "__main__":
    unittest.main()
