// What one caller wants of the server: starts a workflow, sends it what it waits for, and sees it end. Lives through
// all crashes; after one it repeats, with the same request id, what it had got no answer to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tests/sim/chance.h"
#include "tests/sim/program.h"

namespace millrace::sim {

struct Action {
  enum class Kind { signal, update, bad_update, query, describe, cancel, terminate };
  Kind kind = Kind::signal;
  std::string name;  // of a signal
  std::string payload;
  std::string request_id;
  Duration wait{0};   // before it
  bool sent = false;  // perhaps: a life may have ended meanwhile
  bool done = false;
  bool refused = false;  // the run was closed already
};

struct Story {
  std::string workflow_id;
  std::string type;
  std::string input;
  std::string request_id;
  std::optional<Duration> run_timeout;
  std::string expected;  // the result, as JSON; with fails: nothing
  bool fails = false;
  std::string failure_type;  // with fails
  bool may_be_cancelled = false, may_be_terminated = false, may_time_out = false;
  bool has_cleanup = false;
  std::vector<Action> actions;
  Duration wait{0};  // before the start

  // ---- how far it has come ----
  bool start_sent = false;
  std::string run_id;  // the first; set when the start was acknowledged
  std::size_t next_action = 0;
  long updates_done = 0;  // sum of what was acknowledged
  std::optional<engine::Execution> end;
  bool finished() const { return end.has_value(); }
};

std::vector<Story> write_stories(Chance& chance, int step_fault_percent);

}  // namespace millrace::sim
