/*-------------------------------------------------------------------------
 *
 * key_reader.c
 *	  A whole key, of one column or several, from one value.
 *
 * A key of several columns is written as a JSON object of columns, a JSON
 * array or a row value in key order, or either of these as text.  The same
 * forms are accepted for a key of one column, except that text for a column
 * of a string type is always the value itself, verbatim.
 *
 * The value of each column is converted by value.c.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "parser/scansup.h"
#include "pivot/ids.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

struct BtmKeyReader
{
	BtmKeyColumn *columns;
	int			ncolumns;
	const char *what;			/* "parent" or "id" */
	Oid			type;			/* base type of the values */
	bool		is_row;			/* a composite type */
	bool		null_ok;		/* may a column be NULL? */
	bool		is_null;		/* is one, in the key last read? */
	BtmConverter **converters;	/* per column, for the type last met */
};

/* ----------
 * JSON, text
 * ----------
 */

/*
 * A value of type json or jsonb as jsonb.  Errors: 22P02 if the text of a json
 * value is no jsonb.
 */
Jsonb *
btm_to_jsonb(Datum value, Oid type)
{
	if (type == JSONBOID)
		return DatumGetJsonbP(value);
	return btm_jsonb_parse(TextDatumGetCString(value));
}

/*
 * Text to jsonb.  Errors: 22P02.
 */
Jsonb *
btm_jsonb_parse(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/*
 * The root of a jsonb value: a scalar, or jbvBinary.  It points into `jb`.
 */
void
btm_json_root(Jsonb *jb, JsonbValue *value)
{
	if (JB_ROOT_IS_SCALAR(jb))
	{
		(void) JsonbExtractScalar(&jb->root, value);
		return;
	}
	value->type = jbvBinary;
	value->val.binary.data = &jb->root;
	value->val.binary.len = VARSIZE(jb) - VARHDRSZ;
}

/*
 * Is this an object?  (Values are scalars or jbvBinary here.)
 */
bool
btm_json_is_object(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsObject(value->val.binary.data);
}

/*
 * A value of a string type as a C string.
 */
char *
btm_text_value(Datum value, Oid type)
{
	Oid			output;
	bool		is_varlena;

	if (type == TEXTOID || type == VARCHAROID)
		return TextDatumGetCString(value);
	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/*
 * Skips a double-quoted JSON string or array element.  Returns what comes
 * after the closing quote, or the end of the text.
 */
static const char *
skip_quoted(const char *p)
{
	for (p++; *p != '\0' && *p != '"'; p++)
		if (*p == '\\' && p[1] != '\0')
			p++;
	return *p == '"' ? p + 1 : p;
}

/*
 * Which of the two does text that begins with a brace hold?  A JSON object has
 * a quoted string and a colon next, which no array literal has.  An empty pair
 * of braces is an empty list either way.
 */
static BtmTextForm
form_of_braces(const char *p)
{
	for (p++; scanner_isspace(*p); p++)
		 /* skip */ ;
	if (*p != '"')
		return BTM_TEXT_ARRAY;
	for (p = skip_quoted(p); scanner_isspace(*p); p++)
		 /* skip */ ;
	return *p == ':' ? BTM_TEXT_JSON : BTM_TEXT_ARRAY;
}

/*
 * The same for text that begins with a bracket: an array literal may begin
 * with its bounds, "[0:2]={...}".
 */
static BtmTextForm
form_of_brackets(const char *p)
{
	p += strspn(p, "[ +-0123456789");
	return *p == ':' ? BTM_TEXT_ARRAY : BTM_TEXT_JSON;
}

/*
 * What does text that is given for one or several keys hold?
 */
BtmTextForm
btm_text_form(const char *text, const BtmKeyColumn *columns, int ncolumns)
{
	if (ncolumns == 1 && btm_key_is_string(columns))
		return BTM_TEXT_VALUE;
	while (scanner_isspace(*text))
		text++;
	if (*text == '{')
		return form_of_braces(text);
	if (*text == '[')
		return form_of_brackets(text);
	return BTM_TEXT_VALUE;
}

/* ---------------
 * Keys as a whole
 * ---------------
 */

/*
 * The names of a key's columns, for messages.
 */
static char *
column_names(const BtmKeyReader *reader)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < reader->ncolumns; i++)
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "",
						 reader->columns[i].name);
	return names.data;
}

/*
 * Raises 22023: a value does not have the parts that the key needs.
 */
pg_noreturn static void
not_a_key(const BtmKeyReader *reader)
{
	if (reader->ncolumns == 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the %s must have a single value", reader->what)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the %s must have a value for each of its %d columns",
					reader->what, reader->ncolumns),
			 errhint("Write it as a JSON object of %s, or as a JSON array or a row value in this order.",
					 column_names(reader))));
}

/*
 * Raises 42703: a JSON object has a member that is no column of the key.
 */
pg_noreturn static void
not_a_key_column(const BtmKeyReader *reader, const char *name)
{
	List	   *columns = NIL;
	const char *nearest;

	for (int i = 0; i < reader->ncolumns; i++)
		columns = lappend(columns, reader->columns[i].name);
	nearest = btm_nearest_name(name, columns);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" is not a key column of the %s",
					name, reader->what),
			 nearest ?
			 errhint("Perhaps you meant to reference the column \"%s\".",
					 nearest) :
			 errhint("The key has %s.", column_names(reader))));
}

/*
 * Raises 42703 if an object has members besides the columns of the key.
 */
static void
check_members(const BtmKeyReader *reader, JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char	   *name;
		bool		found = false;

		if (token != WJB_KEY)
			continue;
		name = btm_scalar_text(&value);
		for (int i = 0; i < reader->ncolumns; i++)
			found |= strcmp(name, reader->columns[i].name) == 0;
		if (!found)
			not_a_key_column(reader, name);
	}
}

/*
 * The member of an object that is named as a key column, or false.
 */
bool
btm_json_member(JsonbContainer *object, const BtmKeyColumn *column,
				JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, column->name,
										strlen(column->name), value) != NULL;
}

/*
 * There is NULL for column i.
 */
static void
null_column(BtmKeyReader *reader, int i)
{
	if (!reader->null_ok)
		btm_null_key_column(&reader->columns[i]);
	reader->is_null = true;
}

/*
 * Reads column i of a key from a JSON value.
 */
static void
read_json_column(BtmKeyReader *reader, int i, const JsonbValue *value,
				 Datum *key)
{
	if (value->type == jbvNull)
		null_column(reader, i);
	else
		key[i] = btm_value_from_json(value, &reader->columns[i]);
}

/*
 * Reads a key from an object that has the key's columns and no others.
 */
static void
read_object(BtmKeyReader *reader, JsonbContainer *object, Datum *key)
{
	check_members(reader, object);
	if (JsonContainerSize(object) != (uint32) reader->ncolumns)
		not_a_key(reader);
	for (int i = 0; i < reader->ncolumns; i++)
	{
		JsonbValue	value;

		if (!btm_json_member(object, &reader->columns[i], &value))
			not_a_key(reader);
		read_json_column(reader, i, &value, key);
	}
}

/*
 * Reads a key from a JSON array in key order.
 */
static void
read_array(BtmKeyReader *reader, JsonbContainer *array, Datum *key)
{
	if (JsonContainerSize(array) != (uint32) reader->ncolumns)
		not_a_key(reader);
	for (int i = 0; i < reader->ncolumns; i++)
		read_json_column(reader, i, getIthJsonbValueFromContainer(array, i),
						 key);
}

/*
 * Reads a key from a JSON value: a scalar (one column only), an object or an
 * array.  `key` gets one datum per column; they may point into `value`.
 * Returns false if there is NULL among them.
 *
 * Errors: those of btm_value_from_json, 22004 for NULL unless null_ok, 42703
 * and 22023 if the columns are not those of the key.
 */
bool
btm_key_read_json(BtmKeyReader *reader, const JsonbValue *value, Datum *key)
{
	reader->is_null = false;
	if (btm_json_is_object(value))
		read_object(reader, value->val.binary.data, key);
	else if (value->type == jbvBinary)
		read_array(reader, value->val.binary.data, key);
	else if (reader->ncolumns == 1 ||
			 (value->type == jbvNull && reader->null_ok))
		read_json_column(reader, 0, value, key);
	else
		not_a_key(reader);
	return !reader->is_null;
}

/*
 * The converter from a type to column i of the key.
 */
static BtmConverter *
get_converter(BtmKeyReader *reader, int i, Oid type)
{
	if (reader->converters[i] == NULL || reader->converters[i]->type != type)
		reader->converters[i] = btm_converter_make(type, &reader->columns[i]);
	return reader->converters[i];
}

/*
 * Reads a key from the columns of a row, in key order.
 */
static void
read_columns(BtmKeyReader *reader, TupleDesc desc, const Datum *values,
			 const bool *nulls, Datum *key)
{
	int			n = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Oid			type;

		if (att->attisdropped)
			continue;
		if (n == reader->ncolumns)
			not_a_key(reader);
		type = getBaseType(att->atttypid);
		if (nulls[i])
			null_column(reader, n);
		else
			key[n] = btm_convert(get_converter(reader, n, type), values[i]);
		n++;
	}
	if (n < reader->ncolumns)
		not_a_key(reader);
}

/*
 * The row type of a composite value; to be released.
 */
static TupleDesc
row_desc(HeapTupleHeader row)
{
	return lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
								  HeapTupleHeaderGetTypMod(row));
}

/*
 * The number of columns of a composite value.
 */
int
btm_row_width(Datum value)
{
	TupleDesc	desc = row_desc(DatumGetHeapTupleHeader(value));
	int			width = 0;

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			width++;
	ReleaseTupleDesc(desc);
	return width;
}

/*
 * Reads a key from a composite value.
 */
static void
read_row(BtmKeyReader *reader, Datum value, Datum *key)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(value);
	TupleDesc	desc = row_desc(row);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	HeapTupleData tuple = {0};

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, nulls);
	read_columns(reader, desc, values, nulls, key);
	pfree(values);
	pfree(nulls);
	ReleaseTupleDesc(desc);
}

/*
 * Reads a key from the text of a row value, "(1,2)".
 */
static void
read_row_literal(BtmKeyReader *reader, const char *text, Datum *key)
{
	TupleDesc	desc = CreateTemplateTupleDesc(reader->ncolumns);
	Datum		row;

	for (int i = 0; i < reader->ncolumns; i++)
		TupleDescInitEntry(desc, i + 1, reader->columns[i].name,
						   reader->columns[i].type.type, -1, 0);
	desc = BlessTupleDesc(desc);
	row = OidInputFunctionCall(F_RECORD_IN, unconstify(char *, text),
							   RECORDOID, desc->tdtypmod);
	read_row(reader, row, key);
}

/*
 * Reads a key from text that may be written out as JSON or as a row value.
 */
static void
read_text(BtmKeyReader *reader, char *text, Datum *key)
{
	JsonbValue	value;

	if (btm_text_form(text, reader->columns, reader->ncolumns) == BTM_TEXT_JSON)
	{
		btm_json_root(btm_jsonb_parse(text), &value);
		btm_key_read_json(reader, &value, key);
	}
	else if (reader->ncolumns == 1)
		key[0] = btm_input_value(text, reader->columns);
	else if (text[strspn(text, " \t\n\r\v\f")] == '(')
		read_row_literal(reader, text, key);
	else
		not_a_key(reader);
}

/*
 * Makes a reader of keys from values of one type.  `what` names such a key in
 * messages; NULL inside of a key is an error unless null_ok.  The reader lives
 * in the current memory context.
 */
BtmKeyReader *
btm_key_reader_make(Oid type, BtmKeyColumn *columns, int ncolumns,
					const char *what, bool null_ok)
{
	BtmKeyReader *reader = palloc0(sizeof(BtmKeyReader));

	reader->columns = columns;
	reader->ncolumns = ncolumns;
	reader->what = what;
	reader->null_ok = null_ok;
	reader->type = btm_base_type(type);
	reader->is_row = (ncolumns > 1 || columns->type.type != reader->type) &&
		type_is_rowtype(reader->type);
	reader->converters = palloc0(sizeof(BtmConverter *) * ncolumns);
	return reader;
}

/*
 * Reads a key from a value that is not NULL, in any of the forms that the
 * head of this file lists.  `key` gets one datum per column, in the current
 * memory context or in the value itself.  Returns false if there is NULL among
 * them.
 *
 * Errors: 22004 for NULL inside of the key unless null_ok, 22023 if the value
 * does not have the key's number of columns, 42703 if it names other columns,
 * 22P02 and 22003 for what a column's type does not accept.
 */
bool
btm_key_read(BtmKeyReader *reader, Datum value, Datum *key)
{
	JsonbValue	json;

	reader->is_null = false;
	if (btm_type_is_json(reader->type))
	{
		btm_json_root(btm_to_jsonb(value, reader->type), &json);
		btm_key_read_json(reader, &json, key);
	}
	else if (reader->is_row)
		read_row(reader, value, key);
	else if (btm_type_is_string(reader->type) &&
			 (reader->ncolumns > 1 || !btm_key_is_string(reader->columns)))
		read_text(reader, btm_text_value(value, reader->type), key);
	else if (reader->ncolumns == 1)
		key[0] = btm_convert(get_converter(reader, 0, reader->type), value);
	else
		not_a_key(reader);
	return !reader->is_null;
}

/*
 * Reads a key from one value that is not NULL: btm_key_read for one value.
 */
bool
btm_value_to_key(const BtmValue *value, BtmKeyColumn *columns, int ncolumns,
				 const char *what, bool null_ok, Datum *key)
{
	BtmKeyReader *reader;

	if (btm_is_key_type(value->type, columns, ncolumns))
	{
		key[0] = btm_take_value(columns, value->value);
		return true;
	}
	reader = btm_key_reader_make(value->type, columns, ncolumns, what,
								 null_ok);
	return btm_key_read(reader, value->value, key);
}
