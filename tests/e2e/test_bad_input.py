"""Bad input, case by case: each gets its own code and a remedy, and nothing breaks."""

import json
import re
import socket
import subprocess
import unittest

from e2e.base import ServerCase
from support import Client, Millrace, temp_dir
from support.paths import REPO

KNOWN = set(re.findall(r'^X\("([^"]+)"', (REPO / "common/error_catalogue.inc").read_text(), re.MULTILINE))


class CheckTest(ServerCase):
    """Each way in which a system can't be reached or used has its own code."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pg.psql("CREATE ROLE poor LOGIN PASSWORD 'right'; CREATE ROLE locked LOGIN PASSWORD 'right'; "
                    "REVOKE CONNECT, TEMPORARY ON DATABASE mirror FROM PUBLIC;", "shop")
        cls.pg.set_hba("local all all trust\nhost all locked 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust")

    def check(self, kind="source", **configuration):
        number = len(self.http.all(f"/v1/{kind}s"))
        base = self.pg.configuration("shop")
        base |= {"schemas": ["public"]} if kind == "source" else {"schema": "raw"}
        made = self.http.post(f"/v1/{kind}s", {"name": f"case-{number}", "connector": "postgres", "configuration": base | configuration})
        return self.http.post(f"/v1/{kind}s/{made[kind + 'Id']}/check")

    def test_each_way_of_failing_has_its_code_and_remedy(self):
        closed = socket.socket()
        closed.bind(("127.0.0.1", 0))
        self.addCleanup(closed.close)
        cases = {
            "wrong password": ({"username": "locked", "password": "wrong"}, "postgres.auth_failed"),
            "unknown host": ({"host": "no-such-host.invalid"}, "postgres.unknown_host"),
            "closed port": ({"port": closed.getsockname()[1]}, "postgres.unreachable"),
            "missing database": ({"database": "nowhere"}, "postgres.database_missing"),
            "missing schema": ({"schemas": ["nowhere"]}, None),
            "TLS required": ({"ssl_mode": {"mode": "require"}}, "postgres.tls_refused"),
            "no privilege to connect": ({"username": "poor", "database": "mirror"}, "postgres.permission_denied"),
        }
        seen = {}
        for name, (configuration, code) in cases.items():
            with self.subTest(name):
                answer = self.check(**configuration)
                self.assertEqual(answer["status"], "failed", answer)
                self.assertIn(answer["code"], KNOWN)
                if code:
                    self.assertEqual(answer["code"], code, answer)
                self.assertTrue(answer["message"] and answer["remedy"], answer)
                self.assertNotIn("wrong", answer["message"].replace("wrong password", ""), "no secret in a message")
                seen[name] = answer["code"]
        print("    " + ", ".join(f"{name}: {code}" for name, code in seen.items()), flush=True)

    def test_a_failed_check_is_exit_code_1_and_says_what_to_do(self):
        self.check(database="gone")
        name = [item["name"] for item in self.http.all("/v1/sources") if item["configuration"]["database"] == "gone"][0]
        done = self.assertExit(1, "check", name)
        self.assertIn("gone", done.stdout + done.stderr)
        self.assertIn("postgres.database_missing", done.stdout + done.stderr)

    def test_a_destination_without_privilege_is_told(self):
        answer = self.check("destination", username="poor", database="shop", schema="forbidden")
        self.assertEqual((answer["status"], answer["code"]), ("failed", "postgres.permission_denied"), answer)

    def test_a_sync_of_a_missing_table_or_without_privilege_fails_by_name(self):
        self.pg.psql("CREATE TABLE secret_table (id int PRIMARY KEY); GRANT SELECT ON orders, customers TO poor", "shop")
        for name, username, stream in (("missing", "postgres", "no_such_table"), ("forbidden", "poor", "secret_table")):
            with self.subTest(name):
                file = self.resources(name=name, streams=[f"{{namespace: public, name: {stream}}}"], source="")
                file.write_text(file.read_text().replace("username: postgres", f"username: {username}", 1))
                applied = self.server.cli("apply", "-f", file, "--yes", check=False)
                done = self.server.cli("sync", f"{name}-to-mirror", "--wait", check=False) if applied.returncode == 0 else applied
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(stream, done.stdout + done.stderr)


class ResourceFileTest(ServerCase):
    """Faults of files are told with their place, all at once."""

    def test_invalid_yaml_is_told_with_line_and_column(self):
        file = self.file("apiVersion: millrace/v1\nkind: Source\nmetadata: {name: a\nspec: [\n", "broken.yaml")
        for command in ("validate", "plan", "apply"):
            with self.subTest(command):
                done = self.assertExit(1, command, "-f", file, *(["--yes"] if command == "apply" else []))
                self.assertRegex(done.stderr + done.stdout, r"broken\.yaml:\d+:\d+")

    def test_all_faults_of_a_file_are_told_at_once_with_their_places(self):
        file = self.file("""
            apiVersion: millrace/v1
            kind: Source
            metadata: {name: a}
            spec:
              connector: postgres
              colour: green
              configuration: {host: h, port: 5432, database: d, username: u, hots: x}
            ---
            apiVersion: millrace/v1
            kind: Connexion
            metadata: {name: b}
            spec: {}
            """, "faults.yaml")
        done = self.assertExit(1, "validate", "-f", file)
        text = done.stdout + done.stderr
        self.assertRegex(text, r"faults\.yaml:6:\d+: .*colour")
        self.assertRegex(text, r"faults\.yaml:7:\d+: .*hots")
        self.assertRegex(text, r"faults\.yaml:10:\d+: kind")

    def test_a_good_file_is_valid_without_a_server(self):
        self.assertExit(0, "validate", "-f", self.resources(), env={"MILLRACE_SERVER": "http://127.0.0.1:1"})

    def test_a_missing_environment_variable_is_told_and_nothing_is_sent(self):
        file = self.resources(name="unset", source="password: ${env:MILLRACE_TEST_IS_NOT_SET}")
        done = self.assertExit(1, "apply", "-f", file, "--yes")
        self.assertIn("MILLRACE_TEST_IS_NOT_SET", done.stdout + done.stderr)
        self.assertNotIn("unset", [item["name"] for item in self.http.all("/v1/sources")])


class HttpTest(ServerCase):
    """Requests that must not be served."""

    def source(self, **spec):
        return {"name": "x", "connector": "postgres", "configuration": self.pg.configuration("shop", schemas=["public"])} | spec

    def assertRefused(self, reply):
        """The body was at fault; the problem's JSON."""
        self.assertIn(reply.status, (400, 413, 422), str(reply)[:500])
        return self.assertProblem(reply, reply.status)

    def test_an_unknown_field_is_refused_by_name_all_at_once(self):
        body = self.source(colour="green", shape="round")
        body["configuration"]["hots"] = "x"
        problem = self.assertRefused(self.http.request("POST", "/v1/sources", body))
        pointers = {error["pointer"] for error in problem["errors"]}
        self.assertLessEqual({"/colour", "/shape"}, pointers, problem)

    def test_a_wrong_sync_mode_is_refused_when_the_connection_is_written(self):
        source = self.http.post("/v1/sources", self.source(name="mode-source"))
        destination = self.http.post("/v1/destinations", {"name": "mode-destination", "connector": "postgres",
                                                          "configuration": self.pg.configuration("mirror", schema="raw")})
        for mode in ("sideways", "full_refresh_update", "incremental_soft_delete"):
            with self.subTest(mode):
                reply = self.http.request("POST", "/v1/connections", {
                    "name": "c", "sourceId": source["sourceId"], "destinationId": destination["destinationId"],
                    "configurations": {"streams": [{"name": "orders", "namespace": "public", "syncMode": mode}]}})
                problem = self.assertRefused(reply)
                self.assertEqual(problem["errors"][0]["pointer"], "/configurations/streams/0/syncMode")
                self.assertRegex(problem["detail"], f"full_refresh_overwrite|{mode}")

    def test_malformed_json_is_told_with_its_place(self):
        for raw in (b'{"name": "x",', b"\xff\xfe", b"[1, 2", b'{"a": 1} trailing', b'{"name": "' + b"\\ud800" + b'"}'):
            with self.subTest(raw=raw):
                self.assertRefused(self.http.request("POST", "/v1/sources", raw=raw))

    def test_deeply_nested_json_is_refused_and_the_server_lives(self):
        self.assertRefused(self.http.request("POST", "/v1/sources", raw=b"[" * 200_000 + b"]" * 200_000))
        self.assertEqual(self.http.request("GET", "/readyz").status, 200)

    def test_a_body_of_100_megabytes_is_refused_without_reading_it(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall((f"POST /v1/sources HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\nAuthorization: Bearer {self.server.token}\r\n"
                                "Content-Type: application/json\r\nContent-Length: 104857600\r\n\r\n").encode())
            head = connection.recv(65536).decode()
        self.assertRegex(head, r"^HTTP/1\.1 413 ")
        self.assertIn("problem+json", head)

    def test_a_chunked_body_without_end_is_cut_off(self):
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall((f"POST /v1/sources HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\nAuthorization: Bearer {self.server.token}\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n").encode())
            answer = b""
            try:
                for _ in range(200):
                    connection.sendall(chunk)
            except (ConnectionError, TimeoutError):
                pass
            else:
                self.fail("200 MB were taken")
            try:
                answer = connection.recv(65536)
            except ConnectionError:
                return  # reset: it was cut off
        self.assertRegex(answer.decode(), r"^(HTTP/1\.1 413 |$)")

    def test_a_string_of_100_kilobytes_against_a_pattern_is_refused(self):
        spec = self.http.get("/v1/connectors/postgres/spec")
        self.assertTrue(spec)
        for field in ("host", "database", "username", "jdbc_url_params"):
            with self.subTest(field):
                body = self.source(name="long")
                body["configuration"][field] = "a-" * 50_000
                self.assertRefused(self.http.request("POST", "/v1/sources", body))
        self.assertEqual(self.http.request("GET", "/readyz").status, 200)

    def test_a_slow_client_holds_no_other_one_up(self):
        slow = [socket.create_connection(("127.0.0.1", self.server.port), timeout=60) for _ in range(50)]
        for connection in slow:
            self.addCleanup(connection.close)
            connection.sendall(b"GET /v1/sources HTTP/1.1\r\nHost: 127.0.0.1")
        for _ in range(20):
            self.assertEqual(self.http.request("GET", "/v1/sources").status, 200)

    def test_paths_out_of_the_tree_are_not_found(self):
        for path in ("/../../etc/passwd", "/docs/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/sources/..%2f..%2ftoken",
                     "/v1/connectors/..%2F..%2Fetc%2Fpasswd/spec", "/docs/%00", "//etc/passwd"):
            with self.subTest(path):
                reply = self.http.request("GET", path)
                self.assertIn(reply.status, (400, 404), reply)
                self.assertNotIn("root:", reply.text)

    def test_what_does_not_exist_is_404_and_a_wrong_method_405(self):
        for path in ("/v1/nothing", "/v1/jobs/999999", "/v1/sources/0b8f2a0e-0000-4000-8000-000000000000", "/v1/workflows/none",
                     "/v1/jobs/not-a-number"):
            with self.subTest(path):
                self.assertProblem(self.http.request("GET", path), 404)
        self.assertProblem(self.http.request("DELETE", "/v1/connectors"), 405)

    def test_a_foreign_host_or_origin_is_403(self):
        for headers in ({"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            with self.subTest(headers):
                self.assertProblem(self.http.request("GET", "/v1/sources", headers=headers), 403)
        same = {"Origin": self.server.url}
        self.assertEqual(self.http.request("GET", "/v1/sources", headers=same).status, 200)

    def test_a_wrong_token_is_401_and_tells_nothing(self):
        for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": None}, {"Authorization": "Basic d3Jvbmc6d3Jvbmc="},
                        {"Authorization": "Bearer "}, {"Authorization": "Negotiate x"}):
            with self.subTest(headers):
                problem = self.assertProblem(self.http.request("GET", "/v1/sources", headers=headers), 401)
                self.assertNotIn(self.server.token, json.dumps(problem))


class DataDirectoryTest(unittest.TestCase):
    """What a start refuses."""

    def refused(self, server):
        server.start(ready=False)
        code = server.process.wait(30)
        self.assertNotEqual(code, 0)
        self.assertGreater(code, 0, f"ended by a signal: {server.log()}")
        return server.log()

    def test_two_servers_on_one_directory_are_refused(self):
        with Millrace() as first:
            second = Millrace(data_dir=first.data_dir, start=False)
            second.log_path = temp_dir("log") / "second.log"
            text = self.refused(second)
            self.assertIn("store.busy", text)
            self.assertIn(str(first.data_dir), text)
            self.assertEqual(first.http.request("GET", "/readyz").status, 200, "the first one goes on")

    def test_a_directory_of_a_newer_format_is_refused_and_left_alone(self):
        with Millrace() as server:
            self.assertEqual(server.stop(), 0)
            store = next(file.parent for file in server.data_dir.rglob("CURRENT"))
            tool = REPO / "build" / "tests" / "support" / "set_store_format"
            subprocess.run([tool, store, "1000"], check=True)
            text = self.refused(server)
            self.assertIn("store.newer_format", text)
            self.assertIn("1000", text)
            subprocess.run([tool, store, "1"], check=True)
            server.start()

    def test_an_unusable_directory_is_told(self):
        file = temp_dir("file") / "a-file"
        file.write_text("not a directory")
        server = Millrace(data_dir=file / "data", start=False)
        server.log_path = temp_dir("log") / "log"
        self.assertIn("store.unavailable", self.refused(server))

    def test_no_auth_is_for_loopback_only(self):
        server = Millrace(start=False, options=["--no-auth"])
        server.start()
        self.addCleanup(server.close)
        self.assertEqual(Client("127.0.0.1", server.port).request("GET", "/v1/sources").status, 200)
        server.kill()
        self.assertIn("loopback", self.refused(Millrace(start=False, options=["--no-auth"], address="0.0.0.0")))

    def test_a_port_in_use_is_told(self):
        with Millrace() as first:
            second = Millrace(start=False)
            second.port = first.port
            self.assertRegex(self.refused(second), rf"{first.port}")


if __name__ == "__main__":
    unittest.main()
