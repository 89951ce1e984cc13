#!/usr/bin/env python3
"""Holds the documentation to the code: each error code has a page and each page a code, links inside the repository
lead to a file, each package that setup installs is explained, each room has its README."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("common", "net", "state", "engine", "connectors", "cdc", "resources", "workflows", "api", "cli", "tests", "bench", "tools")


def catalogue(text):
    """The codes of error_catalogue.inc, in its order."""
    return re.findall(r'^X\("([^"]+)"', text, re.MULTILINE)


def check_errors(root):
    codes = catalogue((root / "common/error_catalogue.inc").read_text())
    pages = {file.stem for file in (root / "docs/errors").glob("*.md")} - {"README"}
    for code in sorted(set(codes)):
        if codes.count(code) > 1:
            yield f"common/error_catalogue.inc: {code} stands there twice"
        if code not in pages:
            yield f"docs/errors/{code}.md is missing: what happened, common causes, what to do"
    for page in sorted(pages - set(codes)):
        yield f"docs/errors/{page}.md: there is no such code in common/error_catalogue.inc"
    for page in sorted(pages & set(codes)):
        text = (root / f"docs/errors/{page}.md").read_text()
        if page not in text.splitlines()[0]:
            yield f"docs/errors/{page}.md: its first line does not name the code"


def check_links(root):
    for file in sorted([*root.glob("*.md"), *root.glob("*/README.md"), *(root / "docs").rglob("*.md")]):
        text = re.sub(r"```.*?```", "", file.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                continue
            path = (file.parent / target.split("#")[0]).resolve()
            if not path.exists():
                yield f"{file.relative_to(root)}: the link {target} leads nowhere"


def check_packages(root):
    explained = (root / "docs/dependencies.md").read_text()
    for line in (root / "tools/packages.txt").read_text().splitlines():
        words = line.split()
        if not words or words[0] == "#" or line.startswith("#"):
            continue
        if len(words) < 3:
            yield f"tools/packages.txt: {line.strip()}: group, package, why"
        elif f"`{words[1]}`" not in explained:
            yield f"docs/dependencies.md does not explain {words[1]}"


def check_rooms(root):
    for room in ROOMS:
        if any((root / room).glob("*.cc")) or any((root / room).glob("*.h")) or room in ("tests", "tools"):
            if not (root / room / "README.md").exists():
                yield f"{room}/README.md is missing"


def check_promises(root):
    """What is left undone belongs into the tracker, not into the text."""
    for file in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")]):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|TBD)\b", line):
                yield f"{file.relative_to(root)}:{number}: {line.strip()}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    faults = [*check_errors(root), *check_links(root), *check_packages(root), *check_rooms(root), *check_promises(root)]
    for fault in faults:
        print(f"  {fault}", file=sys.stderr)
    if not faults:
        codes = len(catalogue((root / "common/error_catalogue.inc").read_text()))
        print(f"  {codes} error codes with a page each, links, packages and room pages are in order")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
