"""Sessions of PostgreSQL for the tests of this folder. libpq's environment variables name an empty database, where the
user may create the extension.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import SUPERUSER, skip_all  # noqa: E402

try:
    import psycopg2
except ImportError:
    skip_all("psycopg2 is not installed")


class Session:
    """A session that commits each statement; search_path is set if it is given; connect: libpq's parameters."""

    def __init__(self, search_path=None, connect=""):
        self.connection = psycopg2.connect(connect)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.sql("SET client_min_messages = warning; SET timezone = 'UTC'")
        if search_path:
            self.sql(f"SET search_path = {search_path}")

    def sql(self, text, *parameters):
        """The rows of a statement."""
        self.cursor.execute(text, parameters or None)
        return self.cursor.fetchall() if self.cursor.description else []

    def values(self, text, *parameters):
        """The rows of a statement; of a single column, its values."""
        return [row[0] if len(row) == 1 else row for row in self.sql(text, *parameters)]

    def error_of(self, text, *parameters):
        """The error of a statement, or None."""
        try:
            self.sql(text, *parameters)
        except psycopg2.Error as error:
            return error
        return None

    def state_of(self, text, *parameters):
        """The SQLSTATE of a statement's error, "" without one; "lost" if the session is gone."""
        error = self.error_of(text, *parameters)
        return "" if error is None else error.pgcode or "lost"

    def set_up(self, *schemas):
        """Creates the extension in schema m2m, and these schemas."""
        for schema in ("m2m", *schemas):
            self.sql(f"CREATE SCHEMA {schema}")
        self.sql("CREATE EXTENSION belongs_to_many SCHEMA m2m")

    def create_server(self, name, server, login=None, **options):
        """A foreign server for a server of cassandra_server's, and the session's user mapping; login: user and password."""
        if login is None and server.auth:
            login = SUPERUSER
        options = {"hosts": ", ".join(server.hosts), "port": server.port, "sslmode": "disable", **options}
        listed = ", ".join(f"{option} '{value}'" for option, value in options.items())
        self.sql(f"CREATE SERVER {name} FOREIGN DATA WRAPPER scylla OPTIONS ({listed})")
        mapping = f"OPTIONS (username '{login[0]}', password '{login[1]}')" if login else ""
        self.sql(f"CREATE USER MAPPING FOR CURRENT_USER SERVER {name} {mapping}")
