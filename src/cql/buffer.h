/*-------------------------------------------------------------------------
 *
 * buffer.h
 *	  Reading and writing the protocol's notations ([short], [string], ...;
 *	  native protocol v4, section 3).
 *
 * A reader never goes past its end: each function checks first.  A writer
 * grows; its memory is the caller's to free by cql_writer_free.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_BUFFER_H
#define CQL_BUFFER_H

#include "cql/base.h"

typedef struct CqlReader
{
	const uint8_t *at;
	const uint8_t *end;
	const CqlLimits *limits;
	CqlError   *error;			/* may be NULL */
} CqlReader;

extern void cql_reader_init(CqlReader *reader, const void *data, size_t length,
							const CqlLimits *limits, CqlError *error);
extern size_t cql_reader_left(const CqlReader *reader);

/* On failure (CQL_MALFORMED: too short) the output is left alone. */
extern CqlStatus cql_read_u8(CqlReader *reader, uint8_t *value) CQL_MUST_USE;
extern CqlStatus cql_read_u16(CqlReader *reader, uint16_t *value) CQL_MUST_USE;
extern CqlStatus cql_read_i32(CqlReader *reader, int32_t *value) CQL_MUST_USE;
extern CqlStatus cql_read_u32(CqlReader *reader, uint32_t *value) CQL_MUST_USE;
extern CqlStatus cql_read_i64(CqlReader *reader, int64_t *value) CQL_MUST_USE;
extern CqlStatus cql_read_raw(CqlReader *reader, size_t length,
							  const uint8_t **data) CQL_MUST_USE;
extern CqlStatus cql_read_skip(CqlReader *reader, size_t length) CQL_MUST_USE;
/* [string], [long string] */
extern CqlStatus cql_read_string(CqlReader *reader, CqlString *value) CQL_MUST_USE;
extern CqlStatus cql_read_long_string(CqlReader *reader, CqlString *value) CQL_MUST_USE;
/* [bytes]: any negative length is null, as the specification says */
extern CqlStatus cql_read_bytes(CqlReader *reader, CqlBytes *value) CQL_MUST_USE;
extern CqlStatus cql_read_short_bytes(CqlReader *reader, CqlBytes *value) CQL_MUST_USE;
/* [inet]: 4 or 16 bytes of address, and a port */
extern CqlStatus cql_read_inet(CqlReader *reader, CqlBytes *address,
							   int32_t *port) CQL_MUST_USE;
/* [unsigned vint] and [vint] (zig-zag) */
extern CqlStatus cql_read_unsigned_vint(CqlReader *reader, uint64_t *value) CQL_MUST_USE;
extern CqlStatus cql_read_vint(CqlReader *reader, int64_t *value) CQL_MUST_USE;

typedef struct CqlWriter
{
	uint8_t    *data;
	size_t		length;
	size_t		size;			/* allocated */
	size_t		max;			/* never grows beyond: CQL_TOO_LARGE */
	const CqlAllocator *allocator;
	CqlError   *error;			/* may be NULL */
	bool		secret;			/* what is written: memory that it has been in
								 * is wiped before it is released */
} CqlWriter;

extern void cql_writer_init(CqlWriter *writer, const CqlAllocator *allocator,
							size_t max, CqlError *error);
/* Forgets the contents, keeps the memory. */
extern void cql_writer_reset(CqlWriter *writer);
extern void cql_writer_free(CqlWriter *writer);
/* Room for `more` bytes at *data; they count once cql_writer_advance says so. */
extern CqlStatus cql_writer_reserve(CqlWriter *writer, size_t more,
									uint8_t **data) CQL_MUST_USE;
extern void cql_writer_advance(CqlWriter *writer, size_t length);

extern CqlStatus cql_write_u8(CqlWriter *writer, uint8_t value) CQL_MUST_USE;
extern CqlStatus cql_write_u16(CqlWriter *writer, uint16_t value) CQL_MUST_USE;
extern CqlStatus cql_write_i32(CqlWriter *writer, int32_t value) CQL_MUST_USE;
extern CqlStatus cql_write_i64(CqlWriter *writer, int64_t value) CQL_MUST_USE;
extern CqlStatus cql_write_raw(CqlWriter *writer, const void *data,
							   size_t length) CQL_MUST_USE;
/* CQL_INVALID when longer than the notation can say */
extern CqlStatus cql_write_string(CqlWriter *writer, CqlString value) CQL_MUST_USE;
extern CqlStatus cql_write_long_string(CqlWriter *writer, CqlString value) CQL_MUST_USE;
/* [value]: null and unset too */
extern CqlStatus cql_write_bytes(CqlWriter *writer, CqlBytes value) CQL_MUST_USE;
extern CqlStatus cql_write_short_bytes(CqlWriter *writer, CqlBytes value) CQL_MUST_USE;
extern CqlStatus cql_write_unsigned_vint(CqlWriter *writer, uint64_t value) CQL_MUST_USE;
extern CqlStatus cql_write_vint(CqlWriter *writer, int64_t value) CQL_MUST_USE;

/*
 * A [bytes] whose length is known afterwards: begin gives a mark, end puts the
 * length there.  They nest.
 */
extern CqlStatus cql_write_begin(CqlWriter *writer, size_t *mark) CQL_MUST_USE;
extern CqlStatus cql_write_end(CqlWriter *writer, size_t mark) CQL_MUST_USE;

#endif							/* CQL_BUFFER_H */
