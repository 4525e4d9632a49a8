/*-------------------------------------------------------------------------
 *
 * spill.h
 *	  Bytes that are kept until the transaction ends: in memory, and beyond
 *	  belongs_to_many.scylla_write_buffer in a temporary file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_SPILL_H
#define BTM_SCYLLA_SPILL_H

/* Where a piece is; 0 for one without bytes. */
typedef uint64 BtmScyllaPiece;

/* Keeps a copy of some bytes. */
extern BtmScyllaPiece btm_scylla_spill_put(const void *data, uint32 size);

/*
 * The first `size` bytes of a piece: where they are kept, valid until it is
 * dropped, or a copy in the current memory context.
 */
extern const uint8 *btm_scylla_spill_get(BtmScyllaPiece piece, uint32 size);

/* The same, always a copy. */
extern const uint8 *btm_scylla_spill_copy(BtmScyllaPiece piece, uint32 size);

/* The piece is of no more use.  Raises no error. */
extern void btm_scylla_spill_drop(BtmScyllaPiece piece);

/* The transaction is done with all pieces: drops them, and the file. */
extern void btm_scylla_spill_end(void);

/* The same after an error, when PostgreSQL has closed the file or will. */
extern void btm_scylla_spill_forget(void);

extern void btm_scylla_spill_init(void);

#endif							/* BTM_SCYLLA_SPILL_H */
