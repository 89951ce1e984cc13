"""Two tables compared row by row: both are read whole, in the same order, and each row of one is held against the row
of the other."""

import subprocess

from .pg import PgError, _clean_environment, quote

_CHUNK = 1 << 20


class Difference(AssertionError):
    """The tables are not equal; the text shows the first rows that differ."""


def columns_of(cluster, database, schema, table):
    """The names of a table's columns, in order."""
    text = cluster.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = "
        f"to_regclass({_literal(quote(schema) + '.' + quote(table))}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        database)
    if not text:
        raise Difference(f"there is no table {schema}.{table} in {database}")
    return text.split("\n")


def key_of(cluster, database, schema, table):
    """The columns of the primary key, in its order; empty if there is none."""
    text = cluster.query(
        "SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(n, place), pg_attribute a WHERE i.indisprimary "
        f"AND i.indrelid = to_regclass({_literal(quote(schema) + '.' + quote(table))}) AND a.attrelid = i.indrelid "
        "AND a.attnum = k.n ORDER BY k.place", database)
    return text.split("\n") if text else []


def compare_tables(left, right, where="true"):
    """Compares (cluster, database, schema, table) with another, over the columns of the first and the rows that meet the
    condition. Returns the number of rows; raises Difference."""
    columns = columns_of(*left)
    missing = set(columns) - set(columns_of(*right))
    if missing:
        raise Difference(f"columns missing in {_name(right)}: {', '.join(sorted(missing))}")
    order = key_of(*left) or columns
    sides = [_Reader(side, columns, order, where) for side in (left, right)]
    rows = 0
    try:
        while True:
            one, two = (side.read() for side in sides)
            if one != two:
                for side, chunk in zip(sides, (one, two)):
                    if not chunk:
                        side.finish()  # an error of the server is not a short table
                raise Difference(_explain(left, right, rows, one, two))
            if not one:
                break
            rows += one.count(b"\n")
        for side in sides:
            side.finish()
    finally:
        for side in sides:
            side.close()
    return rows


def require_equal(source, source_db, source_schema, destination, destination_db, destination_schema, tables):
    """Compares several tables of the same names; returns {table: rows}."""
    return {table: compare_tables((source, source_db, source_schema, table),
                                  (destination, destination_db, destination_schema, table)) for table in tables}


class _Reader:
    def __init__(self, side, columns, order, where):
        cluster, database, schema, table = side
        # Text is compared under "C" so that both sides agree whatever their databases' collations.
        keys = ", ".join(f't.{quote(name)}::text COLLATE "C"' for name in order)
        sql = (f"COPY (SELECT {', '.join('t.' + quote(name) for name in columns)} FROM {quote(schema)}.{quote(table)} t "
               f"WHERE {where} ORDER BY {keys}) TO STDOUT")
        self._process = subprocess.Popen(cluster.psql_command(database, "-c", "SET work_mem = '256MB'", "-c", sql),
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_clean_environment())

    def read(self):
        return self._process.stdout.read(_CHUNK)

    def finish(self):
        error = self._process.stderr.read()
        if self._process.wait() != 0:
            raise PgError(error.decode(errors="replace"))

    def close(self):
        self._process.kill()
        self._process.stdout.close()
        self._process.stderr.close()
        self._process.wait()


def _literal(text):
    return "'" + text.replace("'", "''") + "'"


def _name(side):
    return f"{side[1]}.{side[2]}.{side[3]}"


def _explain(left, right, rows, one, two):
    ours, theirs = one.split(b"\n"), two.split(b"\n")
    place = next((n for n, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
    show = lambda lines: lines[place].decode(errors="replace")[:400] if place < len(lines) else "(no row)"
    counts = [side[0].query(f"SELECT count(*) FROM {quote(side[2])}.{quote(side[3])}", side[1]) for side in (left, right)]
    return (f"row {rows + place + 1} differs\n  {_name(left)} ({counts[0]} rows):  {show(ours)}\n"
            f"  {_name(right)} ({counts[1]} rows):  {show(theirs)}")
