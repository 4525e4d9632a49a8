"""Messages of the CQL native protocol v4, as a server writes and a client sends them.

Bytes are made by plain functions that are named as the specification (native_protocol_v4.spec)
names things: notations of section 3, messages of section 4. Nothing is checked, so that wrong
messages can be made too. It needs nothing but the standard library.
"""

import struct

REQUEST, RESPONSE = 0x04, 0x84
COMPRESSED, TRACING, PAYLOAD, WARNINGS = 0x01, 0x02, 0x04, 0x08

OPCODES = {
    'ERROR': 0x00, 'STARTUP': 0x01, 'READY': 0x02, 'AUTHENTICATE': 0x03, 'OPTIONS': 0x05,
    'SUPPORTED': 0x06, 'QUERY': 0x07, 'RESULT': 0x08, 'PREPARE': 0x09, 'EXECUTE': 0x0A,
    'REGISTER': 0x0B, 'EVENT': 0x0C, 'BATCH': 0x0D, 'AUTH_CHALLENGE': 0x0E,
    'AUTH_RESPONSE': 0x0F, 'AUTH_SUCCESS': 0x10,
}
NAMES = {number: name for name, number in OPCODES.items()}

LOCAL_QUORUM = 0x0006


# ---- notations (section 3)

def byte(value):
    return struct.pack('>B', value & 0xFF)


def short(value):
    return struct.pack('>H', value & 0xFFFF)


def integer(value):
    return struct.pack('>i', value)


def long(value):
    return struct.pack('>q', value)


def encoded(text):
    return text if isinstance(text, bytes) else text.encode()


def string(text):
    return short(len(encoded(text))) + encoded(text)


def long_string(text):
    return integer(len(encoded(text))) + encoded(text)


def string_list(texts):
    return short(len(texts)) + b''.join(string(text) for text in texts)


def string_map(pairs):
    return short(len(pairs)) + b''.join(string(key) + string(value) for key, value in pairs.items())


def string_multimap(pairs):
    return short(len(pairs)) + b''.join(
        string(key) + string_list(values) for key, values in pairs.items())


def value(data):
    """[bytes]; None is null."""
    return integer(-1) if data is None else integer(len(data)) + data


def short_bytes(data):
    return short(len(data)) + data


def bytes_map(pairs):
    return short(len(pairs)) + b''.join(string(key) + value(data) for key, data in pairs.items())


def inet(address, port):
    return byte(len(address)) + address + integer(port)


def unsigned_vint(number):
    extra = 0
    while extra < 8 and number >> (7 + 7 * extra):
        extra += 1
    first = (0xFF00 >> extra) & 0xFF
    if extra < 7:
        first |= number >> (8 * extra)
    return bytes([first]) + number.to_bytes(9, 'big')[9 - extra:]


def vint(number):
    return unsigned_vint((number << 1 ^ number >> 63) & 0xFFFFFFFFFFFFFFFF)


# ---- types (section 4.2.5.2): [option]

TYPES = {
    'ascii': 0x01, 'bigint': 0x02, 'blob': 0x03, 'boolean': 0x04, 'counter': 0x05,
    'decimal': 0x06, 'double': 0x07, 'float': 0x08, 'int': 0x09, 'timestamp': 0x0B,
    'uuid': 0x0C, 'text': 0x0D, 'varint': 0x0E, 'timeuuid': 0x0F, 'inet': 0x10,
    'date': 0x11, 'time': 0x12, 'smallint': 0x13, 'tinyint': 0x14, 'duration': 0x15,
}


def native(name):
    return short(TYPES[name])


def custom(class_name):
    return short(0x00) + string(class_name)


def list_of(element):
    return short(0x20) + element


def map_of(key, element):
    return short(0x21) + key + element


def set_of(element):
    return short(0x22) + element


def udt(keyspace, name, fields):
    return short(0x30) + string(keyspace) + string(name) + short(len(fields)) + b''.join(
        string(field) + kind for field, kind in fields.items())


def tuple_of(*elements):
    return short(0x31) + short(len(elements)) + b''.join(elements)


# ---- frames (section 2)

HEADER = struct.Struct('>BBhBI')    # version, flags, stream, opcode, length


def frame(opcode, body=b'', stream=0, flags=0, version=RESPONSE, length=None):
    """A whole frame. A length that is given is told in place of the body's own."""
    opcode = OPCODES[opcode] if isinstance(opcode, str) else opcode
    length = len(body) if length is None else length
    return HEADER.pack(version, flags, stream, opcode, length & 0xFFFFFFFF) + body


def stored_lz4(body):
    """A compressed body that is one run of literals: what LZ4 makes of bytes without repetition."""
    rest = len(body) - 15
    token = bytes([len(body) << 4]) if rest < 0 else b'\xf0' + b'\xff' * (rest // 255) + bytes(
        [rest % 255])
    return struct.pack('>I', len(body)) + token + body


# ---- bodies of responses (section 4.2)

def error(code, message, rest=b''):
    return integer(code) + string(message) + rest


def void():
    return integer(1)


def columns(specs, keyspace='ks', table='t'):
    """Global table spec and columns, by name and type."""
    return string(keyspace) + string(table) + b''.join(
        string(name) + kind for name, kind in specs.items())


def rows_metadata(specs, paging_state=None, flags=0x01):
    more = b'' if paging_state is None else value(paging_state)
    flags |= 0x02 if paging_state is not None else 0
    return integer(flags) + integer(len(specs)) + more + columns(specs)


def rows(specs, data, paging_state=None):
    """Rows of cells that are bytes or None."""
    return (integer(2) + rows_metadata(specs, paging_state) + integer(len(data)) +
            b''.join(value(cell) for row in data for cell in row))


def rows_without_metadata(ncolumns, data):
    return (integer(2) + integer(0x04) + integer(ncolumns) + integer(len(data)) +
            b''.join(value(cell) for row in data for cell in row))


def set_keyspace(name):
    return integer(3) + string(name)


def prepared(identifier, markers, result, partition_key=()):
    """`result` None: the statement returns no rows."""
    key = integer(len(partition_key)) + b''.join(short(index) for index in partition_key)
    spec = columns(markers) if markers else b''
    flags = 0x01 if markers else 0
    no_rows = integer(0x04) + integer(0)
    return (integer(4) + short_bytes(identifier) + integer(flags) + integer(len(markers)) + key +
            spec + (no_rows if result is None else rows_metadata(result)))


def schema_change(change, target, keyspace, name=None, arguments=None):
    return (string(change) + string(target) + string(keyspace) +
            (b'' if name is None else string(name)) +
            (b'' if arguments is None else string_list(arguments)))


# ---- requests, taken apart

class Reader:
    """Reads the notations of a body from its front."""

    def __init__(self, data):
        self.data = data

    def raw(self, length):
        if length > len(self.data):
            raise ValueError('the message ends too early')
        head, self.data = self.data[:length], self.data[length:]
        return head

    def number(self, form):
        return struct.unpack(form, self.raw(struct.calcsize(form)))[0]

    def string(self):
        return self.raw(self.number('>H')).decode()

    def long_string(self):
        return self.raw(self.number('>i')).decode()

    def string_map(self):
        return {self.string(): self.string() for _ in range(self.number('>H'))}

    def value(self):
        """None for null, ... for unset."""
        length = self.number('>i')
        return None if length == -1 else ... if length == -2 else self.raw(length)
