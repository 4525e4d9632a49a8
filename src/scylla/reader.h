/*-------------------------------------------------------------------------
 *
 * reader.h
 *	  The rows of a statement's executions, page by page.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_READER_H
#define BTM_SCYLLA_READER_H

#include "scylla/connection.h"

typedef struct BtmScyllaReader BtmScyllaReader;

/*
 * Puts the values of the next execution into `values`, which has room for all the
 * statement's markers; false after the last.  What they point to must stay until
 * the reader is restarted or freed.
 */
typedef bool (*BtmScyllaNextExecution) (void *source, CqlBytes *values);

/*
 * In the current memory context.  `keep`: pages are kept as long as there are few
 * enough rows in them for one page, so that they can be read again.
 */
extern BtmScyllaReader *btm_scylla_reader_create(BtmScyllaCluster *cluster,
												 const BtmScyllaStatement *statement,
												 const CqlParameters *parameters,
												 BtmScyllaNextExecution next, void *source,
												 bool keep);
extern void btm_scylla_reader_free(BtmScyllaReader *reader);

/* How many cells a row has. */
extern int	btm_scylla_reader_width(const BtmScyllaReader *reader);

/* Rows of a page, from the next execution on. */
extern void btm_scylla_reader_set_page_size(BtmScyllaReader *reader, int page_size);

/*
 * The next row's cells, valid until the next call; false at the end.
 */
extern bool btm_scylla_reader_next(BtmScyllaReader *reader, CqlBytes *cells);

/* Goes back to the first row, without a new query; false if that cannot be. */
extern bool btm_scylla_reader_rewind(BtmScyllaReader *reader);

/* Begins anew, with other executions. */
extern void btm_scylla_reader_restart(BtmScyllaReader *reader);

/* The values of the only execution since it began; NULL if there were others. */
extern const CqlBytes *btm_scylla_reader_values(const BtmScyllaReader *reader);

/* Executions that were sent, and pages that were received, over all restarts. */
extern uint64 btm_scylla_reader_executions(const BtmScyllaReader *reader);
extern uint64 btm_scylla_reader_pages(const BtmScyllaReader *reader);

#endif							/* BTM_SCYLLA_READER_H */
