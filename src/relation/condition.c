/*-------------------------------------------------------------------------
 *
 * condition.c
 *	  Operators and literals of filters.
 *
 * A filter step holds its right operand as text, and is run as
 *
 *		column OPERATOR(schema.op) 'literal'::type
 *
 * To users this must mean what `column op 'literal'` means to the parser, so
 * the operator and the type are chosen by the parser's own functions, with an
 * operand of type unknown; but operators that the column's type comes with go
 * before all others.  What depends on the session is fixed when a filter is
 * made: the operator's schema, and the literal, which is rewritten to a form
 * that every session reads as the same value, whatever its DateStyle, TimeZone
 * or search_path.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/stratnum.h"
#include "catalog/namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "parser/parse_oper.h"
#include "relation/relation.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/*
 * Finds the binary operator that the parser chooses for operands of these
 * types, sought in schema `opschema`, or through search_path if that is NULL.
 *
 * Returns NULL if there is none, or none that is better than the others; else
 * a syscache entry, which the caller releases.  Errors: 3F000 for a schema
 * that does not exist, 42501 for one that the caller may not use.
 */
static Operator
find_operator(const char *opschema, const char *opname, Oid left, Oid right)
{
	List	   *name = list_make1(makeString(pstrdup(opname)));

	if (opschema != NULL)
		name = lcons(makeString(pstrdup(opschema)), name);
	return oper(NULL, name, left, right, true, -1);
}

/*
 * Has this operator, which may be InvalidOid, this name?
 */
static bool
operator_is_named(Oid opno, const char *opname)
{
	char	   *name = OidIsValid(opno) ? get_opname(opno) : NULL;

	return name != NULL && strcmp(name, opname) == 0;
}

/*
 * The comparison of this name by which indexes order or hash a type, or the
 * negator of its equality; InvalidOid if the type has none of this name.
 */
static Oid
type_comparison(const char *opname, Oid type)
{
	TypeCacheEntry *entry;
	Oid			opno;

	entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	if (OidIsValid(entry->btree_opf))
		for (int strategy = 1; strategy <= BTMaxStrategyNumber; strategy++)
		{
			opno = get_opfamily_member(entry->btree_opf, entry->btree_opintype,
									   entry->btree_opintype, strategy);
			if (operator_is_named(opno, opname))
				return opno;
		}

	opno = btm_equality_operator(type, type);
	if (operator_is_named(opno, opname))
		return opno;
	opno = OidIsValid(opno) ? get_negator(opno) : InvalidOid;
	return operator_is_named(opno, opname) ? opno : InvalidOid;
}

/*
 * The schema of a type that brings operators of its own there, which is any
 * base type but those of pg_catalog; else InvalidOid.  Types that users make
 * have none: theirs are the polymorphic ones of pg_catalog.
 */
static Oid
own_operator_schema(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;
	Oid			schema = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	form = (Form_pg_type) GETSTRUCT(tuple);
	if (form->typtype == TYPTYPE_BASE && !OidIsValid(get_element_type(type)) &&
		form->typnamespace != PG_CATALOG_NAMESPACE)
		schema = form->typnamespace;
	ReleaseSysCache(tuple);
	return schema;
}

/*
 * Finds an operator among those that come with a type; NULL if there is none.
 * A schema that the caller may not use has none.
 */
static Operator
find_operator_of_type(const char *opname, Oid type)
{
	Oid			schema = own_operator_schema(type);
	Operator	operator = NULL;

	if (OidIsValid(schema) &&
		object_aclcheck(NamespaceRelationId, schema, GetUserId(),
						ACL_USAGE) == ACLCHECK_OK)
		operator = find_operator(get_namespace_name(schema), opname, type,
								 UNKNOWNOID);
	if (operator == NULL)
		operator = find_operator("pg_catalog", opname, type, UNKNOWNOID);
	return operator;
}

/*
 * Finds the operator that `column op 'literal'` means for a column of this
 * type, sought in schema `opschema` if that is not NULL.  Returns and errors
 * as find_operator does.
 *
 * A name without a schema is not sought through search_path as long as the
 * type has an operator of this name.  The parser would prefer anybody's
 * operator to one of pg_catalog that fits less exactly (text for a varchar),
 * and would compare a type whose schema is not in search_path as another one
 * (citext as text).
 */
HeapTuple
btm_operator_find(const char *opschema, const char *opname, Oid columntype)
{
	Oid			type = getBaseType(columntype);
	Operator	operator = NULL;
	Oid			opno;

	if (opschema != NULL)
		return find_operator(opschema, opname, columntype, UNKNOWNOID);

	opno = type_comparison(opname, type);
	if (OidIsValid(opno))
		operator = SearchSysCache1(OPEROID, ObjectIdGetDatum(opno));
	if (operator == NULL)
		operator = find_operator_of_type(opname, type);
	if (operator == NULL)
		operator = find_operator(NULL, opname, columntype, UNKNOWNOID);
	return operator;
}

/*
 * Is there an operator of this name in a schema for `column op 'literal'`?
 * Errors: 42501 for a schema that the caller may not use.
 */
static bool
operator_exists(const char *opschema, const char *opname, Oid columntype)
{
	Operator	operator;

	if (!OidIsValid(get_namespace_oid(opschema, true)))
		return false;
	operator = find_operator(opschema, opname, columntype, UNKNOWNOID);
	if (operator == NULL)
		return false;
	ReleaseSysCache(operator);
	return true;
}

/*
 * The schema, now, of an operator that was in `opschema` when a filter was
 * made.  A filter has its operators by name, so it does not follow them.  But
 * those that came with the column's type, and are gone, have moved with it:
 * their schema, or the extension in it, was given another name.
 */
const char *
btm_operator_follow(Oid relid, AttrNumber attnum, const char *opschema,
					const char *opname)
{
	Oid			columntype = get_atttype(relid, attnum);
	Oid			own = own_operator_schema(getBaseType(columntype));
	const char *moved_to = OidIsValid(own) ? get_namespace_name(own) : NULL;

	if (moved_to == NULL ||
		operator_exists(opschema, opname, columntype) ||
		!operator_exists(moved_to, opname, columntype))
		return opschema;
	return moved_to;
}

/*
 * Errors with 42883: there is no such operator for this column.
 */
pg_noreturn static void
no_such_operator(Oid relid, AttrNumber attnum, const char *opschema,
				 const char *opname)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("operator does not exist: %s %s%s%s unknown",
					format_type_be(get_atttype(relid, attnum)),
					opschema ? quote_identifier(opschema) : "",
					opschema ? "." : "", opname),
			 errdetail("The filter is on column \"%s\" of relation \"%s\".",
					   get_attname(relid, attnum, false), get_rel_name(relid)),
			 errhint("Use an operator that the column's type has, or one of like, ilike, in, between, is, is distinct from, and their negations.")));
}

/*
 * The type that an operator's right operand has when its left one is a column
 * of this type and its right one a literal: polymorphic types are resolved.
 * The result type is returned in *resulttype.
 *
 * Errors with 42804 if a polymorphic type cannot be resolved.
 */
static Oid
right_operand_type(Form_pg_operator form, Oid columntype, Oid *resulttype)
{
	Oid			actual[2] = {columntype, UNKNOWNOID};
	Oid			declared[2] = {form->oprleft, form->oprright};

	*resulttype = enforce_generic_type_consistency(actual, declared, 2,
												   form->oprresult, false);

	/*
	 * A row can be read only as one of a named type.  And regclass and its
	 * kin, which operators see as numbers, must be kept by name: numbers mean
	 * nothing after a restore.
	 */
	if ((declared[1] == RECORDOID && type_is_rowtype(columntype)) ||
		(declared[0] == OIDOID && declared[1] == OIDOID))
		return getBaseType(columntype);
	return declared[1];
}

/*
 * Resolves `column op 'literal'`; see btm_operator_find for where operators
 * are sought.
 *
 * The literal is checked to be one of the right operand's type, unless it is
 * NULL.  Errors: 42883 no such operator, 42804 it does not return a boolean,
 * 3F000 and 42501 about its schema, and what the type's input function raises
 * (22P02, ...).
 */
void
btm_operator_resolve(Oid relid, AttrNumber attnum, const char *opschema,
					 const char *opname, const char *literal,
					 BtmOperator *result)
{
	Oid			columntype = get_atttype(relid, attnum);
	Operator	tuple = btm_operator_find(opschema, opname, columntype);
	Form_pg_operator form;
	Oid			resulttype;

	if (tuple == NULL ||
		!OidIsValid(((Form_pg_operator) GETSTRUCT(tuple))->oprcode))
		no_such_operator(relid, attnum, opschema, opname);

	form = (Form_pg_operator) GETSTRUCT(tuple);
	result->opno = form->oid;
	result->righttype = right_operand_type(form, columntype, &resulttype);
	result->schema = get_namespace_name(form->oprnamespace);
	result->name = pstrdup(NameStr(form->oprname));
	ReleaseSysCache(tuple);

	if (getBaseType(resulttype) != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("operator %s on column \"%s\" returns type %s, not boolean",
						opname, get_attname(relid, attnum, false),
						format_type_be(resulttype)),
				 errhint("A filter needs an operator that is true or false.")));
	if (literal != NULL)
		(void) btm_canonical_literal(literal, result->righttype, -1);
}

/*
 * The equality of two types in an operator family, each taken for the type
 * that its own default operator class is for; InvalidOid if there is none.
 *
 * A class for a polymorphic type (arrays, enums, ranges, records) is for any
 * of them, but compares only values of one type.
 */
static Oid
family_equality(Oid left, Oid leftfamily, Oid leftinput,
				Oid right, Oid rightfamily, Oid rightinput,
				StrategyNumber strategy)
{
	if (!OidIsValid(leftfamily) || leftfamily != rightfamily)
		return InvalidOid;
	if (left != right &&
		(IsPolymorphicType(leftinput) || leftinput == RECORDOID))
		return InvalidOid;
	return get_opfamily_member(leftfamily, leftinput, rightinput, strategy);
}

/*
 * The operator that the parser takes for left = right in this schema (NULL:
 * in search_path), if it is a comparison; else InvalidOid.
 */
static Oid
parsed_equality(const char *schema, Oid left, Oid right)
{
	Operator	tuple = find_operator(schema, "=", left, right);
	Form_pg_operator form;
	Oid			opno = InvalidOid;

	if (tuple == NULL)
		return InvalidOid;
	form = (Form_pg_operator) GETSTRUCT(tuple);
	if (form->oprresult == BOOLOID && OidIsValid(form->oprcode))
		opno = form->oid;
	ReleaseSysCache(tuple);
	return opno;
}

/*
 * The operator that says whether values of two types are equal, or InvalidOid
 * if there is none.  Domains count as their base types.
 *
 * It is the equality of the operator family that indexes use; types that have
 * none in common are compared as the parser would.  Raises no errors.
 */
Oid
btm_equality_operator(Oid lefttype, Oid righttype)
{
	Oid			left = getBaseType(lefttype);
	Oid			right = getBaseType(righttype);
	int			flags = TYPECACHE_BTREE_OPFAMILY | TYPECACHE_HASH_OPFAMILY;
	TypeCacheEntry *l = lookup_type_cache(left, flags);
	TypeCacheEntry *r = lookup_type_cache(right, flags);
	Oid			opno;

	opno = family_equality(left, l->btree_opf, l->btree_opintype,
						   right, r->btree_opf, r->btree_opintype,
						   BTEqualStrategyNumber);
	if (!OidIsValid(opno))
		opno = family_equality(left, l->hash_opf, l->hash_opintype,
							   right, r->hash_opf, r->hash_opintype,
							   HTEqualStrategyNumber);
	if (!OidIsValid(opno))
		opno = parsed_equality("pg_catalog", left, right);
	if (!OidIsValid(opno))
		opno = parsed_equality(NULL, left, right);
	return opno;
}

/*
 * Errors with 42883 because values of a column's type cannot be compared in
 * the way that is needed.
 */
pg_noreturn static void
not_comparable(const BtmColumn *column, const char *need)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("could not identify an %s operator for type %s",
					need, format_type_be(get_atttype(column->relid,
													 column->attnum))),
			 errdetail("Column \"%s\" of relation \"%s\" is of this type.",
					   column->name, get_rel_name(column->relid))));
}

/*
 * Errors with 42883 if a column's type has no equality.  Columns that are not
 * known yet pass.
 */
void
btm_check_equality(const BtmColumn *column)
{
	Oid			type;

	if (!OidIsValid(column->relid))
		return;
	type = get_atttype(column->relid, column->attnum);
	if (!OidIsValid(btm_equality_operator(type, type)))
		not_comparable(column, "equality");
}

/*
 * Errors with 42883 if a column's type has no order.  Columns that are not
 * known yet pass.
 */
void
btm_check_ordering(const BtmColumn *column)
{
	Oid			type;

	if (!OidIsValid(column->relid))
		return;
	type = getBaseType(get_atttype(column->relid, column->attnum));
	if (!OidIsValid(lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf))
		not_comparable(column, "ordering");
}

/*
 * Sets a parameter until the GUC nest level ends.
 */
static void
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Prints a value so that any session reads it back the same, as pg_dump does.
 *
 * The settings are restored here, or by the end of the (sub)transaction if
 * the output function fails.
 */
static char *
print_portably(Datum value, Oid type)
{
	int			nestlevel = NewGUCNestLevel();
	Oid			output;
	bool		is_varlena;
	char	   *text;

	if (DateStyle != USE_ISO_DATES)
		set_locally("datestyle", "ISO");
	if (IntervalStyle != INTSTYLE_POSTGRES)
		set_locally("intervalstyle", "postgres");
	if (extra_float_digits < 3)
		set_locally("extra_float_digits", "3");

	/* regclass and its kin print their schema if it is not in search_path */
	set_locally("search_path", "pg_catalog");

	getTypeOutputInfo(type, &output, &is_varlena);
	text = OidOutputFunctionCall(output, value);
	AtEOXact_GUC(true, nestlevel);
	return text;
}

/*
 * The text form of a value, the same in every session.
 *
 * Strings are taken verbatim; a value of type unknown is a C string.  A
 * boolean is spelled out, as the cast to text does.  The result is palloc'd.
 */
char *
btm_value_to_text(Datum value, Oid type)
{
	switch (getBaseType(type))
	{
		case UNKNOWNOID:
		case CSTRINGOID:
			return pstrdup(DatumGetCString(value));
		case TEXTOID:
		case VARCHAROID:
			return TextDatumGetCString(value);
		case NAMEOID:
			return pstrdup(NameStr(*DatumGetName(value)));
		case BOOLOID:
			return pstrdup(DatumGetBool(value) ? "true" : "false");
		default:
			return print_portably(value, type);
	}
}

/*
 * Rewrites a literal of a type, as this session reads it, to the form that
 * every session reads as the same value.  The result is palloc'd.
 *
 * Errors: those of the type's input function (22P02, 22007, 22001, ...).
 */
char *
btm_canonical_literal(const char *literal, Oid type, int32 typmod)
{
	Oid			input;
	Oid			ioparam;
	Datum		value;

	getTypeInputInfo(type, &input, &ioparam);
	value = OidInputFunctionCall(input, unconstify(char *, literal),
								 ioparam, typmod);
	return btm_value_to_text(value, type);
}
