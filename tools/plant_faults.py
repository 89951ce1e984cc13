#!/usr/bin/env python3
"""Breaks the engine on purpose: applies each patch of tests/sim/faults to a scratch copy, builds the simulation there
and says which invariant finds it within so many seeds. A patch whose fault nobody finds is a survivor."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


# ccache takes the objects of the unbroken tree from wherever they were made.
ENVIRONMENT = {"CXX": "ccache g++", "CXX_LD": "mold", "CCACHE_SLOPPINESS": "pch_defines,time_macros", "CCACHE_NOHASHDIR": "1"} | os.environ


def run(*command, **options):
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, errors="replace", **options)


def copy_tree(target):
    """The tree as it is, what git knows of it and what is new."""
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).stdout.split("\0")
    for name in filter(None, names):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def build(tree, jobs):
    if not (tree / "build/build.ninja").exists():
        done = run("meson", "setup", "build", cwd=tree)
        if done.returncode:
            sys.exit(f"meson setup failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return run("ninja", "-C", "build", f"-j{jobs}", "tests/sim/sim", cwd=tree)


def try_fault(tree, patch, options):
    """(word, what found it)"""
    if run("patch", "-p1", "--forward", "-F3", "-i", str(patch), cwd=tree).returncode:
        run("patch", "-p1", "-R", "--force", "-i", str(patch), cwd=tree)
        return "does not apply", ""
    try:
        done = build(tree, options.jobs)
        if done.returncode:
            return "does not build", "\n".join(line for line in done.stdout.splitlines() if "error" in line)[:500]
        seen = run("build/tests/sim/sim", "--seeds", str(options.seeds), "--jobs", str(options.jobs), "--first", cwd=tree, timeout=1800)
        found = re.search(r"FOUND seed (\d+): (.*)", seen.stdout)
        return ("found", f"seed {found[1]}: {found[2]}") if found else ("survives", "")
    finally:
        run("patch", "-p1", "-R", "--force", "-i", str(patch), cwd=tree)
        for left in [*tree.rglob("*.orig"), *tree.rglob("*.rej")]:
            left.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*", help="of patches, without .patch; none: all")
    options = parser.parse_args()
    count = {}
    with tempfile.TemporaryDirectory(prefix="millrace-faults-") as folder:
        tree = pathlib.Path(folder)
        copy_tree(tree)
        patches = [p for p in sorted((tree / "tests/sim/faults").glob("*.patch")) if not options.names or p.stem in options.names]
        if not patches:
            sys.exit("no such patch")
        done = build(tree, options.jobs)
        if done.returncode:
            sys.exit(f"the unbroken tree does not build:\n{done.stdout[-2000:]}")
        for patch in patches:
            word, what = try_fault(tree, patch, options)
            count[word] = count.get(word, 0) + 1
            print(f"  {word:15} {patch.stem:40} {what}", flush=True)
    print(", ".join(f"{n} {word}" for word, n in sorted(count.items())) + f", of {len(patches)}")
    return int(count.get("found", 0) < len(patches))


if __name__ == "__main__":
    sys.exit(main())
