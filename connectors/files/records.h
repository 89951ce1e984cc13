// Records of CSV and JSONL files, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/files/config.h"
#include "connectors/files/io.h"
#include "connectors/row_batch.h"

namespace millrace::connectors::files {

struct Item {
  enum class Form {
    missing,    // no value: a CSV field that is null, a JSON object without the member
    text,       // of a CSV field
    json_text,  // a JSON string, decoded
    json_null,
    json_number,   // as it is written
    json_boolean,  // true or false
    json_nested,   // an object or array, as it is written
  };
  Form form = Form::missing;
  std::string text;
};

struct Record {
  std::int64_t line = 0;    // where it begins, from 1
  std::vector<Item> items;  // one for each of the reader's names
  std::string error;        // not empty: it is no record, and why
  std::string raw;          // the text of one that is none
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // False at the end. Throws what InputFile throws.
  virtual bool next(Record& record) = 0;
  // The names that the items of the last record belong to, and a number that changes with them.
  const std::vector<std::string>& names() const { return names_; }
  int names_version() const { return version_; }

 protected:
  std::vector<std::string> names_;
  int version_ = 0;
};

std::unique_ptr<RecordReader> read_csv(std::unique_ptr<InputFile> file, const FilesConfig& config);
std::unique_ptr<RecordReader> read_jsonl(std::unique_ptr<InputFile> file);
// By the configuration, and the file's name where that says so.
std::unique_ptr<RecordReader> open_records(const std::string& path, const FilesConfig& config);

// Appends a value of `type` to `row`; false, and nothing is appended, if the item is none.
bool put_item(const Item& item, const Type& type, RowWriter& row, std::string& scratch);

// Finds names and types from records.
class Inference {
 public:
  void add(const RecordReader& reader, const Record& record);
  Schema schema() const;

 private:
  struct Seen {
    std::string name;
    bool any = false, text = false, string = false, number = false, boolean = false, nested = false, json = false;
    // What every value so far could be.
    bool may_boolean = true, may_integer = true, may_number = true, may_date = true, may_timestamp = true,
         may_zoned = true;
  };
  static void look(Seen& seen, const Item& item);
  static Type type_of(const Seen& seen);

  std::vector<Seen> columns_;
};

// A row of a batch as a line. `fields` are those of `schema`, in its order.
void append_csv_header(std::string& out, const Schema& schema, char delimiter);
void append_csv(std::string& out, const Schema& schema, const std::vector<RowReader::FieldView>& fields,
                const FilesConfig& config);
void append_jsonl(std::string& out, const Schema& schema, const std::vector<RowReader::FieldView>& fields);

inline constexpr std::size_t kMaxRecordBytes = 64U << 20;

}  // namespace millrace::connectors::files
