// Sources, destinations and connections: immutable revisions, validated against their connector's spec, secrets apart.
//
// A resource's `spec` is the body of the API's POST in long form (ids, not names; fieldPath arrays). Secret values
// (fields marked airbyte_secret in the connector's spec) never stand in it: a stored spec holds {"_secret": "<id>"}
// there, the value lies encrypted under that id (libsodium secretbox), and readers get "**********". A job records the
// revisions it used; a step fills secrets in at the last moment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "connectors/registry.h"
#include "resources/stream_schemas.h"
#include "resources/stream_states.h"
#include "state/store.h"

namespace millrace::resources {

enum class Kind : std::uint8_t { source, destination, connection };
std::string_view to_string(Kind kind);                  // "source"
std::optional<Kind> parse_kind(std::string_view text);  // "source", "sources", "Source"

// Who did it: stored with each revision. From the token, or the local operator.
struct Principal {
  Principal() = default;
  explicit Principal(std::string n) : name(std::move(n)) {}
  std::string name = "admin";
};

struct Resource {
  Kind kind = Kind::source;
  std::string id;  // UUID
  std::string name;
  std::int64_t revision = 0;  // 1, 2, 3, ...
  std::string spec;           // JSON object, long form, secrets as references
  WallTime created;           // of revision 1
  WallTime updated;           // of this revision
  std::string principal;
};

// One fault of a body: where (JSON pointer) and what.
struct Fault {
  std::string pointer;
  std::string detail;
};
// Thrown with code resource.invalid: all faults at once.
class ValidationError;

struct Page {
  std::vector<Resource> items;  // by name
  std::string next;
};

enum class UpdateMode { patch, put };

// Encrypts and finds secrets. The key is made on first use (0600) at `key_file`. Thread-safe.
class SecretBox {
 public:
  // Throws secret.key_unusable if the file is there but is not a key or readable by others.
  static std::unique_ptr<SecretBox> open(const std::string& key_file);
  virtual ~SecretBox() = default;
  virtual std::string seal(const std::string& plain) = 0;
  virtual std::string open_sealed(const std::string& sealed) = 0;  // throws secret.unreadable
  virtual std::string keyed_hash(const std::string& plain) = 0;    // to tell that a secret changed, without it
};

struct NewStreams;

// Thread-safe. All writes are one conditional batch each: a concurrent change is told as resource.conflict.
class Resources {
 public:
  Resources(Runtime runtime, std::shared_ptr<state::Store> store, std::shared_ptr<const connectors::Registry> registry,
            std::unique_ptr<SecretBox> secrets);
  ~Resources();

  // `body` is the POST body (shorthands of the contract allowed: names for ids, `connector`, selectedFields as names).
  // Throws ValidationError, resource.name_taken, resource.unknown_reference. `request_id`: same key, same answer.
  asio::awaitable<Resource> create(Kind kind, std::string body, Principal principal, std::string request_id);
  // patch: fields left out stay (also secrets); put: the whole. "**********" keeps a secret. The name may change.
  asio::awaitable<Resource> update(Kind kind, std::string id, std::string body, UpdateMode mode, Principal principal);
  // Refused while a connection uses it (resource.in_use, with the names).
  asio::awaitable<void> remove(Kind kind, std::string id, Principal principal);

  // Throw resource.not_found.
  asio::awaitable<Resource> get(Kind kind, std::string id);
  asio::awaitable<Resource> get_by_name(Kind kind, std::string name);
  asio::awaitable<Resource> get_revision(Kind kind, std::string id, std::int64_t revision);
  asio::awaitable<std::vector<Resource>> revisions(Kind kind, std::string id);
  asio::awaitable<Page> list(Kind kind, std::size_t limit, std::string page);

  // The states of a connection's streams (resources/stream_states.h). put: a state of none is an empty one; throws
  // resource.not_found, resource.conflict.
  asio::awaitable<std::vector<StreamState>> stream_states(std::string connection_id);
  asio::awaitable<std::vector<StreamState>> stream_state_history(std::string connection_id,
                                                                 connectors::StreamName stream);
  asio::awaitable<StreamState> put_stream_state(std::string connection_id, StreamState state);

  // The fields of a connection's streams as their destination last took them (resources/stream_schemas.h).
  asio::awaitable<std::vector<StreamSchema>> stream_schemas(std::string connection_id);
  asio::awaitable<void> put_stream_schema(std::string connection_id, StreamSchema schema);
  // Makes a connection inactive, where it is not so already. `principal`: who did it, as its revision shows.
  asio::awaitable<void> deactivate(std::string connection_id, Principal principal);

  // The API's JSON of a resource: sourceId, name, definitionId, configuration (secrets masked), createdAt, ...
  std::string public_json(const Resource& resource) const;
  // A source's or destination's configuration with secrets filled in, for a connector. Never log it, never store it.
  asio::awaitable<std::string> configuration_with_secrets(Kind kind, std::string id, std::int64_t revision);
  // The connector behind a source or destination.
  const connectors::Connector& connector_of(const Resource& resource) const;
  const connectors::Registry& registry() const;

  // What is new among the streams that a job of the connection has discovered (known_streams.h). Under
  // disable_connection the connection is made inactive first. The same job gets the same answer again.
  asio::awaitable<NewStreams> new_streams(std::string connection_id, std::int64_t revision,
                                          std::vector<connectors::StreamName> discovered, std::int64_t job_id);

  // `changed` is called after a resource was made, changed or removed, with its id; with an empty id after an apply,
  // which may have changed any. It must be quick, and must not throw. Empty: nobody is told. One at a time.
  void on_change(std::function<void(Kind kind, const std::string& id)> changed);

  // Configuration as code: what `plan` and `apply` do with a list of resource documents (JSON array of {apiVersion,
  // kind, metadata, spec}). plan changes nothing. Answer: JSON {changes: [{action: create|update|delete|none, kind,
  // name, diff:
  // [{path, before, after}]}], destructive: bool}; secrets show as "(changed)".
  asio::awaitable<std::string> plan(std::string documents, bool prune);
  asio::awaitable<std::string> apply(std::string documents, bool prune, Principal principal);
  // The documents that would make what is here, long form, secrets masked.
  asio::awaitable<std::string> export_all();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::resources
