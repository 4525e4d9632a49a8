/*-------------------------------------------------------------------------
 *
 * input.c
 *	  What statements of operations are given: parameters and input relations.
 *
 * A set of ids or parents is a tuplestore, which goes by a name in the text;
 * a single id is a row of parameters.  See plan.h.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "pivot/plan_parts.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/queryenvironment.h"

/* Rows that the planner assumes for the input of a kept plan. */
#define BTM_GENERIC_ESTIMATE 16

/* ----------
 * Parameters
 * ----------
 */

/*
 * How many columns does an input of ids have that is restricted to a shape,
 * which may be NULL?
 */
static int
id_columns(const BtmResolved *rel, const BtmShape *shape)
{
	return rel->nid + (shape ? shape->ncolumns : 0);
}

/*
 * See plan_parts.h.
 */
int
btm_parameter_count(BtmCall *call, const BtmStatement *stmt)
{
	int			result = stmt->without_parent ? 0 : call->rel->nfk;

	if (stmt->params != NULL)
		return stmt->params->numParams;
	if (stmt->single != NULL)
		result += id_columns(call->rel, stmt->shape);
	if (OidIsValid(stmt->array_type))
		result++;
	return result;
}

/*
 * See plan_parts.h.
 */
Oid
btm_parameter_type(const BtmResolved *rel, const BtmStatement *stmt, int i)
{
	if (stmt->params != NULL)
		return stmt->params->params[i].ptype;
	if (i < rel->nfk)
		return rel->fk[i].type.type;
	if (OidIsValid(stmt->array_type))
		return stmt->array_type;
	i -= rel->nfk;
	if (i < rel->nid)
		return rel->id[i].type.type;
	return stmt->shape->columns[i - rel->nid]->type.type;
}

static void
set_parameter(ParamListInfo params, int i, Datum value, bool isnull, Oid type)
{
	params->params[i].value = value;
	params->params[i].isnull = isnull;
	params->params[i].pflags = PARAM_FLAG_CONST;
	params->params[i].ptype = type;
}

/*
 * See plan_parts.h.
 */
ParamListInfo
btm_make_parameters(BtmCall *call, const BtmStatement *stmt)
{
	BtmResolved *rel = call->rel;
	int			n = btm_parameter_count(call, stmt);
	ParamListInfo params;

	if (n == 0 || stmt->params != NULL)
		return stmt->params;
	params = makeParamList(n);
	for (int i = 0; i < rel->nfk; i++)
		set_parameter(params, i, call->parent[i], false,
					  btm_parameter_type(rel, stmt, i));
	if (OidIsValid(stmt->array_type))
		set_parameter(params, rel->nfk, stmt->array, false, stmt->array_type);
	else
		for (int i = rel->nfk; i < n; i++)
			set_parameter(params, i, stmt->single[i - rel->nfk],
						  stmt->single_nulls[i - rel->nfk],
						  btm_parameter_type(rel, stmt, i));
	return params;
}

/*
 * See plan.h.
 */
void
btm_statement_id_array(BtmCall *call, BtmStatement *stmt, const BtmKeys *keys)
{
	const BtmType *type = &call->rel->id[0].type;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	Assert(keys->nid == 1);
	get_typlenbyvalalign(type->type, &typlen, &typbyval, &typalign);
	stmt->array_type = get_array_type(type->type);
	stmt->array = PointerGetDatum(construct_array(keys->keys, keys->n,
												  type->type, typlen,
												  typbyval, typalign));
}

/* ---------------
 * Input relations
 * ---------------
 */

/*
 * Starts an input of one row, of which the columns are parameters.
 */
static void
begin_single(BtmStatement *stmt, int ncolumns)
{
	stmt->single = palloc(sizeof(Datum) * ncolumns);
	stmt->single_nulls = palloc0(sizeof(bool) * ncolumns);
}

/*
 * Starts an input relation with these columns.
 */
static void
begin_store(BtmStatement *stmt, TupleDesc desc)
{
	stmt->input_desc = desc;
	stmt->input = tuplestore_begin_heap(false, false, work_mem);
	stmt->input_rows = 0;
}

/*
 * Starts the input relation of a statement; its columns are to be described
 * by the caller.
 */
void
btm_statement_begin_input(BtmStatement *stmt, int ncolumns)
{
	begin_store(stmt, CreateTemplateTupleDesc(ncolumns));
}

/*
 * Puts a row into the input.
 */
static void
put_row(BtmStatement *stmt, int ncolumns, Datum *values, bool *nulls)
{
	stmt->input_rows++;
	if (stmt->single == NULL)
	{
		tuplestore_putvalues(stmt->input, stmt->input_desc, values, nulls);
		return;
	}
	memcpy(stmt->single, values, sizeof(Datum) * ncolumns);
	memcpy(stmt->single_nulls, nulls, sizeof(bool) * ncolumns);
}

/*
 * See plan.h.
 */
void
btm_statement_append_input(StringInfo sql, BtmCall *call,
						   const BtmStatement *stmt)
{
	const BtmResolved *rel = call->rel;

	if (stmt->single == NULL)
	{
		appendStringInfoString(sql, BTM_INPUT_NAME " u");
		return;
	}
	for (int i = 0; i < id_columns(rel, stmt->shape); i++)
		appendStringInfo(sql, "%s$%d AS %c%d", i > 0 ? ", " : "(SELECT ",
						 rel->nfk + i + 1, i < rel->nid ? 'k' : 'a',
						 i < rel->nid ? i + 1 : i - rel->nid + 1);
	appendStringInfoString(sql, ") u");
}

/*
 * See plan.h.
 */
void
btm_statement_drop_input(const BtmStatement *stmt)
{
	if (stmt->input != NULL)
		tuplestore_end(stmt->input);
}

/*
 * Describes column i (from 1) of an input relation: its name is prefix and
 * number, its type that of a column of the pivot.
 */
static void
describe_column(TupleDesc desc, int i, char prefix, int number,
				const BtmType *type)
{
	char		name[NAMEDATALEN];

	snprintf(name, sizeof(name), "%c%d", prefix, number);
	TupleDescInitEntry(desc, i, name, type->type, -1, 0);
	TupleDescInitEntryCollation(desc, i, type->collation);
}

/*
 * See plan.h.
 */
void
btm_statement_input_column(BtmStatement *stmt, int i, char prefix, int number,
						   const BtmType *type)
{
	describe_column(stmt->input_desc, i, prefix, number, type);
}

/*
 * Describes an input of ids: columns k1 .. knid, and a1 .. am for those of the
 * shape unless that is NULL.
 */
static TupleDesc
describe_ids(const BtmResolved *rel, const BtmShape *shape)
{
	TupleDesc	desc = CreateTemplateTupleDesc(id_columns(rel, shape));

	for (int i = 0; i < rel->nid; i++)
		describe_column(desc, i + 1, 'k', i + 1, &rel->id[i].type);
	for (int i = 0; shape != NULL && i < shape->ncolumns; i++)
		describe_column(desc, rel->nid + i + 1, 'a', i + 1,
						&shape->columns[i]->type);
	return desc;
}

/*
 * The same for ids without attributes; it is kept with the relation.
 */
static TupleDesc
describe_plain_ids(BtmResolved *rel)
{
	MemoryContext oldcxt;

	if (rel->ids_desc != NULL)
		return rel->ids_desc;
	oldcxt = MemoryContextSwitchTo(rel->cxt);
	rel->ids_desc = describe_ids(rel, NULL);
	MemoryContextSwitchTo(oldcxt);
	return rel->ids_desc;
}

/*
 * Starts an input of n ids.
 */
static void
begin_ids(BtmCall *call, BtmStatement *stmt, int64 n, const BtmShape *shape)
{
	int			ncolumns = id_columns(call->rel, shape);

	if (n == 1)
		begin_single(stmt, ncolumns);
	else
		begin_store(stmt, ncolumns > call->rel->nid ?
					describe_ids(call->rel, shape) :
					describe_plain_ids(call->rel));
}

/*
 * Makes a set of keys the input: columns k1 .. knid.
 */
void
btm_statement_input_keys(BtmCall *call, BtmStatement *stmt,
						 const BtmKeys *keys)
{
	bool	   *nulls = palloc0(sizeof(bool) * keys->nid);

	begin_ids(call, stmt, keys->n, NULL);
	for (int64 i = 0; i < keys->n; i++)
		put_row(stmt, keys->nid, BTM_KEY(keys, i), nulls);
}

/*
 * Makes those ids the input that have attributes of this shape: columns k1 ..
 * knid, a1 .. am.  Returns whether there is a NULL among the attributes.
 */
bool
btm_statement_input_ids(BtmCall *call, BtmStatement *stmt, const BtmIds *ids,
						int shape)
{
	const BtmShape *columns = &ids->shapes[shape];
	int			nid = ids->keys.nid;
	Datum	   *values = palloc(sizeof(Datum) * (nid + columns->ncolumns));
	bool	   *nulls = palloc0(sizeof(bool) * (nid + columns->ncolumns));
	bool		result = false;

	stmt->shape = columns;
	begin_ids(call, stmt, ids->keys.n, columns);
	for (int64 i = 0; i < ids->keys.n; i++)
	{
		const BtmAttributes *attributes = btm_id_attributes(ids, i);

		if (attributes == NULL ? shape != 0 : attributes->shape != shape)
			continue;
		memcpy(values, BTM_KEY(&ids->keys, i), sizeof(Datum) * nid);
		for (int j = 0; j < columns->ncolumns; j++)
		{
			values[nid + j] = attributes->values[j];
			nulls[nid + j] = attributes->nulls[j];
			result |= attributes->nulls[j];
		}
		put_row(stmt, nid + columns->ncolumns, values, nulls);
	}
	return result;
}

/*
 * Makes a list of parents the input: columns ord (from 0), p1 .. pnfk.
 */
void
btm_statement_input_parents(BtmCall *call, BtmStatement *stmt,
							const BtmKeys *parents)
{
	int			nfk = call->rel->nfk;
	Datum	   *values = palloc(sizeof(Datum) * (nfk + 1));
	bool	   *nulls = palloc0(sizeof(bool) * (nfk + 1));

	stmt->without_parent = true;
	stmt->has_parents = true;
	btm_statement_begin_input(stmt, nfk + 1);
	TupleDescInitEntry(stmt->input_desc, 1, "ord", INT8OID, -1, 0);
	for (int i = 0; i < nfk; i++)
		btm_statement_input_column(stmt, i + 2, 'p', i + 1, &call->rel->fk[i].type);
	for (int64 i = 0; i < parents->n; i++)
	{
		values[0] = Int64GetDatum(i);
		memcpy(&values[1], BTM_KEY(parents, i), sizeof(Datum) * nfk);
		put_row(stmt, nfk + 1, values, nulls);
	}
}

/* -------------------------
 * Names of rows in SQL text
 * -------------------------
 */

/*
 * See plan_parts.h.
 */
bool
btm_statement_is_generic(const BtmStatement *stmt)
{
	int64		rows = stmt->input_rows;

	if (stmt->pivot != NULL)
		rows = Max(rows, stmt->pivot->n);
	return stmt->is_foreign ||
		rows <= (stmt->generic_rows ? stmt->generic_rows :
				 BTM_GENERIC_ROWS);
}

/*
 * Makes rows visible under a name: to SPI, and through an environment, which is
 * made if there is none.
 */
static QueryEnvironment *
register_rows(QueryEnvironment *env, const char *name, TupleDesc desc,
			  Tuplestorestate *store, double estimate)
{
	EphemeralNamedRelation enr = palloc0(sizeof(EphemeralNamedRelationData));
	int			rc;

	enr->md.name = unconstify(char *, name);
	enr->md.tupdesc = desc;
	enr->md.enrtype = ENR_NAMED_TUPLESTORE;
	enr->md.enrtuples = estimate;
	enr->reldata = store;
	rc = SPI_register_relation(enr);
	if (rc != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed: %s",
			 SPI_result_code_string(rc));

	if (env == NULL)
		env = create_queryEnv();
	register_ENR(env, enr);
	return env;
}

/*
 * See plan_parts.h.
 */
QueryEnvironment *
btm_register_input(const BtmStatement *stmt)
{
	bool		generic = btm_statement_is_generic(stmt);
	QueryEnvironment *env = NULL;

	if (stmt->input != NULL)
		env = register_rows(env, BTM_INPUT_NAME, stmt->input_desc, stmt->input,
							generic ? BTM_GENERIC_ESTIMATE : stmt->input_rows);
	if (stmt->pivot != NULL)
		env = register_rows(env, BTM_PIVOT_NAME, stmt->pivot->desc,
							stmt->pivot->store,
							generic ? BTM_GENERIC_ESTIMATE : stmt->pivot->n);
	if (stmt->related != NULL)
		env = register_rows(env, BTM_RELATED_NAME, stmt->related->desc,
							stmt->related->store,
							generic ? BTM_GENERIC_ESTIMATE : stmt->related->n);
	return env;
}

/*
 * See plan_parts.h.
 */
void
btm_unregister_input(const BtmStatement *stmt)
{
	if (stmt->input != NULL)
	{
		SPI_unregister_relation(BTM_INPUT_NAME);
		tuplestore_end(stmt->input);
	}
	if (stmt->pivot != NULL)
		SPI_unregister_relation(BTM_PIVOT_NAME);
	if (stmt->related != NULL)
		SPI_unregister_relation(BTM_RELATED_NAME);
}

/*
 * Forgets the input of a statement that was ended by an error; what it held
 * has gone with the subtransaction.
 */
void
btm_statement_forget_input(void)
{
	(void) SPI_unregister_relation(BTM_INPUT_NAME);
}
