#include "connectors/postgres/change_lane.h"

#include <algorithm>

#include "common/byte_order.h"
#include "common/check.h"
#include "common/errors.h"
#include "connectors/change_columns.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/swap.h"
#include "connectors/row_batch.h"

namespace millrace::connectors::postgres {
namespace {

constexpr const char* kGroup = "millrace_group";
constexpr const char* kOldKey = "millrace_old_";

std::string identifier(std::string_view name) { return net::quote_identifier(name); }

void append_field(std::string& out, const TupleField& f) {
  append_big_endian(out, f.length);
  out.append(f.bytes);
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// The fields of an entry's row, which has no count before them.
void split_row(const std::string& row, std::size_t fields, std::vector<TupleField>& out) {
  std::string tuple;
  append_big_endian(tuple, static_cast<std::int16_t>(fields));
  out.clear();
  std::size_t at = 0;
  for (std::size_t i = 0; i < fields; ++i) {
    TupleField f;
    f.length = from_big_endian<std::int32_t>(row.data() + at);
    at += 4;
    if (f.length > 0) {
      f.bytes = std::string_view(row).substr(at, static_cast<std::size_t>(f.length));
      at += static_cast<std::size_t>(f.length);
    }
    out.push_back(f);
  }
}

bool whole(const std::vector<TupleField>& fields) {
  return std::none_of(fields.begin(), fields.end(), [](const auto& f) { return f.length == kUnchangedField; });
}

}  // namespace

ChangeLane::ChangeLane(ChangeStreamTarget target, FollowedStream followed, std::size_t index)
    : target_(std::move(target.target)),
      fields_(target_.schema->fields.size()),
      soft_delete_(target.soft_delete),
      followed_(std::move(followed)),
      doubts_(followed_.doubts.begin(), followed_.doubts.end()) {
  for (const auto& name : target_.primary_key) {
    const auto at = target_.schema->index_of(name);
    check(at.has_value(), "a key is among the fields");
    key_.push_back(*at);
  }
  target_.schema =
      std::make_shared<const Schema>(with_change_columns(*target_.schema, target_.sync_mode, soft_delete_));
  target_.metadata_columns = false;
  columns_ = columns_of(target_);
  table_ = final_table(target_);
  stage_ = "pg_temp." + identifier("millrace_stage_" + std::to_string(index));
}

std::string ChangeLane::key_of(const std::vector<TupleField>& fields) const {
  std::string out;
  for (const auto at : key_) {
    if (fields.at(at).length == kUnchangedField)
      throw Error("connector.bad_row", target_.source_name.text() + ": a change without the value of key column \"" +
                                           target_.schema->fields[at].name + "\"");
    append_field(out, fields[at]);
  }
  return out;
}

void ChangeLane::put(std::string key, Kind kind, const std::vector<TupleField>& fields, const Change& change) {
  Entry next;
  next.kind = kind;
  next.lsn = change.lsn;
  next.time_us = change.time_us;
  const auto it = entries_.find(key);
  // Laid over what comes before it in this flush.
  std::vector<TupleField> before;
  const bool over = it != entries_.end() && it->second.kind != Kind::remove && kind == Kind::update;
  if (over) split_row(it->second.row, fields_, before);
  bool all = true;
  for (std::size_t i = 0; i < fields_; ++i) {
    const TupleField& f = over && fields[i].length == kUnchangedField ? before[i] : fields[i];
    all = all && f.length != kUnchangedField;
    append_field(next.row, f);
  }
  if (kind == Kind::update && (all || (over && it->second.kind == Kind::upsert))) next.kind = Kind::upsert;
  if (kind != Kind::update || all) {
    const std::string name = hex(key);
    if (!doubts_.empty() && doubts_.erase(name) > 0) doubts_changed_ = true;
  }
  if (it == entries_.end()) {
    bytes_ += next.row.size() + key.size() + sizeof(Entry);
    entries_.emplace(std::move(key), std::move(next));
    return;
  }
  bytes_ += next.row.size();
  bytes_ -= std::min(bytes_, it->second.row.size());
  it->second = std::move(next);
}

void ChangeLane::truncate() {
  entries_.clear();
  bytes_ = 0;
  truncated_ = true;
  if (!doubts_.empty()) doubts_changed_ = true;
  doubts_.clear();
}

bool ChangeLane::add(const ChangeBatch& batch, const Change& change) {
  if (change.op != ChangeOp::truncate && empty()) text_ = change.text;
  if (append_mode()) {
    if (change.op != ChangeOp::truncate && change.text != log_.text()) {
      if (log_.rows() > 0) return false;
      log_ = CopyRows(change.text);
    }
    put_log(batch, change);
  } else if (change.op == ChangeOp::truncate) {
    truncate();
    truncated_time_us_ = change.time_us;
    truncated_lsn_ = change.lsn;
  } else {
    if (change.text != text_) return false;
    const bool has_old = change.old_size > 0;
    if (has_old) read_tuple(batch.old(change), old_);
    if (change.op == ChangeOp::remove) {
      put(key_of(old_), Kind::remove, old_, change);
    } else {
      read_tuple(batch.row(change), row_);
      std::string key = key_of(row_);
      if (has_old && change.op == ChangeOp::update) {
        std::string before = key_of(old_);
        if (before != key) {
          if (!whole(row_)) {
            // The values that were left alone are in an entry of this flush, or in the table only.
            const auto it = entries_.find(before);
            if (it == entries_.end() || it->second.kind != Kind::upsert) return false;
            std::vector<TupleField> under;
            const std::string kept = it->second.row;
            split_row(kept, fields_, under);
            for (std::size_t i = 0; i < fields_; ++i)
              if (row_[i].length == kUnchangedField) row_[i] = under[i];
            put(std::move(before), Kind::remove, old_, change);
            put(std::move(key), Kind::upsert, row_, change);
            ++open_counts.changes;
            open_counts.bytes += static_cast<std::int64_t>(change.row_size);
            return true;
          }
          put(std::move(before), Kind::remove, old_, change);
          put(std::move(key), Kind::upsert, row_, change);
          ++open_counts.changes;
          open_counts.bytes += static_cast<std::int64_t>(change.row_size);
          return true;
        }
      }
      // An update before the settled position may find its row removed already: it must not bring it back half.
      if (change.op == ChangeOp::update) {
        const auto it = entries_.find(key);
        if (it != entries_.end() && it->second.kind == Kind::remove && !whole(row_)) {
          missing(change.lsn, "an update follows the removal of its row");
          ++open_counts.changes;
          return true;
        }
      }
      put(std::move(key), change.op == ChangeOp::insert ? Kind::upsert : Kind::update, row_, change);
    }
  }
  ++open_counts.changes;
  open_counts.bytes += static_cast<std::int64_t>(change.row_size + change.old_size);
  return true;
}

void ChangeLane::put_log(const ChangeBatch& batch, const Change& change) {
  log_.begin(static_cast<int>(columns_.size()));
  std::vector<std::string> unchanged;
  if (change.op == ChangeOp::truncate) {
    for (std::size_t i = 0; i < fields_; ++i) log_.null();
  } else {
    read_tuple(change.op == ChangeOp::remove ? batch.old(change) : batch.row(change), row_);
    for (std::size_t i = 0; i < fields_; ++i) {
      if (row_.at(i).length >= 0)
        log_.value(row_[i].bytes);
      else
        log_.null();
      // Of a removal only the key is sent: what else the row had is no news.
      if (row_[i].length == kUnchangedField && change.op == ChangeOp::update)
        unchanged.push_back(target_.schema->fields[i].name);
    }
  }
  const char op = static_cast<char>(change.op);
  log_.words(std::string_view(&op, 1));
  log_.lsn(change.lsn);
  log_.int8(change.seq);
  log_.timestamp(change.time_us);
  if (unchanged.empty())
    log_.null();
  else
    log_.word_array(unchanged);
  log_.end();
}

void ChangeLane::missing(Lsn lsn, const std::string& what) const {
  if (lsn < followed_.settled) return;
  throw Error("cdc.row_missing", target_.source_name.text() + ", commit " + format_lsn(lsn) + ": " + what);
}

std::string ChangeLane::same_key(const char* a, const char* b) const {
  std::string out;
  for (const auto at : key_) {
    const std::string name = identifier(columns_[at].name);
    out += (out.empty() ? "" : " AND ") + std::string(a) + "." + name + " = " + b + "." + name;
  }
  return out;
}

// "a" = s."a", ... for the columns that came, and those that following adds.
std::string ChangeLane::assignments(const std::string& mask, const std::string& from) const {
  std::string out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i < fields_ && mask[i] == '0') continue;
    const std::string name = identifier(columns_[i].name);
    out += (out.empty() ? "" : ", ") + name + " = " + from + "." + name;
  }
  return out;
}

std::string ChangeLane::remove_sql() const {
  if (!soft_delete_)
    return "DELETE FROM " + table_ + " t USING " + stage_ + " s WHERE s." + kGroup + " = 0 AND " + same_key("t", "s");
  return "UPDATE " + table_ + " t SET " + identifier(kDeletedAt) + " = s." + identifier(kDeletedAt) + ", " +
         identifier(kChangeLsn) + " = s." + identifier(kChangeLsn) + " FROM " + stage_ + " s WHERE s." + kGroup +
         " = 0 AND " + same_key("t", "s");
}

std::string ChangeLane::upsert_sql(int group, const std::string& mask) const {
  std::string list, key;
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (i >= fields_ || mask[i] == '1') list += (list.empty() ? "" : ", ") + identifier(columns_[i].name);
  for (const auto at : key_) key += (key.empty() ? "" : ", ") + identifier(columns_[at].name);
  return "INSERT INTO " + table_ + " AS t (" + list + ") SELECT " + list + " FROM " + stage_ + " s WHERE s." + kGroup +
         " = " + std::to_string(group) + " ON CONFLICT (" + key + ") DO UPDATE SET " + assignments(mask, "EXCLUDED");
}

std::string ChangeLane::update_sql(int group, const std::string& mask) const {
  return "UPDATE " + table_ + " t SET " + assignments(mask, "s") + " FROM " + stage_ + " s WHERE s." + kGroup + " = " +
         std::to_string(group) + " AND " + same_key("t", "s");
}

void ChangeLane::stage_row(CopyRows& out, int group, const Entry& entry) const {
  std::vector<TupleField> fields;
  split_row(entry.row, fields_, fields);
  out.begin(static_cast<int>(columns_.size()) + 1);
  out.int4(group);
  for (const auto& f : fields) {
    if (f.length >= 0)
      out.value(f.bytes);
    else
      out.null();
  }
  out.lsn(entry.lsn);
  if (soft_delete_) {
    if (entry.kind == Kind::remove)
      out.timestamp(entry.time_us);
    else
      out.null();
  }
  out.end();
}

asio::awaitable<void> ChangeLane::copy_to_stage(net::PostgresSession& session, const CopyRows& rows,
                                                bool with_old_key) {
  std::string list = kGroup;
  for (const auto& c : columns_) list += ", " + identifier(c.name);
  std::string sql;
  if (!stage_made_) {
    sql = "CREATE TEMP TABLE " + stage_.substr(stage_.find('.') + 1) + " (" + kGroup + " int";
    for (const auto& c : columns_) sql += ", " + identifier(c.name) + " " + c.pg_type;
    for (std::size_t i = 0; i < key_.size(); ++i)
      sql += ", " + std::string(kOldKey) + std::to_string(i) + " " + columns_[key_[i]].pg_type;
    sql += "); ";
  } else {
    sql = "TRUNCATE " + stage_ + "; ";
  }
  if (with_old_key)
    for (std::size_t i = 0; i < key_.size(); ++i) list += ", " + std::string(kOldKey) + std::to_string(i);
  sql += "COPY " + stage_ + " (" + list + ") FROM STDIN (FORMAT " + rows.format() + ")";
  co_await session.copy_in_begin(sql);
  stage_made_ = true;
  co_await session.copy_in_write(rows.header());
  co_await session.copy_in_write(rows.bytes());
  co_await session.copy_in_write(rows.trailer());
  const std::int64_t counted = co_await session.copy_in_end();
  if (counted != rows.rows())
    throw Error("destination.count_mismatch", target_.source_name.text() + ": " + std::to_string(rows.rows()) +
                                                  " changes were sent, the server counted " + std::to_string(counted));
}

// Other tables may refer to this one; then TRUNCATE is refused, and the rows go one by one.
asio::awaitable<void> ChangeLane::apply_truncate(net::PostgresSession& session) {
  truncated_ = false;
  if (soft_delete_) {
    const Parameters values{format_time(from_micros(truncated_time_us_)), format_lsn(truncated_lsn_)};
    const std::string sql = "UPDATE " + table_ + " SET " + identifier(kDeletedAt) + " = $1::timestamptz, " +
                            identifier(kChangeLsn) + " = $2::pg_lsn WHERE " + identifier(kDeletedAt) + " IS NULL";
    co_await session.query(sql, values);
    co_return;
  }
  std::string why;
  const std::string sql = "TRUNCATE " + table_;
  const bool done = co_await try_execute(session, sql, why);
  if (!done) co_await session.execute("DELETE FROM " + table_);
}

asio::awaitable<void> ChangeLane::flush_log(net::PostgresSession& session) {
  if (log_.rows() == 0) co_return;
  const std::string sql =
      "COPY " + table_ + " (" + column_list(columns_) + ") FROM STDIN (FORMAT " + log_.format() + ")";
  co_await session.copy_in_begin(sql);
  co_await session.copy_in_write(log_.header());
  co_await session.copy_in_write(log_.bytes());
  co_await session.copy_in_write(log_.trailer());
  const std::int64_t counted = co_await session.copy_in_end();
  if (counted != log_.rows())
    throw Error("destination.count_mismatch", target_.source_name.text() + ": " + std::to_string(log_.rows()) +
                                                  " changes were sent, the server counted " + std::to_string(counted));
  log_.clear();
}

asio::awaitable<void> ChangeLane::flush(net::PostgresSession& session) {
  co_await flush_log(session);
  if (truncated_) co_await apply_truncate(session);
  if (entries_.empty()) co_return;
  CopyRows rows(text_);
  std::map<std::pair<int, std::string>, int> ids;  // (kind, mask): number
  std::vector<Group> groups(1);
  groups[0].kind = Kind::remove;
  std::vector<TupleField> fields;
  for (const auto& [key, entry] : entries_) {
    int id = 0;
    if (entry.kind != Kind::remove) {
      split_row(entry.row, fields_, fields);
      std::string mask;
      for (const auto& f : fields) mask += f.length == kUnchangedField ? '0' : '1';
      const auto [it, made] =
          ids.emplace(std::make_pair(static_cast<int>(entry.kind), mask), static_cast<int>(groups.size()));
      if (made) {
        groups.emplace_back();
        groups.back().kind = entry.kind;
        groups.back().mask = mask;
      }
      id = it->second;
    }
    Group& group = groups[static_cast<std::size_t>(id)];
    ++group.rows;
    group.newest = std::max(group.newest, entry.lsn);
    stage_row(rows, id, entry);
  }
  entries_.clear();
  bytes_ = 0;
  co_await copy_to_stage(session, rows, false);
  // Removals first: a key that was freed may be taken by another row of the same flush.
  std::string sql;
  if (groups[0].rows > 0) sql = remove_sql();
  for (std::size_t i = 1; i < groups.size(); ++i)
    if (groups[i].kind == Kind::upsert)
      sql += (sql.empty() ? "" : "; ") + upsert_sql(static_cast<int>(i), groups[i].mask);
  if (!sql.empty()) co_await session.execute(sql);
  for (std::size_t i = 1; i < groups.size(); ++i) {
    if (groups[i].kind != Kind::update) continue;
    const std::string update = update_sql(static_cast<int>(i), groups[i].mask);
    const auto done = co_await session.query(update, {});
    if (done.affected < groups[i].rows)
      missing(groups[i].newest, std::to_string(groups[i].rows - done.affected) + " of " +
                                    std::to_string(groups[i].rows) + " updated rows are not in " + table_);
  }
}

asio::awaitable<void> ChangeLane::apply_alone(net::PostgresSession& session, const ChangeBatch& batch,
                                              const Change& change) {
  co_await flush(session);
  if (add(batch, change)) co_return;
  // A change of the key that left columns alone: the new row takes them from the old one.
  read_tuple(batch.old(change), old_);
  read_tuple(batch.row(change), row_);
  std::string mask;
  for (const auto& f : row_) mask += f.length == kUnchangedField ? '0' : '1';
  CopyRows rows(change.text);
  rows.begin(static_cast<int>(columns_.size() + 1 + key_.size()));
  rows.int4(0);
  for (const auto& f : row_) {
    if (f.length >= 0)
      rows.value(f.bytes);
    else
      rows.null();
  }
  rows.lsn(change.lsn);
  if (soft_delete_) rows.null();
  for (const auto at : key_) {
    if (old_[at].length >= 0)
      rows.value(old_[at].bytes);
    else
      rows.null();
  }
  rows.end();
  const std::string key = hex(key_of(row_));
  co_await copy_to_stage(session, rows, true);
  std::string list, values, conflict, of_old;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string name = identifier(columns_[i].name);
    list += (i > 0 ? ", " : "") + name;
    values += (i > 0 ? ", " : "") + std::string(i < fields_ && mask[i] == '0' ? "o." : "s.") + name;
  }
  for (std::size_t i = 0; i < key_.size(); ++i) {
    const std::string name = identifier(columns_[key_[i]].name);
    conflict += (i > 0 ? ", " : "") + name;
    of_old += (i > 0 ? " AND " : "") + ("o." + name) + " = s." + kOldKey + std::to_string(i);
  }
  const std::string move = "INSERT INTO " + table_ + " AS t (" + list + ") SELECT " + values + " FROM " + stage_ +
                           " s JOIN " + table_ + " o ON " + of_old + " ON CONFLICT (" + conflict + ") DO UPDATE SET " +
                           assignments(std::string(fields_, '1'), "EXCLUDED");
  const auto moved = co_await session.query(move, {});
  if (moved.affected > 0) {
    std::string gone = "DELETE FROM " + table_ + " o USING " + stage_ + " s WHERE " + of_old;
    if (soft_delete_)
      gone = "UPDATE " + table_ + " o SET " + identifier(kDeletedAt) + " = " +
             net::quote_literal(format_time(from_micros(change.time_us))) + "::timestamptz, " + identifier(kChangeLsn) +
             " = s." + identifier(kChangeLsn) + " FROM " + stage_ + " s WHERE " + of_old;
    co_await session.execute(gone);
  } else {
    const std::string update = update_sql(0, mask);
    const auto found = co_await session.query(update, {});
    if (found.affected == 0) {
      missing(change.lsn, "the row whose key an update changed is not in " + table_);
      doubts_.insert(key);
      doubts_changed_ = true;
    }
  }
  ++open_counts.changes;
  open_counts.bytes += static_cast<std::int64_t>(change.row_size + change.old_size);
}

asio::awaitable<void> ChangeLane::settle(net::PostgresSession& session, Lsn boundary) {
  if (!doubts_.empty() && boundary >= followed_.settled)
    throw Error("cdc.value_missing", target_.source_name.text() + ": " + std::to_string(doubts_.size()) +
                                         " rows changed their key while they were loaded, and kept values that the "
                                         "log does not hold");
  if (!doubts_changed_) co_return;
  doubts_changed_ = false;
  followed_.doubts.assign(doubts_.begin(), doubts_.end());
  co_await store_followed(session, target_, followed_);
}

}  // namespace millrace::connectors::postgres
