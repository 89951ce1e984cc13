// Fuzz target: any text as an expression, as a basic timing and, if it is JSON, as a specification.
#include <cstdint>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "calendar/specification.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::calendar;
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)parse_basic_timing(text);
  Specification spec;
  std::string fault;
  if (auto rule = parse_rule(text, fault)) {
    spec.rules.push_back(std::move(*rule));
  } else {
    if (fault.empty()) std::abort();
    const auto body = nlohmann::json::parse(text, nullptr, false);
    std::vector<Fault> faults;
    if (body.is_discarded()) return 0;
    spec = Specification::parse(body, "", faults);
    if (!faults.empty()) return 0;
  }
  spec.exclusions.clear();  // may exclude all: then the search is long, on purpose
  Seconds t(std::chrono::seconds(1'790'000'000));
  for (int i = 0; i < 3; ++i) {
    const auto next = spec.next_after(t);
    if (!next) break;
    if (*next <= t) std::abort();
    t = *next;
  }
  return 0;
}
