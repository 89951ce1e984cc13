"""Readers beside an overwrite: they see the old table or the new one, whole, however often it is replaced."""

import subprocess
import unittest

from e2e.base import ServerCase
from support.resources import make_connection, sync

ROWS = 20_000
LOADS = 4
# Asks again and again, each time in a transaction of its own: how many rows there are, and of which loads.
READER = f"""
DO $$
DECLARE rows bigint; loads bigint; looks bigint := 0;
BEGIN
  WHILE NOT EXISTS (SELECT FROM public.stop) LOOP
    SELECT count(*), count(DISTINCT load) INTO rows, loads FROM raw.t;
    looks := looks + 1;
    IF rows <> {ROWS} OR loads <> 1 THEN
      RAISE EXCEPTION 'half a table: % rows of % loads', rows, loads;
    END IF;
    COMMIT;
  END LOOP;
  INSERT INTO public.looks VALUES (looks);
END $$;
"""


class ReaderTest(ServerCase):
    def test_a_polling_reader_never_sees_half_a_table_nor_none(self):
        self.pg.psql(f"CREATE TABLE t AS SELECT n AS id, 0 AS load FROM generate_series(1, {ROWS}) n; "
                     "ALTER TABLE t ADD PRIMARY KEY (id); ANALYZE t", "shop")
        self.pg.psql("CREATE TABLE public.stop (x int); CREATE TABLE public.looks (n bigint)", "mirror")
        connection = make_connection(self.server, self.pg, "shop", self.pg, "mirror", [{"namespace": "public", "name": "t"}])
        sync(self.server, connection)
        readers = [subprocess.Popen(self.pg.psql_command("mirror", "-c", READER), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True) for _ in range(2)]
        for reader in readers:
            self.addCleanup(reader.stdout.close)
            self.addCleanup(reader.wait)
            self.addCleanup(reader.kill)
        for load in range(1, LOADS + 1):
            self.pg.psql(f"UPDATE t SET load = {load}", "shop")
            sync(self.server, connection)
        self.pg.psql("INSERT INTO public.stop VALUES (1)", "mirror")
        for reader in readers:
            text = reader.communicate(timeout=60)[0]
            self.assertEqual(reader.returncode, 0, text)
        self.assertEqual(self.pg.value("SELECT count(*) FROM public.looks WHERE n > 2", "mirror"), len(readers), "they did look")
        self.assertEqual(self.pg.value("SELECT min(load) FROM raw.t", "mirror"), LOADS)


if __name__ == "__main__":
    unittest.main()
