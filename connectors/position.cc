#include "connectors/position.h"

#include <charconv>
#include <cstdio>

namespace millrace::connectors {

std::string format_lsn(Lsn lsn) {
  char text[24];
  std::snprintf(text, sizeof text, "%X/%X", static_cast<unsigned>(lsn >> 32), static_cast<unsigned>(lsn));
  return text;
}

std::optional<Lsn> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::uint32_t half[2];
  const std::string_view parts[2] = {text.substr(0, slash), text.substr(slash + 1)};
  for (int i = 0; i < 2; ++i) {
    const char* const end = parts[i].data() + parts[i].size();
    const auto [at, error] = std::from_chars(parts[i].data(), end, half[i], 16);
    if (error != std::errc() || at != end) return std::nullopt;
  }
  return static_cast<Lsn>(half[0]) << 32 | half[1];
}

}  // namespace millrace::connectors
