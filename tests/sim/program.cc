#include "tests/sim/program.h"

namespace millrace::sim {
namespace {

class Writer {
 public:
  Writer(Chance& chance, const ProgramOptions& options) : chance_(chance), options_(options) {}

  Program write() {
    Json ops = Json::array();
    // The sum of updates does not move along to a next run, so such a program has none.
    has_updates_ = options_.has_children && chance_.percent(12);
    const auto n = chance_.between(1, options_.most_ops);
    for (std::int64_t i = 0; i < n; ++i) {
      Json op = draw_op();
      ops.push_back(std::move(op));
    }
    if (has_updates_) {
      add_token("u=" + std::to_string(draw_updates()));
      ops.push_back({{"op", "updates"}});
    } else if (options_.may_fail && chance_.percent(8)) {
      program_.fails = true;
      ops.push_back({{"op", "fail"}});
    }
    program_.input["ops"] = std::move(ops);
    program_.input["acc"] = Json::array();
    program_.input["cleanup"] = options_.cleanup;
    return std::move(program_);
  }

 private:
  void add_token(const std::string& token) {
    if (!program_.expected.empty()) program_.expected += ',';
    program_.expected += token;
  }
  std::string next_k() { return "s" + std::to_string(++steps_); }

  int draw_updates() {
    program_.updates = static_cast<int>(chance_.between(1, 4));
    int total = 0;
    for (int i = 1; i <= program_.updates; ++i) total += i;
    return total;
  }

  Json draw_op() {
    const auto kind = chance_.below(100);
    if (kind < 40) {
      std::string token;
      Json op = draw_step(&token);
      add_token(token);
      op["op"] = "step";
      return op;
    }
    if (kind < 50) return draw_parallel();
    if (kind < 60) {
      add_token("t");
      return {{"op", "timer"}, {"ms", chance_.percent(20) ? 0 : chance_.between(1, 40'000)}};
    }
    if (kind < 70) {
      const std::string name = chance_.percent(50) ? "a" : "b";
      int nth = 1;
      for (const std::string& s : program_.signals) nth += s == name;
      program_.signals.push_back(name);
      add_token(name + "=" + std::to_string(nth));
      return {{"op", "signal"}, {"name", name}};
    }
    if (kind < 74) {
      add_token("e");
      return {{"op", "side"}, {"k", next_k()}};
    }
    if (kind < 77) {
      add_token("v1");
      return {{"op", "patched"}, {"id", "p" + std::to_string(++patches_)}};
    }
    if (kind < 82) {
      add_token("r");
      return {{"op", "scope"}, {"k", next_k()}, {"ms", chance_.between(0, 3'000)}, {"mode", chance_.below(3)}};
    }
    if (kind < 86) {
      add_token("g");
      return {{"op", "saga"}, {"k", next_k()}, {"n", chance_.between(1, 3)}};
    }
    if (kind < 92 && !has_updates_) {
      add_token("again");
      return {{"op", "again"}};
    }
    if (!options_.has_children) {
      add_token("t");
      return {{"op", "timer"}, {"ms", 5}};
    }
    return draw_child();
  }

  Json draw_parallel() {
    Json steps = Json::array();
    std::string tokens;
    for (auto n = chance_.between(2, 4); n > 0; --n) {
      std::string token;
      steps.push_back(draw_step(&token));
      tokens += (tokens.empty() ? "" : "+") + token;
    }
    add_token(tokens);
    return {{"op", "parallel"}, {"steps", std::move(steps)}};
  }

  Json draw_step(std::string* token) {
    Json step = {{"k", next_k()}, {"ms", chance_.percent(30) ? 0 : chance_.between(1, 3'000)}};
    const std::string k = step["k"].get<std::string>();
    *token = k;
    if (chance_.percent(20)) step["beats"] = chance_.between(1, 40), step["ms"] = chance_.between(100, 3'000);
    if (chance_.percent(20)) step["checkpoints"] = chance_.between(1, 3);
    if (chance_.percent(10)) step["suspends"] = true;
    step["backoff"] = chance_.between(10, 5'000);
    if (!chance_.percent(options_.step_fault_percent)) return step;
    switch (chance_.below(8)) {
      case 0:
      case 1:
        step["failures"] = chance_.between(1, 4);
        break;
      case 2:  // the attempt outlives its time-out, and may answer after it
        step["hangs"] = chance_.between(1, 2);
        step["startToClose"] = 40'000 * 3 + chance_.between(1, 30) * 1'000;
        step["stubborn"] = chance_.percent(50);
        break;
      case 3:
        step["hangs"] = 1;
        step["heartbeat"] = chance_.between(4'000, 20'000);
        step["stubborn"] = chance_.percent(50);
        break;
      case 4:
        step["fatal"] = true;
        *token = "F:" + k;
        break;
      case 5:  // deaths of the process count, so either may come
        step["failures"] = chance_.between(0, 2);
        step["most"] = chance_.between(1, 3);
        *token = "?:" + k;
        break;
      case 6:
        step["never"] = true;
        step["scheduleToStart"] = chance_.between(10, 60'000);
        *token = "T:" + k;
        break;
      default:
        step["failures"] = 1'000'000;
        step["scheduleToClose"] = chance_.between(1'000, 60'000);
        *token = "T:" + k;
        break;
    }
    return step;
  }

  Json draw_child() {
    ProgramOptions inner = options_;
    inner.most_ops = 3;
    inner.has_children = false;
    inner.may_fail = chance_.percent(20);
    inner.cleanup = false;
    Program child;
    // Whoever sends it signals must know its id; here it is the parent, once it has started.
    for (;;) {
      child = write_program(chance_, inner);
      if (child.signals.size() <= 2) break;
    }
    Json op = {{"op", "child"}, {"id", "-c" + std::to_string(++children_)}, {"program", child.input}};
    op["signals"] = child.signals;
    // Nobody would send an abandoned one what it waits for.
    const auto policy = chance_.below(3);
    op["policy"] = policy == 0 ? "terminate" : policy == 1 && child.signals.empty() ? "abandon" : "cancel";
    op["wait"] = true;
    if (child.signals.empty() && chance_.percent(25)) op["wait"] = false;
    add_token(op["wait"].get<bool>() ? "c(" + (child.fails ? std::string("sim.planned") : child.expected) + ")"
                                     : std::string("c"));
    return op;
  }

  Chance& chance_;
  const ProgramOptions& options_;
  Program program_;
  bool has_updates_ = false;
  int steps_ = 0, patches_ = 0, children_ = 0;
};

}  // namespace

Program write_program(Chance& chance, const ProgramOptions& options) { return Writer(chance, options).write(); }

}  // namespace millrace::sim
