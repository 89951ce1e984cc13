#include "resources/resources.h"

namespace millrace::resources {

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::source:
      return "source";
    case Kind::destination:
      return "destination";
    case Kind::connection:
      return "connection";
  }
  return "source";
}

std::optional<Kind> parse_kind(std::string_view text) {
  std::string lower;
  for (char c : text) lower += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower.size() > 1 && lower.back() == 's') lower.pop_back();
  if (lower == "source") return Kind::source;
  if (lower == "destination") return Kind::destination;
  if (lower == "connection") return Kind::connection;
  return std::nullopt;
}

}  // namespace millrace::resources
