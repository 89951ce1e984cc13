// Reading a history from the store, in order and page by page, and running it through a Replayer.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "engine/events/event.h"
#include "engine/replayer.h"
#include "state/store.h"

namespace millrace::engine {

// Reads the events of a run in the order of their ids, some batches at a time, payloads in blobs included. Throws
// store.corrupt where ids are not dense or a blob is missing.
class HistoryReader {
 public:
  // From the batch that begins with `first_batch` on.
  HistoryReader(state::Store& store, std::string run_id, std::uint64_t first_batch = 1, bool with_blobs = true);
  // The next batch; empty at the end.
  asio::awaitable<std::vector<HistoryEvent>> next();

 private:
  state::Store& store_;
  std::string run_id_;
  bool with_blobs_;
  std::string from_;
  std::deque<std::string> batches_;
  std::uint64_t next_id_;
  bool at_end_ = false;
};

// Reads the payloads that lie in blobs. `events` must outlive the call.
asio::awaitable<void> load_blobs(state::Store& store, std::string run_id, std::vector<HistoryEvent>* events);

// All events of a batch that lies at `first_event`; empty if there is none.
asio::awaitable<std::vector<HistoryEvent>> read_batch(state::Store& store, std::string run_id,
                                                      std::uint64_t first_event);

class HistoryReplay;
class Registry;

// A history run through today's code from its first event on, without any effect.
class HistoryTrial {
 public:
  // `registry` must outlive it. `run_id` seeds random(), unless event 1 names another.
  HistoryTrial(const Registry& registry, std::string run_id);
  ~HistoryTrial();
  HistoryTrial(const HistoryTrial&) = delete;
  HistoryTrial& operator=(const HistoryTrial&) = delete;
  // Events in order; after a divergence they are passed over.
  void feed(const HistoryEvent& event);
  void finish();
  // The turn whose commands are being gathered, and those that came so far.
  std::optional<HistoryEvent> open_turn() const;
  std::vector<HistoryEvent> open_commands() const;

  std::optional<Divergence> divergence;
  std::uint64_t events = 0;            // that agreed
  std::unique_ptr<Replayer> replayer;  // null before event 1, and if the build has no code for the type

 private:
  const Registry& registry_;
  const std::string run_id_;
  std::unique_ptr<HistoryReplay> replay_;
};

// Cuts a stream of events into turns and feeds them to a replayer.
class HistoryReplay {
 public:
  explicit HistoryReplay(Replayer& replayer) : replayer_(replayer) {}
  // Events in order. After a divergence nothing more may be fed.
  std::optional<Divergence> feed(const HistoryEvent& event);
  // The history ends here.
  std::optional<Divergence> finish();
  const std::optional<HistoryEvent>& open_turn() const { return turn_; }
  const std::vector<HistoryEvent>& open_commands() const { return commands_; }

 private:
  Replayer& replayer_;
  std::optional<HistoryEvent> turn_;  // whose commands are being gathered
  std::vector<HistoryEvent> commands_;
  std::uint64_t last_id_ = 0;
  bool closed_ = false;
};

}  // namespace millrace::engine
