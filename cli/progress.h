// Progress of a job: a bar that is rewritten on a terminal, one line every 10 s elsewhere. Writes to stderr.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/runtime.h"

namespace millrace::cli {

class Progress {
 public:
  // `quiet`: nothing at all (the output is for a program).
  Progress(Runtime runtime, bool quiet);
  // `job`: the JSON of GET /v1/jobs/{id}.
  void show(const nlohmann::ordered_json& job);
  void clear();

 private:
  Runtime runtime_;
  bool quiet_;
  bool terminal_;
  bool colour_;
  double rows_at_first_ = -1;
  bool bar_shown_ = false;
  MonoTime begun_;
  MonoTime last_line_;
};

}  // namespace millrace::cli
