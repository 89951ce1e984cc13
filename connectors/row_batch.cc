#include "connectors/row_batch.h"

#include "common/check.h"
#include "common/errors.h"

namespace millrace::connectors {
namespace {

constexpr std::size_t kCountBytes = 2, kLengthBytes = 4;

[[noreturn]] void bad_row(const std::string& detail) { throw Error("connector.bad_row", detail); }

}  // namespace

void RowWriter::begin_row(std::uint16_t fields) {
  check(fields_left_ == 0, "a row is ended before the next begins");
  tuple_.clear();
  fields_left_ = fields;
  append_big_endian(tuple_, static_cast<std::int16_t>(fields));
}

void RowWriter::null() {
  check(fields_left_-- > 0, "a row has no more fields than it said");
  append_big_endian(tuple_, kNullField);
}

void RowWriter::bytes(std::string_view value) {
  check(fields_left_-- > 0, "a row has no more fields than it said");
  append_big_endian(tuple_, static_cast<std::int32_t>(value.size()));
  tuple_.append(value);
}

void RowWriter::float64(double value) { integer(std::bit_cast<std::int64_t>(value)); }

void RowWriter::end_row() {
  check(fields_left_ == 0, "a row has all the fields that it said");
  batch_->append_row(tuple_);
}

bool RowReader::next(std::vector<FieldView>& fields) {
  fields.clear();
  if (rest_.empty()) return false;
  if (rest_.size() < kCountBytes) bad_row("the field count is cut");
  const auto count = from_big_endian<std::int16_t>(rest_.data());
  if (count < 0) bad_row("a row of " + std::to_string(count) + " fields");
  if (width_ >= 0 && count != width_)
    bad_row("a row of " + std::to_string(count) + " fields where the schema has " + std::to_string(width_));
  rest_.remove_prefix(kCountBytes);
  for (std::int16_t i = 0; i < count; ++i) {
    if (rest_.size() < kLengthBytes) bad_row("the length of field " + std::to_string(i) + " is cut");
    const auto length = from_big_endian<std::int32_t>(rest_.data());
    rest_.remove_prefix(kLengthBytes);
    if (length < kUnchangedField) bad_row("field " + std::to_string(i) + " of length " + std::to_string(length));
    const std::size_t n = length < 0 ? 0 : static_cast<std::size_t>(length);
    if (rest_.size() < n) bad_row("field " + std::to_string(i) + " is cut");
    fields.push_back(FieldView{length, rest_.substr(0, n)});
    rest_.remove_prefix(n);
  }
  return true;
}

}  // namespace millrace::connectors
