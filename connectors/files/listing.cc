#include "connectors/files/listing.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "common/errors.h"
#include "connectors/files/manifest.h"
#include "connectors/local_path.h"

namespace millrace::connectors::files {

namespace fs = std::filesystem;

namespace {

bool is_hidden(const std::string& name) { return name.empty() || name[0] == '.' || name[0] == '_'; }
bool is_pattern(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

DataFile data_file(const fs::path& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) throw Error("path.not_readable", path.string() + ": " + std::strerror(errno));
  DataFile file;
  file.path = path.string();
  file.size = s.st_size;
  file.modified_us = std::int64_t{s.st_mtim.tv_sec} * 1'000'000 + s.st_mtim.tv_nsec / 1'000;
  return file;
}

std::vector<fs::directory_entry> entries_of(const fs::path& directory) {
  std::vector<fs::directory_entry> out;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) out.push_back(*it);
  if (error) throw Error("path.not_readable", directory.string() + ": " + error.message());
  std::sort(out.begin(), out.end());
  return out;
}

bool is_directory(const fs::directory_entry& e) {
  std::error_code ignored;
  return e.is_directory(ignored);
}
bool is_data(const fs::directory_entry& e, const FilesConfig& config) {
  std::error_code ignored;
  const std::string name = e.path().filename().string();
  return e.is_regular_file(ignored) && !is_hidden(name) &&
         (config.format != Format::automatic || format_of_name(name) != Format::automatic);
}

// "orders" of "orders.csv.gz".
std::string stem(const std::string& name) {
  std::string out = name;
  for (const char* end : {".gz", ".zst", ".csv", ".tsv", ".jsonl", ".ndjson"})
    if (out.ends_with(end)) out.resize(out.size() - std::string_view(end).size());
  return out.empty() ? name : out;
}

using Streams = std::map<StreamName, FoundStream>;

void add(Streams& streams, const StreamName& name, const fs::path& path) {
  FoundStream& s = streams[name];
  s.name = name;
  s.files.push_back(data_file(path));
}

void walk(const FilesConfig& config, const fs::path& directory, const std::string& ns, bool top, Streams& streams) {
  const std::string name = directory.filename().string();
  for (const auto& e : entries_of(directory)) {
    const std::string entry = e.path().filename().string();
    if (is_hidden(entry)) continue;
    if (is_directory(e))
      walk(config, e.path(), top ? "" : ns.empty() ? name : ns + "/" + name, false, streams);
    else if (is_data(e, config))
      add(streams, top ? StreamName("", stem(entry)) : StreamName(ns, name), e.path());
  }
  if (top) return;
  // A stream without rows may be a directory without files.
  const auto manifest = read_manifest(directory.string());
  if (!manifest) return;
  FoundStream& s = streams[StreamName(ns, name)];
  s.name = StreamName(ns, name);
  s.written_schema = manifest->schema;
}

void match(const fs::path& at, const std::vector<std::string>& parts, std::size_t n, std::vector<fs::path>& out) {
  std::error_code ignored;
  if (n == parts.size()) {
    if (fs::is_regular_file(at, ignored)) out.push_back(at);
    return;
  }
  if (!is_pattern(parts[n])) {
    if (fs::exists(at / parts[n], ignored)) match(at / parts[n], parts, n + 1, out);
    return;
  }
  if (!fs::is_directory(at, ignored)) return;
  const bool deep = parts[n] == "**";
  if (deep) match(at, parts, n + 1, out);
  for (const auto& e : entries_of(at)) {
    const std::string name = e.path().filename().string();
    if (deep && !is_hidden(name) && is_directory(e)) match(e.path(), parts, n, out);
    if (!deep && ::fnmatch(parts[n].c_str(), name.c_str(), FNM_PERIOD) == 0) match(e.path(), parts, n + 1, out);
  }
}

// "orders" of "/srv/orders-*.csv"; the directory's name where the pattern begins at once.
std::string name_of_pattern(const std::vector<std::string>& parts) {
  std::string name = parts.back().substr(0, parts.back().find_first_of("*?["));
  while (!name.empty() && std::strchr("-_. ", name.back()) != nullptr) name.pop_back();
  for (std::size_t i = parts.size() - 1; name.empty() && i-- > 0;)
    if (!is_pattern(parts[i])) name = parts[i];
  return name.empty() ? "files" : name;
}

}  // namespace

std::vector<FoundStream> find_streams(const FilesConfig& config) {
  require_absolute(config.path);
  Streams streams;
  std::error_code error;
  if (fs::is_directory(config.path, error)) {
    walk(config, config.path, "", true, streams);
  } else if (fs::exists(config.path, error)) {
    require_readable_file(config.path);
    add(streams, StreamName("", stem(fs::path(config.path).filename().string())), config.path);
  } else if (is_pattern(config.path)) {
    std::vector<std::string> parts;
    for (const auto& part : fs::path(config.path).relative_path()) parts.push_back(part.string());
    std::vector<fs::path> found;
    match("/", parts, 0, found);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    for (const auto& path : found) add(streams, StreamName("", name_of_pattern(parts)), path);
  } else {
    throw Error("path.missing", config.path);
  }
  std::vector<FoundStream> out;
  for (auto& [_, s] : streams) out.push_back(std::move(s));
  if (config.stream.empty() || out.empty()) return out;
  FoundStream one;
  one.name = StreamName("", config.stream);
  for (auto& s : out) one.files.insert(one.files.end(), s.files.begin(), s.files.end());
  if (out.size() == 1) one.written_schema = out.front().written_schema;
  std::sort(one.files.begin(), one.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return {one};
}

}  // namespace millrace::connectors::files
