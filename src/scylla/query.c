/*-------------------------------------------------------------------------
 *
 * query.c
 *	  scylla_query() and scylla_execute(): CQL as it is written.
 *
 * The statement goes to the server at once.  It is no part of the transaction:
 * ROLLBACK does not take it back.  Whoever may execute these functions can do
 * on the server whatever the user mapping's login can; so EXECUTE is revoked
 * from PUBLIC.
 *
 * Parameters are texts, of the types that the server gives the statement's
 * markers.  An array of two dimensions holds the parameters of one execution
 * in each row: they are under way together, up to the server's max_in_flight.
 * Rows of a result become jsonb a page at a time, while the next page is
 * already on its way.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "scylla/codec.h"
#include "scylla/connection.h"
#include "scylla/errors.h"
#include "scylla/json.h"
#include "scylla/memory.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

/* Rows of a page. */
#define PAGE_SIZE 5000

BTM_FUNCTION(btm_scylla_query);
BTM_FUNCTION(btm_scylla_execute);

/* A statement and its executions. */
typedef struct CqlQuery
{
	BtmScyllaPipeline *pipeline;
	char	   *text;
	const BtmScyllaStatement *statement;	/* NULL: without parameters */
	CqlParameters parameters;
	int			max_in_flight;

	int			nexecutions;
	int			next;			/* to be sent for the first time */
	Datum	   *texts;			/* parameters, one execution after the other */
	bool	   *nulls;

	MemoryContext context;		/* for one execution's values, or one row */
} CqlQuery;

/* The argument, which must not be null (22004). */
static Datum
required_arg(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return PG_GETARG_DATUM(i);
}

/* Prepares the statement, and checks that it has so many markers. */
static void
prepare(CqlQuery *query, BtmScyllaCluster *cluster, int nparameters)
{
	uint32_t	nmarkers;

	query->statement = btm_scylla_prepare(cluster, query->text, -1);
	nmarkers = query->statement->markers->ncolumns;
	if ((uint32_t) nparameters != nmarkers)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_PARAMETER),
				 errmsg("CQL statement has %u markers, but %d parameters were given",
						(unsigned) nmarkers, nparameters)));
}

/*
 * Takes the parameters apart: the elements of an array of one dimension are
 * those of one execution, the rows of one of two are those of one each.
 */
static void
bind_parameters(CqlQuery *query, BtmScyllaCluster *cluster, ArrayType *array)
{
	int			count;

	query->nexecutions = 1;
	if (ARR_NDIM(array) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("params must be an array of one or two dimensions")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &query->texts, &query->nulls, &count);
	if (count == 0)
		return;
	if (ARR_NDIM(array) == 2)
		query->nexecutions = ARR_DIMS(array)[0];
	prepare(query, cluster, count / query->nexecutions);
}

/*
 * Refuses what cannot be done: USE, which would hold for one of the connections,
 * and on that for other callers too (0A000); and to write in a transaction that
 * only reads (25006).
 */
static void
check_statement(const char *cql)
{
	if (!btm_scylla_text_reads(cql))
		PreventCommandIfReadOnly("a CQL statement that does not only read");
	if (btm_scylla_text_begins(cql, "use"))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("CQL statement USE is not supported"),
				 errhint("Name the keyspace with each table: keyspace.table.")));
}

/* Reads the arguments server, cql, params; nothing is sent yet but a PREPARE. */
static CqlQuery *
begin_query(FunctionCallInfo fcinfo, int32 page_size)
{
	CqlQuery   *query = palloc0(sizeof(CqlQuery));
	char	   *server = NameStr(*DatumGetName(required_arg(fcinfo, 0, "server")));
	char	   *cql = TextDatumGetCString(required_arg(fcinfo, 1, "cql"));
	ArrayType  *params = DatumGetArrayTypeP(required_arg(fcinfo, 2, "params"));
	BtmScyllaCluster *cluster;
	const BtmScyllaOptions *options;

	check_statement(cql);
	cluster = btm_scylla_cluster(btm_scylla_server(server), GetUserId());
	options = btm_scylla_cluster_options(cluster);
	query->text = pg_server_to_any(cql, strlen(cql), PG_UTF8);
	query->parameters.consistency = options->consistency;
	query->parameters.has_serial_consistency = true;
	query->parameters.serial_consistency = options->serial_consistency;
	query->parameters.page_size = page_size;
	query->max_in_flight = options->max_in_flight;
	query->context = AllocSetContextCreate(CurrentMemoryContext, "CQL value or row",
										   ALLOCSET_DEFAULT_SIZES);
	bind_parameters(query, cluster, params);
	query->pipeline = btm_scylla_pipeline_create(cluster, CurrentMemoryContext);
	return query;
}

/* The bytes of a parameter for a marker. */
static CqlBytes
encode_parameter(const CqlColumn *marker, Datum parameter, bool isnull)
{
	CqlBytes	value = {NULL, CQL_LENGTH_NULL};
	CqlWriter  *writer;

	if (isnull)
		return value;
	writer = btm_scylla_writer();
	btm_scylla_encode_text(marker->type, TextDatumGetCString(parameter), writer);
	value.data = writer->data;
	value.length = (int32_t) writer->length;
	return value;
}

/* Says which parameter a value was for that is an error. */
static void
parameter_context(void *number)
{
	errcontext("parameter %d of the CQL statement", *(int *) number + 1);
}

/* The values of one execution. */
static CqlBytes *
encode_parameters(const CqlMetadata *markers, Datum *texts, bool *nulls)
{
	CqlBytes   *values = palloc(sizeof(CqlBytes) * (markers->ncolumns + 1));
	int			i;
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = parameter_context,
		.arg = &i
	};

	error_context_stack = &context;
	for (i = 0; i < (int) markers->ncolumns; i++)
		values[i] = encode_parameter(&markers->columns[i], texts[i], nulls[i]);
	error_context_stack = context.previous;
	return values;
}

/* Sends an execution, or the request for its next page. */
static void
send_execution(CqlQuery *query, intptr_t execution, CqlBytes paging_state)
{
	const CqlMetadata *markers;
	MemoryContext old = MemoryContextSwitchTo(query->context);

	query->parameters.paging_state = paging_state;
	if (query->statement == NULL)
		btm_scylla_send_text(query->pipeline, query->text, &query->parameters,
							 (void *) execution);
	else
	{
		markers = query->statement->markers;
		btm_scylla_send(query->pipeline, query->statement,
						encode_parameters(markers,
										  query->texts + execution * markers->ncolumns,
										  query->nulls + execution * markers->ncolumns),
						&query->parameters, (void *) execution);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(query->context);
}

/*
 * Waits for the next answer, with as many executions under way as may be.  False
 * when all have been answered.
 */
static bool
next_answer(CqlQuery *query, BtmScyllaAnswer *answer)
{
	static const CqlBytes first_page = {NULL, CQL_LENGTH_NULL};

	while (query->next < query->nexecutions &&
		   btm_scylla_pending(query->pipeline) < query->max_in_flight)
		send_execution(query, query->next++, first_page);
	return btm_scylla_receive(query->pipeline, answer);
}

/* Asks for the page after this one, if there is one. */
static void
send_next_page(CqlQuery *query, const BtmScyllaAnswer *answer)
{
	const CqlMetadata *metadata = &answer->response->u.rows.metadata;

	if (!metadata->has_more_pages)
		return;
	send_execution(query, (intptr_t) answer->tag, metadata->paging_state);
	btm_scylla_pipeline_flush(query->pipeline);
}

/* Says whose rows they were that are an error. */
static void
statement_context(void *query)
{
	btm_scylla_errcontext(((CqlQuery *) query)->text);
}

/* Puts the rows of a page into the result. */
static void
store_rows(CqlQuery *query, ReturnSetInfo *rsinfo, const BtmScyllaAnswer *answer)
{
	CqlError	error = {0};
	CqlRowReader rows;
	CqlBytes   *cells = palloc(sizeof(CqlBytes) * (answer->metadata->ncolumns + 1));
	MemoryContext old = MemoryContextSwitchTo(query->context);
	bool		isnull = false;
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = statement_context,
		.arg = query
	};

	error_context_stack = &context;
	btm_scylla_check(cql_rows_begin(&rows, &answer->response->u.rows, answer->metadata,
									&cql_default_limits, &error), &error);
	while (rows.left > 0)
	{
		Datum		row;

		CHECK_FOR_INTERRUPTS();
		btm_scylla_check(cql_rows_next(&rows, cells), &error);
		row = JsonbPGetDatum(btm_scylla_row_to_jsonb(answer->metadata, cells));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &row, &isnull);
		MemoryContextReset(query->context);
	}
	error_context_stack = context.previous;
	MemoryContextSwitchTo(old);
	pfree(cells);
}

/*
 * scylla_query(server, cql, params): the rows of a statement; none for one that
 * has no result.  Those of several executions come as they are answered.
 */
Datum
btm_scylla_query(PG_FUNCTION_ARGS)
{
	CqlQuery   *query = begin_query(fcinfo, PAGE_SIZE);
	BtmScyllaAnswer answer;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	while (next_answer(query, &answer))
	{
		if (answer.response->kind == CQL_RESPONSE_ROWS)
		{
			send_next_page(query, &answer);
			store_rows(query, (ReturnSetInfo *) fcinfo->resultinfo, &answer);
		}
		btm_scylla_answer_free(query->pipeline, &answer);
	}
	btm_scylla_pipeline_free(query->pipeline);
	PG_RETURN_NULL();
}

/*
 * Was a conditional statement applied?  The first column of its first row says
 * so; a statement without conditions has always been.
 */
static bool
was_applied(const BtmScyllaAnswer *answer)
{
	CqlError	error = {0};
	CqlRowReader rows;
	CqlBytes   *cells;
	bool		applied;

	if (answer->response->kind != CQL_RESPONSE_ROWS || answer->metadata->ncolumns == 0 ||
		!cql_string_equals(answer->metadata->columns[0].name, "[applied]"))
		return true;
	cells = palloc(sizeof(CqlBytes) * answer->metadata->ncolumns);
	btm_scylla_check(cql_rows_begin(&rows, &answer->response->u.rows, answer->metadata,
									&cql_default_limits, &error), &error);
	if (rows.left == 0)
		return true;
	btm_scylla_check(cql_rows_next(&rows, cells), &error);
	if (cells[0].length < 0)
		return true;
	btm_scylla_check(cql_decode_boolean(cells[0], &applied, &error), &error);
	return applied;
}

/*
 * scylla_execute(server, cql, params): runs a statement; false for a
 * conditional one whose condition did not hold, in one of its executions at
 * least.
 */
Datum
btm_scylla_execute(PG_FUNCTION_ARGS)
{
	CqlQuery   *query;
	BtmScyllaAnswer answer;
	bool		applied = true;

	PreventCommandIfReadOnly("scylla_execute()");
	query = begin_query(fcinfo, 0);
	while (next_answer(query, &answer))
	{
		applied &= was_applied(&answer);
		btm_scylla_answer_free(query->pipeline, &answer);
	}
	btm_scylla_pipeline_free(query->pipeline);
	PG_RETURN_BOOL(applied);
}
