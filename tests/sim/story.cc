#include "tests/sim/story.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace millrace::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Duration draw_wait(Chance& chance) {
  return chance.percent(40) ? Duration(0) : Duration(milliseconds(chance.between(1, 20'000)));
}

void add_action(Chance& chance, Story& story, Action::Kind kind, std::string name = {}, std::string payload = {}) {
  Action action;
  action.kind = kind;
  action.name = std::move(name);
  action.payload = std::move(payload);
  action.request_id = fmt::format("{}-r{}", story.workflow_id, story.actions.size());
  action.wait = draw_wait(chance);
  story.actions.push_back(std::move(action));
}

// Everything the program waits for, in its order, with looks in between.
void add_messages(Chance& chance, Story& story, const Program& program) {
  const auto look = [&] {
    if (chance.percent(30)) add_action(chance, story, Action::Kind::query);
    if (chance.percent(10)) add_action(chance, story, Action::Kind::describe);
  };
  look();
  std::map<std::string, int> sent;
  for (const std::string& name : program.signals) {
    add_action(chance, story, Action::Kind::signal, name, std::to_string(++sent[name]));
    look();
  }
  for (int i = 1; i <= program.updates; ++i) {
    add_action(chance, story, Action::Kind::update, {}, std::to_string(i));
    look();
    if (chance.percent(20)) add_action(chance, story, Action::Kind::bad_update, {}, "-1");
  }
  if (program.updates > 0) add_action(chance, story, Action::Kind::signal, "fin");
}

Story write_program_story(Chance& chance, std::string id, int step_fault_percent) {
  Story story;
  story.workflow_id = std::move(id);
  story.type = "sim.program";
  ProgramOptions options;
  options.step_fault_percent = step_fault_percent;
  const auto kind = chance.below(10);
  story.may_be_cancelled = kind == 0 || kind == 1;
  story.may_be_terminated = kind == 2;
  story.may_time_out = kind == 3;
  options.cleanup = story.has_cleanup = story.may_be_cancelled;
  const Program program = write_program(chance, options);
  story.input = program.input.dump();
  story.fails = program.fails;
  story.failure_type = "sim.planned";
  if (!program.fails) story.expected = Json(program.expected).dump();
  add_messages(chance, story, program);
  const auto place = [&] { return chance.below(static_cast<std::int64_t>(story.actions.size())); };
  if (story.may_be_cancelled || story.may_be_terminated) {
    add_action(chance, story, story.may_be_cancelled ? Action::Kind::cancel : Action::Kind::terminate);
    // Somewhere between the others, whose order stays.
    std::rotate(story.actions.begin() + place(), story.actions.end() - 1, story.actions.end());
  }
  if (story.may_time_out) story.run_timeout = seconds(chance.between(1, 200));
  return story;
}

// Of tests/testkit: what is asked, what must come of it.
struct Known {
  const char* type;
  const char* input;
  const char* result;   // null: it fails
  const char* failure;  // its type
  int signals;
};
constexpr Known kKnown[] = {
    {"test.steps", R"({"n":5,"stepMs":200})", R"({"sum":15})", nullptr, 0},
    {"test.steps", R"({"n":2,"payloadBytes":70000})", R"({"sum":3})", nullptr, 0},
    {"test.parallel", R"({"n":6,"stepMs":300})", R"({"sum":21})", nullptr, 0},
    {"test.timeouts",
     R"({"kind":"startToClose","timeouts":{"startToCloseMs":2000},"retryPolicy":{"maximumAttempts":1}})", nullptr, "",
     0},
    {"test.signals", R"({"count":3})", R"(["1","2","3"])", nullptr, 3},
    {"test.children", R"({"n":3,"type":"test.steps","input":{"n":2,"stepMs":50}})",
     R"([{"sum":3},{"sum":3},{"sum":3}])", nullptr, 0},
    {"test.ring", R"({"nodes":3,"laps":2})", R"({"laps":2})", nullptr, 0},
    {"test.continue", R"({"runs":3})", R"({"runs":3})", nullptr, 0},
    {"test.saga", R"({"failAt":3})", nullptr, "", 0},
};

Story write_known_story(Chance& chance, std::string id) {
  const Known& known = kKnown[chance.below(std::ssize(kKnown))];
  Story story;
  story.workflow_id = std::move(id);
  story.type = known.type;
  story.input = known.input;
  if (known.result != nullptr) story.expected = known.result;
  story.fails = known.result == nullptr;
  if (known.failure != nullptr) story.failure_type = known.failure;
  for (int i = 1; i <= known.signals; ++i)
    add_action(chance, story, Action::Kind::signal, "s", "\"" + std::to_string(i) + "\"");
  return story;
}

}  // namespace

std::vector<Story> write_stories(Chance& chance, int step_fault_percent) {
  std::vector<Story> stories;
  const auto n = chance.percent(50) ? chance.between(1, 2) : chance.between(2, 6);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::string id = "w" + std::to_string(i);
    Story story =
        chance.percent(75) ? write_program_story(chance, id, step_fault_percent) : write_known_story(chance, id);
    story.request_id = id + "-start";
    story.wait = chance.percent(60) ? Duration(0) : draw_wait(chance);
    stories.push_back(std::move(story));
  }
  return stories;
}

}  // namespace millrace::sim
