#include "connectors/postgres/copy_rows.h"

#include "common/byte_order.h"
#include "common/time_point.h"

namespace millrace::connectors::postgres {
namespace {

constexpr std::string_view kHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr std::string_view kTrailer{"\377\377", 2};
constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;  // 2000-01-01 in microseconds since 1970
constexpr std::uint32_t kTextOid = 25;

}  // namespace

std::string_view CopyRows::header() const { return text_ ? std::string_view() : kHeader; }
std::string_view CopyRows::trailer() const { return text_ ? std::string_view() : kTrailer; }

void CopyRows::clear() {
  out_.clear();
  rows_ = 0;
}

void CopyRows::begin(int fields) {
  first_ = true;
  if (!text_) append_big_endian(out_, static_cast<std::int16_t>(fields));
}

void CopyRows::null() {
  if (!text_) return append_big_endian(out_, std::int32_t{-1});
  if (!first_) out_ += '\t';
  first_ = false;
  out_ += "\\N";
}

// PostgreSQL documentation, COPY, "Text Format".
void CopyRows::value(std::string_view bytes) {
  if (!text_) {
    append_big_endian(out_, static_cast<std::int32_t>(bytes.size()));
    out_.append(bytes);
    return;
  }
  if (!first_) out_ += '\t';
  first_ = false;
  for (const char c : bytes) switch (c) {
      case '\\':
        out_ += "\\\\";
        break;
      case '\n':
        out_ += "\\n";
        break;
      case '\r':
        out_ += "\\r";
        break;
      case '\t':
        out_ += "\\t";
        break;
      default:
        out_ += c;
    }
}

void CopyRows::int4(std::int32_t v) {
  if (text_) return value(std::to_string(v));
  append_big_endian(out_, std::int32_t{4});
  append_big_endian(out_, v);
}

void CopyRows::int8(std::int64_t v) {
  if (text_) return value(std::to_string(v));
  append_big_endian(out_, std::int32_t{8});
  append_big_endian(out_, v);
}

void CopyRows::lsn(Lsn v) {
  if (text_) return value(format_lsn(v));
  int8(static_cast<std::int64_t>(v));
}

void CopyRows::timestamp(std::int64_t unix_us) {
  if (text_) return value(format_time(from_micros(unix_us)));
  int8(unix_us - kPostgresEpochUs);
}

void CopyRows::word_array(const std::vector<std::string>& v) {
  if (text_) {
    std::string array = "{";
    for (const auto& word : v) {
      if (array.size() > 1) array += ',';
      array += '"';
      for (const char c : word) {
        if (c == '"' || c == '\\') array += '\\';
        array += c;
      }
      array += '"';
    }
    return value(array + "}");
  }
  // array_send(): dimensions, whether there are nulls, element type; of each dimension its length and lower bound.
  std::string array;
  append_big_endian(array, std::int32_t{v.empty() ? 0 : 1});
  append_big_endian(array, std::int32_t{0});
  append_big_endian(array, kTextOid);
  if (!v.empty()) {
    append_big_endian(array, static_cast<std::int32_t>(v.size()));
    append_big_endian(array, std::int32_t{1});
  }
  for (const auto& word : v) {
    append_big_endian(array, static_cast<std::int32_t>(word.size()));
    array += word;
  }
  value(array);
}

void CopyRows::end() {
  if (text_) out_ += '\n';
  ++rows_;
}

}  // namespace millrace::connectors::postgres
