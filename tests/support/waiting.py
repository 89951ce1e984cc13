"""Waiting for something that another process will do, and free ports. The one place where a test waits by the clock."""

import socket
import threading
import time

_never = threading.Event()


def wait_until(condition, what, timeout=60.0, every=0.02):
    """Asks `condition` until it answers something true, and returns that. TimeoutError names what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.0f} s for {what}")
        _never.wait(every)


def pause(seconds):
    """Lets time pass where time itself is what is tested (a kill at a random moment)."""
    _never.wait(seconds)


def free_port():
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
