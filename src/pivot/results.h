/*-------------------------------------------------------------------------
 *
 * results.h
 *	  What reads share: the columns of results, the text of their statements,
 *	  row types that callers name, and lists of parents.
 *
 * Columns of the related table go by their names; columns of the pivot go
 * into the pivot member of jsonb rows, and by the names pivot_<column>
 * everywhere else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_RESULTS_H
#define BTM_RESULTS_H

#include "pivot/plan.h"

#include "funcapi.h"

/* ---- results.c: columns ---- */

extern List *btm_related_columns(const BtmResolved *rel);
extern List *btm_result_pivot_columns(const BtmResolved *rel);
extern char *btm_pivot_alias(const char *column);

/* Name of the member of a jsonb row that holds the pivot columns. */
static inline const char *
btm_pivot_member(const BtmResolved *rel)
{
	return rel->def->pivot_as ? rel->def->pivot_as : "pivot";
}

/* ---- results.c: statement text ---- */

/* "r.a, r.b, ..., p.x, ...": what a jsonb row is made of */
extern void btm_sql_result_columns(StringInfo sql, const BtmResolved *rel);

/* "p.x AS pivot_x, ...", each after the separator, which becomes ", " */
extern void btm_sql_aliased_pivot_columns(StringInfo sql,
										  const BtmResolved *rel,
										  const char *separator);

/* "pivot p", and " JOIN related r ON (...)" if the read needs it */
extern void btm_sql_from(StringInfo sql, const BtmResolved *rel,
						 bool join_related);

/*
 * " WHERE ...": the parent, from the parameters or from the input, and the
 * relation's filters; where_related only with a join
 */
extern void btm_sql_where(StringInfo sql, const BtmResolved *rel,
						  bool parent_from_input);

/* Do reads of keys and counts need the related table? */
static inline bool
btm_reads_related(const BtmResolved *rel)
{
	return rel->def->where_related != NIL;
}

/* alias.column, cast to the type unless it is of this type */
extern void btm_sql_cast_column(StringInfo sql, const char *alias, Oid relid,
								AttrNumber attnum, Oid type, int32 typmod);

/* ---- queries.c: text without parameters ---- */

/*
 * " WHERE ..." where the related rows are r; nothing where there are no
 * conditions.  With for_parent the key of call->parent as literals, "false"
 * if that is NULL.
 */
extern void btm_sql_literal_where(StringInfo sql, BtmCall *call,
								  bool for_parent);

/* ---- results.c: receivers of rows ---- */

extern DestReceiver *btm_rows_receiver(ReturnSetInfo *rsinfo);

/* ---- results.c: row types that callers name ---- */

/* A statement whose columns are the live columns of a row type. */
typedef struct BtmTypedStatement
{
	BtmStatement stmt;
	TupleDesc	row;
} BtmTypedStatement;

extern TypeFuncClass btm_begin_typed(BtmCall *call, BtmTypedStatement *typed);

/* ---- results_for.c: lists of parents ---- */

/* Distinct parents in input order. */
typedef struct BtmParents
{
	BtmKeys		keys;
	Datum	   *values;			/* what results call them: the element that was
								 * given, or jsonb */
} BtmParents;

extern BtmParents *btm_parents_arg(BtmCall *call, int argno);

#endif							/* BTM_RESULTS_H */
