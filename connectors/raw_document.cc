#include "connectors/raw_document.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/value_text.h"

namespace millrace::connectors {
namespace {

bool is_number(const std::string& text) {
  const char c = text.empty() ? 'x' : text.back();
  return c >= '0' && c <= '9';  // not NaN, Infinity
}

void append_text(std::string& out, std::string_view text) {
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_value(std::string& out, const Field& field, std::string_view bytes) {
  const auto text = text_of(field.type, bytes);
  if (!text) throw Error("connector.bad_row", "field " + field.name + " is no value of " + field.type.pg_type);
  switch (field.type.kind) {
    case Kind::boolean:
    case Kind::json:
    case Kind::jsonb:
      out += *text;
      return;
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::float32:
    case Kind::float64:
    case Kind::numeric:
      if (is_number(*text)) {
        out += *text;
        return;
      }
      break;
    default:
      break;
  }
  append_text(out, *text);
}

}  // namespace

SchemaPtr raw_schema() {
  Schema schema;
  Field field;
  field.name = kDataField;
  field.type = Type(Kind::jsonb, "jsonb");
  field.nullable = false;
  schema.fields.push_back(std::move(field));
  return std::make_shared<const Schema>(std::move(schema));
}

RowBatch raw_documents(const RowBatch& batch, std::vector<char> out) {
  std::vector<std::string> names;
  for (const Field& field : batch.schema()->fields) {
    std::string name;
    append_text(name, field.name);
    names.push_back(name + ":");
  }
  RowBatch documents(raw_schema(), std::move(out));
  RowWriter writer(documents);
  RowReader reader(batch);
  std::vector<RowReader::FieldView> fields;
  std::string document;
  while (reader.next(fields)) {
    document = "\1{";  // the version of jsonb's binary form comes first
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) document += ',';
      document += names[i];
      if (fields[i].length < 0)
        document += "null";
      else
        append_value(document, batch.schema()->fields[i], fields[i].bytes);
    }
    document += '}';
    writer.begin_row(1);
    writer.bytes(document);
    writer.end_row();
  }
  return documents;
}

}  // namespace millrace::connectors
