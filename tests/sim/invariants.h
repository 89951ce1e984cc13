// What must hold of the disk after each crash and at the end (engine.md, section 4), and of what callers were promised.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sim/image.h"
#include "tests/sim/story.h"
#include "tests/sim/world.h"

namespace millrace::sim {

// Of one image by itself.
void check_rows(World& world, const Image& image);

// Of one image beside those before it: nothing that was durable is changed or gone.
class Memory {
 public:
  void check(World& world, const Image& image);

 private:
  std::map<std::string, std::vector<std::string>> batches_;  // by run
  std::map<std::string, std::string> closed_;                // record of a closed run
};

// What steps did beside what is durable of them; tells the ledger which are closed.
void check_ledger(World& world, const Image& image);

// What callers were told beside what is durable.
void check_promises(World& world, const Image& image, const std::vector<Story>& stories);

// All stories have ended, nothing runs any more.
void check_end(World& world, const Image& image, const std::vector<Story>& stories);

}  // namespace millrace::sim
