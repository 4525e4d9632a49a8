/*-------------------------------------------------------------------------
 *
 * frame.h
 *	  Frame headers, and LZ4 compression of bodies (native protocol v4,
 *	  sections 2 and 5).
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_FRAME_H
#define CQL_FRAME_H

#include "cql/buffer.h"
#include "cql/protocol.h"

typedef struct CqlFrameHeader
{
	uint8_t		version;
	uint8_t		flags;
	int16_t		stream;
	uint8_t		opcode;
	uint32_t	length;			/* of the body as it is on the wire */
} CqlFrameHeader;

/*
 * Reads the CQL_HEADER_SIZE bytes of a response's header.  CQL_MALFORMED for
 * another version than ours, a request's direction bit, a negative length or
 * a stream below -1 (an ERROR frame of another version is accepted, so that
 * the server's own words can be reported); CQL_TOO_LARGE beyond the limit.
 */
extern CqlStatus cql_frame_header_read(const uint8_t *bytes, const CqlLimits *limits,
									   CqlFrameHeader *header, CqlError *error) CQL_MUST_USE;

/*
 * Writing a frame: begin appends the header with its length open, the body
 * follows, and end compresses it if `compress` and that makes it smaller, and
 * sets length and flag.  `mark` is the header's place.
 */
extern CqlStatus cql_frame_begin(CqlWriter *writer, CqlOpcode opcode, uint8_t flags,
								 int16_t stream, size_t *mark) CQL_MUST_USE;
extern CqlStatus cql_frame_end(CqlWriter *writer, size_t mark, bool compress) CQL_MUST_USE;

/* Puts another stream id into a frame that is complete. */
extern void cql_frame_set_stream(uint8_t *header, int16_t stream);

/*
 * The body of a compressed frame: a length (big-endian) and an LZ4 block.
 * *body is taken from the allocator, exactly *length bytes.
 */
extern CqlStatus cql_lz4_decompress(const uint8_t *data, size_t size,
									const CqlAllocator *allocator,
									const CqlLimits *limits, uint8_t **body,
									size_t *length, CqlError *error) CQL_MUST_USE;

#endif							/* CQL_FRAME_H */
