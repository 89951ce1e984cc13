"""The server as a process and a service: signals, access, health, idempotency, what it says about itself."""

import base64
import json
import signal
import stat
import unittest
import urllib.parse

from e2e.base import ServerCase
from support import Client, Millrace, rows_committed, wait_until
from support.resources import make_connection, start_sync


class AccessTest(ServerCase):
    def test_the_token_lies_in_the_data_directory_for_its_owner_only(self):
        mode = stat.S_IMODE((self.server.data_dir / "token").stat().st_mode)
        self.assertEqual(mode, 0o600)
        for file in self.server.data_dir.iterdir():
            if "key" in file.name:
                self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600, file)

    def test_the_token_works_in_each_form(self):
        basic = base64.b64encode(f"anybody:{self.server.token}".encode()).decode()
        for headers in ({"Authorization": f"Bearer {self.server.token}"}, {"Authorization": f"bearer {self.server.token}"},
                        {"Authorization": f"Basic {basic}"}):
            with self.subTest(headers["Authorization"].split()[0]):
                self.assertEqual(self.http.request("GET", "/v1/sources", headers=headers).status, 200)

    def test_client_credentials_give_a_token_under_each_prefix(self):
        plain = Client("127.0.0.1", self.server.port)
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": "x", "client_secret": self.server.token}).encode()
        for prefix in ("/v1", "/api/v1", "/api/public/v1", ""):
            with self.subTest(prefix or "/"):
                for more in ({"body": {"client_id": "x", "client_secret": self.server.token}},
                             {"raw": form, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}):
                    answer = plain.call("POST", f"{prefix}/applications/token", **more)
                    given = Client("127.0.0.1", self.server.port, answer["access_token"])
                    self.assertEqual(given.request("GET", "/v1/sources").status, 200)
                self.assertEqual(plain.request("POST", f"{prefix}/applications/token", {"client_id": "x", "client_secret": "no"}).status, 401)

    def test_health_version_and_local_metrics_are_open(self):
        plain = Client("127.0.0.1", self.server.port)
        for path in ("/livez", "/readyz", "/readyz?verbose", "/version", "/metrics"):
            with self.subTest(path):
                self.assertEqual(plain.request("GET", path).status, 200)
        self.assertEqual(plain.request("GET", "/v1/sources").status, 401)
        self.assertIn("text/plain", plain.request("GET", "/metrics").headers["Content-Type"])

    def test_the_api_describes_itself(self):
        document = self.http.get("/openapi.json")
        self.assertTrue(document["openapi"].startswith("3.1"))
        for path in ("/v1/sources", "/v1/jobs", "/v1/jobs/{id}", "/v1/workflows/{id}/history"):
            self.assertTrue(any(path == known or path.replace("{id}", "{jobId}") == known or path.replace("{id}", "{workflowId}") == known
                                for known in document["paths"]), f"{path} in {sorted(document['paths'])}")


class ApiTest(ServerCase):
    def body(self, name, **configuration):
        return {"name": name, "connector": "postgres", "configuration": self.pg.configuration("shop", schemas=["public"]) | configuration}

    def test_a_resource_is_made_read_changed_and_removed(self):
        made = self.http.post("/v1/sources", self.body("crud"))
        path = f"/v1/sources/{made['sourceId']}"
        self.assertEqual(self.http.get(path), made)
        changed = self.http.call("PATCH", path, {"name": "crud-2"})
        self.assertEqual((changed["name"], changed["configuration"]), ("crud-2", made["configuration"]))
        self.http.call("PUT", path, {"name": "crud-3", "configuration": self.body("x", database="mirror")["configuration"]})
        revisions = self.http.get(path + "/revisions")["data"]
        self.assertEqual(len(revisions), 3, "immutable revisions")
        self.assertEqual(self.http.request("DELETE", path).status, 204)
        self.assertEqual(self.http.request("GET", path).status, 404)

    def test_a_name_is_taken_once(self):
        self.http.post("/v1/sources", self.body("twin"))
        self.assertProblem(self.http.request("POST", "/v1/sources", self.body("twin")), 409)

    def test_a_source_in_use_stays(self):
        connection = make_connection(self.server, self.pg, "shop", self.pg, "mirror", [{"namespace": "public", "name": "orders"}], name="used")
        source = next(item for item in self.http.all("/v1/sources") if item["name"] == "used-source")
        self.assertProblem(self.http.request("DELETE", f"/v1/sources/{source['sourceId']}"), 409)
        self.assertEqual(self.http.request("DELETE", f"/v1/connections/{connection}").status, 204)
        self.assertEqual(self.http.request("DELETE", f"/v1/sources/{source['sourceId']}").status, 204)

    def test_the_same_idempotency_key_makes_one_thing(self):
        key = {"Idempotency-Key": "key-1"}
        first = self.http.post("/v1/sources", self.body("once"), headers=key)
        self.assertEqual(self.http.post("/v1/sources", self.body("once"), headers=key), first)
        self.assertProblem(self.http.request("POST", "/v1/sources", self.body("other"), headers=key), 422)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.http.post("/v1/sources", self.body("once"), headers=key), first, "also after a crash")

    def test_the_same_idempotency_key_starts_one_job(self):
        connection = make_connection(self.server, self.pg, "shop", self.pg, "mirror", [{"namespace": "public", "name": "orders"}], name="idem",
                                     destination_schema="idem_raw")
        body = {"connectionId": connection, "jobType": "sync"}
        first = self.http.post("/v1/jobs", body, headers={"Idempotency-Key": "job-1"})
        self.server.wait_for_job(first["jobId"])
        again = self.http.post("/v1/jobs", body, headers={"Idempotency-Key": "job-1"})
        self.assertEqual(again["jobId"], first["jobId"])

    def test_a_list_comes_in_pages(self):
        for number in range(5):
            self.http.post("/v1/sources", self.body(f"page-{number}"))
        names = [item["name"] for item in self.http.all("/v1/sources", limit=2)]
        self.assertEqual(names, [item["name"] for item in self.http.get("/v1/sources?limit=10000")["data"]])
        self.assertLessEqual({f"page-{number}" for number in range(5)}, set(names))

    def test_connectors_and_their_spec(self):
        names = {item["name"] for item in self.http.get("/v1/connectors")["data"]}
        self.assertLessEqual({"postgres", "datagen"}, names)
        self.assertIn("host", json.dumps(self.http.get("/v1/connectors/postgres/spec")))

    def test_logs_are_lines_of_json(self):
        connection = make_connection(self.server, self.pg, "shop", self.pg, "mirror", [{"namespace": "public", "name": "orders"}], name="logs",
                                     destination_schema="logs_raw")
        job_id = start_sync(self.server, connection)
        self.server.wait_for_job(job_id)
        answer = self.http.get(f"/v1/jobs/{job_id}/logs")
        lines = answer["data"]
        self.assertTrue(lines)
        self.assertLessEqual({"time", "level"}, set(lines[0]))


class SignalTest(unittest.TestCase):
    def test_sigterm_at_rest_ends_with_0(self):
        with Millrace() as server:
            self.assertEqual(server.stop(10), 0)

    def test_sigterm_lets_a_running_sync_go_on_at_the_next_start(self):
        case = ServerCase()
        ServerCase.setUpClass()
        self.addCleanup(ServerCase.doClassCleanups)
        case.pg.psql("CREATE TABLE large AS SELECT n AS id, repeat('x', 150) AS filling FROM generate_series(1, 1500000) n; "
                     "ALTER TABLE large ADD PRIMARY KEY (id); ANALYZE large", "shop")
        server = case.server
        connection = make_connection(server, case.pg, "shop", case.pg, "mirror", [{"namespace": "public", "name": "large"}])
        job_id = start_sync(server, connection)
        wait_until(lambda: rows_committed(server.job(job_id)) > 0, "the first committed rows", every=0.005)
        self.assertEqual(server.stop(60), 0)
        server.start()
        self.assertEqual(server.wait_for_job(job_id)["status"], "succeeded")
        self.assertEqual(case.pg.value("SELECT count(*) FROM raw.large", "mirror"), 1_500_000)

    def test_a_second_signal_ends_at_once(self):
        with Millrace() as server:
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(10)


if __name__ == "__main__":
    unittest.main()
