// Doctor: does what lies in the store hold together?
//
// Every invariant that a crash must not break (each is a check below) is looked at over a frozen view of the store, so
// it may be asked of a server at work. Nothing is changed and no code of a workflow runs. The work is bounded in
// memory: one run at a time, then each kind of row in order.
//
// Checks, by name
//   history.unreadable   a batch, its checksum or a blob of it can't be read, or ids are not dense from 1
//   history.reference    an event speaks of one that is not there, or that had ended before
//   step.closed_twice    a scheduled step has more than one closing event
//   record.missing       a history or an open row without a record
//   record.differs       the record is not what the history says
//   index.missing        a run is not in a list that it belongs into
//   index.stray          a row of a list names a run that does not belong there
//   open_row.missing     a run that is open would not be looked at by a restart
//   open_row.stray       a restart would look at a run that is closed
//   current.wrong        a workflow id means no run, another id's, or a closed one though one is open
//   timer.missing        something waits for a time and has no row that wakes it
//   timer.stray          a row of a timer of a run that is closed or not there, or that waits for no such thing
//   ready.stray          a row of a step that may be taken, of a run that is closed or not there
//   outbox.missing       something waits for the answer to a message that is not there
//   outbox.stray         a message that cannot be read
//   schedule.differs     a schedule's row contradicts itself: a start that waits twice or was made, times that can't be
//   read orphan               rows of a run (attempts, checkpoints, log, blobs, items) that has no record
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "state/store.h"

namespace millrace::engine {

struct StoreFault {
  std::string check;
  std::string workflow_id;  // empty: not known
  std::string run_id;       // empty: of no run
  std::string detail;
};

struct DoctorReport {
  std::uint64_t runs = 0;
  std::uint64_t events = 0;
  std::uint64_t rows = 0;  // beside histories
  std::uint64_t fault_count = 0;
  std::map<std::string, std::uint64_t> by_check;
  std::vector<StoreFault> faults;  // the first kFaultsKept
};
inline constexpr std::size_t kFaultsKept = 1'000;

// `pause` is awaited after each run and each page of rows: empty for at once, a sleep for a low rate. Cancellation
// throws.
using DoctorPause = std::function<asio::awaitable<void>()>;
asio::awaitable<DoctorReport> examine(std::shared_ptr<state::Snapshot> view, DoctorPause pause);

// For logs and the command line: "3 runs, 120 events and 45 rows hold together", or what does not.
std::string summary_of(const DoctorReport& report);

}  // namespace millrace::engine
