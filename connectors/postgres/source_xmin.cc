#include "connectors/postgres/source_xmin.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "connectors/read_document.h"

namespace millrace::connectors::postgres {

using nlohmann::json;

namespace {

constexpr std::int64_t kReach = (std::int64_t{1} << 31) - 1'000'000;  // transactions that the counter can look back

std::string state_of(std::int64_t raw, const StreamName& stream) {
  return json{{"version", 2},
              {"state_type", "xmin"},
              {"stream_name", stream.name},
              {"stream_namespace", stream.ns},
              {"num_wraparound", raw >> 32},
              {"xmin_xid_value", raw & 0xffffffff},
              {"xmin_raw_value", raw}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

// Empty: a state of another kind.
std::optional<std::int64_t> raw_of(const std::string& text) {
  return read_document(text, "stream state", [](const json& j) {
    std::optional<std::int64_t> raw;
    if (j.value("state_type", "") == "xmin") raw = j.at("xmin_raw_value").get<std::int64_t>();
    return raw;
  });
}

}  // namespace

asio::awaitable<XminRead> look_at_xmin(net::PostgresSession& session, ConfiguredStream stream) {
  const auto found =
      co_await session.query("SELECT pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())", {});
  const std::int64_t now = std::strtoll(found.at(0, 0).c_str(), nullptr, 10);
  XminRead read;
  read.state = state_of(now, stream.name);
  if (stream.state.empty()) co_return read;
  const auto last = raw_of(stream.state);
  if (!last)
    read.notes.push_back("it was read by a cursor before: all rows are read again");
  else if (*last > now)
    read.notes.push_back("its state is of another server (transaction " + std::to_string(*last) + ", now " +
                         std::to_string(now) + "): all rows are read again");
  else if (now - *last > kReach)
    read.notes.push_back("2^31 transactions have passed since its last load: all rows are read again");
  else
    read.from = std::to_string(*last & 0xffffffff);
  co_return read;
}

}  // namespace millrace::connectors::postgres
