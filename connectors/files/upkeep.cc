// What is done to a stream's files beside its loads: the list of directories, clear, undo, preview.
#include <filesystem>

#include "common/errors.h"
#include "connectors/files/destination.h"
#include "connectors/files/io.h"
#include "connectors/files/listing.h"
#include "connectors/files/load_state.h"
#include "connectors/files/manifest.h"
#include "connectors/files/records.h"

namespace millrace::connectors::files {

namespace fs = std::filesystem;

namespace {

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::optional<Manifest> own_manifest(const Places& places, const StreamTarget& target) {
  auto manifest = exists(places.final) ? read_manifest(places.final) : std::nullopt;
  if (!manifest || manifest->connection_id != target.connection_id || manifest->stream != target.source_name)
    return std::nullopt;
  return manifest;
}

// Rows of the data files whose names begin so.
std::int64_t count_rows(const FilesConfig& config, const std::string& directory, const std::string& prefix) {
  FilesConfig by_name = config;
  by_name.format = Format::automatic;
  by_name.compression = Compression::automatic;
  std::int64_t rows = 0;
  for (const auto& e : fs::directory_iterator(directory)) {
    const std::string name = e.path().filename().string();
    if (!name.starts_with(prefix) || format_of_name(name) == Format::automatic) continue;
    const auto reader = open_records(e.path().string(), by_name);
    Record record;
    while (reader->next(record)) ++rows;
  }
  return rows;
}

// Nothing of an older job may come after what is done now.
LoadRow require_newest(const Places& places, const StreamTarget& target) {
  LoadRow row = read_load(places);
  if (row.generation > target.generation)
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row.generation) +
                                          " was opened after " + std::to_string(target.generation));
  return row;
}

void put_done(const Places& places, const StreamTarget& target, const LoadRow& before, const std::string& token,
              std::optional<StoredState> state) {
  LoadRow row;
  row.generation = target.generation;
  row.token = token;
  row.finished = row.published = true;
  row.state = std::move(state);
  write_load(places, row);
  if (before.generation < 0) return;
  const std::string stage = places.state + "/" + std::to_string(before.generation);
  fs::remove_all(stage);
  fs::remove_all(stage + ".splits");
}

std::int64_t clear_stream(const FilesConfig& config, const Places& places, const StreamTarget& target) {
  const LoadRow before = require_newest(places, target);
  std::int64_t rows = 0;
  if (auto manifest = own_manifest(places, target)) {
    rows = count_rows(config, places.final, "");
    const std::string empty = places.state + "/cleared";
    fs::remove_all(empty);
    make_directories(empty);
    manifest->generation = target.generation;
    write_manifest(empty, *manifest);
    exchange(empty, places.final);
    fs::remove_all(empty);
  }
  fs::remove_all(places.former);
  StoredState none;
  none.generation = target.generation;
  put_done(places, target, before, "clear", std::move(none));
  return rows;
}

[[noreturn]] void impossible(const StreamTarget& target, const std::string& why) {
  throw Error("job.undo_impossible", target.source_name.text() + ": " + why);
}

TakenBack undo_load(const FilesConfig& config, const Places& places, const StreamTarget& target, std::int64_t load) {
  const LoadRow before = require_newest(places, target);
  if (before.generation < 0) impossible(target, "nothing was loaded");
  TakenBack back;
  if (before.generation == target.generation && before.token.starts_with("undo")) {  // an attempt whose answer was lost
    back.newest = before.token == "undo newest";
    return back;
  }
  const auto manifest = own_manifest(places, target);
  if (!manifest) impossible(target, places.final + " is not a directory of this stream any more");
  back.newest = before.state && before.state->generation == load;
  if (replaces(target)) {
    const auto former = exists(places.former) ? read_manifest(places.former) : std::nullopt;
    if (manifest->generation != load)
      impossible(target, "its files are those of job " + std::to_string(manifest->generation) + " by now");
    if (!former || former->generation >= load) impossible(target, "no files of before it are kept");
    back.rows = count_rows(config, places.final, "");
    exchange(places.former, places.final);
    back.notes.push_back("the directory has the files of job " + std::to_string(former->generation) + " again");
  } else {
    const std::string prefix = std::to_string(load) + "-";
    back.rows = count_rows(config, places.final, prefix);
    std::vector<fs::path> files;
    for (const auto& e : fs::directory_iterator(places.final))
      if (e.path().filename().string().starts_with(prefix)) files.push_back(e.path());
    for (const auto& file : files) fs::remove(file);
    sync_directory(places.final);
    back.notes.push_back(std::to_string(files.size()) + " files of load " + std::to_string(load) + " were removed");
  }
  const auto state = back.newest ? std::nullopt : before.state;
  put_done(places, target, before, back.newest ? "undo newest" : "undo", state);
  return back;
}

void find_owned(const fs::path& directory, const std::string& ns, bool nested, const std::string& connection_id,
                std::vector<OwnedTable>& out) {
  for (const auto& e : fs::directory_iterator(directory)) {
    const std::string name = e.path().filename().string();
    if (!e.is_directory() || name.starts_with('.') || name.starts_with('_')) continue;
    const auto manifest = read_manifest(e.path().string());
    if (manifest && manifest->connection_id == connection_id) {
      OwnedTable table;
      table.stream = manifest->stream;
      table.ns = ns;
      table.name = unescaped_name(name);
      table.generation = manifest->generation;
      out.push_back(std::move(table));
    }
    if (!manifest && !nested) find_owned(e.path(), unescaped_name(name), true, connection_id, out);
  }
}

}  // namespace

asio::awaitable<std::vector<OwnedTable>> FilesDestination::owned_tables(std::string connection_id) {
  std::vector<OwnedTable> out;
  auto look = [&] {
    if (exists(config_.path)) find_owned(config_.path, "", false, connection_id, out);
  };
  co_await runtime_.blocking(look);
  co_return out;
}

asio::awaitable<std::int64_t> FilesDestination::clear(StreamTarget target) {
  std::int64_t rows = 0;
  auto work = [&] {
    const Places places(config_.path, target);
    make_directories(places.state);
    const FileLock lock(places.lock);
    rows = clear_stream(config_, places, target);
  };
  co_await runtime_.blocking(work);
  co_return rows;
}

asio::awaitable<TakenBack> FilesDestination::undo(StreamTarget target, std::int64_t load_id) {
  TakenBack back;
  auto work = [&] {
    const Places places(config_.path, target);
    make_directories(places.state);
    const FileLock lock(places.lock);
    back = undo_load(config_, places, target, load_id);
  };
  co_await runtime_.blocking(work);
  co_return back;
}

asio::awaitable<TablePreview> FilesDestination::preview(StreamTarget target) {
  TablePreview out;
  auto look = [&] {
    const Places places(config_.path, target);
    out.action = !exists(places.final) ? "create" : replaces(target) ? "replace" : "write";
    if (!exists(places.final) || own_manifest(places, target)) return;
    if (target.adopt)
      out.changes.push_back("what is there is kept as " + places.final + "__before");
    else
      out.problems.push_back(places.final + " is there and not of this stream");
  };
  co_await runtime_.blocking(look);
  co_return out;
}

}  // namespace millrace::connectors::files
