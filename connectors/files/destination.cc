#include "connectors/files/destination.h"

#include <algorithm>
#include <filesystem>

#include "common/errors.h"
#include "connectors/files/io.h"
#include "connectors/files/load_state.h"
#include "connectors/files/manifest.h"
#include "connectors/files/stream_writer.h"
#include "connectors/local_path.h"

namespace millrace::connectors::files {

namespace fs = std::filesystem;

namespace {

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void require_mode(const StreamTarget& target) {
  const auto known = FilesDestination::modes();
  if (std::find(known.begin(), known.end(), target.sync_mode) == known.end())
    throw Error("destination.mode_unsupported", std::string(to_string(target.sync_mode)) + " by a files destination");
  if (!target.typed.empty())
    throw Error("destination.unsupported", "raw of stream " + target.source_name.text() + " by a files destination");
}

LoadRow take_over(const Places& places, const StreamTarget& target, const std::string& token, std::uint32_t attempt) {
  LoadRow row = read_load(places);
  if (row.generation > target.generation || (row.generation == target.generation && row.attempt > attempt))
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row.generation) +
                                          ", attempt " + std::to_string(row.attempt) + " stands before generation " +
                                          std::to_string(target.generation) + ", attempt " + std::to_string(attempt));
  const std::int64_t before = row.generation;
  if (row.generation < target.generation) {
    const auto state = row.state;
    row = LoadRow();
    row.generation = target.generation;
    row.state = state;
  }
  row.attempt = attempt;
  row.token = token;
  if (!row.published && !exists(places.stage)) {  // a new generation, or somebody removed what was committed
    fs::remove_all(places.splits);
    row.finished = false;
    row.rows = 0;
  }
  // The fence first: from here on nothing of an older attempt comes.
  write_load(places, row);
  if (!row.published) {
    make_directories(places.stage);
    make_directories(places.splits);
  }
  if (before >= 0 && before < target.generation) {
    const std::string older = places.state + "/" + std::to_string(before);
    fs::remove_all(older);
    fs::remove_all(older + ".splits");
  }
  return row;
}

std::string free_before_name(const std::string& path) {
  for (int n = 1;; ++n) {
    std::string name = path + "__before" + (n == 1 ? "" : std::to_string(n));
    if (!exists(name)) return name;
  }
}

// What is in the way and not ours is kept beside.
void keep_before(const Places& places, const StreamTarget& target, std::vector<std::string>& notes) {
  if (may_write(places, target)) return;
  const std::string before = free_before_name(places.final);
  rename_synced(places.final, before);
  notes.push_back("what was taken over is kept as " + before);
}

void overwrite(const Places& places, const StreamTarget& target, std::vector<std::string>& notes) {
  const auto there = exists(places.final) ? read_manifest(places.final) : std::nullopt;
  // A publication that was cut off between the swap and its note.
  if (there && there->generation == target.generation && there->connection_id == target.connection_id &&
      there->stream == target.source_name)
    return;
  keep_before(places, target, notes);
  if (!exists(places.final)) {
    make_directories(fs::path(places.final).parent_path().string());
    rename_synced(places.stage, places.final);
    return;
  }
  exchange(places.stage, places.final);
}

void append(const Places& places, const StreamTarget& target, std::vector<std::string>& notes) {
  keep_before(places, target, notes);
  make_directories(places.final);
  if (!exists(places.stage)) return;
  // The mark comes first: a directory that has files of ours is known as ours.
  if (const auto manifest = read_manifest(places.stage)) write_manifest(places.final, *manifest);
  for (const auto& [_, split] : read_splits(places))
    for (const Part& part : split.parts)
      if (exists(places.stage + "/" + part.file))
        rename_synced(places.stage + "/" + part.file, places.final + "/" + part.file);
}

PublishResult publish_generation(const Places& places, const StreamTarget& target) {
  const auto not_finished = [&](const char* why) {
    throw Error("destination.incomplete",
                target.source_name.text() + ", generation " + std::to_string(target.generation) + " " + why);
  };
  if (!exists(places.state)) not_finished("was never opened");
  const FileLock lock(places.lock);
  LoadRow row = read_load(places);
  if (row.generation < target.generation) not_finished("was never opened");
  if (row.generation > target.generation)
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row.generation) +
                                          " was opened after " + std::to_string(target.generation));
  PublishResult result;
  result.rows = row.rows;
  result.already_done = row.published;
  if (row.published) return result;
  if (!row.finished) not_finished("is not finished");
  if (replaces(target))
    overwrite(places, target, result.notes);
  else
    append(places, target, result.notes);
  row.published = true;
  StoredState state;
  state.generation = target.generation;
  state.state = target.state;
  if (!target.keep_state) row.state = std::move(state);
  write_load(places, row);
  // What is left at the stage's place is what an overwrite replaced.
  if (replaces(target) && exists(places.stage)) {
    fs::remove_all(places.former);
    rename_synced(places.stage, places.former);
  }
  return result;
}

void check_destination(const FilesConfig& config) {
  require_absolute(config.path);
  std::error_code error;
  if (fs::exists(config.path, error))
    require_writable_directory(config.path);
  else
    require_writable_directory(fs::path(config.path).parent_path().string());
}

}  // namespace

asio::awaitable<CheckResult> FilesDestination::check() {
  CheckResult result;
  auto look = [&] {
    try {
      check_destination(config_);
    } catch (const Error& e) {
      result.ok = false;
      result.code = e.code();
      result.message = e.what();
      result.remedy = e.remedy();
    }
  };
  co_await runtime_.blocking(look);
  co_return result;
}

asio::awaitable<std::unique_ptr<StreamWriter>> FilesDestination::open_stream(StreamTarget target, std::string token,
                                                                             std::uint32_t attempt) {
  require_mode(target);
  auto load = std::make_shared<LoadContext>(runtime_, config_, std::move(target));
  load->schema = schema_of_files(load->target);
  load->token = token;
  load->attempt = attempt;
  LoadRow row;
  std::map<std::string, Checkpoint> committed;
  auto work = [&] {
    check_destination(config_);
    make_directories(load->places.state);
    const FileLock lock(load->places.lock);
    may_write(load->places, load->target);
    row = take_over(load->places, load->target, token, attempt);
    committed = checkpoints(load->places);
  };
  co_await runtime_.blocking(work);
  std::unique_ptr<StreamWriter> writer =
      std::make_unique<FilesStreamWriter>(std::move(load), std::move(committed), row.state, row.finished);
  co_return writer;
}

asio::awaitable<PublishResult> FilesDestination::publish(StreamTarget target) {
  require_mode(target);
  const Places places(config_.path, target);
  PublishResult result;
  auto work = [&] { result = publish_generation(places, target); };
  co_await runtime_.blocking(work);
  co_return result;
}

asio::awaitable<void> FilesDestination::close() { co_return; }

}  // namespace millrace::connectors::files
