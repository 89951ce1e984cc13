// get, describe, delete, enable, disable, spec, check, discover.
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

// "source", "sources", "Source" -> "sources". Throws with exit code 2.
std::string kind_of(const std::string& text) {
  std::string kind = text;
  for (char& c : kind) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (!kind.ends_with('s')) kind += 's';
  if (kind == "sources" || kind == "destinations" || kind == "connections" || kind == "connectors" || kind == "jobs")
    return kind;
  throw CommandError(kUsage, "'" + text + "' is no kind of resource", "",
                     "The kinds are sources, destinations, connections, connectors and jobs.", "cli.usage");
}

const char* id_field(const std::string& kind) {
  if (kind == "sources") return "sourceId";
  if (kind == "destinations") return "destinationId";
  if (kind == "jobs") return "jobId";
  return kind == "connections" ? "connectionId" : "definitionId";
}

std::string schedule_text(const Json& item) {
  const auto it = item.find("schedule");
  if (it == item.end() || !it->is_object()) return {};
  std::string text = plain(*it, "scheduleType");
  for (const char* name : {"cronExpression", "basicTiming"}) {
    const std::string more = plain(*it, name);
    if (!more.empty()) text += " " + more;
  }
  return text;
}

std::vector<Column> columns_of(const std::string& kind) {
  std::vector<Column> columns = {field("NAME", "name")};
  if (kind == "sources" || kind == "destinations") {
    columns.push_back(field("CONNECTOR", kind == "sources" ? "sourceType" : "destinationType"));
    for (const char* f : {"host", "database", "schema"}) {
      std::string header = f;
      for (char& c : header) c = static_cast<char>(c - 32);
      columns.push_back(field(header, std::string("/configuration/") + f, true));
    }
  } else if (kind == "connections") {
    columns.push_back(field("STATUS", "status"));
    columns.emplace_back("SCHEDULE", schedule_text);
    columns.push_back(field("SOURCE", "sourceId", true));
    columns.push_back(field("DESTINATION", "destinationId", true));
  } else {
    columns.push_back(field("TITLE", "title"));
    columns.push_back(field("SOURCE", "source"));
    columns.push_back(field("DESTINATION", "destination"));
  }
  columns.push_back(field("ID", id_field(kind)));
  return columns;
}

asio::awaitable<Json> find_any(Context& context, std::string kind, std::string name) {
  if (kind == "connectors") co_return co_await context.client().get("/v1/connectors/" + url_encode(name) + "/spec");
  if (kind == "jobs") co_return co_await context.client().get("/v1/jobs/" + url_encode(name));
  co_return co_await context.client().find(kind, name);
}

asio::awaitable<int> get(Context& context, std::string kind_text, std::string name) {
  const std::string kind = kind_of(kind_text);
  const std::string form = context.globals.output;
  const auto name_of = [](const Json& item) { return plain(item, "name"); };
  std::vector<Json> items;
  if (!name.empty()) {
    Json one = co_await find_any(context, kind, name);
    if (form == "json" || form == "yaml") {
      print_object(one, name, form);
      co_return kOk;
    }
    items.push_back(std::move(one));
  } else {
    items = co_await context.client().all("/v1/" + kind);
  }
  if (kind == "jobs") {
    print_list(
        items,
        {field("JOB", "jobId"), field("TYPE", "jobType"), field("STATUS", "status"), field("STARTED", "startTime")},
        [](const Json& item) { return plain(item, "jobId"); }, form);
  } else {
    print_list(items, columns_of(kind), name_of, form);
  }
  co_return kOk;
}

asio::awaitable<int> describe(Context& context, std::string kind_text, std::string name) {
  const std::string kind = kind_of(kind_text);
  const Json one = co_await find_any(context, kind, name);
  print_object(one, name, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> remove(Context& context, std::string kind_text, std::string name) {
  const std::string kind = kind_of(kind_text);
  if (kind == "connectors" || kind == "jobs")
    throw CommandError(kUsage, kind + " can't be deleted", "", "", "cli.usage");
  const Json one = co_await context.client().find(kind, name);
  std::string what = "This deletes the " + kind.substr(0, kind.size() - 1) + " '" + plain(one, "name") + "'.";
  if (kind == "connections") what += " Tables at the destination stay.";
  context.need_consent(what);
  co_await context.client().remove("/v1/" + kind + "/" + plain(one, id_field(kind)));
  std::cout << "deleted " << kind.substr(0, kind.size() - 1) << " " << plain(one, "name") << '\n';
  co_return kOk;
}

asio::awaitable<int> set_status(Context& context, std::string name, std::string status) {
  const Json one = co_await context.client().find("connections", name);
  const Json body = Json::object({{"status", status}});
  const Json changed = co_await context.client().patch("/v1/connections/" + plain(one, "connectionId"), body.dump());
  if (!context.globals.output.empty() && context.globals.output != "table") {
    print_object(changed, name, context.globals.output);
  } else {
    std::cout << plain(changed, "name") << " is " << plain(changed, "status") << '\n';
  }
  co_return kOk;
}

asio::awaitable<int> spec(Context& context, std::string connector) {
  const Json answer = co_await context.client().post("/v1/connectors/" + url_encode(connector) + "/spec", "");
  print_object(answer, connector, context.globals.output.empty() ? "json" : context.globals.output);
  co_return kOk;
}

// Finds sources and destinations of that name. Throws 404.
asio::awaitable<std::vector<std::pair<std::string, Json>>> find_ends(Context& context, std::string name,
                                                                     std::string kind) {
  std::vector<std::pair<std::string, Json>> found;
  for (const char* one : {"sources", "destinations"}) {
    if (!kind.empty() && kind_of(kind) != one) continue;
    const Json page = co_await context.client().get(std::string("/v1/") + one + "?name=" + url_encode(name));
    for (const Json& item : page.at("data")) found.emplace_back(one, item);
  }
  if (found.empty()) {
    throw CommandError(kNotFound, "no such source or destination", "nothing is named '" + name + "'",
                       "List what there is with millrace get sources and millrace get destinations.",
                       "resource.not_found");
  }
  co_return found;
}

asio::awaitable<int> check(Context& context, std::string name, std::string kind) {
  int code = kOk;
  const auto found = co_await find_ends(context, name, kind);
  for (const auto& [plural, item] : found) {
    const std::string noun = plural.substr(0, plural.size() - 1);
    const std::string path = "/v1/" + plural + "/" + plain(item, id_field(plural)) + "/check";
    const Json answer = co_await context.client().post(path, "");
    const std::string status = plain(answer, "status");
    if (!context.globals.output.empty() && context.globals.output != "table") {
      print_object(answer, name, context.globals.output);
    } else {
      std::cout << noun << " " << name << ": " << status << " (job " << plain(answer, "jobId") << ")\n" << std::flush;
    }
    if (status == "succeeded") continue;
    print_error(noun + " " + name + " can't be used", plain(answer, "message"), plain(answer, "remedy"),
                plain(answer, "code"));
    code = kFailed;
  }
  co_return code;
}

std::string keys_text(const Json& keys) {
  std::string out;
  if (!keys.is_array()) return out;
  for (const Json& key : keys) {
    if (!out.empty()) out += ", ";
    out += key.is_array() && !key.empty() ? plain(key[0]) : plain(key);
  }
  return out;
}

// Airbyte's catalog: streams[] of {name, namespace, jsonSchema, ...}, each perhaps within {stream, config}.
const Json& inner_stream(const Json& entry) {
  const auto it = entry.find("stream");
  return it != entry.end() && it->is_object() ? *it : entry;
}

asio::awaitable<int> discover(Context& context, std::string name) {
  const Json source = co_await context.client().find("sources", name);
  const Json answer = co_await context.client().post("/v1/sources/" + plain(source, "sourceId") + "/discover", "");
  const std::string form = context.globals.output;
  if (form == "json" || form == "yaml" || form == "jsonl") {
    print_object(answer, name, form);
    co_return kOk;
  }
  if (!answer.contains("catalog")) {
    print_error("discover failed", plain(answer, "message"), plain(answer, "remedy"), plain(answer, "code"));
    co_return kFailed;
  }
  std::vector<Json> streams;
  for (const Json& entry : answer.at("catalog").value("streams", Json::array())) streams.push_back(inner_stream(entry));
  const std::vector<Column> columns = {
      field("NAMESPACE", "namespace"), field("STREAM", "name"),
      Column("FIELDS",
             [](const Json& s) {
               for (const char* schema : {"jsonSchema", "json_schema"}) {
                 if (s.contains(schema) && s[schema].contains("properties"))
                   return std::to_string(s[schema]["properties"].size());
               }
               return std::string();
             }),
      Column("PRIMARY KEY", [](const Json& s) {
        for (const char* key : {"sourceDefinedPrimaryKey", "source_defined_primary_key", "primaryKey"}) {
          if (s.contains(key)) return keys_text(s[key]);
        }
        return std::string();
      })};
  print_list(
      streams, columns,
      [](const Json& s) {
        return (plain(s, "namespace").empty() ? "" : plain(s, "namespace") + ".") + plain(s, "name");
      },
      form);
  if (form.empty() || form == "table" || form == "wide")
    std::cerr << streams.size() << " streams (job " << plain(answer, "jobId") << ")\n";
  co_return kOk;
}

struct Words {
  Words() = default;
  std::string kind, name, only_kind;
};

}  // namespace

void add_resource_commands(Tree& tree) {
  const auto command = [&tree](const char* name, const char* description) {
    return tree.root.add_subcommand(name, description);
  };

  auto words = std::make_shared<Words>();
  CLI::App* sub = command("get", "Show resources: sources, destinations, connections, connectors, jobs");
  sub->add_option("kind", words->kind, "sources | destinations | connections | connectors | jobs")->required();
  sub->add_option("name", words->name, "only this one");
  sub->callback([&tree, words] { tree.action = [words](Context& c) { return get(c, words->kind, words->name); }; });

  words = std::make_shared<Words>();
  sub = command("describe", "Show everything about one resource");
  sub->add_option("kind", words->kind, "source | destination | connection | connector | job")->required();
  sub->add_option("name", words->name, "its name")->required();
  sub->callback(
      [&tree, words] { tree.action = [words](Context& c) { return describe(c, words->kind, words->name); }; });

  words = std::make_shared<Words>();
  sub = command("delete", "Delete a resource; asks first");
  sub->add_option("kind", words->kind, "source | destination | connection")->required();
  sub->add_option("name", words->name, "its name")->required();
  sub->callback([&tree, words] { tree.action = [words](Context& c) { return remove(c, words->kind, words->name); }; });

  for (const bool enable : {true, false}) {
    words = std::make_shared<Words>();
    sub = command(enable ? "enable" : "disable",
                  enable ? "Make a connection active" : "Make a connection inactive: nothing fires");
    sub->add_option("connection", words->name, "its name")->required();
    const std::string status = enable ? "active" : "inactive";
    sub->callback([&tree, words, status] {
      tree.action = [words, status](Context& c) { return set_status(c, words->name, status); };
    });
  }

  words = std::make_shared<Words>();
  sub = command("spec", "Show the configuration of a connector, as JSON Schema (a durable job)");
  sub->add_option("connector", words->name, "its name, such as postgres")->required();
  sub->callback([&tree, words] { tree.action = [words](Context& c) { return spec(c, words->name); }; });

  words = std::make_shared<Words>();
  sub = command("check", "Check that a source or destination can be reached and used (a durable job)");
  sub->add_option("name", words->name, "name of a source or destination")->required();
  add_flag_value(sub, "--kind", words->only_kind, "source | destination, where both have that name");
  sub->callback(
      [&tree, words] { tree.action = [words](Context& c) { return check(c, words->name, words->only_kind); }; });

  words = std::make_shared<Words>();
  sub = command("discover", "Find the streams of a source (a durable job)");
  sub->add_option("name", words->name, "name of a source")->required();
  sub->callback([&tree, words] { tree.action = [words](Context& c) { return discover(c, words->name); }; });
}

}  // namespace millrace::cli
