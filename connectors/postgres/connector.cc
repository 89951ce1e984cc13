#include "connectors/postgres/connector.h"

#include "common/errors.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/source.h"
#include "connectors/postgres/spec.h"

namespace millrace::connectors::postgres {

Connector connector() {
  Connector c;
  c.name = "postgres";
  c.definition_id = "decd338e-5647-4c0b-adf4-da0e75f5a750";
  c.destination_definition_id = "25c5221d-dce2-4163-ade9-739ef790f503";
  c.title = "PostgreSQL";
  c.source_spec = source_spec();
  c.destination_spec = destination_spec();
  c.make_source = [](Runtime runtime, const std::string& configuration) -> std::unique_ptr<Source> {
    PostgresConfig config = source_config(configuration);
    // The room cdc/ puts its own source here (cdc/register.h).
    if (config.replication) throw Error("postgres.method_unavailable", "replication_method is CDC");
    return std::make_unique<PostgresSource>(std::move(runtime), std::move(config));
  };
  c.make_destination = [](Runtime runtime, const std::string& configuration) -> std::unique_ptr<Destination> {
    return std::make_unique<PostgresDestination>(std::move(runtime), destination_config(configuration));
  };
  c.source_modes = source_modes();
  c.destination_modes = PostgresDestination::modes();
  c.url_schemes = {"postgres", "postgresql"};
  c.configuration_from_url = configuration_from_url;
  c.pushes_filters = true;
  return c;
}

}  // namespace millrace::connectors::postgres
