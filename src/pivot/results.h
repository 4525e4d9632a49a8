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

#include "catalog/pg_class.h"
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

/* ---- results.c: columns of jsonb rows, for BtmRead ---- */

struct BtmWanted;
extern void btm_wanted_results(const BtmResolved *rel,
							   const BtmStatement *stmt,
							   struct BtmWanted *wanted);

/*
 * "pivot p", and " JOIN related r ON (...)" if the read needs it; the rows that
 * stand for them in a statement, which may be NULL
 */
extern void btm_sql_from(StringInfo sql, const BtmResolved *rel,
						 const BtmStatement *stmt, bool join_related);

/* "u.ord": the number of a row's parent, wherever it is */
extern void btm_sql_parent_number(StringInfo sql, const BtmStatement *stmt);

/*
 * " WHERE ...": the parent, from the parameters or from the input, and the
 * relation's filters, as far as rows that stand for the tables do not fulfil
 * them; where_related only with a join
 */
extern void btm_sql_where(StringInfo sql, const BtmResolved *rel,
						  const BtmStatement *stmt);

/* Do the relation's results have no rows, whatever there is? */
static inline bool
btm_takes_none(const BtmResolved *rel)
{
	return rel->def->has_take && rel->def->max_rows == 0;
}

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

/* ---- foreign_reads.c: pivots that are foreign tables ---- */

/* Columns by number. */
typedef struct BtmWanted
{
	Bitmapset  *pivot;
	Bitmapset  *related;
} BtmWanted;

/* What a read is about. */
typedef struct BtmRead
{
	/*
	 * Adds the columns that results show; NULL if related rows are not asked
	 * for.
	 */
	void		(*wanted) (const BtmResolved *rel, const BtmStatement *stmt,
						   BtmWanted *wanted);
	const BtmKeys *parents;		/* NULL: the call's parent */
	const BtmKeys *ids;			/* of the parent's pairs, or NULL: all */
	bool		none;			/* no row is wanted: the limit is 0 */
} BtmRead;

extern uint64 btm_read_foreign(BtmCall *call, BtmStatement *stmt,
							   const BtmRead *read, DestReceiver *dest);

static inline bool
btm_is_foreign(const BtmResolved *rel)
{
	return rel->pivot_kind == RELKIND_FOREIGN_TABLE;
}

/*
 * Runs the statement of a read, read_only, as btm_statement_run does.
 */
static inline uint64
btm_read(BtmCall *call, BtmStatement *stmt, const BtmRead *read,
		 DestReceiver *dest)
{
	return btm_is_foreign(call->rel) ?
		btm_read_foreign(call, stmt, read, dest) :
		btm_statement_run(call, stmt, true, dest);
}

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
