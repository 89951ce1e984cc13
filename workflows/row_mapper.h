// What happens to the rows of a stream between pipe and destination, where its connection asks for mappers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "connectors/destination.h"
#include "connectors/mapper.h"
#include "workflows/sync_plan.h"

namespace millrace::workflows {

// Of one worker. What map() gives is valid until the next call.
class RowMapper {
 public:
  // Without a mapping the rows are as they were, and only landed as documents.
  RowMapper(std::optional<connectors::RowMapping> mapping, const StreamPlan& plan);

  // `first`: the number of the batch's first row in its split. Throws stream.value_unfit in a strict stream.
  const connectors::RowBatch& map(const connectors::RowBatch& batch, std::int64_t first);
  std::int64_t unfit_rows() const { return unfit_rows_; }  // of the last batch
  std::vector<connectors::QuarantinedValue> take_unfit() { return std::move(kept_); }

 private:
  void keep(const connectors::RowBatch& batch, const std::vector<connectors::UnfitValue>& unfit, std::int64_t first);

  std::optional<connectors::RowMapping> mapping_;
  const StreamPlan& plan_;
  std::vector<std::size_t> key_fields_;  // of the source's rows
  connectors::RowBatch mapped_, documents_;
  std::vector<connectors::QuarantinedValue> kept_;
  std::int64_t unfit_rows_ = 0;
};

// Null where the plan has no mapper that touches a value: then nothing is done per row.
std::unique_ptr<RowMapper> make_row_mapper(const StreamPlan& plan);

}  // namespace millrace::workflows
