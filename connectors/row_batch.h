// RowBatch: rows of one stream in one contiguous arena, and Checkpoint: a place to go on from.
//
// Each row is a PostgreSQL binary COPY tuple: int16 field count, then for each field an int32 length (-1: null) and
// that many bytes, all big-endian (PostgreSQL 15 documentation, COPY, "Binary Format", "Tuples"; without file header
// and trailer). Length -2 means "unchanged": a value that CDC did not get (TOAST); it never occurs in full reads. A
// COPY row and a pgoutput tuple enter by one copy of bytes and leave the same way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/byte_order.h"
#include "connectors/schema.h"

namespace millrace::connectors {

inline constexpr std::int32_t kNullField = -1;
inline constexpr std::int32_t kUnchangedField = -2;

// Move-only: an arena is worth recycling (see Pipe::buffer()). bytes() is valid until the batch is changed.
class RowBatch {
 public:
  RowBatch() = default;
  RowBatch(SchemaPtr schema, std::vector<char> arena) : schema_(std::move(schema)), arena_(std::move(arena)) {
    arena_.clear();
  }
  // Takes an arena that already holds `rows` whole tuples in the format above: a source's COPY reads straight into one.
  static RowBatch of_tuples(SchemaPtr schema, std::vector<char> tuples, std::uint32_t rows) {
    RowBatch batch;
    batch.schema_ = std::move(schema);
    batch.arena_ = std::move(tuples);
    batch.rows_ = rows;
    return batch;
  }
  RowBatch(RowBatch&&) = default;
  RowBatch& operator=(RowBatch&&) = default;

  const SchemaPtr& schema() const { return schema_; }
  std::uint32_t rows() const { return rows_; }
  std::string_view bytes() const { return {arena_.data(), arena_.size()}; }
  bool empty() const { return rows_ == 0; }

  // Appends one whole tuple, already in the format above.
  void append_row(std::string_view tuple) {
    arena_.insert(arena_.end(), tuple.begin(), tuple.end());
    ++rows_;
  }
  std::vector<char> take_arena() && {
    rows_ = 0;
    return std::move(arena_);
  }

 private:
  SchemaPtr schema_;
  std::vector<char> arena_;
  std::uint32_t rows_ = 0;
};

// Writes tuples field by field, for sources that have no COPY: begin_row(), one call a field, end_row().
class RowWriter {
 public:
  explicit RowWriter(RowBatch& batch) : batch_(&batch) {}
  void begin_row(std::uint16_t fields);
  void null();
  void bytes(std::string_view value);  // the type's binary form, ready made
  template <std::integral T>
  void integer(T value) {
    char b[sizeof(T)];
    to_big_endian(value, b);
    bytes({b, sizeof b});
  }
  void boolean(bool value) { bytes({value ? "\1" : "\0", 1}); }
  void float64(double value);
  void text(std::string_view value) { bytes(value); }
  void end_row();

 private:
  RowBatch* batch_;
  std::string tuple_;
  std::uint16_t fields_left_ = 0;
};

// Reads tuples one by one. Throws connector.bad_row if the bytes are not tuples of `schema`'s width.
class RowReader {
 public:
  struct FieldView {
    std::int32_t length;  // kNullField, kUnchangedField or >= 0
    std::string_view bytes;
  };
  explicit RowReader(const RowBatch& batch)
      : rest_(batch.bytes()), width_(batch.schema() ? static_cast<int>(batch.schema()->fields.size()) : -1) {}
  // The next row's fields, or false at the end. The views are into the batch.
  bool next(std::vector<FieldView>& fields);

 private:
  std::string_view rest_;
  int width_;  // fields of the schema; -1: the batch has none and any width is taken
};

// A place in a stream (or one split of it) that a destination can make durable together with the rows before it.
struct Checkpoint {
  enum class Scope { split, stream, all };
  Checkpoint() = default;
  Scope scope = Scope::split;
  std::string id;         // of the split; unique in its stream and generation
  std::string state;      // JSON, the source's own: where to go on
  std::int64_t rows = 0;  // rows of this scope up to here, as the source counted them
  bool complete = false;  // nothing of this scope is left
};

}  // namespace millrace::connectors
