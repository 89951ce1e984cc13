// Arrays. Binary form (array_send): dimensions, a flag for nulls, the element's type by OID, each dimension's size and
// lower bound, then each element with its length. Text: PostgreSQL's literal, with its bounds where they don't begin
// at 1.
#include <array>
#include <optional>
#include <vector>

#include "common/byte_order.h"
#include "connectors/values/parts.h"

namespace millrace::connectors::values {
namespace {

constexpr int kMaxDimensions = 6;

struct KnownOid {
  std::string_view name;
  std::int32_t oid;
};
// Of PostgreSQL's pg_type.dat; built-in types have the same everywhere.
constexpr std::array<KnownOid, 38> kOids{{{"boolean", 16},
                                          {"bytea", 17},
                                          {"name", 19},
                                          {"bigint", 20},
                                          {"smallint", 21},
                                          {"integer", 23},
                                          {"text", 25},
                                          {"oid", 26},
                                          {"tid", 27},
                                          {"xid", 28},
                                          {"cid", 29},
                                          {"json", 114},
                                          {"xml", 142},
                                          {"point", 600},
                                          {"lseg", 601},
                                          {"path", 602},
                                          {"box", 603},
                                          {"polygon", 604},
                                          {"line", 628},
                                          {"cidr", 650},
                                          {"real", 700},
                                          {"double precision", 701},
                                          {"circle", 718},
                                          {"macaddr8", 774},
                                          {"money", 790},
                                          {"macaddr", 829},
                                          {"inet", 869},
                                          {"character", 1042},
                                          {"character varying", 1043},
                                          {"date", 1082},
                                          {"interval", 1186},
                                          {"bit", 1560},
                                          {"bit varying", 1562},
                                          {"numeric", 1700},
                                          {"uuid", 2950},
                                          {"pg_lsn", 3220},
                                          {"jsonb", 3802},
                                          {"xid8", 5069}}};

std::int32_t oid_of(const Type& element) {
  switch (element.kind) {
    case Kind::time:
      return 1083;
    case Kind::timetz:
      return 1266;
    case Kind::timestamp:
      return 1114;
    case Kind::timestamptz:
      return 1184;
    default:
      break;
  }
  const std::string name = base_name(element.pg_type);
  for (const KnownOid& k : kOids)
    if (k.name == name) return k.oid;
  return element.kind == Kind::string ? 25 : 0;
}

bool needs_quotes(std::string_view text) {
  return text.empty() || equals_ignoring_case(text, "null") ||
         text.find_first_of("{}\",\\ \t\n\r\v\f") != std::string_view::npos;
}

void append_element(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

struct Dimension {
  std::int32_t size = 0, lower = 1;
};

void append_level(std::string& out, const Type& element, ValueReader& in, const std::vector<Dimension>& dims,
                  std::size_t depth, TimeStyle style) {
  out += '{';
  for (std::int32_t i = 0; i < dims[depth].size; ++i) {
    if (i > 0) out += ',';
    if (depth + 1 < dims.size()) {
      append_level(out, element, in, dims, depth + 1, style);
      continue;
    }
    const std::int32_t length = in.int32();
    if (length < 0)
      out += "NULL";
    else
      append_element(out, to_text(element, in.bytes(static_cast<std::size_t>(length)), style));
  }
  out += '}';
}

// A literal, read from its front: elements in order, and how deep and wide it is.
class Literal {
 public:
  explicit Literal(std::string_view text) : rest_(text) {}

  std::vector<std::optional<std::string>> elements;
  std::vector<Dimension> dims;

  bool read() {
    std::vector<std::int32_t> lower;
    if (!bounds(lower)) return false;
    if (rest_ == "{}") return true;
    if (!level(0) || !rest_.empty()) return false;
    if (!lower.empty() && lower.size() != dims.size()) return false;
    for (std::size_t i = 0; i < lower.size(); ++i) dims[i].lower = lower[i];
    return true;
  }

 private:
  // "[0:2][1:1]="; the upper bounds follow from the elements.
  bool bounds(std::vector<std::int32_t>& lower) {
    if (!rest_.starts_with('[')) return true;
    const auto equals = rest_.find('=');
    if (equals == std::string_view::npos) return false;
    std::string_view text = rest_.substr(0, equals);
    rest_.remove_prefix(equals + 1);
    while (!text.empty()) {
      const auto colon = text.find(':'), end = text.find(']');
      if (text[0] != '[' || colon == std::string_view::npos || end == std::string_view::npos || colon > end)
        return false;
      std::string value;
      if (!from_text(Type(Kind::int32, "integer"), text.substr(1, colon - 1), value)) return false;
      lower.push_back(from_big_endian<std::int32_t>(value.data()));
      text.remove_prefix(end + 1);
    }
    return true;
  }

  void spaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }

  bool level(std::size_t depth) {
    if (depth >= kMaxDimensions || !rest_.starts_with('{')) return false;
    rest_.remove_prefix(1);
    if (dims.size() <= depth) dims.emplace_back();
    std::int32_t n = 0;
    for (;;) {
      spaces();
      if (rest_.empty()) return false;
      if (rest_[0] == '{') {
        if (leaf_ && *leaf_ <= depth) return false;
        if (!level(depth + 1)) return false;
      } else {
        if (leaf_ && *leaf_ != depth) return false;
        leaf_ = depth;
        if (!element()) return false;
      }
      ++n;
      spaces();
      if (rest_.empty()) return false;
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '}') break;
      if (c != ',') return false;
    }
    if (dims[depth].size != 0 && dims[depth].size != n) return false;
    dims[depth].size = n;
    return true;
  }

  bool element() {
    std::string text;
    if (rest_[0] == '"') {
      rest_.remove_prefix(1);
      for (;; rest_.remove_prefix(1)) {
        if (rest_.empty()) return false;
        if (rest_[0] == '"') break;
        if (rest_[0] == '\\') {
          rest_.remove_prefix(1);
          if (rest_.empty()) return false;
        }
        text += rest_[0];
      }
      rest_.remove_prefix(1);
      elements.emplace_back(std::move(text));
      return true;
    }
    const auto end = rest_.find_first_of(",}{\"");
    if (end == std::string_view::npos || rest_[end] == '{' || rest_[end] == '"') return false;
    const std::string_view word = trimmed(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (word.empty()) return false;
    if (equals_ignoring_case(word, "null")) {
      elements.emplace_back();
    } else {
      for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] == '\\' && i + 1 < word.size()) ++i;
        text += word[i];
      }
      elements.emplace_back(std::move(text));
    }
    return true;
  }

  std::string_view rest_;
  std::optional<std::size_t> leaf_;  // the depth at which elements are
};

}  // namespace

std::string array_to_text(const Type& type, std::string_view bytes, TimeStyle style) {
  ValueReader in(bytes);
  const std::int32_t count = in.int32();
  in.int32();
  in.int32();
  if (count < 0 || count > kMaxDimensions) bad_value("array");
  if (count == 0) return "{}";
  std::vector<Dimension> dims(static_cast<std::size_t>(count));
  std::string out, bounds;
  bool plain = true;
  for (Dimension& d : dims) {
    d.size = in.int32();
    d.lower = in.int32();
    if (d.size < 0) bad_value("array");
    plain = plain && d.lower == 1;
    bounds += "[" + std::to_string(d.lower) + ":" + std::to_string(std::int64_t{d.lower} + d.size - 1) + "]";
  }
  if (!plain) out = bounds + "=";
  append_level(out, element_type(type), in, dims, 0, style);
  if (!in.empty()) bad_value("array");
  return out;
}

bool array_from_text(const Type& type, std::string_view text, std::string& out) {
  Literal literal(trimmed(text));
  if (!literal.read()) return false;
  const Type element = element_type(type);
  const std::int32_t oid = oid_of(element);
  if (oid == 0) return false;
  std::string made, value;
  bool nulls = false;
  for (const auto& e : literal.elements) nulls = nulls || !e;
  append_big_endian(made, static_cast<std::int32_t>(literal.dims.size()));
  append_big_endian(made, static_cast<std::int32_t>(nulls ? 1 : 0));
  append_big_endian(made, oid);
  for (const Dimension& d : literal.dims) {
    append_big_endian(made, d.size);
    append_big_endian(made, d.lower);
  }
  for (const auto& e : literal.elements) {
    if (!e) {
      append_big_endian(made, std::int32_t{-1});
      continue;
    }
    value.clear();
    if (!from_text(element, *e, value)) return false;
    append_big_endian(made, static_cast<std::int32_t>(value.size()));
    made += value;
  }
  out += made;
  return true;
}

}  // namespace millrace::connectors::values
