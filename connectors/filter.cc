#include "connectors/filter.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include "common/errors.h"

namespace millrace::connectors {
namespace {

constexpr std::size_t kMostBytes = 16 << 10;
constexpr int kMostDepth = 64;

constexpr std::array<std::string_view, 38> kFunctions{
    "abs",       "age",     "ceil",         "char_length",  "coalesce",     "date_part",   "date_trunc", "floor",
    "greatest",  "initcap", "jsonb_typeof", "least",        "left",         "length",      "lower",      "ltrim",
    "md5",       "mod",     "now",          "nullif",       "octet_length", "position",    "replace",    "reverse",
    "right",     "round",   "rtrim",        "sign",         "split_part",   "starts_with", "strpos",     "substr",
    "substring", "to_char", "to_date",      "to_timestamp", "trim",         "upper"};
constexpr std::array<std::string_view, 21> kTypes{"bigint", "bool",      "boolean",    "date", "float4",   "float8",
                                                  "int",    "int2",      "int4",       "int8", "integer",  "interval",
                                                  "json",   "jsonb",     "numeric",    "real", "smallint", "text",
                                                  "time",   "timestamp", "timestamptz"};
constexpr std::array<std::string_view, 6> kMoreTypes{"uuid", "varchar",          "decimal",
                                                     "inet", "double precision", "timetz"};
constexpr std::array<std::string_view, 16> kWords{"and",   "between", "current_date", "current_timestamp",
                                                  "false", "ilike",   "in",           "interval",
                                                  "is",    "like",    "not",          "null",
                                                  "or",    "true",    "date",         "timestamp"};

bool in(const auto& list, std::string_view word) { return std::find(list.begin(), list.end(), word) != list.end(); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

struct Token {
  enum class Kind { word, quoted, text, number, symbol, end } kind = Kind::end;
  std::string text;  // a word as written; a quoted name or text without its quotes
  std::size_t at = 0;
};

[[noreturn]] void invalid(std::size_t at, const std::string& what) {
  throw Error("connector.filter_invalid", "at character " + std::to_string(at + 1) + ": " + what);
}

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }
bool digit(char c) { return c >= '0' && c <= '9'; }

// "..." or '...' from `at`; a doubled quote stands for itself.
std::string quoted(const std::string& s, std::size_t& at) {
  const char quote = s[at];
  const std::size_t from = at++;
  std::string out;
  for (;;) {
    if (at >= s.size()) invalid(from, "the quote is not closed");
    if (s[at] == quote) {
      if (at + 1 < s.size() && s[at + 1] == quote) {
        out += quote;
        at += 2;
        continue;
      }
      ++at;
      return out;
    }
    if (s[at] == '\0') invalid(at, "a null byte");
    out += s[at++];
  }
}

std::vector<Token> tokens_of(const std::string& s) {
  static constexpr std::array<std::string_view, 22> kSymbols{"->>", "<=", ">=", "<>", "!=", "||", "::", "->",
                                                             "(",   ")",  ",",  "=",  "<",  ">",  "+",  "-",
                                                             "*",   "/",  "%",  "[",  "]",  "."};
  if (s.size() > kMostBytes) invalid(0, "longer than " + std::to_string(kMostBytes) + " bytes");
  std::vector<Token> out;
  std::size_t at = 0;
  while (at < s.size()) {
    const char c = s[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at;
      continue;
    }
    Token t;
    t.at = at;
    if (letter(c)) {
      t.kind = Token::Kind::word;
      while (at < s.size() && (letter(s[at]) || digit(s[at]))) t.text += s[at++];
    } else if (c == '"') {
      t.kind = Token::Kind::quoted;
      t.text = quoted(s, at);
      if (t.text.empty()) invalid(t.at, "a name is empty");
    } else if (c == '\'') {
      t.kind = Token::Kind::text;
      t.text = quoted(s, at);
    } else if (digit(c)) {
      t.kind = Token::Kind::number;
      while (at < s.size() && (digit(s[at]) || s[at] == '.')) t.text += s[at++];
      if (at < s.size() && (s[at] == 'e' || s[at] == 'E')) {
        t.text += s[at++];
        if (at < s.size() && (s[at] == '+' || s[at] == '-')) t.text += s[at++];
        while (at < s.size() && digit(s[at])) t.text += s[at++];
      }
    } else {
      const auto it = std::find_if(kSymbols.begin(), kSymbols.end(),
                                   [&](auto symbol) { return s.compare(at, symbol.size(), symbol) == 0; });
      if (it == kSymbols.end() || s.compare(at, 2, "--") == 0 || s.compare(at, 2, "/*") == 0)
        invalid(at, std::string("\"") + c + "\" can't stand here");
      t.kind = Token::Kind::symbol;
      t.text = *it;
      at += it->size();
    }
    out.push_back(std::move(t));
  }
  Token end;
  end.at = s.size();
  out.push_back(end);
  return out;
}

std::string quote(std::string_view text, char with) {
  std::string out(1, with);
  for (const char c : text) {
    out += c;
    if (c == with) out += c;
  }
  return out += with;
}

// Gives the field's own name for a name as it was written.
using Resolve = std::function<std::string(const Token&)>;

class Parser {
 public:
  Parser(const std::string& text, Resolve resolve) : tokens_(tokens_of(text)), resolve_(std::move(resolve)) {}

  std::string whole() {
    if (peek().kind == Token::Kind::end) invalid(0, "it is empty");
    std::string out = any_of();
    if (peek().kind != Token::Kind::end) expected("AND, OR or the end");
    return out;
  }

 private:
  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() { return tokens_[std::min(at_++, tokens_.size() - 1)]; }
  bool is_word(const char* word, std::size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::word && lower(peek(ahead).text) == word;
  }
  bool is_symbol(const char* symbol) const { return peek().kind == Token::Kind::symbol && peek().text == symbol; }
  bool accept_word(const char* word) {
    if (!is_word(word)) return false;
    ++at_;
    return true;
  }
  bool accept(const char* symbol) {
    if (!is_symbol(symbol)) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void expected(const std::string& what) const {
    const Token& t = peek();
    invalid(t.at, "expected " + what + (t.kind == Token::Kind::end ? ", found the end" : ", found \"" + t.text + "\""));
  }
  void need(const char* symbol) {
    if (!accept(symbol)) expected(std::string("\"") + symbol + "\"");
  }
  struct Deeper {
    explicit Deeper(Parser& p) : parser(p) {
      if (++parser.depth_ > kMostDepth) invalid(parser.peek().at, "nested deeper than " + std::to_string(kMostDepth));
    }
    ~Deeper() { --parser.depth_; }
    Parser& parser;
  };

  std::string any_of() {
    std::string out = all_of();
    while (accept_word("or")) out += " OR " + all_of();
    return out;
  }
  std::string all_of() {
    std::string out = negated();
    while (accept_word("and")) out += " AND " + negated();
    return out;
  }
  std::string negated() {
    const Deeper deeper(*this);
    if (accept_word("not")) return "NOT " + negated();
    return predicate();
  }

  std::string predicate() {
    std::string left = value();
    for (const char* op : {"=", "<>", "!=", "<=", ">=", "<", ">"})
      if (accept(op)) return left + " " + (std::string(op) == "!=" ? "<>" : op) + " " + value();
    if (accept_word("is")) {
      std::string out = left + " IS ";
      if (accept_word("not")) out += "NOT ";
      for (const char* word : {"null", "true", "false"})
        if (accept_word(word)) return out + word;
      expected("NULL, TRUE or FALSE");
    }
    const bool negative = accept_word("not");
    const std::string no = negative ? " NOT" : "";
    if (accept_word("in")) {
      need("(");
      std::string out = left + no + " IN (" + value();
      while (accept(",")) out += ", " + value();
      need(")");
      return out + ")";
    }
    if (accept_word("like")) return left + no + " LIKE " + value();
    if (accept_word("ilike")) return left + no + " ILIKE " + value();
    if (accept_word("between")) {
      std::string out = left + no + " BETWEEN " + value();
      if (!accept_word("and")) expected("AND");
      return out + " AND " + value();
    }
    if (negative) expected("IN, LIKE or BETWEEN");
    return left;
  }

  std::string value() {
    const Deeper deeper(*this);
    std::string out = term();
    for (;;) {
      bool more = false;
      for (const char* op : {"+", "-", "*", "/", "%", "||", "->>", "->"})
        if (accept(op)) {
          out += " " + std::string(op) + " " + term();
          more = true;
          break;
        }
      if (!more) return out;
    }
  }

  std::string term() {
    const Deeper deeper(*this);
    std::string out;
    if (accept("-"))
      out = "- " + term();
    else if (accept("(")) {
      out = "(" + any_of() + ")";
      need(")");
    } else if (peek().kind == Token::Kind::number || peek().kind == Token::Kind::text) {
      const Token& t = take();
      out = t.kind == Token::Kind::number ? t.text : quote(t.text, '\'');
    } else if (peek().kind == Token::Kind::quoted) {
      out = quote(resolve_(take()), '"');
    } else if (peek().kind == Token::Kind::word) {
      out = word();
    } else {
      expected("a value");
    }
    while (accept("::")) out += "::" + type();
    return out;
  }

  std::string word() {
    const std::string name = lower(peek().text);
    if (peek(1).kind == Token::Kind::symbol && peek(1).text == "(") {
      if (!in(kFunctions, name)) invalid(peek().at, "the function \"" + peek().text + "\" is not among those allowed");
      at_ += 2;
      std::string out = name + "(";
      if (accept(")")) return out + ")";
      out += value();
      while (accept(",")) out += ", " + value();
      need(")");
      return out + ")";
    }
    if (peek(1).kind == Token::Kind::text &&
        (name == "interval" || name == "date" || name == "timestamp" || name == "timestamptz" || name == "time")) {
      ++at_;
      return name + " " + quote(take().text, '\'');
    }
    if (name == "true" || name == "false" || name == "null" || name == "current_date" || name == "current_timestamp") {
      ++at_;
      return name;
    }
    if (in(kWords, name) && name != "date" && name != "timestamp" && name != "interval") expected("a value");
    return quote(resolve_(take()), '"');
  }

  std::string type() {
    if (peek().kind != Token::Kind::word) expected("a type");
    const std::size_t at = peek().at;
    std::string name = lower(take().text);
    if (name == "double" && accept_word("precision")) name = "double precision";
    if (!in(kTypes, name) && !in(kMoreTypes, name)) invalid(at, "the type \"" + name + "\" is not among those allowed");
    return name;
  }

  std::vector<Token> tokens_;
  Resolve resolve_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

void check_filter(const std::string& text) {
  Parser parser(text, [](const Token& t) { return t.text; });
  parser.whole();
}

std::string resolve_filter(const std::string& text, const Schema& schema) {
  Parser parser(text, [&schema](const Token& t) {
    if (schema.index_of(t.text)) return t.text;
    const std::string folded = lower(t.text);
    if (t.kind == Token::Kind::word && schema.index_of(folded)) return folded;
    throw Error("stream.field_unknown", "the filter names \"" + t.text + "\"");
  });
  return parser.whole();
}

std::string filter_sql(const std::string& resolved) {
  Parser parser(resolved, [](const Token& t) { return t.text; });
  return parser.whole();
}

std::string window_filter(const std::string& condition, const std::string& field, const std::string& from,
                          const std::string& to) {
  std::string out = condition.empty() ? "" : "(" + condition + ")";
  const auto add = [&](const char* op, const std::string& value) {
    if (value.empty()) return;
    if (!out.empty()) out += " AND ";
    out += quote(field, '"') + " " + op + " " + quote(value, '\'');
  };
  add(">=", from);
  add("<", to);
  return out;
}

}  // namespace millrace::connectors
