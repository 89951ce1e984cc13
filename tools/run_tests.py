#!/usr/bin/env python3
"""Runs tests and counts them: Catch2 programs of a build directory, and Python's unittest modules.

Each Catch2 test case and each Python test is one test. A program that dies has failed, whatever it had passed before.
The counts of several calls (one a build) are added up in a file; `--total` prints the line that CI reads, and only then
is a failed test an exit code.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Outcome:
    def __init__(self, name, passed=0, failed=0, skipped=0, seconds=0.0, text=""):
        self.name, self.passed, self.failed, self.skipped = name, passed, failed, skipped
        self.seconds, self.text = seconds, text

    def line(self):
        word = "FAIL" if self.failed else "ok  "
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"  {word} {self.name:42} {self.passed:5} passed, {self.failed} failed{skipped}  {self.seconds:6.1f} s"


def run(command, timeout, env=None, cwd=ROOT):
    """The exit code (negative: signal; None: timed out) and everything it printed."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=cwd,
                          text=True, errors="replace", start_new_session=True) as child:
        try:
            text, _ = child.communicate(timeout=timeout)
            return child.returncode, text
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            text, _ = child.communicate()
            return None, f"{text}\ntimed out after {timeout} s"


def catch_cases(report):
    """(passed, failed) of a report of Catch2's xml reporter, whole or torn by a crash."""
    try:
        results = [case.find("OverallResult").get("success") == "true"
                   for case in xml.etree.ElementTree.fromstring(report).iter("TestCase")]
    except (xml.etree.ElementTree.ParseError, AttributeError):
        results = [word == "true" for word in re.findall(r'<OverallResult success="(true|false)"', report)]
    return results.count(True), results.count(False)


def run_program(test, env, scale):
    """One test of the build directory."""
    name = test["name"]
    started = time.monotonic()
    environment = os.environ | test.get("env", {}) | env
    timeout = max(test["timeout"], 30) * scale
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        is_script = test["cmd"][0].endswith((".sh", ".py"))  # counts as one test, by its exit code
        is_catch = "unit" in test["suite_names"] and not is_script
        options = ["-r", "xml", "-o", str(report)] if is_catch else []
        try:
            code, text = run([*test["cmd"], *options], timeout, environment, test.get("workdir") or ROOT)
        except OSError as failure:
            return Outcome(name, failed=1, text=str(failure))
        content = report.read_text(errors="replace") if report.exists() else ""
    seconds = time.monotonic() - started
    if code == 77:
        return Outcome(name, skipped=1, seconds=seconds, text=text)
    if not is_catch:
        return Outcome(name, passed=int(code == 0), failed=int(code != 0), seconds=seconds, text=text)
    passed, failed = catch_cases(content)
    if code != 0 and failed == 0:
        failed = 1
        text += f"\n{name} ended with {'a time-out' if code is None else code} after {passed} test cases"
    if code == 0 and passed == 0:
        failed, text = 1, text + f"\n{name} ran no test case"
    if failed:
        text = "\n".join(line for line in (text.strip(), explain(content)) if line)
    return Outcome(name, passed, failed, 0, seconds, text)


def explain(report):
    """The failed expressions of a Catch2 report, for people."""
    try:
        root = xml.etree.ElementTree.fromstring(report)
    except xml.etree.ElementTree.ParseError:
        return report[-3000:]
    lines = []
    for case in root.iter("TestCase"):
        result = case.find("OverallResult")
        if result is not None and result.get("success") == "true":
            continue
        lines.append(f"FAILED: {case.get('name')}  ({case.get('filename')}:{case.get('line')})")
        for element in case.iter():
            if element.tag == "Expression" and element.get("success") != "true":
                lines.append(f"  {element.get('filename')}:{element.get('line')}: {(element.findtext('Original') or '').strip()}"
                             f"\n    with: {(element.findtext('Expanded') or '').strip()}")
                lines += [f"    threw: {(inner.text or '').strip()}" for inner in element.findall("Exception")]
            elif element.tag in ("Exception", "Failure", "FatalErrorCondition", "Info") and element.text:
                lines.append(f"  {element.tag}: {element.text.strip()}")
    return "\n".join(lines)


def run_module(module, env, timeout):
    """One Python test module, in a process of its own."""
    started = time.monotonic()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        code, text = run([sys.executable, "-B", str(ROOT / "tests/run_module.py"), module, report.name], timeout, os.environ | env)
        try:
            counts = json.loads(pathlib.Path(report.name).read_text())
        except ValueError:
            counts = {"passed": 0, "failed": 1, "skipped": 0}
    if code != 0 and not counts["failed"]:
        counts["failed"] = 1
    return Outcome(module, seconds=time.monotonic() - started, text=text, **counts)


def module_names(patterns):
    files = sorted(file for pattern in patterns for file in (ROOT / "tests").glob(pattern))
    return [file.relative_to(ROOT / "tests").with_suffix("").as_posix().replace("/", ".") for file in files]


def report(outcome, verbose):
    print(outcome.line(), flush=True)
    if outcome.failed or (verbose and outcome.text.strip()):
        print("\n".join("      " + line for line in outcome.text.strip().splitlines()[-200:]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--counts", type=pathlib.Path, required=True, help="file that adds up the counts")
    parser.add_argument("--build", help="run the programs of this build directory")
    parser.add_argument("--only", help="regular expression over the names of programs")
    parser.add_argument("--label", default="", help="said before each name")
    parser.add_argument("--python", nargs="+", metavar="GLOB", help="run these test modules (below tests/)")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1))
    parser.add_argument("--timeout", type=float, default=900, help="seconds for a Python module")
    parser.add_argument("--timeout-scale", type=float, default=1, help="for slow (sanitized) programs")
    parser.add_argument("--failed", metavar="TEXT", help="count one failure (a build that failed) and say so")
    parser.add_argument("--verbose", action="store_true", help="show the output of what passed as well")
    parser.add_argument("--total", action="store_true", help="print the sum and exit with 1 if anything failed")
    options = parser.parse_args()
    env = dict(pair.split("=", 1) for pair in options.env)

    work = []
    if options.build:
        answer = subprocess.run(["meson", "introspect", "--tests", options.build], capture_output=True, text=True, check=True, cwd=ROOT)
        for test in json.loads(answer.stdout):
            test["suite_names"] = [suite.split(":")[-1] for suite in test["suite"]]
            if not options.only or re.search(options.only, test["name"]):
                work.append(lambda test=test: run_program(test, env, options.timeout_scale))
    if options.python:
        work += [lambda module=module: run_module(module, env, options.timeout) for module in module_names(options.python)]

    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(action) for action in work]):
            outcome = done.result()
            outcome.name = f"{options.label}{outcome.name}"
            outcomes.append(outcome)
            report(outcome, options.verbose)
    if options.failed:
        outcomes.append(Outcome(options.failed, failed=1))
        report(outcomes[-1], False)

    counts = json.loads(options.counts.read_text()) if options.counts.exists() and options.counts.stat().st_size else {
        "passed": 0, "failed": 0, "skipped": 0, "names": []}
    for outcome in outcomes:
        for word in ("passed", "failed", "skipped"):
            counts[word] += getattr(outcome, word)
        if outcome.failed:
            counts["names"].append(outcome.name)
    options.counts.write_text(json.dumps(counts))
    if options.total:
        if counts["names"]:
            print("failed in: " + ", ".join(counts["names"]))
        print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped", flush=True)
        return int(counts["failed"] > 0 or counts["passed"] == 0)
    return 0  # the counts tell; any other exit code means that this runner itself failed


if __name__ == "__main__":
    sys.exit(main())
