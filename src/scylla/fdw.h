/*-------------------------------------------------------------------------
 *
 * fdw.h
 *	  The foreign data wrapper's callbacks, and what a plan hands to its scan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_FDW_H
#define BTM_SCYLLA_FDW_H

#include "scylla/mutation.h"
#include "scylla/reader.h"
#include "scylla/restriction.h"

#include "commands/explain.h"
#include "foreign/fdwapi.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"

/*
 * A ForeignScan's fdw_private, a List; its fdw_exprs are the values of the
 * restrictions, in the order of the statement's markers, then LIMIT and OFFSET if
 * the statement has a limit.
 *
 * A count (count.c) is a scan without a relation of its own: it has no plain
 * statement, but its outer plan does the same by reading rows.
 */
typedef enum BtmScyllaScanPrivate
{
	BTM_SCYLLA_SCAN_CQL,		/* String: the statement */
	BTM_SCYLLA_SCAN_COLUMNS,	/* IntList: attnums of its columns, 0 for one that
								 * is only there so that there is one; of a count,
								 * of what is counted, 0 for rows */
	BTM_SCYLLA_SCAN_MARKERS,	/* IntList: attnums of what its markers are for */
	BTM_SCYLLA_SCAN_OPERATORS,	/* IntList: BtmScyllaOperator of each */
	BTM_SCYLLA_SCAN_TYPES,		/* OidList: types of the values, or of elements */
	BTM_SCYLLA_SCAN_ROWS,		/* IntList: how many markers the condition has that
								 * begins with each; 0 if it continues one */
	BTM_SCYLLA_SCAN_PLAIN		/* List: what to run instead when there are
								 * pending changes, see BtmScyllaPlainPrivate */
} BtmScyllaScanPrivate;

/* overlay_plan.c says what a plain statement is. */
typedef enum BtmScyllaPlainPrivate
{
	BTM_SCYLLA_PLAIN_CQL,		/* String: the statement */
	BTM_SCYLLA_PLAIN_COLUMNS,	/* IntList: attnums of its columns */
	BTM_SCYLLA_PLAIN_MARKERS,	/* IntList: which of the scan's markers it has */
	BTM_SCYLLA_PLAIN_ORDER		/* Integer: 0: rows must come in clustering order,
								 * 1: in its reverse, -1: in any */
} BtmScyllaPlainPrivate;

/* What is kept with the RelOptInfo of a foreign table. */
typedef struct BtmScyllaRel
{
	BtmScyllaTable *table;
	List	   *candidates;		/* restrictions of the table's own conditions */
	bool		analyzed;
} BtmScyllaRel;

/* plan.c */
extern void btm_scylla_rel_size(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void btm_scylla_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *btm_scylla_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid,
									ForeignPath *path, List *tlist, List *clauses,
									Plan *outer_plan);
extern Cost btm_scylla_startup_cost(const BtmScyllaTable *table, double requests,
									double fetched);
extern Cost btm_scylla_total_cost(double requests, double fetched);
extern void btm_scylla_estimate(PlannerInfo *root, RelOptInfo *rel, List *chosen,
								double *requests, double *rows);
extern List *btm_scylla_scan_private(char *cql, List *columns, List *chosen, List **values);

/* upper.c */
extern void btm_scylla_upper_paths(PlannerInfo *root, UpperRelationKind stage,
								   RelOptInfo *input, RelOptInfo *output, void *extra);
extern ForeignScan *btm_scylla_plan_count(PlannerInfo *root, ForeignPath *path, List *tlist,
										  Plan *outer_plan);

/* count.c */
extern void btm_scylla_begin_count(ForeignScanState *node, int eflags);
extern TupleTableSlot *btm_scylla_iterate_count(ForeignScanState *node);
extern void btm_scylla_rescan_count(ForeignScanState *node);
extern void btm_scylla_end_count(ForeignScanState *node);
extern const BtmScyllaReader *btm_scylla_count_reader(ForeignScanState *node);

/* analyze.c */
extern bool btm_scylla_analyze(Relation relation, AcquireSampleRowsFunc *sample,
							   BlockNumber *totalpages);

/* scan.c */
extern void btm_scylla_begin_scan(ForeignScanState *node, int eflags);
extern TupleTableSlot *btm_scylla_iterate_scan(ForeignScanState *node);
extern void btm_scylla_rescan(ForeignScanState *node);
extern void btm_scylla_end_scan(ForeignScanState *node);
extern const CqlBytes *btm_scylla_scan_values(ForeignScanState *node);
extern const BtmScyllaReader *btm_scylla_scan_reader(ForeignScanState *node);
extern CqlParameters btm_scylla_scan_parameters(const BtmScyllaCluster *cluster,
												const BtmScyllaTable *table);

/* overlay_plan.c */
extern List *btm_scylla_plain_scan(const BtmScyllaTable *table, Index relid,
								   Bitmapset *columns, List *clauses, List *chosen,
								   int order);

/* explain.c */
extern void btm_scylla_explain_scan(ForeignScanState *node, struct ExplainState *es);

/* import.c */
extern List *btm_scylla_import(ImportForeignSchemaStmt *stmt, Oid serverid);

/* statement text, cqltext.c */
extern void btm_scylla_append_name(StringInfo cql, const char *name);
extern void btm_scylla_append_table(StringInfo cql, const BtmScyllaTable *table);

typedef struct BtmScyllaSelect
{
	bool		reverse;		/* rows of a partition backwards */
	bool		limit;			/* there is a marker for LIMIT, the last */
	bool		filtering;		/* the server may look at rows that it does not
								 * return */
} BtmScyllaSelect;

extern char *btm_scylla_select_text(const BtmScyllaTable *table, Bitmapset *columns,
									List *chosen, BtmScyllaSelect how, List **attnums);
extern char *btm_scylla_count_text(const BtmScyllaTable *table, List *attnums, List *chosen);
extern char *btm_scylla_range_text(const BtmScyllaTable *table, Bitmapset *columns,
								   List **attnums);

/* cqltext_write.c */
extern char *btm_scylla_write_text(const BtmScyllaTable *table, BtmScyllaMutationKind kind,
								   const Bitmapset *given, List **markers);

/* modify_plan.c */
extern char *btm_scylla_junk_name(const BtmScyllaColumn *column);
extern void btm_scylla_update_targets(PlannerInfo *root, Index rtindex, RangeTblEntry *rte,
									  Relation relation);
extern List *btm_scylla_plan_modify(PlannerInfo *root, ModifyTable *plan, Index rtindex,
									int subplan);
extern int	btm_scylla_updatable(Relation relation);
extern void btm_scylla_explain_write_mode(const BtmScyllaTable *table,
										  struct ExplainState *es);
extern void btm_scylla_explain_modify(ModifyTableState *mtstate, ResultRelInfo *target,
									  List *fdw_private, int subplan_index,
									  struct ExplainState *es);
pg_noreturn extern void btm_scylla_refuse_key_update(Relation relation, AttrNumber attnum);
pg_noreturn extern void btm_scylla_refuse_on_conflict(const char *table);

/* modify.c */
extern void btm_scylla_begin_modify(ModifyTableState *mtstate, ResultRelInfo *target,
									List *fdw_private, int subplan_index, int eflags);
extern void btm_scylla_begin_insert(ModifyTableState *mtstate, ResultRelInfo *target);
extern TupleTableSlot *btm_scylla_exec_insert(EState *estate, ResultRelInfo *target,
											  TupleTableSlot *slot,
											  TupleTableSlot *plan_slot);
extern TupleTableSlot *btm_scylla_exec_update(EState *estate, ResultRelInfo *target,
											  TupleTableSlot *slot,
											  TupleTableSlot *plan_slot);
extern TupleTableSlot *btm_scylla_exec_delete(EState *estate, ResultRelInfo *target,
											  TupleTableSlot *slot,
											  TupleTableSlot *plan_slot);
extern void btm_scylla_end_modify(EState *estate, ResultRelInfo *target);

/* direct.c */
extern bool btm_scylla_plan_direct(PlannerInfo *root, ModifyTable *plan, Index rtindex,
								   int subplan);
extern void btm_scylla_begin_direct(ForeignScanState *node, int eflags);
extern TupleTableSlot *btm_scylla_iterate_direct(ForeignScanState *node);
extern void btm_scylla_end_direct(ForeignScanState *node);
extern void btm_scylla_explain_direct(ForeignScanState *node, struct ExplainState *es);
extern void btm_scylla_truncate(List *relations, DropBehavior behavior, bool restart_seqs);

/* primary_key.c */
extern void btm_scylla_check_declared_key(const BtmScyllaTable *table);
extern void btm_scylla_check_key(BtmScyllaCluster *cluster, const BtmScyllaTable *table);

#endif							/* BTM_SCYLLA_FDW_H */
