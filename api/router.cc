#include "api/router.h"

#include "common/check.h"

namespace millrace::api {

struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>> literals;
  std::unique_ptr<Node> parameter;
  std::string parameter_name;
  bool parameter_is_int = false;
  std::map<std::string, const Route*> methods;

  // Depth first: a literal that leads nowhere gives way to the parameter.
  const Node* walk(const std::vector<std::string>& segments, std::size_t at,
                   std::map<std::string, std::string>& values) const {
    if (at == segments.size()) return methods.empty() ? nullptr : this;
    if (const auto it = literals.find(segments[at]); it != literals.end()) {
      if (const Node* found = it->second->walk(segments, at + 1, values)) return found;
    }
    if (!parameter) return nullptr;
    const std::string& text = segments[at];
    if (parameter_is_int && (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)) {
      return nullptr;
    }
    const Node* found = parameter->walk(segments, at + 1, values);
    if (found != nullptr) values[parameter_name] = text;
    return found;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(Route route) {
  check(static_cast<bool>(route.handler), "a route has a handler");
  check(route.pattern.starts_with('/'), "a pattern begins with a slash");
  Node* node = root_.get();
  std::string_view rest = std::string_view(route.pattern).substr(1);
  while (!rest.empty()) {
    const auto slash = std::min(rest.find('/'), rest.size());
    std::string_view segment = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (segment.front() == '{') {
      segment = segment.substr(1, segment.size() - 2);
      const auto colon = segment.find(':');
      const std::string name(segment.substr(0, colon));
      const bool is_int = colon != std::string_view::npos;
      if (!node->parameter) {
        node->parameter = std::make_unique<Node>();
        node->parameter_name = name;
        node->parameter_is_int = is_int;
      }
      check(node->parameter_name == name && node->parameter_is_int == is_int,
            "patterns agree on a parameter's name and type");
      node = node->parameter.get();
    } else {
      auto& child = node->literals[std::string(segment)];
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    }
  }
  routes_.push_back(std::make_unique<Route>(std::move(route)));
  const bool added = node->methods.emplace(routes_.back()->method, routes_.back().get()).second;
  check(added, "a method of a path has one route");
}

Router::Match Router::find(const std::string& method, const std::vector<std::string>& segments) const {
  Match match;
  const Node* node = root_->walk(segments, 0, match.path_values);
  if (node == nullptr) return match;
  auto it = node->methods.find(method);
  if (it == node->methods.end() && method == "HEAD") it = node->methods.find("GET");
  if (it != node->methods.end()) match.route = it->second;
  for (const auto& [m, _] : node->methods) {
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += m;
    if (m == "GET") match.allow += ", HEAD";
  }
  return match;
}

}  // namespace millrace::api
