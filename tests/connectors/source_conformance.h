// What every source must do, as one function over any implementation. Call it inside a TEST_CASE.
#pragma once

#include <functional>
#include <memory>

#include "common/runtime.h"
#include "connectors/source.h"

namespace millrace::test {

struct SourceUnderTest {
  std::function<std::unique_ptr<connectors::Source>()> make;  // a new object on the same, resting data
  connectors::StreamName stream;                              // one with a key and at least a thousand rows
  std::int64_t rows = 0;
  connectors::PlanOptions several;  // options under which its plan has several splits
};

void source_conformance(RealRuntime& runtime, const SourceUnderTest& subject);

}  // namespace millrace::test
