// One cluster and one runtime for all connector tests, and short ways to sources and destinations on them.
#pragma once

#include <memory>
#include <string>

#include "connectors/postgres/destination.h"
#include "connectors/postgres/source.h"
#include "tests/connectors/copy_stream.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/run.h"

namespace millrace::test {

PgCluster& cluster();
RealRuntime& runtime();

// A new, empty database; its name.
std::string new_database();
// Configuration JSON for it; `more` is put before the closing brace: R"(,"schemas":["a"])".
std::string configuration(const std::string& database, const std::string& more = "");

std::unique_ptr<c::Source> postgres_source(const std::string& database, const std::string& more = "");
std::unique_ptr<c::Destination> postgres_destination(const std::string& database, const std::string& more = "");

// The stream of a discovered table. Throws std::runtime_error if there is none.
c::Stream find_stream(const c::Catalog& catalog, const std::string& ns, const std::string& name);
c::ConfiguredStream configured(const c::Stream& stream);
c::StreamTarget target_of(const c::Stream& stream, const std::string& ns, const std::string& name,
                          std::int64_t generation);

// The code of the Error that `work` throws; "" if none.
std::string code_of(const std::function<void()>& work);

}  // namespace millrace::test
