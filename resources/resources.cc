#include "resources/resources.h"

#include <mutex>

#include "common/errors.h"
#include "common/log.h"
#include "resources/connection_lock.h"
#include "resources/documents.h"
#include "resources/known_streams.h"
#include "resources/repository.h"
#include "state/keys.h"

namespace millrace::resources {

using nlohmann::json;

class Resources::Impl {
 public:
  Impl(std::shared_ptr<Repository> r, std::shared_ptr<state::Store> s)
      : repository(std::move(r)), store(std::move(s)) {}
  void changed(Kind kind, const std::string& id) {
    std::function<void(Kind, const std::string&)> tell;
    {
      const std::lock_guard lock(mutex);
      tell = on_change;
    }
    if (tell) tell(kind, id);
  }
  std::shared_ptr<Repository> repository;
  std::shared_ptr<state::Store> store;
  std::mutex mutex;
  std::function<void(Kind, const std::string&)> on_change;
};

Resources::Resources(Runtime runtime, std::shared_ptr<state::Store> store,
                     std::shared_ptr<const connectors::Registry> registry, std::unique_ptr<SecretBox> secrets)
    : impl_(std::make_shared<Impl>(
          std::make_shared<Repository>(std::move(runtime), store, std::move(registry), std::move(secrets)), store)) {}
Resources::~Resources() = default;

asio::awaitable<Resource> Resources::create(Kind kind, std::string body, Principal principal, std::string request_id) {
  auto impl = impl_;
  auto made = co_await impl->repository->create(kind, std::move(body), principal, std::move(request_id));
  log_info("resource created",
           {{"kind", to_string(kind)}, {"id", made.id}, {"name", made.name}, {"principal", principal.name}});
  impl->changed(kind, made.id);
  co_return made;
}

asio::awaitable<Resource> Resources::update(Kind kind, std::string id, std::string body, UpdateMode mode,
                                            Principal principal) {
  auto impl = impl_;
  auto made = co_await impl->repository->update(kind, std::move(id), std::move(body), mode, principal);
  log_info("resource updated",
           {{"kind", to_string(kind)}, {"id", made.id}, {"revision", made.revision}, {"principal", principal.name}});
  impl->changed(kind, made.id);
  co_return made;
}

asio::awaitable<void> Resources::remove(Kind kind, std::string id, Principal principal) {
  auto impl = impl_;
  co_await impl->repository->remove(kind, id);
  log_info("resource removed", {{"kind", to_string(kind)}, {"id", id}, {"principal", principal.name}});
  impl->changed(kind, id);
}

namespace {

// The number of the connection's newest job; refused while that one holds the connection, since it will leave a state
// of its own.
asio::awaitable<std::int64_t> newest_job_at_rest(std::shared_ptr<state::Store> store, std::string connection_id) {
  const auto lock_row = co_await store->get(state::keys::connection_lock(connection_id));
  if (lock_row) {
    const auto lock = decode_lock(*lock_row);
    const auto open = co_await store->get(state::keys::open_run(lock.run_id));
    if (open)
      throw Error("job.already_running", "job " + std::to_string(lock.job_id) + " will leave a state of its own");
  }
  state::Range range = state::prefix_range(state::keys::job_of_connection_prefix(connection_id));
  range.limit = 1;
  const auto rows = co_await store->scan(range);
  if (rows.empty()) co_return 0;
  state::KeyReader key(rows.front().key);
  key.str();
  co_return static_cast<std::int64_t>(key.inverse_u64());
}

}  // namespace

asio::awaitable<std::vector<StreamState>> Resources::stream_states(std::string connection_id) {
  return resources::stream_states(impl_->store, std::move(connection_id));
}

asio::awaitable<std::vector<StreamState>> Resources::stream_state_history(std::string connection_id,
                                                                          connectors::StreamName stream) {
  return resources::stream_state_history(impl_->store, std::move(connection_id), std::move(stream));
}

asio::awaitable<StreamState> Resources::put_stream_state(std::string connection_id, StreamState state) {
  auto impl = impl_;
  co_await impl->repository->need(Kind::connection, connection_id);
  if (state.author != "job") state.job = co_await newest_job_at_rest(impl->store, connection_id);
  co_return co_await resources::put_stream_state(impl->store, std::move(connection_id), std::move(state));
}

asio::awaitable<Resource> Resources::get(Kind kind, std::string id) {
  auto repository = impl_->repository;
  auto found = co_await repository->need(kind, std::move(id));
  co_return std::move(found.resource);
}

asio::awaitable<Resource> Resources::get_by_name(Kind kind, std::string name) {
  auto repository = impl_->repository;
  auto found = co_await repository->find_by_name(kind, name);
  if (!found)
    throw Error("resource.not_found", "there is no " + std::string(to_string(kind)) + " named \"" + name + "\"");
  co_return std::move(found->resource);
}

asio::awaitable<Resource> Resources::get_revision(Kind kind, std::string id, std::int64_t revision) {
  auto repository = impl_->repository;
  auto found = co_await repository->find_revision(kind, id, revision);
  if (!found)
    throw Error("resource.not_found", "there is no revision " + std::to_string(revision) + " of the " +
                                          std::string(to_string(kind)) + " " + id);
  co_return std::move(*found);
}

asio::awaitable<std::vector<Resource>> Resources::revisions(Kind kind, std::string id) {
  auto repository = impl_->repository;
  co_await repository->need(kind, id);
  co_return co_await repository->revisions(kind, id);
}

asio::awaitable<Page> Resources::list(Kind kind, std::size_t limit, std::string page) {
  auto repository = impl_->repository;
  co_return co_await repository->list(kind, limit, std::move(page));
}

std::string Resources::public_json(const Resource& resource) const {
  return public_resource_json(resource, impl_->repository->registry());
}

asio::awaitable<std::string> Resources::configuration_with_secrets(Kind kind, std::string id, std::int64_t revision) {
  auto repository = impl_->repository;
  auto found = co_await repository->find_revision(kind, id, revision);
  if (!found)
    throw Error("resource.not_found", "there is no revision " + std::to_string(revision) + " of the " +
                                          std::string(to_string(kind)) + " " + id);
  json spec = json::parse(found->spec);
  json configuration = co_await repository->fill_secrets(spec.value("configuration", json::object()));
  co_return configuration.dump();
}

const connectors::Connector& Resources::connector_of(const Resource& resource) const {
  const auto spec = json::parse(resource.spec);
  const auto* connector = registry().by_definition_id(spec.value("definitionId", ""));
  if (!connector)
    throw Error("resource.unknown_reference", "the connector of \"" + resource.name + "\" is not in this build");
  return *connector;
}

const connectors::Registry& Resources::registry() const { return impl_->repository->registry(); }

asio::awaitable<NewStreams> Resources::new_streams(std::string connection_id, std::int64_t revision,
                                                   std::vector<connectors::StreamName> discovered,
                                                   std::int64_t job_id) {
  auto impl = impl_;
  const auto at = co_await impl->repository->find_revision(Kind::connection, connection_id, revision);
  if (!at) throw Error("resource.not_found", "there is no such revision of the connection " + connection_id);
  const auto found = co_await find_new_streams(impl->store, connection_id, at->spec, std::move(discovered), job_id);
  if (found.disable) {
    const Principal principal("nonBreakingSchemaUpdatesBehavior");
    co_await deactivate(connection_id, principal);
  }
  co_return found;
}

asio::awaitable<void> Resources::deactivate(std::string connection_id, Principal principal) {
  auto impl = impl_;
  const auto now = co_await impl->repository->need(Kind::connection, connection_id);
  if (json::parse(now.resource.spec).value("status", "active") == "inactive") co_return;
  co_await impl->repository->update(Kind::connection, connection_id, R"({"status": "inactive"})", UpdateMode::patch,
                                    principal);
  impl->changed(Kind::connection, connection_id);
}

asio::awaitable<std::vector<StreamSchema>> Resources::stream_schemas(std::string connection_id) {
  return resources::stream_schemas(impl_->store, std::move(connection_id));
}

asio::awaitable<void> Resources::put_stream_schema(std::string connection_id, StreamSchema schema) {
  return resources::put_stream_schema(impl_->store, std::move(connection_id), std::move(schema));
}

asio::awaitable<std::string> Resources::plan(std::string documents, bool prune) {
  auto repository = impl_->repository;
  co_return co_await plan_documents(repository, std::move(documents), prune);
}

asio::awaitable<std::string> Resources::apply(std::string documents, bool prune, Principal principal) {
  auto impl = impl_;
  std::exception_ptr error;
  std::string done;
  try {
    done = co_await apply_documents(impl->repository, std::move(documents), prune, std::move(principal));
  } catch (...) {
    error = std::current_exception();  // some of it may have been written
  }
  impl->changed(Kind::connection, "");
  if (error) std::rethrow_exception(error);
  co_return done;
}

void Resources::on_change(std::function<void(Kind kind, const std::string& id)> changed) {
  const std::lock_guard lock(impl_->mutex);
  impl_->on_change = std::move(changed);
}

asio::awaitable<std::string> Resources::export_all() {
  auto repository = impl_->repository;
  co_return co_await export_documents(repository);
}

}  // namespace millrace::resources
