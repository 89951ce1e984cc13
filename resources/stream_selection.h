// Which streams of a catalog a connection takes: the entries of configurations.streams, and how they match.
//
// Rules: a later entry beats an earlier one. With a namespace, both are patterns (`*` stands for any run of
// characters). Without one, the name is first taken as a stream's own name in any namespace; a name that is no stream's
// own is split at its first dot into namespace and name. A name without `*` that fits two streams is an error: it must
// say which.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "connectors/schema.h"
#include "resources/validation_error.h"

namespace millrace::resources {

inline constexpr std::size_t kMaxStreamEntries = 20'000;

struct StreamEntry {
  StreamEntry() = default;
  std::optional<std::string> ns;
  std::string name = "*";
  connectors::SyncMode sync_mode = connectors::SyncMode::full_refresh_overwrite;
  std::vector<std::string> cursor_field;
  std::vector<std::string> primary_key;
  std::vector<std::string> selected_fields;  // empty: all
  std::string destination_object_name;       // empty: the stream's own
  bool keys = false;
  std::string filter;      // a condition as it was written (connectors/filter.h); empty: all rows
  std::int64_t limit = 0;  // 0: all
  std::string mappers;     // JSON list in stored form (connectors/mapper.h); empty: none
  bool strict = false, keep_history = false, raw = false;
  bool soft_delete = false;  // `softDelete`: a removed row stays, with the time of its removal
};

// The entries of a connection's stored specification; one that takes everything where streams are left out.
std::vector<StreamEntry> stream_entries(const nlohmann::json& connection_spec);

// One element of configurations.streams in long form. Fields that don't exist yet are refused by name.
nlohmann::json normalise_stream_entry(const nlohmann::json& entry, const std::string& pointer, Faults& faults);

struct StreamMatch {
  std::size_t stream = 0;  // index in `streams`
  std::size_t entry = 0;   // the entry that decides about it
};
struct StreamSelection {
  std::vector<StreamMatch> matches;    // in the order of `streams`
  std::vector<std::size_t> unmatched;  // entries that fit no stream
  std::vector<std::size_t> ambiguous;  // names without `*` that fit several
};
StreamSelection select_streams(const std::vector<StreamEntry>& entries,
                               const std::vector<connectors::StreamName>& streams);

bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace millrace::resources
