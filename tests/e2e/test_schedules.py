"""Schedules from outside: each time once though the server is killed, the command line, connections that sync by themselves."""

import datetime
import json
import unittest

from support import Millrace, testkit_binary, wait_until

EVERY_SECOND = {"intervals": [{"everySeconds": 1}]}


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class SchedulesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Millrace(binary=testkit_binary())
        cls.addClassCleanup(cls.server.close)

    @property
    def http(self):
        return self.server.http

    def make(self, name, spec, **more):
        return self.http.post("/v1/schedules", {"scheduleId": name, "spec": spec, "action": {"type": "test.steps", "input": {"n": 1}}, **more})

    def started(self, name):
        return self.http.get(f"/v1/schedules/{name}")["counters"].get("started", 0)

    def test_each_second_fires_once_though_the_server_is_killed(self):
        self.make("ticks", EVERY_SECOND, overlapPolicy="allow_all")
        wait_until(lambda: self.started("ticks") >= 3, "three times", 30)
        self.server.kill()
        self.server.start()
        before = self.started("ticks")
        wait_until(lambda: self.started("ticks") >= before + 3, "three more times", 60)
        schedule = self.http.post("/v1/schedules/ticks/pause", {"note": "counted"})
        self.assertEqual((schedule["paused"], schedule["note"]), (True, "counted"))
        fired = wait_until(self.all_are_listed, "what was started in the list", 30)
        times = sorted(moment(execution["workflowId"].removeprefix("ticks-")) for execution in fired)
        steps = {(later - earlier).total_seconds() for earlier, later in zip(times, times[1:])}
        self.assertEqual(steps, {1.0}, "a second is missing or came twice")
        self.assertEqual(schedule["missed"], [])
        self.assertIn('millrace_schedule_actions_total{outcome="success"}', self.http.request("GET", "/metrics").text)

    def all_are_listed(self):
        runs = [e for e in self.http.get("/v1/workflows?limit=1000")["data"] if e["workflowId"].startswith("ticks-")]
        return runs if len(runs) == self.started("ticks") else None

    def test_each_overlap_policy_treats_a_start_beside_an_open_run_its_own_way(self):
        expected = {  # outcomes of three triggers; how the first run stands then
            "skip": (["started", "skipped", "skipped"], "Running"),
            "buffer_one": (["started", "waiting", "skipped"], "Running"),
            "buffer_all": (["started", "waiting", "waiting"], "Running"),
            "cancel_other": (["started", "waiting"], "Canceled"),  # or has started: the first ends when it will
            "terminate_other": (["started", "started"], "Terminated"),
            "allow_all": (["started", "started", "started"], "Running"),
        }
        for policy, (outcomes, status) in expected.items():
            with self.subTest(policy):
                name = f"o-{policy}"
                self.http.post("/v1/schedules", {"scheduleId": name, "spec": {"crons": ["@yearly"]}, "overlapPolicy": policy, "paused": True,
                                                 "action": {"type": "test.timer", "input": {"seconds": 3600}}})
                answers = [self.http.post(f"/v1/schedules/{name}/trigger") for _ in outcomes]
                got = [answer["outcome"] for answer in answers]
                self.assertEqual(got[:1] + ["waiting"] if policy == "cancel_other" else got, outcomes)
                first = f"/v1/workflows/{answers[0]['workflowId']}"
                wait_until(lambda: self.http.get(first)["status"] == status, f"the first run to be {status}", 30)
                schedule = self.http.get(f"/v1/schedules/{name}")
                self.assertEqual(len(schedule["missed"]), outcomes.count("skipped"))
                if policy in ("cancel_other", "terminate_other"):
                    schedule = wait_until(lambda: (s := self.http.get(f"/v1/schedules/{name}"))["counters"]["started"] == 2 and s, "the later run", 30)
                    self.assertEqual([run["status"] for run in schedule["recentRuns"]], ["Running", status])
                for run in schedule["running"]:
                    self.http.post(f"/v1/workflows/{run['workflowId']}/terminate", {"reason": "seen"})

    def test_what_a_dead_server_has_missed_is_told_in_the_schedule_the_metrics_and_the_log(self):
        with Millrace(binary=testkit_binary()) as server:
            server.http.post("/v1/schedules", {"scheduleId": "window", "spec": EVERY_SECOND, "catchUpWindowSeconds": 10,
                                               "overlapPolicy": "allow_all", "action": {"type": "test.steps", "input": {"n": 1}}})
            wait_until(lambda: server.http.get("/v1/schedules/window")["counters"].get("started"), "a run", 30)
            server.kill()
            server.options = ["--clock-offset", "3600"]
            server.start()
            found = wait_until(lambda: (s := server.http.get("/v1/schedules/window"))["missed"] and s, "what was missed", 30)
            found = server.http.post("/v1/schedules/window/pause")
            reasons = {missed["reason"] for missed in found["missed"]}
            self.assertEqual(reasons, {"catch_up"})
            count = sum(missed["count"] for missed in found["missed"])
            self.assertGreater(count, 3500)
            self.assertEqual(found["counters"]["catch_up"], count)
            self.assertIn('millrace_schedule_missed_total{reason="catch_up"}', server.http.request("GET", "/metrics").text)
            self.assertIn("a scheduled time started nothing", server.log())
            # Each time from the first is a run or was told.
            ids = [run["workflowId"] for run in server.http.all("/v1/workflows") if run["workflowId"].startswith("window-")]
            times = sorted(moment(one.removeprefix("window-")) for one in ids)
            self.assertEqual(len(set(times)), len(times))
            self.assertEqual(int((times[-1] - times[0]).total_seconds()) + 1, len(times) + count)

    def test_the_command_line_previews_triggers_toggles_and_backfills(self):
        self.make("nightly", {"crons": ["30 2 * * *"], "timeZone": "Europe/Berlin", "skipped": "run-after"}, overlapPolicy="allow_all")
        self.assertIn("nightly", self.server.cli("schedule", "list").stdout)
        shown = self.server.cli("schedule", "preview", "nightly", "--after", "2026-03-28T00:00:00Z", "--count", 3, "-o", "json").stdout
        self.assertEqual([(one["localTime"], one["localNote"]) for one in json.loads(shown)],
                         [("2026-03-28T02:30:00+01:00", "CET"), ("2026-03-29T03:00:00+02:00", "CEST, the clock is put forward"),
                          ("2026-03-30T02:30:00+02:00", "CEST")])
        self.assertIn("2027-01-31", self.server.cli("schedule", "preview", "--cron", "0 0 0 L 1 ?", "--after", "2026-11-01T00:00:00Z").stdout)
        self.assertIn("has started nightly-", self.server.cli("schedule", "trigger", "nightly").stdout)
        self.assertIn("is paused", self.server.cli("schedule", "toggle", "nightly", "--note", "away").stdout)
        self.server.cli("schedule", "backfill", "nightly", "--from", "2026-03-01T01:30:00Z", "--to", "2026-03-03T01:30:00Z")
        wait_until(lambda: self.started("nightly") == 4, "a trigger and three times", 30)
        self.assertIn("is active", self.server.cli("schedule", "toggle", "nightly").stdout)
        self.assertEqual(self.server.cli("schedule", "trigger", "nobody", check=False).returncode, 4)

    def test_what_cannot_be_read_is_refused_with_its_place(self):
        body = {"scheduleId": "bad", "spec": {"crons": ["61 * * * *"], "timeZone": "Mars/Base"}, "action": {"type": "test.steps"}}
        reply = self.http.call("POST", "/v1/schedules", body, expect=(422,))
        self.assertEqual([fault["pointer"] for fault in reply["errors"]], ["/spec/crons/0", "/spec/timeZone"])
        self.make("twice", EVERY_SECOND, paused=True)
        again = {"scheduleId": "twice", "spec": EVERY_SECOND, "action": {"type": "test.steps"}}
        self.assertEqual(self.http.call("POST", "/v1/schedules", again, expect=(409,))["code"], "schedule.exists")
        changed = self.http.call("PATCH", "/v1/schedules/twice", {"overlapPolicy": "buffer_one"}, expect=(200,))
        self.assertEqual((changed["overlapPolicy"], changed["paused"]), ("buffer_one", True))
        self.http.call("DELETE", "/v1/schedules/twice", None, expect=(204,))
        self.http.call("GET", "/v1/schedules/twice", None, expect=(404,))

    def test_a_connection_syncs_by_its_schedule_follows_edits_and_stops_when_inactive(self):
        end = {"connector": "postgres", "configuration": {"host": "127.0.0.1", "port": 1, "database": "x", "username": "x"}}
        self.http.post("/v1/sources", {"name": "away", **end})
        self.http.post("/v1/destinations", {"name": "gone", **end})
        made = self.http.post("/v1/connections", {"name": "by-itself", "source": "away", "destination": "gone",
                                                  "schedule": {"scheduleType": "basic", "basicTiming": "Every 1 hour"}})
        self.assertEqual(len(made["nextRuns"]), 3)
        connection = made["connectionId"]
        schedule = f"/v1/schedules/connection-{connection}"
        # The first sync of a basic schedule begins at once.
        job = wait_until(lambda: next(iter(self.http.get(f"/v1/jobs?connectionId={connection}")["data"]), None), "a job", 30)
        self.assertEqual((job["jobType"], job["connectionId"]), ("sync", connection))
        found = self.http.get(schedule)
        self.assertEqual(found["connectionId"], connection)
        self.assertEqual(self.http.call("DELETE", schedule, None, expect=(409,))["code"], "schedule.owned")

        edited = self.http.call("PATCH", f"/v1/connections/{connection}",
                                {"schedule": {"scheduleType": "cron", "cronExpression": "0 3 1 1 *", "cronTimeZone": "Asia/Tokyo"}}, expect=(200,))
        self.assertTrue(edited["nextRuns"][0].endswith("-12-31T18:00:00.000000Z"), edited["nextRuns"])
        wait_until(lambda: self.http.get(schedule)["spec"].get("crons") == ["0 3 1 1 *"], "the new times", 30)
        self.assertNotIn("nextRuns", self.http.get(f"/api/public/v1/connections/{connection}"))

        exported = self.server.data_dir.parent / "exported.yaml"
        exported.write_text(self.server.cli("export").stdout)
        self.assertIn("cronTimeZone: Asia/Tokyo", exported.read_text())
        self.assertNotIn("nextRuns", exported.read_text())
        self.server.cli("plan", "-f", exported, "--prune", "--detailed-exitcode")  # exit 0: no change
        exported.write_text(exported.read_text().replace("0 3 1 1 *", '"*/2 * * * * ?"'))
        self.assertIn("cronExpression", self.server.cli("apply", "-f", exported).stdout)
        # It fires by itself, once the first job is out of the way.
        self.http.call("DELETE", f"/v1/jobs/{job['jobId']}", None, expect=(200, 202, 204))
        again = wait_until(lambda: next((j for j in self.http.get(f"/v1/jobs?connectionId={connection}")["data"] if j["jobId"] != job["jobId"]), None),
                           "a job by cron", 60)
        self.assertEqual(again["jobType"], "sync")

        off = self.http.call("PATCH", f"/v1/connections/{connection}", {"status": "inactive"}, expect=(200,))
        self.assertEqual(off["nextRuns"], [])
        wait_until(lambda: self.http.request("GET", schedule).status == 404, "the schedule of an inactive connection to go", 30)


if __name__ == "__main__":
    unittest.main()
