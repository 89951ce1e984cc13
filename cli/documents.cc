#include "cli/documents.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <regex>

#include <yaml-cpp/yaml.h>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxValues = 1'000'000;  // of all files: aliases must not multiply without bound
constexpr int kMaxDepth = 100;

std::string escape_pointer(const std::string& name) {
  std::string out;
  for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

struct Expansion {
  Expansion() = default;
  std::string text;
  bool whole = false;                 // the text was one reference and nothing else
  std::vector<std::string> failures;  // "environment variable X is not set"
  std::vector<std::string> missing;
};

std::string read_file(const std::string& path, bool& ok) {
  std::ifstream in(path, std::ios::binary);
  ok = static_cast<bool>(in);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Expansion expand(const std::string& text) {
  Expansion out;
  std::size_t at = 0;
  while (at < text.size()) {
    const bool env = text.compare(at, 6, "${env:") == 0;
    const bool file = text.compare(at, 7, "${file:") == 0;
    const auto end = env || file ? text.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      out.text += text[at++];
      continue;
    }
    out.whole = at == 0 && end + 1 == text.size();
    const std::size_t name_at = at + (env ? 6 : 7);
    const std::string name = text.substr(name_at, end - name_at);
    if (env) {
      const char* value = std::getenv(name.c_str());
      if (value == nullptr) {
        out.failures.push_back("the environment variable " + name + " is not set");
        out.missing.push_back("${env:" + name + "}");
      } else {
        out.text += value;
      }
    } else {
      bool ok = false;
      out.text += read_file(name, ok);
      if (!ok) {
        out.failures.push_back("the file " + name + " cannot be read");
        out.missing.push_back("${file:" + name + "}");
      }
    }
    at = end + 1;
  }
  return out;
}

// YAML 1.2's core schema for plain scalars (its section 10.3.2).
Json plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  static const std::regex kInt("[-+]?[0-9]{1,18}");
  static const std::regex kFloat("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  if (text.size() < 64) {
    if (std::regex_match(text, kInt)) return std::stoll(text);
    if (std::regex_match(text, kFloat)) return std::strtod(text.c_str(), nullptr);
  }
  return text;
}

class Loader {
 public:
  Loader(Documents& documents, bool allow_missing) : documents_(documents), allow_missing_(allow_missing) {}

  void load(const std::string& path) {
    if (path == "-") {
      const std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
      load_text("(standard input)", text);
      return;
    }
    std::error_code error;
    if (fs::is_directory(path, error)) {
      std::vector<std::string> files;
      for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
        const std::string ending = entry.path().extension().string();
        if (entry.is_regular_file(error) && (ending == ".yaml" || ending == ".yml" || ending == ".json"))
          files.push_back(entry.path().string());
      }
      std::sort(files.begin(), files.end());
      if (files.empty()) faults_.push_back(path + ": no .yaml, .yml or .json file in this directory");
      for (const std::string& file : files) load(file);
      return;
    }
    std::ifstream in(path, std::ios::binary);
    if (!in) {
      faults_.push_back(path + ": the file cannot be read");
      return;
    }
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    load_text(path, text);
  }

  void finish() {
    if (!faults_.empty()) throw DocumentFaults(std::move(faults_));
  }

 private:
  void fault(const YAML::Mark& mark, const std::string& what) {
    faults_.push_back(Position(file_, mark.line + 1, mark.column + 1).text() + ": " + what);
  }

  void load_text(const std::string& file, const std::string& text) {
    file_ = file;
    try {
      for (const YAML::Node& document : YAML::LoadAll(text)) {
        if (document.IsNull()) continue;  // a lone "---"
        if (document.IsSequence()) {      // a JSON array of documents
          for (const YAML::Node& item : document) add_document(item);
        } else {
          add_document(document);
        }
      }
    } catch (const YAML::Exception& e) {
      fault(e.mark, "not valid YAML: " + e.msg);
    }
  }

  void add_document(const YAML::Node& node) {
    const std::string pointer = "/" + std::to_string(documents_.list.size());
    documents_.list.push_back(convert(node, pointer, node.Mark(), 0));
  }

  Json convert(const YAML::Node& node, const std::string& pointer, const YAML::Mark& where, int depth) {
    documents_.positions[pointer] = Position(file_, where.line + 1, where.column + 1);
    if (++values_ > kMaxValues || depth > kMaxDepth) {
      if (!too_much_told_) fault(where, "too many values, or nested too deeply");
      too_much_told_ = true;
      return nullptr;
    }
    switch (node.Type()) {
      case YAML::NodeType::Map:
        return convert_map(node, pointer, depth);
      case YAML::NodeType::Sequence: {
        Json out = Json::array();
        for (const YAML::Node& item : node) {
          const std::string inner = pointer + "/" + std::to_string(out.size());
          out.push_back(convert(item, inner, item.Mark(), depth + 1));
        }
        return out;
      }
      case YAML::NodeType::Scalar:
        return convert_scalar(node, pointer);
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        break;
    }
    return nullptr;
  }

  Json convert_map(const YAML::Node& node, const std::string& pointer, int depth) {
    Json out = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        fault(entry.first.Mark(), "a key must be a word");
        continue;
      }
      const std::string key = entry.first.Scalar();
      if (out.contains(key)) fault(entry.first.Mark(), "the key '" + key + "' stands here twice");
      out[key] = convert(entry.second, pointer + "/" + escape_pointer(key), entry.first.Mark(), depth + 1);
    }
    return out;
  }

  Json convert_scalar(const YAML::Node& node, const std::string& pointer) {
    const std::string& text = node.Scalar();
    if (text.find("${") == std::string::npos) return node.Tag() == "!" ? Json(text) : plain_scalar(text);
    Expansion e = expand(text);
    if (!e.failures.empty()) {
      if (!allow_missing_) {
        for (const std::string& failure : e.failures) fault(node.Mark(), failure);
      }
      for (std::string& name : e.missing) documents_.missing.push_back(std::move(name));
      if (e.whole) e.text = kPlaceholder;
    }
    if (e.whole) documents_.references.push_back(pointer);
    return e.text;
  }

 public:
  static constexpr const char* kPlaceholder = "placeholder";

 private:
  Documents& documents_;
  bool allow_missing_;
  std::string file_;
  std::vector<std::string> faults_;
  std::size_t values_ = 0;
  bool too_much_told_ = false;
};

std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n  ") + line;
  return out;
}

// The type that a schema wants at a path of property names, through oneOf and anyOf; "" if it says nothing.
std::string wanted_type(const Json& schema, const std::vector<std::string>& path, std::size_t at) {
  if (!schema.is_object()) return {};
  if (at == path.size()) {
    const auto type = schema.find("type");
    if (type == schema.end()) return {};
    if (type->is_string()) return type->get<std::string>();
    if (type->is_array()) {
      for (const Json& t : *type) {
        if (t.is_string() && t != "null") return t.get<std::string>();
      }
    }
    return {};
  }
  if (const auto properties = schema.find("properties"); properties != schema.end() && properties->contains(path[at])) {
    const std::string found = wanted_type(properties->at(path[at]), path, at + 1);
    if (!found.empty()) return found;
  }
  if (const auto items = schema.find("items"); items != schema.end()) {
    const std::string found = wanted_type(*items, path, at + 1);
    if (!found.empty()) return found;
  }
  for (const char* several : {"oneOf", "anyOf", "allOf"}) {
    const auto options = schema.find(several);
    if (options == schema.end() || !options->is_array()) continue;
    for (const Json& option : *options) {
      const std::string found = wanted_type(option, path, at);
      if (!found.empty()) return found;
    }
  }
  return {};
}

Json as_type(const std::string& text, const std::string& type) {
  const bool placeholder = text == Loader::kPlaceholder;
  if (type == "integer" || type == "number") {
    if (placeholder) return 1;
    const Json value = plain_scalar(text);
    if (value.is_number()) return value;
  }
  if (type == "boolean") {
    if (placeholder) return true;
    const Json value = plain_scalar(text);
    if (value.is_boolean()) return value;
  }
  return text;
}

}  // namespace

DocumentFaults::DocumentFaults(std::vector<std::string> lines)
    : CommandError(kFailed,
                   lines.size() == 1 ? "the resource files have a fault"
                                     : "the resource files have " + std::to_string(lines.size()) + " faults",
                   join(lines), "Correct them; 'millrace spec CONNECTOR' prints what a configuration may hold.",
                   "cli.file_invalid") {}

std::string Documents::locate(const std::string& pointer) const {
  std::string at = pointer;
  for (;;) {
    if (const auto it = positions.find(at); it != positions.end()) return it->second.text();
    const auto slash = at.rfind('/');
    if (slash == std::string::npos) return {};
    at.erase(slash);
  }
}

Documents load_documents(const std::vector<std::string>& paths, bool allow_missing) {
  Documents documents;
  Loader loader(documents, allow_missing);
  for (const std::string& path : paths) loader.load(path);
  loader.finish();
  std::sort(documents.missing.begin(), documents.missing.end());
  documents.missing.erase(std::unique(documents.missing.begin(), documents.missing.end()), documents.missing.end());
  return documents;
}

void apply_types(Documents& documents, const SpecOf& spec_of) {
  for (const std::string& reference : documents.references) {
    const Json::json_pointer pointer(reference);
    Json& value = documents.list.at(pointer);
    // "/0/spec/configuration/port"
    std::vector<std::string> path;
    for (Json::json_pointer p = pointer; !p.empty(); p = p.parent_pointer()) path.insert(path.begin(), p.back());
    if (path.size() < 4 || path[1] != "spec" || path[2] != "configuration" || !value.is_string()) continue;
    const Json& document = documents.list.at(std::stoul(path[0]));
    const Json& spec = document.at("spec");
    std::string connector;
    if (spec.is_object()) {
      for (const char* name : {"connector", "definitionId"}) {
        if (connector.empty() && spec.contains(name) && spec.at(name).is_string())
          connector = spec.at(name).get<std::string>();
      }
      const Json& configuration = spec.at("configuration");
      for (const char* name : {"sourceType", "destinationType"}) {
        if (connector.empty() && configuration.is_object() && configuration.contains(name) &&
            configuration.at(name).is_string()) {
          connector = configuration.at(name).get<std::string>();
        }
      }
    }
    const std::string kind =
        document.contains("kind") && document.at("kind").is_string() ? document.at("kind").get<std::string>() : "";
    if (connector.empty() || kind.empty()) continue;
    path.erase(path.begin(), path.begin() + 3);
    value = as_type(value.get<std::string>(), wanted_type(spec_of(kind, connector), path, 0));
  }
}

namespace {

// ", not 'Connexion'": the value that stands there. Nothing of a configuration: it may be a secret.
std::string value_there(const Documents& documents, const std::string& pointer) {
  if (pointer.empty() || pointer.find("/configuration/") != std::string::npos) return {};
  const Json::json_pointer at(pointer);
  if (!documents.list.contains(at) || documents.list.at(at).is_structured()) return {};
  const Json& value = documents.list.at(at);
  const std::string text = value.is_string() ? "'" + value.get<std::string>() + "'" : value.dump();
  return ", not " + (text.size() > 100 ? text.substr(0, 100) + "…'" : text);
}

}  // namespace

DocumentFaults located_faults(const Documents& documents,
                              const std::vector<std::pair<std::string, std::string>>& faults) {
  std::vector<std::string> lines;
  for (const auto& [pointer, what] : faults) {
    const std::string where = documents.locate(pointer);
    // The pointer without the document's number.
    const auto slash = pointer.find('/', 1);
    const std::string inside = slash == std::string::npos ? std::string() : pointer.substr(slash + 1) + ": ";
    lines.push_back((where.empty() ? pointer : where) + ": " + inside + what +
                    (what.starts_with("must be") && what.find(", not ") == std::string::npos
                         ? value_there(documents, pointer)
                         : std::string()));
  }
  return DocumentFaults(std::move(lines));
}

std::string expand_references(const std::string& text) {
  Expansion e = expand(text);
  if (!e.failures.empty())
    throw CommandError(kFailed, "a reference cannot be expanded", e.failures.front(),
                       "Set it, or write the value itself.", "cli.reference_missing");
  return e.text;
}

}  // namespace millrace::cli
