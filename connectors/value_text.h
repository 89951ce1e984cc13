// Values between their binary form in a row batch and text.
//
// The text is what PostgreSQL 15 writes with DateStyle ISO, IntervalStyle postgres, TimeZone UTC and bytea_output hex,
// but "true" and "false" for booleans (as a cast to text has them). Formats: PostgreSQL 15 source, the send and recv
// functions in src/backend/utils/adt; numeric: numeric.c, "external binary form".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connectors/schema.h"

namespace millrace::connectors {

// Kinds whose binary form this build can read (and, but for intervals, write). Arrays and native types are not among
// them: where their text is wanted, the source has to give it.
bool has_text(const Type& type);
bool can_parse(const Type& type);

// The text of a value; empty where the kind has none or the bytes are not a value of it.
std::optional<std::string> text_of(const Type& type, std::string_view bytes);

// The binary form of `text` as a value of `type`; empty: it does not fit, and `why` says so in words. Numbers may have
// a fraction of zeros where an integer is wanted; a time of day without a zone is taken as UTC.
std::optional<std::string> value_of(const Type& type, std::string_view text, std::string& why);

}  // namespace millrace::connectors
