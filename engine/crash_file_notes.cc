#include "engine/crash_file_notes.h"

#include "state/crash_file.h"

namespace millrace::engine {
namespace {

class FileNotes final : public CrashNotes {
 public:
  explicit FileNotes(const std::string& path) : file_(path) {}
  std::size_t enter(const std::string& run_id) override {
    return run_id.empty() ? state::kCrashSlots : file_.set(run_id);
  }
  void leave(std::size_t note) override { file_.unset(note); }
  std::vector<std::string> left_behind() const override {
    return cleared_ ? std::vector<std::string>() : file_.left_behind();
  }
  void clear() override { cleared_ = true; }

 private:
  state::CrashFile file_;
  bool cleared_ = false;
};

}  // namespace

std::shared_ptr<CrashNotes> open_crash_notes(const std::string& path) { return std::make_shared<FileNotes>(path); }

}  // namespace millrace::engine
