#include "connectors/datagen/rows.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/errors.h"

namespace millrace::connectors::datagen {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): a good 64-bit hash of a counter.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

constexpr std::array<std::string_view, 16> kWords{"amber", "basin",  "cedar", "delta",   "ember", "fjord",
                                                  "grove", "heron",  "inlet", "juniper", "kelp",  "linden",
                                                  "marsh", "nettle", "otter", "pine"};

void words(std::string& out, std::uint64_t random, std::size_t length) {
  while (out.size() < length) {
    out += kWords[random & 15];
    out += ' ';
    random = mixed(random);
  }
  out.resize(length);
}

// numeric_send: digits in base 10,000. A value of up to 8 digits before and 2 after the point, so at most three groups.
void append_numeric(std::string& out, std::int64_t hundredths) {
  const bool negative = hundredths < 0;
  const std::int64_t value = negative ? -hundredths : hundredths;
  const std::int64_t whole = value / 100;
  std::array<std::int16_t, 3> digits{static_cast<std::int16_t>(whole / 10'000),
                                     static_cast<std::int16_t>(whole % 10'000),
                                     static_cast<std::int16_t>(value % 100 * 100)};
  std::size_t first = 0, last = 3;
  while (first < 3 && digits[first] == 0) ++first;
  while (last > first && digits[last - 1] == 0) --last;
  append_big_endian(out, static_cast<std::int16_t>(last - first));
  append_big_endian(out, static_cast<std::int16_t>(first == last ? 0 : 1 - static_cast<int>(first)));
  append_big_endian(out, static_cast<std::int16_t>(negative ? 0x4000 : 0));
  append_big_endian(out, std::int16_t{2});
  for (std::size_t i = first; i < last; ++i) append_big_endian(out, digits[i]);
}

// The value of a column of `kind`; every 16th is null where the kind may be.
void value(RowWriter& row, std::string& scratch, const std::string& kind, std::uint64_t r) {
  scratch.clear();
  if ((r >> 60) == 0) return row.null();
  if (kind == "boolean") return row.boolean((r & 1) != 0);
  if (kind == "int32") return row.integer(static_cast<std::int32_t>(r));
  if (kind == "int64") return row.integer(static_cast<std::int64_t>(r));
  if (kind == "float64") return row.float64(static_cast<double>(static_cast<std::int64_t>(r) >> 11) / 1024.0);
  if (kind == "date") return row.integer(static_cast<std::int32_t>(r % 20'000));
  // 2000 to 2040, to the microsecond.
  if (kind == "timestamp" || kind == "timestamptz")
    return row.integer(static_cast<std::int64_t>(r % 1'262'304'000'000'000ULL));
  if (kind == "numeric")
    append_numeric(scratch, static_cast<std::int64_t>(r % 20'000'000'000ULL) - 10'000'000'000LL);
  else if (kind == "text")
    words(scratch, r, 4 + r % 20);
  else if (kind == "uuid" || kind == "bytes") {
    append_big_endian(scratch, r);
    append_big_endian(scratch, mixed(r));
  } else {  // jsonb: a version byte and the text
    scratch += '\1';
    scratch += "{\"n\": " + std::to_string(r % 1'000) + ", \"word\": \"" + std::string(kWords[r >> 4 & 15]) + "\"}";
  }
  row.bytes(scratch);
}

}  // namespace

const std::vector<std::string>& column_kinds() {
  static const std::vector<std::string> kKinds{"boolean", "int32", "int64", "float64",   "numeric",     "text",
                                               "bytes",   "uuid",  "date",  "timestamp", "timestamptz", "jsonb"};
  return kKinds;
}

Field column_field(const std::string& kind) {
  static const std::vector<std::pair<std::string, Type>> kTypes{
      {"boolean", Type(Kind::boolean, "boolean")},
      {"int32", Type(Kind::int32, "integer")},
      {"int64", Type(Kind::int64, "bigint")},
      {"float64", Type(Kind::float64, "double precision")},
      {"numeric", Type(Kind::numeric, "numeric(12,2)")},
      {"text", Type(Kind::string, "text")},
      {"bytes", Type(Kind::bytes, "bytea")},
      {"uuid", Type(Kind::uuid, "uuid")},
      {"date", Type(Kind::date, "date")},
      {"timestamp", Type(Kind::timestamp, "timestamp without time zone")},
      {"timestamptz", Type(Kind::timestamptz, "timestamp with time zone")},
      {"jsonb", Type(Kind::jsonb, "jsonb")}};
  const auto it = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.first == kind; });
  if (it == kTypes.end()) throw Error("connector.config_invalid", "columns: \"" + kind + "\" is not a kind of column");
  Field f;
  f.name = "c_" + kind;
  f.type = it->second;
  f.source_type = kind;
  return f;
}

void append_row(RowBatch& batch, const std::vector<std::string>& kinds, const Schema& schema, std::uint64_t seed,
                std::int64_t number, std::int64_t row_bytes) {
  const std::uint64_t base = mixed(mixed(seed) ^ static_cast<std::uint64_t>(number));
  RowWriter row(batch);
  std::string scratch;
  row.begin_row(static_cast<std::uint16_t>(schema.fields.size()));
  std::size_t size = 2;
  for (const Field& field : schema.fields) {
    if (field.name == "id") {
      row.integer(number);
    } else if (field.name == "payload") {
      scratch.clear();
      words(scratch, mixed(base ^ 0x5bd1e995),
            static_cast<std::size_t>(std::max<std::int64_t>(row_bytes - static_cast<std::int64_t>(size) - 12, 0)));
      row.text(scratch);
    } else {
      const auto at = std::find(kinds.begin(), kinds.end(), field.source_type);
      if (at == kinds.end()) throw Error("connector.schema_changed", "there is no column " + field.name);
      value(row, scratch, field.source_type, mixed(base + static_cast<std::uint64_t>(at - kinds.begin()) + 1));
    }
    size += 12;  // payload is the last: what is before it counts with a rough size
  }
  row.end_row();
}

}  // namespace millrace::connectors::datagen
