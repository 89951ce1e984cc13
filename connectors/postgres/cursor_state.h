// The state of a stream that is read by a cursor: where the last load ended, as JSON. Its form is that of Airbyte's
// source-postgres 3.x (a STREAM state), so that states which were exported there are taken as they are:
//   {"version":2, "state_type":"cursor_based", "stream_name":"orders", "stream_namespace":"public",
//    "cursor_field":["updated_at"], "cursor":"2026-01-01 00:00:00+00" or null, "cursor_record_count":3}
// `cursor` is the greatest value that was read, as PostgreSQL writes it; null: no row had one. `cursor_record_count` is
// how many rows had it when it was looked up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "connectors/schema.h"

namespace millrace::connectors::postgres {

struct CursorState {
  CursorState() = default;
  std::string field;
  std::optional<std::string> cursor;
  std::int64_t count = 0;
};

std::string to_json(const CursorState& state, const StreamName& stream);
CursorState cursor_state_from_json(const std::string& text);  // throws connector.bad_document

}  // namespace millrace::connectors::postgres
