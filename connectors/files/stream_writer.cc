#include "connectors/files/stream_writer.h"

#include <filesystem>

#include "common/byte_order.h"
#include "common/check.h"
#include "common/errors.h"
#include "connectors/complete.h"
#include "connectors/files/io.h"
#include "connectors/files/manifest.h"
#include "connectors/files/records.h"

namespace millrace::connectors::files {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;
constexpr std::size_t kPendingBytes = 1 << 20;  // lines gathered for one write, and one gzip member or zstd frame

bool adds_metadata(const StreamTarget& target) {
  return target.metadata_columns && target.sync_mode != SyncMode::full_refresh_overwrite;
}

std::string file_name(const LoadContext& load, const std::string& split) {
  std::string out =
      std::to_string(load.target.generation) + "-" + escaped_name(split) + "-" + std::to_string(load.attempt);
  out += load.config.format == Format::csv ? ".csv" : ".jsonl";
  if (load.config.compression == Compression::gzip) out += ".gz";
  if (load.config.compression == Compression::zstd) out += ".zst";
  return out;
}

}  // namespace

Schema schema_of_files(const StreamTarget& target) {
  Schema out = *target.schema;
  if (!adds_metadata(target)) return out;
  Field extracted, load;
  extracted.name = "_extracted_at";
  extracted.type = Type(Kind::timestamptz, "timestamp with time zone");
  load.name = "_load_id";
  load.type = Type(Kind::int64, "bigint");
  out.fields.push_back(extracted);
  out.fields.push_back(load);
  return out;
}

asio::awaitable<std::unique_ptr<SplitWriter>> FilesStreamWriter::open_split(std::string split_id) {
  auto look = [&] {
    const FileLock lock(load_->places.lock);
    require_fence(load_->places, load_->target, load_->token);
  };
  co_await load_->runtime.blocking(look);
  std::unique_ptr<SplitWriter> writer = std::make_unique<FilesSplitWriter>(load_, std::move(split_id));
  co_return writer;
}

asio::awaitable<void> FilesStreamWriter::restart() {
  auto work = [&] {
    const FileLock lock(load_->places.lock);
    LoadRow row = require_fence(load_->places, load_->target, load_->token);
    fs::remove_all(load_->places.splits);
    make_directories(load_->places.splits);
    row.finished = false;
    row.rows = 0;
    write_load(load_->places, row);
  };
  co_await load_->runtime.blocking(work);
  committed_.clear();
  finished_ = false;
}

// Files that no checkpoint names go, and what lies beyond the committed bytes of the others.
asio::awaitable<void> FilesStreamWriter::finish(std::vector<std::string> splits, std::int64_t rows) {
  std::map<std::string, Checkpoint> done;
  auto work = [&] {
    const Places& places = load_->places;
    const FileLock lock(places.lock);
    LoadRow row = require_fence(places, load_->target, load_->token);
    done = checkpoints(places);
    require_complete(load_->target, done, splits, rows);
    if (row.published) return;
    std::map<std::string, std::int64_t> named;
    for (const auto& [_, split] : read_splits(places))
      for (const Part& part : split.parts) named[part.file] = part.size;
    for (const auto& e : fs::directory_iterator(places.stage)) {
      const auto it = named.find(e.path().filename().string());
      if (it == named.end())
        fs::remove(e.path());
      else if (static_cast<std::int64_t>(fs::file_size(e.path())) != it->second)
        sync_file(open_for_append(e.path().string(), it->second), e.path().string());
    }
    Manifest manifest;
    manifest.connection_id = load_->target.connection_id;
    manifest.stream = load_->target.source_name;
    manifest.generation = load_->target.generation;
    manifest.schema = load_->schema;
    write_manifest(places.stage, manifest);
    row.finished = true;
    row.rows = rows;
    write_load(places, row);
  };
  co_await load_->runtime.blocking(work);
  committed_ = done;
  finished_ = true;
}

FilesSplitWriter::FilesSplitWriter(std::shared_ptr<const LoadContext> load, std::string split_id)
    : load_(std::move(load)), split_id_(std::move(split_id)), file_(file_name(*load_, split_id_)) {
  append_big_endian(metadata_, load_->target.extracted_at_us - kPostgresEpochUs);
  append_big_endian(metadata_, load_->target.load_id);
}

void FilesSplitWriter::flush() {
  const Places& places = load_->places;
  const std::string path = places.stage + "/" + file_;
  if (size_ == 0) {
    // What this attempt has committed of the split before (a writer that was opened once more) stays.
    if (const auto row = read_split(places, split_id_))
      for (const Part& part : row->parts)
        if (part.file == file_) size_ = part.size;
  }
  std::string lines;
  if (size_ == 0 && load_->config.format == Format::csv && load_->config.header)
    append_csv_header(lines, load_->schema, load_->config.delimiter);
  lines += pending_;
  if (lines.empty()) return;
  const std::string bytes = compressed(lines, load_->config.compression);
  const Descriptor file = open_for_append(path, size_);
  append_all(file, bytes, path);
  size_ += static_cast<std::int64_t>(bytes.size());
  pending_.clear();
}

asio::awaitable<void> FilesSplitWriter::write(const RowBatch& batch) {
  RowReader reader(batch);
  std::vector<RowReader::FieldView> row;
  const std::string_view metadata = metadata_;
  while (reader.next(row)) {
    for (const auto& field : row)
      if (field.length == kUnchangedField) throw Error("connector.bad_row", "a value that was not sent");
    if (load_->schema.fields.size() > row.size()) {
      row.push_back({8, metadata.substr(0, 8)});
      row.push_back({8, metadata.substr(8)});
    }
    if (load_->config.format == Format::csv)
      append_csv(pending_, load_->schema, row, load_->config);
    else
      append_jsonl(pending_, load_->schema, row);
    ++written_;
  }
  if (pending_.size() < kPendingBytes) co_return;
  auto work = [&] {
    const FileLock lock(load_->places.lock);
    require_fence(load_->places, load_->target, load_->token);
    flush();
  };
  co_await load_->runtime.blocking(work);
}

asio::awaitable<Committed> FilesSplitWriter::commit(Checkpoint checkpoint) {
  check(checkpoint.id == split_id_, "a checkpoint belongs to the split it is committed for");
  Committed committed;
  auto work = [&] {
    const Places& places = load_->places;
    const FileLock lock(places.lock);
    require_fence(places, load_->target, load_->token);
    SplitRow row = read_split(places, split_id_).value_or(SplitRow());
    if (row.complete) throw Error("destination.count_mismatch", "split " + split_id_ + " is complete already");
    if (row.rows + written_ != checkpoint.rows)
      throw Error("destination.count_mismatch", "split " + split_id_ + ": the source counted " +
                                                    std::to_string(checkpoint.rows) + " rows, " +
                                                    std::to_string(row.rows + written_) + " would be durable");
    if (written_ > 0) {
      flush();
      const std::string path = places.stage + "/" + file_;
      const Descriptor file = open_for_append(path, size_);
      sync_file(file, path);
      sync_directory(places.stage);
      if (row.parts.empty() || row.parts.back().file != file_) row.parts.push_back({file_, 0});
      row.parts.back().size = size_;
    }
    row.rows = checkpoint.rows;
    row.state = checkpoint.state;
    row.complete = checkpoint.complete;
    write_split(places, split_id_, row);
    committed.rows = row.rows;
  };
  co_await load_->runtime.blocking(work);
  written_ = 0;
  co_return committed;
}

asio::awaitable<void> FilesSplitWriter::abort() {
  pending_.clear();
  co_return;
}

}  // namespace millrace::connectors::files
