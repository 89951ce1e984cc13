"""The tutorial's commands work as they stand: each `sh` block of docs/tutorial/*.md is run, in order, in one shell."""

import os
import re
import subprocess
import unittest

from support import REPO, PgCluster, free_port, millrace_binary, temp_dir
from support.pg import bin_dir


class TutorialTest(unittest.TestCase):
    def test_the_blocks_of_first_sync_run(self):
        text = (REPO / "docs/tutorial/first-sync.md").read_text()
        blocks = re.findall(r"^```(sh|yaml title=\S+|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        script = ["set -eu"]
        for kind, block in blocks:
            if kind == "sh":
                script += ["set -x", block, "{ set +x; } 2> /dev/null"]
            elif kind.startswith("yaml"):
                script.append(f"cat > {kind.split('=')[1]} <<'END_OF_FILE'\n{block}END_OF_FILE")
        self.assertGreater(len(script), 5, "the tutorial has commands")
        with PgCluster() as pg:
            folder = temp_dir("tutorial")
            env = {name: value for name, value in os.environ.items() if not name.startswith(("MILLRACE_", "PG"))} | {
                # What the reader has: a PostgreSQL that psql finds, millrace in the path, a home directory.
                "PGHOST": pg.host, "PGPORT": str(pg.port), "PGUSER": pg.user, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"),
                "PATH": f"{millrace_binary().parent}:{bin_dir()}:{os.environ['PATH']}", "MILLRACE_LISTEN": f"127.0.0.1:{free_port()}",
                "NO_COLOR": "1"}
            env["MILLRACE_SERVER"] = f"http://{env['MILLRACE_LISTEN']}"
            done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=env, capture_output=True, text=True, timeout=180,
                                  check=False, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr[-6000:]}")
            for promised in re.findall(r"^<!-- shows: (.*) -->$", text, re.MULTILINE):
                self.assertRegex(done.stdout, promised)


if __name__ == "__main__":
    unittest.main()
