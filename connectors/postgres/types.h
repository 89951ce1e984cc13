// From PostgreSQL's types to fields: what goes in binary, and what goes as text because its binary form is not
// portable.
//
// The binary form of a value may hold OIDs of the server it comes from (composites, arrays of user types) or names of
// its objects (reg*), or be known to an extension only. Such columns are selected as text. A domain goes as its base
// type, an enum as its label (which is its binary form too), an array of either as an array of the base type or of
// text.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "connectors/schema.h"

namespace millrace::connectors::postgres {

// A row of pg_type, as far as it matters.
struct PgType {
  PgType() = default;
  std::uint32_t oid = 0;
  std::string name;           // typname
  bool builtin = false;       // of pg_catalog, with an OID that every server has
  char typtype = 'b';         // b base, c composite, d domain, e enum, p pseudo, r range, m multirange
  std::uint32_t base = 0;     // of a domain
  std::string base_text;      // of a domain: format_type(base, typmod)
  std::uint32_t element = 0;  // of a true array
};

class PgTypes {
 public:
  void add(PgType type) { types_[type.oid] = std::move(type); }
  // The query that gives the rows for add(), and its reader.
  static const char* query();
  void add_row(const std::vector<std::optional<std::string>>& row);

  // Sets type, source_type and as_text of a field whose column has type `oid`, written `text` by format_type().
  void describe(std::uint32_t oid, const std::string& text, Field& field) const;

 private:
  const PgType* find(std::uint32_t oid) const;
  std::map<std::uint32_t, PgType> types_;
};

// How a field's column is selected so that its bytes are those of field.type: "\"c\"" or "\"c\"::text".
std::string select_expression(const Field& field);

// True if `text` can be a type's name in DDL: only what format_type() writes for built-in types. Keeps a catalog from
// elsewhere from carrying SQL.
bool is_plain_type_name(const std::string& text);

}  // namespace millrace::connectors::postgres
