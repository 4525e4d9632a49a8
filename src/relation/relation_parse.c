/*-------------------------------------------------------------------------
 *
 * relation_parse.c
 *	  Reads the text form of a relation.
 *
 * The text is one of
 *
 *	- the SQL name of a saved relation:  app.user_roles
 *	- a reference with additions:  {"relation": "app.user_roles", ...}
 *	- a definition:  {"parent": "app.users", "related": "app.roles", ...}
 *
 * Members, in the order in which they are printed; null means not given:
 *
 *	relation			SQL name of a saved relation
 *	inverse				true: seen from its other side; only with relation
 *	parent, related, pivot_table
 *						SQL names of tables; not with relation
 *	foreign_key, related_key, parent_key, related_pivot_key
 *						a column or an array of columns; not with relation
 *	with_pivot			a column or an array of columns
 *	timestamps			{"created_at": column, "updated_at": column}; null
 *						disables one, left out it has its own name
 *	pivot_values		[{"column": column, "value": value}, ...]; an object
 *						{column: value, ...} is read too, but not printed: the
 *						order of its members would be lost
 *	where, where_related
 *						steps [{"column": column, "operator": operator,
 *						"value": value, "or": true}, ...]
 *	order_by			[{"pivot" or "related": column, "direction": "asc" or
 *						"desc", "nulls": "first" or "last"}, ...]
 *	pivot_as			a name
 *	take				{"max_rows": number or null, "skip": number}
 *
 * Columns are plain names, without SQL quotes.  Operators are described in
 * operator_text.c.  Values are strings, numbers or booleans, in an array for
 * "in" and "between", and are printed as strings.  They are taken as they
 * stand: the builder functions read and canonicalise their values, and
 * btm_resolve all of them.
 *
 * The reader checks syntax, and binds the tables and columns that exist.  It
 * does not insist on them: a dump is restored in orders in which a strict
 * input function fails.  What a definition leaves out is inferred at once if
 * its tables and their constraints exist, else at first use: in a restore
 * constraints come last.  Output prints all keys of a definition that is bound,
 * so that this is rare.  An operator that was printed with its schema is taken
 * as it is, while one without a schema is looked up, and stays without a schema
 * if it is not found.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "parser/scansup.h"
#include "relation/relation.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"

#define MISSING_SIDE_HINT \
	"A relation is written with \"parent\" and \"related\", or with \"relation\", the name of a saved one."

/* What a text is read into. */
typedef struct TextReader
{
	BtmRelation *rel;
	Oid			pivot;			/* InvalidOid: not known yet */
	Oid			related;		/* InvalidOid: not known yet */
} TextReader;

/* A member of a relation, and how its value, which is not null, is read. */
typedef struct MemberReader
{
	const char *name;
	void		(*read) (TextReader *reader, const char *name,
						 JsonbValue *value);
} MemberReader;

/* ---- JSON values of an expected type ---- */

/*
 * Errors with 22023: the value of a member is of a wrong type.
 */
pg_noreturn static void
wrong_type(const char *member, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("member \"%s\" of a relation must be %s",
					member, expected)));
}

/*
 * A string, copied.
 */
static char *
string_value(const char *member, const JsonbValue *value)
{
	if (value->type != jbvString)
		wrong_type(member, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static bool
bool_value(const char *member, const JsonbValue *value)
{
	if (value->type != jbvBool)
		wrong_type(member, "a boolean");
	return value->val.boolean;
}

/*
 * A whole number.  Errors with 22003 if it is no bigint.
 */
static int64
integer_value(const char *member, const JsonbValue *value)
{
	int64		number;

	if (value->type != jbvNumeric)
		wrong_type(member, "an integer");
	number = DatumGetInt64(DirectFunctionCall1(numeric_int8,
											   NumericGetDatum(value->val.numeric)));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq,
										  NumericGetDatum(value->val.numeric),
										  NumericGetDatum(int64_to_numeric(number)))))
		wrong_type(member, "an integer");
	return number;
}

/*
 * The text of a string, number or boolean.  NULL for null.
 */
static char *
scalar_value(const char *member, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return NULL;
		case jbvString:
			return string_value(member, value);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			wrong_type(member, "a string, a number or a boolean");
	}
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsObject(value->val.binary.data);
}

static JsonbContainer *
object_value(const char *member, const JsonbValue *value)
{
	if (!is_object(value))
		wrong_type(member, "an object");
	return value->val.binary.data;
}

/*
 * An array; `expected` says of what.
 */
static JsonbContainer *
array_value(const char *member, const JsonbValue *value, const char *expected)
{
	if (value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data))
		wrong_type(member, expected);
	return value->val.binary.data;
}

/*
 * The objects in an array, as a List of JsonbContainer *.
 */
static List *
object_list(const char *member, const JsonbValue *value)
{
	JsonbContainer *array = array_value(member, value, "an array of objects");
	List	   *objects = NIL;

	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		if (!is_object(element))
			wrong_type(member, "an array of objects");
		objects = lappend(objects, element->val.binary.data);
	}
	return objects;
}

/*
 * Names that are written as one string or as an array of strings.
 */
static List *
name_list(const char *member, const JsonbValue *value)
{
	static const char *const expected = "a string or an array of strings";
	JsonbContainer *array;
	List	   *names = NIL;

	if (value->type == jbvString)
		return list_make1(string_value(member, value));

	array = array_value(member, value, expected);
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		if (element->type != jbvString)
			wrong_type(member, expected);
		names = lappend(names, string_value(member, element));
	}
	return names;
}

/* ---- JSON objects ---- */

/*
 * A member of an object, or NULL if it is not there.
 */
static JsonbValue *
find_member(JsonbContainer *object, const char *name)
{
	return getKeyJsonValueFromContainer(object, name, strlen(name), NULL);
}

/*
 * As find_member, but null is as good as absent.
 */
static JsonbValue *
given_member(JsonbContainer *object, const char *name)
{
	JsonbValue *value = find_member(object, name);

	return value != NULL && value->type != jbvNull ? value : NULL;
}

/*
 * Errors with 22023: a member that must be given is not.
 */
pg_noreturn static void
missing_member(const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("member \"%s\" of a relation is missing", name),
			 errhint("%s", hint)));
}

/*
 * Errors with 22023: a member that nobody knows.
 */
pg_noreturn static void
unknown_member(const char *name, List *known)
{
	const char *nearest = btm_nearest_name(name, known);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized member \"%s\" of a relation", name),
			 nearest ? errhint("Perhaps you meant the member \"%s\".",
							   nearest) : 0));
}

/*
 * Errors unless all members of an object are among `known`, a List of char *.
 */
static void
check_members(JsonbContainer *object, List *known)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char	   *name;
		ListCell   *lc;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(value.val.string.val, value.val.string.len);
		foreach(lc, known)
		{
			if (strcmp(name, lfirst(lc)) == 0)
				break;
		}
		if (lc == NULL)
			unknown_member(name, known);
	}
}

/* ---- members of a reference or a definition ---- */

/*
 * Binds a name in a table.  A name that is no column there, or whose table is
 * not known (InvalidOid), stays a name.
 */
static BtmColumn *
bind_column(Oid relid, char *name)
{
	BtmColumn  *column = palloc0(sizeof(BtmColumn));

	column->name = name;
	if (OidIsValid(relid))
	{
		column->attnum = btm_column_attnum(column, relid, true);
		if (AttributeNumberIsValid(column->attnum))
			column->relid = relid;
	}
	return column;
}

/*
 * Makes `rel` a reference to a saved relation, which is bound if it exists.
 * Errors are those of btm_saved_parse_name.
 */
static BtmSavedRelation *
set_reference(BtmRelation *rel, const char *sql_name)
{
	BtmSavedRelation *saved;

	btm_saved_parse_name(sql_name, &rel->ref_schema, &rel->ref_name);
	saved = btm_saved_by_name(rel->ref_schema, rel->ref_name);
	if (saved != NULL)
	{
		rel->ref_id = saved->id;
		rel->ref_schema = saved->schema;
		rel->ref_name = saved->name;
	}
	return saved;
}

static void
read_relation(TextReader *reader, const char *name, JsonbValue *value)
{
	BtmSavedRelation *saved;
	BtmRelation *def;

	saved = set_reference(reader->rel, string_value(name, value));
	if (saved == NULL)
		return;
	def = saved->definition;
	reader->pivot = btm_table_oid(&def->pivot, true);
	reader->related = btm_table_oid(reader->rel->inverse ?
									&def->parent : &def->related, true);
}

static void
read_inverse(TextReader *reader, const char *name, JsonbValue *value)
{
	reader->rel->inverse = bool_value(name, value);
}

static void
read_parent(TextReader *reader, const char *name, JsonbValue *value)
{
	reader->rel->parent = btm_table_parse(string_value(name, value));
}

static void
read_related(TextReader *reader, const char *name, JsonbValue *value)
{
	reader->rel->related = btm_table_parse(string_value(name, value));
}

static void
read_pivot_table(TextReader *reader, const char *name, JsonbValue *value)
{
	reader->rel->pivot = btm_table_parse(string_value(name, value));
}

/*
 * The columns of a key, bound in `table` as far as they exist there.
 */
static List *
key_columns(const BtmTable *table, const char *member, JsonbValue *value)
{
	List	   *columns = NIL;
	ListCell   *lc;

	foreach(lc, name_list(member, value))
		columns = lappend(columns, bind_column(table->oid, lfirst(lc)));
	if (columns == NIL)
		wrong_type(member, "a string or an array of strings, and not empty");
	return columns;
}

static void
read_foreign_key(TextReader *reader, const char *name, JsonbValue *value)
{
	BtmRelation *rel = reader->rel;

	rel->foreign_key = key_columns(&rel->pivot, name, value);
}

static void
read_related_key(TextReader *reader, const char *name, JsonbValue *value)
{
	BtmRelation *rel = reader->rel;

	rel->related_key = key_columns(&rel->pivot, name, value);
}

static void
read_parent_key(TextReader *reader, const char *name, JsonbValue *value)
{
	BtmRelation *rel = reader->rel;

	rel->parent_key = key_columns(&rel->parent, name, value);
}

static void
read_related_pivot_key(TextReader *reader, const char *name,
					   JsonbValue *value)
{
	BtmRelation *rel = reader->rel;

	rel->related_pivot_key = key_columns(&rel->related, name, value);
}

/* ---- members that builders add ---- */

static void
read_with_pivot(TextReader *reader, const char *name, JsonbValue *value)
{
	List	   *columns = NIL;
	ListCell   *lc;

	foreach(lc, name_list(name, value))
	{
		BtmColumn  *column = bind_column(reader->pivot, lfirst(lc));

		if (!btm_columns_contain(columns, column))
			columns = lappend(columns, column);
	}
	reader->rel->with_pivot = columns;
}

/*
 * One of the timestamps: NULL if it is null; if it is left out it has the
 * name that with_timestamps() gives it.
 */
static BtmColumn *
timestamp_column(TextReader *reader, JsonbContainer *object, const char *name)
{
	JsonbValue *value = find_member(object, name);

	if (value == NULL)
		return bind_column(reader->pivot, pstrdup(name));
	if (value->type == jbvNull)
		return NULL;
	return bind_column(reader->pivot, string_value(name, value));
}

static void
read_timestamps(TextReader *reader, const char *name, JsonbValue *value)
{
	BtmRelation *rel = reader->rel;
	JsonbContainer *object = object_value(name, value);

	check_members(object, list_make2("created_at", "updated_at"));
	rel->has_timestamps = true;
	rel->created_at = timestamp_column(reader, object, "created_at");
	rel->updated_at = timestamp_column(reader, object, "updated_at");
}

/*
 * Adds a pivot value; one for a column that has a value already replaces it.
 * `value` is the text, or NULL for null.
 */
static void
add_pivot_value(TextReader *reader, char *column, char *value)
{
	BtmRelation *rel = reader->rel;
	BtmPivotValue *pivot_value = palloc(sizeof(BtmPivotValue));

	pivot_value->column = *bind_column(reader->pivot, column);
	pivot_value->value = value;
	rel->pivot_values = btm_pivot_values_put(rel->pivot_values, pivot_value);
}

/*
 * The column that an object, an item of `list`, speaks of.
 */
static char *
column_member(const char *list, JsonbContainer *object)
{
	JsonbValue *value = given_member(object, "column");

	if (value == NULL)
		missing_member("column",
					   psprintf("Each item of \"%s\" names a column.", list));
	return string_value("column", value);
}

/*
 * Pivot values that are written as {column: value, ...}.
 */
static void
read_pivot_value_map(TextReader *reader, JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *column = NULL;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			column = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			add_pivot_value(reader, column, scalar_value(column, &value));
	}
}

static void
read_pivot_values(TextReader *reader, const char *name, JsonbValue *value)
{
	ListCell   *lc;

	if (is_object(value))
	{
		read_pivot_value_map(reader, value->val.binary.data);
		return;
	}
	foreach(lc, object_list(name, value))
	{
		JsonbContainer *object = lfirst(lc);
		JsonbValue *text = find_member(object, "value");

		check_members(object, list_make2("column", "value"));
		if (text == NULL)
			missing_member("value", "A null value is written null.");
		add_pivot_value(reader, column_member(name, object),
						scalar_value("value", text));
	}
}

static void
read_pivot_as(TextReader *reader, const char *name, JsonbValue *value)
{
	reader->rel->pivot_as = string_value(name, value);
	if (reader->rel->pivot_as[0] == '\0')
		wrong_type(name, "a string, and not empty");
}

/*
 * Errors with 2201W / 2201X for negative numbers.
 */
static void
read_take(TextReader *reader, const char *name, JsonbValue *value)
{
	BtmRelation *rel = reader->rel;
	JsonbContainer *object = object_value(name, value);
	JsonbValue *max_rows = given_member(object, "max_rows");
	JsonbValue *skip = given_member(object, "skip");

	check_members(object, list_make2("max_rows", "skip"));
	rel->has_take = true;
	rel->max_rows = max_rows ? integer_value("max_rows", max_rows) : -1;
	rel->skip = skip ? integer_value("skip", skip) : 0;
	if (max_rows != NULL && rel->max_rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE),
				 errmsg("member \"max_rows\" of a relation must not be negative")));
	if (rel->skip < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE),
				 errmsg("member \"skip\" of a relation must not be negative")));
}

/* ---- filters ---- */

/*
 * Looks an operator without a schema up.  It stays without a schema if the
 * column is not known or has no such operator.
 */
static void
bind_operator(BtmCondition *step)
{
	HeapTuple	operator;

	if (!OidIsValid(step->column.relid))
		return;
	operator = btm_operator_find(NULL, step->opname,
								 get_atttype(step->column.relid,
											 step->column.attnum));
	if (operator == NULL)
		return;
	step->opschema = get_namespace_name(((Form_pg_operator) GETSTRUCT(operator))->oprnamespace);
	ReleaseSysCache(operator);
}

/*
 * Reads the right operands of "in" and "between".
 */
static void
read_value_list(BtmCondition *step, JsonbValue *value)
{
	JsonbContainer *array = array_value("value", value, "an array");

	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);
		char	   *text = scalar_value("value", element);

		if (text == NULL)
			btm_operator_null(step);
		step->values = lappend(step->values, text);
	}
	if (step->kind == BTM_COND_BETWEEN && list_length(step->values) != 2)
		wrong_type("value", "an array of two values");
}

/*
 * Reads the right operand of an operator, or of "is distinct from".
 */
static void
read_single_value(BtmCondition *step, JsonbValue *value)
{
	char	   *text = scalar_value("value", value);

	if (text == NULL)
		btm_operator_null(step);
	else
		step->values = list_make1(text);
}

/*
 * Reads the right-hand side of a step.  Needs its kind.
 */
static void
read_values(BtmCondition *step, JsonbContainer *object)
{
	JsonbValue *value = find_member(object, "value");

	if (step->kind == BTM_COND_NULL)
	{
		if (value != NULL && value->type != jbvNull)
			wrong_type("value", "left out where the operator is \"is null\" or \"is not null\"");
		return;
	}
	if (value == NULL)
		missing_member("value", "A null value is written null.");
	if (step->kind == BTM_COND_IN || step->kind == BTM_COND_BETWEEN)
		read_value_list(step, value);
	else
		read_single_value(step, value);
}

/*
 * Reads one step of a filter on the table relid (InvalidOid: not known yet).
 */
static BtmCondition *
read_step(Oid relid, const char *filter, JsonbContainer *object)
{
	BtmCondition *step = palloc0(sizeof(BtmCondition));
	JsonbValue *operator = given_member(object, "operator");
	JsonbValue *is_or = given_member(object, "or");

	check_members(object, list_make4("column", "operator", "value", "or"));
	step->column = *bind_column(relid, column_member(filter, object));
	step->is_or = is_or != NULL && bool_value("or", is_or);
	btm_operator_parse(step, operator ? string_value("operator", operator) : "=");
	read_values(step, object);
	if (step->kind == BTM_COND_OPERATOR && step->opschema == NULL)
		bind_operator(step);
	return step;
}

static List *
read_filter(Oid relid, const char *name, JsonbValue *value)
{
	List	   *steps = NIL;
	ListCell   *lc;

	foreach(lc, object_list(name, value))
		steps = lappend(steps, read_step(relid, name, lfirst(lc)));
	return steps;
}

static void
read_where(TextReader *reader, const char *name, JsonbValue *value)
{
	reader->rel->where = read_filter(reader->pivot, name, value);
}

static void
read_where_related(TextReader *reader, const char *name, JsonbValue *value)
{
	reader->rel->where_related = read_filter(reader->related, name, value);
}

/* ---- orderings ---- */

/*
 * Is the member of an ordering `first` and not `second`?  Both are words, in
 * any case.  Left out it is `otherwise`.
 */
static bool
read_choice(JsonbContainer *object, const char *member, const char *first,
			const char *second, bool otherwise)
{
	JsonbValue *value = given_member(object, member);
	const char *word;

	if (value == NULL)
		return otherwise;
	word = string_value(member, value);
	if (pg_strcasecmp(word, first) == 0)
		return true;
	if (pg_strcasecmp(word, second) != 0)
		wrong_type(member, psprintf("\"%s\" or \"%s\"", second, first));
	return false;
}

static BtmOrderBy *
read_order_item(TextReader *reader, const char *name, JsonbContainer *object)
{
	BtmOrderBy *order = palloc(sizeof(BtmOrderBy));
	JsonbValue *pivot = given_member(object, "pivot");
	JsonbValue *related = given_member(object, "related");

	check_members(object, list_make4("pivot", "related", "direction", "nulls"));
	if ((pivot == NULL) == (related == NULL))
		wrong_type(name, "an array of objects that have either a member \"pivot\" or a member \"related\"");
	order->side = pivot ? BTM_PIVOT : BTM_RELATED;
	if (order->side == BTM_PIVOT)
		order->column = *bind_column(reader->pivot, string_value("pivot", pivot));
	else
		order->column = *bind_column(reader->related, string_value("related", related));
	order->descending = read_choice(object, "direction", "desc", "asc", false);
	order->nulls_first = read_choice(object, "nulls", "first", "last",
									 order->descending);
	return order;
}

static void
read_order_by(TextReader *reader, const char *name, JsonbValue *value)
{
	List	   *items = NIL;
	ListCell   *lc;

	foreach(lc, object_list(name, value))
		items = lappend(items, read_order_item(reader, name, lfirst(lc)));
	reader->rel->order_by = items;
}

/* ---- the whole ---- */

/* Of a reference.  In order: which table is related depends on inverse. */
static const MemberReader reference_members[] = {
	{"inverse", read_inverse},
	{"relation", read_relation},
	{NULL, NULL}
};

/* Of a definition.  In order: columns are looked for in the tables. */
static const MemberReader definition_members[] = {
	{"parent", read_parent},
	{"related", read_related},
	{"pivot_table", read_pivot_table},
	{"foreign_key", read_foreign_key},
	{"related_key", read_related_key},
	{"parent_key", read_parent_key},
	{"related_pivot_key", read_related_pivot_key},
	{NULL, NULL}
};

/* Of both.  They need the tables, which may have been inferred. */
static const MemberReader builder_members[] = {
	{"with_pivot", read_with_pivot},
	{"timestamps", read_timestamps},
	{"pivot_values", read_pivot_values},
	{"where", read_where},
	{"where_related", read_where_related},
	{"order_by", read_order_by},
	{"pivot_as", read_pivot_as},
	{"take", read_take},
	{NULL, NULL}
};

/*
 * Reads those members of an object that are given.
 */
static void
read_members(TextReader *reader, JsonbContainer *object,
			 const MemberReader *members)
{
	for (; members->name != NULL; members++)
	{
		JsonbValue *value = given_member(object, members->name);

		if (value != NULL)
			members->read(reader, members->name, value);
	}
}

/*
 * Errors with 22023 if one of these members is given.
 */
static void
forbid_members(JsonbContainer *object, const MemberReader *members,
			   const char *detail)
{
	for (; members->name != NULL; members++)
		if (given_member(object, members->name) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("member \"%s\" of a relation is out of place",
							members->name),
					 errdetail("%s", detail)));
}

/*
 * Appends the names of members to a List of char *.
 */
static List *
member_names(List *names, const MemberReader *members)
{
	for (; members->name != NULL; members++)
		names = lappend(names, unconstify(char *, members->name));
	return names;
}

/*
 * Does a definition leave something to inference that can be inferred now,
 * since its tables exist?
 */
static bool
can_infer(const BtmRelation *rel)
{
	if (rel->pivot.name != NULL &&
		rel->foreign_key != NIL && rel->related_key != NIL &&
		rel->parent_key != NIL && rel->related_pivot_key != NIL)
		return false;			/* nothing is left out */

	return OidIsValid(rel->parent.oid) && OidIsValid(rel->related.oid) &&
		(rel->pivot.name == NULL || OidIsValid(rel->pivot.oid));
}

/*
 * Infers what a definition leaves out, if that can be done now; otherwise it
 * stays as it was given.  (While a dump is restored the tables are there before
 * their constraints are.)  Errors are those of btm_relation_infer about what
 * does not fit.
 */
static void
infer_leniently(BtmRelation *rel)
{
	BtmRelation given = *rel;

	if (can_infer(rel) && !btm_relation_infer(rel, true))
		*rel = given;
}

/*
 * Reads tables and keys of a definition.  Errors are those of infer_leniently,
 * and 22023 if a side is missing.
 */
static void
read_definition(TextReader *reader, JsonbContainer *object)
{
	BtmRelation *rel = reader->rel;

	forbid_members(object, reference_members,
				   "It goes with \"relation\", the name of a saved relation.");
	read_members(reader, object, definition_members);
	if (rel->parent.name == NULL)
		missing_member("parent", MISSING_SIDE_HINT);
	if (rel->related.name == NULL)
		missing_member("related", MISSING_SIDE_HINT);
	infer_leniently(rel);
	reader->pivot = rel->pivot.oid;
	reader->related = rel->related.oid;
}

/*
 * Reads the JSON form.
 */
static void
read_object(TextReader *reader, JsonbContainer *object)
{
	List	   *known = NIL;

	known = member_names(known, reference_members);
	known = member_names(known, definition_members);
	known = member_names(known, builder_members);
	check_members(object, known);

	if (given_member(object, "relation") == NULL)
		read_definition(reader, object);
	else
	{
		forbid_members(object, definition_members,
					   "The relation named by \"relation\" defines it.");
		read_members(reader, object, reference_members);
	}
	read_members(reader, object, builder_members);
}

/*
 * Reads the text form.
 *
 * Errors: 22P02 for malformed JSON and for an empty text; 22023 for members
 * that are unknown, missing, out of place or of a wrong type; 22004 for a null
 * that a filter cannot have; those of names (see btm_table_parse and
 * btm_saved_parse_name) and of inference.  None because something does not
 * exist.
 */
BtmRelation *
btm_relation_parse(const char *text)
{
	TextReader	reader = {0};
	const char *start = text;

	while (scanner_isspace(*start))
		start++;
	if (*start == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"belongs_to_many", text)));

	reader.rel = palloc0(sizeof(BtmRelation));
	if (*start == '{')
	{
		Datum		json = DirectFunctionCall1(jsonb_in, CStringGetDatum(start));

		read_object(&reader, &DatumGetJsonbP(json)->root);
	}
	else
		(void) set_reference(reader.rel, start);
	return reader.rel;
}
