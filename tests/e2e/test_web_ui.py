"""The web UI in a real browser against the real server. A scenario is a file of tests/e2e/web, driven by node."""

import json
import os
import re
import subprocess
import unittest

from e2e.base import ServerCase
from support import REPO, Client
from support.resources import make_connection, start_sync, sync

WEB = REPO / "tests" / "e2e" / "web"
SCENARIO_SECONDS = 240


class Scenario:
    """A scenario that runs. `ask` lines are answered by functions of that name."""

    def __init__(self, name, given, **answers):
        process = subprocess.Popen(["node", str(WEB / f"{name}.mjs"), json.dumps(given)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = None
        with process:
            for line in process.stdout:
                said = json.loads(line)
                if "ask" not in said:
                    break
                answers[said["ask"]]()
                process.stdin.write("\n")
                process.stdin.flush()
            _, errors = process.communicate(timeout=SCENARIO_SECONDS)
        if said is None or "ask" in said:
            raise AssertionError(f"{name} ended without a word:\n{errors}")
        self.error, self.faults, self.result = said.get("error"), said["faults"], said.get("result")


class WebCase(ServerCase):
    """Scenarios against the class's server."""

    def play(self, name, answers=None, server=None, **given):
        server = server or self.server
        given |= {"url": server.url, "token": server.token, "pg": {"host": self.pg.host, "port": self.pg.port}}
        done = Scenario(name, given, **(answers or {}))
        self.assertIsNone(done.error, done.error)
        self.assertEqual(done.faults, [], "the console and other hosts stay quiet")
        return done.result


class FirstRunTest(WebCase):
    def test_from_the_banner_s_link_to_the_first_synced_table(self):
        link = re.search(r"Log in +(\S+)", self.server.log()).group(1)
        seen = self.play("first_run", link=link)
        self.assertEqual((seen["ways"], seen["rows"]), (3, "1,003"))
        self.assertEqual(self.pg.query("SELECT count(*) FROM by_hand.orders", "mirror"), "1000")


class LiveTest(WebCase):
    def test_a_failing_check_shows_the_server_s_words_and_the_remedy(self):
        seen = self.play("failing_check")
        self.assertIn('database "nowhere" does not exist', seen["words"])
        self.assertIn("Correct the database name", seen["words"])
        self.assertIn("What to do", seen["page"])

    def test_progress_comes_by_itself_and_goes_on_after_a_kill(self):
        http = self.server.http
        source = http.post("/v1/sources", {"name": "slow", "connector": "datagen",
                                           "configuration": {"streams": 1, "rows": 10_000_000, "rows_per_second": 4_000, "checkpoint_rows": 2_000}})
        target = http.post("/v1/destinations", {"name": "mirror", "connector": "postgres",
                                                "configuration": self.pg.configuration("mirror", schema="slow")})
        connection = http.post("/v1/connections", {"name": "slow", "sourceId": source["sourceId"], "destinationId": target["destinationId"]})
        job = start_sync(self.server, connection["connectionId"])
        seen = self.play("kill_and_restart", {"kill": self.server.kill, "start": self.server.start}, jobId=job)
        self.assertGreater(seen["second"], seen["first"])
        self.assertEqual(seen["lines"], seen["unique"])
        self.assertEqual(self.server.wait_for_job(job)["status"], "cancelled")


class ScreensTest(WebCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = make_connection(cls.server, cls.pg, "shop", cls.pg, "mirror",
                                         [{"namespace": "public", "name": "orders", "syncMode": "incremental_deduped_history",
                                           "primaryKey": [["id"]], "cursorField": ["placed"]},
                                          {"namespace": "public", "name": "customers"}])
        cls.job = sync(cls.server, cls.connection)["jobId"]
        http = cls.server.http
        broken = http.post("/v1/sources", {"name": "broken", "connector": "postgres", "configuration": cls.pg.configuration("nowhere")})
        http.post("/v1/sources", {"name": "unused", "connector": "datagen", "configuration": {}})
        cls.source = http.get("/v1/sources?name=mirror-source")["data"][0]["sourceId"]
        cls.destination = http.get("/v1/destinations?name=mirror-destination")["data"][0]["destinationId"]
        failing = http.post("/v1/connections", {"name": "failing", "sourceId": broken["sourceId"], "destinationId": cls.destination})
        cls.failed = start_sync(cls.server, failing["connectionId"])
        cls.server.wait_for_job(cls.failed)
        http.post("/v1/tokens", {"name": "ci", "scope": "read"})

    def test_axe_finds_nothing_on_any_screen_in_both_themes(self):
        connection, wizard = f"/connections/{self.connection}", f"/connections/new?sourceId={self.source}&destinationId={self.destination}&step="
        screens = {
            "home": "/", "connections": "/connections", "connection": connection, "connection-timeline": f"{connection}/timeline",
            "connection-streams": f"{connection}/streams", "connection-state": f"{connection}/state", "connection-settings": f"{connection}/settings",
            "connection-yaml": f"{connection}/yaml", "jobs": "/jobs", "job": f"/jobs/{self.job}", "job-log": f"/jobs/{self.job}/log",
            "job-details": f"/jobs/{self.job}/details", "job-failed": f"/jobs/{self.failed}", "executions": "/executions",
            "execution": f"/executions/job-{self.job}", "execution-events": f"/executions/job-{self.job}/events?event=7",
            "execution-pending": f"/executions/job-{self.job}/pending", "execution-relations": f"/executions/job-{self.job}/relations",
            "execution-data": f"/executions/job-{self.job}/data", "execution-json": f"/executions/job-{self.job}/json",
            "sources": "/sources", "source": f"/sources/{self.source}", "source-new": "/sources/new?connector=postgres",
            "destinations": "/destinations", "wizard": "/connections/new", "wizard-streams": wizard + "streams",
            "wizard-schedule": wizard + "schedule", "wizard-review": wizard + "review", "schedules": "/schedules", "settings": "/settings",
            "settings-tokens": "/settings/tokens", "settings-queues": "/settings/queues", "settings-health": "/settings/health",
            "settings-metrics": "/settings/metrics", "apply": "/apply", "reference": "/reference", "errors": "/help/errors",
            "error": "/help/errors/postgres.database_missing",
        }
        pictures = os.environ.get("MILLRACE_PICTURES")
        found = self.play("screens", screens=screens, pictures=pictures)
        self.assertEqual(found, [], "\n".join(found))

    def test_keys_addresses_and_consent(self):
        seen = self.play("habits", jobId=self.job)
        self.assertIn("q=nothing", seen["filtered"])
        self.assertTrue(seen["off"], "without the name nothing is deleted")


class ServedTest(WebCase):
    """What the server sends, without a browser."""

    def test_the_client_knows_only_paths_that_the_server_has(self):
        schema = (REPO / "ui/src/api/schema.d.ts").read_text()
        known = set(re.findall(r'^    "(/[^"]*)": \{$', schema, re.MULTILINE))
        served = set(self.http.get("/openapi.json")["paths"])
        self.assertTrue(known)
        self.assertEqual(known - served, set(), "write ui/src/api/schema.d.ts again: npm run client")

    def test_no_path_of_the_interface_is_shadowed_and_none_is_made_up(self):
        for path, status, kind in (("/", 200, "text/html"), ("/connections/a/b", 200, "text/html"), ("/docs", 200, "text/html"),
                                   ("/v1/nothing", 404, "application/problem+json"), ("/nothing", 404, "application/problem+json"),
                                   ("/assets/nothing.js", 404, "application/problem+json")):
            with self.subTest(path=path):
                answer = self.http.request("GET", path)
                self.assertEqual((answer.status, answer.headers["content-type"].split(";")[0]), (status, kind))

    def test_the_page_takes_no_inline_script_and_its_files_may_be_kept_for_ever(self):
        page = self.http.request("GET", "/")
        self.assertIn("script-src 'self'", page.headers["content-security-policy"])
        self.assertNotIn("unsafe", page.headers["content-security-policy"])
        asset = re.search(r'src="(/assets/[^"]+\.js)"', page.body.decode()).group(1)
        self.assertIn("immutable", self.http.request("GET", asset).headers["cache-control"])

    def test_a_session_changes_nothing_without_the_page_s_own_header(self):
        opened = self.http.request("POST", "/v1/session", body={"token": self.server.token})
        self.assertEqual(opened.status, 200)
        cookie = opened.headers["set-cookie"]
        for word in ("HttpOnly", "SameSite=Strict"):
            self.assertIn(word, cookie)
        anonymous = Client("127.0.0.1", self.server.port)
        with_cookie = {"Cookie": cookie.split(";")[0]}
        self.assertEqual(anonymous.request("GET", "/v1/sources", headers=with_cookie).status, 200)
        body = {"name": "x"}
        self.assertEqual(anonymous.request("POST", "/v1/tokens", body=body, headers=with_cookie).status, 401)
        self.assertEqual(anonymous.request("POST", "/v1/tokens", body=body, headers=with_cookie | {"X-Millrace-UI": "1"}).status, 201)


if __name__ == "__main__":
    unittest.main()
