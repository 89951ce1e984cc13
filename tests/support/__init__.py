"""What the black-box tests and the demo stand on: throw-away PostgreSQL clusters, a Millrace server as a child process,
an HTTP client, and the comparison of tables row by row. Only Python's own library is used."""

from .compare import Difference, compare_tables, require_equal
from .http_client import Client, Reply
from .paths import REPO, millrace_binary, temp_dir, testkit_binary
from .pg import PgCluster, PgError, bin_dir
from .server import Millrace, rows_committed, rows_read
from .waiting import free_port, wait_until

__all__ = [
    "Client", "Difference", "Millrace", "PgCluster", "PgError", "REPO", "Reply", "bin_dir", "compare_tables",
    "free_port", "millrace_binary", "require_equal", "rows_committed",
    "rows_read", "temp_dir", "testkit_binary", "wait_until",
]
