#include "api/message.h"

#include "common/errors.h"

namespace millrace::api {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const int hi = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int lo = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (hi < 0 || lo < 0)
        throw Error("request.malformed", "a percent sign in the URL is not followed by two hex digits");
      const char decoded = static_cast<char>(hi * 16 + lo);
      if (decoded == 0) throw Error("request.malformed", "the URL holds a zero byte");
      out += decoded;
      i += 2;
    } else {
      out += c == '+' && plus_is_space ? ' ' : c;
    }
  }
  return out;
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::admin:
      return "admin";
    case Scope::read:
      return "read";
    case Scope::metrics:
      return "metrics";
    case Scope::worker:
      return "worker";
  }
  return "metrics";
}

const std::string* Request::header(const std::string& lower_name) const {
  const auto it = headers.find(lower_name);
  return it == headers.end() ? nullptr : &it->second;
}

std::optional<std::string> Request::query_value(std::string_view name) const {
  for (const auto& [n, v] : query) {
    if (n == name) return v;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (item.empty()) continue;
    const auto eq = item.find('=');
    out.emplace_back(percent_decode(item.substr(0, eq), true),
                     eq == std::string_view::npos ? std::string() : percent_decode(item.substr(eq + 1), true));
  }
  return out;
}

void parse_target(Request& request) {
  std::string_view target = request.target;
  if (target.starts_with("http://") || target.starts_with("https://")) {  // absolute form (RFC 9112, 3.2.2)
    const auto slash = target.find('/', target.find("//") + 2);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  if (target.empty() || target.front() != '/') throw Error("request.malformed", "the request target is not a path");
  if (const auto hash = target.find('#'); hash != std::string_view::npos) target = target.substr(0, hash);
  if (const auto question = target.find('?'); question != std::string_view::npos) {
    request.query = parse_form(target.substr(question + 1));
    target = target.substr(0, question);
  }
  if (target.size() > 1 && target.back() == '/') target.remove_suffix(1);
  request.path = target;
  target.remove_prefix(1);
  if (target.empty()) return;
  for (;;) {
    const auto slash = target.find('/');
    std::string segment = percent_decode(target.substr(0, slash), false);
    if (segment.empty() || segment == "." || segment == "..") throw Error("request.not_found", "no such path");
    request.segments.push_back(std::move(segment));
    if (slash == std::string_view::npos) return;
    target.remove_prefix(slash + 1);
  }
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
        c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  return out;
}

}  // namespace millrace::api
