// CrashNotes in a file of the data directory.
#pragma once

#include <memory>
#include <string>

#include "engine/crash_notes.h"

namespace millrace::engine {

// Throws store.unavailable.
std::shared_ptr<CrashNotes> open_crash_notes(const std::string& path);

}  // namespace millrace::engine
