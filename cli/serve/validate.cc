#include "cli/serve/validate.h"

#include "connectors/registry.h"
#include "resources/resources.h"
#include "resources/validation_error.h"
#include "state/memory_store.h"

namespace millrace::serve {
namespace {

// Planning stores nothing, so nothing is sealed for good.
class NoSecrets final : public resources::SecretBox {
 public:
  std::string seal(const std::string& plain) override { return plain; }
  std::string open_sealed(const std::string& sealed) override { return sealed; }
  std::string keyed_hash(const std::string& plain) override { return plain; }
};

std::shared_ptr<const connectors::Registry> registry() {
  auto all = std::make_shared<connectors::Registry>();
  connectors::register_all(*all);
  return all;
}

}  // namespace

asio::awaitable<std::vector<std::pair<std::string, std::string>>> validate_locally(Runtime runtime,
                                                                                   std::string documents) {
  std::vector<std::pair<std::string, std::string>> faults;
  auto store = std::make_shared<state::MemoryStore>(runtime);
  {
    resources::Resources here(runtime, store, registry(), std::make_unique<NoSecrets>());
    try {
      co_await here.plan(std::move(documents), false);
    } catch (const resources::ValidationError& e) {
      if (e.code() != "resource.unknown_reference") {
        for (const auto& fault : e.faults()) faults.emplace_back(fault.pointer, fault.detail);
        if (faults.empty()) faults.emplace_back("", e.detail());
      }
    } catch (const Error& e) {
      faults.emplace_back("", e.what());
    }
  }
  store->close();
  co_return faults;
}

cli::SpecOf local_spec_of() {
  return [all = registry()](const std::string& kind, const std::string& connector) {
    const connectors::Connector* c = all->by_name(connector);
    if (c == nullptr) c = all->by_definition_id(connector);
    if (c == nullptr) return nlohmann::ordered_json();
    const std::string& spec = kind == "Source" ? c->source_spec : c->destination_spec;
    return spec.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json::parse(spec, nullptr, false);
  };
}

}  // namespace millrace::serve
