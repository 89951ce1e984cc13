"""A Millrace server as a child process: start, kill, start again, ask over HTTP, and the command line beside it."""

import os
import pathlib
import signal
import subprocess

from .http_client import Client
from .paths import at_end, millrace_binary, temp_dir
from .waiting import free_port, wait_until

END_STATES = ("succeeded", "failed", "cancelled")


class Millrace:
    """A server on a free port over a temporary data directory. Use it in a `with`, or call close().

    The kernel kills it when this process dies. `keep` lets it live on (the demo's --keep)."""

    def __init__(self, data_dir=None, options=(), keep=False, start=True, binary=None, address="127.0.0.1"):
        self.binary = pathlib.Path(binary) if binary else millrace_binary()
        self.data_dir = pathlib.Path(data_dir) if data_dir else temp_dir("data", keep=keep) / "data"
        self.log_path = self.data_dir.parent / (self.data_dir.name + ".server.log")
        self.address = address
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = list(options)
        self.process = None
        self.starts = 0
        self._keep = keep
        if not keep:
            at_end(self.close)
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def command(self):
        """The words that start the server."""
        return [str(self.binary), "server", "--data-dir", str(self.data_dir), "--listen", f"{self.address}:{self.port}",
                *self.options]

    def start(self, ready=True, timeout=60):
        """Starts the server and waits until /readyz says 200. Call it on the main thread (see PgCluster.start)."""
        with open(self.log_path, "ab") as log:
            guard = [] if self._keep else ["setpriv", "--pdeathsig", "KILL", "--"]
            self.process = subprocess.Popen(guard + self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=self._keep)
        self.starts += 1
        if ready:
            wait_until(self._ready_or_dead, f"{self.url}/readyz", timeout, every=0.005)
        return self

    def _ready_or_dead(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()[-4000:]}")
        try:
            return Client("127.0.0.1", self.port, timeout=5).request("GET", "/readyz").status == 200
        except OSError:
            return False

    def kill(self):
        """SIGKILL; returns when the process is gone."""
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=60):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def close(self):
        """Ends the server, however."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def log(self):
        """What all starts of this server have written."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # ---- asking it ----

    @property
    def token(self):
        """The token that the first start wrote."""
        return (self.data_dir / "token").read_text().strip()

    @property
    def http(self):
        """A client with the server's token."""
        return Client("127.0.0.1", self.port, self.token)

    def environment(self, **more):
        """The environment of a command-line client of this server."""
        base = {name: value for name, value in os.environ.items() if not name.startswith(("MILLRACE_", "PG"))}
        return base | {"MILLRACE_SERVER": self.url, "MILLRACE_TOKEN": self.token, "NO_COLOR": "1"} | more

    def cli(self, *words, check=True, timeout=300, stdin=None, env=None):
        """Runs `millrace WORDS…` against this server; CompletedProcess with text."""
        done = subprocess.run([str(self.binary), *map(str, words)], capture_output=True, text=True, timeout=timeout,
                              env=self.environment(**(env or {})), check=False,
                              **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        if check and done.returncode != 0:
            raise AssertionError(f"millrace {' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def job(self, job_id):
        """GET /v1/jobs/{id}"""
        return self.http.get(f"/v1/jobs/{job_id}")

    def wait_for_job(self, job_id, timeout=300):
        """The job once it has ended, however it ended."""
        def ended():
            job = self.job(job_id)
            return job if job["status"] in END_STATES else None
        return wait_until(ended, f"the end of job {job_id}", timeout, every=0.05)

    def history(self, workflow_id, run_id=None):
        """All events of a run, in order."""
        items, after = [], 0
        while True:
            path = f"/v1/workflows/{workflow_id}/history?after={after}&limit=1000" + (f"&runId={run_id}" if run_id else "")
            page = self.http.get(path)["data"]
            if not page:
                return items
            items += page
            after = page[-1]["id"]


def rows_read(job):
    """Rows that the job's streams have read so far."""
    return sum(stream.get("rowsRead") or 0 for stream in job["streams"])


def rows_committed(job):
    """Rows of the job that the destination has made durable."""
    return sum(stream.get("rowsCommitted") or 0 for stream in job["streams"])
