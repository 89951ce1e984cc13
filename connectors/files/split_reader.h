// The rows of a split's files, a batch at a time. Blocking.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/files/listing.h"
#include "connectors/files/records.h"
#include "connectors/source.h"

namespace millrace::connectors::files {

class SplitReader {
 public:
  SplitReader(FilesConfig config, ConfiguredStream stream, std::string split_id, std::vector<DataFile> files);

  // False: these were the last rows. Throws files.bad_row where nobody takes rejects.
  bool fill(RowBatch& batch);

 private:
  void map_columns();
  bool put_row(RowBatch& batch, std::string& why);
  void reject(const std::string& why);
  void end_rejects();

  FilesConfig config_;
  ConfiguredStream stream_;
  std::string split_id_;
  std::vector<DataFile> files_;
  std::size_t next_file_ = 0;
  std::unique_ptr<RecordReader> reader_;
  Record record_;
  int mapped_version_ = -1;
  std::vector<std::ptrdiff_t> from_;  // for each field the item it comes from; -1: none
  std::string scratch_, rejects_path_, rejected_;
  bool rejects_begun_ = false;
};

}  // namespace millrace::connectors::files
