#!/usr/bin/env python3
"""The main job, whole, on real data: see ./dev demo --help. Each step prints a heading, its commands and their output."""

import argparse
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
sys.path.insert(0, str(HERE))

import archive  # noqa: E402
from support import Millrace, PgCluster, compare_tables, rows_committed, rows_read, temp_dir, wait_until  # noqa: E402

BOLD, DIM, END = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "", "")


class Demo:
    """What the steps share."""

    def __init__(self, options):
        self.began = time.monotonic()
        self.options = options
        self.steps = 0
        self.source = self.destination = self.server = None

    def heading(self, text):
        """Begins a step."""
        self.steps += 1
        print(f"\n{BOLD}── {self.steps}. {text} {'─' * max(3, 90 - len(text))}{END}", flush=True)

    def say(self, text):
        """A sentence between commands."""
        print(f"{DIM}{text}{END}", flush=True)

    def show(self, *words, lines=None, env=None):
        """Prints a command, runs it, and prints what it says (at most `lines` lines of it, cut to the screen's width)."""
        print(f"$ {shlex.join(words)}", flush=True)
        environment = self.server.environment(**(env or {})) if self.server else dict(os.environ)
        if sys.stdout.isatty():
            environment.pop("NO_COLOR", None)
        command = [str(self.server.binary) if words[0] == "millrace" else words[0], *words[1:]]
        if lines is None:
            done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
        else:
            done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
            width = shutil.get_terminal_size((160, 40)).columns - 1
            out = [line if len(line) <= width else line[:width - 1] + "…" for line in done.stdout.splitlines()]
            print("\n".join(out[:lines] + ([f"… {len(out) - lines} more lines"] if len(out) > lines else [])), flush=True)
        if done.returncode != 0:
            raise SystemExit(f"{words[0]} ended with {done.returncode}")

    def psql(self, cluster, database, sql):
        """Shows a query and its answer."""
        print(f"$ psql -h {cluster.host} -p {cluster.port} -U {cluster.user} {database} -c \"{sql}\"", flush=True)
        print(cluster.psql(sql, database).rstrip(), flush=True)

    @property
    def environment(self):
        """What the resource files ask for."""
        return {"DEMO_HOST": self.source.host, "DEMO_SOURCE_PORT": str(self.source.port),
                "DEMO_DESTINATION_PORT": str(self.destination.port)}

    # ---- the steps ----

    def make_databases(self):
        self.heading("Two throw-away PostgreSQL clusters, and the package index of this machine as a database")
        keep = self.options.keep
        self.source = PgCluster(keep=keep, name="demo-source")
        self.destination = PgCluster(keep=keep, name="demo-destination")
        self.source.create_database("archive")
        self.destination.create_database("warehouse")
        rows = archive.load(self.source, "archive")
        self.say(f"source:      {self.source.url('archive')}\ndestination: {self.destination.url('warehouse')}")
        self.say("apt-cache dumpavail, parsed: " + ", ".join(f"{count:,} {table}" for table, count in rows.items()))
        self.psql(self.source, "archive", "SELECT p.name, v.version, v.architecture, v.download_bytes, count(d.*) AS dependencies FROM "
                  "archive.packages p JOIN archive.versions v ON v.package_id = p.id LEFT JOIN archive.dependencies d ON "
                  "d.version_id = v.id GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 4")

    def start_server(self):
        self.heading("The server")
        self.server = Millrace(keep=self.options.keep, start=False, data_dir=temp_dir("demo-server", keep=self.options.keep) / "data")
        print("$ " + shlex.join(["millrace", *self.server.command[1:]]))
        self.server.start()
        print(self.server.log().rstrip(), flush=True)
        self.say("The command line finds this server by MILLRACE_SERVER and MILLRACE_TOKEN, set for all that follows.")

    def apply(self):
        self.heading("Resources from files, checked and discovered")
        folder = os.path.relpath(HERE / "resources")
        self.show("millrace", "apply", "-f", folder, "--yes", env=self.environment)
        self.show("millrace", "check", "archive")
        self.show("millrace", "check", "warehouse")
        self.show("millrace", "discover", "archive", lines=24)

    def first_sync(self):
        self.heading("The first sync")
        self.show("millrace", "sync", "packages", "--wait")
        taken = time.monotonic() - self.began
        self.psql(self.destination, "warehouse", "SELECT relname AS table, n.nspname AS schema, pg_size_pretty(pg_table_size(c.oid)) AS size FROM "
                  "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'raw' AND relkind = 'r' ORDER BY 1")
        self.psql(self.destination, "warehouse", "SELECT id, name, priority, essential, tags[1] FROM raw.packages WHERE essential ORDER BY name LIMIT 4")
        print(f"From the end of the build to the first synced tables: {taken:.1f} s")

    def kill_and_go_on(self):
        self.heading(f"A sync of {self.options.rows:,} rows, killed in the middle")
        self.say("A table of every day's dependencies, made from the real ones…")
        self.source.psql(archive.history_sql(self.options.rows), "archive")
        connection = next(item for item in self.server.http.all("/v1/connections") if item["name"] == "dependency-history")
        print("$ curl -X POST $MILLRACE_SERVER/v1/jobs -d '{\"connectionId\": …, \"jobType\": \"sync\"}'")
        job = self.server.http.post("/v1/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})
        self.job_id = job["jobId"]
        before = wait_until(lambda: self._in_the_middle(), "the middle of the sync", 120, every=0.01)
        self.server.kill()
        print(f"$ kill -9 {self.server.process.pid}")
        read, committed = rows_read(before), rows_committed(before)
        self.say(f"The server is gone. Its last word about job {self.job_id}: {read:,} rows read, {committed:,} committed.")
        self.psql(self.destination, "warehouse", "SELECT to_regclass('raw.dependency_days') AS half_a_table_is_never_visible")
        self.say("Started again on the same data directory:")
        print("$ " + shlex.join(["millrace", *self.server.command[1:]]))
        self.server.start()
        again = wait_until(self._goes_on, "the second attempt", 60, every=0.01)
        self.say(f"It goes on by itself, from {rows_committed(again):,} rows that are committed:")
        self.show("millrace", "job", str(self.job_id))
        print("…", flush=True)
        after = self.server.wait_for_job(self.job_id)
        self.show("millrace", "job", str(self.job_id))
        kept = rows_committed(after)
        attempts = len(next(step["attempts"] for step in after["steps"] if step["name"] == "sync"))
        print(f"job {self.job_id}: {after['status']} after {attempts} attempts of its sync step; {kept:,} rows committed, "
              f"{committed:,} of them before the kill and not read again")
        if after["status"] != "succeeded":
            raise SystemExit("the job should have succeeded by itself")

    def _in_the_middle(self):
        job = self.server.job(self.job_id)
        if job["status"] in ("succeeded", "failed", "cancelled"):
            raise SystemExit(f"job {self.job_id} ended before it could be killed: give --rows more")
        read, committed = rows_read(job), rows_committed(job)
        return job if committed > 0 and read > committed and read > self.options.rows / 3 else None

    def _goes_on(self):
        """The job once its second attempt has told where it is (or all is done)."""
        job = self.server.job(self.job_id)
        attempts = next((step["attempts"] for step in job["steps"] if step["name"] == "sync"), [])
        told = job["streams"] and any(stream.get("rate") for stream in job["streams"])
        return job if (len(attempts) > 1 and told) or job["status"] in ("succeeded", "failed") else None

    def compare(self):
        self.heading("Source and destination, compared row by row")
        for schema, tables in (("archive", archive.TABLES), ("history", ("dependency_days",))):
            for table in tables:
                rows = compare_tables((self.source, "archive", schema, table), (self.destination, "warehouse", "raw", table))
                print(f"{schema + '.' + table:30} = raw.{table:20} {rows:>10,} rows, all equal", flush=True)

    def explain(self):
        self.heading("What the execution decided, and the same again without effects")
        job = self.server.job(self.job_id)
        self.show("millrace", "workflow", "show", job["workflowId"], lines=40)
        self.show("millrace", "replay", str(self.job_id), "--mode", "verify")

    def metrics(self):
        self.heading("Metrics")
        text = self.server.http.request("GET", "/metrics", headers={"Accept": "text/plain"}).text
        wanted = ("millrace_build_info", "millrace_workflow_completed_total", "millrace_activity_attempts_total", "millrace_sync_records_total",
                  "millrace_sync_last_success", "millrace_store_commit_seconds_count", "millrace_store_commit_seconds_sum")
        print("$ curl -s $MILLRACE_SERVER/metrics | grep -E 'workflow_completed|activity_attempts|sync_records|store_commit_seconds_'")
        print("\n".join(line for line in text.splitlines() if line.startswith(wanted)), flush=True)

    def leave(self):
        """--keep: all goes on running."""
        stop = self.server.data_dir.parent / "stop"
        folders = [self.source.dir, self.destination.dir, self.server.data_dir.parent]
        pids = [self.server.process.pid, self.source.pid, self.destination.pid]
        stop.write_text("#!/bin/sh\n" + f"kill -INT {pids[0]} {pids[1]} {pids[2]}\n"
                        + "for pid in " + " ".join(map(str, pids)) + "; do while kill -0 $pid 2> /dev/null; do sleep 0.1; done; done\n"
                        + "rm -rf " + " ".join(shlex.quote(str(folder)) for folder in folders) + "\n")
        stop.chmod(0o755)
        print(f"""
{BOLD}Everything is left running.{END}

  export MILLRACE_SERVER={self.server.url} MILLRACE_TOKEN=$(cat {self.server.data_dir}/token) PATH={self.server.binary.parent}:$PATH
  millrace get connections · millrace jobs · millrace job {self.job_id} · millrace workflow list · millrace sync packages --wait
  curl -H "Authorization: Bearer $MILLRACE_TOKEN" $MILLRACE_SERVER/v1/jobs
  psql {self.source.url('archive')}
  psql {self.destination.url('warehouse')}
  log of the server: {self.server.log_path}

To stop it and remove all of it:  {stop}
""")

    def run(self):
        """All steps."""
        for step in (self.make_databases, self.start_server, self.apply, self.first_sync, self.kill_and_go_on, self.compare, self.explain,
                     self.metrics):
            step()
        if self.options.keep:
            self.leave()
            return
        self.heading("The end")
        print(f"server stopped with exit code {self.server.stop()}; databases and files are removed")
        print(f"The whole demo took {time.monotonic() - self.began:.0f} s.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--rows", type=int, default=4_000_000)
    sys.stdout.reconfigure(line_buffering=True)
    Demo(parser.parse_args()).run()


if __name__ == "__main__":
    main()
