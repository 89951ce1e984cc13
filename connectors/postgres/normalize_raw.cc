#include "connectors/postgres/normalize_raw.h"

#include "common/errors.h"
#include "connectors/mapper.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/table_ddl.h"
#include "connectors/raw_document.h"

namespace millrace::connectors::postgres {
namespace {

bool takes_any_text(const Field& f) { return f.type.kind == Kind::string && f.type.pg_type == "text"; }

// The field of a document as text, and as a value of its type.
std::string text_in(const Field& f) { return "(d._data ->> " + net::quote_literal(f.name) + ")"; }

std::string plain_value(const Field& f) {
  if (takes_any_text(f)) return text_in(f);
  if (f.type.kind == Kind::jsonb || f.type.kind == Kind::json)
    return "(nullif(d._data -> " + net::quote_literal(f.name) + ", 'null'::jsonb))::" + f.type.pg_type;
  return text_in(f) + "::" + f.type.pg_type;
}

std::string fits(const Field& f) {
  return "millrace.fits(" + text_in(f) + ", " + net::quote_literal(f.type.pg_type) + ")";
}

bool is_guarded(const Field& f) {
  return !takes_any_text(f) && f.type.kind != Kind::jsonb && f.type.kind != Kind::json;
}

std::string guarded_value(const Field& f) {
  if (!is_guarded(f)) return plain_value(f);
  return "CASE WHEN " + fits(f) + " THEN " + plain_value(f) + " END";
}

// {"field", "reason", "type"} of each value that does not fit; null where all do.
std::string errors_value(const StreamTarget& typed) {
  std::string out;
  for (const Field& f : typed.schema->fields)
    if (is_guarded(f))
      out += (out.empty() ? "" : " || ") + ("CASE WHEN " + fits(f)) + " THEN '[]'::jsonb ELSE jsonb_build_array(" +
             "jsonb_build_object('field', " + net::quote_literal(f.name) + ", 'reason', 'not ' || " +
             net::quote_literal(f.type.pg_type) + ", 'type', " + net::quote_literal(f.type.pg_type) + ")) END";
  return out.empty() ? "NULL::jsonb" : "nullif(" + out + ", '[]'::jsonb)";
}

constexpr const char* kFits = R"sql(
CREATE OR REPLACE FUNCTION millrace.fits(value text, wanted text) RETURNS boolean LANGUAGE plpgsql STABLE AS $f$
BEGIN
  IF value IS NULL THEN RETURN true; END IF;
  EXECUTE 'SELECT $1::' || wanted USING value;
  RETURN true;
EXCEPTION WHEN data_exception OR invalid_text_representation OR numeric_value_out_of_range OR check_violation THEN
  RETURN false;
END $f$)sql";

std::string select_of(const StreamTarget& raw, const StreamTarget& typed, std::int64_t after, bool guarded) {
  std::string out = "SELECT ";
  bool first = true;
  for (const Field& f : typed.schema->fields) {
    out += (first ? "" : ", ") + (guarded ? guarded_value(f) : plain_value(f));
    first = false;
  }
  if (has_metadata(typed)) out += std::string(", d.") + kExtractedAt + ", d." + kLoadId;
  if (guarded) out += ", " + errors_value(typed);
  out += " FROM " + final_table(raw) + " d";
  if (after > 0) out += " WHERE d." + std::string(kLoadId) + " > " + std::to_string(after);
  // The order of arrival decides between rows of one key and cursor.
  return out + " ORDER BY d." + kLoadId;
}

asio::awaitable<void> quarantine_of(net::PostgresSession& session, StreamTarget raw, StreamTarget typed,
                                    std::int64_t after) {
  Parameters key = stream_key(raw);
  const std::string condition =
      after > 0 ? " AND d." + std::string(kLoadId) + " > " + std::to_string(after) : std::string();
  co_await session.query(
      "DELETE FROM millrace.quarantine d WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3 AND "
      "load_id > " +
          std::to_string(after),
      key);
  std::string keys = "'{}'::jsonb";
  if (!typed.primary_key.empty()) {
    keys = "jsonb_build_object(";
    for (std::size_t i = 0; i < typed.primary_key.size(); ++i) {
      const std::string name = net::quote_literal(typed.primary_key[i]);
      keys += (i > 0 ? ", " : "") + name + ", d._data ->> " + name;
    }
    keys += ")";
  }
  for (const Field& f : typed.schema->fields) {
    if (!is_guarded(f)) continue;
    const std::string sql =
        "INSERT INTO millrace.quarantine (connection_id, stream_namespace, stream_name, load_id, split_id, row_number, "
        "key, field, wanted, reason, value) SELECT $1, $2, $3, d._load_id, '', 0, " +
        keys + ", " + net::quote_literal(f.name) + ", " + net::quote_literal(f.type.pg_type) + ", 'not ' || " +
        net::quote_literal(f.type.pg_type) + ", convert_to(" + text_in(f) + ", 'UTF8') FROM " + final_table(raw) +
        " d WHERE NOT " + fits(f) + condition;
    co_await session.query(sql, key);
  }
}

}  // namespace

asio::awaitable<std::int64_t> type_documents(net::PostgresSession& session, StreamTarget raw, StreamTarget typed,
                                             std::int64_t after, bool& errors, std::vector<std::string>& notes) {
  const std::string stage = helper_table(stage_name(typed));
  auto columns = columns_of(typed);
  co_await session.execute("DROP TABLE IF EXISTS " + stage);
  co_await run_ddl(session, create_table(stage, columns));
  co_await session.execute("SAVEPOINT millrace_typed");
  bool fits_all = true;
  net::PostgresResult result;
  try {
    result = co_await session.query(
        "INSERT INTO " + stage + " (" + column_list(columns) + ") " + select_of(raw, typed, after, false), {});
  } catch (const net::PostgresError& e) {
    if (!e.sqlstate().starts_with("22")) throw;
    fits_all = false;
  }
  if (fits_all) co_return result.affected;
  co_await session.execute("ROLLBACK TO SAVEPOINT millrace_typed");
  errors = true;
  co_await session.execute(kFits);
  co_await session.execute("ALTER TABLE " + stage + " ADD COLUMN " + kErrorsField + " jsonb");
  columns.push_back({kErrorsField, "jsonb"});
  result = co_await session.query(
      "INSERT INTO " + stage + " (" + column_list(columns) + ") " + select_of(raw, typed, after, true), {});
  co_await quarantine_of(session, raw, typed, after);
  notes.push_back("values that do not fit their type are null, and kept in the quarantine");
  co_return result.affected;
}

}  // namespace millrace::connectors::postgres
