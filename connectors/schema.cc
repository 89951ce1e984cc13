#include "connectors/schema.h"

#include <array>

namespace millrace::connectors {
namespace {

constexpr std::array<std::string_view, 21> kKinds{
    "boolean", "int16", "int32", "int64", "float32", "float64",   "numeric",     "string",   "bytes", "uuid",  "json",
    "jsonb",   "xml",   "date",  "time",  "timetz",  "timestamp", "timestamptz", "interval", "array", "native"};
static_assert(static_cast<std::size_t>(Kind::native) + 1 == kKinds.size());

constexpr std::array<std::string_view, 5> kModes{"full_refresh_overwrite", "full_refresh_append",
                                                 "full_refresh_overwrite_deduped", "incremental_append",
                                                 "incremental_deduped_history"};
static_assert(static_cast<std::size_t>(SyncMode::incremental_deduped_history) + 1 == kModes.size());

}  // namespace

std::string_view to_string(Kind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::string_view to_string(SyncMode mode) { return kModes.at(static_cast<std::size_t>(mode)); }

std::optional<Kind> parse_kind(std::string_view text) {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (kKinds[i] == text) return static_cast<Kind>(i);
  return std::nullopt;
}

std::optional<SyncMode> parse_sync_mode(std::string_view text) {
  for (std::size_t i = 0; i < kModes.size(); ++i)
    if (kModes[i] == text) return static_cast<SyncMode>(i);
  return std::nullopt;
}

std::optional<std::size_t> Schema::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == name) return i;
  return std::nullopt;
}

}  // namespace millrace::connectors
