// The server's wall clock, set wrong on purpose.
#pragma once

#include "common/runtime.h"

namespace millrace::testkit {

// As `real`, but now() is shifted. What is measured from one point to another (mono, sleeps) is not.
Runtime with_clock_offset(Runtime real, Duration offset);

}  // namespace millrace::testkit
