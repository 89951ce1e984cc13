// Rows for a COPY ... FROM STDIN, in PostgreSQL's text or binary format, built field by field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/position.h"

namespace millrace::connectors::postgres {

class CopyRows {
 public:
  explicit CopyRows(bool text) : text_(text) {}
  bool text() const { return text_; }

  void begin(int fields);
  void null();
  // In the form that the format wants, as the source sent it.
  void value(std::string_view bytes);
  void int4(std::int32_t v);
  void int8(std::int64_t v);
  void lsn(Lsn v);
  void timestamp(std::int64_t unix_us);
  void words(std::string_view v) { value(v); }  // a text, the same in both forms
  void word_array(const std::vector<std::string>& v);
  void end();

  std::int64_t rows() const { return rows_; }
  std::size_t size() const { return out_.size(); }
  // "FORMAT text" or "FORMAT binary"; what stands before and after the rows.
  const char* format() const { return text_ ? "text" : "binary"; }
  std::string_view header() const;
  std::string_view trailer() const;
  const std::string& bytes() const { return out_; }
  void clear();

 private:
  bool text_;
  bool first_ = true;
  std::string out_;
  std::int64_t rows_ = 0;
};

}  // namespace millrace::connectors::postgres
