"""Runs one unittest module and writes its counts as JSON:  run_module.py e2e.test_main_path counts.json"""

import json
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


class Result(unittest.TextTestResult):
    """Says how long each test took."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.stream.writeln(f"    {time.monotonic() - self.began:.1f} s")


def main():
    module, report = sys.argv[1], pathlib.Path(sys.argv[2])
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    # A test with several failed subtests is one failed test; a failed setUpClass is one too.
    failed = {str(getattr(test, "test_case", test)) for test, _ in result.failures + result.errors}
    failed |= {str(test) for test in result.unexpectedSuccesses}
    skipped = len(result.skipped)
    ran = result.testsRun - sum(1 for name in failed if "setUpClass" not in name)
    report.write_text(json.dumps({"passed": max(0, ran - skipped), "failed": len(failed), "skipped": skipped}))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
