#!/usr/bin/env python3
"""A CQL server that plays a script: for what a real server will not do.

    test/scylla/peer.py --script NAME [--port 0] [--host ADDRESS] [--tls CERTIFICATE KEY] [--log FILE]
    test/scylla/peer.py --list

It prints its port, then serves as long as the process that has started it lives. --log writes a line
of JSON for each thing that happens: {"connection": 1, "event": "open" | "close" | "frame",
"opcode": "QUERY", "stream": 0, "flags": 0, "text": "...", "values": [...], "options": {...}}; values as
hexadecimal digits.

A script is a class below; its name is written with hyphens: CloseAfterAccept is close-after-accept.
Its methods are called for what a client does, and yield the answer, piece by piece: bytes are sent,
a number of seconds is slept, HOLD waits until the client closes, CLOSE closes, RESET closes with a
reset. Where a script says nothing it behaves as a good server does: one node, which knows any
statement, and answers one that begins with SELECT with two rows, k = 1, v = 'one' and k = 2,
v = 'two', all others with Void.
"""

import argparse
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cqlwire as w  # noqa: E402

HOLD, CLOSE, RESET = object(), object(), object()

INT, TEXT = w.native('int'), w.native('text')
SPECS = {'k': INT, 'v': TEXT}
ROWS = [(w.integer(1), b'one'), (w.integer(2), b'two')]
HOST_ID = bytes(range(16))

# Fields of errors: consistency, replicas that have answered, replicas that were wanted.
REPLICAS = w.short(w.LOCAL_QUORUM) + w.integer(1) + w.integer(2)

SUPPORTED = {
    'CQL_VERSION': ['3.4.5'], 'COMPRESSION': ['lz4', 'snappy'], 'PROTOCOL_VERSIONS': ['3/v3', '4/v4'],
}

# What ScyllaDB announces, of its second shard of three.
SCYLLA = {
    'SCYLLA_SHARD': ['1'], 'SCYLLA_NR_SHARDS': ['3'], 'SCYLLA_SHARDING_IGNORE_MSB': ['12'],
    'SCYLLA_PARTITIONER': ['org.apache.cassandra.dht.Murmur3Partitioner'],
    'SCYLLA_SHARDING_ALGORITHM': ['biased-token-round-robin'],
    'SCYLLA_SHARD_AWARE_PORT': ['19042'], 'SCYLLA_SHARD_AWARE_PORT_SSL': ['19142'],
    'SCYLLA_LWT_ADD_METADATA_MARK': ['LWT_OPTIMIZATION_META_BIT_MASK=2147483648'],
    'SCYLLA_RATE_LIMIT_ERROR': ['ERROR_CODE=61440'], 'TABLETS_ROUTING_V1': [''],
}

TEXT_MAP = w.map_of(TEXT, TEXT)


def text_map(pairs):
    return w.integer(len(pairs)) + b''.join(
        w.value(w.encoded(part)) for pair in pairs.items() for part in pair)


# Tables that clients read when they connect: columns by name, each with its type and the cells of
# its rows.
LOOPBACK = (w.native('inet'), [socket.inet_aton('127.0.0.1')])
SYSTEM = {
    'system.local': {
        'key': (TEXT, [b'local']), 'cluster_name': (TEXT, [b'peer']), 'data_center': (TEXT, [b'dc1']),
        'rack': (TEXT, [b'rack1']), 'release_version': (TEXT, [b'4.0.0']),
        'cql_version': (TEXT, [b'3.4.5']),
        'partitioner': (TEXT, [b'org.apache.cassandra.dht.Murmur3Partitioner']),
        'host_id': (w.native('uuid'), [HOST_ID]), 'schema_version': (w.native('uuid'), [HOST_ID]),
        'rpc_address': LOOPBACK, 'broadcast_address': LOOPBACK, 'listen_address': LOOPBACK,
        'rpc_port': (INT, [w.integer(9042)]),     # the peer's own, once it is known
        'tokens': (w.set_of(TEXT), [w.integer(1) + w.value(b'-9223372036854775808')]),
    },
    # there are none; and no system.peers_v2, as in ScyllaDB
    'system.peers': {
        'peer': (w.native('inet'), []), 'data_center': (TEXT, []), 'rack': (TEXT, []),
        'release_version': (TEXT, []), 'host_id': (w.native('uuid'), []),
        'schema_version': (w.native('uuid'), []), 'rpc_address': (w.native('inet'), []),
        'preferred_ip': (w.native('inet'), []), 'tokens': (w.set_of(TEXT), []),
    },
    'system_schema.keyspaces': {
        'keyspace_name': (TEXT, [b'ks']), 'durable_writes': (w.native('boolean'), [b'\1']),
        'replication': (TEXT_MAP, [text_map({
            'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'dc1': '1'})]),
    },
    'system_schema.types': {
        'type_name': (TEXT, []), 'field_names': (w.list_of(TEXT), []), 'field_types': (w.list_of(TEXT), []),
    },
    'system_schema.tables': {
        'table_name': (TEXT, [b't']), 'flags': (w.set_of(TEXT), [w.integer(1) + w.value(b'compound')]),
    },
    'system_schema.views': {'view_name': (TEXT, [])},
    'system_schema.indexes': {'table_name': (TEXT, []), 'kind': (TEXT, []), 'options': (TEXT_MAP, [])},
    'system_schema.columns': {
        'table_name': (TEXT, [b't', b't']), 'column_name': (TEXT, [b'k', b'v']),
        'kind': (TEXT, [b'partition_key', b'regular']), 'position': (INT, [w.integer(0), w.integer(-1)]),
        'clustering_order': (TEXT, [b'none', b'none']), 'type': (TEXT, [b'int', b'text']),
    },
}


class Request:
    """A frame of the client, and what its body says of the fields that scripts ask for."""

    def __init__(self, header, body):
        self.version, self.flags, self.stream, opcode, self.length = w.HEADER.unpack(header)
        self.opcode = w.NAMES.get(opcode, str(opcode))
        self.body = body
        self.text, self.values, self.options = None, [], {}
        if not self.flags & w.COMPRESSED:
            self.read(w.Reader(body))

    def read(self, reader):
        if self.opcode == 'STARTUP':
            self.options = reader.string_map()
        elif self.opcode == 'PREPARE':
            self.text = reader.long_string()
        elif self.opcode == 'QUERY':
            self.text = reader.long_string()
            self.read_values(reader)
        elif self.opcode == 'EXECUTE':
            self.identifier = reader.raw(reader.number('>H'))
            self.read_values(reader)

    def read_values(self, reader):
        reader.number('>H')
        self.query_flags = reader.number('>B')
        if self.query_flags & 0x01:
            self.values = [reader.value() for _ in range(reader.number('>H'))]
        self.paging_state = None
        if self.query_flags & 0x04:
            reader.number('>i')
        if self.query_flags & 0x08:
            self.paging_state = reader.value()

    def described(self):
        values = [value.hex() if isinstance(value, bytes) else None if value is None else 'unset'
                  for value in self.values]
        return {'event': 'frame', 'opcode': self.opcode, 'stream': self.stream, 'flags': self.flags,
                'text': self.text, 'values': values, 'options': self.options}


# ---- a good server: what the scripts change

class Good:
    """A good server."""

    supported = SUPPORTED
    authenticator = None

    def __init__(self, shared):
        self.shared = shared    # of all connections: what a script wants to remember
        self.statements = {}

    def reply(self, request, opcode, body=b'', flags=0, **others):
        return w.frame(opcode, body, request.stream, flags, **others)

    def fail(self, request, code, message, rest=b''):
        return self.reply(request, 'ERROR', w.error(code, message, rest))

    def on_accept(self):
        yield b''

    def on_options(self, request):
        yield self.reply(request, 'SUPPORTED', w.string_multimap(self.supported))

    def on_startup(self, request):
        if self.authenticator is None:
            yield self.reply(request, 'READY')
        else:
            yield self.reply(request, 'AUTHENTICATE', w.string(self.authenticator))

    def on_auth_response(self, request):
        yield self.reply(request, 'AUTH_SUCCESS', w.value(None))

    def on_register(self, request):
        yield self.reply(request, 'READY')

    def on_prepare(self, request):
        identifier = hashlib.md5(request.text.encode()).digest()
        self.statements[identifier] = request.text
        if table_of(request.text) in (None, *SYSTEM):
            yield self.reply(request, 'RESULT', self.prepared(identifier, request.text))
        else:
            yield self.unknown_table(request, request.text)

    def on_query(self, request):
        yield from self.on_statement(request, request.text)

    def on_execute(self, request):
        text = self.statements.get(request.identifier)
        if text is None:
            yield self.unprepared(request)
        else:
            yield from self.on_statement(request, text)

    def on_batch(self, request):
        yield self.reply(request, 'RESULT', w.void())

    def on_statement(self, request, text):
        """Statements of the client's own are not the script's."""
        table = table_of(text)
        if table is None:
            yield from self.on_user_statement(request, text)
        elif table in SYSTEM:
            yield self.reply(request, 'RESULT', system_rows(text))
        else:
            yield self.unknown_table(request, text)

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', self.result(request, text))

    def result(self, request, text):
        if not is_select(text):
            return w.void()
        if request.opcode == 'EXECUTE' and request.query_flags & 0x02:
            return w.rows_without_metadata(len(SPECS), ROWS)
        return w.rows(SPECS, ROWS)

    def prepared(self, identifier, text):
        """Every marker is a text; the first is the partition key."""
        count = text.count('?')
        markers = {f'p{number}': TEXT for number in range(count)}
        result = None
        if table_of(text) is not None:
            result = system_columns(text)
        elif is_select(text):
            result = SPECS
        return w.prepared(identifier, markers, result, (0,) if count else ())

    def unknown_table(self, request, text):
        return self.fail(request, 0x2200, f'unconfigured table {table_of(text).partition(".")[2]}')

    def unprepared(self, request):
        return self.fail(request, 0x2500, 'Prepared query not found', w.short_bytes(request.identifier))


def is_select(text):
    return text.lstrip()[:6].upper() == 'SELECT'


def table_of(text):
    """The table of a query on system tables, else None."""
    match = re.search(r'\bFROM\s+(system\w*\.\w+)', text, re.IGNORECASE)
    return match and match[1].lower()


def system_columns(text):
    table = SYSTEM[table_of(text)]
    names = re.sub(r'\s+FROM\s.*', '', text.strip()[6:], flags=re.IGNORECASE | re.DOTALL)
    names = list(table) if names.strip() == '*' else [name.strip() for name in names.split(',')]
    return {name: table.get(name, (TEXT,))[0] for name in names}


def system_rows(text):
    """Columns that the table does not have are texts, and null."""
    table = SYSTEM[table_of(text)]
    columns = system_columns(text)
    count = max(len(cells) for kind, cells in table.values())
    return w.rows(columns, [tuple(table[name][1][row] if name in table else None for name in columns)
                            for row in range(count)])


def peers(count, rack):
    """So many rows of system.peers, without tokens."""
    columns = {name: kind for name, (kind, cells) in SYSTEM['system.peers'].items()}
    address = LOOPBACK[1][0]
    before = b''.join(w.value(cell) for cell in (address, b'dc1', rack, b'4.0.0')) + w.integer(16)
    behind = b''.join(w.value(cell) for cell in (HOST_ID, address, None, None))
    return (w.integer(2) + w.rows_metadata(columns) + w.integer(count) +
            b''.join(before + node.to_bytes(16, 'little') + behind for node in range(count)))


# ---- scripts: connecting

class CloseAfterAccept(Good):
    """Closes right after accept."""

    def on_accept(self):
        yield CLOSE


class ResetAfterAccept(Good):
    """Resets the connection right after accept."""

    def on_accept(self):
        yield RESET


class Silent(Good):
    """Never answers OPTIONS."""

    def on_options(self, request):
        yield HOLD


class SilentStartup(Good):
    """Answers OPTIONS, but never STARTUP."""

    def on_startup(self, request):
        yield HOLD


class Garbage(Good):
    """Speaks another protocol."""

    def on_options(self, request):
        yield b'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'
        yield CLOSE


class GarbageLater(Good):
    """Speaks well, then random bytes in place of an answer."""

    def on_user_statement(self, request, text):
        yield hashlib.sha512(b'garbage').digest() * 20
        yield HOLD


class VersionError(Good):
    """Speaks protocol v3 alone."""

    def on_options(self, request):
        message = 'Invalid or unsupported protocol version (4); supported versions are (3/v3)'
        yield self.reply(request, 'ERROR', w.error(0x000A, message), version=0x83)
        yield CLOSE


class RequestVersion(Good):
    """Sends back what it gets: the version byte is that of a request."""

    def on_options(self, request):
        yield self.reply(request, 'OPTIONS', version=w.REQUEST)
        yield HOLD


class NoLz4(Good):
    """Offers snappy alone."""

    supported = dict(SUPPORTED, COMPRESSION=['snappy'])


class NoCompression(Good):
    """Says nothing of compression."""

    supported = {'CQL_VERSION': ['3.4.5']}


class Slow(Good):
    """Sends every byte by itself."""

    pause = 0.002


class Overloaded(Good):
    """Refuses STARTUP: overloaded."""

    def on_startup(self, request):
        yield self.fail(request, 0x1001, 'Too many connections')


class Bootstrapping(Good):
    """Refuses STARTUP: still bootstrapping."""

    def on_startup(self, request):
        yield self.fail(request, 0x1002, 'The node is bootstrapping')


class SilentRegister(Good):
    """Never says whether it will tell of events."""

    def on_register(self, request):
        yield b''


class Flapping(Good):
    """Closes the first connection on the first statement; the next is good."""

    def on_user_statement(self, request, text):
        self.shared['statements'] = self.shared.get('statements', 0) + 1
        if self.shared['statements'] == 1:
            yield CLOSE
        yield from super().on_user_statement(request, text)


class PeersThenClose(Good):
    """Names peers in a frame that is longer than what is read at once, and then closes."""

    def on_statement(self, request, text):
        if table_of(text) != 'system.peers':
            yield from super().on_statement(request, text)
            return
        yield self.reply(request, 'RESULT', peers(200, b'x' * 1000))
        yield CLOSE


class ManyPeers(Good):
    """Has two hundred thousand peers."""

    def on_statement(self, request, text):
        if table_of(text) == 'system.peers':
            yield self.reply(request, 'RESULT', peers(200000, b'rack1'))
        else:
            yield from super().on_statement(request, text)


# ---- scripts: login

class Login(Good):
    """Wants a login, and takes any."""

    authenticator = 'org.apache.cassandra.auth.PasswordAuthenticator'


class LoginFailure(Login):
    """Takes no password."""

    def on_auth_response(self, request):
        yield self.fail(request, 0x0100, 'Provided username user and/or password are incorrect')
        yield CLOSE


class LoginChallenge(Login):
    """Asks for the mechanism first, as some servers do."""

    def on_auth_response(self, request):
        self.rounds = getattr(self, 'rounds', 0) + 1
        if self.rounds == 1:
            yield self.reply(request, 'AUTH_CHALLENGE', w.value(b'PLAIN-START'))
        else:
            yield self.reply(request, 'AUTH_SUCCESS', w.value(None))


class LoginForever(Login):
    """Challenges without end."""

    def on_auth_response(self, request):
        yield self.reply(request, 'AUTH_CHALLENGE', w.value(b'again'))


class LoginSilent(Login):
    """Never answers the password."""

    def on_auth_response(self, request):
        yield HOLD


# ---- scripts: frames

class OversizedFrame(Good):
    """Announces a body of 2 GiB."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', length=0x7FFFFFFF)
        yield HOLD


class NegativeLength(Good):
    """Announces a body of -1 bytes."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', length=-1)
        yield HOLD


class LengthTooShort(Good):
    """Announces half of the body; what follows is no header."""

    def on_user_statement(self, request, text):
        body = self.result(request, text)
        yield self.reply(request, 'RESULT', body, length=len(body) // 2)
        yield HOLD


class LengthTooLong(Good):
    """Announces more than it sends."""

    def on_user_statement(self, request, text):
        body = self.result(request, text)
        yield self.reply(request, 'RESULT', body, length=len(body) + 100)
        yield HOLD


class WrongStream(Good):
    """Answers a request that nobody has made."""

    def on_user_statement(self, request, text):
        yield w.frame('RESULT', self.result(request, text), request.stream + 1000)


class NegativeStream(Good):
    """Answers on a stream that is none."""

    def on_user_statement(self, request, text):
        yield w.frame('RESULT', self.result(request, text), -2)


class AnswersTwice(Good):
    """Answers each statement twice."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', self.result(request, text)) * 2


class WrongOpcode(Good):
    """Answers a statement with READY."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'READY')


class UnknownOpcode(Good):
    """Answers with an opcode that is none."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 0x7F)


class Stall(Good):
    """Never answers a statement."""

    def on_user_statement(self, request, text):
        yield HOLD


class StallPrepare(Good):
    """Never answers PREPARE of the user's own statements."""

    def on_prepare(self, request):
        if table_of(request.text) is None:
            yield HOLD
        yield from super().on_prepare(request)


class StallInFrame(Good):
    """Stops in the midst of a frame."""

    def on_user_statement(self, request, text):
        frame = self.reply(request, 'RESULT', self.result(request, text))
        yield frame[:len(frame) // 2]
        yield HOLD


class StallInHeader(Good):
    """Stops in the midst of a header."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT')[:5]
        yield HOLD


class CloseInFrame(Good):
    """Closes in the midst of a frame."""

    def on_user_statement(self, request, text):
        frame = self.reply(request, 'RESULT', self.result(request, text))
        yield frame[:len(frame) // 2]
        yield CLOSE


class ResetInFrame(Good):
    """Resets the connection in the midst of a frame."""

    def on_user_statement(self, request, text):
        frame = self.reply(request, 'RESULT', self.result(request, text))
        yield frame[:len(frame) // 2]
        yield 0.1
        yield RESET


class Late(Good):
    """Answers a statement after two seconds."""

    def on_user_statement(self, request, text):
        yield 2.0
        yield from super().on_user_statement(request, text)


class CompressedGarbage(Good):
    """A body that is said to be compressed, and is not."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', b'\0\0\0\x40' + b'\xff' * 20, w.COMPRESSED)


class CompressedBomb(Good):
    """A small body that is said to be 2 GiB once decompressed."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', b'\x7f\xff\xff\xff' + b'\x1f' * 20, w.COMPRESSED)


class Compressed(Good):
    """Compresses its rows, if the client has asked for it."""

    def on_startup(self, request):
        self.compress = request.options.get('COMPRESSION') == 'lz4'
        yield from super().on_startup(request)

    def on_user_statement(self, request, text):
        body = self.result(request, text)
        if self.compress:
            yield self.reply(request, 'RESULT', w.stored_lz4(body), w.COMPRESSED)
        else:
            yield self.reply(request, 'RESULT', body)


# ---- scripts: bodies

class Body(Good):
    """Scripts that answer with a result of their own, always with metadata."""

    body = b''

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', self.body)


class EmptyBody(Body):
    """A result without a body."""


class UnknownKind(Body):
    """A result of an unknown kind."""
    body = w.integer(99)


class RowsTooFew(Body):
    """Announces more rows than there are."""
    body = (w.integer(2) + w.rows_metadata(SPECS) + w.integer(1000) + w.value(w.integer(1)) +
            w.value(b'one'))


class RowsTooMany(Body):
    """Announces 2,147,483,647 rows."""
    body = w.integer(2) + w.rows_metadata(SPECS) + w.integer(0x7FFFFFFF)


class NegativeRows(Body):
    """Announces -1 rows."""
    body = w.integer(2) + w.rows_metadata(SPECS) + w.integer(-1)


class ColumnsTooMany(Body):
    """Announces 2,147,483,647 columns."""
    body = w.integer(2) + w.integer(1) + w.integer(0x7FFFFFFF) + w.string('ks') + w.string('t')


class DeepType(Body):
    """A column whose type is a list of a list of … 10,000 times."""
    body = w.rows({'k': w.short(0x20) * 10000 + INT}, [])


class UnknownType(Body):
    """A column of a type that is not known."""
    body = w.rows({'k': w.short(0x7777)}, [(b'x',)])


class UnknownClass(Body):
    """A column of a custom type that is not known."""
    body = w.rows({'k': w.custom('org.example.Secret')}, [(b'\xca\xfe',)])


class CellTooShort(Body):
    """An int of three bytes."""
    body = w.rows(SPECS, [(b'\0\0\1', b'one')])


class CellTooLong(Body):
    """A cell that is said to be longer than the frame."""
    body = w.integer(2) + w.rows_metadata({'v': TEXT}) + w.integer(1) + w.integer(1000000) + b'short'


class BadUtf8(Body):
    """Text that is no UTF-8."""
    body = w.rows(SPECS, [(w.integer(1), b'\xff\xfe')])


class NulInText(Body):
    """Text with a zero byte."""
    body = w.rows(SPECS, [(w.integer(1), b'a\0b')])


class BadCollection(Body):
    """A list that says it has 2,147,483,647 elements."""
    body = w.rows({'l': w.list_of(INT)}, [(w.integer(0x7FFFFFFF),)])


class WideTuples(Body):
    """A list of 400 tuples of 60,000 nulls each, in some 3,000 bytes."""
    body = w.rows({'l': w.list_of(w.tuple_of(*[INT] * 60000))},
                  [(w.integer(400) + w.value(w.value(None)) * 400,)])


class SlowNumbers(Body):
    """A list of 4 numbers of 100,000 digits each, and a byte too many behind them."""
    body = w.rows({'l': w.list_of(w.native('varint'))},
                  [(w.integer(4) + w.value(b'\x7f' * 41524) * 4 + b'x',)])


class Nulls(Body):
    """Null cells, and empty ones."""
    body = w.rows(SPECS, [(None, None), (b'', b'')])


class OtherColumns(Good):
    """Rows of more columns than the statement was prepared with."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', w.rows_without_metadata(
            5, [(w.integer(1), b'one', None, None, None)]))


# ---- scripts: what comes with an answer

class Warnings(Good):
    """Two warnings with each result."""

    def on_user_statement(self, request, text):
        body = w.string_list(['the first warning', 'the second warning']) + self.result(request, text)
        yield self.reply(request, 'RESULT', body, w.WARNINGS)


class Tracing(Good):
    """A tracing id that nobody has asked for."""

    def on_user_statement(self, request, text):
        yield self.reply(request, 'RESULT', HOST_ID + self.result(request, text), w.TRACING)


class Payload(Good):
    """A custom payload."""

    def on_user_statement(self, request, text):
        body = w.bytes_map({'tablets-routing-v1': b'\0\1', 'null': None}) + self.result(request, text)
        yield self.reply(request, 'RESULT', body, w.PAYLOAD)


class Everything(Good):
    """Tracing id, warning and payload at once, and bytes at the end that mean nothing."""

    def on_user_statement(self, request, text):
        body = (HOST_ID + w.string_list(['a warning']) + w.bytes_map({'k': b'v'}) +
                self.result(request, text) + b'to come')
        yield self.reply(request, 'RESULT', body, w.TRACING | w.WARNINGS | w.PAYLOAD)


class Events(Good):
    """Events before each answer, known and unknown ones."""

    def on_user_statement(self, request, text):
        address = w.inet(socket.inet_aton('127.0.0.9'), 9042)
        yield w.frame('EVENT', w.string('STATUS_CHANGE') + w.string('DOWN') + address, -1)
        yield w.frame('EVENT', w.string('TOPOLOGY_CHANGE') + w.string('MOVED_NODE') + address, -1)
        yield w.frame('EVENT', w.string('SCHEMA_CHANGE') +
                      w.schema_change('UPDATED', 'TABLE', 'ks', 't'), -1)
        yield w.frame('EVENT', w.string('CLIENT_ROUTES_CHANGE') + w.string('UPDATE_NODES'), -1)
        yield from super().on_user_statement(request, text)


class EmptyPages(Good):
    """Five pages without a row, each with more to come, then the rows."""

    pages = 5

    def on_user_statement(self, request, text):
        page = int(request.paging_state or 0)
        if page < self.pages:
            yield self.reply(request, 'RESULT', w.rows(SPECS, [], paging_state=str(page + 1).encode()))
        else:
            yield self.reply(request, 'RESULT', w.rows(SPECS, ROWS))


class PagesThenError(Good):
    """One page with more to come, then an error."""

    def on_user_statement(self, request, text):
        if request.paging_state is None:
            yield self.reply(request, 'RESULT', w.rows(SPECS, ROWS, paging_state=b'next'))
        else:
            yield self.fail(request, 0x1200, 'Operation timed out', REPLICAS + w.byte(0))


class PagesThenClose(Good):
    """One page with more to come, then the connection is closed."""

    def on_user_statement(self, request, text):
        if request.paging_state is None:
            yield self.reply(request, 'RESULT', w.rows(SPECS, ROWS, paging_state=b'next'))
        else:
            yield CLOSE


# ---- scripts: ScyllaDB

class Scylla(Good):
    """Announces what ScyllaDB does."""

    supported = {**SUPPORTED, **SCYLLA}


class ScyllaOdd(Good):
    """Announces what ScyllaDB does, with values that are none."""

    supported = {**SUPPORTED, **SCYLLA, 'SCYLLA_SHARD': ['many'], 'SCYLLA_NR_SHARDS': ['-3'],
                 'SCYLLA_SHARDING_IGNORE_MSB': ['99999999999999999999'], 'SCYLLA_SHARD_AWARE_PORT': [],
                 'SCYLLA_LWT_ADD_METADATA_MARK': ['LWT'], 'SCYLLA_RATE_LIMIT_ERROR': ['ERROR_CODE=']}


class RateLimit(Scylla):
    """ScyllaDB's rate limit error, with its own code."""

    def on_user_statement(self, request, text):
        yield self.fail(request, 0xF000, 'Per-partition rate limit reached', b'\1\0')


# ---- scripts: preparing

class UnpreparedOnce(Good):
    """Has forgotten each statement once."""

    def on_execute(self, request):
        forgotten = self.shared.setdefault('forgotten', set())
        if request.identifier not in forgotten:
            forgotten.add(request.identifier)
            yield self.unprepared(request)
        else:
            yield from super().on_execute(request)


class UnpreparedForever(Good):
    """Forgets each statement at once."""

    def on_execute(self, request):
        yield self.unprepared(request)


class UnpreparedOther(Good):
    """Has forgotten a statement that nobody has prepared."""

    def on_execute(self, request):
        yield self.fail(request, 0x2500, 'Prepared query not found', w.short_bytes(b'another'))


class PrepareFails(Good):
    """Refuses to prepare."""

    def on_prepare(self, request):
        if table_of(request.text) is None:
            yield self.fail(request, 0x2200, 'table ks.t does not exist')
        else:
            yield from super().on_prepare(request)


class PreparedBadKey(Good):
    """A partition key of a marker that there is not."""

    def prepared(self, identifier, text):
        return w.prepared(identifier, {'p0': TEXT}, SPECS, (7,))


class PreparedFewMarkers(Good):
    """Has not seen the markers of a statement."""

    def prepared(self, identifier, text):
        if table_of(text) is not None:
            return super().prepared(identifier, text)
        return w.prepared(identifier, {}, SPECS)


class PreparedBareMarkers(Good):
    """Tells how many markers a statement has, but not their types."""

    def prepared(self, identifier, text):
        if table_of(text) is not None:
            return super().prepared(identifier, text)
        return w.integer(4) + w.short_bytes(identifier) + w.integer(0x04) + w.integer(1) + w.integer(0) + w.rows_metadata(SPECS)


class PreparedBareResult(Good):
    """Tells how many columns a result has, but not their types, neither before nor with the rows."""

    def prepared(self, identifier, text):
        if table_of(text) is not None:
            return super().prepared(identifier, text)
        return w.prepared(identifier, {'p0': TEXT}, None)[:-8] + w.integer(0x04) + w.integer(len(SPECS))

    def result(self, request, text):
        return w.rows_without_metadata(len(SPECS), ROWS)


# ---- scripts: the schema

class Schema(Good):
    """Scripts that answer a question about the schema with something else."""

    def on_statement(self, request, text):
        answer = self.answers.get(table_of(text))
        if answer is None:
            yield from super().on_statement(request, text)
        else:
            yield self.reply(request, 'RESULT', answer)


class SchemaVoid(Schema):
    """Answers nothing of the schema's tables."""
    answers = {'system_schema.tables': w.void()}


class SchemaNarrow(Schema):
    """Leaves out columns of the schema's columns."""
    answers = {'system_schema.columns': w.rows({'table_name': TEXT}, [(b't',)])}


class SchemaDeep(Schema):
    """Types that consist of each other, 20,000 deep."""
    answers = {
        'system_schema.types': w.rows(
            {'type_name': TEXT, 'field_names': w.list_of(TEXT), 'field_types': w.list_of(TEXT)},
            [(b'type%d' % n, w.integer(1) + w.value(b'f'), w.integer(1) + w.value(b'frozen<type%d>' % (n + 1)))
             for n in range(20000)]),
        'system_schema.columns': w.rows(
            {'table_name': TEXT, 'column_name': TEXT, 'kind': TEXT, 'position': INT, 'clustering_order': TEXT,
             'type': TEXT}, [(b't', b'k', b'partition_key', w.integer(0), b'none', b'type0')]),
    }


# ---- scripts: each error of the server, with its fields

UNAVAILABLE = w.short(w.LOCAL_QUORUM) + w.integer(2) + w.integer(1)

# name, code, message, fields
ERRORS = [
    ('server', 0x0000, 'java.lang.NullPointerException', b''),
    ('protocol', 0x000A, 'Unknown opcode', b''),
    ('unavailable', 0x1000, 'Cannot achieve consistency level LOCAL_QUORUM', UNAVAILABLE),
    ('overloaded', 0x1001, 'Request rejected', b''),
    ('bootstrapping', 0x1002, 'Cannot read from a bootstrapping node', b''),
    ('truncate', 0x1003, 'Truncate timed out', b''),
    ('write-timeout', 0x1100, 'Operation timed out', REPLICAS + w.string('SIMPLE')),
    ('cas-timeout', 0x1100, 'Operation timed out', REPLICAS + w.string('CAS')),
    ('batch-timeout', 0x1100, 'Operation timed out', REPLICAS + w.string('BATCH')),
    ('read-timeout', 0x1200, 'Operation timed out', REPLICAS + w.byte(1)),
    ('read-failure', 0x1300, 'Operation failed', REPLICAS + w.integer(1) + w.byte(0)),
    ('function-failure', 0x1400, 'execution of ks.f failed',
     w.string('ks') + w.string('f') + w.string_list(['int'])),
    ('write-failure', 0x1500, 'Operation failed', REPLICAS + w.integer(1) + w.string('SIMPLE')),
    ('cdc-write-failure', 0x1600, 'CDC is full', b''),
    ('cas-write-unknown', 0x1700, 'CAS operation result is unknown', REPLICAS),
    ('syntax', 0x2000, "line 1:0 no viable alternative at input 'SELEC'", b''),
    ('unauthorized', 0x2100, 'User user has no SELECT permission on <table ks.t>', b''),
    ('invalid', 0x2200, 'Undefined column name nope in table ks.t', b''),
    ('invalid-table', 0x2200, 'table ks.nope does not exist', b''),
    ('invalid-other', 0x2200, 'Something the client does not know', b''),
    ('config', 0x2300, 'Unable to find compaction strategy class', b''),
    ('already-exists', 0x2400, 'Cannot add already existing table "t" to keyspace "ks"',
     w.string('ks') + w.string('t')),
    ('already-exists-keyspace', 0x2400, 'Keyspace ks already exists', w.string('ks') + w.string('')),
    ('unknown-code', 0x7777, 'An error of a release to come', b''),
]


class Failing(Good):
    """Fails each statement of the user's own."""

    def on_user_statement(self, request, text):
        yield self.fail(request, *self.error)


class ErrorBadUtf8(Failing):
    """An error whose message is no UTF-8."""
    error = (0x2200, b'bad \xff\xfe\x80 bytes', b'')


class ErrorLong(Failing):
    """An error with a message of 60,000 bytes."""
    error = (0x2200, 'long ' * 12000, b'')


class ErrorTruncated(Failing):
    """An error whose fields are missing."""
    error = (0x1000, 'Cannot achieve consistency level', b'')


def named_scripts():
    """All of them, by name, in the order of this file."""
    found = {}
    for script in list(globals().values()):
        if isinstance(script, type) and issubclass(script, Good) and script not in (Body, Failing, Schema):
            found[re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '-', script.__name__).lower()] = script
    for name, *error in ERRORS:
        found[f'error-{name}'] = type(name, (Failing,), {
            'error': tuple(error), '__doc__': f'Error {error[0]:#06x}: {error[1]}.'})
    return found


SCRIPTS = named_scripts()


# ---- connections

class Ended(Exception):
    """The connection is to be closed."""


class Connection:
    """One connection: reads requests, plays what the script yields."""

    def __init__(self, server, number, sock):
        self.server, self.number, self.sock = server, number, sock
        self.script = server.script(server.shared)
        self.pause = getattr(self.script, 'pause', None)

    def log(self, **what):
        self.server.log(connection=self.number, **what)

    def receive(self, length):
        data = b''
        while len(data) < length:
            piece = self.sock.recv(length - len(data))
            if not piece:
                raise Ended
            data += piece
        return data

    def send(self, data):
        if self.pause is None:
            self.sock.sendall(data)
            return
        for byte in data:
            self.sock.sendall(bytes([byte]))
            time.sleep(self.pause)

    def hold(self):
        while self.sock.recv(65536):
            pass
        raise Ended

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        raise Ended

    def play(self, pieces):
        for piece in pieces:
            if piece is HOLD:
                self.hold()
            elif piece is RESET:
                self.reset()
            elif piece is CLOSE:
                self.sock.shutdown(socket.SHUT_WR)
                self.hold()
            elif isinstance(piece, float):
                time.sleep(piece)
            else:
                self.send(piece)

    def serve(self):
        self.log(event='open')
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.server.tls is not None:
                self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
            self.play(self.script.on_accept())
            while True:
                self.serve_request()
        except (Ended, OSError):
            pass
        finally:
            self.sock.close()
            self.log(event='close')

    def serve_request(self):
        header = self.receive(w.HEADER.size)
        request = Request(header, self.receive(w.HEADER.unpack(header)[-1]))
        self.log(**request.described())
        self.play(getattr(self.script, 'on_' + request.opcode.lower())(request))


class Server:
    """Listens, and gives each connection a thread and a script."""

    def __init__(self, script, host='127.0.0.1', port=0, tls=None, log=None):
        self.script, self.tls, self.log_file = script, tls, log
        self.shared, self.lock = {}, threading.Lock()
        self.listener = socket.create_server((host, port))
        self.port = self.listener.getsockname()[1]
        SYSTEM['system.local']['rpc_port'] = (INT, [w.integer(self.port)])

    def log(self, **what):
        if self.log_file is not None:
            with self.lock:
                self.log_file.write(json.dumps(what) + '\n')
                self.log_file.flush()

    def accept(self):
        number = 0
        while True:
            sock, _ = self.listener.accept()
            number += 1
            threading.Thread(target=Connection(self, number, sock).serve, daemon=True).start()


def parse_arguments():
    parser = argparse.ArgumentParser(description='A CQL server that plays a script.')
    parser.add_argument('--script', choices=SCRIPTS, metavar='NAME')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--tls', nargs=2, metavar=('CERTIFICATE', 'KEY'))
    parser.add_argument('--log', metavar='FILE')
    parser.add_argument('--list', action='store_true', help='the scripts')
    arguments = parser.parse_args()
    if not arguments.list and arguments.script is None:
        parser.error('--script or --list is wanted')
    return arguments


def main():
    parent = os.getppid()
    arguments = parse_arguments()
    if arguments.list:
        for name, script in SCRIPTS.items():
            print(f'{name:26} {" ".join(script.__doc__.split())}')
        return
    tls = None
    if arguments.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*arguments.tls)
    log = open(arguments.log, 'a', encoding='utf-8') if arguments.log else None
    server = Server(SCRIPTS[arguments.script], arguments.host, arguments.port, tls, log)
    print(server.port, flush=True)
    threading.Thread(target=server.accept, daemon=True).start()
    while os.getppid() == parent:
        time.sleep(0.2)


if __name__ == '__main__':
    main()
