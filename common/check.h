// check(): an invariant of ours that stays on in release. What a peer, a disk or a user can cause is an Error instead.
#pragma once

#include <source_location>
#include <string_view>

namespace millrace {

[[noreturn]] void check_failed(std::string_view what, std::source_location where);

inline void check(bool ok, std::string_view what, std::source_location where = std::source_location::current()) {
  if (!ok) [[unlikely]]
    check_failed(what, where);
}

}  // namespace millrace
