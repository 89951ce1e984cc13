// A program: workflow code as data, so that chance can write it. The workflow type "sim.program" runs one
// (interpreter.h); what it must come to is known when it is written.
//
//   {"ops": [op...], "acc": [token...], "cleanup": bool}
//
// Each op adds one token; the result is all of them, joined. Ops:
//   step      {k, ...}        a step of type sim.work, see StepSpec; its token is k, or "F:k", "T:k", "?:k"
//   parallel  {steps}         several at once, awaited in order: their tokens with "+"
//   timer     {ms}            "t"
//   signal    {name}          waits for one: "name=payload"
//   side      {k}             a side effect, random() and uuid() into a step: "e"
//   patched   {id}            "v1"
//   scope     {k, ms}         a step beside a timer; the scope is cancelled when the timer is done: "r"
//   saga      {k, n}          n steps, the last fails, those before it are undone in reverse: "g"
//   child     {id, program, policy, signal, wait}   "c(result)"; with `signal` it is sent one first
//   again                     the rest as a new run
//   updates                   takes updates until the signal "fin" comes: "u=total"
//   fail                      ends the run as failed
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/sim/chance.h"

namespace millrace::sim {

using Json = nlohmann::json;

struct Program {
  Json input;                        // of the workflow
  std::string expected;              // the result, without quotes; with fails: what it had come to
  bool fails = false;                // ends with a failure of type sim.planned
  std::vector<std::string> signals;  // names, in the order in which the program reads them
  int updates = 0;                   // that callers make before they send "fin"
};

struct ProgramOptions {
  ProgramOptions() = default;
  int most_ops = 6;
  int step_fault_percent = 0;
  bool has_children = true;
  bool may_fail = true;
  bool cleanup = false;
};
Program write_program(Chance& chance, const ProgramOptions& options);

}  // namespace millrace::sim
