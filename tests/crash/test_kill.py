"""kill -9 at a random moment of a running sync of a million rows in four tables, again and again."""

import time
import unittest

from crash.harness import KEYS, ROUNDS, TABLES, UNTOUCHED, CrashCase, Writer, splits_complete
from support import compare_tables, rows_committed, rows_read
from support.resources import sync


class KillTest(CrashCase):
    def report(self, number, began, job, seen):
        """One line a round, so that a failure can be told from its neighbours."""
        kills = ", ".join(f"{rows_read(at):,} read {rows_committed(at):,} committed in {splits_complete(at)} splits" for at in seen)
        print(f"    round {number}: killed at {kills}; then {rows_read(job):,} read in all, {time.monotonic() - began:.1f} s", flush=True)

    def test_a_killed_sync_goes_on_and_ends_with_equal_tables(self):
        for number in range(1, ROUNDS + 1):
            with self.subTest(round=number):
                began = time.monotonic()
                job, seen = self.run_killed_job(kills=1 + number % 2)
                self.check_job(job, seen)
                self.check_equal()
                self.report(number, began, job, seen)

    def test_a_killed_sync_beside_a_writer_has_every_untouched_row_exactly_once(self):
        for number in range(1, ROUNDS + 1):
            with self.subTest(round=number):
                began = time.monotonic()
                with Writer(self.source):
                    job, seen = self.run_killed_job(kills=1 + number % 2)
                    self.check_job(job, seen)
                    for table in TABLES:
                        rows = compare_tables((self.source, "shop", "shop", table), (self.destination, "mirror", "raw", table),
                                              where=UNTOUCHED[table])
                        self.assertGreater(rows, TABLES[table] * 0.4)
                        doubled = self.destination.value(
                            f"SELECT count(*) FROM (SELECT 1 FROM raw.{table} GROUP BY {KEYS[table]} HAVING count(*) > 1) d", "mirror")
                        self.assertEqual(doubled, 0, f"keys of {table} that are there twice")
                self.report(number, began, job, seen)
        self.check_history(sync(self.server, self.connection))
        self.check_equal()


if __name__ == "__main__":
    unittest.main()
