#include "tests/sim/image.h"

#include "engine/events/codec.h"
#include "state/keys.h"
#include "state/memory_log.h"

namespace millrace::sim {

using state::Batch;
using state::KeyKind;
using state::KeyReader;

Image::Image(const state::DurableImage& disk) {
  state::replay_log(disk.log, [this](const Batch::Operation& op) {
    switch (op.kind) {
      case Batch::Operation::Kind::put:
        rows[op.key] = op.value;
        break;
      case Batch::Operation::Kind::erase:
        rows.erase(op.key);
        break;
      case Batch::Operation::Kind::erase_range:
        rows.erase(rows.lower_bound(op.key), rows.lower_bound(op.value));
        break;
    }
  });
  for (const auto& [bytes, value] : rows) {
    KeyReader key(bytes);
    switch (key.kind()) {
      case KeyKind::current:
        current[key.str()] = engine::decode_record<engine::CurrentRow>(value).run_id;
        break;
      case KeyKind::run: {
        RunImage& run = runs[key.str()];
        run.record = engine::decode_record<engine::RunRecord>(value);
        run.record_bytes = value;
        break;
      }
      case KeyKind::open_run:
        runs[key.str()].open_row = true;
        break;
      case KeyKind::history: {
        RunImage& run = runs[key.str()];
        for (engine::HistoryEvent& event : engine::decode_events(value)) run.history.push_back(std::move(event));
        run.batches.push_back(value);
        break;
      }
      case KeyKind::attempt: {
        RunImage& run = runs[key.str()];
        const std::uint64_t event = key.u64();
        const std::uint32_t n = key.u32();
        run.attempts[event][n] = engine::decode_record<engine::AttemptRecord>(value);
        break;
      }
      case KeyKind::step_checkpoint: {
        RunImage& run = runs[key.str()];
        const std::uint64_t event = key.u64();
        const std::string scope = key.str();
        run.checkpoints[event][scope] = engine::decode_record<engine::CheckpointRow>(value);
        break;
      }
      case KeyKind::timer: {
        (void)key.time();
        runs[key.str()].timers[bytes] = engine::decode_record<engine::TimerRow>(value);
        break;
      }
      case KeyKind::blob: {
        RunImage& run = runs[key.str()];
        run.blobs[key.str()] = value;
        break;
      }
      case KeyKind::outbox:
        outbox.push_back(engine::decode_record<engine::OutboxRow>(value));
        break;
      case KeyKind::dedupe: {
        const std::string scope = key.str();
        const std::string id = key.str();
        // An update that was refused: the answer and no event.
        if (scope.starts_with("refused/"))
          (void)engine::decode_record<engine::RefusedRow>(value);
        else
          dedupe[scope][id] = engine::decode_record<engine::DedupeRow>(value);
        break;
      }
      default:
        break;
    }
  }
}

}  // namespace millrace::sim
