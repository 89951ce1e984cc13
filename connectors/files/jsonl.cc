// One JSON object a line. Numbers are taken as they are written, never through a double; nested values as their text.
#include <nlohmann/json.hpp>

#include "connectors/files/records.h"
#include "connectors/values/parts.h"
#include "connectors/values/values.h"

namespace millrace::connectors::files {

using nlohmann::json;

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Walks over a text that is known to be JSON.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  void spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // A string with its escapes undone.
  std::string string() {
    spaces();
    ++at_;
    std::string out;
    while (text_[at_] != '"') {
      if (text_[at_] != '\\') {
        out += text_[at_++];
        continue;
      }
      const char c = text_[at_ + 1];
      at_ += 2;
      switch (c) {
        case 'b':
          out += '\b';
          break;
        case 'f':
          out += '\f';
          break;
        case 'n':
          out += '\n';
          break;
        case 'r':
          out += '\r';
          break;
        case 't':
          out += '\t';
          break;
        case 'u':
          append_code_point(out);
          break;
        default:
          out += c;
      }
    }
    ++at_;
    return out;
  }

  Item value() {
    spaces();
    Item item;
    const char c = text_[at_];
    if (c == '"') {
      item.form = Item::Form::json_text;
      item.text = string();
      return item;
    }
    const std::size_t start = at_;
    if (c == '{' || c == '[') {
      item.form = Item::Form::json_nested;
      skip_nested();
    } else {
      while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}' && text_[at_] != ']' && !is_space(text_[at_]))
        ++at_;
      item.form = c == 'n'               ? Item::Form::json_null
                  : c == 't' || c == 'f' ? Item::Form::json_boolean
                                         : Item::Form::json_number;
    }
    item.text = text_.substr(start, at_ - start);
    return item;
  }

 private:
  unsigned unit() {
    unsigned out = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      out = out * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return out;
  }
  void append_code_point(std::string& out) {
    unsigned c = unit();
    if (c >= 0xd800 && c < 0xdc00) {
      at_ += 2;
      c = 0x10000 + ((c - 0xd800) << 10) + (unit() - 0xdc00);
    }
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xc0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
      out += static_cast<char>(0xe0 | c >> 12);
      out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
      out += static_cast<char>(0x80 | (c & 0x3f));
    } else {
      out += static_cast<char>(0xf0 | c >> 18);
      out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
      out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
      out += static_cast<char>(0x80 | (c & 0x3f));
    }
  }
  void skip_nested() {
    int depth = 0;
    bool inside = false;  // of a string
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (inside) {
        if (c == '\\')
          ++at_;
        else if (c == '"')
          inside = false;
      } else if (c == '"') {
        inside = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        ++at_;
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

class JsonlReader final : public RecordReader {
 public:
  explicit JsonlReader(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

  bool next(Record& record) override {
    std::string_view line;
    do {
      if (!next_line(line)) return false;
      record.line = line_;
    } while (values::trimmed(line).empty());
    record.error.clear();
    if (line.size() > kMaxRecordBytes)
      record.error = "longer than 64 MiB";
    else if (!values::trimmed(line).starts_with('{') || !values::is_json(line))
      record.error = "not a JSON object";
    if (!record.error.empty()) {
      record.raw = line.substr(0, kMaxRecordBytes);
      return true;
    }
    JsonScanner scanner(line);
    std::size_t n = 0;
    bool renamed = false;
    record.items.clear();
    scanner.take('{');
    while (!scanner.take('}')) {
      scanner.take(',');
      std::string name = scanner.string();
      scanner.take(':');
      record.items.push_back(scanner.value());
      if (n == names_.size()) {
        names_.push_back(std::move(name));
        renamed = true;
      } else if (names_[n] != name) {
        names_[n] = std::move(name);
        renamed = true;
      }
      ++n;
    }
    if (n != names_.size()) {
      names_.resize(n);
      renamed = true;
    }
    if (renamed) ++version_;
    return true;
  }

 private:
  bool next_line(std::string_view& out) {
    for (;;) {
      const auto end = text_.find('\n', from_);
      if (end != std::string::npos || (done_ && at_ < text_.size())) {
        const std::size_t stop = end == std::string::npos ? text_.size() : end;
        out = std::string_view(text_).substr(at_, stop - at_);
        at_ = from_ = end == std::string::npos ? stop : stop + 1;
        ++line_;
        return true;
      }
      if (done_) return false;
      text_.erase(0, at_);
      at_ = 0;
      from_ = text_.size();
      std::string piece;
      if (file_->read(piece))
        text_ += piece;
      else
        done_ = true;
    }
  }

  std::unique_ptr<InputFile> file_;
  std::string text_;
  std::size_t at_ = 0, from_ = 0;  // the line's begin, and from where its end is looked for
  bool done_ = false;
  std::int64_t line_ = 0;
};

std::string quoted_json(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// A JSON array as PostgreSQL's literal of an array.
void array_literal(JsonScanner& scanner, std::string& out) {
  scanner.take('[');
  out += '{';
  for (bool first = true; !scanner.take(']'); first = false) {
    if (!first) scanner.take(',');
    if (!first) out += ',';
    const Item item = scanner.value();
    if (item.form == Item::Form::json_null) {
      out += "NULL";
    } else if (item.form == Item::Form::json_nested && item.text.starts_with('[')) {
      JsonScanner inner(item.text);
      array_literal(inner, out);
    } else if (item.form == Item::Form::json_text || item.form == Item::Form::json_nested) {
      append_quoted(out, item.text);
    } else {
      out += item.text;
    }
  }
  out += '}';
}

void append_value(std::string& out, const Type& type, std::string_view bytes);

// An array whose bounds begin at 1, as JSON; false: it has others, or elements that JSON would mix up with null.
bool append_array(std::string& out, const Type& type, std::string_view bytes) {
  if (type.element == Kind::json || type.element == Kind::jsonb) return false;
  values::ValueReader in(bytes);
  const std::int32_t dims = in.int32();
  in.int32();
  in.int32();
  if (dims == 0) {
    out += "[]";
    return true;
  }
  std::vector<std::int32_t> sizes;
  for (std::int32_t i = 0; i < dims; ++i) {
    sizes.push_back(in.int32());
    if (in.int32() != 1) return false;
  }
  const Type element = values::element_type(type);
  const auto level = [&](const auto& self, std::size_t depth) -> void {
    out += '[';
    for (std::int32_t i = 0; i < sizes[depth]; ++i) {
      if (i > 0) out += ',';
      if (depth + 1 < sizes.size()) {
        self(self, depth + 1);
        continue;
      }
      const std::int32_t length = in.int32();
      if (length < 0)
        out += "null";
      else
        append_value(out, element, in.bytes(static_cast<std::size_t>(length)));
    }
    out += ']';
  };
  level(level, 0);
  return true;
}

void append_value(std::string& out, const Type& type, std::string_view bytes) {
  std::string text;
  switch (type.kind) {
    case Kind::boolean:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
      out += values::to_text(type, bytes);
      return;
    case Kind::float32:
    case Kind::float64:
    case Kind::numeric:
      text = values::to_text(type, bytes);
      if (text.find_first_of("NI") != std::string::npos)
        out += '"' + text + '"';
      else
        out += text;
      return;
    case Kind::json:
    case Kind::jsonb:
      text = values::to_text(type, bytes);
      // A line break between the parts of a document is a space; inside a string there is none.
      for (char& c : text)
        if (c == '\n' || c == '\r') c = ' ';
      out += text;
      return;
    case Kind::array:
      if (append_array(out, type, bytes)) return;
      break;
    default:
      break;
  }
  out += quoted_json(values::to_text(type, bytes, values::TimeStyle::iso));
}

}  // namespace

std::unique_ptr<RecordReader> read_jsonl(std::unique_ptr<InputFile> file) {
  return std::make_unique<JsonlReader>(std::move(file));
}

bool put_item(const Item& item, const Type& type, RowWriter& row, std::string& scratch) {
  const bool document = type.kind == Kind::json || type.kind == Kind::jsonb;
  std::string made;
  std::string_view text = item.text;
  switch (item.form) {
    case Item::Form::missing:
      row.null();
      return true;
    case Item::Form::json_null:
      if (!document) {
        row.null();
        return true;
      }
      break;
    case Item::Form::json_text:
      if (document) {
        made = quoted_json(text);
        text = made;
      }
      break;
    case Item::Form::json_nested:
      if (type.kind == Kind::array && text.starts_with('[')) {
        JsonScanner scanner(text);
        array_literal(scanner, made);
        text = made;
      }
      break;
    default:
      break;
  }
  scratch.clear();
  if (!values::from_text(type, text, scratch)) return false;
  row.bytes(scratch);
  return true;
}

void append_jsonl(std::string& out, const Schema& schema, const std::vector<RowReader::FieldView>& fields) {
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Type& type = schema.fields[i].type;
    const bool null = fields[i].length < 0;
    // The null of JSON is a value of a document; that there is none is said by leaving it out.
    if (null && (type.kind == Kind::json || type.kind == Kind::jsonb)) continue;
    if (!first) out += ',';
    first = false;
    out += quoted_json(schema.fields[i].name) + ":";
    if (null)
      out += "null";
    else
      append_value(out, type, fields[i].bytes);
  }
  out += "}\n";
}

}  // namespace millrace::connectors::files
