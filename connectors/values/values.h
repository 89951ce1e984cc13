// Values of a row batch as text and back: what a system without PostgreSQL's binary form needs.
//
// The text of a value is the one that PostgreSQL reads again as the same value, whatever its settings: ISO dates,
// times of day with their zone as +00:00, intervals as ISO 8601 durations, bytes as \x and hexadecimal digits, the
// shortest digits that give the same floating-point number, arrays as literals.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connectors/schema.h"

namespace millrace::connectors::values {

// Between date and time of day: "2026-03-01 04:05:06+00:00" or "2026-03-01T04:05:06+00:00".
enum class TimeStyle { space, iso };

// False for built-in types of PostgreSQL whose text only the server can make (tsvector, ranges, ...). to_text() gives
// \x and the hexadecimal digits of their binary form, and from_text() takes that.
bool has_text(const Type& type);

// Throws connector.bad_row if the bytes are not of this type.
std::string to_text(const Type& type, std::string_view bytes, TimeStyle style = TimeStyle::space);

// Appends the binary form of `text` to `out`; false, and `out` as it was, if it is no value of the type.
bool from_text(const Type& type, std::string_view text, std::string& out);

// The type that PostgreSQL would take this name for: "numeric(12,2)", "timestamptz", "character varying(20)", "int4[]".
// Empty if it is none that we know.
std::optional<Type> type_of_name(std::string_view name);

// The type's name without modifiers and array brackets, in lower case: "bit varying" of "bit varying(8)[]".
std::string base_name(std::string_view pg_type);
// The modifiers with their parentheses, "(12,2)"; empty if there are none.
std::string modifiers(std::string_view pg_type);
// Of an array.
Type element_type(const Type& array);

// What a text of PostgreSQL may be: valid UTF-8 without a zero byte.
bool is_valid_text(std::string_view text);

// A whole JSON document, of numbers of any size. Without `zero_allowed` \u0000 is none, as to jsonb. A surrogate alone
// never is.
bool is_json(std::string_view text, bool zero_allowed = true);

// "0a1f" of bytes, and back (false: not such digits).
std::string hex(std::string_view bytes);
bool unhex(std::string_view digits, std::string& out);

}  // namespace millrace::connectors::values
