/*-------------------------------------------------------------------------
 *
 * spill.c
 *	  Bytes that are kept until the transaction ends: in memory, and beyond
 *	  belongs_to_many.scylla_write_buffer in a temporary file.
 *
 * A piece that does not fit into memory any more is appended to the file; what is
 * in memory stays there.  Room in the file is not used again before the
 * transaction ends.  The file belongs to the transaction, not to the savepoint in
 * which it was begun.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "commands/tablespace.h"
#include "scylla/spill.h"
#include "storage/buffile.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

static int	write_buffer = 64 * 1024;	/* kB */

static MemoryContext context = NULL;	/* of what is in memory */
static Size used = 0;			/* bytes of it */
static BufFile *file = NULL;
static uint64 file_size = 0;

/* A piece in the file is its offset with the lowest bit set; others are pointers. */
#define IS_IN_FILE(piece)	(((piece) & 1) != 0)
#define PIECE_IN_FILE(offset) (((offset) << 1) | 1)
#define OFFSET_OF(piece)	((piece) >> 1)
#define POINTER_OF(piece)	((uint8 *) (uintptr_t) (piece))

/* The context of pieces, which goes with the transaction. */
static MemoryContext
spill_context(void)
{
	if (context == NULL)
		context = AllocSetContextCreate(TopTransactionContext,
										"belongs_to_many Scylla changes",
										ALLOCSET_DEFAULT_SIZES);
	return context;
}

/* Begins the temporary file; it belongs to the transaction. */
static void
open_file(void)
{
	MemoryContext old = MemoryContextSwitchTo(spill_context());
	ResourceOwner owner = CurrentResourceOwner;

	PrepareTempTablespaces();
	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		file = BufFileCreateTemp(false);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	file_size = 0;
}

/* Goes to an offset of the file. */
static void
seek(uint64 offset)
{
	if (BufFileSeek(file, 0, (off_t) offset, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in temporary file: %m")));
}

/* Appends to the file. */
static BtmScyllaPiece
put_in_file(const void *data, uint32 size)
{
	BtmScyllaPiece piece;

	if (file == NULL)
		open_file();
	seek(file_size);
	BufFileWrite(file, unconstify(void *, data), size);
	piece = PIECE_IN_FILE(file_size);
	file_size += size;
	return piece;
}

BtmScyllaPiece
btm_scylla_spill_put(const void *data, uint32 size)
{
	uint8	   *copy;

	if (size == 0)
		return 0;
	if (used + size > (Size) write_buffer * 1024)
		return put_in_file(data, size);
	copy = MemoryContextAlloc(spill_context(), size);
	memcpy(copy, data, size);
	used += GetMemoryChunkSpace(copy);
	return (BtmScyllaPiece) (uintptr_t) copy;
}

const uint8 *
btm_scylla_spill_copy(BtmScyllaPiece piece, uint32 size)
{
	uint8	   *copy;

	if (size == 0)
		return NULL;
	copy = palloc(size);
	if (!IS_IN_FILE(piece))
	{
		memcpy(copy, POINTER_OF(piece), size);
		return copy;
	}
	seek(OFFSET_OF(piece));
	if (BufFileRead(file, copy, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from temporary file: its end was reached")));
	return copy;
}

const uint8 *
btm_scylla_spill_get(BtmScyllaPiece piece, uint32 size)
{
	return IS_IN_FILE(piece) ? btm_scylla_spill_copy(piece, size) : POINTER_OF(piece);
}

void
btm_scylla_spill_drop(BtmScyllaPiece piece)
{
	if (piece == 0 || IS_IN_FILE(piece))
		return;
	used -= GetMemoryChunkSpace(POINTER_OF(piece));
	pfree(POINTER_OF(piece));
}

void
btm_scylla_spill_end(void)
{
	if (file != NULL)
		BufFileClose(file);
	if (context != NULL)
		MemoryContextDelete(context);
	btm_scylla_spill_forget();
}

void
btm_scylla_spill_forget(void)
{
	file = NULL;
	context = NULL;
	used = 0;
}

/* Defines the setting; called once, when the library is loaded. */
void
btm_scylla_spill_init(void)
{
	DefineCustomIntVariable("belongs_to_many.scylla_write_buffer",
							"Sets how much memory a transaction's changes of foreign tables take before they go to a temporary file.",
							NULL,
							&write_buffer,
							64 * 1024, 64, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
}
