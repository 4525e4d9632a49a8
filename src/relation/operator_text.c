/*-------------------------------------------------------------------------
 *
 * operator_text.c
 *	  The operator of a filter step, as users write it and as it is printed.
 *
 * An operator is one of
 *
 *	- words, in any case and with any white space between them; what they
 *	  mean is the kind of the step, or an operator of a name;
 *	- the name of an operator:  >=
 *	- the same with its schema:  pg_catalog.>=  or  OPERATOR(pg_catalog.>=)
 *
 * An operator that was found once is printed with its schema, so that it
 * means the same under any search_path.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "nodes/value.h"
#include "parser/scansup.h"
#include "relation/relation.h"
#include "utils/builtins.h"
#include "utils/regproc.h"

/* Characters that operators are made of. */
#define OPERATOR_CHARS "+-*/<>=~!@#%^&|`?"

/* An operator that is written as words. */
typedef struct OperatorWords
{
	const char *words;
	BtmConditionKind kind;
	bool		negated;
	const char *opname;			/* of BTM_COND_OPERATOR */
} OperatorWords;

/*
 * Of several words for one kind, the first is the one that is printed.  With
 * null as its right operand IS [NOT] is a null test; see btm_operator_null.
 */
static const OperatorWords operator_words[] = {
	{"is null", BTM_COND_NULL, false, NULL},
	{"is not null", BTM_COND_NULL, true, NULL},
	{"in", BTM_COND_IN, false, NULL},
	{"not in", BTM_COND_IN, true, NULL},
	{"between", BTM_COND_BETWEEN, false, NULL},
	{"not between", BTM_COND_BETWEEN, true, NULL},
	{"is distinct from", BTM_COND_DISTINCT, false, NULL},
	{"is not distinct from", BTM_COND_DISTINCT, true, NULL},
	{"is not", BTM_COND_DISTINCT, false, NULL},
	{"is", BTM_COND_DISTINCT, true, NULL},
	{"like", BTM_COND_OPERATOR, false, "~~"},
	{"not like", BTM_COND_OPERATOR, false, "!~~"},
	{"ilike", BTM_COND_OPERATOR, false, "~~*"},
	{"not ilike", BTM_COND_OPERATOR, false, "!~~*"}
};

/*
 * A copy of `len` bytes of a string without the white space around them.
 */
static char *
trim(const char *start, int len)
{
	while (len > 0 && scanner_isspace(*start))
	{
		start++;
		len--;
	}
	while (len > 0 && scanner_isspace(start[len - 1]))
		len--;
	return pnstrdup(start, len);
}

/*
 * A copy of words in lower case, with one space between them and none around.
 */
char *
btm_fold_words(const char *text)
{
	char	   *words = trim(text, strlen(text));
	char	   *end = words;

	for (const char *c = words; *c != '\0'; c++)
	{
		if (!scanner_isspace(*c))
			*end++ = pg_ascii_tolower((unsigned char) *c);
		else if (!scanner_isspace(c[1]))
			*end++ = ' ';
	}
	*end = '\0';
	return words;
}

/*
 * Errors with 22023: this is no operator.
 */
pg_noreturn static void
unknown_operator(const char *text)
{
	List	   *candidates = NIL;
	const char *nearest;

	for (size_t i = 0; i < lengthof(operator_words); i++)
		candidates = lappend(candidates,
							 unconstify(char *, operator_words[i].words));
	nearest = btm_nearest_name(btm_fold_words(text), candidates);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized operator \"%s\"", text),
			 nearest ? errhint("Perhaps you meant the operator \"%s\".",
							   nearest) : 0));
}

/*
 * Finds words in the table above, or NULL.
 */
static const OperatorWords *
find_words(const char *text)
{
	const char *words = btm_fold_words(text);

	for (size_t i = 0; i < lengthof(operator_words); i++)
		if (strcmp(words, operator_words[i].words) == 0)
			return &operator_words[i];
	return NULL;
}

/*
 * OPERATOR(x) as x, anything else as it is, without white space around it.
 */
static char *
strip_operator_keyword(const char *text)
{
	const int	keyword_len = strlen("operator");
	char	   *name = trim(text, strlen(text));
	int			len = strlen(name);
	char	   *rest;

	if (len <= keyword_len || name[len - 1] != ')' ||
		pg_strncasecmp(name, "operator", keyword_len) != 0)
		return name;
	rest = trim(name + keyword_len, len - 1 - keyword_len);
	return rest[0] == '(' ? trim(rest + 1, strlen(rest + 1)) : name;
}

/*
 * Takes the name of an operator apart.  It has no dots itself, so that the
 * last dot ends the schema, which is an SQL identifier.
 */
static void
parse_name(BtmCondition *step, const char *text)
{
	char	   *name = strip_operator_keyword(text);
	char	   *dot = strrchr(name, '.');
	const char *opname = dot ? dot + 1 : name;

	if (opname[0] == '\0' || opname[strspn(opname, OPERATOR_CHARS)] != '\0')
		unknown_operator(text);
	step->opschema = NULL;
	if (dot != NULL)
	{
		List	   *schema;

		schema = stringToQualifiedNameList(pnstrdup(name, dot - name), NULL);
		if (list_length(schema) != 1)
			unknown_operator(text);
		step->opschema = strVal(linitial(schema));
	}

	/* The lexer makes != into <>; there is no operator of that name. */
	step->opname = pstrdup(strcmp(opname, "!=") == 0 ? "<>" : opname);
}

/*
 * Sets kind, negated, opschema and opname of a step from an operator.  The
 * schema is NULL where none is written; the operator need not exist.
 *
 * Errors with 22023 if this is no operator, 42602 if its schema is no name.
 */
void
btm_operator_parse(BtmCondition *step, const char *text)
{
	const OperatorWords *words = find_words(text);

	if (words != NULL)
	{
		step->kind = words->kind;
		step->negated = words->negated;
		step->opschema = NULL;
		step->opname = words->opname ? pstrdup(words->opname) : NULL;
		return;
	}
	step->kind = BTM_COND_OPERATOR;
	step->negated = false;
	parse_name(step, text);
}

/*
 * Makes a step whose right operand is null a null test, which = and IS are,
 * and their opposites; one that is a null test already stays as it is.
 * Errors with 22004 if its operator is another one.
 */
void
btm_operator_null(BtmCondition *step)
{
	bool		is_operator = step->kind == BTM_COND_OPERATOR;

	if (step->kind == BTM_COND_NULL)
		return;
	if (step->kind == BTM_COND_DISTINCT)
		step->negated = !step->negated;
	else if (is_operator && strcmp(step->opname, "<>") == 0)
		step->negated = true;
	else if (!is_operator || strcmp(step->opname, "=") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("operator \"%s\" cannot be used with a null value",
						btm_operator_print(step)),
				 errdetail("It is used in a filter on column \"%s\".",
						   step->column.name),
				 errhint("The operators for null are \"is null\" and \"is not null\".")));
	step->kind = BTM_COND_NULL;
	step->opschema = NULL;
	step->opname = NULL;
	step->values = NIL;
}

/*
 * The operator of a step as text.  Never fails.
 */
const char *
btm_operator_print(const BtmCondition *step)
{
	if (step->kind == BTM_COND_OPERATOR)
		return step->opschema == NULL ? step->opname :
			psprintf("%s.%s", quote_identifier(step->opschema), step->opname);

	for (size_t i = 0; i < lengthof(operator_words); i++)
		if (operator_words[i].kind == step->kind &&
			operator_words[i].negated == step->negated)
			return operator_words[i].words;
	pg_unreachable();
}
