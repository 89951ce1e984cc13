// Whether a text is JSON (RFC 8259), for documents whose numbers may be larger than any double: those are values to
// PostgreSQL, and an overflow to parsers that make numbers of them.
#include "connectors/values/values.h"

namespace millrace::connectors::values {
namespace {

constexpr std::size_t kMaxDepth = 2'000;

class Checker {
 public:
  Checker(std::string_view text, bool zero_allowed) : text_(text), zero_allowed_(zero_allowed) {}

  bool document() {
    std::string open;  // '{' and '[' around the place
    for (;;) {
      spaces();
      // A value begins here.
      if (take('{')) {
        spaces();
        if (!take('}')) {
          open += '{';
          if (open.size() > kMaxDepth || !member()) return false;
          continue;
        }
      } else if (take('[')) {
        spaces();
        if (!take(']')) {
          open += '[';
          if (open.size() > kMaxDepth) return false;
          continue;
        }
      } else if (!scalar()) {
        return false;
      }
      // A value ended here.
      for (;;) {
        spaces();
        if (open.empty()) return at_ == text_.size();
        if (take(',')) {
          spaces();
          if (open.back() == '{' && !member()) return false;
          break;
        }
        if (!take(open.back() == '{' ? '}' : ']')) return false;
        open.pop_back();
      }
    }
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void spaces() {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }
  bool word(std::string_view w) {
    if (!text_.substr(at_).starts_with(w)) return false;
    at_ += w.size();
    return true;
  }
  bool digits() {
    const std::size_t first = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > first;
  }
  // "name" :
  bool member() {
    if (!string()) return false;
    spaces();
    return take(':');
  }
  bool scalar() {
    switch (peek()) {
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }
  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }
  bool unit(unsigned& out) {
    std::string bytes;
    if (text_.size() - at_ < 4 || !unhex(text_.substr(at_, 4), bytes)) return false;
    at_ += 4;
    out = static_cast<unsigned char>(bytes[0]) * 256u + static_cast<unsigned char>(bytes[1]);
    return true;
  }
  bool escape() {
    const char c = peek();
    ++at_;
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos && c != '\0';
    unsigned first = 0, second = 0;
    if (!unit(first)) return false;
    if (first == 0) return zero_allowed_;
    if (first < 0xd800 || first >= 0xe000) return true;
    return first < 0xdc00 && word("\\u") && unit(second) && second >= 0xdc00 && second < 0xe000;
  }
  bool string() {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && (at_ == text_.size() || !escape())) return false;
    }
    return false;
  }

  std::string_view text_;
  bool zero_allowed_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_json(std::string_view text, bool zero_allowed) {
  return is_valid_text(text) && Checker(text, zero_allowed).document();
}

}  // namespace millrace::connectors::values
