"""The golden cases of the sync modes, from PostgreSQL to PostgreSQL.

Where ours differs from the field's it is said: on a full tie the later arrival wins (G4), metadata columns are ours. The cases
of change data capture (hard and soft deletes, G6 and G7) are in its own tests."""

import unittest

from e2e.test_upkeep import TablesCase


class GoldenModesTest(TablesCase):
    def setUp(self):
        super().setUp()
        self.sql("TRUNCATE users")

    def put(self, rows):
        self.sql(f"TRUNCATE users; INSERT INTO users VALUES {rows}")

    def loads(self, table="users"):
        """Rows of each load, in the order of the loads."""
        found = self.rows("_load_id, id, u, name", table)
        order = {load: n for n, load in enumerate(sorted({row[0] for row in found}), 1)}
        return sorted([order[row[0]], *row[1:]] for row in found)

    def test_g1_full_refresh_overwrite_then_clear(self):
        connection = self.connect("full_refresh_overwrite")
        self.put("(1, 0, 'a'), (2, 0, 'b')")
        self.sync(connection)
        self.assertEqual(self.rows("id, name"), [[1, "a"], [2, "b"]])
        self.put("(1, 0, 'a2'), (3, 0, 'c')")
        self.sync(connection)
        self.assertEqual(self.rows("id, name"), [[1, "a2"], [3, "c"]])
        self.run_job(connection, "clear")
        self.assertEqual((self.rows(), self.state(connection)), ([], None))

    def test_g2_full_refresh_append(self):
        connection = self.connect("full_refresh_append")
        self.put("(1, 0, 'a'), (2, 0, 'b')")
        self.sync(connection)
        self.put("(1, 0, 'a2'), (3, 0, 'c')")
        self.sync(connection)
        self.assertEqual(self.loads(), [[1, 1, 0, "a"], [1, 2, 0, "b"], [2, 1, 0, "a2"], [2, 3, 0, "c"]])

    def test_g3_incremental_with_the_boundary_sent_again(self):
        for mode, want in (("incremental_append", [[1, 1, 10], [1, 2, 20], [2, 2, 20], [2, 3, 30]]),
                           ("incremental_deduped_history", [[1, 10], [2, 20], [3, 30]])):
            with self.subTest(mode):
                self.setUp()
                connection = self.connect(mode, cursorField=["u"], name=f"{self.name}-{mode}")
                self.put("(1, 10, 'x'), (2, 20, 'x')")
                self.sync(connection)
                self.assertEqual(self.state(connection)["cursor"], "20")
                self.sql("INSERT INTO users VALUES (3, 30, 'x')")
                self.sync(connection)
                got = [row[:3] for row in self.loads()] if mode == "incremental_append" else self.rows("id, u")
                self.assertEqual(got, want)

    def test_g4_dedupe_by_a_composite_key(self):
        self.sql("CREATE TABLE pairs (a int, b int, t int, name text)")
        connection = self.connect("incremental_deduped_history", "pairs", cursorField=["t"], primaryKey=[["a"], ["b"]])
        self.sql("INSERT INTO pairs VALUES (1, 200, 0, 'Alice1'), (1, 200, 1, 'Alice2'), (1, 201, 2, 'Bob1')")
        self.sync(connection)
        self.http.request("PUT", f"/v1/connections/{connection}/state", {"streams": [
            {"namespace": "m", "name": "pairs", "state": {"version": 2, "state_type": "cursor_based", "cursor_field": ["t"], "cursor": "-1"}}]})
        self.sql("TRUNCATE pairs; INSERT INTO pairs VALUES (1, 200, 1, 'Alice3'), (1, 201, 2, 'Bob2'), (2, 200, 0, 'Carol1')")
        self.sync(connection)
        self.assertEqual(self.rows("a, b, t, name", "pairs"), [[1, 200, 1, "Alice3"], [1, 201, 2, "Bob2"], [2, 200, 0, "Carol1"]])

    def test_g5_an_older_version_that_comes_late_does_not_win(self):
        connection = self.connect("incremental_deduped_history", cursorField=["u"])
        self.put("(1, 5, 'new')")
        self.sync(connection)
        self.http.request("PUT", f"/v1/connections/{connection}/state", {"streams": [{"namespace": "m", "name": "users", "state": None}]})
        self.put("(1, 3, 'old'), (2, 3, 'x')")
        self.sync(connection)
        self.assertEqual(self.rows(), [[1, 5, "new"], [2, 3, "x"]])

    def test_g8_values_that_do_not_fit(self):
        self.sql("CREATE TABLE texts (id int, b text, i text, d text, ts text, tn text, dt text);"
                 "INSERT INTO texts VALUES (1, 'maybe', '42.5', 'foo', 'foo', '2023-01-23T12:34:56+02:00', 'x'),"
                 "(2, 'false', '42', '1.5', '2023-01-23T12:34:56', NULL, '2023-01-23'), (3, NULL, '42.0', NULL, NULL, NULL, NULL)")
        casts = {"b": "boolean", "i": "integer", "d": "number", "ts": "timestamptz", "tn": "timestamp", "dt": "date"}
        connection = self.connect("full_refresh_append", "texts",
                                  mappers=[{"type": "cast", "field": field, "to": to} for field, to in casts.items()])
        job = self.sync(connection)
        got = self.rows("id, b, i, d, ts, tn, dt", "texts")
        self.assertEqual(got, [[1, None, None, None, None, "2023-01-23T12:34:56", None],
                               [2, False, 42, 1.5, "2023-01-23T12:34:56+00:00", None, "2023-01-23"], [3, None, 42, None, None, None, None]])
        errors = dict(self.rows("id, _errors", "texts"))
        self.assertEqual({e["field"] for e in errors[1]}, {"b", "i", "d", "ts", "dt"})
        self.assertEqual((errors[2], errors[3], job["streams"][0]["rowsQuarantined"]), (None, None, 1))

    def test_g9_namespaces_and_prefix(self):
        self.put("(1, 1, 'x')")
        schema = self.schema
        cases = [({"namespaceDefinition": "destination"}, schema), ({"namespaceDefinition": "source"}, "m"),
                 ({"namespaceDefinition": "custom_format", "namespaceFormat": f"x_{schema}_${{SOURCE_NAMESPACE}}"}, f"x_{schema}_m"),
                 ({"namespaceDefinition": "custom_format", "namespaceFormat": " "}, schema)]
        for n, (spec, want) in enumerate(cases):
            with self.subTest(spec):
                prefix = f"p{n}_{schema}_"
                connection = self.connect("full_refresh_overwrite", name=f"{self.name}-{n}", spec=spec | {"prefix": prefix})
                self.sync(connection)
                self.assertEqual(self.pg.query(f"SELECT count(*) FROM {want}.{prefix}users", "mirror"), "1")

    def test_g10_versions_of_a_row(self):
        self.sql("CREATE TABLE c (id int, u int, city text); INSERT INTO c VALUES (1, 10, 'Oslo'), (1, 12, 'Bergen'), (2, 11, 'Rome')")
        connection = self.connect("incremental_deduped_history", "c", cursorField=["u"], primaryKey=[["id"]], keepHistory=True)
        self.sync(connection)
        columns = "id, u, city, _valid_from, _valid_to, _active"
        self.assertEqual(self.rows(columns, "c"), [[1, 10, "Oslo", 10, 12, False], [1, 12, "Bergen", 12, None, True], [2, 11, "Rome", 11, None, True]])
        self.sql("INSERT INTO c VALUES (1, 15, 'Turku')")
        self.sync(connection)
        self.assertEqual(self.rows(columns, "c"), [[1, 10, "Oslo", 10, 12, False], [1, 12, "Bergen", 12, 15, False],
                                                   [1, 15, "Turku", 15, None, True], [2, 11, "Rome", 11, None, True]])

    def test_names_that_are_long_or_odd_stay_apart(self):
        long = "t" * 61
        for n, name in enumerate((f"{long}aa", f"{long}ab", "Users", "USERS", 'with "quotes" and spaces')):
            self.sql(f'CREATE TABLE "x{n}" (id int); INSERT INTO x{n} VALUES ({n})')
            connection = self.connect("full_refresh_overwrite", f"x{n}", name=f"{self.name}-{n}", destinationObjectName=name + "z" * (n < 2))
            self.sync(connection)
        tables = self.pg.query(f"SELECT string_agg(relname, '|' ORDER BY relname COLLATE \"C\") FROM pg_class WHERE relkind = 'r' AND "
                               f"relnamespace = '{self.schema}'::regnamespace", "mirror").split("|")
        self.assertEqual(tables[:2], ["USERS", "Users"])
        self.assertEqual(len({name for name in tables if name.startswith(long[:50])}), 2)
        self.assertTrue(all(len(name) <= 63 for name in tables))
        self.assertIn('with "quotes" and spaces', tables)


if __name__ == "__main__":
    unittest.main()
