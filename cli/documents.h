// Resource files: YAML (or JSON) documents, many to a file, directories allowed; read into one JSON list that remembers
// where each value stood, so that every fault can be told with file, line and column.
//
// ${env:X} and ${file:/p} inside strings are expanded here, on the client. A value that is one reference and nothing
// else takes the type that the connector's spec wants there (a port from the environment is a number); apply_types()
// does it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/context.h"

namespace millrace::cli {

struct Position {
  Position() = default;
  Position(std::string f, int l, int c) : file(std::move(f)), line(l), column(c) {}
  std::string file;
  int line = 0;    // from 1
  int column = 0;  // from 1
  std::string text() const { return file + ":" + std::to_string(line) + ":" + std::to_string(column); }
};

// All faults of the files at once; what() has one line each. Exit code 1.
class DocumentFaults : public CommandError {
 public:
  explicit DocumentFaults(std::vector<std::string> lines);
};

struct Documents {
  Documents() = default;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::map<std::string, Position> positions;  // JSON pointer -> where the value (of a field: its key) stands
  std::vector<std::string> references;        // pointers of values that were one reference and nothing else
  std::vector<std::string> missing;           // names that could not be expanded (only when allowed)

  // Where the pointer, or the nearest thing above it, stands.
  std::string locate(const std::string& pointer) const;
};

// Throws DocumentFaults: unreadable file, YAML errors, doubled keys, references that can't be expanded (unless
// `allow_missing`, which puts placeholders).
Documents load_documents(const std::vector<std::string>& paths, bool allow_missing);

// `spec_of(kind, connector)` gives the JSON Schema of a connector's configuration; null: unknown.
using SpecOf = std::function<nlohmann::ordered_json(const std::string& kind, const std::string& connector)>;
void apply_types(Documents& documents, const SpecOf& spec_of);

// Faults of the server (pointer, what) with their places.
DocumentFaults located_faults(const Documents& documents,
                              const std::vector<std::pair<std::string, std::string>>& faults);

// Expands references in one text. Throws CommandError.
std::string expand_references(const std::string& text);

}  // namespace millrace::cli
