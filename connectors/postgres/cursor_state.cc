#include "connectors/postgres/cursor_state.h"

#include <nlohmann/json.hpp>

#include "connectors/read_document.h"

namespace millrace::connectors::postgres {

using nlohmann::json;

std::string to_json(const CursorState& state, const StreamName& stream) {
  return json{{"version", 2},
              {"state_type", "cursor_based"},
              {"stream_name", stream.name},
              {"stream_namespace", stream.ns},
              {"cursor_field", json::array({state.field})},
              {"cursor", state.cursor ? json(*state.cursor) : json()},
              {"cursor_record_count", state.count}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

CursorState cursor_state_from_json(const std::string& text) {
  return read_document(text, "stream state", [](const json& j) {
    const auto type = j.value("state_type", "cursor_based");
    if (type != "cursor_based") throw Error("connector.bad_document", "stream state: of type " + type);
    const json& field = j.at("cursor_field");
    CursorState state;
    state.field = (field.is_array() ? field.at(0) : field).get<std::string>();
    if (j.contains("cursor") && !j.at("cursor").is_null()) {
      const json& cursor = j.at("cursor");
      state.cursor = cursor.is_string() ? cursor.get<std::string>() : cursor.dump();
    }
    state.count = j.value("cursor_record_count", std::int64_t{0});
    return state;
  });
}

}  // namespace millrace::connectors::postgres
