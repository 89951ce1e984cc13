#include "tests/sim/marks.h"

#include <algorithm>

#include "common/check.h"

namespace millrace::sim {

void Marks::hit(std::string_view name) {
  const auto it = std::find(std::begin(kAllMarks), std::end(kAllMarks), name);
  check(it != std::end(kAllMarks), "a mark is listed in marks.h");
  ++counts_.at(static_cast<std::size_t>(it - std::begin(kAllMarks)));
}

void Marks::add(const Marks& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_.at(i) += other.counts_.at(i);
}

}  // namespace millrace::sim
