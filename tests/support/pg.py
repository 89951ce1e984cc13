"""A throw-away PostgreSQL cluster: made under the temporary directory, on a free port of 127.0.0.1 and a Unix socket.

As root everything of the server runs as the user `postgres`, since a PostgreSQL server refuses root. When this process
dies the kernel stops the postmaster (parent death signal); what is left on disk is removed by the next cluster.
"""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from .paths import alive, at_end
from .waiting import free_port, wait_until

_PREFIX = "millrace-pg-"
_PORT_TRIES = 5


class PgError(Exception):
    """psql or the server failed; the text is theirs."""


def bin_dir():
    """The folder of initdb and postgres."""
    for version in (15, 16, 17, 14):
        folder = pathlib.Path(f"/usr/lib/postgresql/{version}/bin")
        if (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("no PostgreSQL server under /usr/lib/postgresql: run ./dev setup")


def quote(identifier):
    """An SQL identifier, quoted."""
    return '"' + identifier.replace('"', '""') + '"'


class PgCluster:
    """A running cluster. Use it in a `with`, or call close().

    `conf` are settings for postgresql.conf. `durable` turns fsync on, for tests that kill servers. `keep` leaves the
    cluster running and its files in place after this process (the demo's --keep). `directory` is where its own is made."""

    user = "postgres"
    host = "127.0.0.1"

    def __init__(self, conf=None, durable=False, keep=False, name="test", directory=None):
        _sweep()
        self._keep = keep
        self._postmaster = None
        prefix = f"millrace-{name}-" if keep else f"{_PREFIX}{os.getpid()}-"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=directory))
        self.data = self.dir / "data"
        self.port = 0
        if not keep:
            at_end(self.close)
        os.chmod(self.dir, 0o755)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.dir, account.pw_uid, account.pw_gid)
        made = subprocess.run(
            self._as_server([bin_dir() / "initdb", "--no-sync", "--no-instructions", "-A", "trust", "-U", self.user,
                             "-E", "UTF8", "--locale", "C.UTF-8", "-D", self.data]),
            cwd="/", capture_output=True, text=True, check=False)
        if made.returncode != 0:
            shutil.rmtree(self.dir, ignore_errors=True)
            raise PgError(f"initdb failed:\n{made.stdout}{made.stderr}")
        settings = {
            "listen_addresses": "'127.0.0.1'", "unix_socket_directories": f"'{self.dir}'", "shared_buffers": "'128MB'",
            "max_connections": "100", "wal_level": "logical", "max_wal_size": "'2GB'", "checkpoint_timeout": "'15min'",
            "log_line_prefix": "'%m [%p] '",
        }
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        self.append_conf(settings | (conf or {}))
        try:
            self.start()
        except Exception:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- the server ----

    def start(self):
        """Starts the postmaster and waits until it accepts connections. Call it on the main thread: the kernel takes
        the end of the calling thread for the death of the parent."""
        for attempt in range(1, _PORT_TRIES + 1):
            self.port = self.port or free_port()
            with open(self.dir / "log", "ab") as log:
                self._postmaster = subprocess.Popen(
                    self._as_server([bin_dir() / "postgres", "-D", self.data, "-p", str(self.port)]),
                    cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=self._keep)
            if wait_until(self._started_or_dead, "PostgreSQL to start", every=0.01) == "ready":
                return
            text = self.log()
            self._postmaster = None
            # Somebody else may have taken the port between our look and the server's.
            if "could not create any TCP/IP sockets" not in text or attempt == _PORT_TRIES:
                raise PgError(f"PostgreSQL does not start:\n{text}")
            (self.dir / "log").unlink()
            self.port = 0

    def _started_or_dead(self):
        if self._postmaster.poll() is not None:
            return "dead"
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return None
        # Line 8 is what pg_ctl looks at; line 1 is the pid.
        ready = len(lines) >= 8 and lines[7].startswith("ready") and lines[0] == str(self._postmaster.pid)
        return "ready" if ready else None

    def stop(self, how=signal.SIGINT):
        """A fast stop; SIGQUIT is an immediate one (a crash), SIGTERM waits for the clients."""
        if self._postmaster is not None:
            self._postmaster.send_signal(how)
            self._postmaster.wait()
            self._postmaster = None

    def restart(self, immediate=True):
        """Stops and starts on the same port."""
        self.stop(signal.SIGQUIT if immediate else signal.SIGINT)
        self.start()

    def close(self):
        """Stops the cluster and removes it."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def pid(self):
        """The postmaster's process id."""
        return self._postmaster.pid

    def log(self):
        """What the server wrote to its log."""
        return (self.dir / "log").read_text(errors="replace")

    def append_conf(self, settings):
        """Settings that count from the next start or reload."""
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def set_hba(self, lines):
        """Replaces pg_hba.conf and reloads it."""
        (self.data / "pg_hba.conf").write_text(lines + "\n", encoding="utf-8")
        before = self.query("SELECT pg_conf_load_time()", "postgres") if self._trusts_sockets(lines) else None
        os.kill(self.pid, signal.SIGHUP)
        if before is not None:
            wait_until(lambda: self.query("SELECT pg_conf_load_time()", "postgres") != before, "pg_hba.conf to be read")

    @staticmethod
    def _trusts_sockets(lines):
        return any(line.split()[:1] == ["local"] and line.split()[-1:] == ["trust"] for line in lines.splitlines())

    def _as_server(self, command):
        words = ["setpriv"]
        if not self._keep:
            words += ["--pdeathsig", "QUIT"]
        if os.geteuid() == 0:
            words += ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        return words + ["--"] + [str(word) for word in command]

    # ---- its databases ----

    def url(self, database):
        """The database as a URL over TCP."""
        return f"postgres://{self.user}@{self.host}:{self.port}/{database}"

    def configuration(self, database, **more):
        """The configuration of a Millrace source or destination on this cluster."""
        return {"host": self.host, "port": self.port, "database": database, "username": self.user} | more

    def psql_command(self, database, *options):
        """The words that run psql on a database of this cluster, stopping at the first error."""
        return [str(bin_dir() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.dir), "-p", str(self.port),
                "-U", self.user, "-d", database, *options]

    def psql(self, sql, database, *options):
        """Runs SQL, statement by statement, and returns what psql prints."""
        done = subprocess.run(self.psql_command(database, *options, "-f", "-"), input=sql, capture_output=True, text=True,
                              check=False, env=_clean_environment())
        if done.returncode != 0:
            raise PgError(done.stderr.strip())
        return done.stdout

    def query(self, sql, database):
        """The answer without headers, columns parted by |, without the last line feed."""
        return self.psql(sql, database, "-At").removesuffix("\n")

    def value(self, sql, database):
        """The one number that the query answers."""
        return int(self.query(sql, database))

    def create_database(self, name):
        """Makes an empty database."""
        self.psql(f"CREATE DATABASE {quote(name)}", "postgres")

    def drop_database(self, name):
        """Removes a database, whoever is connected."""
        self.psql(f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)", "postgres")


def _clean_environment():
    """This process's environment without what would send libpq elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _sweep():
    """Removes what clusters of dead processes left."""
    for entry in pathlib.Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        owner = entry.name.removeprefix(_PREFIX).split("-")[0]
        if not owner.isdigit() or alive(int(owner)):
            continue
        try:
            if alive(int((entry / "data" / "postmaster.pid").read_text().split()[0])):
                continue  # it is still stopping
        except (OSError, ValueError, IndexError):
            pass
        shutil.rmtree(entry, ignore_errors=True)
