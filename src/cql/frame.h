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
 * follows, and end compresses it if `compress` and that pays, and sets length
 * and flag.  `mark` is the header's place.  CQL_TOO_LARGE for a
 * body beyond the protocol's 256 MiB; then, and after any failure in between,
 * the caller takes the frame back by setting writer->length to the mark.
 */
extern CqlStatus cql_frame_begin(CqlWriter *writer, CqlOpcode opcode, uint8_t flags,
								 int16_t stream, size_t *mark) CQL_MUST_USE;
extern CqlStatus cql_frame_end(CqlWriter *writer, size_t mark, bool compress) CQL_MUST_USE;

/*
 * The body of a compressed frame: a length (big-endian) and an LZ4 block.
 * First its length is asked for, so that the caller can take memory for it:
 * CQL_TOO_LARGE beyond the limit, CQL_MALFORMED if the block cannot give as
 * much.  Then the block is expanded to exactly that many bytes at `body`.
 */
extern CqlStatus cql_lz4_length(const uint8_t *data, size_t size,
								const CqlLimits *limits, size_t *length,
								CqlError *error) CQL_MUST_USE;
extern CqlStatus cql_lz4_decompress(const uint8_t *data, size_t size,
									uint8_t *body, size_t length,
									CqlError *error) CQL_MUST_USE;

#endif							/* CQL_FRAME_H */
