// A place in PostgreSQL's write-ahead log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::connectors {

// Bytes from the beginning of the log; 0 stands for "none". Written as PostgreSQL does: "16/B374D848".
using Lsn = std::uint64_t;

std::string format_lsn(Lsn lsn);
std::optional<Lsn> parse_lsn(std::string_view text);

}  // namespace millrace::connectors
