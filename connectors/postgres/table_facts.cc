#include "connectors/postgres/table_facts.h"

#include "connectors/postgres/meta.h"

namespace millrace::connectors::postgres {
namespace {

// Things that belong to the table itself and that a new table would not have. One row each: what, in words.
constexpr const char* kSticky = R"sql(
SELECT 'trigger ' || tgname FROM pg_catalog.pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal
UNION ALL SELECT 'row level security' FROM pg_catalog.pg_class WHERE oid = $1::oid AND relrowsecurity
UNION ALL SELECT 'policy ' || polname FROM pg_catalog.pg_policy WHERE polrelid = $1::oid
UNION ALL SELECT 'rule ' || rulename FROM pg_catalog.pg_rewrite WHERE ev_class = $1::oid
UNION ALL SELECT 'inheritance' FROM pg_catalog.pg_inherits WHERE inhparent = $1::oid OR inhrelid = $1::oid
UNION ALL SELECT 'publication ' || p.pubname FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = $1::oid
UNION ALL SELECT 'replica identity' FROM pg_catalog.pg_class WHERE oid = $1::oid AND relreplident <> 'd'
UNION ALL SELECT 'statistics ' || stxname FROM pg_catalog.pg_statistic_ext WHERE stxrelid = $1::oid
UNION ALL SELECT 'column default' FROM pg_catalog.pg_attrdef WHERE adrelid = $1::oid
UNION ALL SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, 0) FROM pg_catalog.pg_depend d
  WHERE d.deptype = 'n' AND ((d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = $1::oid)
    OR (d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = (SELECT reltype FROM pg_catalog.pg_class WHERE oid = $1::oid)))
  AND NOT (d.classid = 'pg_catalog.pg_constraint'::regclass)
  AND NOT (d.classid = 'pg_catalog.pg_rewrite'::regclass AND EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
    WHERE r.oid = d.objid AND (v.relkind = 'v' OR v.oid = $1::oid)))
)sql";

constexpr const char* kViews = R"sql(
SELECT DISTINCT format('%I.%I', n.nspname, v.relname), coalesce(array_to_string(v.reloptions, ', '), ''), pg_catalog.pg_get_viewdef(v.oid)
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = $1::oid
  AND d.deptype = 'n' AND v.relkind = 'v'
)sql";

constexpr const char* kIndexes = R"sql(
SELECT x.relname, i.indisprimary, pg_catalog.pg_get_constraintdef(con.oid),
  format('CREATE %sINDEX %I ON %I.%I ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, x.relname, n.nspname, c.relname),
  pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_constraint con ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid AND con.contype IN ('p', 'u', 'x')
WHERE i.indrelid = $1::oid ORDER BY i.indisprimary DESC, x.relname
)sql";

// Grants of others than the owner, on the table and on columns.
constexpr const char* kGrants = R"sql(
SELECT format('GRANT %s ON TABLE %%T TO %s%s', a.privilege_type, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a WHERE c.oid = $1::oid AND a.grantee <> c.relowner
UNION ALL
SELECT format('GRANT %s (%I) ON TABLE %%T TO %s%s', a.privilege_type, t.attname, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_catalog.pg_attribute t, pg_catalog.aclexplode(t.attacl) a WHERE t.attrelid = $1::oid AND t.attnum > 0 AND NOT t.attisdropped
)sql";

constexpr const char* kComments = R"sql(
SELECT CASE WHEN d.objsubid = 0 THEN format('COMMENT ON TABLE %%T IS %L', d.description)
  ELSE format('COMMENT ON COLUMN %%T.%I IS %L', a.attname, d.description) END
FROM pg_catalog.pg_description d LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = $1::oid AND (d.objsubid = 0 OR NOT a.attisdropped)
)sql";

constexpr const char* kColumns = R"sql(
SELECT attname, attnotnull FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum
)sql";

constexpr const char* kConstraints = R"sql(
SELECT conrelid = $1::oid, conrelid::regclass::text, quote_ident(conname), pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
WHERE (conrelid = $1::oid AND contype IN ('c', 'f')) OR (confrelid = $1::oid AND contype = 'f' AND conrelid <> $1::oid)
)sql";

}  // namespace

std::string for_table(std::string statement, const std::string& table) {
  return statement.replace(statement.find("%T"), 2, table);
}

asio::awaitable<TableFacts> table_facts(net::PostgresSession& session, std::int64_t oid) {
  const Parameters id{std::to_string(oid)};
  TableFacts facts;
  const auto self = co_await session.query(
      "SELECT relkind, quote_ident(pg_catalog.pg_get_userbyid(relowner)), coalesce(array_to_string(reloptions, ', '), "
      "'') "
      "FROM pg_catalog.pg_class WHERE oid = $1::oid",
      id);
  facts.kind = self.at(0, 0).at(0);
  facts.owner = self.at(0, 1);
  facts.options = self.at(0, 2);
  if (facts.kind != 'r') facts.sticky.emplace_back("it is no plain table");

  const auto sticky = co_await session.query(kSticky, id);
  for (std::size_t i = 0; i < sticky.rows.size(); ++i) facts.sticky.push_back(sticky.at(i, 0));
  const auto views = co_await session.query(kViews, id);
  for (std::size_t i = 0; i < views.rows.size(); ++i) {
    ViewFact view;
    view.view = views.at(i, 0);
    view.options = views.at(i, 1);
    view.definition = views.at(i, 2);
    facts.views.push_back(std::move(view));
  }
  const auto columns = co_await session.query(kColumns, id);
  for (std::size_t i = 0; i < columns.rows.size(); ++i) {
    ColumnFact column;
    column.name = columns.at(i, 0);
    column.not_null = columns.at(i, 1) == "t";
    facts.columns.push_back(std::move(column));
  }
  const auto indexes = co_await session.query(kIndexes, id);
  for (std::size_t i = 0; i < indexes.rows.size(); ++i) {
    IndexFact index;
    index.name = indexes.at(i, 0);
    index.primary = indexes.at(i, 1) == "t";
    index.constraint = indexes.at(i, 2);
    index.prefix = indexes.at(i, 3);
    index.definition = indexes.at(i, 4);
    facts.indexes.push_back(std::move(index));
  }
  const auto constraints = co_await session.query(kConstraints, id);
  for (std::size_t i = 0; i < constraints.rows.size(); ++i) {
    ForeignKeyFact fact;
    const bool own = constraints.at(i, 0) == "t";
    if (!own) fact.table = constraints.at(i, 1);
    fact.name = constraints.at(i, 2);
    fact.definition = constraints.at(i, 3);
    (own ? facts.own_constraints : facts.references).push_back(std::move(fact));
  }
  const auto grants = co_await session.query(kGrants, id);
  for (std::size_t i = 0; i < grants.rows.size(); ++i) facts.grants.push_back(grants.at(i, 0));
  const auto comments = co_await session.query(kComments, id);
  for (std::size_t i = 0; i < comments.rows.size(); ++i) facts.comments.push_back(comments.at(i, 0));
  co_return facts;
}

}  // namespace millrace::connectors::postgres
