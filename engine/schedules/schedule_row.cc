// The row of a schedule.
//
//   {"v":1, "id", "owner", "spec", "action", "overlap", "catchUp", "pauseOnFailure", "paused", "note", "remaining"?,
//    "created", "updated", "mark", "numbers", "buffer": [due], "backfills": [{"number","mark","end","overlap"}],
//    "running": [run], "recent": [run], "missed": [{"cause","nominal","number","noticed","reason","detail","count"}],
//    "counters": {name: n}, "requestId"?, "requests"?: [{"id","number"}]}
//   due = {"cause","nominal","actual","number","overlap"?}
//   run = {"due","workflowId","runId","started","status"}
//
// created, updated, actual, started, noticed, catchUp are microseconds; nominal, mark, end seconds. Fields are only
// ever added, each with a default.
#include "common/errors.h"
#include "engine/schedules/schedule.h"

namespace millrace::engine {

namespace {

using nlohmann::json;

WallTime time_at(const json& object, const char* name) { return from_micros(object.value(name, std::int64_t{0})); }

Cause cause_at(const json& object) {
  const std::string word = object.value("cause", "time");
  return word == "trigger" ? Cause::trigger : word == "backfill" ? Cause::backfill : Cause::time;
}

json due_json(const DueStart& due) {
  json out = {{"cause", to_string(due.cause)},
              {"nominal", due.nominal},
              {"actual", to_micros(due.actual)},
              {"number", due.number}};
  if (due.overlap) out["overlap"] = to_string(*due.overlap);
  return out;
}
DueStart due_from(const json& value) {
  DueStart due;
  due.cause = cause_at(value);
  due.nominal = value.value("nominal", std::int64_t{0});
  due.actual = time_at(value, "actual");
  due.number = value.value("number", std::uint64_t{0});
  if (value.contains("overlap")) due.overlap = parse_overlap(value.at("overlap").get<std::string>());
  return due;
}

json run_json(const StartedRun& run) {
  return {{"due", due_json(run.due)},
          {"workflowId", run.workflow_id},
          {"runId", run.run_id},
          {"started", to_micros(run.started)},
          {"status", run.status}};
}
StartedRun run_from(const json& value) {
  StartedRun run;
  run.due = due_from(value.at("due"));
  run.workflow_id = value.value("workflowId", "");
  run.run_id = value.value("runId", "");
  run.started = time_at(value, "started");
  run.status = value.value("status", "Running");
  return run;
}

json missed_json(const MissedTime& m) {
  return {
      {"cause", to_string(m.cause)}, {"nominal", m.nominal}, {"number", m.number}, {"noticed", to_micros(m.noticed)},
      {"reason", m.reason},          {"detail", m.detail},   {"count", m.count}};
}
MissedTime missed_from(const json& value) {
  MissedTime m;
  m.cause = cause_at(value);
  m.nominal = value.value("nominal", std::int64_t{0});
  m.number = value.value("number", std::uint64_t{0});
  m.noticed = time_at(value, "noticed");
  m.reason = value.value("reason", "");
  m.detail = value.value("detail", "");
  m.count = value.value("count", std::uint64_t{1});
  return m;
}

template <class T, class F>
json list_of(const std::vector<T>& items, F one) {
  json out = json::array();
  for (const T& item : items) out.push_back(one(item));
  return out;
}

}  // namespace

std::string_view to_string(Overlap overlap) {
  switch (overlap) {
    case Overlap::skip:
      return "skip";
    case Overlap::buffer_one:
      return "buffer_one";
    case Overlap::buffer_all:
      return "buffer_all";
    case Overlap::cancel_other:
      return "cancel_other";
    case Overlap::terminate_other:
      return "terminate_other";
    case Overlap::allow_all:
      return "allow_all";
  }
  return {};
}

std::optional<Overlap> parse_overlap(std::string_view text) {
  for (const Overlap o : {Overlap::skip, Overlap::buffer_one, Overlap::buffer_all, Overlap::cancel_other,
                          Overlap::terminate_other, Overlap::allow_all})
    if (text == to_string(o)) return o;
  return std::nullopt;
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::time:
      return "time";
    case Cause::trigger:
      return "trigger";
    case Cause::backfill:
      return "backfill";
  }
  return {};
}

std::string encode_schedule(const Schedule& s) {
  json out = {{"v", 1},
              {"id", s.id},
              {"owner", s.owner},
              {"spec", s.spec},
              {"action", s.action},
              {"overlap", to_string(s.overlap)},
              {"catchUp", s.catch_up.count()},
              {"pauseOnFailure", s.pause_on_failure},
              {"paused", s.paused},
              {"note", s.note},
              {"created", to_micros(s.created)},
              {"updated", to_micros(s.updated)},
              {"mark", s.mark},
              {"numbers", s.numbers},
              {"buffer", list_of(s.buffer, due_json)},
              {"backfills",
               list_of(s.backfills,
                       [](const Backfill& b) {
                         return json{
                             {"number", b.number}, {"mark", b.mark}, {"end", b.end}, {"overlap", to_string(b.overlap)}};
                       })},
              {"running", list_of(s.running, run_json)},
              {"recent", list_of(s.recent, run_json)},
              {"missed", list_of(s.missed, missed_json)},
              {"counters", s.counters}};
  if (s.remaining) out["remaining"] = *s.remaining;
  if (!s.request_id.empty()) out["requestId"] = s.request_id;
  if (!s.requests.empty())
    out["requests"] =
        list_of(s.requests, [](const TakenRequest& r) { return json{{"id", r.id}, {"number", r.number}}; });
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Schedule decode_schedule(const std::string& row) {
  try {
    const json value = json::parse(row);
    Schedule s;
    s.id = value.at("id").get<std::string>();
    s.owner = value.value("owner", "");
    s.spec = value.at("spec");
    s.action = value.at("action");
    s.overlap = parse_overlap(value.value("overlap", "skip")).value_or(Overlap::skip);
    s.catch_up = Duration(value.value("catchUp", s.catch_up.count()));
    s.pause_on_failure = value.value("pauseOnFailure", false);
    s.paused = value.value("paused", false);
    s.note = value.value("note", "");
    if (value.contains("remaining")) s.remaining = value.at("remaining").get<std::uint64_t>();
    s.created = time_at(value, "created");
    s.updated = time_at(value, "updated");
    s.mark = value.at("mark").get<std::int64_t>();
    s.numbers = value.value("numbers", std::uint64_t{0});
    for (const json& one : value.at("buffer")) s.buffer.push_back(due_from(one));
    for (const json& one : value.at("backfills")) {
      Backfill b;
      b.number = one.value("number", std::uint64_t{0});
      b.mark = one.value("mark", std::int64_t{0});
      b.end = one.value("end", std::int64_t{0});
      b.overlap = parse_overlap(one.value("overlap", "buffer_all")).value_or(Overlap::buffer_all);
      s.backfills.push_back(b);
    }
    for (const json& one : value.at("running")) s.running.push_back(run_from(one));
    for (const json& one : value.at("recent")) s.recent.push_back(run_from(one));
    for (const json& one : value.at("missed")) s.missed.push_back(missed_from(one));
    s.request_id = value.value("requestId", "");
    for (const json& one : value.value("requests", json::array())) {
      TakenRequest taken;
      taken.id = one.value("id", "");
      taken.number = one.value("number", std::uint64_t{0});
      s.requests.push_back(std::move(taken));
    }
    s.counters = value.value("counters", std::map<std::string, std::uint64_t>());
    return s;
  } catch (const json::exception& e) {
    throw Error("store.corrupt", std::string("the row of a schedule: ") + e.what());
  }
}

}  // namespace millrace::engine
