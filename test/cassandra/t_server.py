#!/usr/bin/python3
"""The servers that tests are run on are what they are said to be, and survive what tests do to them."""

import os
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cassandra_server import Server, Tap, define, failure, shared  # noqa: E402

tap = Tap()

KEYSPACE = "CREATE KEYSPACE {} WITH replication = {{'class': 'NetworkTopologyStrategy', 'datacenter1': {}}}"
TABLE = "CREATE TABLE {}.rows (id int PRIMARY KEY, v text)"
INSERT = "INSERT INTO rows (id, v) VALUES (%s, 'x')"


def refused(why, name, call, *arguments, **named):
    """The call must fail with this."""
    text = failure(call, *arguments, **named)
    tap.ok(why in text, name, text or "it did not fail")


def ids(session):
    """The ids of the table, in order."""
    return sorted(row["id"] for row in session.execute("SELECT id FROM rows"))


def make_table(session, keyspace, replicas=1):
    """An empty table in a keyspace that the session uses from now on."""
    define(session, KEYSPACE.format(keyspace, replicas), TABLE.format(keyspace))
    session.set_keyspace(keyspace)


def encrypted(session, user):
    """Whether the server sees the connections of a user as encrypted: {True}, {False}, or both."""
    rows = session.execute("SELECT ssl_enabled, username FROM system_views.clients")
    return {row["ssl_enabled"] for row in rows if row["username"] == user}


def passwords(server):
    """Authentication and permissions."""
    session = server.connect()
    make_table(session, "t_server")
    session.execute("CREATE ROLE t_server WITH LOGIN = true AND PASSWORD = 'secret'")
    refused("are incorrect", "a wrong password is refused", server.connect, login=("t_server", "wrong"))
    refused("are incorrect", "an unknown user is refused", server.connect, login=("nobody", "secret"))
    other = server.connect(login=("t_server", "secret"))
    tap.ok(True, "the right password is accepted")
    refused("has no SELECT permission", "a role without a grant may not read",
            other.execute, "SELECT * FROM t_server.rows")
    seen = encrypted(session, "t_server")
    tap.ok(seen == {False}, "a plain connection is plain", seen)
    other.cluster.shutdown()
    tls = server.connect(login=("t_server", "secret"), tls=server.tls_context())
    seen = encrypted(session, "t_server")
    tap.ok(seen == {True}, "with TLS it is encrypted", seen)
    tls.cluster.shutdown()
    session.execute("DROP ROLE t_server")
    session.execute("DROP KEYSPACE t_server")
    session.cluster.shutdown()


def handshake(server, context, name=None):
    """TLS, and then a question: returns the first byte of the answer."""
    with socket.create_connection((server.hosts[0], server.port), timeout=30) as plain, \
            context.wrap_socket(plain, server_hostname=name or server.hosts[0]) as connection:
        connection.sendall(bytes.fromhex("040000000500000000"))
        answer = connection.recv(1)
    if not answer:
        raise ConnectionError("the server has hung up")
    return answer


def authorities(server):
    """What a client verifies."""
    tap.ok(handshake(server, server.tls_context()) == b"\x84", "the CA's certificate is accepted")
    tap.ok(handshake(server, server.tls_context(), "localhost") == b"\x84", "and for localhost too")
    refused("certificate verify failed", "TLS is refused with another CA",
            server.connect, tls=server.tls_context("other-ca.crt"))
    refused("Hostname mismatch", "and for another host", handshake, server, server.tls_context(), "elsewhere.example")


class PlainView:
    """A server, to a client that does not know of TLS."""

    def __init__(self, server):
        self.hosts, self.port, self.auth, self.tls = server.hosts, server.port, False, ""


def one_node():
    """A node and its lives, with another certificate in each, for a start takes seconds."""
    server = Server(tls="on", certificate="wrong-name")
    server.start()
    wrong_name(server)
    session = server.connect(tls=server.tls_context(verify=False))
    make_table(session, "t_server")
    for number in range(100):
        session.execute(INSERT, [number])
    server.kill()
    tap.ok(server.status() == [False], "after kill -9 it is down")
    session.cluster.shutdown()
    server.set_variant(tls="on", client_auth=True, certificate="expired")
    server.start()
    session = server.connect("t_server", tls=server.tls_context(client="client", verify=False))
    found = ids(session)
    tap.ok(found == list(range(100)), "kill -9 and a new start keep every acknowledged row", found)
    session.cluster.shutdown()
    expired_certificate(server)
    stale_process_id(server)
    server.wipe()
    server.set_variant()
    server.start()
    session = server.connect()
    names = [row["keyspace_name"] for row in session.execute("SELECT keyspace_name FROM system_schema.keyspaces")]
    tap.ok("system_schema" in names and "t_server" not in names, "wiped data is gone", names)
    session.cluster.shutdown()
    failing_starts(server)
    server.remove()


def wrong_name(server):
    """A server that has the certificate of another host."""
    refused("IP address mismatch", "a certificate with another name is refused", server.connect)
    tap.ok(handshake(server, server.tls_context(), "elsewhere.example") == b"\x84", "the name is all that is wrong with it")
    refused("NoHostAvailable", "a plain client is refused where TLS is not optional",
            Server.connect, PlainView(server), timeout=5)


def expired_certificate(server):
    """A server whose certificate has expired, and which asks for the client's."""
    refused("certificate has expired", "an expired certificate is refused", server.connect)
    careless = {name: server.tls_context(client=name, verify=False) for name in (None, "stranger", "client")}
    # the alert that says why may get lost when the server closes the connection
    for name, what in ((None, "a client without a certificate is refused"), ("stranger", "and one with a stranger's")):
        text = failure(handshake, server, careless[name])
        tap.ok(text.startswith(("SSL", "Connection", "BrokenPipe")), what, text or "it did not fail")
    tap.ok(handshake(server, careless["client"]) == b"\x84", "a client's certificate is accepted")


def stale_process_id(server):
    """A process that has the number of a node which is gone is none of the server's."""
    with open(os.path.join(server.root, "n1", "pid"), encoding="ascii") as file:
        node = file.read()
    with subprocess.Popen(["sleep", "60"]) as other:
        server.kill()
        with open(os.path.join(server.root, "n1", "pid"), "w", encoding="ascii") as file:
            file.write(f"{other.pid}\n")
        tap.ok(server.status() == [False], "a stale process id is not taken for a node")
        server.stop()
        tap.ok(other.poll() is None and node != str(other.pid), "and its process is not ended")
        other.kill()


def failing_starts(server):
    """A start that fails says why, and leaves no process."""
    text = failure(server.run, "start", "--auth")
    tap.ok("stop it first" in text, "a server that runs does not become another one", text)
    text = failure(server.run, "start", "--nodes", 3)
    tap.ok("wipe it first" in text, "one with data does not become three", text)
    second = Server()
    second.port = server.port
    text = failure(second.start)
    tap.ok(f"{server.port} is in use by another process" in text, "a port that is taken is found out", text)
    second.port = None
    os.environ["BTM_CASSANDRA_HEAP"] = "1m"
    text = failure(second.start)
    del os.environ["BTM_CASSANDRA_HEAP"]
    tap.ok("heap size" in text, "a start that fails says why", text)
    tap.ok(second.status() == [False], "and leaves no node")


def three_nodes():
    """One of three killed."""
    server = Server(nodes=3)
    server.start()
    session = server.connect(hosts=[server.hosts[0], server.hosts[2]], consistency="LOCAL_QUORUM")
    make_table(session, "t_server", 3)
    peers = sorted(row["peer"] for row in session.execute("SELECT peer FROM system.peers_v2"))
    tap.ok(len(peers) == 2, "three nodes know each other", peers)
    late_schema(server, session)
    for number in range(100):
        session.execute(INSERT, [number])
    server.kill_node(2)
    tap.ok(server.status() == [True, False, True], "one of three nodes is killed", server.status())
    for number in range(100, 200):
        session.execute(INSERT, [number])
    # one by one: until the node is held to be down, a scan waits for it
    found = sum(len(list(session.execute("SELECT id FROM rows WHERE id = %s", [number]))) for number in range(200))
    tap.ok(found == 200, "LOCAL_QUORUM goes on, writing and reading", found)
    server.start_node(2)
    tap.ok(server.status() == [True, True, True], "the node is started again", server.status())
    everyone = server.connect("t_server", consistency="ALL")
    found = ids(everyone)
    tap.ok(found == list(range(200)), "and then all three answer", len(found))
    for client in (session, everyone):
        client.cluster.shutdown()
    server.remove()


def late_schema(server, session):
    """A change of the schema that a node is late to learn of, which the session does not talk to."""
    session.cluster.max_schema_agreement_wait = 0
    with open(os.path.join(server.root, "n2", "pid"), encoding="ascii") as file:
        node = int(file.read())
    change = threading.Thread(target=define, args=(session, "ALTER TABLE rows ADD late int"))
    os.kill(node, signal.SIGSTOP)
    try:
        change.start()
        change.join(3)
        tap.ok(change.is_alive(), "a change of the schema is not done before all nodes know of it")
    finally:
        os.kill(node, signal.SIGCONT)
    change.join()
    late = server.connect("t_server", hosts=[server.hosts[1]])
    tap.ok(len(list(late.execute("SELECT late FROM rows"))) == 0, "when it is done, they do")
    late.cluster.shutdown()


def main():
    """Every variant."""
    server = shared()
    passwords(server)
    authorities(server)
    one_node()
    three_nodes()
    tap.finish()


main()
