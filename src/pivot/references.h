/*-------------------------------------------------------------------------
 *
 * references.h
 *	  The rows that a foreign key of the pivot references.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_REFERENCES_H
#define BTM_REFERENCES_H

#include "relation/resolve.h"

typedef struct BtmReferences BtmReferences;

/*
 * Opens what a foreign key references, or returns NULL if its rows cannot be
 * looked up without the executor.  The locks stay until the transaction ends.
 */
extern BtmReferences *btm_references_open(const BtmResolved *rel,
										  const BtmForeignKey *key);
extern void btm_references_close(BtmReferences *references);

/*
 * Is there a row with this key, under the active snapshot?  It is locked FOR
 * KEY SHARE then.  `values` are those of the foreign key's columns, none of
 * them NULL.  Errors: 40001 at REPEATABLE READ and above.
 */
extern bool btm_references_find(BtmReferences *references,
								const Datum *values);

/*
 * Raises 23503, worded as the constraint's trigger words it, for values that
 * were not found.  Only for keys that are reportable: values of the others
 * may be stored otherwise than they were given.
 */
pg_noreturn extern void btm_references_missing(const BtmResolved *rel,
								   const BtmForeignKey *key,
								   const Datum *values);
extern bool btm_references_reportable(const BtmResolved *rel,
									  const BtmForeignKey *key);

#endif							/* BTM_REFERENCES_H */
