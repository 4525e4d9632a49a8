/*-------------------------------------------------------------------------
 *
 * statements.h
 *	  Statements that read and write a pivot's rows, wherever it lives.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_STATEMENTS_H
#define BTM_STATEMENTS_H

#include "pivot/plan.h"

/* Appends a statement's text. */
typedef void (*BtmBuild) (StringInfo sql, BtmCall *call,
						  const BtmStatement *stmt);

/* Starts a statement of this kind. */
extern BtmStatement btm_statement_make(BtmStatementKind kind, BtmBuild build,
									   bool returning);

/*
 * A receiver for returned keys, in the call's context; NULL where none are
 * wanted.
 */
extern DestReceiver *btm_returned_keys(BtmCall *call, BtmKeys *keys);

/*
 * Whole statements.  Where a statement has an input or an array of ids, they
 * are about these pairs, otherwise about all of the parent.
 */
extern void btm_build_read_keys(StringInfo sql, BtmCall *call,
								const BtmStatement *stmt);
extern void btm_build_read_conflicts(StringInfo sql, BtmCall *call,
									 const BtmStatement *stmt);
extern void btm_build_read_moved(StringInfo sql, BtmCall *call,
								 const BtmStatement *stmt);
extern void btm_build_delete(StringInfo sql, BtmCall *call,
							 const BtmStatement *stmt);
extern void btm_build_update(StringInfo sql, BtmCall *call,
							 const BtmStatement *stmt);

/* "INSERT INTO pivot AS p (...) SELECT ... FROM input" */
extern void btm_append_insert(StringInfo sql, BtmCall *call,
							  const BtmStatement *stmt);

/* " RETURNING p.k1, ..." if the statement returns keys */
extern void btm_append_returning(StringInfo sql, BtmCall *call,
								 const BtmStatement *stmt);

/*
 * " SET a = value, ..., updated_at = now()", and "(a differs OR b differs
 * ...)": values are those of the input, or of `excluded`.  Without columns of a
 * foreign pivot's primary key.
 */
extern void btm_append_set(StringInfo sql, const BtmResolved *rel,
						   const BtmStatement *stmt, bool excluded);
extern void btm_append_differs(StringInfo sql, const BtmResolved *rel,
							   const BtmStatement *stmt, bool excluded);

/* Is this a column of the primary key of a foreign pivot? */
extern bool btm_is_row_key(const BtmResolved *rel, AttrNumber attnum);

/* Does the shape have this column? */
extern bool btm_shape_has(const BtmShape *shape, AttrNumber attnum);

/* The name of a pivot column, quoted. */
extern const char *btm_pivot_column_name(const BtmResolved *rel,
										 AttrNumber attnum);

#endif							/* BTM_STATEMENTS_H */
