// The outside world's book: what steps really did, whatever the engine remembers of it. Lives through all crashes.
//
// Each attempt reports here before it does anything; what must never happen is noticed at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "common/time_point.h"
#include "engine/step.h"

namespace millrace::sim {

// One step of one run: run id, id of the event that scheduled it.
using StepKey = std::pair<std::string, std::uint64_t>;

// What is known of one step.
struct StepBook {
  std::string activity_id;
  std::string input;
  std::map<std::uint32_t, int> began;              // attempt -> the life it began in
  std::map<std::uint32_t, Duration> failed_at;     // true time of what it threw
  std::map<std::uint32_t, std::string> returned;   // what attempts gave back, whether it was taken or not
  std::optional<std::uint32_t> running;            // in this life
  std::uint32_t failures = 0;                      // thrown so far
  std::map<std::string, std::string> checkpoints;  // acknowledged
  struct Beat {
    std::uint32_t attempt;
    std::int64_t count;
    int life;
  };
  std::map<Duration, Beat> heartbeats;  // by true time
  int last_life = 0;
  bool may_overlap = false;  // an attempt of it may outlive its time-out
};

class Ledger {
 public:
  using Complain = std::function<void(const std::string& invariant, const std::string& detail)>;
  explicit Ledger(Complain complain) : complain_(std::move(complain)) {}

  struct Beginning {
    std::string activity_id;
    std::string input;
    std::uint32_t maximum_attempts = 0;
    Duration least_backoff{0};  // after an attempt that failed
    bool may_overlap = false;
    std::optional<std::string> heartbeat;
    std::map<std::string, std::string> checkpoints;
  };
  // `exact`: nothing has moved the clock.
  StepBook& begin(const engine::StepToken& token, const Beginning& beginning, int life, Duration now, bool exact);
  void closed(const StepKey& step) { closed_.insert(step); }
  bool is_closed(const StepKey& step) const { return closed_.contains(step); }
  StepBook* find(const StepKey& step);
  const std::map<StepKey, StepBook>& steps() const { return steps_; }
  // A life has ended at this true time: nothing of it runs on.
  void end_life(Duration now);

 private:
  void check_heartbeat(const StepBook& book, const engine::StepToken& token, const Beginning& b, int life,
                       Duration now);

  Complain complain_;
  std::map<StepKey, StepBook> steps_;
  std::set<StepKey> closed_;  // durably
  std::vector<Duration> life_ended_;
};

}  // namespace millrace::sim
