#include "resources/documents.h"

#include <set>

#include "common/errors.h"
#include "resources/diff.h"
#include "resources/json_body.h"

namespace millrace::resources {

using nlohmann::json;

namespace {

constexpr std::string_view kApiVersion = "millrace/v1";
constexpr std::string_view kNewId = "(new)";
constexpr Kind kOrder[] = {Kind::source, Kind::destination, Kind::connection};

struct Document {
  Document() = default;
  std::size_t index = 0;
  Kind kind = Kind::source;
  std::string name;
  json body;  // the specification, with the name
};

struct Change {
  Change() = default;
  std::string action;  // create, update, none, delete
  Kind kind = Kind::source;
  std::string name;
  std::string id;    // of what is there
  std::string body;  // for create and update
  json diff = json::array();
};

std::string title(Kind kind) {
  std::string text(to_string(kind));
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

// The long form names a connection's ends by the ids that they had where it was exported. Among the documents an id
// stands for the one whose metadata has it, whatever id it has here.
void name_ends(json& body, const std::map<std::pair<Kind, std::string>, std::string>& names_by_id) {
  for (auto end : {Kind::source, Kind::destination}) {
    const std::string field(to_string(end));
    const auto id = body.find(field + "Id");
    if (id == body.end() || !id->is_string() || body.contains(field)) continue;
    const auto name = names_by_id.find({end, id->get<std::string>()});
    if (name == names_by_id.end()) continue;
    body.erase(id);
    body[field] = name->second;
  }
}

std::vector<Document> parse_documents(const std::string& text, Faults& faults) {
  json list = parse_body(text, kMaxDocumentsBytes);
  refuse_references(list);
  std::vector<Document> out;
  if (!list.is_array()) {
    faults.add("", "must be an array of documents");
    return out;
  }
  std::set<std::pair<Kind, std::string>> seen;
  std::map<std::pair<Kind, std::string>, std::string> names_by_id;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = pointer_token(i);
    json& d = list[i];
    if (!d.is_object()) {
      faults.add(at, "must be an object with apiVersion, kind, metadata and spec");
      continue;
    }
    for (const auto& [field, _] : d.items())
      if (field != "apiVersion" && field != "kind" && field != "metadata" && field != "spec")
        faults.add(at + pointer_token(field), "is not a known field of a document");
    if (d.value("apiVersion", json()) != json(kApiVersion))
      faults.add(at + "/apiVersion", "must be " + std::string(kApiVersion) + instead_of(d.value("apiVersion", json())));
    Document document;
    document.index = i;
    const json kind = d.value("kind", json());
    const auto parsed = kind.is_string() ? parse_kind(kind.get<std::string>()) : std::nullopt;
    if (!parsed || kind.get<std::string>() != title(*parsed)) {
      faults.add(at + "/kind", "must be one of Source, Destination, Connection" + instead_of(kind));
      continue;
    }
    document.kind = *parsed;
    const json metadata = d.value("metadata", json());
    if (!metadata.is_object() || !metadata.contains("name")) {
      faults.add(at + "/metadata/name", "is required");
      continue;
    }
    for (const auto& [field, _] : metadata.items())
      if (field != "name" && field != "id")
        faults.add(at + "/metadata" + pointer_token(field), "is not a known field of metadata");
    const std::size_t before = faults.list().size();
    check_name(metadata["name"], at + "/metadata/name", faults);
    if (!d.contains("spec") || !d["spec"].is_object()) faults.add(at + "/spec", "must be an object");
    if (faults.list().size() > before) continue;
    document.name = metadata["name"];
    if (d["spec"].contains("name") && d["spec"]["name"] != metadata["name"])
      faults.add(at + "/spec/name", "differs from metadata.name: leave it out");
    if (metadata.contains("id")) {
      if (!metadata["id"].is_string())
        faults.add(at + "/metadata/id", "must be of type string");
      else
        names_by_id[{document.kind, metadata["id"].get<std::string>()}] = document.name;
    }
    if (!seen.insert({document.kind, document.name}).second)
      faults.add(at + "/metadata/name",
                 "there is another " + title(document.kind) + " named \"" + document.name + "\" before it");
    document.body = std::move(d["spec"]);
    document.body["name"] = document.name;
    out.push_back(std::move(document));
  }
  for (auto& document : out)
    if (document.kind == Kind::connection) name_ends(document.body, names_by_id);
  return out;
}

// For people a connection's ends are their names.
asio::awaitable<json> with_names(std::shared_ptr<Repository> repository, json spec,
                                 std::shared_ptr<const PlannedReferences> planned) {
  for (auto end : {Kind::source, Kind::destination}) {
    const std::string field(to_string(end));
    const auto it = spec.find(field + "Id");
    if (it == spec.end()) continue;
    const std::string id = it->get<std::string>();
    std::string name = id;
    for (const auto& [key, reference] : *planned)
      if (key.first == end && reference.id == id) name = key.second;
    if (name == id) {
      const auto found = co_await repository->find(end, id);
      if (found) name = found->resource.name;
    }
    spec.erase(field + "Id");
    spec[field] = name;
  }
  spec.erase("name");
  co_return spec;
}

struct Planning {
  Planning() = default;
  std::vector<Document> documents;
  std::shared_ptr<PlannedReferences> planned = std::make_shared<PlannedReferences>();
  std::shared_ptr<Faults> faults = std::make_shared<Faults>();
  std::shared_ptr<Faults> unknown = std::make_shared<Faults>();
};

asio::awaitable<Change> plan_one(std::shared_ptr<Repository> repository, Document document, Planning planning) {
  Change change;
  change.kind = document.kind;
  change.name = document.name;
  auto faults = std::make_shared<Faults>();
  auto unknown = std::make_shared<Faults>();
  auto current = co_await repository->find_by_name(document.kind, document.name);
  if (current) current = with_name_in_spec(std::move(*current));
  auto prepared = co_await repository->prepare(document.kind, document.body, current, UpdateMode::put, planning.planned,
                                               faults, unknown);
  const std::string at = pointer_token(document.index) + "/spec";
  planning.faults->add_all(at, faults->list());
  planning.unknown->add_all(at, unknown->list());
  const std::string id = current ? current->resource.id : std::string(kNewId) + " " + document.name;
  change.id = current ? current->resource.id : "";
  Reference reference;
  reference.id = id;
  if (document.kind != Kind::connection && prepared.plain.contains("definitionId"))
    reference.connector = repository->registry().by_definition_id(prepared.plain["definitionId"].get<std::string>());
  (*planning.planned)[{document.kind, document.name}] = reference;
  if (!faults->empty() || !unknown->empty()) co_return change;

  json before = json::object();
  if (current) before = co_await with_names(repository, json::parse(current->resource.spec), planning.planned);
  const json after = co_await with_names(repository, prepared.stored, planning.planned);
  change.diff = diff_specs(before, after);
  change.action = !current ? "create" : change.diff.empty() ? "none" : "update";
  change.body = document.body.dump(-1, ' ', false, json::error_handler_t::replace);
  co_return change;
}

// A connection in the documents must not lose its source or destination to the prune.
asio::awaitable<void> check_prune(std::shared_ptr<Repository> repository, Planning planning) {
  for (const auto& document : planning.documents) {
    if (document.kind != Kind::connection) continue;
    for (auto end : {Kind::source, Kind::destination}) {
      Faults told_already;
      const auto name = reference_name(end, document.body, told_already);
      if (!name) continue;
      std::string end_name = name->text;
      if (name->by_id) {
        const auto found = co_await repository->find(end, name->text);
        if (found) end_name = found->resource.name;
      }
      if (!planning.planned->contains({end, end_name}))
        planning.faults->add(
            pointer_token(document.index) + "/spec" + name->pointer,
            "the " + std::string(to_string(end)) + " \"" + end_name + "\" is in no document and would be removed");
    }
  }
}

// What is here and in no document, connections first.
asio::awaitable<std::vector<Change>> plan_prune(std::shared_ptr<Repository> repository, Planning planning) {
  std::vector<Change> out;
  for (auto kind : {Kind::connection, Kind::destination, Kind::source}) {
    const auto all = co_await repository->all(kind);
    for (const auto& r : all) {
      if (planning.planned->contains({kind, r.name})) continue;
      Change change;
      change.action = "delete";
      change.kind = kind;
      change.name = r.name;
      change.id = r.id;
      const json before = co_await with_names(repository, json::parse(r.spec), planning.planned);
      change.diff = diff_specs(before, json::object());
      out.push_back(std::move(change));
    }
  }
  co_return out;
}

asio::awaitable<std::vector<Change>> plan_changes(std::shared_ptr<Repository> repository, std::string text,
                                                  bool prune) {
  Planning planning;
  planning.documents = parse_documents(text, *planning.faults);
  std::vector<Change> changes;
  for (auto kind : kOrder)
    for (const auto& document : planning.documents)
      if (document.kind == kind) {
        auto change = co_await plan_one(repository, document, planning);
        changes.push_back(std::move(change));
      }
  if (prune) co_await check_prune(repository, planning);
  throw_faults(*planning.faults, *planning.unknown);
  if (prune) {
    auto gone = co_await plan_prune(repository, planning);
    for (auto& change : gone) changes.push_back(std::move(change));
  }
  co_return changes;
}

json changes_json(const std::vector<Change>& changes) {
  json out = {{"changes", json::array()}, {"destructive", false}};
  for (const auto& c : changes) {
    out["changes"].push_back({{"action", c.action}, {"kind", title(c.kind)}, {"name", c.name}, {"diff", c.diff}});
    if (c.action == "delete") out["destructive"] = true;
  }
  return out;
}

// A document's references by name are looked up anew when it is stored, since they may be new themselves.
asio::awaitable<void> do_change(std::shared_ptr<Repository> repository, Change change, Principal principal) {
  if (change.action == "create") {
    co_await repository->create(change.kind, change.body, principal, "");
  } else if (change.action == "update") {
    co_await repository->update(change.kind, change.id, change.body, UpdateMode::put, principal);
  } else if (change.action == "delete") {
    co_await repository->remove(change.kind, change.id);
  }
}

}  // namespace

asio::awaitable<std::string> plan_documents(std::shared_ptr<Repository> repository, std::string documents, bool prune) {
  const auto changes = co_await plan_changes(repository, std::move(documents), prune);
  co_return changes_json(changes).dump();
}

asio::awaitable<std::string> apply_documents(std::shared_ptr<Repository> repository, std::string documents, bool prune,
                                             Principal principal) {
  const auto changes = co_await plan_changes(repository, std::move(documents), prune);
  std::string done;
  for (const auto& change : changes) {
    if (change.action == "none") continue;
    std::string error;
    try {
      co_await do_change(repository, change, principal);
    } catch (const Error& e) {
      if (done.empty()) throw;  // nothing was done: the fault speaks for itself
      error = e.what();
    }
    const std::string what = change.action + " " + title(change.kind) + " \"" + change.name + "\"";
    if (!error.empty())
      throw Error("resource.apply_incomplete", what + " failed (" + error + "); done before it: " + done);
    done += (done.empty() ? "" : ", ") + what;
  }
  co_return changes_json(changes).dump();
}

asio::awaitable<std::string> export_documents(std::shared_ptr<Repository> repository) {
  json out = json::array();
  for (auto kind : kOrder) {
    const auto all = co_await repository->all(kind);
    for (const auto& r : all) {
      json spec = json::parse(r.spec);
      spec.erase("name");
      for_each_reference(spec, [](json& reference) { reference = kMask; });
      out.push_back({{"apiVersion", kApiVersion},
                     {"kind", title(kind)},
                     {"metadata", {{"name", r.name}, {"id", r.id}}},
                     {"spec", spec}});
    }
  }
  co_return out.dump();
}

}  // namespace millrace::resources
