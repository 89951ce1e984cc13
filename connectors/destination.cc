// What a destination does unless it says otherwise.
#include "connectors/destination.h"

#include "common/errors.h"
#include "connectors/change_writer.h"

namespace millrace::connectors {
namespace {

[[noreturn]] void unsupported(const char* what) {
  throw Error("destination.unsupported", std::string(what) + " is not known to this destination");
}

}  // namespace

void SplitWriter::quarantine(std::vector<QuarantinedValue> values) {
  if (!values.empty()) unsupported("keeping values that do not fit");
}

asio::awaitable<std::vector<OwnedTable>> Destination::owned_tables(std::string) { unsupported("a list of tables"); }
asio::awaitable<std::int64_t> Destination::clear(StreamTarget) { unsupported("clear"); }
asio::awaitable<TakenBack> Destination::undo(StreamTarget, std::int64_t) { unsupported("undo"); }
asio::awaitable<TablePreview> Destination::preview(StreamTarget) { unsupported("a preview"); }
asio::awaitable<std::vector<QuarantinedRow>> Destination::quarantined(std::string, std::optional<StreamName>,
                                                                      std::int64_t, std::size_t) {
  unsupported("a quarantine");
}
asio::awaitable<std::unique_ptr<ChangeWriter>> Destination::open_changes(ChangeTarget, std::string, std::uint32_t) {
  throw Error("destination.mode_unsupported", "this destination can't follow a log of changes");
  co_return nullptr;
}

}  // namespace millrace::connectors
