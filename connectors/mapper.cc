#include "connectors/mapper.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/sealing.h"
#include "connectors/value_text.h"

namespace millrace::connectors {

using nlohmann::json;

namespace {

[[noreturn]] void invalid(const std::string& what) { throw Error("connector.mapper_invalid", what); }

std::string text_at(const json& config, const char* field, bool needed) {
  if (!config.contains(field) || config[field].is_null()) {
    if (needed) invalid(std::string("mapperConfiguration needs ") + field);
    return {};
  }
  if (!config[field].is_string()) invalid(std::string(field) + " must be a string");
  return config[field].get<std::string>();
}

}  // namespace

std::optional<Type> cast_type(const std::string& given) {
  std::string word;
  for (const char c : given) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  struct Known {
    const char* word;
    Kind kind;
    const char* pg;
  };
  static constexpr std::array<Known, 34> kKnown{{
      {"string", Kind::string, "text"},
      {"text", Kind::string, "text"},
      {"boolean", Kind::boolean, "boolean"},
      {"bool", Kind::boolean, "boolean"},
      {"smallint", Kind::int16, "smallint"},
      {"int2", Kind::int16, "smallint"},
      {"int", Kind::int32, "integer"},
      {"int4", Kind::int32, "integer"},
      {"integer", Kind::int64, "bigint"},  // Airbyte's integer is 64 bits wide
      {"bigint", Kind::int64, "bigint"},
      {"int8", Kind::int64, "bigint"},
      {"real", Kind::float32, "real"},
      {"float4", Kind::float32, "real"},
      {"double", Kind::float64, "double precision"},
      {"double precision", Kind::float64, "double precision"},
      {"float8", Kind::float64, "double precision"},
      {"float", Kind::float64, "double precision"},
      {"number", Kind::numeric, "numeric"},
      {"numeric", Kind::numeric, "numeric"},
      {"decimal", Kind::numeric, "numeric"},
      {"date", Kind::date, "date"},
      {"time", Kind::time, "time without time zone"},
      {"time without time zone", Kind::time, "time without time zone"},
      {"timetz", Kind::timetz, "time with time zone"},
      {"time with time zone", Kind::timetz, "time with time zone"},
      {"timestamp", Kind::timestamp, "timestamp without time zone"},
      {"timestamp without time zone", Kind::timestamp, "timestamp without time zone"},
      {"timestamp_without_timezone", Kind::timestamp, "timestamp without time zone"},
      {"timestamptz", Kind::timestamptz, "timestamp with time zone"},
      {"timestamp with time zone", Kind::timestamptz, "timestamp with time zone"},
      {"timestamp_with_timezone", Kind::timestamptz, "timestamp with time zone"},
      {"json", Kind::json, "json"},
      {"jsonb", Kind::jsonb, "jsonb"},
      {"uuid", Kind::uuid, "uuid"},
  }};
  for (const Known& known : kKnown)
    if (word == known.word) return Type(known.kind, known.pg);
  const auto open = word.find('(');
  if (open == std::string::npos || !word.ends_with(")")) return std::nullopt;
  const std::string base = word.substr(0, open), size = word.substr(open);
  for (std::size_t i = 1; i + 1 < size.size(); ++i)
    if ((size[i] < '0' || size[i] > '9') && size[i] != ',') return std::nullopt;
  if (base == "numeric" || base == "decimal") return Type(Kind::numeric, "numeric" + size);
  if (base == "varchar" || base == "character varying") return Type(Kind::string, "character varying" + size);
  return std::nullopt;
}

Mapper mapper_from_json(const json& value) {
  if (!value.is_object() || !value.contains("type") || !value["type"].is_string()) invalid("a mapper needs a type");
  const std::string type = value["type"];
  const json config = value.value("mapperConfiguration", json::object());
  if (!config.is_object()) invalid("mapperConfiguration must be an object");
  Mapper out;
  out.alias = value.value("alias", false);
  if (type == "field-renaming") {
    out.field = text_at(config, "originalFieldName", true);
    out.name_after = text_at(config, "newFieldName", true);
    if (out.name_after.empty()) invalid("newFieldName is empty");
    return out;
  }
  if (type != "hashing" && type != "encryption" && type != "redact" && type != "cast")
    invalid("there is no mapper \"" + type + "\": field-renaming, hashing, encryption, redact and cast are known");
  out.field = text_at(config, "targetField", true);
  out.name_after = out.field + text_at(config, "fieldNameSuffix", false);
  if (type == "hashing") {
    out.kind = Mapper::Kind::hash;
    out.method = text_at(config, "method", false);
    if (out.method.empty()) out.method = "SHA-256";
    if (!is_hash_method(out.method))
      invalid("the method \"" + out.method + "\" is not one of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512");
  } else if (type == "encryption") {
    out.kind = Mapper::Kind::encrypt;
    const std::string algorithm = text_at(config, "algorithm", false);
    if (!algorithm.empty() && algorithm != "RSA")
      invalid("the algorithm \"" + algorithm + "\" would need a secret key here; RSA with a publicKey needs none");
    out.key = text_at(config, "publicKey", true);
    PublicKey check(out.key);
  } else if (type == "redact") {
    out.kind = Mapper::Kind::redact;
    if (config.contains("value") && !config["value"].is_null()) out.value = text_at(config, "value", true);
  } else {
    out.kind = Mapper::Kind::cast;
    const std::string word = text_at(config, "type", true);
    const auto known = cast_type(word);
    if (!known) invalid("the type \"" + word + "\" is not one that values can be cast to");
    out.type = *known;
  }
  return out;
}

std::vector<Mapper> mappers_from_json(const json& list) {
  std::vector<Mapper> out;
  for (const auto& one : list) out.push_back(mapper_from_json(one));
  return out;
}

namespace {

struct Operation {
  Mapper mapper;
  Type from;                       // the type of the value that comes in
  std::shared_ptr<PublicKey> key;  // encrypt
};

bool is_text(const Type& type) { return type.kind == Kind::string; }

}  // namespace

struct RowMapping::Impl {
  SchemaPtr read, after;
  std::vector<std::vector<Operation>> operations;  // of each field that is read
  std::vector<std::string> names_before;
  bool any = false, fails = false, errors = false;
  std::vector<RowReader::FieldView> fields;  // scratch
};

RowMapping::~RowMapping() = default;
RowMapping::RowMapping(RowMapping&&) noexcept = default;

RowMapping::RowMapping(Schema from, const std::vector<Mapper>& mappers, bool errors) : impl_(std::make_unique<Impl>()) {
  Impl& impl = *impl_;
  Schema read = from;
  impl.operations.resize(from.fields.size());
  for (const Field& f : from.fields) impl.names_before.push_back(f.name);
  for (const Mapper& m : mappers) {
    const auto at = from.index_of(m.field);
    if (!at) throw Error("stream.field_unknown", "a mapper names \"" + m.field + "\"");
    Field& field = from.fields[*at];
    if (m.name_after != m.field && from.index_of(m.name_after))
      invalid("two fields would be called \"" + m.name_after + "\"");
    if (m.name_after != field.name && field.source_name.empty())
      field.source_name = m.alias ? m.name_after : field.name;
    field.name = m.name_after;
    if (m.kind == Mapper::Kind::rename) continue;
    // The value's text is what is hashed, sealed or read anew: the source has to give it where it is not known here.
    if (m.kind != Mapper::Kind::redact && impl.operations[*at].empty() && !has_text(field.type)) {
      read.fields[*at].type = field.type = Type(Kind::string, "text");
      read.fields[*at].as_text = true;
    }
    if (m.alias && m.kind == Mapper::Kind::cast) field.source_type = m.type.pg_type;
    if (field.source_type.empty()) field.source_type = field.type.pg_type;  // what it was, also after a change of type
    Operation op;
    op.mapper = m;
    op.from = field.type;
    if (m.kind == Mapper::Kind::encrypt) op.key = std::make_shared<PublicKey>(m.key);
    if (m.kind == Mapper::Kind::cast) {
      if (!can_parse(m.type)) invalid("values can't be cast to " + m.type.pg_type);
      field.type = m.type;
      impl.fails = true;
      field.nullable = true;
    } else if (m.kind == Mapper::Kind::redact) {
      if (m.value || is_text(field.type))
        field.type = Type(Kind::string, "text");
      else
        field.nullable = true;
    } else {
      field.type = Type(Kind::string, "text");
    }
    field.as_text = false;
    impl.operations[*at].push_back(std::move(op));
    impl.any = true;
  }
  impl.errors = errors && impl.fails;
  if (impl.errors) {
    if (from.index_of(kErrorsField)) invalid("the stream has a field _errors of its own");
    Field field;
    field.name = kErrorsField;
    field.type = Type(Kind::jsonb, "jsonb");
    from.fields.push_back(std::move(field));
  }
  impl.read = std::make_shared<const Schema>(std::move(read));
  impl.after = std::make_shared<const Schema>(std::move(from));
}

const SchemaPtr& RowMapping::read_schema() const { return impl_->read; }
const SchemaPtr& RowMapping::schema() const { return impl_->after; }
bool RowMapping::changes_any() const { return impl_->any; }
bool RowMapping::may_fail() const { return impl_->fails; }

std::string RowMapping::name_after(const std::string& field) const {
  const auto& names = impl_->names_before;
  const auto it = std::find(names.begin(), names.end(), field);
  return it == names.end() ? field : impl_->after->fields[static_cast<std::size_t>(it - names.begin())].name;
}

bool RowMapping::changes(const std::string& field) const {
  const auto& names = impl_->names_before;
  const auto it = std::find(names.begin(), names.end(), field);
  return it != names.end() && !impl_->operations[static_cast<std::size_t>(it - names.begin())].empty();
}

namespace {

void put_field(std::vector<char>& out, std::string_view bytes) {
  char length[4];
  to_big_endian(static_cast<std::int32_t>(bytes.size()), length);
  out.insert(out.end(), length, length + 4);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_length(std::vector<char>& out, std::int32_t length) {
  char b[4];
  to_big_endian(length, b);
  out.insert(out.end(), b, b + 4);
}

// The value after one mapper; empty: null. What does not fit is told in `unfit`.
std::optional<std::string> mapped(const Operation& op, std::string_view bytes, UnfitValue& unfit, bool& failed) {
  const Mapper& m = op.mapper;
  if (m.kind == Mapper::Kind::redact) {
    if (m.value) return *m.value;
    if (is_text(op.from)) return "***";
    return std::nullopt;
  }
  auto text = text_of(op.from, bytes);
  if (!text) throw Error("connector.bad_row", "field " + m.field + " is no value of " + op.from.pg_type);
  if (m.kind == Mapper::Kind::hash) return hash_hex(m.method, *text);
  if (m.kind == Mapper::Kind::encrypt) return op.key->seal(*text);
  std::string why;
  auto value = value_of(m.type, *text, why);
  if (!value) {
    failed = true;
    unfit.field = m.name_after;
    unfit.wanted = m.type.pg_type;
    unfit.reason = why;
    unfit.bytes = std::move(*text);
  }
  return value;
}

}  // namespace

RowBatch RowMapping::apply(const RowBatch& batch, std::vector<char> out, std::vector<UnfitValue>& unfit) {
  Impl& impl = *impl_;
  out.clear();
  out.reserve(batch.bytes().size() + 64);
  RowReader reader(batch);
  std::uint32_t rows = 0;
  char count[2];
  to_big_endian(static_cast<std::int16_t>(impl.after->fields.size()), count);
  while (reader.next(impl.fields)) {
    out.insert(out.end(), count, count + 2);
    json errors;
    for (std::size_t i = 0; i < impl.fields.size(); ++i) {
      const auto& field = impl.fields[i];
      const auto& operations = impl.operations[i];
      if (operations.empty() || field.length < 0) {
        put_length(out, field.length);
        if (field.length > 0) out.insert(out.end(), field.bytes.begin(), field.bytes.end());
        continue;
      }
      std::optional<std::string> value;
      std::string_view at = field.bytes;
      for (const Operation& op : operations) {
        UnfitValue one;
        bool failed = false;
        value = mapped(op, at, one, failed);
        if (failed) {
          one.row = rows;
          errors.push_back({{"field", one.field}, {"reason", one.reason}, {"type", one.wanted}});
          unfit.push_back(std::move(one));
        }
        if (!value) break;
        at = *value;
      }
      if (value)
        put_field(out, *value);
      else
        put_length(out, kNullField);
    }
    if (impl.errors) {
      if (errors.is_null())
        put_length(out, kNullField);
      else
        put_field(out, "\1" + errors.dump(-1, ' ', false, json::error_handler_t::replace));
    }
    ++rows;
  }
  return RowBatch::of_tuples(impl.after, std::move(out), rows);
}

}  // namespace millrace::connectors
