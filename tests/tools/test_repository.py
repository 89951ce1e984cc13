"""The repository's own tools: ./dev, the documentation checks, the counting of tests."""

import json
import pathlib
import shutil
import subprocess
import sys
import unittest

from support import REPO, temp_dir

sys.path.insert(0, str(REPO / "tools"))
import check_docs  # noqa: E402
import run_tests  # noqa: E402

COMMANDS = ("setup", "build", "test", "demo", "bench", "lint", "fmt", "clean")


class DevTest(unittest.TestCase):
    def dev(self, *words):
        return subprocess.run([REPO / "dev", *words], capture_output=True, text=True, check=False, cwd="/")

    def test_every_command_has_help(self):
        for command in COMMANDS:
            with self.subTest(command):
                done = self.dev(command, "--help")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"usage: ./dev {command}", done.stdout)

    def test_wrong_usage_is_exit_code_2(self):
        for words in ([], ["dance"], ["clean", "--everything"], ["build", "--fast"], ["bench", "no-such-benchmark"], ["setup", "x"]):
            with self.subTest(words):
                done = self.dev(*words)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)

    def test_setup_has_nothing_to_do_where_all_is_installed(self):
        done = self.dev("setup")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"all \d+ packages are installed")

    def test_ci_runs_the_command_of_the_readme(self):
        self.assertIn("exec ./dev test\n", (REPO / ".ci/run").read_text())
        self.assertIn("./dev test ", (REPO / "README.md").read_text())


class BuildTest(unittest.TestCase):
    """build_in of tools/dev/common.sh, with stand-ins for meson and ninja: what counts is what becomes of their status."""

    def build(self, meson, ninja, text):
        folder = temp_dir("build")
        for name, body in (("meson", meson), ("ninja", ninja)):
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)
        return subprocess.run(["bash", "-c", f"PATH={folder}:$PATH\n. {REPO}/tools/dev/common.sh\n{text}"], cwd=folder,
                              capture_output=True, text=True, check=False)

    CONFIGURES = 'mkdir "$2" && touch "$2/build.ninja"'

    def test_a_build_that_fails_is_told_also_where_its_status_is_looked_at(self):
        for meson, ninja, words in (("exit 1", "exit 0", "meson setup of b failed"), (self.CONFIGURES, "exit 1", "the build of b failed")):
            with self.subTest(words):
                done = self.build(meson, ninja, "if build_in b g++ --; then echo went on; else echo refused; fi")
                self.assertIn("refused", done.stdout)
                self.assertNotIn("went on", done.stdout)
                self.assertIn(words, done.stderr)
                done = self.build(meson, ninja, "build_release; echo went on")
                self.assertEqual((done.returncode, "went on" in done.stdout), (1, False))

    def test_a_good_build_is_configured_once(self):
        done = self.build(self.CONFIGURES, "exit 0", "build_in b g++ -Dx=1 -- target && build_in b g++ -- && echo well")
        self.assertIn("well", done.stdout, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("configuring b"), 1)
        self.assertIn("ninja -C b target", done.stdout)


class DocumentationTest(unittest.TestCase):
    def test_the_documentation_is_in_order(self):
        done = subprocess.run([sys.executable, "-B", REPO / "tools/check_docs.py"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_planted_fault_is_seen(self):
        root = temp_dir("docs")
        for folder in ("docs/errors", "common", "tools", "tests"):
            (root / folder).mkdir(parents=True)
        (root / "common/error_catalogue.inc").write_text('X("a.known", config, 500, "t", "r")\nX("a.bare", config, 500, "t", "r")\n')
        (root / "docs/errors/a.known.md").write_text("# a.known\n")
        (root / "docs/errors/a.gone.md").write_text("# a.gone\n")
        (root / "docs/page.md").write_text("[x](nowhere.md) [y](errors/a.known.md) [z](https://example.com)\n")
        (root / "docs/dependencies.md").write_text("`g++`\n")
        (root / "tools/packages.txt").write_text("core g++ compiles\ncore forgotten unexplained\n")
        faults = [*check_docs.check_errors(root), *check_docs.check_links(root), *check_docs.check_packages(root)]
        self.assertEqual(sorted(faults), sorted([
            "docs/errors/a.bare.md is missing: what happened, common causes, what to do",
            "docs/errors/a.gone.md: there is no such code in common/error_catalogue.inc",
            "docs/page.md: the link nowhere.md leads nowhere",
            "docs/dependencies.md does not explain forgotten"]))
        shutil.rmtree(root)


class CountingTest(unittest.TestCase):
    def counted(self, *options):
        with_counts = temp_dir("counts") / "counts.json"
        command = [sys.executable, "-B", REPO / "tools/run_tests.py", "--counts", with_counts]
        subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        return subprocess.run([*command, "--total"], capture_output=True, text=True, check=False)

    def test_a_torn_report_counts_what_it_holds(self):
        whole = '<Catch><Group><TestCase name="a"><OverallResult success="true"/></TestCase><TestCase name="b"><OverallResult success="false"/></TestCase></Group></Catch>'
        self.assertEqual(run_tests.catch_cases(whole), (1, 1))
        self.assertEqual(run_tests.catch_cases(whole[:90]), (1, 0))
        self.assertEqual(run_tests.catch_cases(""), (0, 0))

    def test_a_program_that_dies_or_runs_nothing_has_failed(self):
        folder = temp_dir("programs")
        for body, passed, failed, skipped in (("kill -9 $$", 0, 1, 0), ("exit 0", 0, 1, 0), ("exit 77", 0, 0, 1), ("exit 3", 0, 1, 0),
                                              ("echo '<OverallResult success=\"true\"' > \"$4\"; exit 0", 1, 0, 0),
                                              ("echo '<OverallResult success=\"true\"' > \"$4\"; kill -11 $$", 1, 1, 0)):
            with self.subTest(body):
                program = pathlib.Path(folder) / "program"
                program.write_text(f"#!/bin/sh\n{body}\n")
                program.chmod(0o755)
                test = {"name": "p", "cmd": [str(program)], "timeout": 30, "suite_names": ["unit"]}
                outcome = run_tests.run_program(test, {}, 1)
                self.assertEqual((outcome.passed, outcome.failed, outcome.skipped), (passed, failed, skipped), outcome.text)
        script = pathlib.Path(folder) / "program.sh"
        for code, counts in ((0, (1, 0, 0)), (1, (0, 1, 0)), (77, (0, 0, 1))):
            script.write_text(f"#!/bin/sh\n[ $# -eq 1 ] || exit 9\nexit {code}\n")
            script.chmod(0o755)
            test = {"name": "p", "cmd": [str(script), "own"], "timeout": 30, "suite_names": ["unit"]}
            outcome = run_tests.run_program(test, {}, 1)
            self.assertEqual((outcome.passed, outcome.failed, outcome.skipped), counts, "a script counts by its exit code")
        missing = {"name": "p", "cmd": ["/nonexistent"], "timeout": 30, "suite_names": ["unit"]}
        self.assertEqual(run_tests.run_program(missing, {}, 1).failed, 1)

    def test_the_last_line_and_the_exit_code_tell_of_a_failure(self):
        done = self.counted("--failed", "build of x")
        self.assertEqual(done.stdout.splitlines()[-1], "0 passed, 1 failed, 0 skipped")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.counted().returncode, 1, "no test at all is no success")

    def test_python_modules_are_counted_by_test(self):
        module = REPO / "tests/run_module.py"
        folder = temp_dir("module")
        (folder / "planted.py").write_text(
            "import unittest\nclass T(unittest.TestCase):\n  def test_a(self): pass\n  def test_b(self): self.fail('x')\n"
            "  def test_c(self): self.skipTest('y')\n  def test_d(self):\n    for n in 1, 2:\n      with self.subTest(n): self.fail()\n"
            "class U(unittest.TestCase):\n  @classmethod\n  def setUpClass(cls): raise RuntimeError\n  def test_e(self): pass\n")
        copy = folder / "run_module.py"
        copy.write_text(module.read_text())
        report = folder / "report.json"
        code = subprocess.run([sys.executable, "-B", copy, "planted", report], capture_output=True, check=False).returncode
        self.assertEqual((code, json.loads(report.read_text())), (1, {"passed": 1, "failed": 3, "skipped": 1}))


if __name__ == "__main__":
    unittest.main()
