#include "connectors/files/config.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/files/destination.h"
#include "connectors/files/source.h"
#include "connectors/local_path.h"
#include "connectors/values/values.h"

namespace millrace::connectors::files {

using nlohmann::json;

namespace {

constexpr std::int64_t kMaxSample = 1'000'000;

[[noreturn]] void invalid(const std::string& detail) { throw Error("connector.config_invalid", detail); }

std::string text_of(const json& j, const char* key, const std::string& fallback = "") {
  const auto it = j.find(key);
  if (it == j.end() || it->is_null()) return fallback;
  if (!it->is_string()) invalid(std::string(key) + " is not a text");
  return it->get<std::string>();
}

bool flag_of(const json& j, const char* key, bool fallback) {
  const auto it = j.find(key);
  if (it == j.end() || it->is_null()) return fallback;
  if (!it->is_boolean()) invalid(std::string(key) + " is neither true nor false");
  return it->get<bool>();
}

FilesConfig common_config(const json& j) {
  if (!j.is_object()) invalid("it is not an object");
  FilesConfig c;
  c.path = text_of(j, "path");
  if (c.path.empty()) invalid("path is missing");
  while (c.path.size() > 1 && c.path.back() == '/') c.path.pop_back();
  const std::string format = text_of(j, "format"), compression = text_of(j, "compression");
  if (format == "csv")
    c.format = Format::csv;
  else if (format == "jsonl")
    c.format = Format::jsonl;
  else if (!format.empty() && format != "auto")
    invalid("format is none of auto, csv, jsonl");
  if (compression == "none")
    c.compression = Compression::none;
  else if (compression == "gzip")
    c.compression = Compression::gzip;
  else if (compression == "zstd")
    c.compression = Compression::zstd;
  else if (!compression.empty() && compression != "auto")
    invalid("compression is none of auto, none, gzip, zstd");
  const std::string delimiter = text_of(j, "delimiter", ",");
  const std::string one = delimiter == "\\t" || delimiter == "tab" ? "\t" : delimiter;
  if (one.size() != 1 || one == "\"" || one == "\n" || one == "\r") invalid("delimiter is not one character");
  c.delimiter = one[0];
  c.header = flag_of(j, "header", true);
  c.null_value = text_of(j, "null_value");
  return c;
}

std::vector<Field> columns_of(const json& list) {
  if (!list.is_array()) invalid("columns is not a list");
  std::vector<Field> out;
  for (const json& one : list) {
    if (!one.is_object()) invalid("columns: each is {name, type}");
    Field f;
    f.name = text_of(one, "name");
    f.source_type = text_of(one, "type", "text");
    const auto type = values::type_of_name(f.source_type);
    if (f.name.empty()) invalid("columns: a name is missing");
    if (!type) invalid("columns: \"" + f.source_type + "\" is not a type");
    f.type = *type;
    for (const Field& other : out)
      if (other.name == f.name) invalid("columns: \"" + f.name + "\" is there twice");
    out.push_back(std::move(f));
  }
  return out;
}

json text(const char* title, const char* description, int order) {
  return {{"type", "string"}, {"title", title}, {"description", description}, {"order", order}};
}
json choice(const char* title, const char* description, json words, int order) {
  json out = text(title, description, order);
  out["default"] = words[0];
  out["enum"] = std::move(words);
  return out;
}
json flag(const char* title, const char* description, bool fallback, int order) {
  return {{"type", "boolean"}, {"title", title}, {"description", description}, {"default", fallback}, {"order", order}};
}

std::string spec(bool as_source) {
  json p;
  p["path"] =
      text("Path",
           as_source ? "An absolute path on the server's machine: a directory, a file, or a pattern such as "
                       "/srv/data/orders-*.csv.gz."
                     : "An absolute path of a directory on the server's machine. Each stream is a directory in it.",
           0);
  p["path"]["examples"] = json::array({as_source ? "/srv/data/*.csv" : "/srv/out"});
  p["format"] = choice("Format", as_source ? "auto: by the files' names." : "Of the files that are written.",
                       as_source ? json::array({"auto", "csv", "jsonl"}) : json::array({"jsonl", "csv"}), 1);
  p["compression"] =
      choice("Compression", as_source ? "auto: by the files' names." : "Of the files that are written.",
             as_source ? json::array({"auto", "none", "gzip", "zstd"}) : json::array({"none", "gzip", "zstd"}), 2);
  p["delimiter"] = text("Delimiter", "CSV: the character between fields; tab for a tabulator.", 3);
  p["delimiter"]["default"] = ",";
  p["header"] = flag("Header", "CSV: the first line names the columns.", true, 4);
  p["null_value"] =
      text("Null value", "CSV: what an unquoted field that is null says. An empty text is written \"\".", 5);
  p["null_value"]["default"] = "";
  if (as_source) {
    p["stream"] = text("Stream", "All files are one stream of this name.", 6);
    p["columns"] = {{"type", "array"},
                    {"title", "Columns"},
                    {"description", "Names and types of columns, in place of those that the first rows show."},
                    {"order", 7}};
    p["columns"]["items"] = {{"type", "object"},
                             {"required", json::array({"name", "type"})},
                             {"additionalProperties", false},
                             {"properties", {{"name", {{"type", "string"}}}, {"type", {{"type", "string"}}}}}};
    p["sample_rows"] = {{"type", "integer"},
                        {"title", "Sample"},
                        {"description", "How many rows of a stream are looked at to find its columns and types."},
                        {"minimum", 1},
                        {"maximum", kMaxSample},
                        {"default", 1'000},
                        {"order", 8}};
    p["file_columns"] = flag("File columns",
                             "Adds _ab_source_file_url and _ab_source_file_last_modified, by which new files are read "
                             "incrementally.",
                             false, 9);
    p["rejects"] =
        text("Rejects",
             "A directory for rows that do not fit, with file, line and reason. Without it the first such row "
             "stops the stream.",
             10);
  }
  p[as_source ? "sourceType" : "destinationType"] = {{"type", "string"}, {"airbyte_hidden", true}};
  return json{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", as_source ? "Files source" : "Files destination"},
              {"type", "object"},
              {"required", json::array({"path"})},
              {"additionalProperties", false},
              {"properties", p}}
      .dump();
}

// file:/srv/data/*.csv?format=csv&compression=gzip&delimiter=;&stream=orders
std::string from_url(const std::string& url, bool) {
  json out{{"path", path_of_url(url)}};
  const auto query = url.find('?');
  std::string_view rest = query == std::string::npos ? std::string_view() : std::string_view(url).substr(query + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::string key(pair.substr(0, pair.find('=')));
    const std::string value(pair.size() > key.size() ? pair.substr(key.size() + 1) : std::string_view());
    if (key == "header" || key == "file_columns")
      out[key] = value == "true";
    else if (key == "rejects")
      out[key] = path_of_url("file:" + value);
    else
      out[key] = value;
  }
  return out.dump();
}

}  // namespace

Format format_of_name(const std::string& name) {
  std::string base = name;
  for (const char* end : {".gz", ".zst"})
    if (base.ends_with(end)) base.resize(base.size() - std::string_view(end).size());
  if (base.ends_with(".csv") || base.ends_with(".tsv")) return Format::csv;
  if (base.ends_with(".jsonl") || base.ends_with(".ndjson")) return Format::jsonl;
  return Format::automatic;
}

Compression compression_of_name(const std::string& name) {
  if (name.ends_with(".gz")) return Compression::gzip;
  return name.ends_with(".zst") ? Compression::zstd : Compression::none;
}

FilesConfig source_config(const std::string& given) {
  const json j = json::parse(given, nullptr, false);
  FilesConfig c = common_config(j);
  c.stream = text_of(j, "stream");
  if (const auto it = j.find("columns"); it != j.end() && !it->is_null()) c.columns = columns_of(*it);
  if (const auto it = j.find("sample_rows"); it != j.end() && !it->is_null()) {
    if (!it->is_number_integer() || it->get<std::int64_t>() < 1 || it->get<std::int64_t>() > kMaxSample)
      invalid("sample_rows is not a whole number from 1 to 1000000");
    c.sample_rows = it->get<std::int64_t>();
  }
  c.file_columns = flag_of(j, "file_columns", false);
  c.rejects = text_of(j, "rejects");
  return c;
}

FilesConfig destination_config(const std::string& given) {
  FilesConfig c = common_config(json::parse(given, nullptr, false));
  if (c.format == Format::automatic) c.format = Format::jsonl;
  if (c.compression == Compression::automatic) c.compression = Compression::none;
  return c;
}

Connector connector() {
  Connector c;
  c.name = "files";
  c.definition_id = "0f7b7c1e-6b0d-4a53-9a0e-3f2b8f4b6c21";
  c.destination_definition_id = "6a1d2c94-51d7-4f0b-8d58-1c9f0a7be3d4";
  c.title = "Files";
  c.source_spec = spec(true);
  c.destination_spec = spec(false);
  c.make_source = [](Runtime runtime, const std::string& configuration) -> std::unique_ptr<Source> {
    return std::make_unique<FilesSource>(std::move(runtime), source_config(configuration));
  };
  c.make_destination = [](Runtime runtime, const std::string& configuration) -> std::unique_ptr<Destination> {
    return std::make_unique<FilesDestination>(std::move(runtime), destination_config(configuration));
  };
  c.source_modes = FilesSource::modes();
  c.destination_modes = FilesDestination::modes();
  c.url_schemes = {"file"};
  c.configuration_from_url = from_url;
  return c;
}

}  // namespace millrace::connectors::files
