// CSV as RFC 4180 has it: fields may be quoted, a quoted field may hold delimiters, line breaks and doubled quotes.
// An unquoted field that is the null value is null; "" in quotes is an empty text.
#include <algorithm>

#include "connectors/files/records.h"
#include "connectors/values/values.h"

namespace millrace::connectors::files {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class CsvReader final : public RecordReader {
 public:
  CsvReader(std::unique_ptr<InputFile> file, const FilesConfig& config)
      : file_(std::move(file)), delimiter_(config.delimiter), header_(config.header), null_value_(config.null_value) {}

  bool next(Record& record) override {
    if (!begun_) begin();
    for (;;) {
      if (!parse(record)) return false;
      // A line with nothing in it is a row only where a row is one field.
      const bool blank = fields_ == 1 && !quoted_.front() && record.items.front().text.empty();
      if (blank && names_.size() != 1 && record.error.empty()) continue;
      break;
    }
    if (!header_ && names_.empty()) name_columns(fields_);
    if (record.error.empty() && fields_ != names_.size())
      record.error =
          std::to_string(fields_) + " fields where the file has " + std::to_string(names_.size()) + " columns";
    if (!record.error.empty()) {
      record.raw = text_.substr(start_, at_ - start_);
      while (record.raw.ends_with('\n') || record.raw.ends_with('\r')) record.raw.pop_back();
      return true;
    }
    for (std::size_t i = 0; i < fields_; ++i) {
      Item& item = record.items[i];
      item.form = !quoted_[i] && item.text == null_value_ ? Item::Form::missing : Item::Form::text;
    }
    record.items.resize(fields_);
    return true;
  }

 private:
  void begin() {
    begun_ = true;
    peek();
    if (std::string_view(text_).starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    if (!header_) return;
    Record head;
    if (!parse(head)) return;
    for (std::size_t i = 0; i < fields_; ++i) {
      std::string name = head.items[i].text;
      if (name.empty()) name = "column_" + std::to_string(i + 1);
      const std::string base = name;
      for (int n = 2; std::find(names_.begin(), names_.end(), name) != names_.end(); ++n)
        name = base + "_" + std::to_string(n);
      names_.push_back(std::move(name));
    }
    ++version_;
  }

  void name_columns(std::size_t n) {
    for (std::size_t i = 1; i <= n; ++i) names_.push_back("column_" + std::to_string(i));
    ++version_;
  }

  // The next byte, or -1 at the end.
  int peek() {
    while (at_ == text_.size()) {
      if (done_) return -1;
      std::string piece;
      if (!file_->read(piece))
        done_ = true;
      else
        text_ += piece;
    }
    return static_cast<unsigned char>(text_[at_]);
  }

  Item& field(Record& record) {
    if (record.items.size() <= fields_) record.items.emplace_back();
    if (quoted_.size() <= fields_) quoted_.push_back(false);
    Item& item = record.items[fields_];
    item.text.clear();
    quoted_[fields_] = false;
    ++fields_;
    return item;
  }

  // One record's fields; false at the end.
  bool parse(Record& record) {
    if (at_ > (1 << 20)) {
      text_.erase(0, at_);
      at_ = 0;
    }
    record.error.clear();
    record.line = line_;
    fields_ = 0;
    if (peek() < 0) return false;
    start_ = at_;
    Item* item = &field(record);
    for (;;) {
      int c = peek();
      if (c == '"' && item->text.empty() && !quoted_[fields_ - 1]) {
        quoted_[fields_ - 1] = true;
        ++at_;
        if (!quoted_text(record, item->text)) return true;
        c = peek();
        if (c >= 0 && c != delimiter_ && c != '\n' && c != '\r') record.error = "text after the closing quote";
      }
      if (c < 0) return true;
      ++at_;
      if (c == '\n') {
        ++line_;
        if (!item->text.empty() && !quoted_[fields_ - 1] && item->text.back() == '\r') item->text.pop_back();
        return true;
      }
      if (c == static_cast<unsigned char>(delimiter_)) {
        item = &field(record);
      } else if (c != '\r' || !quoted_[fields_ - 1]) {
        item->text += static_cast<char>(c);
      }
      if (at_ - start_ > kMaxRecordBytes) {
        record.error = "longer than 64 MiB";
        return true;
      }
    }
  }

  // Up to and over the closing quote; false where the file ends first, or the record is too long.
  bool quoted_text(Record& record, std::string& out) {
    for (;;) {
      const int c = peek();
      if (c < 0 || at_ - start_ > kMaxRecordBytes) {
        record.error = "a quote is not closed";
        return false;
      }
      ++at_;
      if (c == '\n') ++line_;
      if (c == '"') {
        if (peek() != '"') return true;
        ++at_;
      }
      out += static_cast<char>(c);
    }
  }

  std::unique_ptr<InputFile> file_;
  char delimiter_;
  bool header_;
  std::string null_value_;
  std::string text_;  // what was read and may be needed
  std::size_t at_ = 0, start_ = 0;
  std::int64_t line_ = 1;
  bool begun_ = false, done_ = false;
  std::size_t fields_ = 0;
  std::vector<bool> quoted_;
};

void append_field(std::string& out, std::string_view text, const FilesConfig& config) {
  const bool quote = text == config.null_value || text.find(config.delimiter) != std::string_view::npos ||
                     text.find_first_of("\"\n\r") != std::string_view::npos;
  if (!quote) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

std::unique_ptr<RecordReader> read_csv(std::unique_ptr<InputFile> file, const FilesConfig& config) {
  return std::make_unique<CsvReader>(std::move(file), config);
}

void append_csv_header(std::string& out, const Schema& schema, char delimiter) {
  FilesConfig config;
  config.delimiter = delimiter;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (i > 0) out += delimiter;
    append_field(out, schema.fields[i].name, config);
  }
  out += '\n';
}

void append_csv(std::string& out, const Schema& schema, const std::vector<RowReader::FieldView>& fields,
                const FilesConfig& config) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += config.delimiter;
    if (fields[i].length < 0)
      out += config.null_value;
    else
      append_field(out, values::to_text(schema.fields[i].type, fields[i].bytes, values::TimeStyle::iso), config);
  }
  out += '\n';
}

}  // namespace millrace::connectors::files
