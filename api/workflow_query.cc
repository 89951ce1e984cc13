#include "api/workflow_query.h"

#include "common/errors.h"

namespace millrace::api {
namespace {

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  engine::ListFilter parse() {
    engine::ListFilter filter;
    skip_space();
    if (at_ == text_.size()) return filter;
    for (;;) {
      condition(filter);
      skip_space();
      if (at_ == text_.size()) return filter;
      const std::string word = identifier();
      if (word != "AND" && word != "and") fail("'AND' or the end is expected");
    }
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error("workflow.query_invalid", why + " at character " + std::to_string(at_ + 1));
  }
  std::string identifier() {
    skip_space();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (at_ == begin) fail("a name is expected");
    return text_.substr(begin, at_ - begin);
  }
  std::string value() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail("a value in quotes is expected");
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string::npos) fail("the quote is not closed");
    std::string out = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return out;
  }

  void condition(engine::ListFilter& filter) {
    const std::string field = identifier();
    skip_space();
    if (at_ >= text_.size() || text_[at_] != '=') fail("only '=' is understood after " + field);
    ++at_;
    const std::string v = value();
    if (field == "Status" || field == "ExecutionStatus") {
      filter.status = status(v);
    } else if (field == "WorkflowType") {
      filter.type = v;
    } else if (field == "WorkflowId") {
      filter.workflow_id = v;
    } else {
      fail("the field '" + field + "' is not known");
    }
  }

  engine::ExecutionStatus status(const std::string& word) const {
    using enum engine::ExecutionStatus;
    for (const auto s : {running, completed, failed, canceled, terminated, timed_out, continued_as_new, paused}) {
      if (engine::to_string(s) == word) return s;
    }
    fail("'" + word + "' is no status of an execution");
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

}  // namespace

engine::ListFilter parse_workflow_query(const std::string& query) { return Parser(query).parse(); }

}  // namespace millrace::api
