// Append and dedupe: a whole incremental job (step sync and step normalize) beside psql doing the same.
#pragma once

#include <string>

namespace millrace::bench {

struct ModeCase {
  ModeCase() = default;
  std::string name;       // append, dedupe
  std::string sync_mode;  // of the stream
  std::string native;     // shell command of the native way, with %PSQL% in place of psql and its connection options
  std::string prepare;    // SQL at the native destination before each run
};

// Options: [--rows N] [--changed N] [--pairs N] [--min-ratio R]. Each pair: --changed of --rows rows get a new cursor
// at the source, then the native way moves them, then a job does. Returns the exit code.
int bench_mode(const ModeCase& mode, int argc, char** argv);

}  // namespace millrace::bench
