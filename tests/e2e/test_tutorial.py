"""The tutorial's commands work as they stand: each `sh` block of docs/tutorial/*.md is run, in order, in one shell."""

import os
import re
import signal
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
            (folder / "bin").mkdir()
            (folder / "bin" / "millrace").symlink_to(millrace_binary())
            env = {name: value for name, value in os.environ.items() if not name.startswith(("MILLRACE_", "PG"))} | {
                # What the reader has: a PostgreSQL that psql finds, millrace in the path, a home directory.
                "PGHOST": pg.host, "PGPORT": str(pg.port), "PGUSER": pg.user, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"),
                "PATH": f"{folder}/bin:{bin_dir()}:{os.environ['PATH']}", "MILLRACE_LISTEN": f"127.0.0.1:{free_port()}",
                "NO_COLOR": "1"}
            env["MILLRACE_SERVER"] = f"http://{env['MILLRACE_LISTEN']}"
            code, output = self.run_script("\n".join(script), folder, env)
            self.assertEqual(code, 0, output[-8000:])
            for promised in re.findall(r"^<!-- shows: (.*) -->$", text, re.MULTILINE):
                self.assertRegex(output, promised)

    @staticmethod
    def run_script(script, folder, env):
        """Exit code and output; whatever the script left running is ended."""
        with open(folder / "output", "w+", encoding="utf-8") as output:
            shell = subprocess.Popen(["bash", "-c", script], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                     start_new_session=True)
            try:
                code = shell.wait(120)
            except subprocess.TimeoutExpired:
                code = "none within 120 s"
            finally:
                try:
                    os.killpg(shell.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                shell.wait()
            output.seek(0)
            return code, output.read()


if __name__ == "__main__":
    unittest.main()
