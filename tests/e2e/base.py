"""What the black-box tests share: one cluster and one server a test class, a small shop, resource files."""

import textwrap
import unittest

from support import Millrace, PgCluster, temp_dir

SHOP = '''
CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric(12,2), placed timestamptz NOT NULL DEFAULT now());
INSERT INTO orders SELECT n, 'customer ' || n % 7, n / 4.0, '2026-03-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, 1000) n;
CREATE TABLE customers (name text PRIMARY KEY, vip boolean, tags text[]);
INSERT INTO customers SELECT 'customer ' || n, n % 2 = 0, ARRAY['a', NULL, 'c "d"'] FROM generate_series(0, 6) n;
CREATE TABLE "Odd ""name""" (x int, y jsonb);
INSERT INTO "Odd ""name""" VALUES (1, '{"a": [1, null]}'), (NULL, NULL), (1, 'null');
ANALYZE;
'''
TABLES = ("orders", "customers", 'Odd "name"')


class ServerCase(unittest.TestCase):
    """A cluster with the databases `shop` (filled) and `mirror` (empty), and a server."""

    server_options = ()

    @classmethod
    def setUpClass(cls):
        cls.pg = PgCluster()
        cls.addClassCleanup(cls.pg.close)
        cls.pg.create_database("shop")
        cls.pg.create_database("mirror")
        cls.pg.psql(SHOP, "shop")
        cls.server = Millrace(options=cls.server_options)
        cls.addClassCleanup(cls.server.close)

    @property
    def http(self):
        return self.server.http

    def file(self, text, name="resources.yaml"):
        """A file with that text, its common indentation taken off."""
        path = temp_dir("yaml") / name
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def resources(self, name="shop", streams=None, connection="", source="", destination=""):
        """A source, a destination and a connection, as a file. The last three are more lines of their specs."""
        indent = lambda lines, depth: textwrap.indent(textwrap.dedent(lines).strip("\n"), " " * depth)
        entries = "\n".join(f"      - {entry}" for entry in streams or ['{namespace: public, name: "*"}'])
        return self.file(f"""\
apiVersion: millrace/v1
kind: Source
metadata: {{name: {name}}}
spec:
  connector: postgres
  configuration:
    host: {self.pg.host}
    port: {self.pg.port}
    database: shop
    schemas: [public]
    username: postgres
{indent(source, 4)}
---
apiVersion: millrace/v1
kind: Destination
metadata: {{name: {name}-mirror}}
spec:
  connector: postgres
  configuration:
    host: {self.pg.host}
    port: {self.pg.port}
    database: mirror
    schema: {name.replace('-', '_')}_raw
    username: postgres
{indent(destination, 4)}
---
apiVersion: millrace/v1
kind: Connection
metadata: {{name: {name}-to-mirror}}
spec:
  source: {name}
  destination: {name}-mirror
{indent(connection, 2)}
  configurations:
    streams:
{entries}
""")

    def assertExit(self, code, *words, **more):
        """Runs the command line and holds its exit code; the CompletedProcess."""
        done = self.server.cli(*words, check=False, **more)
        self.assertEqual(done.returncode, code, f"millrace {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
        return done

    def assertProblem(self, reply, status, code=None):
        """The reply is a problem of RFC 9457 with that status (and code); its JSON."""
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.headers.get_content_type(), "application/problem+json", reply)
        problem = reply.json()
        for member in ("type", "title", "status", "code", "remedy"):
            self.assertTrue(problem.get(member), f"{member} of {problem}")
        self.assertEqual(problem["status"], status)
        if code:
            self.assertEqual(problem["code"], code, problem)
        return problem
