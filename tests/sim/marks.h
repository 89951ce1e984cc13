// Coverage marks: a fault that never occurred has tested nothing. Whatever a simulation does to the engine, and every
// rare state that a check looks for, is marked here when it happens; a long run fails if a mark was never reached.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace millrace::sim {

// All of them, in the order in which they are shown.
inline constexpr std::string_view kAllMarks[] = {
    // what is done to the store and the process
    "crash before a commit",
    "crash within a commit",
    "crash after a commit",
    "crash between commits",
    "crash during recovery",
    "three crashes in a row",
    "drain and restart",
    "torn tail dropped",
    "slow commits",
    "disk full",
    "late answers of the store",
    "slow reads",
    "late wake-ups",
    "clock jumps forward",
    "clock jumps backward",
    "long down time",
    "one slot",
    // what callers do
    "request sent twice at once",
    "request repeated after its answer",
    "request repeated after a crash",
    "caller gives up",
    "start of an id that is open",
    // what steps do
    "step fails",
    "step hangs past its time-out",
    "step completes too late",
    "step ignores its cancellation",
    "step suspends itself",
    "attempt of unknown outcome",
    "attempt goes on from a heartbeat",
    "attempt goes on from a checkpoint",
    "step fails for good",
    "step is never taken",
    // what workflows meet
    "run continued as new",
    "child closed",
    "signal between workflows",
    "signal before the code asked",
    "run cancelled",
    "run terminated",
    "run timed out",
    "scope cancelled",
    "compensation",
    "update done",
    "query answered",
    // what a schedule meets
    "schedule fired",
    "schedule time missed",
    "schedule backfilled",
};

class Marks {
 public:
  // A name that is not in the list above is a fault of the simulation: it aborts.
  void hit(std::string_view name);
  void add(const Marks& other);
  // How often, by position in kAllMarks.
  const auto& counts() const { return counts_; }
  void add_count(std::size_t index, std::uint64_t n) { counts_.at(index) += n; }

 private:
  std::array<std::uint64_t, std::size(kAllMarks)> counts_{};
};

}  // namespace millrace::sim
