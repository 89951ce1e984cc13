// What every destination must do, as functions over any implementation, one claim each. Call them inside a TEST_CASE.
#pragma once

#include <functional>
#include <memory>

#include "common/runtime.h"
#include "connectors/destination.h"

namespace millrace::test {

struct DestinationUnderTest {
  // A new object, as a new process would make it, on the same system.
  std::function<std::unique_ptr<connectors::Destination>()> make;
  // Rows of a table as a reader sees them, "id:name" each, ordered by id and joined with ","; "missing" if there is no
  // table.
  std::function<std::string(const std::string& ns, const std::string& name)> content;
  // Makes a table of that name that nobody of us made.
  std::function<void(const std::string& ns, const std::string& name)> make_foreign_table;
  std::string ns;  // an empty namespace of its own
};

void destination_conformance(RealRuntime& runtime, const DestinationUnderTest& subject);

}  // namespace millrace::test
