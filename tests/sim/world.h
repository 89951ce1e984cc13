// What outlives every crash in a simulation: true time, the ledger, what was promised to callers, what went wrong.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/time_point.h"
#include "tests/sim/chance.h"
#include "tests/sim/faults.h"
#include "tests/sim/ledger.h"
#include "tests/sim/marks.h"

namespace millrace::sim {

struct Violation {
  std::string invariant;
  std::string detail;
};

struct World {
  explicit World(std::uint64_t s)
      : seed(s),
        chance(s),
        plan(FaultPlan::draw(chance)),
        ledger([this](const std::string& i, const std::string& d) { complain(i, d); }) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void complain(const std::string& invariant, const std::string& detail) {
    if (violations.size() < 20) violations.push_back({invariant, detail});
  }
  void require(bool holds, const std::string& invariant, const std::string& detail) {
    if (!holds) complain(invariant, detail);
  }
  bool failed() const { return !violations.empty(); }

  const std::uint64_t seed;
  Chance chance;
  const FaultPlan plan;
  Marks marks;
  Ledger ledger;
  std::vector<Violation> violations;
  int life = 0;
  Duration jumped{0};        // sum of all jumps of the wall clock, without sign
  std::int64_t outside = 0;  // what a side effect reads: never the same twice
};

}  // namespace millrace::sim
