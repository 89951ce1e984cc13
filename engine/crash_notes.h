// Who ran when the server died: a note for each execution whose code is on a thread, kept where a crash leaves it.
//
// An execution whose own code brings the server down would do so after each restart. The notes tell it from those that
// were merely open: only code that was on a thread at the moment of the crash is counted (see engine_crashes.cc).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace millrace::engine {

// Thread-safe.
class CrashNotes {
 public:
  virtual ~CrashNotes() = default;
  // Notes that the run's code is on this thread; the number is for leave(). Cheap: no system call.
  virtual std::size_t enter(const std::string& run_id) = 0;
  virtual void leave(std::size_t note) = 0;
  // What the life before this one left; empty where it stopped cleanly. The same until clear().
  virtual std::vector<std::string> left_behind() const = 0;
  // The former life's notes are dealt with.
  virtual void clear() = 0;
};

// A note for as long as it lives. Null: none.
class CrashNote {
 public:
  CrashNote(CrashNotes* notes, const std::string& run_id) : notes_(notes), note_(notes ? notes->enter(run_id) : 0) {}
  ~CrashNote() {
    if (notes_) notes_->leave(note_);
  }
  CrashNote(const CrashNote&) = delete;
  CrashNote& operator=(const CrashNote&) = delete;

 private:
  CrashNotes* notes_;
  std::size_t note_;
};

}  // namespace millrace::engine
