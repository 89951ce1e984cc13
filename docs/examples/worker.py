#!/usr/bin/env python3
"""A worker for Millrace in Python's standard library.

    MILLRACE_TOKEN=... worker.py http://127.0.0.1:8000 QUEUE

It takes steps of type "external", counts to input["value"] with a heartbeat for each number, and returns the square. The protocol
is in docs/reference/workers.md.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


class Gone(Exception):
    """The attempt is no longer ours: drop it."""


class Cancelled(Exception):
    """The execution was asked to end."""


class Worker:
    def __init__(self, server, queue, token, identity):
        self.base = f"{server.rstrip('/')}/v1/queues/{urllib.parse.quote(queue, safe='')}"
        self.token, self.identity = token, identity

    def call(self, path, body, timeout=30):
        """POSTs until the server answers: it may be away for a restart."""
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"})
        while True:
            try:
                with urllib.request.urlopen(request, timeout=timeout) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as problem:
                if problem.code == 404:
                    raise Gone() from problem
                if problem.code < 500:
                    raise
            except OSError:
                pass
            time.sleep(0.2)

    def run(self, functions):
        """Takes steps of the types in `functions` for ever."""
        while True:
            task = self.call("/poll", {"identity": self.identity, "types": list(functions), "waitSeconds": 20})["task"]
            if task is not None:
                self.work(task, functions[task["type"]])

    def work(self, task, function):
        path = f"/tasks/{task['token']}"

        def heartbeat(details):
            if self.call(path + "/heartbeat", {"details": details})["cancelRequested"]:
                raise Cancelled()

        try:
            try:
                result = function(task, heartbeat)
            except Cancelled:
                self.call(path + "/fail", {"failure": {"type": "Cancelled"}})
            except Gone:
                raise
            except Exception as error:  # the step's retry policy decides what follows
                self.call(path + "/fail", {"failure": {"type": type(error).__name__, "message": str(error)}})
            else:
                self.call(path + "/complete", {"result": result})
        except Gone:
            print(f"{task['activityId']} of {task['workflowId']}: no longer ours", file=sys.stderr)


def square(task, heartbeat):
    """Goes on where an earlier attempt stopped."""
    value = task["input"]["value"]
    for number in range(task["heartbeatDetails"] or 0, value):
        heartbeat(number + 1)
    return {"square": value * value, "attempt": task["attempt"]}


if __name__ == "__main__":
    Worker(sys.argv[1], sys.argv[2], os.environ["MILLRACE_TOKEN"], f"example-{os.getpid()}").run({"external": square})
