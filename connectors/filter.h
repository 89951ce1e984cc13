// Row filters: a condition over the fields of a stream, in a small part of SQL that is safe to put into a query.
//
//   condition := or-terms of and-terms of [NOT] predicate, with parentheses
//   predicate := value [ (= <> != < <= > >=) value | IS [NOT] (NULL|TRUE|FALSE) | [NOT] IN (value, ...)
//                | [NOT] (LIKE|ILIKE) value | [NOT] BETWEEN value AND value ]
//   value     := literals, fields (plain or "quoted"), + - * / % || -> ->>, value::type, functions of a fixed list,
//                INTERVAL '...', DATE '...', TIMESTAMP '...', TIMESTAMPTZ '...'
//
// Nothing else gets through: no statement, no subquery, no comment, no function that could do more than compute. What
// the parser gives back is written anew from what it understood, with every field quoted.
#pragma once

#include <string>
#include <vector>

#include "connectors/schema.h"

namespace millrace::connectors {

// Throws connector.filter_invalid with the place and what was expected. Says nothing about fields.
void check_filter(const std::string& text);

// The same condition with each field as the schema has it, quoted: exactly, or by its lower-case form where it was
// written without quotes. Throws connector.filter_invalid, stream.field_unknown.
std::string resolve_filter(const std::string& text, const Schema& schema);

// A resolved condition as SQL; fit for PostgreSQL and, but for its own functions and casts, for SQLite.
std::string filter_sql(const std::string& resolved);

// `field` in [from, to), either end open where it is empty; joined to `condition` by AND. All in resolved form.
std::string window_filter(const std::string& condition, const std::string& field, const std::string& from,
                          const std::string& to);

}  // namespace millrace::connectors
