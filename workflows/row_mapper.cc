#include "workflows/row_mapper.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/raw_document.h"
#include "connectors/value_text.h"

namespace millrace::workflows {

using connectors::RowBatch;
using nlohmann::json;

RowMapper::RowMapper(std::optional<connectors::RowMapping> mapping, const StreamPlan& plan)
    : mapping_(std::move(mapping)), plan_(plan) {
  const auto& key = plan.read_key.empty() ? plan.target.primary_key : plan.read_key;
  for (const auto& field : key)
    if (const auto at = plan.read_schema->index_of(field)) key_fields_.push_back(*at);
}

const RowBatch& RowMapper::map(const RowBatch& batch, std::int64_t first) {
  std::vector<connectors::UnfitValue> unfit;
  if (mapping_) mapped_ = mapping_->apply(batch, std::move(mapped_).take_arena(), unfit);
  kept_.clear();
  unfit_rows_ = 0;
  if (!unfit.empty()) keep(batch, unfit, first);
  if (!plan_.raw) return mapped_;
  documents_ = connectors::raw_documents(mapping_ ? mapped_ : batch, std::move(documents_).take_arena());
  return documents_;
}

void RowMapper::keep(const RowBatch& batch, const std::vector<connectors::UnfitValue>& unfit, std::int64_t first) {
  connectors::RowReader reader(batch);
  std::vector<connectors::RowReader::FieldView> fields;
  std::uint32_t row = 0;
  auto at = unfit.begin();
  while (at != unfit.end() && reader.next(fields)) {
    if (at->row == row) {
      ++unfit_rows_;
      json key = json::object();
      for (const std::size_t f : key_fields_) {
        const auto& field = plan_.read_schema->fields[f];
        const auto text = fields[f].length < 0 ? std::nullopt : connectors::text_of(field.type, fields[f].bytes);
        key[field.name] = text ? json(*text) : json();
      }
      const std::string key_text = key.dump(-1, ' ', false, json::error_handler_t::replace);
      for (; at != unfit.end() && at->row == row; ++at) {
        if (plan_.strict)
          throw Error("stream.value_unfit", plan_.target.source_name.text() + ", row " + key_text + ", field " +
                                                at->field + ": " + at->reason + " (wanted " + at->wanted + ")");
        connectors::QuarantinedValue value;
        value.row = first + row;
        value.key = key_text;
        value.field = at->field;
        value.wanted = at->wanted;
        value.reason = at->reason;
        value.bytes = at->bytes;
        kept_.push_back(std::move(value));
      }
    }
    ++row;
  }
}

std::unique_ptr<RowMapper> make_row_mapper(const StreamPlan& plan) {
  if (plan.mappers.empty() && !plan.raw) return nullptr;
  std::optional<connectors::RowMapping> mapping;
  if (!plan.mappers.empty()) {
    const auto mappers = connectors::mappers_from_json(json::parse(plan.mappers));
    mapping.emplace(*plan.read_schema, mappers, plan.target.metadata_columns && !plan.raw);
  }
  return std::make_unique<RowMapper>(std::move(mapping), plan);
}

}  // namespace millrace::workflows
