#include "tests/sim/caller.h"

#include <fmt/format.h>
#include <functional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "common/errors.h"
#include "common/event.h"

namespace millrace::sim {
namespace {

using engine::Execution;
using engine::ExecutionStatus;
using std::chrono::milliseconds;

// What a call came to, as a caller sees it.
struct Answer {
  Answer() = default;
  bool given = false;    // it returned
  bool dropped = false;  // the caller gave up
  std::string error;     // code, or "failure <type>"
  std::string text;      // what it returned
};
using AnswerPtr = std::shared_ptr<Answer>;

class Caller {
 public:
  Caller(Life& life, Story& story, Chance chance) : life_(life), world_(life.world), story_(story), chance_(chance) {}

  asio::awaitable<void> play() {
    // A wait that a crash cut short begins anew; nothing depends on it.
    co_await pause(story_.wait);
    if (!gone() && story_.run_id.empty()) co_await start();
    while (!gone() && story_.next_action < story_.actions.size()) {
      Action& action = story_.actions[story_.next_action];
      co_await pause(action.wait);
      if (gone()) co_return;
      co_await perform(action);
      if (gone() || !action.done) co_return;
      ++story_.next_action;
    }
    if (!gone()) co_await see_end();
  }

 private:
  bool gone() const { return life_.dead() || world_.failed(); }
  asio::awaitable<void> pause(Duration d) {
    if (d.count() > 0) co_await life_.sim.runtime().sleep_for(d);
  }

  // One call, which the caller may drop before its answer.
  // `signal` is kept for as long as its slot is in use.
  static asio::awaitable<void> run_call(asio::awaitable<std::string> work, AnswerPtr answer,
                                        std::shared_ptr<Event> done,
                                        [[maybe_unused]] std::shared_ptr<asio::cancellation_signal> signal) {
    std::exception_ptr error;
    try {
      answer->text = co_await std::move(work);
      answer->given = true;
    } catch (const Error& e) {
      answer->error = std::string(e.code());
    } catch (const engine::FailureError& e) {
      answer->error = "failure " + e.failure().type;
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      answer->dropped = is_cancelled(error);
      if (!answer->dropped) answer->error = describe(error);
    }
    done->set();
  }

  // Calls until there is an answer other than "not now"; empty pointer: the life has ended.
  template <class F>
  asio::awaitable<AnswerPtr> call(F make) {
    for (bool first = true;; first = false) {
      auto answer = std::make_shared<Answer>();
      auto done = std::make_shared<Event>();
      auto give_up = std::make_shared<asio::cancellation_signal>();
      asio::co_spawn(life_.sim.runtime().executor(), run_call(make(), answer, done, give_up),
                     asio::bind_cancellation_slot(give_up->slot(), [give_up](std::exception_ptr) {}));
      if (first && chance_.percent(world_.plan.duplicate_percent)) {
        world_.marks.hit("request sent twice at once");
        auto other = std::make_shared<Answer>();
        auto nobody = std::make_shared<Event>();
        asio::co_spawn(life_.sim.runtime().executor(), run_call(make(), other, nobody, nullptr), asio::detached);
      }
      if (chance_.percent(world_.plan.give_up_percent)) {
        co_await pause(milliseconds(chance_.between(0, 100)));
        if (gone()) co_return nullptr;
        if (!done->is_set()) {
          world_.marks.hit("caller gives up");
          give_up->emit(asio::cancellation_type::terminal);
        }
      }
      co_await done->wait();
      if (gone() && !answer->given) co_return nullptr;
      if (life_.dead()) co_return nullptr;
      const bool not_now = answer->dropped || answer->error == "store.disk_full" ||
                           answer->error == "store.unavailable" || answer->error == "workflow.draining";
      if (!not_now) co_return answer;
      co_await pause(milliseconds(500));
      if (gone()) co_return nullptr;
    }
  }

  static asio::awaitable<std::string> do_start(engine::Engine* engine, Story* story) {
    engine::StartRequest request;
    request.type = story->type;
    request.workflow_id = story->workflow_id;
    request.input = story->input;
    request.request_id = story->request_id;
    request.run_timeout = story->run_timeout;
    const engine::StartResult result = co_await engine->start_workflow(std::move(request));
    co_return result.run_id;
  }

  asio::awaitable<void> start() {
    if (std::exchange(story_.start_sent, true)) world_.marks.hit("request repeated after a crash");
    engine::Engine* e = life_.engine.get();
    Story* story = &story_;
    auto ask = [e, story] { return do_start(e, story); };
    const AnswerPtr answer = co_await call(ask);
    if (!answer) co_return;
    if (!answer->given) {
      world_.complain("a start is accepted", story_.workflow_id + ": " + answer->error);
      co_return;
    }
    story_.run_id = answer->text;
    co_await look_it_up();
    if (gone() || !chance_.percent(30)) co_return;
    world_.marks.hit("request repeated after its answer");
    auto ask_again = [e, story] { return do_start(e, story); };
    const AnswerPtr again = co_await call(ask_again);
    if (!again) co_return;
    world_.require(again->given && again->text == story_.run_id, "a request id starts one run",
                   story_.workflow_id + ": " + story_.run_id + ", then " + again->text + again->error);
    if (!chance_.percent(30)) co_return;
    // Another request for an id that is in use, or was: either is refused or a run of its own would begin; we ask only
    // while it must be open.
    if (story_.actions.empty() || story_.may_be_terminated || story_.may_be_cancelled || story_.may_time_out) co_return;
    if (story_.actions.back().kind != Action::Kind::signal) co_return;
    auto ask_other = [e, story] { return start_as_other(e, story); };
    const AnswerPtr other = co_await call(ask_other);
    if (!other) co_return;
    world_.marks.hit("start of an id that is open");
    world_.require(other->error == "workflow.already_running", "one open run of a workflow id",
                   story_.workflow_id + ": " + other->error + other->text);
  }

  static asio::awaitable<std::string> start_as_other(engine::Engine* engine, Story* story) {
    engine::StartRequest request;
    request.type = "test.steps";
    request.workflow_id = story->workflow_id;
    request.input = "{\"n\":1}";
    const engine::StartResult result = co_await engine->start_workflow(std::move(request));
    co_return result.run_id;
  }

  static asio::awaitable<std::string> do_list(engine::Engine* engine, Story* story) {
    engine::ListFilter filter;
    filter.workflow_id = story->workflow_id;
    const engine::ListPage page = co_await engine->list(filter);
    for (const Execution& e : page.executions)
      if (e.run_id == story->run_id) co_return "listed";
    co_return "not listed";
  }

  // A list right after a start shows it.
  asio::awaitable<void> look_it_up() {
    engine::Engine* e = life_.engine.get();
    Story* story = &story_;
    auto ask_listed = [e, story] { return do_list(e, story); };
    const AnswerPtr listed = co_await call(ask_listed);
    if (!listed) co_return;
    world_.require(listed->text == "listed", "a list shows what was started",
                   story_.workflow_id + ": " + listed->text + listed->error);
  }

  static asio::awaitable<std::string> do_signal(engine::Engine* e, Story* story, Action* a) {
    co_await e->signal(story->workflow_id, {}, a->name, a->payload, a->request_id);
    co_return "ok";
  }
  static asio::awaitable<std::string> do_update(engine::Engine* e, Story* story, Action* a) {
    engine::UpdateRequest request;
    request.workflow_id = story->workflow_id;
    request.name = "add";
    request.input = a->payload;
    request.update_id = a->request_id;
    const engine::UpdateResult result = co_await e->update(std::move(request));
    co_return result.value;
  }
  static asio::awaitable<std::string> do_query(engine::Engine* e, Story* story) {
    return e->query(story->workflow_id, {}, "state", {});
  }
  static asio::awaitable<std::string> do_describe(engine::Engine* e, Story* story) {
    const engine::ExecutionDetail detail = co_await e->describe(story->workflow_id, {});
    const auto events = co_await e->history(story->workflow_id, detail.execution.run_id, 0, 100'000);
    std::uint64_t id = 0;
    for (const engine::EventView& event : events)
      if (event.id != ++id) co_return "event " + std::to_string(event.id) + " where " + std::to_string(id) + " belongs";
    co_return "ok";
  }
  static asio::awaitable<std::string> do_cancel(engine::Engine* e, Story* story, Action* a) {
    co_await e->request_cancel(story->workflow_id, {}, "a test", a->request_id);
    co_return "ok";
  }
  static asio::awaitable<std::string> do_terminate(engine::Engine* e, Story* story) {
    co_await e->terminate(story->workflow_id, {}, "a test");
    co_return "ok";
  }

  bool may_be_closed() const { return story_.may_be_cancelled || story_.may_be_terminated || story_.may_time_out; }

  asio::awaitable<void> perform(Action& action) {
    engine::Engine* e = life_.engine.get();
    Story* story = &story_;
    Action* a = &action;
    if (std::exchange(action.sent, true)) world_.marks.hit("request repeated after a crash");
    std::function<asio::awaitable<std::string>()> ask;
    switch (action.kind) {
      case Action::Kind::signal:
        ask = [e, story, a] { return do_signal(e, story, a); };
        break;
      case Action::Kind::update:
      case Action::Kind::bad_update:
        ask = [e, story, a] { return do_update(e, story, a); };
        break;
      case Action::Kind::query:
        ask = [e, story] { return do_query(e, story); };
        break;
      case Action::Kind::describe:
        ask = [e, story] { return do_describe(e, story); };
        break;
      case Action::Kind::cancel:
        ask = [e, story, a] { return do_cancel(e, story, a); };
        break;
      case Action::Kind::terminate:
        ask = [e, story] { return do_terminate(e, story); };
        break;
    }
    const AnswerPtr answer = co_await call(ask);
    if (!answer) co_return;
    co_await judge(action, *answer);
  }

  asio::awaitable<void> judge(Action& action, const Answer& answer) {
    const std::string what = story_.workflow_id + " " + action.request_id;
    action.refused = answer.error == "workflow.closed";
    const bool passing = answer.error == "workflow.query_failed" || answer.error == "workflow.update_unknown" ||
                         answer.error == "workflow.query_unknown";
    if (passing && action.kind != Action::Kind::query) {  // its code has not begun, or a new run's has not
      co_await pause(milliseconds(200));
      co_return co_await perform_again(action);
    }
    action.done = true;
    switch (action.kind) {
      case Action::Kind::signal:
        world_.require(answer.given || (action.refused && may_be_closed()), "a signal is accepted",
                       what + ": " + answer.error);
        break;
      case Action::Kind::update:
        world_.require(answer.given || (may_be_closed() && (action.refused || answer.error == "failure Cancelled")),
                       "an update is accepted", what + ": " + answer.error);
        if (answer.given) {
          story_.updates_done += std::stol(action.payload);
          world_.marks.hit("update done");
          world_.require(answer.text == std::to_string(story_.updates_done), "an update is done once",
                         what + ": " + answer.text + ", the sum is " + std::to_string(story_.updates_done));
        }
        break;
      case Action::Kind::bad_update:
        world_.require(answer.error == "failure sim.negative" || (action.refused && may_be_closed()),
                       "a refused update leaves no trace", what + ": " + answer.error + answer.text);
        break;
      case Action::Kind::query:
        if (answer.given && story_.type == "sim.program") {
          world_.marks.hit("query answered");
          const long total = Json::parse(answer.text).at("total").get<long>();
          world_.require(total == story_.updates_done, "a query sees what was acknowledged",
                         what + ": " + answer.text + ", updates " + std::to_string(story_.updates_done));
        }
        break;
      case Action::Kind::describe:
        world_.require(answer.given && answer.text == "ok", "a history can be read",
                       what + ": " + answer.error + answer.text);
        break;
      case Action::Kind::cancel:
      case Action::Kind::terminate:
        world_.require(answer.given || action.refused, "a request is answered", what + ": " + answer.error);
        break;
    }
  }

  asio::awaitable<void> perform_again(Action& action) {
    if (gone()) co_return;
    co_await perform(action);
  }

  static asio::awaitable<std::string> do_wait(Life* life, Story* story, std::shared_ptr<Execution> end) {
    for (;;) {
      Execution seen = co_await life->engine->wait_closed(story->workflow_id, {}, std::chrono::hours(24));
      if (seen.status == ExecutionStatus::continued_as_new) continue;
      if (seen.status == ExecutionStatus::running) {  // the server stops
        co_await life->sim.runtime().sleep_for(std::chrono::seconds(1));
        continue;
      }
      *end = std::move(seen);
      co_return "ok";
    }
  }

  asio::awaitable<void> see_end() {
    Story* story = &story_;
    const auto end = std::make_shared<Execution>();
    auto ask = [life = &life_, story, end] { return do_wait(life, story, end); };
    const AnswerPtr answer = co_await call(std::move(ask));
    if (!answer) co_return;
    world_.require(answer->given, "an end can be seen", story_.workflow_id + ": " + answer->error);
    if (answer->given) story_.end = *end;
  }

  Life& life_;
  World& world_;
  Story& story_;
  Chance chance_;
};

}  // namespace

asio::awaitable<void> play(Life* life, Story* story, Chance chance) {
  Caller caller(*life, *story, chance);
  co_await caller.play();
}

}  // namespace millrace::sim
