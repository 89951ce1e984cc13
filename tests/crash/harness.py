"""What the crash tests share: a shop of a million rows, a writer that never rests, and what must hold after each job."""

import collections
import os
import random
import re
import subprocess
import unittest

from support import Millrace, PgCluster, compare_tables, rows_committed, rows_read, wait_until
from support.resources import make_connection, start_sync
from support.waiting import pause

ROUNDS = int(os.environ.get("MILLRACE_CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("MILLRACE_CRASH_SEED") or random.SystemRandom().randrange(1, 1 << 31))
TABLES = {"orders": 400_000, "lines": 350_000, "customers": 150_000, "events": 100_000}
TOTAL = sum(TABLES.values())
ROWS_PER_SPLIT = 60_000  # some twenty splits, so that there are many places to be killed at
KEYS = {"orders": "id", "lines": "order_id, line", "customers": "code", "events": "id"}

SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric(12,2), placed timestamptz NOT NULL,
  note text, state smallint NOT NULL, paid boolean NOT NULL);
CREATE TABLE shop.lines (order_id bigint, line int, sku text NOT NULL, quantity int NOT NULL, price numeric(10,3),
  options jsonb, PRIMARY KEY (order_id, line));
CREATE TABLE shop.customers (code text PRIMARY KEY, name text NOT NULL, born date, tags text[], key uuid NOT NULL, touched int NOT NULL);
CREATE TABLE shop.events (id bigint PRIMARY KEY, at timestamp NOT NULL, kind text, body bytea, amount double precision);
INSERT INTO shop.orders SELECT n, 'C' || n % 150000, (n % 90000) / 100.0, '2026-01-01'::timestamptz + n * interval '7 seconds',
  CASE WHEN n % 3 = 0 THEN NULL ELSE repeat('note ', 1 + n % 7) END, n % 5, n % 2 = 0 FROM generate_series(1, 400000) n;
INSERT INTO shop.lines SELECT n / 3 + 1, n % 3, 'sku-' || n % 999, n % 17, n / 1000.0, jsonb_build_object('n', n, 'gift', n % 9 = 0)
  FROM generate_series(0, 349999) n;
INSERT INTO shop.customers SELECT 'C' || lpad(n::text, 6, '0'), 'Name ' || n, '1950-01-01'::date + n % 20000, ARRAY['a' || n % 5, 'b'],
  md5(n::text)::uuid, 0 FROM generate_series(1, 150000) n;
INSERT INTO shop.events SELECT n * 1000, '2026-02-01'::timestamp + n * interval '1 ms', 'k' || n % 11, decode(md5(n::text), 'hex'),
  n / 7.0 FROM generate_series(1, 100000) n;
ANALYZE;
"""

# Updates that move rows (a longer note leaves its page), deletes, inserts, and on another session vacuum. Rows whose
# number ends in 0 to 4 are never touched.
WRITER = """
SET application_name = 'crash-writer';
DO $$
DECLARE first bigint;
BEGIN
  LOOP
    first := (random() * 399000)::bigint;
    UPDATE shop.orders SET note = repeat('moved ', 1 + (random() * 30)::int), state = 6 WHERE id BETWEEN first AND first + 300 AND id % 10 > 4;
    UPDATE shop.lines SET quantity = quantity + 1, options = options || '{"moved": true}' WHERE order_id BETWEEN first / 4 AND first / 4 + 60
      AND order_id % 10 > 4;
    UPDATE shop.customers SET touched = touched + 1 WHERE code BETWEEN 'C' || lpad((first / 3)::text, 6, '0') AND
      'C' || lpad((first / 3 + 100)::text, 6, '0') AND right(code, 1) > '4';
    DELETE FROM shop.orders WHERE id BETWEEN first AND first + 40 AND id % 10 = 9;
    DELETE FROM shop.events WHERE id BETWEEN first * 200 AND first * 200 + 20000 AND id / 1000 % 10 = 8;
    INSERT INTO shop.events SELECT first * 200 + 1 + n, now(), 'new', NULL, random() FROM generate_series(1, 3) n ON CONFLICT DO NOTHING;
    COMMIT;
    PERFORM pg_sleep(0.004);
  END LOOP;
END $$;
"""
VACUUM = "SET application_name = 'crash-writer'; VACUUM shop.orders, shop.lines, shop.customers, shop.events \\watch 0.3"
UNTOUCHED = {"orders": "id % 10 <= 4", "lines": "order_id % 10 <= 4", "customers": "right(code, 1) <= '4'",
             "events": "id % 1000 = 0 AND id / 1000 % 10 <= 4"}


def splits_complete(job):
    """Splits of the job that are whole and durable at the destination."""
    return sum(stream["splits"]["complete"] for stream in job["streams"])


class Writer:
    """Writes to the shop until it is stopped."""

    def __init__(self, source):
        self._source = source
        self._processes = []

    def __enter__(self):
        for sql in (WRITER, VACUUM):
            process = subprocess.Popen(self._source.psql_command("shop"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, text=True)
            process.stdin.write(sql + "\n")
            process.stdin.close()
            self._processes.append(process)
        before = self._writes()
        wait_until(lambda: self._writes() > before, "the writer's first rows")
        return self

    def _writes(self):
        return self._source.value("SELECT sum(touched) FROM shop.customers", "shop")

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.wait()
        self._source.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crash-writer'", "postgres")
        wait_until(lambda: self._source.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crash-writer'", "postgres") == 0, "the writer to end")


class CrashCase(unittest.TestCase):
    """Two clusters, a server and the shop, made once; a connection and a destination database for each test."""

    source_conf = {}

    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED} (MILLRACE_CRASH_SEED), {ROUNDS} rounds (MILLRACE_CRASH_ROUNDS)", flush=True)
        cls.source = PgCluster(durable=True, conf={"log_statement": "'all'"} | cls.source_conf)
        cls.destination = PgCluster(durable=True)
        cls.source.create_database("shop")
        cls.source.psql(SHOP, "shop")

    @classmethod
    def tearDownClass(cls):
        cls.source.close()
        cls.destination.close()

    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.server = Millrace()
        self.destination.create_database("mirror")
        self.connection = make_connection(self.server, self.source, "shop", self.destination, "mirror", self.streams(), schemas=["shop"])

    def tearDown(self):
        self.server.close()
        self.destination.drop_database("mirror")

    def streams(self):
        """The connection's stream entries."""
        return [{"namespace": "shop", "name": "*", "syncMode": "full_refresh_overwrite"}]

    # ---- killing ----

    def start(self):
        """Starts a sync."""
        return start_sync(self.server, self.connection, options={"rowsPerSplit": ROWS_PER_SPLIT})

    def kill_in_the_middle(self, job_id, fraction, earlier):
        """SIGKILL once a split is committed, another is in flight and that part of all rows was read by the attempt that
        runs now (not by those that were killed `earlier`). Returns the job as it was last seen, or None if the sync was
        too quick."""
        def middle():
            job = self.server.job(job_id)
            if job["status"] not in ("pending", "running", "incomplete"):
                return "over"
            attempts = self.sync_attempts(job)
            if len(attempts) != len(earlier) + 1 or attempts[-1]["endTime"]:
                return None
            if earlier and job["streams"] == earlier[-1]["streams"]:
                return None  # still the last word of the killed one
            return job if splits_complete(job) > 0 and rows_read(job) > max(rows_committed(job), fraction * TOTAL) else None
        seen = wait_until(middle, "a committed split and one in flight", 120, every=0.001)
        if seen == "over":
            return None
        # What the job's page says is up to a quarter of a second old; a random moment of the next one is as good.
        pause(self.random.uniform(0, 0.1))
        self.server.kill()
        seen["durable"] = self.durable_splits()
        seen["log"] = len(self.source.log())
        return seen

    def durable_splits(self):
        """{stream: splits that are durable at the destination, None for all}, by the destination's own tables."""
        text = self.destination.query(
            "SELECT l.stream_name, l.finished, (SELECT count(*) FROM millrace.checkpoints c WHERE (c.connection_id, c.stream_namespace, "
            "c.stream_name, c.generation) = (l.connection_id, l.stream_namespace, l.stream_name, l.generation) AND c.complete) "
            "FROM millrace.loads l WHERE NOT l.published", "mirror")
        rows = [line.split("|") for line in text.split("\n") if line]
        return {name: None if finished == "t" else int(count) for name, finished, count in rows}

    def run_killed_job(self, kills=1):
        """A job whose server is killed so many times, each time in the middle of its sync step. Returns the ended job and
        what was seen before each kill. A sync that was quicker than the kill doesn't count, and is tried again."""
        for attempt in range(6):
            job_id, seen = self.start(), []
            for moment in sorted(self.random.uniform(0.05, 0.8) / (attempt + 1) for _ in range(kills)):
                at_kill = self.kill_in_the_middle(job_id, moment, seen)
                if at_kill is None:
                    break
                seen.append(at_kill)
                self.server.start()
            job = self.server.wait_for_job(job_id, 300)
            if seen and len(self.sync_attempts(job)) == 1 + len(seen):
                return job, seen
            self.assertEqual(job["status"], "succeeded", job.get("failure"))
        self.fail("six syncs in a row ended before they could be killed")

    @staticmethod
    def sync_attempts(job):
        """All attempts of the job's sync step."""
        return next((step["attempts"] for step in job["steps"] if step["name"] == "sync"), [])

    # ---- what must hold ----

    def check_job(self, job, seen):
        """The job ended well by itself, each step completed once, nothing committed was read again."""
        self.assertEqual(job["status"], "succeeded", f"{job.get('failure')}\n{self.server.log()[-3000:]}")
        self.check_history(job)
        attempts = self.sync_attempts(job)
        self.assertEqual([attempt["number"] for attempt in attempts], list(range(1, len(seen) + 2)))
        for at_kill, attempt in zip(seen, attempts):
            self.assertEqual(attempt["failure"]["code"], "UnknownOutcome")
            self.assertGreater(splits_complete(at_kill), 0, "a split was committed before the kill")
            self.assertGreater(rows_read(at_kill), rows_committed(at_kill), "a split was in flight at the kill")
        self.check_reads(job, seen[-1])

    def check_history(self, job):
        """Dense ids; one completion for each scheduled step."""
        events = self.server.history(job["workflowId"], job["runId"])
        self.assertEqual([event["id"] for event in events], list(range(1, len(events) + 1)))
        scheduled = [event["id"] for event in events if event["type"] == "ACTIVITY_TASK_SCHEDULED"]
        completed = collections.Counter(event["attributes"]["scheduledEventId"] for event in events
                                        if event["type"] == "ACTIVITY_TASK_COMPLETED")
        self.assertGreaterEqual(len(scheduled), 5, "get_spec, check, discover, sync, normalize")
        self.assertEqual(completed, collections.Counter(scheduled))
        self.assertEqual(events[-1]["type"], "WORKFLOW_EXECUTION_COMPLETED")

    def check_reads(self, job, at_kill):
        """By the source's own log: the last attempt asked for no split that was durable when the one before it died."""
        # Not the lines STATEMENT, with which the server explains that a client is gone.
        asked = re.findall(r"LOG:  statement: [^\n]*?(COPY [^\n]*TO STDOUT[^\n]*)", self.source.log()[at_kill["log"]:])
        asked = [text for text in asked if '"shop"' in text]
        left = 0
        for stream in job["streams"]:
            total = stream["splits"]["total"]
            durable = at_kill["durable"].get(stream["name"], 0)
            left += 0 if durable is None else total - durable
        # A COMMIT that was on its way when the server died still commits, after we looked: two streams at once, two splits
        # of each, one that commits and one that is read behind it. All the others must be asked for.
        self.assertGreaterEqual(len(asked), left - 2 * 2 * 2, "a split that was neither durable nor in flight was not read")
        self.assertEqual(len(asked), len(set(asked)), "each split is asked for once")
        self.assertLessEqual(len(asked), left, "splits that were durable have been read again:\n" + "\n".join(asked))

    def check_equal(self):
        """Each table equals its source, row by row."""
        for table in TABLES:
            compare_tables((self.source, "shop", "shop", table), (self.destination, "mirror", "raw", table))
