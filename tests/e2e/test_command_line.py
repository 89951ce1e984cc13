"""Exit codes, consent, defaults, output forms and environment of the command line."""

import json
import os
import re
import subprocess
import unittest

from e2e.base import ServerCase
from support import millrace_binary, rows_read, wait_until


class ExitCodeTest(ServerCase):
    """0 ok, 1 the work failed, 2 usage or consent missing, 3 not allowed, 4 not found, 5 conflict, 6 time-out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.cli("apply", "-f", cls.resources(cls()), "--yes")

    def runTest(self):
        """So that setUpClass can make an instance."""

    def test_0_and_the_version(self):
        self.assertRegex(self.assertExit(0, "version").stdout, r"\d+\.\d+\.\d+")
        self.assertIn("server", self.assertExit(0, "--help").stdout)
        for command in ("server", "copy", "check", "discover", "validate", "plan", "apply", "get", "describe", "sync", "jobs", "job", "logs",
                        "cancel", "workflow", "replay", "version"):
            with self.subTest(command):
                self.assertTrue(self.assertExit(0, command, "--help").stdout.strip())

    def test_1_when_the_work_failed(self):
        self.pg.psql("CREATE TABLE gone (id int PRIMARY KEY)", "shop")
        file = self.resources(name="gone", streams=["{namespace: public, name: gone}"])
        self.assertExit(0, "apply", "-f", file, "--yes")
        self.pg.psql("DROP TABLE gone", "shop")
        self.assertIn("gone", self.assertExit(1, "sync", "gone-to-mirror", "--wait").stderr)

    def test_2_for_wrong_usage(self):
        for words in (["no-such-command"], ["sync"], ["sync", "shop-to-mirror", "--no-such-flag"], ["get", "no-such-kind"],
                      ["replay", "1", "--mode", "sideways"], ["job", "not-a-number"], ["jobs", "-o", "no-such-form"], []):
            with self.subTest(words):
                self.assertTrue(self.assertExit(2, *words).stderr.strip())

    def test_3_with_a_wrong_token(self):
        done = self.assertExit(3, "get", "sources", env={"MILLRACE_TOKEN": "wrong"})
        self.assertNotIn(self.server.token, done.stderr)

    def test_4_for_what_is_not_there(self):
        for words in (["sync", "no-such-connection"], ["job", "999999"], ["describe", "source", "no-such-source"], ["check", "no-such"],
                      ["workflow", "show", "no-such"], ["replay", "999999", "--mode", "verify"], ["logs", "999999"]):
            with self.subTest(words):
                self.assertExit(4, *words)

    def test_5_when_the_connection_is_busy(self):
        self.pg.psql("CREATE TABLE large AS SELECT n AS id, repeat('x', 200) AS filling FROM generate_series(1, 600000) n; "
                     "ALTER TABLE large ADD PRIMARY KEY (id); ANALYZE large", "shop")
        self.addCleanup(self.pg.psql, "DROP TABLE large", "shop")
        self.assertExit(0, "apply", "-f", self.resources(name="large", streams=["{namespace: public, name: large}"]), "--yes")
        connection = next(item["connectionId"] for item in self.http.all("/v1/connections") if item["name"] == "large-to-mirror")
        job_id = self.http.post("/v1/jobs", {"connectionId": connection, "jobType": "sync"})["jobId"]
        self.assertIn(str(job_id), self.assertExit(5, "sync", "large-to-mirror").stderr)
        reply = self.http.request("POST", "/v1/jobs", {"connectionId": connection, "jobType": "sync"})
        self.assertProblem(reply, 409)
        self.assertEqual(reply.json()["data"]["jobId"], job_id)
        self.assertTrue(reply.headers["Location"].endswith(f"/v1/jobs/{job_id}"))
        attached = self.http.post("/v1/jobs?onConflict=attach", {"connectionId": connection, "jobType": "sync"})
        self.assertEqual(attached["jobId"], job_id)
        wait_until(lambda: rows_read(self.server.job(job_id)) > 0, "the first rows")
        self.assertExit(0, "cancel", job_id)
        self.assertEqual(self.server.wait_for_job(job_id)["status"], "cancelled")
        self.assertExit(0, "sync", "large-to-mirror", "--wait")
        self.assertEqual(self.pg.value("SELECT count(*) FROM large_raw.large", "mirror"), 600_000)

    def test_no_server_is_told_with_what_to_do(self):
        done = self.assertExit(1, "get", "sources", env={"MILLRACE_SERVER": "http://127.0.0.1:1"})
        self.assertIn("127.0.0.1:1", done.stderr)

    def test_the_client_finds_server_and_token_in_the_data_directory(self):
        env = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
        done = subprocess.run([self.server.binary, "get", "sources", "--data-dir", self.server.data_dir], env=env, capture_output=True, text=True,
                              check=False)
        if done.returncode == 2:
            done = subprocess.run([self.server.binary, "get", "sources"], env=env | {"MILLRACE_DATA_DIR": str(self.server.data_dir)},
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("shop", done.stdout)

    def test_every_output_form(self):
        for form, reader in (("json", json.loads), ("jsonl", lambda text: [json.loads(line) for line in text.splitlines()]),
                             ("name", lambda text: text.split()), ("yaml", str), ("table", str), ("wide", str)):
            with self.subTest(form):
                text = self.assertExit(0, "get", "sources", "-o", form).stdout
                self.assertIn("shop", str(reader(text)))
                self.assertNotIn("\033", text)


class ConsentTest(ServerCase):
    """What removes asks; without a terminal it needs --yes, else exit 2 and nothing is done."""

    def test_an_apply_that_removes_needs_consent(self):
        self.assertExit(0, "apply", "-f", self.resources())
        rest = self.resources(name="rest")
        done = self.assertExit(2, "apply", "-f", rest, "--prune")
        self.assertIn("shop", done.stdout + done.stderr)
        self.assertIn("shop-to-mirror", [item["name"] for item in self.http.all("/v1/connections")], "nothing was done")
        self.assertNotIn("rest", [item["name"] for item in self.http.all("/v1/sources")], "nothing was done")
        self.assertExit(0, "apply", "-f", rest, "--prune", "--dry-run")
        self.assertIn("shop-to-mirror", [item["name"] for item in self.http.all("/v1/connections")], "a dry run does nothing")
        self.assertExit(0, "apply", "-f", rest, "--prune", "--yes")
        self.assertEqual([item["name"] for item in self.http.all("/v1/connections")], ["rest-to-mirror"])

    def test_a_table_that_is_not_ours_is_refused_until_adopted(self):
        self.pg.psql("CREATE SCHEMA owned_raw; CREATE TABLE owned_raw.orders (mine text); INSERT INTO owned_raw.orders VALUES ('precious')",
                     "mirror")
        self.assertExit(0, "apply", "-f", self.resources(name="owned", streams=["{namespace: public, name: orders}"]), "--yes")
        done = self.assertExit(1, "sync", "owned-to-mirror", "--wait")
        self.assertIn("--adopt", done.stdout + done.stderr)
        self.assertEqual(self.pg.query("SELECT mine FROM owned_raw.orders", "mirror"), "precious")
        self.assertExit(0, "sync", "owned-to-mirror", "--wait", "--adopt")
        self.assertEqual(self.pg.value("SELECT count(*) FROM owned_raw.orders", "mirror"), 1000)
        self.assertEqual(self.pg.query("SELECT mine FROM owned_raw.orders__before", "mirror"), "precious")


class DefaultsTest(ServerCase):
    """The contract's defaults for what is left out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        file = cls.resources(cls())
        text = re.sub(r"  configurations:\n    streams:\n.*", "", file.read_text(), flags=re.DOTALL)
        file.write_text(text)
        cls.server.cli("apply", "-f", file, "--yes")

    def runTest(self):
        """So that setUpClass can make an instance."""

    def connection(self):
        return self.http.all("/v1/connections")[0]

    def test_status_schedule_namespace_and_schema_policy(self):
        connection = self.connection()
        self.assertEqual(connection["status"], "active")
        self.assertEqual(connection["schedule"]["scheduleType"], "manual")
        self.assertEqual(connection["namespaceDefinition"], "destination")
        self.assertEqual(connection["nonBreakingSchemaUpdatesBehavior"], "propagate_columns")

    def test_streams_left_out_are_all_streams_and_the_mode_is_overwrite(self):
        self.assertExit(0, "sync", "shop-to-mirror", "--wait")
        job = self.http.get("/v1/jobs")["data"][0]
        self.assertEqual({stream["name"] for stream in self.server.job(job["jobId"])["streams"]}, {"orders", "customers", 'Odd "name"'})
        self.assertExit(0, "sync", "shop-to-mirror", "--wait")
        self.assertEqual(self.pg.value("SELECT count(*) FROM shop_raw.orders", "mirror"), 1000)


class SecretTest(ServerCase):
    """A secret is never shown again, in no place."""

    SECRET = "a-very-s3cret-passw0rd"

    def test_a_secret_is_masked_kept_and_nowhere_in_clear(self):
        body = {"name": "locked", "connector": "postgres",
                "configuration": self.pg.configuration("shop", schemas=["public"], password=self.SECRET)}
        made = self.http.post("/v1/sources", body)
        self.assertEqual(made["configuration"]["password"], "**********")
        path = f"/v1/sources/{made['sourceId']}"
        self.assertNotIn(self.SECRET, self.http.request("GET", path).text)
        self.http.call("PATCH", path, {"name": "locked-2"})
        self.http.call("PATCH", path, {"configuration": made["configuration"]})
        self.assertEqual(self.http.post(path + "/check")["status"], "succeeded")
        for words in (["get", "sources", "-o", "yaml"], ["describe", "source", "locked-2"], ["export"]):
            done = self.server.cli(*words, check=False)
            self.assertNotIn(self.SECRET, done.stdout + done.stderr)
        file = self.resources(name="planned", source="password: ${env:PLANNED_SECRET}")
        done = self.assertExit(0, "plan", "-f", file, env={"PLANNED_SECRET": self.SECRET})
        self.assertNotIn(self.SECRET, done.stdout + done.stderr)
        self.server.kill()
        self.server.start()
        clear = [str(file) for file in self.server.data_dir.rglob("*") if file.is_file() and self.SECRET.encode() in file.read_bytes()]
        self.assertEqual(clear, [], "files that hold the secret in clear")
        self.assertNotIn(self.SECRET, self.server.log())

    def test_a_reference_that_the_client_should_have_expanded_is_refused(self):
        for reference in ("${env:HOME}", "${file:/etc/passwd}"):
            body = {"name": "ref", "connector": "postgres", "configuration": self.pg.configuration("shop", password=reference)}
            reply = self.http.request("POST", "/v1/sources", body)
            self.assertIn(reply.status, (400, 422), reply)


class NoServerTest(unittest.TestCase):
    def test_commands_that_need_no_server(self):
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
        for words, code in ((["version"], 0), (["--help"], 0), (["validate", "-f", "/nonexistent"], 1), (["nonsense"], 2)):
            with self.subTest(words):
                done = subprocess.run([millrace_binary(), *words], env=env, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, code, done.stderr)


if __name__ == "__main__":
    unittest.main()
