// `millrace copy SRC DST`: one sync without a server. The very engine, resources and jobs of the server, in this
// process, over a small state directory of its own; run again after a crash, the same line goes on where it stopped.
#pragma once

#include <string>
#include <vector>

namespace millrace::copy {

struct CopyOptions {
  CopyOptions() = default;
  std::string source, destination;   // URLs as written, references not yet expanded
  std::vector<std::string> streams;  // patterns; empty: all
  std::string mode = "full_refresh_overwrite";
  int streams_parallel = 0;  // 0: the default
  bool adopt = false;
  std::string state_dir;  // empty: $XDG_STATE_HOME/millrace/copy/<hash of the line>
  std::string output;     // json: the job as JSON
};

// Blocks; the exit code. Throws what keeps it from starting.
int copy(const CopyOptions& options);

}  // namespace millrace::copy
