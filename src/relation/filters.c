/*-------------------------------------------------------------------------
 *
 * filters.c
 *	  SQL functions that add a step to a relation's filter.
 *
 * A step is stored with its right operands as literals of known types: those
 * of an operator as the type that the parser gives to a literal there, those
 * of the other kinds as the column's own type (of a domain, its base type).
 * See condition.c for what makes a literal fit to be stored.
 *
 * A relation whose tables are not known yet keeps operators and values as they
 * were given.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "relation/builder.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

BTM_FUNCTION(btm_where_pivot);
BTM_FUNCTION(btm_where_pivot_op);
BTM_FUNCTION(btm_where_pivot_in);
BTM_FUNCTION(btm_where_pivot_not_in);
BTM_FUNCTION(btm_where_pivot_null);
BTM_FUNCTION(btm_where_pivot_not_null);
BTM_FUNCTION(btm_where_pivot_between);
BTM_FUNCTION(btm_where_pivot_not_between);
BTM_FUNCTION(btm_or_where_pivot);
BTM_FUNCTION(btm_or_where_pivot_op);
BTM_FUNCTION(btm_or_where_pivot_in);
BTM_FUNCTION(btm_or_where_pivot_not_in);
BTM_FUNCTION(btm_or_where_pivot_null);
BTM_FUNCTION(btm_or_where_pivot_not_null);
BTM_FUNCTION(btm_or_where_pivot_between);
BTM_FUNCTION(btm_or_where_pivot_not_between);
BTM_FUNCTION(btm_where_related);
BTM_FUNCTION(btm_where_related_op);

/* A step in the making. */
typedef struct Filter
{
	FunctionCallInfo fcinfo;
	BtmRelation *rel;
	BtmSide		side;
	BtmCondition *step;
	Oid			type;			/* base type of the column, InvalidOid: the
								 * column is not known yet */
} Filter;

/* --------
 * Making a step
 * --------
 */

/*
 * Begins a step: reads relation and column, which are arguments 0 and 1.
 * Errors: 22004, 42703.
 */
static Filter *
begin_filter(FunctionCallInfo fcinfo, BtmSide side, bool is_or)
{
	Filter	   *filter = palloc0(sizeof(Filter));
	char	   *name;

	filter->fcinfo = fcinfo;
	filter->side = side;
	filter->rel = btm_arg_relation(fcinfo);
	name = btm_arg_name(fcinfo, 1,
						side == BTM_PIVOT ? "pivot_column" : "related_column");

	filter->step = palloc0(sizeof(BtmCondition));
	filter->step->is_or = is_or;
	filter->step->column = *btm_builder_column(filter->rel, side, name);
	if (OidIsValid(filter->step->column.relid))
		filter->type = getBaseType(get_atttype(filter->step->column.relid,
											   filter->step->column.attnum));
	return filter;
}

/*
 * Adds the step to its relation, and returns that as the function's result.
 */
static Datum
end_filter(Filter *filter)
{
	BtmRelation *rel = filter->rel;

	if (filter->side == BTM_PIVOT)
		rel->where = lappend(rel->where, filter->step);
	else
		rel->where_related = lappend(rel->where_related, filter->step);
	PG_RETURN_BTM_RELATION(rel);
}

/*
 * Adds a right operand to the step, checked and rewritten as one of this type
 * (InvalidOid: not known yet).  Errors: those of the type's input function.
 */
static void
add_value(Filter *filter, char *literal, Oid type)
{
	if (OidIsValid(type))
		literal = btm_canonical_literal(literal, type, -1);
	filter->step->values = lappend(filter->step->values, literal);
}

/*
 * Adds the value argument argno; if it is NULL, the step becomes a null test.
 * Errors: 22004 if its operator cannot be one, and those of add_value.
 */
static void
add_value_arg(Filter *filter, int argno, Oid type)
{
	char	   *literal = btm_arg_literal(filter->fcinfo, argno, type);

	if (literal == NULL)
		btm_operator_null(filter->step);
	else
		add_value(filter, literal, type);
}

/*
 * Finds the step's operator, and adds its right operand.  Errors: 42883,
 * 42804, and those of add_value_arg.
 */
static void
set_operator(Filter *filter, int argno)
{
	BtmCondition *step = filter->step;
	BtmOperator operator;

	/* A null test needs no operator of the type. */
	if (!OidIsValid(filter->type) || filter->fcinfo->args[argno].isnull)
	{
		add_value_arg(filter, argno, InvalidOid);
		return;
	}
	btm_operator_resolve(step->column.relid, step->column.attnum,
						 step->opschema, step->opname, NULL, &operator);
	step->opschema = operator.schema;
	step->opname = operator.name;
	add_value_arg(filter, argno, operator.righttype);
}

/*
 * Makes the step IN, with the values of a list argument.
 */
static void
set_in(Filter *filter, bool negated, int argno, const char *what)
{
	List	   *literals = btm_arg_literals(filter->fcinfo, argno, what,
											filter->type);
	ListCell   *lc;

	filter->step->kind = BTM_COND_IN;
	filter->step->negated = negated;
	btm_check_equality(&filter->step->column);
	foreach(lc, literals)
		add_value(filter, lfirst(lc), filter->type);
}

/*
 * Makes the step a null test.
 */
static void
set_null(Filter *filter, bool negated)
{
	filter->step->kind = BTM_COND_NULL;
	filter->step->negated = negated;
}

/*
 * Makes the step BETWEEN, with two literals.
 */
static void
set_between(Filter *filter, bool negated, char *low, char *high)
{
	filter->step->kind = BTM_COND_BETWEEN;
	filter->step->negated = negated;
	btm_check_ordering(&filter->step->column);
	add_value(filter, low, filter->type);
	add_value(filter, high, filter->type);
}

/*
 * Makes the step BETWEEN, with the two values of a list argument.  Errors:
 * 22023 if they are not two.
 */
static void
set_between_list(Filter *filter, bool negated, int argno)
{
	List	   *literals = btm_arg_literals(filter->fcinfo, argno, "value",
											filter->type);

	if (list_length(literals) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("operator \"%s\" needs a list of two values",
						btm_operator_print(filter->step))));
	set_between(filter, negated, linitial(literals), lsecond(literals));
}

/*
 * Makes the step what its operator says, which is parsed, with the value
 * argument argno as right operand.
 */
static void
set_by_operator(Filter *filter, int argno)
{
	BtmCondition *step = filter->step;

	switch (step->kind)
	{
		case BTM_COND_OPERATOR:
			set_operator(filter, argno);
			break;
		case BTM_COND_NULL:
			if (!filter->fcinfo->args[argno].isnull)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("operator \"%s\" takes no value but null",
								btm_operator_print(step))));
			break;
		case BTM_COND_IN:
			set_in(filter, step->negated, argno, "value");
			break;
		case BTM_COND_BETWEEN:
			set_between_list(filter, step->negated, argno);
			break;
		case BTM_COND_DISTINCT:
			add_value_arg(filter, argno, filter->type);
			if (step->kind == BTM_COND_DISTINCT)
				btm_check_equality(&step->column);
			break;
	}
}

/* --------
 * The shapes that SQL functions have
 * --------
 */

/*
 * (relation, column name, value "any" or text): column = value
 */
static Datum
where_equal(FunctionCallInfo fcinfo, BtmSide side, bool is_or)
{
	Filter	   *filter = begin_filter(fcinfo, side, is_or);

	btm_operator_parse(filter->step, "=");
	set_by_operator(filter, 2);
	return end_filter(filter);
}

/*
 * (relation, column name, operator text, value "any" or text)
 */
static Datum
where_operator(FunctionCallInfo fcinfo, BtmSide side, bool is_or)
{
	Filter	   *filter = begin_filter(fcinfo, side, is_or);

	btm_operator_parse(filter->step, btm_arg_text(fcinfo, 2, "operator"));
	set_by_operator(filter, 3);
	return end_filter(filter);
}

/*
 * (relation, pivot_column name, list "any" or text)
 */
static Datum
where_in(FunctionCallInfo fcinfo, bool is_or, bool negated)
{
	Filter	   *filter = begin_filter(fcinfo, BTM_PIVOT, is_or);

	set_in(filter, negated, 2, "list");
	return end_filter(filter);
}

/*
 * (relation, pivot_column name)
 */
static Datum
where_null(FunctionCallInfo fcinfo, bool is_or, bool negated)
{
	Filter	   *filter = begin_filter(fcinfo, BTM_PIVOT, is_or);

	set_null(filter, negated);
	return end_filter(filter);
}

/*
 * A bound of BETWEEN.  Errors: 22004.
 */
static char *
bound_arg(Filter *filter, int argno, const char *what)
{
	FunctionCallInfo fcinfo = filter->fcinfo;
	char	   *literal = btm_arg_literal(fcinfo, argno, filter->type);

	if (literal == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of %s() must not be null",
						what, get_func_name(fcinfo->flinfo->fn_oid)),
				 errhint("For one bound use the operator \">=\" or \"<=\".")));
	return literal;
}

/*
 * (relation, pivot_column name, low "any" or text, high "any" or text)
 */
static Datum
where_between(FunctionCallInfo fcinfo, bool is_or, bool negated)
{
	Filter	   *filter = begin_filter(fcinfo, BTM_PIVOT, is_or);
	char	   *low = bound_arg(filter, 2, "low");
	char	   *high = bound_arg(filter, 3, "high");

	set_between(filter, negated, low, high);
	return end_filter(filter);
}

/* --------
 * SQL functions: where_pivot... adds a step with AND
 *
 * Their arguments are those of the shapes above.  All raise 22004 for a NULL
 * relation or column, 42703 for an unknown column, 42883 where its type does
 * not have the operator, and what its input function says of a value.
 * --------
 */

Datum
btm_where_pivot(PG_FUNCTION_ARGS)
{
	return where_equal(fcinfo, BTM_PIVOT, false);
}

Datum
btm_where_pivot_op(PG_FUNCTION_ARGS)
{
	return where_operator(fcinfo, BTM_PIVOT, false);
}

Datum
btm_where_pivot_in(PG_FUNCTION_ARGS)
{
	return where_in(fcinfo, false, false);
}

Datum
btm_where_pivot_not_in(PG_FUNCTION_ARGS)
{
	return where_in(fcinfo, false, true);
}

Datum
btm_where_pivot_null(PG_FUNCTION_ARGS)
{
	return where_null(fcinfo, false, false);
}

Datum
btm_where_pivot_not_null(PG_FUNCTION_ARGS)
{
	return where_null(fcinfo, false, true);
}

Datum
btm_where_pivot_between(PG_FUNCTION_ARGS)
{
	return where_between(fcinfo, false, false);
}

Datum
btm_where_pivot_not_between(PG_FUNCTION_ARGS)
{
	return where_between(fcinfo, false, true);
}

/* --------
 * SQL functions: or_where_pivot... adds a step with OR
 * --------
 */

Datum
btm_or_where_pivot(PG_FUNCTION_ARGS)
{
	return where_equal(fcinfo, BTM_PIVOT, true);
}

Datum
btm_or_where_pivot_op(PG_FUNCTION_ARGS)
{
	return where_operator(fcinfo, BTM_PIVOT, true);
}

Datum
btm_or_where_pivot_in(PG_FUNCTION_ARGS)
{
	return where_in(fcinfo, true, false);
}

Datum
btm_or_where_pivot_not_in(PG_FUNCTION_ARGS)
{
	return where_in(fcinfo, true, true);
}

Datum
btm_or_where_pivot_null(PG_FUNCTION_ARGS)
{
	return where_null(fcinfo, true, false);
}

Datum
btm_or_where_pivot_not_null(PG_FUNCTION_ARGS)
{
	return where_null(fcinfo, true, true);
}

Datum
btm_or_where_pivot_between(PG_FUNCTION_ARGS)
{
	return where_between(fcinfo, true, false);
}

Datum
btm_or_where_pivot_not_between(PG_FUNCTION_ARGS)
{
	return where_between(fcinfo, true, true);
}

/* --------
 * SQL functions: where_related adds a step on the related table, with AND
 * --------
 */

Datum
btm_where_related(PG_FUNCTION_ARGS)
{
	return where_equal(fcinfo, BTM_RELATED, false);
}

Datum
btm_where_related_op(PG_FUNCTION_ARGS)
{
	return where_operator(fcinfo, BTM_RELATED, false);
}
