/*-------------------------------------------------------------------------
 *
 * restriction.c
 *	  Conditions on a foreign table that CQL can check as SQL does.
 *
 * A condition is given to the server only if the server's answer cannot lack a
 * row that the condition lets through.  That depends on the CQL type: equality
 * of decimals in a partition key is one of bytes, and 1.0 is not 1.00 there; a
 * float's -0 is not 0; uuids and addresses have another order; the text of any
 * collation but C, too.  A timestamp is finer here than there, so it is given to
 * the server as the widest condition that could be meant, and checked again
 * here.
 *
 * CQL answers a query from a partition that is named wholly, and within it from
 * a range of rows in their order: equality on the first columns of the
 * clustering key, then bounds of the next.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "scylla/restriction.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* -------
 * Types
 * -------
 */

/* Has the column the type here that its CQL type is for, or one read the same? */
static bool
has_natural_type(const BtmScyllaColumn *column)
{
	Oid			natural = btm_scylla_column_type(column->cql);

	return column->type == natural || (natural == TEXTOID && column->type == VARCHAROID);
}

/* Is the database's collation C, by the C library? */
static bool
default_collation_is_c(void)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Form_pg_database database;
	bool		isnull;
	Datum		name;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	database = (Form_pg_database) GETSTRUCT(tuple);
	name = SysCacheGetAttr(DATABASEOID, tuple, Anum_pg_database_datcollate, &isnull);
	result = !isnull && database->datlocprovider == COLLPROVIDER_LIBC &&
		(strcmp(TextDatumGetCString(name), "C") == 0 ||
		 strcmp(TextDatumGetCString(name), "POSIX") == 0);
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Does a collation order texts by their bytes?  There are others that do, but
 * these are the ones whose name says so.
 */
static bool
collation_is_c(Oid collation)
{
	return collation == C_COLLATION_OID ||
		(collation == DEFAULT_COLLATION_OID && default_collation_is_c());
}

/* Is equality there what it is here, or wider? */
static bool
same_equality(const BtmScyllaColumn *column, Oid collation)
{
	switch (column->cql->id)
	{
		case CQL_TYPE_ASCII:
		case CQL_TYPE_VARCHAR:
			return !OidIsValid(collation) || get_collation_isdeterministic(collation);
		case CQL_TYPE_DECIMAL:
			return column->role == BTM_SCYLLA_CLUSTERING_KEY;
		case CQL_TYPE_TINYINT:
		case CQL_TYPE_SMALLINT:
		case CQL_TYPE_INT:
		case CQL_TYPE_BIGINT:
		case CQL_TYPE_VARINT:
		case CQL_TYPE_BOOLEAN:
		case CQL_TYPE_UUID:
		case CQL_TYPE_TIMEUUID:
		case CQL_TYPE_TIMESTAMP:
		case CQL_TYPE_DATE:
		case CQL_TYPE_INET:
		case CQL_TYPE_BLOB:
			return true;
		default:
			return false;
	}
}

bool
btm_scylla_same_order(const BtmScyllaColumn *column, Oid collation)
{
	if (!has_natural_type(column))
		return false;
	switch (column->cql->id)
	{
		case CQL_TYPE_ASCII:
		case CQL_TYPE_VARCHAR:
			return OidIsValid(collation) && collation_is_c(collation) &&
				GetDatabaseEncoding() == PG_UTF8;
		case CQL_TYPE_DECIMAL:
			return column->role == BTM_SCYLLA_CLUSTERING_KEY;
		case CQL_TYPE_TINYINT:
		case CQL_TYPE_SMALLINT:
		case CQL_TYPE_INT:
		case CQL_TYPE_BIGINT:
		case CQL_TYPE_VARINT:
		case CQL_TYPE_TIMESTAMP:
		case CQL_TYPE_DATE:
		case CQL_TYPE_BLOB:
			return true;
		default:
			return false;
	}
}

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID;
}

/*
 * Can a value of this type be given for the column?  An integer of another size
 * can be where it is compared for equality: one out of range is equal to none.
 * A numeric may be what CQL's numbers cannot, NaN or a fraction, and bound them
 * all the same.
 */
static bool
value_fits(const BtmScyllaColumn *column, Oid type, bool equality)
{
	if (type == NUMERICOID && !equality)
		return false;
	if (type == column->type || (is_text(type) && is_text(column->type)))
		return true;
	if (!is_integer(type) || !is_integer(column->type))
		return false;
	return equality || get_typlen(type) <= get_typlen(column->type);
}

/* -------
 * Clauses
 * -------
 */

/* The column that an expression is, of this table; NULL for anything else. */
static BtmScyllaColumn *
column_of(RelOptInfo *rel, const BtmScyllaTable *table, Node *expr)
{
	Var		   *var;

	if (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	if (!IsA(expr, Var))
		return NULL;
	var = (Var *) expr;
	if (var->varno != (int) rel->relid || var->varlevelsup != 0)
		return NULL;
	return btm_scylla_column_by_number(table, var->varattno);
}

/* Can the expression be evaluated before the scan? */
static bool
is_value(PlannerInfo *root, RelOptInfo *rel, Node *expr)
{
	return !bms_is_member(rel->relid, pull_varnos(root, expr)) &&
		!contain_volatile_functions(expr);
}

/* What an operator, the column on its left, is in CQL; false if it is nothing. */
static bool
cql_operator(Oid opno, const BtmScyllaColumn *column, BtmScyllaOperator *op)
{
	Oid			opclass = GetDefaultOpClass(column->type == VARCHAROID ? TEXTOID : column->type,
											BTREE_AM_OID);

	if (!OidIsValid(opclass))
		return false;
	switch (get_op_opfamily_strategy(opno, get_opclass_family(opclass)))
	{
		case BTEqualStrategyNumber:
			*op = BTM_SCYLLA_EQ;
			return true;
		case BTLessStrategyNumber:
			*op = BTM_SCYLLA_LT;
			return true;
		case BTLessEqualStrategyNumber:
			*op = BTM_SCYLLA_LE;
			return true;
		case BTGreaterStrategyNumber:
			*op = BTM_SCYLLA_GT;
			return true;
		case BTGreaterEqualStrategyNumber:
			*op = BTM_SCYLLA_GE;
			return true;
		default:
			return false;
	}
}

/*
 * The restriction that `column op value` is, or NULL.  `array`: it is
 * `column op ANY (value)`.
 */
static BtmScyllaRestriction *
make_restriction(BtmScyllaColumn *column, Oid opno, Oid collation, Expr *value, bool array)
{
	Oid			type = exprType((Node *) value);
	BtmScyllaRestriction *result;
	BtmScyllaOperator op;
	bool		equality;

	if (array)
		type = get_element_type(type);
	if (!OidIsValid(type) || !has_natural_type(column) || !cql_operator(opno, column, &op))
		return NULL;
	equality = op == BTM_SCYLLA_EQ;
	if ((array && !equality) || !value_fits(column, type, equality) ||
		!(equality ? same_equality(column, collation) : btm_scylla_same_order(column, collation)))
		return NULL;

	result = palloc0(sizeof(BtmScyllaRestriction));
	result->column = column;
	result->op = array ? BTM_SCYLLA_IN : op;
	result->value = value;
	result->value_type = type;
	result->exact = column->cql->id != CQL_TYPE_TIMESTAMP;
	return result;
}

static BtmScyllaRestriction *
restriction_of_operator(PlannerInfo *root, RelOptInfo *rel, const BtmScyllaTable *table,
						OpExpr *clause)
{
	Node	   *left;
	Node	   *right;
	BtmScyllaColumn *column;
	Oid			opno = clause->opno;

	if (list_length(clause->args) != 2)
		return NULL;
	left = linitial(clause->args);
	right = lsecond(clause->args);
	column = column_of(rel, table, left);
	if (column == NULL)
	{
		Node	   *other = left;

		left = right;
		right = other;
		opno = get_commutator(opno);
		column = column_of(rel, table, left);
	}
	if (column == NULL || !OidIsValid(opno) || !is_value(root, rel, right))
		return NULL;
	return make_restriction(column, opno, clause->inputcollid, (Expr *) right, false);
}

static BtmScyllaRestriction *
restriction_of_array(PlannerInfo *root, RelOptInfo *rel, const BtmScyllaTable *table,
					 ScalarArrayOpExpr *clause)
{
	BtmScyllaColumn *column = column_of(rel, table, linitial(clause->args));
	Node	   *array = lsecond(clause->args);

	if (column == NULL || !clause->useOr || !is_value(root, rel, array))
		return NULL;
	return make_restriction(column, clause->opno, clause->inputcollid, (Expr *) array, true);
}

/* -------
 * Comparisons of rows
 * -------
 */

/* A comparison of rows with the table's columns on its left. */
typedef struct RowComparison
{
	List	   *columns;		/* expressions */
	List	   *values;
	List	   *opnos;
	List	   *collations;
} RowComparison;

static bool
are_values(PlannerInfo *root, RelOptInfo *rel, List *exprs)
{
	ListCell   *lc;

	foreach(lc, exprs)
		if (!is_value(root, rel, lfirst(lc)))
			return false;
	return true;
}

/* The other way round; false if an operator has no commutator. */
static bool
commute(RowComparison *row)
{
	List	   *columns = row->values;
	List	   *opnos = NIL;
	ListCell   *lc;

	foreach(lc, row->opnos)
	{
		Oid			opno = get_commutator(lfirst_oid(lc));

		if (!OidIsValid(opno))
			return false;
		opnos = lappend_oid(opnos, opno);
	}
	row->values = row->columns;
	row->columns = columns;
	row->opnos = opnos;
	return true;
}

/* The restriction of the row's column at a place, taken alone; or NULL. */
static BtmScyllaRestriction *
restriction_in_row(RelOptInfo *rel, const BtmScyllaTable *table, const RowComparison *row,
				   int place)
{
	BtmScyllaColumn *column = column_of(rel, table, list_nth(row->columns, place));
	BtmScyllaRestriction *result;

	if (column == NULL)
		return NULL;
	result = make_restriction(column, list_nth_oid(row->opnos, place),
							  list_nth_oid(row->collations, place),
							  list_nth(row->values, place), false);
	return result != NULL && result->op != BTM_SCYLLA_EQ ? result : NULL;
}

/*
 * Is a constant one that every later value can be compared with?  Null is not, and
 * what CQL cannot hold may not be.
 */
static bool
is_plain_constant(const BtmScyllaRestriction *restriction)
{
	const Const *constant = (const Const *) restriction->value;

	return !constant->constisnull &&
		(restriction->value_type != DATEOID ||
		 !DATE_NOT_FINITE(DatumGetDateADT(constant->constvalue)));
}

/*
 * The whole comparison, if its columns are the first of the clustering key, of one
 * direction, and each is compared exactly; or NIL.
 */
static List *
restrictions_of_whole_row(RelOptInfo *rel, const BtmScyllaTable *table,
						  const RowComparison *row)
{
	int			size = list_length(row->columns);
	List	   *result = NIL;

	for (int i = 0; i < size; i++)
	{
		BtmScyllaRestriction *restriction = restriction_in_row(rel, table, row, i);

		if (restriction == NULL || !restriction->exact || i >= table->nclustering ||
			(IsA(restriction->value, Const) && !is_plain_constant(restriction)) ||
			restriction->column != table->clustering[i] ||
			restriction->column->descending != table->clustering[0]->descending)
			return NIL;
		restriction->row_size = size;
		restriction->row_place = i;
		result = lappend(result, restriction);
	}
	return result;
}

/*
 * A comparison of rows, and besides what it says of its first column alone, for
 * where the whole cannot be used.
 */
static List *
restrictions_of_row(PlannerInfo *root, RelOptInfo *rel, const BtmScyllaTable *table,
					RowCompareExpr *clause)
{
	RowComparison row = {clause->largs, clause->rargs, clause->opnos, clause->inputcollids};
	List	   *result;
	BtmScyllaRestriction *first;

	if (column_of(rel, table, linitial(row.columns)) == NULL && !commute(&row))
		return NIL;
	if (!are_values(root, rel, row.values))
		return NIL;
	result = restrictions_of_whole_row(rel, table, &row);
	first = restriction_in_row(rel, table, &row, 0);
	if (first == NULL)
		return result;
	first->exact = false;
	return lappend(result, first);
}

List *
btm_scylla_restrictions(PlannerInfo *root, RelOptInfo *rel, const BtmScyllaTable *table,
						Expr *clause, RestrictInfo *rinfo)
{
	BtmScyllaRestriction *restriction = NULL;
	List	   *result = NIL;
	ListCell   *lc;

	if (IsA(clause, OpExpr))
		restriction = restriction_of_operator(root, rel, table, (OpExpr *) clause);
	else if (IsA(clause, ScalarArrayOpExpr))
		restriction = restriction_of_array(root, rel, table, (ScalarArrayOpExpr *) clause);
	else if (IsA(clause, RowCompareExpr))
		result = restrictions_of_row(root, rel, table, (RowCompareExpr *) clause);
	if (restriction != NULL)
		result = list_make1(restriction);
	foreach(lc, result)
	{
		restriction = lfirst(lc);
		restriction->rinfo = rinfo;
		restriction->clause = clause;
	}
	return result;
}

/* -------
 * Choice
 * -------
 */

/*
 * A column's restriction by one of these operators, alone, not in a comparison of
 * rows; NULL if there is none.
 */
static BtmScyllaRestriction *
find_restriction(List *candidates, const BtmScyllaColumn *column,
				 BtmScyllaOperator op, BtmScyllaOperator other)
{
	ListCell   *lc;

	foreach(lc, candidates)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		if (restriction->column == column && restriction->row_size == 0 &&
			(restriction->op == op || restriction->op == other))
			return restriction;
	}
	return NULL;
}

/* Equality with one value rather than with several. */
static BtmScyllaRestriction *
find_equality(List *candidates, const BtmScyllaColumn *column)
{
	BtmScyllaRestriction *result;

	result = find_restriction(candidates, column, BTM_SCYLLA_EQ, BTM_SCYLLA_EQ);
	return result != NULL ? result :
		find_restriction(candidates, column, BTM_SCYLLA_IN, BTM_SCYLLA_IN);
}

/* Adds a comparison of rows by one of these operators, of `size` columns (0: any). */
static List *
choose_row(List *candidates, BtmScyllaOperator op, BtmScyllaOperator other, int size,
		   List *chosen)
{
	for (int i = 0; i < list_length(candidates); i++)
	{
		BtmScyllaRestriction *first = list_nth(candidates, i);

		if (first->row_size == 0 || first->row_place > 0 ||
			(size > 0 && first->row_size != size) || (first->op != op && first->op != other))
			continue;
		for (int j = 0; j < first->row_size; j++)
			chosen = lappend(chosen, list_nth(candidates, i + j));
		return chosen;
	}
	return chosen;
}

/* Adds comparisons of rows, a lower and an upper bound of the same columns. */
static List *
choose_rows(List *candidates, List *chosen)
{
	int			before = list_length(chosen);

	chosen = choose_row(candidates, BTM_SCYLLA_GT, BTM_SCYLLA_GE, 0, chosen);
	return choose_row(candidates, BTM_SCYLLA_LT, BTM_SCYLLA_LE,
					  list_length(chosen) - before, chosen);
}

/* Adds bounds of one column. */
static List *
choose_range(List *candidates, const BtmScyllaColumn *column, List *chosen)
{
	BtmScyllaRestriction *restriction;

	restriction = find_restriction(candidates, column, BTM_SCYLLA_GT, BTM_SCYLLA_GE);
	if (restriction != NULL)
		chosen = lappend(chosen, restriction);
	restriction = find_restriction(candidates, column, BTM_SCYLLA_LT, BTM_SCYLLA_LE);
	if (restriction != NULL)
		chosen = lappend(chosen, restriction);
	return chosen;
}

/* Adds the clustering key's restrictions, as far as CQL takes them. */
static List *
choose_clustering(const BtmScyllaTable *table, List *candidates, List *chosen)
{
	for (int i = 0; i < table->nclustering; i++)
	{
		BtmScyllaColumn *column = table->clustering[i];
		BtmScyllaRestriction *restriction = find_equality(candidates, column);
		int			before = list_length(chosen);

		if (restriction != NULL)
		{
			chosen = lappend(chosen, restriction);
			continue;
		}
		/* CQL bounds a column in one of both ways only */
		if (i == 0)
			chosen = choose_rows(candidates, chosen);
		return list_length(chosen) > before ? chosen :
			choose_range(candidates, column, chosen);
	}
	return chosen;
}

/* What names a partition and a range of its rows; NIL for no partition. */
static List *
choose_key(const BtmScyllaTable *table, List *candidates)
{
	List	   *chosen = NIL;

	if (table->npartition == 0)
		return NIL;
	for (int i = 0; i < table->npartition; i++)
	{
		BtmScyllaRestriction *restriction = find_equality(candidates, table->partition[i]);

		if (restriction == NULL)
			return NIL;
		chosen = lappend(chosen, restriction);
	}
	return choose_clustering(table, candidates, chosen);
}

/* Equality on a column with an index; NIL if there is none. */
static List *
choose_index(const BtmScyllaTable *table, List *candidates)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		BtmScyllaColumn *column = &table->columns[i];
		BtmScyllaRestriction *restriction;

		if (!column->indexed || column->role == BTM_SCYLLA_STATIC)
			continue;
		restriction = find_restriction(candidates, column, BTM_SCYLLA_EQ, BTM_SCYLLA_EQ);
		if (restriction != NULL)
			return list_make1(restriction);
	}
	return NIL;
}

/* Is there a comparison of rows among them? */
static bool
has_row(List *chosen)
{
	ListCell   *lc;

	foreach(lc, chosen)
		if (((BtmScyllaRestriction *) lfirst(lc))->row_size > 0)
			return true;
	return false;
}

List *
btm_scylla_choose(const BtmScyllaTable *table, List *candidates, bool *filtering)
{
	List	   *chosen = choose_key(table, candidates);
	ListCell   *lc;

	*filtering = false;
	if (chosen == NIL)
		chosen = choose_index(table, candidates);
	if (!table->allow_filtering)
		return chosen;
	foreach(lc, candidates)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		/* CQL filters by one condition of a kind for a column, and no lists */
		if (restriction->op == BTM_SCYLLA_IN || restriction->row_size > 0 ||
			(restriction->column->role == BTM_SCYLLA_CLUSTERING_KEY && has_row(chosen)) ||
			find_restriction(chosen, restriction->column, restriction->op, restriction->op) ||
			find_equality(chosen, restriction->column))
			continue;
		chosen = lappend(chosen, restriction);
		*filtering = true;
	}
	return chosen;
}

bool
btm_scylla_names_partitions(const BtmScyllaTable *table, List *chosen)
{
	for (int i = 0; i < table->npartition; i++)
		if (find_equality(chosen, table->partition[i]) == NULL)
			return false;
	return table->npartition > 0;
}

bool
btm_scylla_uses_index(const BtmScyllaTable *table, List *chosen)
{
	BtmScyllaRestriction *first = chosen == NIL ? NULL : linitial(chosen);

	return first != NULL && first->op == BTM_SCYLLA_EQ && first->column->indexed &&
		!btm_scylla_names_partitions(table, chosen);
}

/* Does the server check a clause wholly? */
static bool
is_given_away(RestrictInfo *rinfo, List *chosen)
{
	ListCell   *lc;

	foreach(lc, chosen)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		if (restriction->rinfo == rinfo && restriction->exact)
			return true;
	}
	return false;
}

List *
btm_scylla_local_clauses(List *clauses, List *chosen)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (!rinfo->pseudoconstant && !is_given_away(rinfo, chosen))
			result = lappend(result, rinfo->clause);
	}
	return result;
}

bool
btm_scylla_one_partition(const BtmScyllaTable *table, List *chosen)
{
	for (int i = 0; i < table->npartition; i++)
		if (find_restriction(chosen, table->partition[i], BTM_SCYLLA_EQ, BTM_SCYLLA_EQ) == NULL)
			return false;
	return table->npartition > 0;
}

int
btm_scylla_fixed_clustering(const BtmScyllaTable *table, List *chosen)
{
	int			fixed = 0;

	while (fixed < table->nclustering &&
		   find_restriction(chosen, table->clustering[fixed], BTM_SCYLLA_EQ, BTM_SCYLLA_EQ) != NULL)
		fixed++;
	return fixed;
}
