// Mappers: what happens to fields between source and destination, the same for every source.
//
// Their stored form is Airbyte's, {"type", "mapperConfiguration": {...}}, in the order in which they apply; a later one
// names fields as the earlier ones left them:
//   field-renaming  {"originalFieldName", "newFieldName"}
//   hashing         {"targetField", "method": "SHA-256", "fieldNameSuffix": ""}     hexadecimal, of the value's text
//   encryption      {"targetField", "algorithm": "RSA", "publicKey", "fieldNameSuffix": ""}   base64, see sealing.h
//   redact          {"targetField", "value"?}      without value: "***" for text, null for all else
//   cast            {"targetField", "type"}        through the text of value_text.h; what does not fit becomes null
// A null stays null, whatever the mapper. Renaming costs nothing per row; a stream whose mappers only rename goes
// through untouched.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "connectors/row_batch.h"
#include "connectors/schema.h"

namespace millrace::connectors {

struct Mapper {
  enum class Kind { rename, hash, encrypt, redact, cast };
  Mapper() = default;
  Kind kind = Kind::rename;
  std::string field;
  std::string name_after;
  std::string method;                // hash
  std::string key;                   // encrypt: the public key, PEM
  std::optional<std::string> value;  // redact
  Type type;                         // cast
  // "alias": true in the stored form. The source's change of name or type is not taken: the field counts as what it
  // was.
  bool alias = false;
};

// Throws connector.mapper_invalid with what is wrong.
Mapper mapper_from_json(const nlohmann::json& value);
std::vector<Mapper> mappers_from_json(const nlohmann::json& list);

// A type of the cast mapper by its word ("bigint", "numeric(10,2)", "timestamptz", ...); empty: not one of them.
std::optional<Type> cast_type(const std::string& word);

inline constexpr const char* kErrorsField = "_errors";

// A value that did not fit, in a row of a batch.
struct UnfitValue {
  UnfitValue() = default;
  std::uint32_t row = 0;  // of the batch
  std::string field, wanted, reason, bytes;
};

// The mappers of one stream, made for its schema. apply() is for one coroutine at a time.
class RowMapping {
 public:
  // `errors`: rows get a last field _errors (jsonb) if a mapper can fail. Throws stream.field_unknown,
  // connector.mapper_invalid.
  RowMapping(Schema from, const std::vector<Mapper>& mappers, bool errors);
  ~RowMapping();
  RowMapping(RowMapping&&) noexcept;

  // What the source is to give: as it was, but as text where a mapper needs the text of a type that has none here.
  const SchemaPtr& read_schema() const;
  const SchemaPtr& schema() const;  // of the rows that apply() makes
  std::string name_after(const std::string& field) const;
  // True if a value of this field may be another afterwards.
  bool changes(const std::string& field) const;
  bool changes_any() const;  // false: apply() need not be called
  bool may_fail() const;

  // The rows of `batch` in `out`'s memory, and what did not fit. Throws connector.bad_row.
  RowBatch apply(const RowBatch& batch, std::vector<char> out, std::vector<UnfitValue>& unfit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::connectors
