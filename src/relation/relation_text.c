/*-------------------------------------------------------------------------
 *
 * relation_text.c
 *	  Prints the text form of a relation; the type's input, output and casts.
 *
 * The format is described in relation_parse.c, which reads it.
 *
 * Output never fails: functions that print must work on a value whose tables,
 * columns or saved relation are gone.  It prints no numbers, which a restore
 * would bind to whatever has them then: of what exists the current names, of
 * what is gone those that were stored.  It does not go through jsonb, which
 * would order members by length.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "relation/relation.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* Version of the binary format: this byte, then the text form. */
#define BINARY_VERSION 1

BTM_FUNCTION(btm_in);
BTM_FUNCTION(btm_out);
BTM_FUNCTION(btm_recv);
BTM_FUNCTION(btm_send);
BTM_FUNCTION(btm_from_text);
BTM_FUNCTION(btm_from_name);

/*
 * Appends what separates an item from the one before, unless it is the first
 * after the opening bracket.
 */
static void
separate(StringInfo buf)
{
	char		last = buf->data[buf->len - 1];

	if (last != '{' && last != '[')
		appendStringInfoString(buf, ", ");
}

/*
 * Begins a member; its value follows.
 */
static void
begin_member(StringInfo buf, const char *name)
{
	separate(buf);
	escape_json(buf, name);
	appendStringInfoString(buf, ": ");
}

/*
 * Appends a string; null if it is NULL.
 */
static void
print_string(StringInfo buf, const char *string)
{
	if (string != NULL)
		escape_json(buf, string);
	else
		appendStringInfoString(buf, "null");
}

static void
print_string_member(StringInfo buf, const char *name, const char *string)
{
	begin_member(buf, name);
	print_string(buf, string);
}

static void
print_column_member(StringInfo buf, const char *name, const BtmColumn *column)
{
	print_string_member(buf, name, column ? btm_column_print(column) : NULL);
}

/*
 * Appends a table; nothing if it is not given.
 */
static void
print_table(StringInfo buf, const char *name, const BtmTable *table)
{
	if (table->name != NULL)
		print_string_member(buf, name, btm_table_print(table));
}

/*
 * Appends a list of columns; nothing if it is empty.
 */
static void
print_columns(StringInfo buf, const char *name, List *columns)
{
	ListCell   *lc;

	if (columns == NIL)
		return;
	begin_member(buf, name);
	appendStringInfoChar(buf, '[');
	foreach(lc, columns)
	{
		separate(buf);
		escape_json(buf, btm_column_print(lfirst(lc)));
	}
	appendStringInfoChar(buf, ']');
}

/*
 * Appends a key: a string if it is one column.
 */
static void
print_key(StringInfo buf, const char *name, List *columns)
{
	if (list_length(columns) == 1)
		print_column_member(buf, name, linitial(columns));
	else
		print_columns(buf, name, columns);
}

static void
print_pivot_value(StringInfo buf, const void *item)
{
	const BtmPivotValue *pivot_value = item;

	print_column_member(buf, "column", &pivot_value->column);
	print_string_member(buf, "value", pivot_value->value);
}

/*
 * Appends the right-hand side of a step; null tests have none.
 */
static void
print_values(StringInfo buf, const BtmCondition *step)
{
	ListCell   *lc;

	if (step->kind == BTM_COND_NULL)
		return;
	if (step->kind == BTM_COND_OPERATOR || step->kind == BTM_COND_DISTINCT)
	{
		print_string_member(buf, "value", linitial(step->values));
		return;
	}
	begin_member(buf, "value");
	appendStringInfoChar(buf, '[');
	foreach(lc, step->values)
	{
		separate(buf);
		escape_json(buf, lfirst(lc));
	}
	appendStringInfoChar(buf, ']');
}

static void
print_step(StringInfo buf, const void *item)
{
	const BtmCondition *step = item;

	print_column_member(buf, "column", &step->column);
	print_string_member(buf, "operator", btm_operator_print(step));
	print_values(buf, step);
	if (step->is_or)
	{
		begin_member(buf, "or");
		appendStringInfoString(buf, "true");
	}
}

static void
print_order_item(StringInfo buf, const void *item)
{
	const BtmOrderBy *order = item;

	print_column_member(buf, order->side == BTM_PIVOT ? "pivot" : "related",
						&order->column);
	print_string_member(buf, "direction", order->descending ? "desc" : "asc");
	if (order->nulls_first != order->descending)
		print_string_member(buf, "nulls",
							order->nulls_first ? "first" : "last");
}

/*
 * Appends a list of objects, whose members print_item appends; nothing if it
 * is empty.
 */
static void
print_objects(StringInfo buf, const char *name, List *items,
			  void (*print_item) (StringInfo buf, const void *item))
{
	ListCell   *lc;

	if (items == NIL)
		return;
	begin_member(buf, name);
	appendStringInfoChar(buf, '[');
	foreach(lc, items)
	{
		separate(buf);
		appendStringInfoChar(buf, '{');
		print_item(buf, lfirst(lc));
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

static void
print_timestamps(StringInfo buf, const BtmRelation *rel)
{
	if (!rel->has_timestamps)
		return;
	begin_member(buf, "timestamps");
	appendStringInfoChar(buf, '{');
	print_column_member(buf, "created_at", rel->created_at);
	print_column_member(buf, "updated_at", rel->updated_at);
	appendStringInfoChar(buf, '}');
}

static void
print_take(StringInfo buf, const BtmRelation *rel)
{
	if (!rel->has_take)
		return;
	begin_member(buf, "take");
	if (rel->max_rows < 0)
		appendStringInfoString(buf, "{\"max_rows\": null");
	else
		appendStringInfo(buf, "{\"max_rows\": " INT64_FORMAT, rel->max_rows);
	appendStringInfo(buf, ", \"skip\": " INT64_FORMAT "}", rel->skip);
}

/*
 * Appends the members of a reference.
 */
static void
print_reference(StringInfo buf, const BtmRelation *rel)
{
	print_string_member(buf, "relation", btm_saved_print_name(rel));
	if (rel->inverse)
	{
		begin_member(buf, "inverse");
		appendStringInfoString(buf, "true");
	}
}

/*
 * Appends the tables and keys of a definition.
 */
static void
print_definition(StringInfo buf, const BtmRelation *rel)
{
	print_table(buf, "parent", &rel->parent);
	print_table(buf, "related", &rel->related);
	print_table(buf, "pivot_table", &rel->pivot);
	print_key(buf, "foreign_key", rel->foreign_key);
	print_key(buf, "related_key", rel->related_key);
	print_key(buf, "parent_key", rel->parent_key);
	print_key(buf, "related_pivot_key", rel->related_pivot_key);
}

/*
 * Appends what builders added.
 */
static void
print_additions(StringInfo buf, const BtmRelation *rel)
{
	print_columns(buf, "with_pivot", rel->with_pivot);
	print_timestamps(buf, rel);
	print_objects(buf, "pivot_values", rel->pivot_values, print_pivot_value);
	print_objects(buf, "where", rel->where, print_step);
	print_objects(buf, "where_related", rel->where_related, print_step);
	print_objects(buf, "order_by", rel->order_by, print_order_item);
	if (rel->pivot_as != NULL)
		print_string_member(buf, "pivot_as", rel->pivot_as);
	print_take(buf, rel);
}

/*
 * Is this a reference to a saved relation and nothing else?
 */
static bool
is_plain_reference(const BtmRelation *rel)
{
	return rel->ref_name != NULL && !rel->inverse &&
		rel->with_pivot == NIL && !rel->has_timestamps &&
		rel->pivot_values == NIL && rel->where == NIL &&
		rel->where_related == NIL && rel->order_by == NIL &&
		rel->pivot_as == NULL && !rel->has_take;
}

/*
 * The text form.  Never fails because something is gone.
 */
char *
btm_relation_print(const BtmRelation *rel)
{
	StringInfoData buf;

	if (is_plain_reference(rel))
		return btm_saved_print_name(rel);

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	if (rel->ref_name != NULL)
		print_reference(&buf, rel);
	else
		print_definition(&buf, rel);
	print_additions(&buf, rel);
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

/* ---- SQL functions; see btm_relation_parse for the errors ---- */

/*
 * belongs_to_many_in(cstring) returns belongs_to_many
 */
Datum
btm_in(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_BTM_RELATION(btm_relation_parse(PG_GETARG_CSTRING(0)));
}

/*
 * belongs_to_many_out(belongs_to_many) returns cstring
 */
Datum
btm_out(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_CSTRING(btm_relation_print(PG_GETARG_BTM_RELATION(0)));
}

/*
 * belongs_to_many_recv(internal) returns belongs_to_many
 *
 * Errors with 22P03 for a version that is not known.
 */
Datum
btm_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf;
	int			version;
	char	   *text;
	int			nbytes;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	buf = (StringInfo) PG_GETARG_POINTER(0);
	version = pq_getmsgbyte(buf);
	if (version != BINARY_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version %d of the binary format of type %s",
						version, "belongs_to_many")));
	text = pq_getmsgtext(buf, buf->len - buf->cursor, &nbytes);

	PG_RETURN_BTM_RELATION(btm_relation_parse(text));
}

/*
 * belongs_to_many_send(belongs_to_many) returns bytea
 */
Datum
btm_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	char	   *text;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	text = btm_relation_print(PG_GETARG_BTM_RELATION(0));

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, BINARY_VERSION);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * Casts from text and varchar.
 */
Datum
btm_from_text(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_BTM_RELATION(btm_relation_parse(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

/*
 * Cast from name.  The name is read as SQL, as the text of any other type is.
 */
Datum
btm_from_name(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_BTM_RELATION(btm_relation_parse(NameStr(*PG_GETARG_NAME(0))));
}
