#!/usr/bin/env python3
"""Connections to a real server: TLS and logins, nodes that die, routing, invalidation, what is shown of them."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import SUPERUSER, Server, Tap, define, shared  # noqa: E402

import postgres  # noqa: E402

tap = Tap()


class Session(postgres.Session):
    """One for scylla_query."""

    def __init__(self):
        super().__init__("public, m2m")

    def query(self, server, cql, *parameters):
        """Rows of a CQL statement."""
        return self.values("SELECT scylla_query(%s, %s, VARIADIC %s::text[])", server, cql, list(parameters))

    def failure(self, text, *parameters):
        """SQLSTATE and texts of a statement that fails; "" if it does not."""
        error = self.error_of(text, *parameters)
        return f"{error.pgcode} {error.diag.message_primary} {error.diag.message_detail}" if error else ""

    def query_failure(self, server, cql, *parameters):
        """The same of a CQL statement."""
        return self.failure("SELECT scylla_query(%s, %s, VARIADIC %s::text[])", server, cql, list(parameters))


def options(**named):
    """A list of options."""
    return ", ".join(f"{name} '{value}'" for name, value in named.items() if value is not None)


def create_server(name, server, hosts=None, login=None, **named):
    """A foreign server for a Cassandra server, and its mapping."""
    hosts = hosts or ", ".join(f"{host}:{server.port}" for host in server.hosts)
    session = Session()
    session.values(f"CREATE SERVER {name} FOREIGN DATA WRAPPER scylla OPTIONS ({options(hosts=hosts, **named)})")
    mapping = f"OPTIONS (username '{login[0]}', password '{login[1]}')" if login else ""
    session.values(f"CREATE USER MAPPING FOR PUBLIC SERVER {name} {mapping}")


LOCAL = "SELECT key FROM system.local"


def login_and_options(server):
    """Passwords and compression."""
    session = Session()
    create_server("plain", server, login=SUPERUSER, sslmode="disable")
    create_server("wrong", server, login=("cassandra", "wrong"), sslmode="disable")
    create_server("nobody", server, sslmode="disable")
    create_server("uncompressed", server, login=SUPERUSER, sslmode="disable", compression="none")

    tap.ok(session.query("plain", LOCAL) == [{"key": "local"}], "a query")
    failure = session.query_failure("wrong", LOCAL)
    tap.ok(failure.startswith('28P01 could not connect to server "wrong"') and "are incorrect" in failure, "a wrong password", failure)
    failure = session.query_failure("nobody", LOCAL)
    tap.ok(failure.startswith('28000 could not connect to server "nobody"'), "no login", failure)
    session.query("uncompressed", LOCAL)
    shown = session.values("SELECT server::text, user_name::text, host, port, rack, dc, protocol, compression, tls, in_flight, "
                        "used_in_transaction, valid FROM scylla_connections() ORDER BY server")
    common = ("public", "127.0.0.1", server.port, "rack1", "datacenter1", 4)
    tap.ok(shown == [("plain", *common, "lz4", None, 0, False, True), ("uncompressed", *common, None, None, 0, False, True)],
           "what is shown of connections", shown)


def disconnecting():
    """scylla_disconnect, and what changes the server."""
    session = Session()
    count = "SELECT count(*) FROM scylla_connections()"
    failure = session.failure("SELECT scylla_disconnect('none')")
    tap.ok(failure.startswith("42704"), "an unknown server", failure)
    failure = session.failure("SELECT scylla_disconnect(NULL)")
    tap.ok(failure.startswith("22004"), "no server named", failure)
    tap.ok(session.values("SELECT scylla_disconnect('plain')") == [False], "no connection to close")
    session.query("plain", LOCAL)
    tap.ok(session.values("SELECT scylla_disconnect('plain')") == [True] and session.values(count) == [0], "one to close")

    session.values("BEGIN")
    session.query("plain", LOCAL)
    tap.ok(session.values("SELECT scylla_disconnect('plain')") == [False], "not in the transaction that uses it")
    tap.ok(session.values("SELECT used_in_transaction FROM scylla_connections()") == [True], "it is shown as used")
    session.values("COMMIT")
    tap.ok(session.values("SELECT used_in_transaction FROM scylla_connections()") == [False], "and not any more")

    other = Session()
    other.values("ALTER SERVER plain OPTIONS (ADD request_timeout '20s')")
    tap.ok(session.values(count) == [0], "ALTER SERVER closes connections that are not used")
    session.values("BEGIN")
    session.query("plain", LOCAL)
    other.values("ALTER USER MAPPING FOR PUBLIC SERVER plain OPTIONS (SET password 'cassandra')")
    tap.ok(session.values("SELECT valid FROM scylla_connections(), pg_foreign_server WHERE srvname = 'plain'") == [False],
           "ALTER USER MAPPING marks those that are")
    tap.ok(session.query("plain", LOCAL) == [{"key": "local"}], "they are used on")
    session.values("ROLLBACK")
    tap.ok(session.values(count) == [0], "and closed at the transaction's end")


def statements(server):
    """Prepared statements, many under way, and their errors."""
    session = Session()
    cql = server.connect()
    cql.execute("DROP KEYSPACE IF EXISTS t_connections")
    cql.execute("CREATE KEYSPACE t_connections WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    cql.execute("CREATE TABLE t_connections.t (k int PRIMARY KEY, v text)")
    session.values("SELECT scylla_execute('plain', 'INSERT INTO t_connections.t (k, v) VALUES (?, ?)', VARIADIC "
                "(SELECT array_agg(ARRAY[i::text, 'v' || i]) FROM generate_series(1, 5000) i))")
    rows = session.query("plain", "SELECT count(*) AS n FROM t_connections.t")
    tap.ok(rows == [{"n": 5000}], "5,000 executions", rows)
    rows = session.query("plain", "SELECT k, v FROM t_connections.t WHERE k = ?", "77")
    tap.ok(rows == [{"k": 77, "v": "v77"}], "a prepared read", rows)

    # the statement is prepared: the server forgets it, the columns change
    cql.execute("ALTER TABLE t_connections.t ADD w int")
    session.query("plain", "SELECT * FROM t_connections.t WHERE k = ?", "77")
    cql.execute("ALTER TABLE t_connections.t ADD x int")
    rows = session.query("plain", "SELECT * FROM t_connections.t WHERE k = ?", "77")
    tap.ok(rows == [{"k": 77, "v": "v77", "w": None, "x": None}], "a column more", rows)

    for sqlstate, text in (("42703", "SELECT y FROM t_connections.t"), ("42P01", "SELECT y FROM t_connections.nope"),
                           ("3F000", "SELECT y FROM nope.t"), ("42601", "SELEKT"),
                           ("42P07", "CREATE TABLE t_connections.t (k int PRIMARY KEY)"),
                           ("42P06", "CREATE KEYSPACE t_connections WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"),
                           ("42703", "INSERT INTO t_connections.t (k, nope) VALUES (1, 1)"),
                           ("22023", "SELECT k FROM t_connections.t WHERE v = 'x'")):
        failure = session.query_failure("plain", text)
        tap.ok(failure.startswith(sqlstate + " CQL error of server"), f"{sqlstate}: {text}", failure)
    cql.cluster.shutdown()


def tls(server):
    """Who is trusted."""
    session = Session()
    ca = server.file("ca.crt")
    port = server.port

    def connect(name, **named):
        create_server(name, server, login=SUPERUSER, **named)
        return session.query_failure(name, LOCAL)

    failure = connect("tls_full", sslmode="verify-full", sslrootcert=ca)
    tap.ok(failure == "", "verify-full, by address", failure)
    shown = session.values("SELECT tls FROM scylla_connections()")
    tap.ok(shown[0].startswith("TLSv1.3, TLS_"), "protocol and cipher are shown", shown)
    failure = connect("tls_name", hosts=f"localhost:{port}", sslrootcert=ca)
    tap.ok(failure == "", "verify-full is the default, by name", failure)
    failure = connect("tls_require", sslmode="require")
    tap.ok(failure == "", "require", failure)
    failure = connect("tls_unknown", sslmode="verify-ca", sslrootcert=server.file("other-ca.crt"))
    tap.ok(failure.startswith("08001") and "certificate is not valid" in failure and f":{port}" in failure, "another CA", failure)
    failure = connect("tls_system")
    tap.ok(failure.startswith("08001") and "certificate is not valid" in failure, "the system's CAs", failure)


def other_certificates():
    """Certificates of the wrong host, expired ones, and clients'."""
    server = Server(auth=False, tls="on", client_auth=True, certificate="wrong-name")
    server.start()
    session = Session()
    ca = server.file("ca.crt")
    client = {"sslcert": server.file("client.crt"), "sslkey": server.file("client.key")}
    stranger = {"sslcert": server.file("stranger.crt"), "sslkey": server.file("stranger.key")}

    def connect(name, **named):
        create_server(name, server, **named)
        return session.query_failure(name, LOCAL)

    failure = connect("c_wrong_name", sslrootcert=ca, **client)
    tap.ok(failure.startswith("08001") and "IP address mismatch" in failure, "the certificate of another address", failure)
    failure = connect("c_wrong_host", hosts=f"localhost:{server.port}", sslrootcert=ca, **client)
    tap.ok(failure.startswith("08001") and "hostname mismatch" in failure, "of another host", failure)
    failure = connect("c_verify_ca", sslmode="verify-ca", sslrootcert=ca, **client)
    tap.ok(failure == "", "verify-ca does not look at the name; the client has a certificate", failure)
    failure = connect("c_none", sslmode="verify-ca", sslrootcert=ca)
    tap.ok(failure.startswith("08001") and "certificate" in failure, "the client has none", failure)
    failure = connect("c_stranger", sslmode="verify-ca", sslrootcert=ca, **stranger)
    tap.ok(failure.startswith("08001"), "the client has one of a stranger", failure)
    failure = connect("c_mismatch", sslmode="verify-ca", sslrootcert=ca, sslcert=client["sslcert"], sslkey=stranger["sslkey"])
    tap.ok(failure.startswith("F0000") and "stranger.key" in failure, "the key of another certificate", failure)

    server.stop()
    server.set_variant(tls="on", certificate="expired")
    server.start()
    failure = connect("c_expired", sslmode="verify-ca", sslrootcert=ca)
    tap.ok(failure.startswith("08001") and "certificate has expired" in failure, "an expired certificate", failure)
    server.remove()


def nodes():
    """Three nodes: routing, and what happens when some die."""
    server = Server(nodes=3)
    server.start()
    cql = server.connect()
    for name, replicas in (("one", 1), ("three", 3)):
        define(cql, f"CREATE KEYSPACE {name} WITH replication = {{'class': 'NetworkTopologyStrategy', 'datacenter1': {replicas}}}",
               f"CREATE TABLE {name}.t (k int PRIMARY KEY, v text)")
    create_server("ring", server, hosts=f"127.0.0.1:{server.port}", sslmode="disable", consistency="ONE", request_timeout="5s")
    create_server("ring3", server, sslmode="disable", consistency="QUORUM", request_timeout="10s")

    session = Session()
    hosts = "SELECT host FROM scylla_connections() WHERE server = %s ORDER BY host"
    session.query("ring", LOCAL)
    tap.ok(session.values(hosts, "ring") == ["127.0.0.1"], "one connection to begin with")
    session.values("SELECT scylla_execute('ring', 'INSERT INTO one.t (k, v) VALUES (?, ?)', VARIADIC "
                "(SELECT array_agg(ARRAY[i::text, 'v']) FROM generate_series(1, 100) i))")
    tap.ok(session.values(hosts, "ring") == list(server.hosts), "statements are sent to their replicas", session.values(hosts, "ring"))

    session.values("SELECT scylla_query('ring', 'SELECT v FROM one.t WHERE k = ?', VARIADIC "
                "(SELECT array_agg(ARRAY[i::text]) FROM generate_series(1, 300) i))")
    counts = reads_of(server, "one")
    tap.ok(sum(asked for asked, _ in counts) == 300 and all(asked == done > 0 for asked, done in counts),
           "and to no other node: each does what it is asked for itself", counts)

    session.query("ring3", "SELECT v FROM three.t WHERE k = ?", "1")
    before = session.values(hosts, "ring3")
    server.kill_node(2)
    time.sleep(0.2)
    failures = [failure for failure in (session.query_failure("ring3", "SELECT v FROM three.t WHERE k = ?", str(k))
                                        for k in range(60)) if failure]
    tap.ok(not failures, "reads at QUORUM go on when a node was killed", before, failures[:3])
    session.values("SELECT scylla_disconnect('ring3')")
    create_server("ring_dead", server, hosts=f"127.0.0.2:{server.port}, 127.0.0.3:{server.port}", sslmode="disable")
    tap.ok(session.query_failure("ring_dead", LOCAL) == "", "the next contact point is taken")
    tap.ok(session.values(hosts, "ring_dead") == ["127.0.0.3"], "it is that")

    # the node that the session is connected to, in the midst of a transaction
    session.values("BEGIN")
    session.query("ring3", LOCAL)
    server.start_node(2)
    server.kill_node(1)
    failure = session.query_failure("ring3", "SELECT key FROM system.local")
    tap.ok(failure == "", "a read survives the node that it was sent to", failure)
    session.values("COMMIT")
    tap.ok("127.0.0.1" not in session.values(hosts, "ring3"), "by way of another node", session.values(hosts, "ring3"))

    for _ in range(30):
        for k in range(20):
            session.query("ring3", "SELECT v FROM three.t WHERE k = ?", str(k))
        if "127.0.0.2" in session.values(hosts, "ring3"):
            break
        time.sleep(1)
    tap.ok("127.0.0.2" in session.values(hosts, "ring3"), "the node that has come back is used again")

    # only node 1 is a contact point of this one; it knows the others
    failure = session.query_failure("ring", "SELECT v FROM three.t WHERE k = 1")
    tap.ok(failure == "", "nodes that were known before stand in for contact points", failure)
    other = Session()
    failure = other.query_failure("ring", LOCAL)
    tap.ok(failure == f'08001 could not connect to server "ring" 127.0.0.1:{server.port}: Connection refused', "a new session cannot know them", failure)
    server.remove()


def reads_of(server, keyspace):
    """For each node how many reads clients have asked it for, and how many it has done itself."""
    counts = []
    for host in server.hosts:
        cql = server.connect(hosts=[host])
        counts.append([
            cql.execute(f"SELECT count FROM system_views.{view} WHERE keyspace_name = '{keyspace}' AND table_name = 't'").one()["count"]
            for view in ("coordinator_read_latency", "local_read_latency")])
        cql.cluster.shutdown()
    return counts


def main():
    Session().set_up()
    server = shared()
    login_and_options(server)
    disconnecting()
    statements(server)
    tls(server)
    other_certificates()
    nodes()
    tap.finish()


main()
