// Sizes as people write them.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::serve {

// "500000", "64KiB", "200 MiB", "1GiB", "1.5 GB". Throws CommandError (exit code 2).
std::uint64_t parse_size(const std::string& text);

}  // namespace millrace::serve
