// Lists, newest first. The index is written in the batch of the event, so a list right after a start shows it. The
// narrowest index that the filter allows is scanned; what it does not decide is looked up in the runs' records.
#include <cctype>

#include "common/errors.h"
#include "engine/engine_impl.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr std::size_t kScanRows = 256;

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

// A page is the key behind which the next one begins, in hexadecimal.
std::string key_of_page(const std::string& page) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    throw Error("workflow.invalid", "the page of a list is not one that a list gave");
  };
  if (page.size() % 2 != 0) throw Error("workflow.invalid", "the page of a list is not one that a list gave");
  std::string key;
  for (std::size_t i = 0; i < page.size(); i += 2) key += static_cast<char>(digit(page[i]) * 16 + digit(page[i + 1]));
  return key;
}

}  // namespace

asio::awaitable<ListPage> Engine::Impl::list(ListFilter filter) {
  std::string prefix = keys::index_by_start_prefix();
  bool by_attribute = true;
  if (filter.workflow_id)
    prefix = keys::index_by_attribute_prefix("workflowId", *filter.workflow_id);
  else if (filter.status)
    prefix = keys::index_by_attribute_prefix("status", to_string(*filter.status));
  else if (filter.type)
    prefix = keys::index_by_attribute_prefix("type", *filter.type);
  else
    by_attribute = false;

  state::Range range = state::prefix_range(prefix);
  range.limit = kScanRows;
  if (!filter.page.empty()) {
    range.begin = key_of_page(filter.page) + '\0';
    if (!std::string_view(range.begin).starts_with(prefix))
      throw Error("workflow.invalid", "the page belongs to a list with another filter");
  }
  ListPage page;
  for (;;) {
    const auto rows = co_await core_->store->scan(range);
    if (rows.empty()) co_return page;
    for (const state::KeyValue& row : rows) {
      if (page.executions.size() >= filter.limit) {
        page.next = to_hex(range.begin.substr(0, range.begin.size() - 1));
        co_return page;
      }
      state::KeyReader key(row.key);
      if (by_attribute) {
        (void)key.str();
        (void)key.str();
      }
      (void)key.inverse_time();
      const std::string run_id = key.str();
      range.begin = row.key + '\0';
      const auto bytes = co_await core_->store->get(keys::run(run_id));
      if (!bytes) continue;  // deleted meanwhile
      const auto record = decode_record<RunRecord>(*bytes);
      if (filter.type && record.type != *filter.type) continue;
      if (filter.status && record.status != *filter.status) continue;
      if (filter.workflow_id && record.workflow_id != *filter.workflow_id) continue;
      page.executions.push_back(to_execution(run_id, record));
    }
  }
}

}  // namespace millrace::engine
