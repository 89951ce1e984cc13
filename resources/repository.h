// Reads and writes the rows of resources: one conditional batch a change. The facade is resources.h; documents.h builds
// plan and apply on this.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/awaitable.h"
#include "resources/bodies.h"
#include "resources/records.h"
#include "resources/resources.h"
#include "state/store.h"

namespace millrace::resources {

// A resource and the very bytes of its row, which are the condition of changing it.
struct StoredResource {
  StoredResource() = default;
  Resource resource;
  std::string row;
};

// A body ready to be stored: the long form, with secrets plain and with secrets as references.
struct PreparedBody {
  PreparedBody() = default;
  nlohmann::json plain;
  nlohmann::json stored;
  std::vector<std::pair<std::string, std::string>> new_secrets;  // id, sealed
};

// What names stand for before they are in the store: the documents of a plan.
using PlannedReferences = std::map<std::pair<Kind, std::string>, Reference>;

class Repository {
 public:
  Repository(Runtime runtime, std::shared_ptr<state::Store> store, std::shared_ptr<const connectors::Registry> registry,
             std::unique_ptr<SecretBox> secrets);

  asio::awaitable<std::optional<StoredResource>> find(Kind kind, std::string id);
  asio::awaitable<std::optional<StoredResource>> find_by_name(Kind kind, std::string name);
  asio::awaitable<StoredResource> need(Kind kind, std::string id);  // throws resource.not_found
  asio::awaitable<std::optional<Resource>> find_revision(Kind kind, std::string id, std::int64_t revision);
  asio::awaitable<std::vector<Resource>> revisions(Kind kind, std::string id);
  asio::awaitable<Page> list(Kind kind, std::size_t limit, std::string page);
  asio::awaitable<std::vector<Resource>> all(Kind kind);

  // `spec` with its secrets filled in.
  asio::awaitable<nlohmann::json> fill_secrets(nlohmann::json spec);

  // Normalises `body` over `current` (empty: a create). Faults go to `faults`; then the answer is of no use.
  asio::awaitable<PreparedBody> prepare(Kind kind, nlohmann::json body, std::optional<StoredResource> current,
                                        UpdateMode mode, std::shared_ptr<const PlannedReferences> planned,
                                        std::shared_ptr<Faults> faults, std::shared_ptr<Faults> unknown);

  asio::awaitable<Resource> create(Kind kind, std::string body, Principal principal, std::string request_id);
  asio::awaitable<Resource> update(Kind kind, std::string id, std::string body, UpdateMode mode, Principal principal);
  asio::awaitable<void> remove(Kind kind, std::string id);

  const connectors::Registry& registry() const { return *registry_; }
  SecretBox& secrets() { return *secrets_; }

 private:
  asio::awaitable<std::optional<Reference>> resolve(Kind kind, std::optional<ReferenceName> name,
                                                    std::shared_ptr<const PlannedReferences> planned,
                                                    std::shared_ptr<Faults> unknown);
  // Adds to `batch` that `connection` uses (or no longer uses) the source or destination `id`.
  asio::awaitable<state::Batch> change_use(state::Batch batch, Kind kind, std::string id, std::string connection,
                                           bool uses);
  asio::awaitable<state::Batch> erase_resource(StoredResource head);
  asio::awaitable<void> refuse_if_used(StoredResource head, std::optional<std::string> uses_row);
  nlohmann::json seal(Kind kind, const nlohmann::json& plain, const nlohmann::json& current, PreparedBody& out);

  Runtime runtime_;
  std::shared_ptr<state::Store> store_;
  std::shared_ptr<const connectors::Registry> registry_;
  std::unique_ptr<SecretBox> secrets_;
};

// The name lives beside the specification; a body has it among its fields, and so has the specification it is held to.
StoredResource with_name_in_spec(StoredResource resource);
// Parses a body that must be a JSON object without references to the outside.
nlohmann::json parse_resource_body(const std::string& body);
// Throws what `faults` and `unknown` hold, if anything.
void throw_faults(const Faults& faults, const Faults& unknown);
std::string use_kind(Kind kind);  // "source_use"

}  // namespace millrace::resources
