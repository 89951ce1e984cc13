// Crash point 26 and what follows: an execution whose code was on a thread in three crashes in a row is set aside.
#include <catch2/catch.hpp>

#include <filesystem>

#include "engine/crash_file_notes.h"
#include "engine/crash_notes.h"
#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

// Notes that a test writes: who is said to have run when the server died.
class WrittenNotes final : public CrashNotes {
 public:
  std::size_t enter(const std::string& run_id) override {
    ++entered[run_id];
    return 0;
  }
  void leave(std::size_t) override {}
  std::vector<std::string> left_behind() const override { return left; }
  void clear() override { left.clear(); }
  std::vector<std::string> left;
  std::map<std::string, int> entered;
};

struct Aside : EngineFixture {
  Aside() {
    registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
      const Payload word = co_await ctx.next_signal("s");
      co_return word;
    });
    options.crash_notes = notes;
  }
  // The server dies with this run on a thread, and starts again.
  void crash_with(const std::string& run_id) {
    stop();
    notes->left = {run_id};
    boot();
    sim.run_until_idle(std::chrono::seconds(1));
  }
  std::shared_ptr<WrittenNotes> notes = std::make_shared<WrittenNotes>();
};

}  // namespace

TEST_CASE("crash point 26: what ran in three crashes in a row is set aside, the rest goes on") {
  Aside a;
  a.boot();
  const std::string run = a.start("w", "bad").run_id;
  a.start("w", "good");
  for (int i = 0; i < 2; ++i) {
    a.crash_with(run);
    CHECK_FALSE(a.describe("bad").execution.set_aside);
  }
  const auto before = a.history("bad").size();
  a.notes->entered.clear();
  a.crash_with(run);
  const Execution aside = a.describe("bad").execution;
  CHECK(aside.set_aside);
  CHECK(aside.blocked);
  CHECK(aside.status == ExecutionStatus::running);
  CHECK(a.history("bad").size() == before);
  CHECK(a.notes->entered.count(run) == 0);  // no code of it ran
  // The rest goes on.
  a.get(a.engine->signal("good", {}, "s", "1", ""));
  CHECK(a.wait("good").result == "1");
  // It stays aside over clean restarts and later crashes.
  a.stop();
  a.boot();
  a.sim.run_until_idle(std::chrono::seconds(1));
  CHECK(a.describe("bad").execution.set_aside);
  // A signal is kept for it; taken back it goes on and reads it.
  a.get(a.engine->signal("bad", {}, "s", "2", ""));
  a.run(a.engine->resume("bad", {}));
  CHECK(a.wait("bad", std::chrono::seconds(10)).result == "2");
  CHECK_FALSE(a.describe("bad").execution.set_aside);
}

TEST_CASE("a crash that it did not run in, or a clean stop, begins the count anew") {
  Aside a;
  a.boot();
  const std::string run = a.start("w", "w").run_id;
  for (int i = 0; i < 3; ++i) {
    a.crash_with(run);
    a.crash_with(run);
    a.crash_with("another run");
  }
  CHECK_FALSE(a.describe("w").execution.set_aside);
  a.crash_with(run);
  a.crash_with(run);
  a.stop();
  a.boot();
  a.crash_with(run);
  CHECK_FALSE(a.describe("w").execution.set_aside);
}

TEST_CASE("notes in a file outlive their process, and are gone where they were taken back") {
  const auto path = std::filesystem::temp_directory_path() / ("millrace-notes-" + std::to_string(::getpid()));
  {
    const auto notes = open_crash_notes(path);
    CHECK(notes->left_behind().empty());
    const auto one = notes->enter("11111111-2222-3333-4444-555555555555");
    const auto two = notes->enter("b");
    (void)two;
    notes->leave(one);
  }
  {
    const auto notes = open_crash_notes(path);
    CHECK(notes->left_behind() == std::vector<std::string>{"b"});
    notes->clear();
    CHECK(notes->left_behind().empty());
  }
  CHECK(open_crash_notes(path)->left_behind().empty());
  std::filesystem::remove(path);
}

}  // namespace millrace::engine
