"""The Debian package index of this machine as a typed relational database: the real data of the demo.

`apt-cache dumpavail` prints a stanza for each package version that the machine's package sources offer, some 60,000. They
become five tables with keys, loaded by COPY. What each field means: deb822(5) and deb-control(5)."""

import itertools
import re
import subprocess

SCHEMA = """
CREATE SCHEMA archive;
CREATE TABLE archive.sections (
  id int PRIMARY KEY,
  name text NOT NULL UNIQUE);
CREATE TABLE archive.maintainers (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  email text,
  UNIQUE (name, email));
CREATE TABLE archive.packages (
  id bigint PRIMARY KEY,
  name text NOT NULL UNIQUE,
  section_id int REFERENCES archive.sections,
  priority text NOT NULL,
  essential boolean NOT NULL,
  tags text[] NOT NULL);
CREATE TABLE archive.versions (
  id bigint PRIMARY KEY,
  package_id bigint NOT NULL REFERENCES archive.packages,
  maintainer_id bigint REFERENCES archive.maintainers,
  version text NOT NULL,
  architecture varchar(16) NOT NULL,
  source text,
  installed_size_kib bigint,
  download_bytes bigint NOT NULL,
  size_ratio numeric(12,4),
  sha256 bytea NOT NULL,
  homepage text,
  description text NOT NULL,
  UNIQUE (package_id, version, architecture));
CREATE TABLE archive.dependencies (
  version_id bigint NOT NULL REFERENCES archive.versions,
  seq int NOT NULL,
  kind text NOT NULL CHECK (kind IN ('depends', 'pre-depends', 'recommends', 'suggests', 'enhances', 'breaks', 'conflicts', 'replaces', 'provides')),
  alternative int NOT NULL,
  target text NOT NULL,
  relation text CHECK (relation IN ('<<', '<=', '=', '>=', '>>')),
  target_version text,
  PRIMARY KEY (version_id, seq));
CREATE SCHEMA history;
CREATE TABLE history.dependency_days (
  id bigint PRIMARY KEY,
  seen_on date NOT NULL,
  version_id bigint NOT NULL,
  seq int NOT NULL,
  kind text NOT NULL,
  target text NOT NULL,
  relation text,
  target_version text,
  checked_at timestamptz NOT NULL);
"""
TABLES = ("sections", "maintainers", "packages", "versions", "dependencies")
KINDS = ("Depends", "Pre-Depends", "Recommends", "Suggests", "Enhances", "Breaks", "Conflicts", "Replaces", "Provides")

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_RELATION = re.compile(r"^\s*([^\s(:]+)(?::\w+)?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^)\s]+)\s*\))?")
_MAINTAINER = re.compile(r'^\s*"?(.*?)"?\s*(?:<([^>]*)>)?\s*$')


def stanzas():
    """Each stanza of the index as a dict; continuation lines are joined with line feeds."""
    with subprocess.Popen(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, text=True, errors="replace") as index:
        fields, name = {}, None
        for line in index.stdout:
            if line == "\n":
                if fields:
                    yield fields
                fields, name = {}, None
            elif line[0] in " \t":
                if name:
                    fields[name] += "\n" + line.strip()
            else:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        if fields:
            yield fields


class Ids:
    """Numbers 1, 2, 3, … for new values."""

    def __init__(self):
        self.known = {}

    def of(self, value):
        """The number of a value, and whether it is new."""
        known = self.known.get(value)
        if known:
            return known, False
        self.known[value] = len(self.known) + 1
        return len(self.known), True


def tables_of(index):
    """The rows of all tables, as lists of tuples by table name."""
    rows = {name: [] for name in TABLES}
    sections, maintainers, packages, versions = Ids(), Ids(), Ids(), Ids()
    for stanza in index:
        section = maintainer = None
        if "Section" in stanza:
            section, new = sections.of(stanza["Section"])
            if new:
                rows["sections"].append((section, stanza["Section"]))
        if "Maintainer" in stanza:
            person = _MAINTAINER.match(stanza["Maintainer"]).groups()
            maintainer, new = maintainers.of(person)
            if new:
                rows["maintainers"].append((maintainer, *person))
        package, new = packages.of(stanza["Package"])
        if new:
            tags = [tag.strip() for tag in re.split(r",\s*", stanza.get("Tag", "")) if tag.strip()]
            rows["packages"].append((package, stanza["Package"], section, stanza.get("Priority", "optional"),
                                     stanza.get("Essential") == "yes", tags))
        version, new = versions.of((package, stanza["Version"], stanza["Architecture"]))
        if not new or "SHA256" not in stanza:
            continue
        installed, size = stanza.get("Installed-Size"), int(stanza["Size"])
        ratio = f"{int(installed) * 1024 / size:.4f}" if installed and size else None
        rows["versions"].append((version, package, maintainer, stanza["Version"], stanza["Architecture"], stanza.get("Source"),
                                 installed, size, ratio, "\\x" + stanza["SHA256"], stanza.get("Homepage"), stanza.get("Description", "")))
        rows["dependencies"] += dependencies_of(version, stanza)
    return rows


def dependencies_of(version, stanza):
    """One row for each alternative of each relation of a stanza."""
    seq = itertools.count(1)
    for kind in KINDS:
        for clause in stanza.get(kind, "").split(","):
            if not clause.strip():
                continue
            for place, alternative in enumerate(clause.split("|")):
                target, relation, wanted = _RELATION.match(alternative).groups()
                relation = {"<": "<=", ">": ">="}.get(relation, relation)
                yield version, next(seq), kind.lower(), place, target, relation, wanted


def copy_line(row):
    """A row in COPY's text format."""
    return "\t".join(map(_field, row)) + "\n"


def _field(value):
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list):
        quoted = ('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in value)
        return ("{" + ",".join(quoted) + "}").translate(_ESCAPES)
    return str(value).translate(_ESCAPES)


def load(cluster, database):
    """Makes and fills the tables; returns {table: rows}."""
    rows = tables_of(stanzas())
    cluster.psql(SCHEMA, database)
    for table in TABLES:
        with subprocess.Popen(cluster.psql_command(database, "-c", f"COPY archive.{table} FROM STDIN"), stdin=subprocess.PIPE,
                              text=True) as psql:
            psql.stdin.writelines(map(copy_line, rows[table]))
        if psql.returncode != 0:
            raise RuntimeError(f"COPY into {table} failed")
    cluster.psql("ANALYZE", database)
    return {table: len(rows[table]) for table in TABLES}


def history_sql(rows):
    """Fills history.dependency_days with at least `rows` rows: what each day's index said of each dependency."""
    return f"""
INSERT INTO history.dependency_days
SELECT row_number() OVER (), DATE '2026-01-01' + day, d.version_id, d.seq, d.kind, d.target, d.relation, d.target_version,
       TIMESTAMPTZ '2026-01-01 00:00:00+00' + day * INTERVAL '1 day' + d.version_id * INTERVAL '1.318 seconds'
FROM generate_series(0, ({rows} - 1) / (SELECT count(*)::int FROM archive.dependencies)) day, archive.dependencies d
LIMIT {rows};
ANALYZE history.dependency_days;
"""
