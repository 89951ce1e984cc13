"""Every built-in type of PostgreSQL with its extremes, and types of users and extensions: after a sync the destination prints what the
source prints. The test makes the table in docs/reference/postgres-types.md: python3 -m e2e.test_types writes it, from tests/."""

import sys
import unittest

from e2e.base import ServerCase
from support import REPO, resources

PAGE = REPO / "docs" / "reference" / "postgres-types.md"

SETUP = """
CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok ay');
CREATE DOMAIN posint AS int CHECK (value > 0);
CREATE TYPE address AS (street text, number int);
CREATE TYPE nested AS (home address, scores int[]);
CREATE TYPE floatrange AS RANGE (subtype = float8);
"""

# Each type and the values it is tried with; each column also holds nulls.
TYPES = {
    "smallint": ["-32768", "32767", "0"],
    "integer": ["-2147483648", "2147483647"],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "real": ["NaN", "Infinity", "-Infinity", "-0", "1.17549435e-38", "3.4028235e38", "1e-45"],
    "double precision": ["NaN", "Infinity", "-Infinity", "-0", "5e-324", "1.7976931348623157e308", "0.1"],
    "numeric": ["NaN", "Infinity", "-Infinity", "0", "-0.0000000001", "9" * 1000, "0." + "0" * 999 + "1", "1e-16383", "1.10"],
    "numeric(12,4)": ["99999999.9999", "-0.0001", "NaN"],
    "numeric(5,-2)": ["1234500"],
    "money": ["-92233720368547758.08", "92233720368547758.07"],
    "boolean": ["t", "f"],
    "character(5)": ["a", "     ", "abcde"],
    "character varying(10)": ["", "ÄÖÜ€😀"],
    "text": ["", "x" * 2_000_000, "tab\t nl\n cr\r \\ quote' \" \\N \\."],
    "name": ["n" * 63],
    '"char"': ["a", ""],
    "bytea": ["\\x", "\\x00ff", "\\x" + "00" * 500_000],
    "date": ["4713-01-01 BC", "5874897-12-31", "infinity", "-infinity", "0001-12-31 BC"],
    "time without time zone": ["00:00:00", "24:00:00", "23:59:59.999999"],
    "time(3) without time zone": ["12:00:00.123"],
    "time with time zone": ["00:00:00+15:59:59", "24:00:00-15:59:59", "12:00:00.000001+02"],
    "timestamp without time zone": ["4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999", "infinity", "-infinity"],
    "timestamp with time zone": ["4713-01-02 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00", "infinity", "-infinity"],
    "interval": ["178000000 years", "-178000000 years", "1 mon -1 day 00:00:00.000001", "0"],
    "interval day to second(3)": ["1 day 00:00:00.001"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "json": ['{"a" : 1, "a":2,  "b":[null]}', "null", '"\\u0000"'],
    "jsonb": ['{"a":1e400}', "null", "[]", '"\\u00e9"'],
    "jsonpath": ["$.a[*] ? (@ > 1)"],
    "xml": ["<a>b</a>", "text only"],
    "inet": ["0.0.0.0/0", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "10.1.2.3/8"],
    "cidr": ["10.0.0.0/8", "::/0"],
    "macaddr": ["ff:ff:ff:ff:ff:ff"],
    "macaddr8": ["00:00:00:00:00:00:00:00"],
    "bit(3)": ["101", "000"],
    "bit varying": ["", "1", "10" * 500],
    "point": ["(0,-0)", "(Infinity,NaN)", "(1e300,-1e-300)"],
    "line": ["{1,-1,0}"],
    "lseg": ["[(0,0),(1,1)]"],
    "box": ["(1,1),(0,0)"],
    "path": ["[(0,0),(1,1)]", "((0,0),(1,1))"],
    "polygon": ["((0,0),(1,1),(2,0))"],
    "circle": ["<(0,0),1>"],
    "tsvector": ["'a':1A 'b c':2,3B", ""],
    "tsquery": ["'a' & !'b' <2> 'c'"],
    "int4range": ["empty", "(,)", "[1,10)"],
    "int8range": ["[1,)"],
    "numrange": ["[1.5,2.5]", "(,NaN)"],
    "tsrange": ["[-infinity,infinity]"],
    "tstzrange": ["[2020-01-01 00:00:00+00,)"],
    "daterange": ["[2020-01-01,2020-02-01)"],
    "int4multirange": ["{}", "{[1,2),[5,9)}"],
    "nummultirange": ["{[1,2]}"],
    "integer[]": ["{}", "{1,NULL,3}", "[0:2]={1,2,3}", "{{1,2},{3,4}}"],
    "text[]": ['{"",NULL,"a,b","q\\"q","NULL"}'],
    "numeric[]": ["{NaN,1.10}"],
    "timestamp with time zone[]": ["{infinity,NULL}"],
    "jsonb[]": ['{"{\\"a\\":1}"}'],
    "bytea[]": ['{"\\\\x00ff"}'],
    "oid": ["4294967295"],
    "xid": ["4294967295"],
    "xid8": ["18446744073709551615"],
    "cid": ["1"],
    "tid": ["(4294967295,65535)"],
    "pg_lsn": ["FFFFFFFF/FFFFFFFF"],
    "pg_snapshot": ["10:20:10,14"],
    "txid_snapshot": ["10:20:"],
    "regclass": ["pg_class"],
    "regtype": ["integer"],
    "regproc": ["now"],
    "regrole": ["postgres"],
    "regnamespace": ["public"],
    "int2vector": ["1 2 3"],
    "oidvector": ["1 2"],
    "aclitem": ["postgres=r/postgres"],
    "refcursor": ["c"],
    "mood": ["sad", "ok ay"],
    "mood[]": ['{sad,"ok ay",NULL}'],
    "posint": ["1"],
    "posint[]": ["{1,2}"],
    "address": ['("a ""b""",5)', "(,)"],
    "address[]": ['{"(x,1)",NULL}'],
    "nested": ['("(a,1)",{})'],
    "floatrange": ["[1.5,2.5)"],
    "hstore": ['"a"=>"1", "b"=>NULL', ""],
    "citext": ["Abc"],
    "ltree": ["a.b.c"],
}
WHAT = {"mood": "an enum", "mood[]": "array of an enum", "posint": "a domain over integer", "posint[]": "array of a domain over integer",
        "address": "a composite", "address[]": "array of a composite", "nested": "a composite with an array and a composite",
        "floatrange": "a range of a user", "hstore": "extension hstore", "citext": "extension citext", "ltree": "extension ltree"}
ROWS = max(len(values) for values in TYPES.values()) + 1  # the last one holds nulls alone


def literal(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def column(i):
    return f"c{i:02}"


def shown(value):
    text = value if len(value) <= 44 else f"{value[:12]}… ({len(value):,} characters)"
    text = text.replace("|", "\\|").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return f"`{text}`" if text.strip() else f"{len(value)} blanks" if value else "empty"


class TypesTest(ServerCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        columns = ", ".join(f"{column(i)} {name}" for i, name in enumerate(TYPES))
        cls.pg.psql(SETUP + f"CREATE TABLE every_type (id int PRIMARY KEY, {columns});", "shop")
        for row in range(ROWS):
            values = [literal(values[row] if row < len(values) else None) for values in TYPES.values()]
            cls.pg.psql(f"INSERT INTO every_type VALUES ({row}, {', '.join(values)})", "shop")

    def printed(self, database, table):
        """What the server prints of each column, by name of the type."""
        parts = ", ".join(f"md5(coalesce(string_agg({column(i)}::text, '|' ORDER BY id) FILTER (WHERE {column(i)}::text IS NOT NULL), 'none')) || "
                          f"' ' || count({column(i)}::text)" for i in range(len(TYPES)))
        row = self.pg.query(f"SELECT concat_ws(',', {parts}) FROM {table}", database)
        return dict(zip(TYPES, row.strip().split(",")))

    def synced(self, mode, **entry):
        schema = "d_" + mode
        connection = resources.make_connection(
            self.server, self.pg, "shop", self.pg, "mirror", [{"namespace": "public", "name": "every_type", "syncMode": mode} | entry],
            schemas=("public",), name=mode.replace("_", "-"), destination_schema=schema)
        job = resources.sync(self.server, connection)
        self.assertEqual(job["status"], "succeeded", job)
        return f"{schema}.every_type"

    def assert_equal_print(self, table):
        wanted, got = self.printed("shop", "every_type"), self.printed("mirror", table)
        self.assertEqual({t: got[t] for t in TYPES if got[t] != wanted[t]}, {}, "types that print otherwise at the destination")
        # The print is no accident of its making: the source itself has a value for each column.
        self.assertEqual([t for t in TYPES if wanted[t].endswith(" 0")], [])

    def types_at(self, table):
        out = self.pg.query("SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
                            f"WHERE attrelid = '{table}'::regclass AND attname ~ '^c[0-9]+$' ORDER BY attname", "mirror")
        return dict(zip(TYPES, out.splitlines()))

    def page(self, types):
        lines = [f"| {name if name not in WHAT else f'{name}: {WHAT[name]}'} | {types[name]} | {', '.join(map(shown, TYPES[name]))} |"
                 for name in TYPES]
        return ("# Types of PostgreSQL\n\n"
                "What a type of the source becomes at a PostgreSQL destination, and the values that a test carries across: afterwards the\n"
                "destination prints each of them as the source does. This page is written by that test, `tests/e2e/test_types.py`.\n\n"
                "| type at the source | type at the destination | tried with, beside null |\n|---|---|---|\n" + "\n".join(lines) + "\n")

    def test_an_overwrite_carries_every_type_and_the_page_of_types_says_what_each_becomes(self):
        table = self.synced("full_refresh_overwrite")
        self.assert_equal_print(table)
        page = self.page(self.types_at(table))
        if "--write" in sys.argv:
            PAGE.write_text(page)
        self.assertEqual(PAGE.read_text(), page, "docs/reference/postgres-types.md is old: run python3 -m e2e.test_types --write in tests/")

    def test_an_append_carries_every_type(self):
        self.assert_equal_print(self.synced("full_refresh_append"))

    def test_a_merge_carries_every_type(self):
        self.assert_equal_print(self.synced("incremental_deduped_history", primaryKey=[["id"]], cursorField=["id"]))


if __name__ == "__main__":
    unittest.main(argv=[word for word in sys.argv if word != "--write"])
