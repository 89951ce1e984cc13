// One seed: stories, faults, lives, and what must hold after each of them.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace millrace::sim {

struct Outcome {
  std::vector<Violation> violations;
  Marks marks;
  std::string plan;          // of the faults, one line
  std::uint64_t digest = 0;  // of the bytes of all disks
  std::uint64_t events = 0;  // in all histories at the end
};

// The same seed gives the same outcome, digest included.
// `show`: prints the histories that the last disk holds.
Outcome simulate(std::uint64_t seed, bool show = false);

}  // namespace millrace::sim
