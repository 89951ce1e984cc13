#include "connectors/change.h"

#include "common/byte_order.h"
#include "common/errors.h"
#include "connectors/row_batch.h"

namespace millrace::connectors {

std::size_t ChangeBatch::begin_tuple(std::uint16_t fields) {
  const std::size_t at = bytes_.size();
  append_big_endian(bytes_, static_cast<std::int16_t>(fields));
  return at;
}

void ChangeBatch::length(std::int32_t n) { append_big_endian(bytes_, n); }

void ChangeBatch::value(std::string_view bytes) {
  length(static_cast<std::int32_t>(bytes.size()));
  bytes_.append(bytes);
}

void read_tuple(std::string_view tuple, std::vector<TupleField>& fields) {
  fields.clear();
  const auto bad = [] { throw Error("connector.bad_row", "a change does not hold a whole tuple"); };
  if (tuple.size() < 2) bad();
  const auto count = from_big_endian<std::int16_t>(tuple.data());
  std::size_t at = 2;
  for (std::int16_t i = 0; i < count; ++i) {
    if (tuple.size() < at + 4) bad();
    TupleField f;
    f.length = from_big_endian<std::int32_t>(tuple.data() + at);
    at += 4;
    if (f.length < kUnchangedField) bad();
    if (f.length > 0) {
      if (tuple.size() - at < static_cast<std::size_t>(f.length)) bad();
      f.bytes = tuple.substr(at, static_cast<std::size_t>(f.length));
      at += static_cast<std::size_t>(f.length);
    }
    fields.push_back(f);
  }
  if (at != tuple.size()) bad();
}

}  // namespace millrace::connectors
