#include "connectors/change_columns.h"

#include "common/byte_order.h"
#include "common/errors.h"

namespace millrace::connectors {
namespace {

// The source's own word for the type of a column that no source has.
constexpr std::string_view kMark = "millrace";

Field column(std::string_view name, Kind kind, std::string type) {
  Field f;
  f.name = name;
  f.type = Type(kind, std::move(type));
  f.source_type = kMark;
  return f;
}

[[noreturn]] void bad_row() { throw Error("connector.bad_row", "a batch is not made of whole tuples"); }

}  // namespace

Schema with_change_columns(Schema schema, SyncMode mode, bool soft_delete) {
  auto& f = schema.fields;
  if (mode == SyncMode::incremental_append) {
    f.push_back(column(kChangeOp, Kind::string, "text"));
    f.push_back(column(kChangeLsn, Kind::native, "pg_lsn"));
    f.push_back(column(kChangeSeq, Kind::int64, "bigint"));
    f.push_back(column(kChangeTime, Kind::timestamptz, "timestamp with time zone"));
    Field unchanged = column(kChangeUnchanged, Kind::array, "text[]");
    unchanged.type.element = Kind::string;
    f.push_back(std::move(unchanged));
  } else {
    f.push_back(column(kChangeLsn, Kind::native, "pg_lsn"));
    if (soft_delete) f.push_back(column(kDeletedAt, Kind::timestamptz, "timestamp with time zone"));
  }
  return schema;
}

bool is_change_column(const Field& field) { return field.source_type == kMark; }

void widen_tuples(std::string_view tuples, std::uint32_t rows, std::string_view tail, int fields,
                  std::vector<char>& out) {
  out.clear();
  out.reserve(tuples.size() + rows * tail.size());
  while (!tuples.empty()) {
    if (tuples.size() < 2) bad_row();
    const auto count = from_big_endian<std::int16_t>(tuples.data());
    if (count < 0) bad_row();
    std::size_t at = 2;
    for (std::int16_t i = 0; i < count; ++i) {
      if (tuples.size() < at + 4) bad_row();
      const auto length = from_big_endian<std::int32_t>(tuples.data() + at);
      at += 4 + (length > 0 ? static_cast<std::size_t>(length) : 0);
    }
    if (at > tuples.size()) bad_row();
    char head[2];
    to_big_endian(static_cast<std::int16_t>(count + fields), head);
    out.insert(out.end(), head, head + 2);
    out.insert(out.end(), tuples.data() + 2, tuples.data() + at);
    out.insert(out.end(), tail.begin(), tail.end());
    tuples.remove_prefix(at);
  }
}

}  // namespace millrace::connectors
