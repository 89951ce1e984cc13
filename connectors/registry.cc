#include "connectors/registry.h"

#include <algorithm>

#include "common/check.h"

namespace millrace::connectors {

void Registry::add(Connector connector) {
  std::string name = connector.name;
  check(by_definition_id(connector.definition_id) == nullptr, "a definition id belongs to one connector");
  const bool added = connectors_.emplace(std::move(name), std::move(connector)).second;
  check(added, "a connector's name is its own");
}

void Registry::replace(Connector connector) {
  const auto it = connectors_.find(connector.name);
  check(it != connectors_.end(), "a connector that is replaced is there");
  it->second = std::move(connector);
}

const Connector* Registry::by_name(const std::string& name) const {
  const auto it = connectors_.find(name);
  return it == connectors_.end() ? nullptr : &it->second;
}

const Connector* Registry::by_definition_id(const std::string& id) const {
  for (const auto& [_, c] : connectors_)
    if (c.definition_id == id || (!c.destination_definition_id.empty() && c.destination_definition_id == id)) return &c;
  return nullptr;
}

const Connector* Registry::by_url(const std::string& url) const {
  const auto scheme = url.substr(0, url.find(':'));
  if (scheme.size() == url.size()) return nullptr;
  for (const auto& [_, c] : connectors_)
    if (std::find(c.url_schemes.begin(), c.url_schemes.end(), scheme) != c.url_schemes.end()) return &c;
  return nullptr;
}

std::vector<const Connector*> Registry::all() const {
  std::vector<const Connector*> out;
  for (const auto& [_, c] : connectors_) out.push_back(&c);
  return out;
}

}  // namespace millrace::connectors
