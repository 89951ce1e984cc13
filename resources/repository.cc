#include "resources/repository.h"

#include "common/errors.h"
#include "resources/config_schema.h"
#include "resources/json_body.h"
#include "state/keys.h"

namespace millrace::resources {

using nlohmann::json;
namespace keys = state::keys;

namespace {

constexpr std::size_t kMaxPage = 10'000;

std::string to_hex(const std::string& text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char c : text) {
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

std::string from_hex(const std::string& hex) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) break;
    out += static_cast<char>(high * 16 + low);
  }
  if (out.size() * 2 != hex.size()) {
    Faults faults;
    faults.add("/page", "is not a page that this server gave");
    faults.throw_if_any();
  }
  return out;
}

}  // namespace

std::string use_kind(Kind kind) { return std::string(to_string(kind)) + "_use"; }

StoredResource with_name_in_spec(StoredResource stored) {
  json spec = json::parse(stored.resource.spec);
  spec["name"] = stored.resource.name;
  stored.resource.spec = spec.dump();
  return stored;
}

json parse_resource_body(const std::string& text) {
  auto body = parse_body(text, kMaxBodyBytes);
  if (!body.is_object()) {
    Faults faults;
    faults.add("", "must be a JSON object");
    faults.throw_if_any();
  }
  refuse_references(body);
  return body;
}

void throw_faults(const Faults& faults, const Faults& unknown) {
  if (faults.empty() && !unknown.empty()) throw ValidationError(unknown.list(), "resource.unknown_reference");
  Faults all = faults;
  all.add_all("", unknown.list());
  all.throw_if_any();
}

Repository::Repository(Runtime runtime, std::shared_ptr<state::Store> store,
                       std::shared_ptr<const connectors::Registry> registry, std::unique_ptr<SecretBox> secrets)
    : runtime_(std::move(runtime)),
      store_(std::move(store)),
      registry_(std::move(registry)),
      secrets_(std::move(secrets)) {}

asio::awaitable<std::optional<StoredResource>> Repository::find(Kind kind, std::string id) {
  std::optional<StoredResource> out;
  auto row = co_await store_->get(keys::resource(to_string(kind), id));
  if (!row) co_return out;
  out.emplace();
  out->resource = decode_resource(*row);
  out->row = std::move(*row);
  co_return out;
}

asio::awaitable<std::optional<StoredResource>> Repository::find_by_name(Kind kind, std::string name) {
  std::optional<StoredResource> out;
  const auto id = co_await store_->get(keys::resource_name(to_string(kind), name));
  if (id) out = co_await find(kind, *id);
  co_return out;
}

asio::awaitable<StoredResource> Repository::need(Kind kind, std::string id) {
  auto found = co_await find(kind, id);
  if (!found) throw Error("resource.not_found", "there is no " + std::string(to_string(kind)) + " with the id " + id);
  co_return std::move(*found);
}

asio::awaitable<std::optional<Resource>> Repository::find_revision(Kind kind, std::string id, std::int64_t revision) {
  std::optional<Resource> out;
  const auto row = co_await store_->get(keys::revision(to_string(kind), id, static_cast<std::uint64_t>(revision)));
  if (row) out = decode_resource(*row);
  co_return out;
}

asio::awaitable<std::vector<Resource>> Repository::revisions(Kind kind, std::string id) {
  std::vector<Resource> out;
  auto range = state::prefix_range(keys::revision_prefix(to_string(kind), id));
  for (;;) {
    const auto rows = co_await store_->scan(range);
    if (rows.empty()) break;
    for (const auto& row : rows) out.push_back(decode_resource(row.value));
    range.begin = rows.back().key + '\0';
  }
  co_return out;
}

asio::awaitable<Page> Repository::list(Kind kind, std::size_t limit, std::string page) {
  limit = std::clamp<std::size_t>(limit, 1, kMaxPage);
  auto range = state::prefix_range(keys::resource_name_prefix(to_string(kind)));
  if (!page.empty()) range.begin = keys::resource_name(to_string(kind), from_hex(page)) + '\0';
  range.limit = limit + 1;
  Page out;
  const auto rows = co_await store_->scan(range);
  for (const auto& row : rows) {
    if (out.items.size() == limit) {
      out.next = to_hex(out.items.back().name);
      break;
    }
    auto found = co_await find(kind, row.value);
    if (found) out.items.push_back(std::move(found->resource));  // else removed in between
  }
  co_return out;
}

asio::awaitable<std::vector<Resource>> Repository::all(Kind kind) {
  std::vector<Resource> out;
  std::string page;
  do {
    auto some = co_await list(kind, 1'000, page);
    for (auto& r : some.items) out.push_back(std::move(r));
    page = some.next;
  } while (!page.empty());
  co_return out;
}

asio::awaitable<json> Repository::fill_secrets(json spec) {
  std::map<std::string, json> plain;
  for_each_reference(spec, [&](json& reference) { plain[reference[kSecretId].get<std::string>()]; });
  for (auto& [id, value] : plain) {
    const auto sealed = co_await store_->get(keys::secret(id));
    if (!sealed) throw Error("secret.unreadable", "the value of a secret is missing in the store");
    value = json::parse(secrets_->open_sealed(*sealed));
  }
  for_each_reference(spec, [&](json& reference) {
    json value = plain[reference[kSecretId].get<std::string>()];
    reference = std::move(value);
  });
  co_return spec;
}

asio::awaitable<std::optional<Reference>> Repository::resolve(Kind kind, std::optional<ReferenceName> name,
                                                              std::shared_ptr<const PlannedReferences> planned,
                                                              std::shared_ptr<Faults> unknown) {
  std::optional<Reference> out;
  if (!name) co_return out;
  if (planned && !name->by_id) {
    const auto it = planned->find({kind, name->text});
    if (it != planned->end()) {
      if (it->second.connector) out = it->second;
      co_return out;
    }
  }
  std::optional<StoredResource> found;
  if (name->by_id)
    found = co_await find(kind, name->text);
  else
    found = co_await find_by_name(kind, name->text);
  if (!found) {
    unknown->add(name->pointer, "there is no " + std::string(to_string(kind)) + " \"" + name->text + "\"");
    co_return out;
  }
  const auto spec = json::parse(found->resource.spec);
  const auto* connector = registry_->by_definition_id(spec.value("definitionId", ""));
  if (!connector) {
    unknown->add(name->pointer, "the connector of \"" + found->resource.name + "\" is not in this build");
    co_return out;
  }
  out.emplace();
  out->id = found->resource.id;
  out->connector = connector;
  co_return out;
}

json Repository::seal(Kind kind, const json& plain, const json& current, PreparedBody& out) {
  json stored = plain;
  if (kind == Kind::connection || !stored.contains("configuration")) return stored;
  const auto* connector = registry_->by_definition_id(stored.value("definitionId", ""));
  const json schema = json::parse(kind == Kind::source ? connector->source_spec : connector->destination_spec);
  Faults told_already;
  const json fit = specialise(schema, stored["configuration"], told_already);
  const auto had = references_by_hash(current);
  for_each_secret(fit, stored["configuration"], [&](json& secret, const std::string&) {
    const std::string text = secret.dump(-1, ' ', false, json::error_handler_t::replace);
    const std::string hash = secrets_->keyed_hash(text);
    if (const auto it = had.find(hash); it != had.end()) {
      secret = it->second;
      return;
    }
    const std::string id = runtime_.uuid();
    out.new_secrets.emplace_back(id, secrets_->seal(text));
    secret = json::object();
    secret[kSecretId] = id;
    secret[kSecretHash] = hash;
  });
  return stored;
}

asio::awaitable<PreparedBody> Repository::prepare(Kind kind, json body, std::optional<StoredResource> current,
                                                  UpdateMode mode, std::shared_ptr<const PlannedReferences> planned,
                                                  std::shared_ptr<Faults> faults, std::shared_ptr<Faults> unknown) {
  PreparedBody out;
  json stored_spec;
  json plain_spec;
  CurrentBody had;
  had.mode = mode;
  if (current) {
    stored_spec = json::parse(current->resource.spec);
    plain_spec = co_await fill_secrets(stored_spec);
    had.spec = &plain_spec;
  }
  const std::size_t before = faults->list().size() + unknown->list().size();
  if (kind == Kind::connection) {
    if (!check_strings(body, "", *faults)) co_return out;
    auto source_name = reference_name(Kind::source, body, *faults);
    auto destination_name = reference_name(Kind::destination, body, *faults);
    const auto what_stays = [&](std::optional<ReferenceName>& name, const char* field) {
      if (name || body.contains(std::string(field)) ||
          body.contains(std::string(field).substr(0, std::string(field).size() - 2)))
        return;
      if (had.spec && mode == UpdateMode::patch) {
        name.emplace();
        name->text = had.spec->value(field, "");
        name->by_id = true;
        name->pointer = std::string("/") + field;
      } else {
        faults->add(std::string("/") + field, "is required");
      }
    };
    what_stays(source_name, "sourceId");
    what_stays(destination_name, "destinationId");
    const auto source = co_await resolve(Kind::source, source_name, planned, unknown);
    const auto destination = co_await resolve(Kind::destination, destination_name, planned, unknown);
    out.plain = normalise_connection_body(body, had, source, destination, *faults);
  } else {
    out.plain = normalise_connector_body(kind, body, had, *registry_, *faults);
  }
  if (faults->list().size() + unknown->list().size() > before) co_return out;
  out.stored = seal(kind, out.plain, stored_spec, out);
  co_return out;
}

}  // namespace millrace::resources
