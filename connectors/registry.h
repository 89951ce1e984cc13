// The connectors this build has, by name. Filled once at start by register_all(); immutable afterwards.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime.h"
#include "connectors/destination.h"
#include "connectors/source.h"

namespace millrace::connectors {

// `configuration` is the JSON object a user wrote, valid against the spec, with secrets filled in.
using SourceFactory = std::function<std::unique_ptr<Source>(Runtime, const std::string& configuration)>;
using DestinationFactory = std::function<std::unique_ptr<Destination>(Runtime, const std::string& configuration)>;

struct Connector {
  std::string name;                       // "postgres"
  std::string definition_id;              // of the source; a UUID, Airbyte's own where it has this connector
  std::string destination_definition_id;  // of the destination, where it differs (Airbyte has one for each)
  // The id under which a source or destination of this connector is stored and shown.
  const std::string& definition_id_of(bool as_source) const {
    return as_source || destination_definition_id.empty() ? definition_id : destination_definition_id;
  }
  std::string title;        // "PostgreSQL"
  std::string source_spec;  // JSON Schema with Airbyte's annotations (airbyte_secret, order, ...); empty: no source
  std::string destination_spec;  // empty: no destination
  SourceFactory make_source;
  DestinationFactory make_destination;
  std::vector<SyncMode> source_modes;
  std::vector<SyncMode> destination_modes;
  bool pushes_filters = false;  // its source reads only the rows of ConfiguredStream::filter and limit
  // `millrace copy` URLs: the schemes it takes, and configuration JSON from a URL (empty function: none).
  std::vector<std::string> url_schemes;
  std::function<std::string(const std::string& url, bool as_source)> configuration_from_url;
};

class Registry {
 public:
  void add(Connector connector);
  // In place of the one of its name, which is there.
  void replace(Connector connector);
  const Connector* by_name(const std::string& name) const;
  // By either definition id.
  const Connector* by_definition_id(const std::string& id) const;
  const Connector* by_url(const std::string& url) const;
  std::vector<const Connector*> all() const;  // ordered by name

 private:
  std::map<std::string, Connector> connectors_;
};

// connectors/register_all.cc: every connector of this build.
void register_all(Registry& registry);

}  // namespace millrace::connectors
