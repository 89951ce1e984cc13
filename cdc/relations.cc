#include "cdc/relations.h"

#include <algorithm>

#include "common/errors.h"

namespace millrace::cdc {

using connectors::ChangeBatch;
using connectors::StreamName;

RelationCache::RelationCache(const std::vector<connectors::FeedStream>& streams) : streams_(streams) {
  for (std::size_t i = 0; i < streams.size(); ++i) by_name_[streams[i].stream.name] = static_cast<int>(i);
}

const MappedRelation& RelationCache::put(const PgMessage& m) {
  MappedRelation r;
  r.ns = m.ns.empty() ? "pg_catalog" : std::string(m.ns);
  r.name = m.name;
  r.identity = m.identity;
  r.columns = m.columns;
  if (const auto it = by_name_.find(StreamName(r.ns, r.name)); it != by_name_.end()) {
    r.stream = it->second;
    const auto& wanted = streams_[static_cast<std::size_t>(r.stream)];
    for (const auto& field : wanted.stream.schema->fields) {
      const auto c =
          std::find_if(r.columns.begin(), r.columns.end(), [&](const auto& x) { return x.name == field.name; });
      r.column_of.push_back(c == r.columns.end() ? -1 : static_cast<int>(c - r.columns.begin()));
    }
    for (const auto& column : r.columns)
      if (std::find(wanted.all_fields.begin(), wanted.all_fields.end(), column.name) == wanted.all_fields.end())
        r.unknown.push_back(column.name);
  }
  return relations_[m.relation] = std::move(r);
}

const MappedRelation& RelationCache::at(std::uint32_t oid) const {
  const auto it = relations_.find(oid);
  if (it == relations_.end())
    throw Error("cdc.bad_message", "a change of table " + std::to_string(oid) + ", which was not described before");
  return it->second;
}

namespace {

void require_width(const MappedRelation& r, const std::vector<PgValue>& row) {
  if (row.size() != r.columns.size())
    throw Error("cdc.bad_message", r.ns + "." + r.name + ": a row of " + std::to_string(row.size()) + " columns, " +
                                       std::to_string(r.columns.size()) + " were described");
}

class Writer {
 public:
  Writer(ChangeBatch& batch, const MappedRelation& r) : batch_(batch), relation_(r) {}

  void put(const PgValue& v) {
    if (v.kind == 'n') return batch_.null();
    if (v.kind == 'u') return batch_.unchanged();
    if (form_ == 0) form_ = v.kind;
    if (form_ != v.kind)
      throw Error("cdc.bad_message", relation_.ns + "." + relation_.name + ": a row of text and binary values");
    batch_.value(v.bytes);
  }
  bool text(bool otherwise) const { return form_ == 0 ? otherwise : form_ == 't'; }

 private:
  ChangeBatch& batch_;
  const MappedRelation& relation_;
  char form_ = 0;
};

}  // namespace

void append_change(const MappedRelation& r, const PgMessage& m, connectors::Change change, ChangeBatch& batch) {
  Writer writer(batch, r);
  const auto fields = static_cast<std::uint16_t>(r.column_of.size());
  // Of a 'K' tuple only the key's columns mean something: the others are sent as nulls.
  const auto in_old = [&](std::size_t column) { return m.old_kind == 'O' || r.columns[column].key; };
  if (m.old_kind != 0) {
    require_width(r, m.old_row);
    change.old_at = batch.begin_tuple(fields);
    for (const int at : r.column_of) {
      const auto column = static_cast<std::size_t>(at);
      if (at < 0 || !in_old(column))
        batch.unchanged();
      else
        writer.put(m.old_row[column]);
    }
    change.old_size = batch.end() - change.old_at;
  }
  if (m.tag != 'D') {
    require_width(r, m.new_row);
    change.row_at = batch.begin_tuple(fields);
    for (const int at : r.column_of) {
      const auto column = static_cast<std::size_t>(at);
      if (at < 0) {
        batch.unchanged();
        continue;
      }
      const PgValue* value = &m.new_row[column];
      if (value->kind == 'u' && m.old_kind != 0 && in_old(column)) value = &m.old_row[column];
      writer.put(*value);
    }
    change.row_size = batch.end() - change.row_at;
  }
  change.text = writer.text(change.text);
  batch.add(change);
}

}  // namespace millrace::cdc
