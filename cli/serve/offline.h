// What is done to a data directory whose server is stopped. All functions block.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::serve {

// The doctor's report as JSON (as GET /v1/doctor gives it). Throws store.*.
std::string examine_store(const std::string& data_dir);

// The directory holds a store, or anything else but nothing.
bool holds_data(const std::string& data_dir);

struct Restored {
  std::uint32_t id = 0;
  std::uint64_t bytes = 0;
  bool has_secret_key = false;  // the data directory has one now
};
// `id` 0: the latest. Throws store.backup_*, store.busy.
Restored restore(const std::string& backup_dir, std::uint32_t id, const std::string& data_dir);

}  // namespace millrace::serve
