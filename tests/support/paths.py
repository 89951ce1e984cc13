"""Where things are, and temporary directories that do not outlive their process."""

import atexit
import os
import pathlib
import shutil
import signal
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parents[2]
_PREFIX = "millrace-tmp-"


def millrace_binary():
    """The server's binary: MILLRACE_BIN, else build/millrace."""
    binary = pathlib.Path(os.environ.get("MILLRACE_BIN") or REPO / "build" / "millrace")
    if not binary.exists():
        raise FileNotFoundError(f"{binary} does not exist: run ./dev build first")
    return binary


def testkit_binary():
    """The server with the test workflows, beside millrace_binary()."""
    return pathlib.Path(os.environ.get("MILLRACE_TESTKIT_BIN") or millrace_binary().with_name("millrace-testkit"))


def alive(pid):
    """Whether the process exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def temp_dir(purpose="test", keep=False):
    """A new directory, removed when this process ends (also by SIGTERM) unless `keep`. Those that processes ended by
    SIGKILL have left are removed first."""
    root = pathlib.Path(tempfile.gettempdir())
    for entry in root.glob(_PREFIX + "*"):
        owner = entry.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not alive(int(owner)):
            shutil.rmtree(entry, ignore_errors=True)
    prefix = f"millrace-{purpose}-" if keep else f"{_PREFIX}{os.getpid()}-{purpose}-"
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=root))
    if not keep:
        at_end(lambda: shutil.rmtree(path, ignore_errors=True))
    return path


_endings = []
_installed = False


def at_end(action):
    """Runs `action` when this process ends, by its own will or by SIGTERM or SIGHUP; the last one given runs first."""
    global _installed
    _endings.append(action)
    if _installed:
        return
    _installed = True
    atexit.register(_run_endings)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda got, _frame: sys.exit(128 + got))


def _run_endings():
    while _endings:
        action = _endings.pop()
        try:
            action()
        except Exception as failure:  # the other endings still count
            print(f"while cleaning up: {failure}", file=sys.stderr)
