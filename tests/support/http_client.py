"""A small HTTP client for JSON, with the token of the server's data directory."""

import http.client
import json
import urllib.parse


class Reply:
    """What the server answered."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.text[:2000]}"


class Client:
    """One connection a request, so that a server that was killed in between is no trouble."""

    def __init__(self, host, port, token=None, timeout=60):
        self.host, self.port, self.token, self.timeout = host, port, token, timeout

    def request(self, method, path, body=None, headers=None, raw=None):
        """Sends `body` as JSON, or `raw` bytes as they are. Any status is an answer; OSError means there was none."""
        send = {"Accept": "application/json"}
        if self.token:
            send["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            send["Content-Type"] = "application/json"
        send |= headers or {}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            connection.request(method, path, raw, {name: value for name, value in send.items() if value is not None})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        except http.client.HTTPException as failure:
            raise ConnectionError(f"{method} {path}: {failure!r}") from failure
        finally:
            connection.close()

    def call(self, method, path, body=None, expect=(200, 201, 202, 204), **more):
        """The JSON of an answer that must have one of the statuses."""
        reply = self.request(method, path, body, **more)
        if reply.status not in expect:
            raise AssertionError(f"{method} {path}: {reply}")
        return reply.json() if reply.body else None

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body if body is not None else {}, **more)

    def all(self, path, limit=1000):
        """All items of a list, page by page."""
        items, following = [], path + ("&" if "?" in path else "?") + f"limit={limit}"
        while following:
            page = self.get(following)
            items += page["data"]
            following = page.get("next")
            if following and not following.startswith("/"):
                parts = urllib.parse.urlsplit(following)
                following = f"{parts.path}?{parts.query}" if parts.scheme else (
                    path + ("&" if "?" in path else "?") + f"limit={limit}&next={urllib.parse.quote(following)}")
        return items
