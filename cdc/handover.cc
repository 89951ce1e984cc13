#include "cdc/handover.h"

#include <algorithm>
#include <cstdlib>

#include "common/errors.h"
#include "connectors/read_document.h"

namespace millrace::cdc {

TransactionSnapshot::TransactionSnapshot(const std::string& text) {
  const char* at = text.c_str();
  const auto number = [&] {
    char* end = nullptr;
    const std::uint64_t n = std::strtoull(at, &end, 10);
    if (end == at) throw Error("connector.bad_document", "\"" + text + "\" is no snapshot");
    at = end;
    return n;
  };
  const auto colon = [&] {
    if (*at++ != ':') throw Error("connector.bad_document", "\"" + text + "\" is no snapshot");
  };
  xmin_ = number();
  colon();
  xmax_ = number();
  colon();
  while (*at != '\0') {
    open_.push_back(number());
    if (*at == ',') ++at;
  }
  std::sort(open_.begin(), open_.end());
}

bool TransactionSnapshot::sees(std::uint32_t xid) const {
  constexpr std::uint64_t kHalf = 1ULL << 31, kWhole = 1ULL << 32;
  std::uint64_t full = (xmax_ & ~(kWhole - 1)) | xid;
  if (full > xmax_ + kHalf && full >= kWhole)
    full -= kWhole;
  else if (full + kHalf < xmax_)
    full += kWhole;
  if (full < xmin_) return true;
  if (full >= xmax_) return false;
  return !std::binary_search(open_.begin(), open_.end(), full);
}

std::string to_json(const LoadState& s) {
  return nlohmann::json{{"version", 1},
                        {"state_type", "cdc"},
                        {"slot", s.slot},
                        {"system", s.system},
                        {"lsn", connectors::format_lsn(s.lsn)},
                        {"snapshot", s.snapshot}}
      .dump();
}

LoadState load_state_from_json(const std::string& text) {
  return connectors::read_document(text, "CDC state", [](const nlohmann::json& j) {
    if (j.value("state_type", "") != "cdc")
      throw Error("connector.bad_document", "CDC state: its state_type is not cdc");
    LoadState s;
    s.slot = j.value("slot", "");
    s.system = j.value("system", "");
    s.lsn = connectors::parse_lsn(j.value("lsn", "")).value_or(0);
    s.snapshot = j.value("snapshot", "");
    return s;
  });
}

}  // namespace millrace::cdc
