"""tools/rooms sees what it must see: each fault is planted into a copy of a small house, and refused."""

import pathlib
import shutil
import subprocess
import sys
import unittest

from support import REPO, temp_dir


class RoomsTest(unittest.TestCase):
    def setUp(self):
        self.root = temp_dir("rooms")
        self.write("common/errors.h", "#pragma once\n")
        self.write("net/postgres.h", '#pragma once\n#include "common/errors.h"\n')
        self.write("state/store.h", '#pragma once\n#include "common/errors.h"\n')
        self.write("engine/engine.h", '#pragma once\n#include "state/store.h"\n')
        self.write("workflows/jobs.h", '#pragma once\n#include "engine/engine.h"\n')
        self.write("api/client/client.h", '#pragma once\n#include "net/postgres.h"\n')

    def tearDown(self):
        shutil.rmtree(self.root)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def rooms(self, *options, root=None):
        return subprocess.run([sys.executable, "-B", REPO / "tools/rooms", "--root", root or self.root, *options],
                              capture_output=True, text=True, check=False)

    def refuses(self, path, text, reason):
        self.write(path, text)
        done = self.rooms()
        (self.root / path).unlink()
        self.assertEqual(done.returncode, 1, f"{path} with {text!r} passed")
        self.assertRegex(done.stderr, reason)
        self.assertIn(path, done.stderr)

    def accepts(self, path, text):
        self.write(path, text)
        done = self.rooms()
        (self.root / path).unlink()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_forbidden_include_in_a_copy_of_the_repository_is_refused(self):
        copy = self.root / "copy"
        shutil.copytree(REPO, copy, ignore=shutil.ignore_patterns("build*", ".git", "node_modules"))
        self.assertEqual(self.rooms(root=copy).returncode, 0, self.rooms(root=copy).stderr)
        header = copy / "engine" / "engine.h"
        header.write_text(header.read_text() + '#include "connectors/source.h"\n')
        done = self.rooms(root=copy)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'engine/engine.h:\d+: include "connectors/source.h": engine/ may include common/, state/, calendar/; not connectors/')

    def test_each_wall_holds(self):
        for path, included in (("common/a.cc", "net/postgres.h"), ("net/a.cc", "state/store.h"), ("state/rocks.cc", "net/postgres.h"),
                               ("engine/a.cc", "workflows/jobs.h"), ("connectors/a.cc", "engine/engine.h"),
                               ("resources/a.cc", "engine/engine.h"), ("cdc/a.cc", "state/store.h"),
                               ("api/client/a.cc", "engine/engine.h"), ("cli/jobs.cc", "workflows/jobs.h"),
                               ("cli/server_flags.cc", "engine/engine.h")):
            with self.subTest(path=path, included=included):
                self.refuses(path, f'#include "{included}"\n', "may include")

    def test_what_the_table_allows_passes(self):
        for path, included in (("state/shared_store.cc", "net/postgres.h"), ("engine/a.cc", "state/store.h"),
                               ("workflows/a.cc", "engine/engine.h"), ("cli/a.cc", "api/client/client.h"),
                               ("cli/serve.cc", "workflows/jobs.h"), ("cli/copy/copy.cc", "engine/engine.h"),
                               ("tests/engine/a.cc", "workflows/jobs.h"), ("bench/a.cc", "engine/engine.h")):
            with self.subTest(path=path):
                self.accepts(path, f'#include "{included}"\n')

    def test_a_way_round_by_relative_path_is_refused(self):
        self.refuses("engine/a.cc", '#include "../workflows/jobs.h"\n', "write the path from the root")
        self.refuses("engine/a.cc", '#include "engine.h"\n', "no such file under the root")

    def test_clocks_threads_timers_and_sleeps_belong_to_runtime(self):
        for line in ("std::thread t(f);", "std::this_thread::sleep_for(d);", "auto t = std::chrono::steady_clock::now();",
                     "auto t = system_clock::now();", "asio::steady_timer t(ex);", "boost::asio::system_timer t(ex);", "usleep(5);",
                     "::sleep(1);", "std::random_device d;"):
            with self.subTest(line=line):
                self.refuses("engine/a.cc", f"void f() {{ {line} }}\n", "use Runtime")
                self.refuses("tests/engine/a.cc", f"void f() {{ {line} }}\n", "use Runtime")
                self.accepts("common/runtime_real.cc", f"void f() {{ {line} }}\n")
                self.accepts("tests/engine/a.cc", f"// rooms: clock and threads: it tests the clock\nvoid f() {{ {line} }}\n")
                self.refuses("engine/a.cc", f"// rooms: clock and threads: because\nvoid f() {{ {line} }}\n", "use Runtime")
        self.accepts("engine/a.cc", "auto f(Runtime r) { co_await r.sleep_for(d); auto t = r.now(); }\n")

    def test_comments_and_literals_are_not_code(self):
        self.accepts("engine/a.cc", '// a new std::thread\n/* delete p; usleep(3) */ const char* s = "new std::thread"; int n = 250\'000; '
                                    "char c = '\"'; auto r = R\"(new std::thread)\";\n")

    def test_new_and_delete_are_refused(self):
        for line in ("auto* p = new int;", "auto* p = new Thing(1);", "delete p;", "delete[] p;", "new (place) Thing();"):
            with self.subTest(line=line):
                self.refuses("engine/a.cc", f"void f() {{ {line} }}\n", "use std::make_unique|ownership is values")
        self.accepts("engine/a.cc", "struct A { A(const A&) = delete; A& operator=(A&&)= delete; };\n")

    def test_a_braced_temporary_beside_co_await_is_refused(self):
        for line in ('co_await g({.name = "x"});', 'auto r = co_await g(Opt{.name = "x"});', 'co_await g(Opt{a, b});',
                     'co_return co_await h(1, {a, b});', 'if (co_await g({.n = 1})) {}'):
            with self.subTest(line=line):
                self.refuses("engine/a.cc", f"awaitable<void> f() {{ {line} }}\n", "braced temporary")
        for line in ("co_await g([x] { return 1; });", "co_await g([&a, x = std::move(y)]() mutable { use(x); }, 2);", "co_await g(1, [=] { use(x); });"):
            with self.subTest(line=line):
                self.refuses("engine/a.cc", f"awaitable<void> f() {{ {line} }}\n", "captures by value")
        self.refuses("engine/a.cc", "awaitable<void> f() { auto r = c ? co_await g() : 0; }\n", r"co_await inside \?:")
        for line in ("Opt o{.name = a}; co_await g(o);", "co_await rt.blocking([&x]() { return T{x, 1}; });", "if (co_await g()) { a = {1, 2}; }",
                     "for (auto& x : co_await g()) { use(x); }", "co_await g([&](int a) mutable -> std::vector<int> { return {a}; }, 1);",
                     "co_await g({});", "auto l = [x] { return x; }; co_await g(std::move(l));", "co_await g(a[x], [this, &b](int n) { return [n] { return n; }; });", "while (!co_await g()) { int a[] = {1, 2}; }"):
            with self.subTest(line=line):
                self.accepts("engine/a.cc", f"awaitable<void> f() {{ {line} }}\n")

    def test_the_build_runs_it_again_only_when_a_source_changed(self):
        stamp, depfile = self.root / "out.stamp", self.root / "out.d"
        self.assertEqual(self.rooms("--stamp", stamp, "--depfile", depfile).returncode, 0)
        self.assertTrue(stamp.exists())
        listed = depfile.read_text().split(": ", 1)[1].split()
        self.assertIn(str(self.root / "engine/engine.h"), listed)
        self.assertIn("custom_target('rooms'", (REPO / "tools/meson.build").read_text())
        self.assertTrue(all(pathlib.Path(name).suffix in (".h", ".cc", ".inc", ".build") for name in listed))


if __name__ == "__main__":
    unittest.main()
