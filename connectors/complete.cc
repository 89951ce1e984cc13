#include "connectors/complete.h"

#include <set>

#include "common/errors.h"

namespace millrace::connectors {
namespace {

[[noreturn]] void incomplete(const StreamTarget& target, const std::string& detail) {
  throw Error("destination.incomplete",
              target.source_name.text() + ", generation " + std::to_string(target.generation) + ": " + detail);
}

}  // namespace

void require_complete(const StreamTarget& target, const std::map<std::string, Checkpoint>& done,
                      const std::vector<std::string>& splits, std::int64_t rows) {
  std::int64_t sum = 0;
  for (const auto& id : splits) {
    const auto it = done.find(id);
    if (it == done.end()) incomplete(target, "split " + id + " is not there");
    if (!it->second.complete)
      incomplete(target, "split " + id + " has " + std::to_string(it->second.rows) + " rows and is not at its end");
    sum += it->second.rows;
  }
  const std::set<std::string> wanted(splits.begin(), splits.end());
  for (const auto& [id, _] : done)
    if (!wanted.contains(id)) incomplete(target, "split " + id + " is there and not in the plan");
  if (sum != rows) incomplete(target, std::to_string(sum) + " rows are there, " + std::to_string(rows) + " were read");
}

}  // namespace millrace::connectors
