"""A data directory of each released format opens, holds together, and goes on where it stopped. tests/stores/format-N.tar.xz is one that a
server of that format has left; a new format gets a new file (make() below), an old one is never changed."""

import pathlib
import subprocess
import tarfile
import unittest

from support import REPO, Millrace, temp_dir, testkit_binary, wait_until

STORES = REPO / "tests" / "stores"


def make(path):
    """What the present build leaves: closed and open executions of several kinds. python3 -m e2e.test_golden_store FILE"""
    with Millrace(binary=testkit_binary()) as server:
        start = lambda kind, workflow, wait, **given: server.http.post(
            "/v1/workflows" + ("?wait=true" if wait else ""), {"type": kind, "workflowId": workflow, "input": given})
        start("test.steps", "steps", True, n=3, payloadBytes=70_000)
        start("test.saga", "saga", True, failAt=2)
        start("test.continue", "continued", True, runs=3)
        start("test.children", "children", True, n=2, type="test.steps", input={"n": 1})
        start("test.signals", "signals", False, count=2)
        server.http.post("/v1/workflows/signals/signal", {"name": "s", "input": 1, "requestId": "first"})
        start("test.update", "update", False)
        server.http.post("/v1/workflows/update/update", {"name": "add", "input": {"by": 5}, "updateId": "u"})
        start("test.children", "parent", False, n=1, type="test.timer", input={"seconds": 1})
        start("test.retry", "retry", False, failures=3, retryPolicy={"initialMs": 3_600_000, "maximumMs": 3_600_000})
        wait_until(lambda: server.http.get("/v1/workflows/retry")["pendingSteps"][0]["status"] == "BackingOff", "the first attempt", 20)
        server.stop()
        with tarfile.open(path, "w:xz") as out:
            for file in sorted((server.data_dir / "store").iterdir()):
                if not file.name.startswith(("LOG", "LOCK", "millrace.")):
                    out.add(file, f"store/{file.name}", filter=lambda info: anonymous(info))


def anonymous(info):
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


class GoldenStoreTest(unittest.TestCase):
    def test_a_store_of_each_format_opens_and_goes_on(self):
        files = sorted(STORES.glob("format-*.tar.xz"))
        self.assertTrue(files)
        for file in files:
            with self.subTest(file.name):
                data = temp_dir("golden") / "data"
                data.mkdir(mode=0o700)
                subprocess.run(["tar", "-xJf", str(file), "-C", str(data), "--no-same-owner"], check=True)
                with Millrace(binary=testkit_binary(), data_dir=pathlib.Path(data)) as server:
                    http = server.http
                    ended = {"steps": "Completed", "saga": "Failed", "children": "Completed"}
                    self.assertEqual({w: http.get(f"/v1/workflows/{w}")["status"] for w in ended}, ended)
                    http.post("/v1/workflows/signals/signal", {"name": "s", "input": 1, "requestId": "first"})  # taken before
                    http.post("/v1/workflows/signals/signal", {"name": "s", "input": 2, "requestId": "second"})
                    for workflow, result in (("signals", [1, 2]), ("continued", {"runs": 3})):
                        wait_until(lambda w=workflow, r=result: http.get(f"/v1/workflows/{w}")["result"] == r, workflow, 30, every=0.02)
                    self.assertEqual(http.post("/v1/workflows/update/update", {"name": "add", "input": {"by": 5}, "updateId": "u"})["result"], 5)
                    self.assertEqual(http.post("/v1/workflows/update/query", {"name": "get"})["result"], 5)
                    wait_until(lambda: http.get("/v1/workflows/parent")["status"] == "Completed", "the parent", 30, every=0.02)
                    self.assertEqual(http.get("/v1/workflows/retry")["pendingSteps"][0]["status"], "BackingOff")
                    self.assertEqual(http.get("/v1/doctor")["faults"], [])


if __name__ == "__main__":
    import sys
    if len(sys.argv) == 2 and sys.argv[1].endswith(".tar.xz"):
        make(sys.argv[1])
    else:
        unittest.main()
