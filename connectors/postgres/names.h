// Names at the destination: identifiers that fit, and the names of helper tables.
#pragma once

#include <cstdint>
#include <string>

#include "connectors/destination.h"

namespace millrace::connectors::postgres {

// PostgreSQL cuts names after 63 bytes, silently, so that two long names may become one. Ours are cut here: 54 bytes of
// the name (never inside a UTF-8 sequence), "_", and 8 hexadecimal digits of its SHA-256. Shorter ones stay as they
// are.
std::string identifier_that_fits(const std::string& name);

// 16 hexadecimal digits that stand for a stream of a connection (or one generation of it) in names of helper objects.
std::string stream_hash(const StreamTarget& target);
std::string stage_name(const StreamTarget& target);   // stage_<hash>, one for each generation
std::string former_name(const StreamTarget& target);  // former_<hash>, one for each stream

// application_name of sessions that write rows of this stream.
std::string data_session_name(const StreamTarget& target);

// "ns"."name" of the final table, with names that fit.
std::string final_table(const StreamTarget& target);
std::string helper_table(const std::string& name);  // "millrace"."name"

inline constexpr const char* kMetaSchema = "millrace";
inline constexpr const char* kExtractedAt = "_extracted_at";
inline constexpr const char* kLoadId = "_load_id";

}  // namespace millrace::connectors::postgres
