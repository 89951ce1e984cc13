// Names and types from the first rows of a stream. A type is taken only if every value fits it as it is written, so
// that "007" stays a text; what a CSV file calls a number is exact.
#include <algorithm>

#include "connectors/files/records.h"
#include "connectors/values/values.h"

namespace millrace::connectors::files {
namespace {

bool fits(const Type& type, std::string_view text) {
  std::string binary;
  return values::from_text(type, text, binary);
}

// -12, 12.5, 1e3; no sign +, no zero before other digits, no spaces.
bool is_number(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return false;
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return false;
  return digits.back() >= '0' && digits.back() <= '9' && fits(Type(Kind::numeric, "numeric"), text);
}

bool has_zone(std::string_view text) {
  return text.size() > 11 && text.find_first_of("Zz+-", 11) != std::string_view::npos;
}

}  // namespace

void Inference::look(Seen& seen, const Item& item) {
  const std::string& text = item.text;
  switch (item.form) {
    case Item::Form::missing:
      return;
    case Item::Form::json_null:
      seen.json = true;
      return;
    case Item::Form::json_text:
      seen.any = seen.json = seen.string = true;
      return;
    case Item::Form::json_nested:
      seen.any = seen.json = seen.nested = true;
      return;
    case Item::Form::json_boolean:
      seen.any = seen.json = seen.boolean = true;
      return;
    case Item::Form::json_number:
      seen.any = seen.json = seen.number = true;
      seen.may_integer =
          seen.may_integer && text.find_first_of(".eE") == std::string::npos && fits(Type(Kind::int64, "bigint"), text);
      return;
    case Item::Form::text:
      break;
  }
  seen.any = seen.text = true;
  seen.may_boolean = seen.may_boolean && (text == "true" || text == "false" || text == "TRUE" || text == "FALSE" ||
                                          text == "True" || text == "False");
  if (seen.may_number) seen.may_number = is_number(text);
  seen.may_integer = seen.may_integer && seen.may_number && text.find_first_of(".eE") == std::string::npos &&
                     fits(Type(Kind::int64, "bigint"), text);
  if (seen.may_date) seen.may_date = text.size() == 10 && fits(Type(Kind::date, "date"), text);
  const bool stamp = (seen.may_timestamp || seen.may_zoned) && text.size() >= 10 && text[0] >= '0' && text[0] <= '9' &&
                     fits(Type(Kind::timestamptz, "timestamp with time zone"), text);
  seen.may_timestamp = seen.may_timestamp && stamp && !has_zone(text);
  seen.may_zoned = seen.may_zoned && stamp && has_zone(text);
}

Type Inference::type_of(const Seen& seen) {
  const Type string(Kind::string, "text"), integer(Kind::int64, "bigint"), number(Kind::numeric, "numeric");
  const Type boolean(Kind::boolean, "boolean");
  if (!seen.any) return string;
  if (seen.text) {
    if (seen.may_boolean) return boolean;
    if (seen.may_integer) return integer;
    if (seen.may_number) return number;
    if (seen.may_date) return Type(Kind::date, "date");
    if (seen.may_timestamp) return Type(Kind::timestamp, "timestamp without time zone");
    return seen.may_zoned ? Type(Kind::timestamptz, "timestamp with time zone") : string;
  }
  const int forms = int{seen.string} + int{seen.number} + int{seen.boolean} + int{seen.nested};
  if (forms > 1 || seen.nested) return Type(Kind::jsonb, "jsonb");
  if (seen.string) return string;
  if (seen.boolean) return boolean;
  return seen.may_integer ? integer : number;
}

void Inference::add(const RecordReader& reader, const Record& record) {
  const auto& names = reader.names();
  for (std::size_t i = 0; i < names.size() && i < record.items.size(); ++i) {
    // Records name their columns in one order, as a rule.
    std::size_t at = i < columns_.size() && columns_[i].name == names[i] ? i : columns_.size();
    if (at == columns_.size())
      at = static_cast<std::size_t>(
          std::find_if(columns_.begin(), columns_.end(), [&](const Seen& s) { return s.name == names[i]; }) -
          columns_.begin());
    if (at == columns_.size()) {
      Seen seen;
      seen.name = names[i];
      columns_.push_back(std::move(seen));
    }
    look(columns_[at], record.items[i]);
  }
}

Schema Inference::schema() const {
  Schema out;
  for (const Seen& seen : columns_) {
    Field f;
    f.name = seen.name;
    f.type = type_of(seen);
    f.source_type = "inferred";
    out.fields.push_back(std::move(f));
  }
  return out;
}

}  // namespace millrace::connectors::files
