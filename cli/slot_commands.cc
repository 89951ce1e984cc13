// slot list|show: the replication slots of the sources that follow a log.
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

struct SlotOptions {
  SlotOptions() = default;
  std::string name;
};
using OptionsPtr = std::shared_ptr<SlotOptions>;

// What an operator asks first: is it read, is it in danger.
std::string condition(const Json& s) {
  if (s.contains("error")) return "unreachable";
  if (!s.value("exists", false)) return "missing";
  if (!plain(s, "invalidationReason").empty()) return "invalidated";
  if (plain(s, "walStatus") == "lost") return "lost";
  return s.value("active", false) ? "read" : "idle";
}

std::string bytes_of(const Json& s, const char* name) {
  if (!s.contains(name) || !s[name].is_number()) return "-";
  auto n = s[name].get<double>();
  const char* unit = "B";
  for (const char* next : {"KiB", "MiB", "GiB", "TiB"}) {
    if (n < 1024) break;
    n /= 1024;
    unit = next;
  }
  std::string digits = std::to_string(n);
  digits.resize(digits.find('.') + (unit[0] == 'B' ? 0 : 2));
  return digits + " " + unit;
}

asio::awaitable<int> list(Context& context) {
  const std::vector<Json> slots = co_await context.client().all("/v1/slots");
  print_list(
      slots,
      {field("SLOT", "slot"), field("SOURCE", "sourceName"), Column("STATUS", condition),
       Column("RETAINED", [](const Json& s) { return bytes_of(s, "retainedBytes"); }),
       Column("SAFE", [](const Json& s) { return bytes_of(s, "safeBytes"); }),
       Column("LAG", [](const Json& s) { return bytes_of(s, "lagBytes"); }), field("CONFIRMED", "confirmedLsn"),
       field("WAL", "walStatus"), field("PUBLICATION", "publication", true), field("DATABASE", "database", true)},
      [](const Json& s) { return plain(s, "slot"); }, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> show(Context& context, OptionsPtr o) {
  const Json one = co_await context.client().get("/v1/slots/" + url_encode(o->name));
  print_object(one, o->name, context.globals.output);
  co_return kOk;
}

}  // namespace

void add_slot_commands(Tree& tree) {
  CLI::App* slot = tree.root.add_subcommand("slot", "Replication slots: what the sources keep for them");
  slot->require_subcommand(1);
  CLI::App* sub = slot->add_subcommand("list", "List the slots of all sources that follow a log");
  sub->callback([&tree] { tree.action = [](Context& c) { return list(c); }; });
  auto o = std::make_shared<SlotOptions>();
  sub = slot->add_subcommand("show", "Show all that is known of one slot");
  sub->add_option("slot", o->name, "its name")->required();
  sub->callback([&tree, o] { tree.action = [o](Context& c) { return show(c, o); }; });
}

}  // namespace millrace::cli
