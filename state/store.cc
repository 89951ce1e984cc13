#include "state/store.h"

#include <iterator>

#include "common/errors.h"

namespace millrace::state {

Range prefix_range(std::string_view prefix) {
  // The end is the least string above all that begin with the prefix: its last byte that can grow, grown by one.
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return Range(std::string(prefix), std::move(end));
}

void Batch::append(Batch other) {
  bytes_ += other.bytes_;
  operations_.insert(operations_.end(), std::make_move_iterator(other.operations_.begin()),
                     std::make_move_iterator(other.operations_.end()));
  conditions_.insert(conditions_.end(), std::make_move_iterator(other.conditions_.begin()),
                     std::make_move_iterator(other.conditions_.end()));
}

asio::awaitable<BackupInfo> Store::back_up(std::string) { throw Error("store.backup_unsupported"); }

}  // namespace millrace::state
