// A store whose reads may take long and whose answers may come late, one batch apart from another: what a disk and a
// pool of threads do. Order of effect and durability stay those of the store behind it.
#pragma once

#include <memory>

#include "common/runtime.h"
#include "state/store.h"
#include "tests/sim/faults.h"
#include "tests/sim/marks.h"

namespace millrace::sim {

class FaultyStore final : public state::Store {
 public:
  FaultyStore(Runtime runtime, std::shared_ptr<state::Store> inner, const FaultPlan& plan, Chance chance, Marks& marks)
      : runtime_(std::move(runtime)), inner_(std::move(inner)), plan_(plan), chance_(chance), marks_(marks) {}

  asio::awaitable<std::optional<std::string>> get(std::string key) override {
    co_await be_slow();
    co_return co_await inner_->get(std::move(key));
  }
  asio::awaitable<std::vector<state::KeyValue>> scan(state::Range range) override {
    co_await be_slow();
    co_return co_await inner_->scan(std::move(range));
  }
  asio::awaitable<state::Commit> commit(state::Batch batch) override {
    return answer(inner_->commit(std::move(batch)));
  }
  std::unique_ptr<state::Snapshot> snapshot() override { return inner_->snapshot(); }
  state::StoreStatus status() override { return inner_->status(); }
  void close() override { inner_->close(); }

 private:
  asio::awaitable<void> be_slow() {
    if (!chance_.percent(plan_.slow_read_percent)) co_return;
    marks_.hit("slow reads");
    co_await runtime_.sleep_for(Duration(chance_.between(1, 50'000)));
  }
  asio::awaitable<state::Commit> answer(asio::awaitable<state::Commit> commit) {
    const state::Commit outcome = co_await std::move(commit);
    if (chance_.percent(plan_.late_answer_percent)) {
      marks_.hit("late answers of the store");
      co_await runtime_.sleep_for(Duration(chance_.between(1, 300'000)));
    }
    co_return outcome;
  }

  Runtime runtime_;
  std::shared_ptr<state::Store> inner_;
  const FaultPlan& plan_;
  Chance chance_;
  Marks& marks_;
};

}  // namespace millrace::sim
