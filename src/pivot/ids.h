/*-------------------------------------------------------------------------
 *
 * ids.h
 *	  What value.c, key_reader.c, keys.c, ids.c and attributes.c share among
 *	  themselves to take arguments apart.
 *
 * Functions allocate in CurrentMemoryContext; what they return may point into
 * their arguments, which live as long as the call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_IDS_H
#define BTM_IDS_H

#include "pivot/pivot.h"

#include "access/transam.h"
#include "utils/lsyscache.h"

/* ---- value.c ---- */

/*
 * The base type of a type.  Only types made by scripts and users are domains.
 */
static inline Oid
btm_base_type(Oid type)
{
	return type < FirstGenbkiObjectId ? type : getBaseType(type);
}

/*
 * Are values of a base type keys as they are, which btm_take_value takes?
 */
static inline bool
btm_is_key_type(Oid type, const BtmKeyColumn *columns, int ncolumns)
{
	return ncolumns == 1 && type == columns->type.type &&
		columns->type.is_plain;
}

/* How values of one type become values of a column. */
typedef enum Conversion
{
	CONVERT_NONE,				/* same bits */
	CONVERT_CAST,				/* `func` is a cast function */
	CONVERT_TEXT				/* `func` is the output function; input next */
} Conversion;

/* From values of one type to one key column; looked up once for many. */
typedef struct BtmConverter
{
	BtmKeyColumn *column;		/* the target */
	Oid			type;			/* base type of the values */
	Conversion	kind;
	FmgrInfo	func;			/* unless CONVERT_NONE */
	FmgrInfo	eq;				/* equality of `type`, if a cast's result is to
								 * be compared with the value; else fn_oid is
								 * invalid */
	FmgrInfo	back;			/* cast of the result to `type` before that;
								 * fn_oid is invalid: same bits */
} BtmConverter;

extern BtmConverter *btm_converter_make(Oid type, BtmKeyColumn *column);
extern bool btm_converter_is_noop(const BtmConverter *converter);
extern Datum btm_convert(BtmConverter *converter, Datum value);
extern Datum btm_take_value(BtmKeyColumn *column, Datum value);

extern bool btm_type_is_json(Oid type);
extern bool btm_type_is_string(Oid type);
extern Datum btm_input_value(char *text, BtmKeyColumn *column);
extern char *btm_scalar_text(const JsonbValue *value);
extern Datum btm_json_scalar(const JsonbValue *value, const BtmType *type,
							 int32 typmod);
pg_noreturn extern void btm_null_key_column(const BtmKeyColumn *column);

/* ---- key_reader.c ---- */

extern Jsonb *btm_to_jsonb(Datum value, Oid type);
extern Jsonb *btm_jsonb_parse(const char *text);
extern void btm_json_root(Jsonb *jb, JsonbValue *value);
extern bool btm_json_is_object(const JsonbValue *value);
extern bool btm_json_member(JsonbContainer *object, const BtmKeyColumn *column,
							JsonbValue *value);
extern char *btm_text_value(Datum value, Oid type);
extern int	btm_row_width(Datum value);
extern bool btm_key_read_json(BtmKeyReader *reader, const JsonbValue *value,
							  Datum *key);

/* ---- keys.c ---- */

extern bool btm_keys_ascending(const BtmKeys *keys, BtmKeyColumn *columns);

/* ---- attributes.c ---- */

/* Reads the attributes of ids into their shapes. */
typedef struct BtmAttributesReader BtmAttributesReader;

extern BtmAttributesReader *btm_attributes_reader_make(BtmCall *call,
													   BtmIds *ids);
extern bool btm_is_attributes(const JsonbValue *value);
extern BtmAttributes *btm_attributes_read(BtmAttributesReader *reader,
										  const JsonbValue *value,
										  const Datum *id, bool is_row);
extern void btm_attributes_share(BtmAttributesReader *reader,
								 const JsonbValue *value);

#endif							/* BTM_IDS_H */
