"""Cassandra servers for tests, and connections to them with python3-cassandra, the independent driver.

A test is an executable t_* of test/cassandra or test/scylla that prints TAP. It begins with

    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
    from cassandra_server import Server, Tap, shared

shared() is the server that the test runner has started: one node with passwords, which takes TLS and plain
connections. A keyspace of one's own keeps tests apart. What a test stops, kills or wants otherwise is a
Server(...) of its own, on free ports, which is gone when the test ends.
"""

import atexit
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from tap import Tap, skip_all  # noqa: E402, F401

try:
    from cassandra import ConsistencyLevel
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import WhiteListRoundRobinPolicy
    from cassandra.query import dict_factory
except ImportError:
    skip_all("python3-cassandra is not installed")

SUPERUSER = ("cassandra", "cassandra")
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
WAIT = float(os.environ.get("BTM_CASSANDRA_WAIT", 90))


class Failed(Exception):
    """The command test/cassandra/server failed; the text is what it said."""


class Server:
    """A server of its own, with an empty data folder; start() makes it.

    nodes is 1 or 3; auth: passwords; tls: "", "on" or "optional"; client_auth: asks clients for a certificate;
    certificate: the server's, "server", "wrong-name" or "expired"; folder: where it lies in place of TMPDIR.
    hosts and, once it has started, port say where it is.
    """

    def __init__(self, nodes=1, auth=False, tls="", client_auth=False, certificate="server",
                 folder=None):
        self.root = tempfile.mkdtemp(prefix="btm-cassandra-", dir=folder)
        self.hosts = list(ADDRESSES[:nodes])
        self.port = None
        self.auth = auth
        self.set_variant(tls, client_auth, certificate)
        self.nodes = nodes
        atexit.register(self.remove)

    def set_variant(self, tls="", client_auth=False, certificate="server"):
        """Another kind of TLS, from the next start on."""
        self.tls = tls
        self.client_auth = client_auth
        self.certificate = certificate

    def run(self, command, *arguments):
        """Runs a command of test/cassandra/server and returns what it prints."""
        environment = dict(os.environ, BTM_CASSANDRA_ROOT=self.root, BTM_CASSANDRA_PORT=str(self.port or "free"),
                           BTM_CASSANDRA_ADDRESSES=" ".join(ADDRESSES))
        done = subprocess.run([os.path.join(HERE, "server"), command, *map(str, arguments)], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0 and (command != "status" or done.stderr):
            raise Failed(done.stderr)
        return done.stdout

    def start(self):
        """Returns when all nodes answer and list each other; raises Failed with the reason."""
        options = ["--nodes", self.nodes, "--certificate", self.certificate]
        options += ["--auth"] if self.auth else []
        options += [{"on": "--tls", "optional": "--tls-optional"}[self.tls]] if self.tls else []
        options += ["--client-auth"] if self.client_auth else []
        self.run("start", *options)
        with open(os.path.join(self.root, "settings"), encoding="ascii") as file:
            self.port = int(dict(line.split(" ", 1) for line in file)["port"])
        if self.nodes > 1:
            self.wait_for_peers()

    def wait_for_peers(self):
        """A node that sees another up may not list it yet; clients ask for that list."""
        client = "client" if self.client_auth else None
        tls = self.tls_context(client=client, verify=False) if self.tls else None
        limit = time.monotonic() + WAIT
        for host in self.hosts:
            session = self.connect(hosts=[host], tls=tls)
            while len(list(session.execute("SELECT peer FROM system.peers_v2"))) < self.nodes - 1:
                if time.monotonic() > limit:
                    raise Failed(f"{host} does not list the other nodes")
                time.sleep(0.1)
            session.cluster.shutdown()

    def stop(self):
        """Stops all nodes in order."""
        self.run("stop")

    def kill(self):
        """All nodes at once, as kill -9 does."""
        self.run("kill")

    def start_node(self, number):
        """Starts node 1, 2 or 3 again, and returns when the others know it too."""
        self.run("start-node", number)

    def stop_node(self, number):
        """Stops one node in order."""
        self.run("stop-node", number)

    def kill_node(self, number):
        """One node, as kill -9 does."""
        self.run("kill-node", number)

    def wipe(self):
        """Ends the server if it runs, and deletes its data."""
        self.run("wipe")

    def status(self):
        """Whether each node is up."""
        return [" up," in line for line in self.run("status").splitlines()]

    def remove(self):
        """Ends the server and deletes its folder."""
        if os.path.exists(os.path.join(self.root, "n1")):
            self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self, number=1):
        """The file that a node logs to."""
        return os.path.join(self.root, f"n{number}", "log")

    def file(self, name):
        """A certificate or key of this server, by its name in test/cassandra/certificates ("ca.crt")."""
        return os.path.join(self.root, "tls", name)

    def tls_context(self, authority="ca.crt", client=None, verify=True):
        """An ssl.SSLContext that trusts this authority and shows the certificate of client ("client")."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.load_verify_locations(self.file(authority))
        if client:
            context.load_cert_chain(self.file(f"{client}.crt"), self.file(f"{client}.key"))
        return context

    def connect(self, keyspace=None, login=None, tls=None, hosts=None, consistency="LOCAL_ONE", timeout=30):
        """A session of python3-cassandra, whose rows are dictionaries.

        login: (user, password), by default the superuser's if there are passwords. tls: a context of
        tls_context(); by default TLS is used only if the server takes nothing else. hosts: those of the
        server's that it may talk to. Close it with session.cluster.shutdown(), or not at all.
        """
        if login is None and self.auth:
            login = SUPERUSER
        if tls is None and self.tls == "on":
            tls = self.tls_context()
        hosts = hosts or self.hosts
        profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy(hosts), row_factory=dict_factory,
                                   request_timeout=timeout, consistency_level=getattr(ConsistencyLevel, consistency))
        cluster = Cluster(hosts, port=self.port, protocol_version=4, connect_timeout=timeout,
                          control_connection_timeout=timeout,
                          auth_provider=PlainTextAuthProvider(*login) if login else None, ssl_context=tls,
                          ssl_options={"server_hostname": hosts[0]} if tls else None,
                          execution_profiles={EXEC_PROFILE_DEFAULT: profile})
        atexit.register(cluster.shutdown)
        return cluster.connect(keyspace)


class Shared(Server):
    """The server of the test runner. It is not to be stopped."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.root = os.environ["BTM_CASSANDRA_ROOT"]
        self.hosts = os.environ["BTM_CASSANDRA_HOSTS"].split(",")
        self.port = int(os.environ["BTM_CASSANDRA_PORT"])
        self.auth = True
        self.set_variant(tls="optional")

    def run(self, command, *arguments):
        """Refused."""
        raise Failed("this server is shared: a test that does something to it makes one of its own")


def shared():
    """The server of the test runner, or one like it where a test is run by hand."""
    if "BTM_CASSANDRA_HOSTS" in os.environ:
        return Shared()
    server = Server(auth=True, tls="optional")
    server.start()
    return server


def define(session, *statements):
    """Changes the schema, and returns when all nodes of the server have it; all must be up."""
    for statement in statements:
        session.execute(statement)
        limit = time.monotonic() + WAIT
        while len(schema_versions(session)) > 1:
            if time.monotonic() > limit:
                raise Failed(f"the nodes do not agree about the schema after: {statement}")
            time.sleep(0.1)


def schema_versions(session):
    """The versions of the schema that the nodes have, as each that the session talks to knows of itself and others."""
    return {row["schema_version"] for host in session.get_pool_state() for table in ("local", "peers_v2")
            for row in session.execute(f"SELECT schema_version FROM system.{table}", host=host)}


def failure(function, *arguments, **named):
    """What a call fails with, as text; "" if it does not. The driver's text has each contact point's error."""
    try:
        function(*arguments, **named)
    except Exception as exception:  # pylint: disable=broad-except
        return f"{type(exception).__name__} {exception}"
    return ""


# A test that is ended takes its servers along.
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
