/*-------------------------------------------------------------------------
 *
 * sqltext.h
 *	  The one place where SQL text is made.
 *
 * Every function appends to a StringInfo.  All names are schema-qualified and
 * quoted, operators are written OPERATOR(schema.name), types are qualified:
 * the text means the same under any search_path.
 *
 * The pivot goes by the alias p, the related table by r, a set of ids or
 * parents by u.  A parent's key is either the parameters $1 .. $nfk or
 * literals.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SQLTEXT_H
#define BTM_SQLTEXT_H

#include "pivot/pivot.h"

#include "lib/stringinfo.h"

extern void btm_sql_table(StringInfo buf, Oid relid);
extern void btm_sql_type(StringInfo buf, Oid type, int32 typmod);
extern void btm_sql_operator(StringInfo buf, Oid opno);
extern void btm_sql_collation(StringInfo buf, Oid collation);
extern void btm_sql_column(StringInfo buf, const char *alias, const char *name);

/* 'literal'::type, or NULL::type */
extern void btm_sql_literal(StringInfo buf, const char *literal, Oid type,
							int32 typmod);

/* p.fk1 = $1 AND p.fk2 = $2 ... */
extern void btm_sql_parent_params(StringInfo buf, const BtmResolved *rel,
								  const char *alias);

/* p.fk1 = 'value'::type AND ...; `parent` has rel->nfk datums */
extern void btm_sql_parent_literals(StringInfo buf, const BtmResolved *rel,
									const char *alias, const Datum *parent);

/* p.fk1 = u.p1 AND p.fk2 = u.p2 ...: a set of parents */
extern void btm_sql_parent_set(StringInfo buf, const BtmResolved *rel,
							   const char *alias);

/* p.id1 = u.k1 AND p.id2 = u.k2 ...: a set of ids */
extern void btm_sql_id_set(StringInfo buf, const BtmResolved *rel,
						   const char *alias);

/*
 * " AND ..." for pivot values and filter, each in parentheses; nothing where
 * the relation has neither.
 */
extern void btm_sql_scope(StringInfo buf, const BtmResolved *rel,
						  const char *alias);

/* " AND ..." for the pivot value of a column; false if it has none */
extern bool btm_sql_pivot_value(StringInfo buf, const BtmResolved *rel,
								const char *alias, AttrNumber attnum);

/*
 * " AND p.rk IS NOT NULL" for each column of the related key; of a foreign table
 * for those that may be NULL
 */
extern void btm_sql_related_not_null(StringInfo buf, const BtmResolved *rel,
									 const char *alias);

/* r.rpk1 = p.rk1 AND ..., p being the alias */
extern void btm_sql_related_join(StringInfo buf, const BtmResolved *rel,
								 const char *alias);

/*
 * " COLLATE ..." if values of a related key are to be compared under another
 * collation than the pivot's: that of the referenced column, as a foreign key
 * does
 */
extern void btm_sql_related_collation(StringInfo buf, const BtmKeyColumn *key);

/* " AND (...)" for where_related; nothing where there is none */
extern void btm_sql_related_scope(StringInfo buf, const BtmResolved *rel);

/* " ORDER BY ..." and " LIMIT n OFFSET m"; nothing where there is none */
extern void btm_sql_order_by(StringInfo buf, const BtmResolved *rel);
extern void btm_sql_limit(StringInfo buf, const BtmResolved *rel);

#endif							/* BTM_SQLTEXT_H */
