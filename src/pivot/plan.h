/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  Statements of operations: their kept plans, their input, their output.
 *
 * A statement is planned through SPI.  Its parameters $1 .. $nfk are the key of
 * call->parent (rel->nfk of them, typed as the pivot's columns).  A set of ids
 * or parents reaches it as an ephemeral named relation, the mechanism behind
 * the transition tables of triggers: any column type works, and the planner
 * is told the number of rows.  A single id comes as further parameters, from
 * which a subquery makes that relation: the planner folds it, and the plan is
 * that of a statement about one pair.  In the same way rows that were read
 * before can stand for the pivot and for the related table.
 *
 * Small statements are planned once, as generic plans, and kept with the
 * resolved relation.  Since such a plan must stay good when tables grow, it is
 * made with sequential scans disabled: it uses the index of the key from the
 * first call on.  Statements with many rows, in their input or by estimate in
 * their result, are planned for just that each time; there the planner's time
 * does not count.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_PLAN_H
#define BTM_PLAN_H

#include "pivot/pivot.h"

#include "lib/stringinfo.h"

/* What a statement does; with its shape it identifies a kept plan. */
typedef enum BtmStatementKind
{
	BTM_STMT_READ_KEYS,
	BTM_STMT_READ_KEYS_AMONG,
	BTM_STMT_READ_VERSIONS,
	BTM_STMT_READ_VERSIONS_AMONG,
	BTM_STMT_DELETE_ALL,
	BTM_STMT_DELETE_AMONG,
	BTM_STMT_UPDATE,
	BTM_STMT_INSERT,
	BTM_STMT_INSERT_IGNORE,
	BTM_STMT_INSERT_UPDATE,
	BTM_STMT_RESULTS,
	BTM_STMT_RESULTS_FOR,
	BTM_STMT_RELATED_IDS,
	BTM_STMT_IS_ATTACHED,
	BTM_STMT_COUNT,
	BTM_STMT_COUNT_FOR,
	BTM_STMT_READ_CONFLICTS,
	BTM_STMT_READ_MOVED,
	BTM_STMT_FOREIGN_KEY,
	BTM_STMT_PIVOT_ROWS,
	BTM_STMT_RELATED_ROWS
} BtmStatementKind;

/* Name of the ephemeral relation in SQL text. */
#define BTM_INPUT_NAME "btm_input"

/* Names of rows that stand for the pivot and for the related table. */
#define BTM_PIVOT_NAME "btm_pivot"
#define BTM_RELATED_NAME "btm_related"

/* Statements with more input rows than this are planned for their size. */
#define BTM_GENERIC_ROWS 256

/*
 * Rows of a table that were read before: some of its columns, by their names;
 * those of many parents have the parent's number as their last column.
 */
typedef struct BtmRows
{
	TupleDesc	desc;
	Tuplestorestate *store;
	int64		n;
} BtmRows;

typedef struct BtmStatement
{
	/* These identify it among the statements of its relation. */
	BtmStatementKind kind;
	const BtmShape *shape;		/* attributes it writes, or NULL */
	const Bitmapset *columns;	/* or columns it reads, by number, or NULL */
	uint64		variant;		/* what else its text depends on, 0: nothing.
								 * RESULTS: identifier of the row type;
								 * RESULTS_FOR: 1 + the limit per parent;
								 * UPDATE: is one of the attributes NULL?;
								 * FOREIGN_KEY: index of the key;
								 * PIVOT_ROWS, RELATED_ROWS: how the keys are
								 * given */
	bool		returning;		/* keys of the affected rows wanted? */
	bool		custom;			/* planned for its parameters each time? */

	bool		without_parent; /* has no parameters */
	bool		has_parents;	/* its input is a list of parents */
	int64		generic_rows;	/* input rows up to which a generic plan is
								 * good; 0: BTM_GENERIC_ROWS */

	/* Appends the statement's text. */
	void		(*build) (StringInfo sql, BtmCall *call,
						  const struct BtmStatement *stmt);

	TupleDesc	input_desc;		/* of the ephemeral relation, or NULL */
	int64		input_rows;
	Tuplestorestate *input;		/* the ephemeral relation, or NULL */
	Datum	   *single;			/* or the only row of ids, or NULL */
	bool	   *single_nulls;

	ParamListInfo params;		/* the parameters, or NULL: as above */
	const BtmRows *pivot;		/* stands for the pivot, or NULL */
	const BtmRows *related;		/* stands for the related table, or NULL */

	/*
	 * On a foreign pivot: the plan is good for any number of rows, and has no
	 * nested loop, in which the table would be asked once for each row.  The
	 * ids can come in an array, as one more parameter after the parent's key,
	 * which a wrapper can hand on.
	 */
	bool		is_foreign;
	Oid			array_type;		/* InvalidOid: there is none */
	Datum		array;
} BtmStatement;

/*
 * Runs a statement, and returns the number of rows processed.  Result rows go
 * to `dest`, or nowhere if it is NULL.  read_only statements run under the
 * active snapshot, others under a snapshot of their own as a statement that
 * the client sends would (see SPI_execute_plan).  The caller is connected to
 * SPI; the current memory context stays what it is, though SPI's own functions
 * leave another, which goes with the connection.
 */
extern uint64 btm_statement_run(BtmCall *call, const BtmStatement *stmt,
								bool read_only, DestReceiver *dest);

/*
 * Input relations.  For ids: columns k1 .. knid, and a1 .. am for the
 * attributes of `shape` (ids of another shape are left out); it returns whether
 * there is a NULL among these.  For parents:
 * columns ord (int8, 0-based) and p1 .. pnfk.
 */
extern void btm_statement_input_keys(BtmCall *call, BtmStatement *stmt,
									 const BtmKeys *keys);
extern bool btm_statement_input_ids(BtmCall *call, BtmStatement *stmt,
									const BtmIds *ids, int shape);
extern void btm_statement_input_parents(BtmCall *call, BtmStatement *stmt,
										const BtmKeys *parents);

/* The array of ids; for keys of one column, not together with a single id. */
extern void btm_statement_id_array(BtmCall *call, BtmStatement *stmt,
								   const BtmKeys *keys);

/*
 * Appends the input as an item of FROM: it goes by the name u in the text.
 */
extern void btm_statement_append_input(StringInfo sql, BtmCall *call,
									   const BtmStatement *stmt);

/* Frees the input of a statement that is not run. */
extern void btm_statement_drop_input(const BtmStatement *stmt);

/*
 * For other inputs: describe, then put rows and count them in input_rows.
 */
extern void btm_statement_begin_input(BtmStatement *stmt, int ncolumns);
extern void btm_statement_input_column(BtmStatement *stmt, int i, char prefix,
									   int number, const BtmType *type);

/* Forgets the input of a statement that was ended by an error. */
extern void btm_statement_forget_input(void);

/*
 * Fills a receiver that needs no cleaning up; startup may be NULL.  Both
 * functions are called in the executor's per-query memory context.
 */
extern void btm_receiver_init(DestReceiver *receiver,
							  void (*startup) (DestReceiver *, int, TupleDesc),
							  bool (*receive) (TupleTableSlot *,
											   DestReceiver *));

/* A receiver that adds the first columns of each row to a list of keys. */
extern DestReceiver *btm_keys_receiver(BtmKeys *keys,
									   const BtmKeyColumn *columns);

/* Has it stop the statement after so many rows, unless that is 0. */
extern void btm_keys_receiver_limit(DestReceiver *receiver, int64 max);

/* For the relation cache. */
extern void btm_plan_free_all(BtmResolved *rel);

#endif							/* BTM_PLAN_H */
