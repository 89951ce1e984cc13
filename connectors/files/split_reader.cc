#include "connectors/files/split_reader.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/files/source.h"
#include "connectors/pipe.h"
#include "connectors/values/values.h"

namespace millrace::connectors::files {

using nlohmann::json;

namespace {

constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;
constexpr std::size_t kRejectBytes = 1 << 20, kShown = 120;

std::string file_name(std::string text) {
  for (char& c : text)
    if (c == '/') c = '_';
  return text;
}

}  // namespace

std::unique_ptr<RecordReader> open_records(const std::string& path, const FilesConfig& config) {
  const Format format = config.format == Format::automatic ? format_of_name(path) : config.format;
  const Compression compression =
      config.compression == Compression::automatic ? compression_of_name(path) : config.compression;
  if (format == Format::automatic)
    throw Error("connector.config_invalid", path + ": its name does not say its format; set format");
  auto file = open_input(path, compression);
  if (format == Format::jsonl) return read_jsonl(std::move(file));
  FilesConfig own = config;
  const bool tabs = path.ends_with(".tsv") || path.ends_with(".tsv.gz") || path.ends_with(".tsv.zst");
  if (tabs && own.delimiter == ',') own.delimiter = '\t';
  return read_csv(std::move(file), own);
}

SplitReader::SplitReader(FilesConfig config, ConfiguredStream stream, std::string split_id, std::vector<DataFile> files)
    : config_(std::move(config)), stream_(std::move(stream)), split_id_(std::move(split_id)), files_(std::move(files)) {
  if (!config_.rejects.empty())
    rejects_path_ = config_.rejects + "/" + file_name(stream_.name.text()) + "-" + split_id_ + ".jsonl";
}

void SplitReader::map_columns() {
  if (mapped_version_ == reader_->names_version()) return;
  mapped_version_ = reader_->names_version();
  const auto& names = reader_->names();
  from_.clear();
  for (const Field& f : stream_.schema->fields) {
    const auto it = std::find(names.begin(), names.end(), f.name);
    from_.push_back(it == names.end() ? -1 : it - names.begin());
  }
  // Given columns of a file without header are meant by their place.
  if (config_.columns.empty() || config_.header) return;
  for (std::size_t i = 0; i < from_.size(); ++i) {
    const auto& given = config_.columns;
    const auto it = std::find_if(given.begin(), given.end(),
                                 [&](const Field& f) { return f.name == stream_.schema->fields[i].name; });
    if (it != given.end() && it - given.begin() < static_cast<std::ptrdiff_t>(names.size()))
      from_[i] = it - given.begin();
  }
}

bool SplitReader::put_row(RowBatch& batch, std::string& why) {
  const DataFile& file = files_[next_file_ - 1];
  const auto& fields = stream_.schema->fields;
  map_columns();
  RowWriter row(batch);
  row.begin_row(static_cast<std::uint16_t>(fields.size()));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == kFileUrl && config_.file_columns) {
      row.text(file.path);
    } else if (fields[i].name == kFileModified && config_.file_columns) {
      row.integer(file.modified_us - kPostgresEpochUs);
    } else if (from_[i] < 0) {
      row.null();
    } else if (const Item& item = record_.items[static_cast<std::size_t>(from_[i])];
               !put_item(item, fields[i].type, row, scratch_)) {
      why = "column " + fields[i].name + ": no " + fields[i].type.pg_type + ": " + item.text.substr(0, kShown);
      return false;  // the row is not ended, so nothing of it is in the batch
    }
  }
  row.end_row();
  return true;
}

void SplitReader::reject(const std::string& why) {
  const std::string& file = files_[next_file_ - 1].path;
  if (rejects_path_.empty()) throw Error("files.bad_row", file + ", line " + std::to_string(record_.line) + ": " + why);
  json one{{"file", file}, {"line", record_.line}, {"reason", why}};
  if (!record_.error.empty()) {
    one["text"] = record_.raw;
  } else {
    json items = json::object();
    for (std::size_t i = 0; i < record_.items.size(); ++i)
      items[reader_->names()[i]] = record_.items[i].form == Item::Form::missing ? json() : json(record_.items[i].text);
    one["items"] = std::move(items);
  }
  rejected_ += one.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (rejected_.size() < kRejectBytes) return;
  const Descriptor out = open_for_append(
      rejects_path_ + ".new",
      rejects_begun_ ? static_cast<std::int64_t>(std::filesystem::file_size(rejects_path_ + ".new")) : 0);
  append_all(out, rejected_, rejects_path_);
  rejects_begun_ = true;
  rejected_.clear();
}

// Written aside and renamed: a later attempt at the split puts its own in place, so that no row is there twice.
void SplitReader::end_rejects() {
  if (rejects_path_.empty()) return;
  if (rejected_.empty() && !rejects_begun_) {
    ::unlink(rejects_path_.c_str());
    return;
  }
  const std::string aside = rejects_path_ + ".new";
  {
    const Descriptor out =
        open_for_append(aside, rejects_begun_ ? static_cast<std::int64_t>(std::filesystem::file_size(aside)) : 0);
    append_all(out, rejected_, aside);
    sync_file(out, aside);
  }
  rename_synced(aside, rejects_path_);
}

bool SplitReader::fill(RowBatch& batch) {
  while (batch.bytes().size() < Pipe::kBatchBytes) {
    if (!reader_) {
      if (next_file_ == files_.size()) {
        end_rejects();
        return false;
      }
      reader_ = open_records(files_[next_file_++].path, config_);
      mapped_version_ = -1;
    }
    if (!reader_->next(record_)) {
      reader_.reset();
      continue;
    }
    std::string why = record_.error;
    if (!why.empty() || !put_row(batch, why)) reject(why);
  }
  return true;
}

}  // namespace millrace::connectors::files
