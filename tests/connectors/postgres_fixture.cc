#include "tests/connectors/postgres_fixture.h"

#include <stdexcept>

#include "common/errors.h"

namespace millrace::test {

PgCluster& cluster() {
  static PgCluster instance;
  return instance;
}
RealRuntime& runtime() {
  static RealRuntime instance;
  return instance;
}

std::string new_database() {
  static int n = 0;
  const std::string name = "db" + std::to_string(n++);
  cluster().create_database(name);
  return name;
}

std::string configuration(const std::string& database, const std::string& more) {
  return R"({"host":")" + cluster().host() + R"(","port":)" + std::to_string(cluster().port()) + R"(,"database":")" +
         database + R"(","username":")" + cluster().user() + "\"" + more + "}";
}

std::unique_ptr<c::Source> postgres_source(const std::string& database, const std::string& more) {
  return std::make_unique<c::postgres::PostgresSource>(runtime().runtime(),
                                                       c::postgres::source_config(configuration(database, more)));
}
std::unique_ptr<c::Destination> postgres_destination(const std::string& database, const std::string& more) {
  return std::make_unique<c::postgres::PostgresDestination>(
      runtime().runtime(), c::postgres::destination_config(configuration(database, more)));
}

c::Stream find_stream(const c::Catalog& catalog, const std::string& ns, const std::string& name) {
  for (const auto& s : catalog.streams)
    if (s.name.ns == ns && s.name.name == name) return s;
  throw std::runtime_error("no stream " + ns + "." + name);
}

c::ConfiguredStream configured(const c::Stream& stream) {
  c::ConfiguredStream out;
  out.name = stream.name;
  out.schema = std::make_shared<const c::Schema>(stream.schema);
  out.primary_key = stream.primary_key;
  return out;
}

c::StreamTarget target_of(const c::Stream& stream, const std::string& ns, const std::string& name,
                          std::int64_t generation) {
  c::StreamTarget t;
  t.connection_id = "connection-1";
  t.source_name = stream.name;
  t.ns = ns;
  t.name = name;
  t.schema = std::make_shared<const c::Schema>(stream.schema);
  t.primary_key = stream.primary_key;
  t.generation = generation;
  t.load_id = generation;
  t.extracted_at_us = 1'700'000'000'123'456;
  return t;
}

std::string code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) {
    return std::string(e.code());
  }
  return "";
}

}  // namespace millrace::test
