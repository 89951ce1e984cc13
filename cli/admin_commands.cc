// version, openapi, token, completion.
#include <iostream>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/completion.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

struct TokenOptions {
  TokenOptions() = default;
  std::string name, scope = "admin", expires, id;
};

asio::awaitable<int> version(Context& context) {
  Json out = Json::object();
  out["name"] = "millrace";
  out["version"] = MILLRACE_VERSION;
  if (context.globals.output.empty() || context.globals.output == "table") {
    std::cout << "millrace " MILLRACE_VERSION "\n";
  } else {
    print_object(out, MILLRACE_VERSION, context.globals.output);
  }
  co_return kOk;
}

asio::awaitable<int> openapi(Context& context) {
  const Json document = co_await context.client().get("/openapi.json");
  print_object(document, "openapi", context.globals.output.empty() ? "json" : context.globals.output);
  co_return kOk;
}

asio::awaitable<int> token_create(Context& context, std::shared_ptr<TokenOptions> options) {
  Json body = Json::object();
  body["name"] = options->name;
  body["scope"] = options->scope;
  if (!options->expires.empty()) body["expiresAt"] = options->expires;
  const Json made = co_await context.client().post("/v1/tokens", body.dump());
  if (context.globals.output.empty() || context.globals.output == "table") {
    std::cout << plain(made, "token") << '\n';
    std::cerr << "This is shown once; only its hash is kept. Id: " << plain(made, "tokenId") << '\n';
  } else {
    print_object(made, plain(made, "token"), context.globals.output);
  }
  co_return kOk;
}

// The server's own address is what a browser on this host opens.
asio::awaitable<int> token_link(Context& context) {
  const Json made = co_await context.client().post("/v1/login-codes", "{}");
  std::cout << context.client().server() << plain(made, "path") << '\n';
  std::cerr << "It logs in once, and works for a day.\n";
  co_return kOk;
}

asio::awaitable<int> token_list(Context& context) {
  const std::vector<Json> tokens = co_await context.client().all("/v1/tokens");
  print_list(
      tokens,
      {field("NAME", "name"), field("SCOPE", "scope"), field("CREATED", "createdAt"), field("EXPIRES", "expiresAt"),
       field("ID", "tokenId")},
      [](const Json& t) { return plain(t, "tokenId"); }, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> token_revoke(Context& context, std::shared_ptr<TokenOptions> options) {
  context.need_consent("This revokes the token " + options->id + "; whoever uses it is refused from now on.");
  co_await context.client().remove("/v1/tokens/" + api::client::url_encode(options->id));
  std::cout << "revoked " << options->id << '\n';
  co_return kOk;
}

}  // namespace

void add_admin_commands(Tree& tree) {
  CLI::App* sub = tree.root.add_subcommand("version", "Show the version");
  sub->callback([&tree] { tree.action = [](Context& c) { return version(c); }; });

  sub = tree.root.add_subcommand("openapi", "Show the HTTP interface as OpenAPI 3.1");
  sub->callback([&tree] { tree.action = [](Context& c) { return openapi(c); }; });

  CLI::App* token = tree.root.add_subcommand("token", "Tokens of the HTTP interface: create, link, list, revoke");
  token->require_subcommand(1);
  auto options = std::make_shared<TokenOptions>();
  sub = token->add_subcommand("create", "Make a token and show it, this once");
  sub->add_option("name", options->name, "what it is for")->required();
  add_flag_value(sub, "--scope", options->scope, "admin (default) | read | metrics | worker")
      ->check(CLI::IsMember({"admin", "read", "metrics"}));
  add_flag_value(sub, "--expires", options->expires, "a time such as 2030-01-31T12:00:00Z; never by default");
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return token_create(c, options); }; });
  sub = token->add_subcommand("link", "Make a link that logs a browser into the web UI, once");
  sub->callback([&tree] { tree.action = [](Context& c) { return token_link(c); }; });
  sub = token->add_subcommand("list", "List tokens");
  sub->callback([&tree] { tree.action = [](Context& c) { return token_list(c); }; });
  options = std::make_shared<TokenOptions>();
  sub = token->add_subcommand("revoke", "Revoke a token; asks first");
  sub->add_option("id", options->id, "its id")->required();
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return token_revoke(c, options); }; });

  auto shell = std::make_shared<std::string>();
  sub = tree.root.add_subcommand("completion", "Write a completion script: source <(millrace completion bash)");
  sub->add_option("shell", *shell, "bash | zsh | fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  sub->callback([&tree, shell] {
    tree.action = [shell, &tree](Context&) -> asio::awaitable<int> {
      std::cout << completion_script(tree.root, *shell);
      co_return kOk;
    };
  });
}

}  // namespace millrace::cli
