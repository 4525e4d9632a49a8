/*-------------------------------------------------------------------------
 *
 * builder.h
 *	  What the constructor and the builders share among themselves.
 *
 * arguments.c reads their arguments, constructor.c makes a relation,
 * builders.c and filters.c change one.  The rest of the extension uses
 * relation.h only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_BUILDER_H
#define BTM_BUILDER_H

#include "relation/relation.h"

/* ---- arguments.c ---- */

extern void btm_arg_not_null(FunctionCallInfo fcinfo, int argno,
							 const char *what);
extern BtmRelation *btm_arg_relation(FunctionCallInfo fcinfo);
extern char *btm_arg_name(FunctionCallInfo fcinfo, int argno, const char *what);
extern List *btm_arg_names(FunctionCallInfo fcinfo, int argno,
						   const char *what);
extern char *btm_arg_text(FunctionCallInfo fcinfo, int argno, const char *what);
extern char *btm_arg_literal(FunctionCallInfo fcinfo, int argno, Oid target);
extern List *btm_arg_literals(FunctionCallInfo fcinfo, int argno,
							  const char *what, Oid target);

/* ---- builders.c ---- */

extern BtmColumn *btm_builder_column(const BtmRelation *rel, BtmSide side,
									 const char *name);

#endif							/* BTM_BUILDER_H */
