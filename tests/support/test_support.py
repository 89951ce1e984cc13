"""The helpers themselves: the comparison must see a difference, a cluster must go when its process is killed."""

import pathlib
import signal
import subprocess
import sys
import unittest

from support import Difference, PgCluster, PgError, compare_tables, wait_until
from support.paths import REPO, alive


class SupportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pg = PgCluster()
        cls.pg.create_database("one")
        cls.pg.create_database("two")

    @classmethod
    def tearDownClass(cls):
        cls.pg.close()

    def tables(self, ours, theirs):
        for database, sql in (("one", ours), ("two", theirs)):
            self.pg.psql("DROP TABLE IF EXISTS t; " + sql, database)
        return [(self.pg, database, "public", "t") for database in ("one", "two")]

    def test_equal_tables_are_equal_whatever_their_physical_order(self):
        left, right = self.tables(
            "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t SELECT n, 'a' || n FROM generate_series(1, 5000) n",
            "CREATE TABLE t AS SELECT n AS id, 'a' || n AS x, 1 AS more FROM generate_series(5000, 1, -1) n")
        self.assertEqual(compare_tables(left, right), 5000)

    def test_a_missing_row_is_shown(self):
        left, right = self.tables("CREATE TABLE t AS SELECT n FROM generate_series(1, 9) n",
                                  "CREATE TABLE t AS SELECT n FROM generate_series(1, 9) n WHERE n <> 7")
        with self.assertRaisesRegex(Difference, r"row 7 differs[^$]*\(9 rows\):  7[^$]*\(8 rows\):  8"):
            compare_tables(left, right)

    def test_a_doubled_row_and_a_null_are_differences(self):
        for theirs in ("VALUES (1), (1), (2)", "VALUES (1), (NULL)"):
            left, right = self.tables("CREATE TABLE t AS SELECT * FROM (VALUES (1), (2)) v (n)",
                                      f"CREATE TABLE t AS SELECT * FROM ({theirs}) v (n)")
            with self.assertRaises(Difference):
                compare_tables(left, right)

    def test_a_missing_table_or_column_is_a_difference(self):
        left, right = self.tables("CREATE TABLE t (a int, b int)", "CREATE TABLE t (a int)")
        with self.assertRaisesRegex(Difference, "columns missing in two.public.t: b"):
            compare_tables(left, right)
        with self.assertRaisesRegex(Difference, "no table public.u"):
            compare_tables(left, right[:3] + ("u",))

    def test_an_error_of_the_server_is_told_in_its_words(self):
        with self.assertRaisesRegex(PgError, 'relation "nowhere" does not exist'):
            self.pg.query("SELECT * FROM nowhere", "one")

    def test_a_killed_process_leaves_no_server(self):
        script = ("import sys; sys.path.insert(0, 'tests')\nfrom support import PgCluster\npg = PgCluster()\n"
                  "print(pg.pid, pg.dir, flush=True)\nsys.stdin.read()\n")
        with subprocess.Popen([sys.executable, "-c", script], cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as child:
            pid, folder = child.stdout.readline().split()
            self.assertTrue(alive(int(pid)))
            child.send_signal(signal.SIGKILL)
        wait_until(lambda: not alive(int(pid)), "the postmaster to follow its parent")
        with PgCluster():
            self.assertFalse(pathlib.Path(folder).exists(), "the next cluster removes what is left")


if __name__ == "__main__":
    unittest.main()
