"""What happens to rows and fields on their way: filters, limits, selected fields, mappers, values that do not fit, and
changes of the source's schema."""

import base64
import hashlib
import json
import subprocess
import unittest

from e2e.test_upkeep import TablesCase
from support import temp_dir

PEOPLE = """
CREATE TABLE people (id int PRIMARY KEY, email text, age text, secret text, born date, tags text[], "Odd Name" int);
INSERT INTO people VALUES (1, 'ann@x.org', '42', 's1', '2000-02-29', '{a,b}', 7), (2, NULL, 'forty', 's2', NULL, NULL, NULL),
  (3, 'cy@x.org', '42.0', 's3', '1999-12-31', '{}', 9);
"""


class FieldsTest(TablesCase):
    def setUp(self):
        super().setUp()
        self.sql(PEOPLE)

    def people(self, columns):
        return self.rows(columns, "people")

    def test_a_filter_and_a_limit_are_put_into_the_query(self):
        connection = self.connect("full_refresh_overwrite", "people", filter="(age = '42' OR \"Odd Name\" >= 9) AND email IS NOT NULL")
        job = self.sync(connection)
        self.assertEqual((job["streams"][0]["rowsRead"], self.people("id")), (2, [[1], [3]]))
        self.http.request("PATCH", f"/v1/connections/{connection}", {"configurations": {"streams": [
            {"namespace": "m", "name": "people", "limit": 2}]}})
        self.sync(connection)
        self.assertEqual(len(self.people("id")), 2)

    def test_a_filter_that_is_no_condition_is_refused_when_it_is_written(self):
        for wrong in ("id = 1; DROP TABLE people", "id = (SELECT 1)", "pg_read_file('x') = ''", "id = 1 --", "id =", "\"id", "id = 1) OR (1 = 1"):
            with self.subTest(wrong):
                with self.assertRaises(Exception) as refused:
                    self.connect("full_refresh_overwrite", "people", filter=wrong, name=f"{self.name}-x")
                self.assertIn("filter", str(refused.exception))
                self.http.request("DELETE", "/v1/sources/none")
                self.name += "x"
        connection = self.connect("full_refresh_overwrite", "people", filter="nothing = 1", name=f"{self.name}-unknown")
        self.assertEqual(self.run_job(connection, "sync", "failed")["failure"]["code"], "stream.field_unknown")

    def test_only_the_selected_fields_are_there(self):
        connection = self.connect("full_refresh_overwrite", "people", selectedFields=["id", "Odd Name"])
        self.sync(connection)
        columns = self.pg.query("SELECT string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns "
                                f"WHERE table_schema = '{self.schema}'", "mirror")
        self.assertEqual(columns, "id,Odd Name")

    def test_mappers_rename_hash_redact_and_cast(self):
        connection = self.connect("full_refresh_overwrite", "people", mappers=[
            {"type": "rename", "field": "Odd Name", "to": "odd"},
            {"type": "hash", "field": "email"},
            {"type": "hashing", "mapperConfiguration": {"targetField": "tags", "method": "MD5", "fieldNameSuffix": "_hashed"}},
            {"type": "redact", "field": "secret"},
            {"type": "cast", "field": "born", "to": "timestamp"}])
        self.sync(connection)
        sha = lambda text: hashlib.sha256(text.encode()).hexdigest()
        self.assertEqual(self.people("id, odd, email, secret, born"),
                         [[1, 7, sha("ann@x.org"), "***", "2000-02-29T00:00:00"], [2, None, None, "***", None],
                          [3, 9, sha("cy@x.org"), "***", "1999-12-31T00:00:00"]])
        self.assertEqual(self.people("id, tags_hashed")[0], [1, hashlib.md5(b"{a,b}").hexdigest()])

    def test_mappers_of_a_deduped_stream_keep_its_key_and_cursor(self):
        connection = self.connect("incremental_deduped_history", cursorField=["u"], mappers=[
            {"type": "rename", "field": "id", "to": "user_id"}, {"type": "rename", "field": "u", "to": "changed"},
            {"type": "hash", "field": "name"}])
        self.sync(connection)
        self.sql("UPDATE users SET u = 90 WHERE id = 1")
        self.sync(connection)
        self.assertEqual(self.rows("user_id, changed"), [[1, 90], [2, 20]])

    def test_an_encrypted_field_is_read_by_the_holder_of_the_private_key_only(self):
        folder = temp_dir("keys")
        private = folder / "private.pem"
        run = lambda *words, **more: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, **more).stdout
        run("genrsa", "-out", private, "2048")
        public = run("rsa", "-in", private, "-pubout").decode()
        self.sql("INSERT INTO people (id, secret) VALUES (9, repeat('long ', 100))")
        connection = self.connect("full_refresh_overwrite", "people", mappers=[{"type": "encrypt", "field": "secret", "publicKey": public}])
        self.sync(connection)
        sealed = dict(self.people("id, secret"))
        opened = lambda text: run("pkeyutl", "-decrypt", "-inkey", private, "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256",
                                  "-pkeyopt", "rsa_mgf1_md:sha256", input=base64.b64decode(text))
        self.assertEqual(opened(sealed[1]), b"s1")
        key, body = sealed[9].split(".")
        self.assertEqual((len(opened(key)), len(base64.b64decode(body))), (32, 12 + 500 + 16))

    def test_what_does_not_fit_is_null_and_kept_in_the_quarantine(self):
        connection = self.connect("full_refresh_append", "people", mappers=[{"type": "cast", "field": "age", "to": "integer"}])
        job = self.sync(connection)
        self.assertEqual((job["streams"][0]["rowsCommitted"], job["streams"][0]["rowsQuarantined"]), (3, 1))
        self.assertEqual(self.people("id, age"), [[1, 42], [2, None], [3, 42]])
        errors = self.people("id, _errors")
        self.assertEqual((errors[0][1], errors[1][1][0]["field"]), (None, "age"))
        kept = self.http.get(f"/v1/connections/{connection}/quarantine")["data"]
        self.assertEqual([(v["name"], v["field"], v["value"], v["key"], v["jobId"]) for v in kept],
                         [("people", "age", "forty", {"id": "2"}, job["jobId"])])
        listed = json.loads(self.assertExit(0, "quarantine", "list", self.name, "--stream", "m.people", "-o", "json").stdout)
        self.assertEqual(len(listed), 1)

    def test_a_strict_stream_fails_instead(self):
        connection = self.connect("full_refresh_append", "people", strict=True, mappers=[{"type": "cast", "field": "age", "to": "integer"}])
        job = self.run_job(connection, "sync", "failed")
        self.assertEqual(job["failure"]["code"], "stream.value_unfit")
        self.assertIn("age", job["failure"]["message"])

    def test_mappers_that_would_break_the_stream_are_refused(self):
        for mapper in ({"type": "twist", "field": "id"}, {"type": "hash", "field": "id", "method": "CRC"}, {"type": "cast", "field": "id", "to": "cow"},
                       {"type": "encrypt", "field": "id", "publicKey": "none"}, {"type": "hash"}):
            with self.subTest(mapper), self.assertRaises(Exception) as refused:
                self.connect("full_refresh_overwrite", "people", mappers=[mapper], name=f"{self.name}-{json.dumps(mapper)[:40]}")
            self.assertIn("422", str(refused.exception))
        connection = self.connect("incremental_append", cursorField=["u"], mappers=[{"type": "hash", "field": "u"}])
        self.assertEqual(self.run_job(connection, "sync", "failed")["failure"]["code"], "connector.mapper_invalid")


class ValueTextTest(TablesCase):
    """Values as text and back, held against PostgreSQL's own output."""

    VALUES = {
        "boolean": ("true", "false"),
        "smallint": ("-32768", "32767"),
        "integer": ("-2147483648", "0"),
        "bigint": ("-9223372036854775808", "9223372036854775807"),
        "real": ("'NaN'", "'-Infinity'", "1.17549435e-38", "3.4028235e38", "0.1", "123456", "1234567", "-0.0"),
        "double precision": ("'Infinity'", "2.2250738585072014e-308", "1.7976931348623157e308", "0.1", "100000000000000", "1e15", "0.0001", "0.00001"),
        "numeric": ("'NaN'", "0", "0.00", "1e-42", "-123456789012345678901234567890.12345678901234567890", "10000", "100000000", "0.0001", "1e300", "120.0500"),
        "numeric(10,2)": ("99999999.99", "-0.01", "12"),
        "text": ("''", "'ünïcödé 漢字 🙂'", "E'tab\\tnew\\nline\\\\N'"),
        "bytea": ("'\\x'", "'\\x00ff7f80'"),
        "uuid": ("'00000000-0000-0000-0000-000000000000'", "'0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'"),
        "json": ("'{\"a\": [1, 2.50, null]}'",),
        "jsonb": ("'{\"b\": 1, \"a\": {\"n\": 1e40}}'",),
        "date": ("'4713-01-01 BC'", "'0001-12-31 BC'", "'2024-02-29'", "'1999-12-31'", "'infinity'", "'-infinity'"),
        "time": ("'00:00:00'", "'24:00:00'", "'12:34:56.123456'", "'12:34:56.1'"),
        "timetz": ("'00:00:00+15:59'", "'12:34:56.123456-08'"),
        "timestamp": ("'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'", "'infinity'", "'1969-12-31 23:59:59.5'"),
        "timestamptz": ("'4713-01-01 00:00:00+00 BC'", "'2024-03-31 01:30:00+01'", "'-infinity'", "'1582-10-15 12:00:00.000001+00'"),
        "interval": ("'178000000 years'", "'-1 year 2 mons -3 days 04:05:06.789'", "'0'", "'-00:00:01'", "'1 day -00:00:01'"),
    }

    def make(self, values):
        columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(values))
        self.sql(f"CREATE TABLE wide (id int PRIMARY KEY, {columns})")
        for row in range(max(len(v) for v in values.values())):
            cells = ", ".join(v[row] if row < len(v) else "NULL" for v in values.values())
            self.sql(f"INSERT INTO wide VALUES ({row}, {cells})")

    def both(self, expression):
        """Its value for each row at the source, and at the destination."""
        sql = "SET TimeZone = 'UTC'; SELECT coalesce(string_agg(coalesce({0}, '<null>'), ' | ' ORDER BY id), '') FROM {1}.wide"
        return self.pg.query(sql.format(expression, "m"), "shop"), self.pg.query(sql.format(expression, self.schema), "mirror")

    def test_a_value_cast_to_text_is_what_postgres_writes(self):
        self.make(self.VALUES)
        connection = self.connect("full_refresh_overwrite", "wide",
                                  mappers=[{"type": "cast", "field": f"c{n}", "to": "text"} for n in range(len(self.VALUES))])
        self.assertEqual(self.sync(connection)["streams"][0]["rowsQuarantined"], 0)
        for n, kind in enumerate(self.VALUES):
            with self.subTest(kind):
                want, got = self.both(f"c{n}::text")
                self.assertEqual(got, want)

    def test_a_text_cast_to_a_type_is_the_value_that_postgres_reads(self):
        kinds = [kind for kind in self.VALUES if kind != "interval"]
        columns = ", ".join(f"c{n} text" for n in range(len(kinds)))
        self.make({kind: self.VALUES[kind] for kind in kinds})
        self.sql(f"ALTER TABLE wide RENAME TO typed; CREATE TABLE wide (id int PRIMARY KEY, {columns}); SET TimeZone = 'UTC';"
                 "INSERT INTO wide SELECT id, " + ", ".join(f"c{n}::text" for n in range(len(kinds))) + " FROM typed")
        casts = [{"type": "cast", "field": f"c{n}", "to": {"integer": "int4", "bytea": "text"}.get(kind, kind)} for n, kind in enumerate(kinds)]
        connection = self.connect("full_refresh_overwrite", "wide", mappers=casts)
        self.assertEqual(self.sync(connection)["streams"][0]["rowsQuarantined"], 0)
        for n, kind in enumerate(kinds):
            with self.subTest(kind):
                want, got = self.both(f"c{n}::text")
                self.assertEqual(got, want)


class RawTest(TablesCase):
    def test_raw_and_direct_come_to_the_same_table_and_the_documents_stay(self):
        self.sql(PEOPLE + "ALTER TABLE people ADD COLUMN u int, ADD COLUMN j jsonb; UPDATE people SET u = id, j = '{\"a\": [1, 2.50]}' WHERE id <> 2")
        for n, (mode, entry) in enumerate((("full_refresh_overwrite", {}), ("incremental_append", {"cursorField": ["u"]}),
                                           ("incremental_deduped_history", {"cursorField": ["u"]}))):
            with self.subTest(mode):
                direct = self.connect(mode, "people", name=f"{self.name}-d{n}", spec={"prefix": f"d{n}_"}, **entry)
                raw = self.connect(mode, "people", name=f"{self.name}-r{n}", spec={"prefix": f"r{n}_"}, raw=True, **entry)
                for change in ("", f"INSERT INTO people (id, u, email) VALUES ({10 + n}, {10 + n}, 'new'); UPDATE people SET u = {20 + n} WHERE id = 1"):
                    self.sql(change)
                    self.sync(direct), self.sync(raw)
                    columns = 'id, email, age, born, tags, "Odd Name", u, j'
                    self.assertEqual(self.rows(columns, f"r{n}_people"), self.rows(columns, f"d{n}_people"))
                documents = self.rows("_data", f"_raw_r{n}_people")
                self.assertEqual(documents[0][0].keys(), {"id", "email", "age", "secret", "born", "tags", "Odd Name", "u", "j"})

    def test_another_type_needs_no_fetching(self):
        self.sql(PEOPLE)
        stream = {"namespace": "m", "name": "people", "syncMode": "full_refresh_append", "raw": True}
        connection = self.connect(stream.pop("syncMode"), "people", raw=True, mappers=[{"type": "cast", "field": "age", "to": "integer"}])
        self.sync(connection)
        self.assertEqual(self.rows("id, age", "people"), [[1, 42], [2, None], [3, None]])
        kept = self.http.get(f"/v1/connections/{connection}/quarantine")["data"]
        self.assertEqual({(v["field"], v["value"]) for v in kept}, {("age", "forty"), ("age", "42.0")})
        self.assertEqual([row[0] for row in self.rows("id, _errors", "people") if row[1]], [2, 3])
        self.sql("DROP TABLE people")
        self.http.request("PATCH", f"/v1/connections/{connection}", {"configurations": {"streams": [stream | {
            "syncMode": "full_refresh_append", "mappers": [{"type": "cast", "field": "age", "to": "numeric"}]}]}})
        self.run_job(connection, "normalize")
        self.assertEqual(self.rows("id, age", "people"), [[1, 42], [2, None], [3, 42.0]])
        self.assertEqual(len(self.http.get(f"/v1/connections/{connection}/quarantine")["data"]), 1)


class SchemaChangeTest(TablesCase):
    def changes(self, job):
        return {(c["change"], c["field"], c["decision"]) for c in job["streams"][0].get("schemaChanges", [])}

    def test_added_renamed_widened_and_dropped_fields_are_followed_in_place(self):
        connection = self.connect("incremental_append", cursorField=["u"])
        self.sync(connection)
        self.sql("ALTER TABLE users ADD COLUMN email text; ALTER TABLE users RENAME COLUMN name TO full_name;"
                 "ALTER TABLE users ALTER COLUMN id TYPE bigint; INSERT INTO users (id, u, full_name, email) VALUES (5000000000, 30, 'c', 'c@x')")
        job = self.sync(connection)
        self.assertEqual(self.changes(job), {("field_added", "email", "applied"), ("field_renamed", "full_name", "applied"),
                                             ("field_retyped", "id", "applied")})
        self.assertEqual({row[2] for row in self.rows("id, email, full_name")}, {"a", "b", "c"})
        self.sql("ALTER TABLE users DROP COLUMN email; INSERT INTO users VALUES (6, 60, 'f')")
        job = self.sync(connection)
        self.assertEqual(self.changes(job), {("field_dropped", "email", "applied")})
        self.assertIn([5000000000, "c@x"], self.rows("id, email"))
        self.assertIn([6, None], self.rows("id, email"))
        self.assertEqual(self.changes(self.sync(connection)), set(), "a change that was taken is none any more")

    def test_under_ignore_the_table_stays_what_it_is(self):
        connection = self.connect("incremental_append", cursorField=["u"], spec={"nonBreakingSchemaUpdatesBehavior": "ignore"})
        self.sync(connection)
        self.sql("ALTER TABLE users ADD COLUMN email text; ALTER TABLE users RENAME COLUMN name TO full_name;"
                 "INSERT INTO users VALUES (3, 30, 'c', 'c@x')")
        job = self.sync(connection)
        self.assertEqual({c[2] for c in self.changes(job)}, {"ignored"})
        self.assertIn([3, 30, "c"], self.rows())
        columns = self.pg.query(f"SELECT count(*) FROM information_schema.columns WHERE table_schema = '{self.schema}' AND column_name = 'email'", "mirror")
        self.assertEqual(columns, "0")
        self.sql("ALTER TABLE users ALTER COLUMN id TYPE text; INSERT INTO users VALUES ('four', 40, 'd', 'd@x'), ('5', 41, 'e', 'e@x')")
        job = self.sync(connection)
        self.assertEqual(job["streams"][0]["rowsQuarantined"], 1)
        self.assertIn([5, 41, "e"], self.rows())
        self.assertIn([None, 40, "d"], self.rows())

    def test_under_disable_connection_a_change_stops_it_until_somebody_has_looked(self):
        connection = self.connect("incremental_append", cursorField=["u"], spec={"nonBreakingSchemaUpdatesBehavior": "disable_connection"})
        self.sync(connection)
        self.sql("ALTER TABLE users ADD COLUMN email text; INSERT INTO users VALUES (3, 30, 'c', 'c@x')")
        job = self.run_job(connection, "sync", "failed")
        self.assertEqual(job["failure"]["code"], "sync.schema_changed")
        self.assertIn("email", job["failure"]["message"])
        self.assertEqual(self.http.get(f"/v1/connections/{connection}")["status"], "inactive")
        self.assertExit(0, "enable", self.name)
        self.sync(connection)
        self.assertIn([3, "c@x"], self.rows("id, email"))

    def test_a_changed_key_stops_a_deduped_stream_until_it_is_refreshed(self):
        connection = self.connect("incremental_deduped_history", cursorField=["u"])
        self.sync(connection)
        self.sql("ALTER TABLE users DROP CONSTRAINT users_pkey; ALTER TABLE users ADD PRIMARY KEY (name)")
        job = self.run_job(connection, "sync", "failed")
        self.assertEqual(job["failure"]["code"], "stream.breaking_change")
        self.run_job(connection, "refresh")
        self.sql("INSERT INTO users VALUES (1, 50, 'z')")
        self.sync(connection)
        self.assertEqual([row[2] for row in self.rows()], ["a", "z", "b"])


if __name__ == "__main__":
    unittest.main()
