"""A proxy before a CQL server, for a server that stops answering, or is gone, in the middle of something."""

import select
import socket
import threading


class Proxy:
    """Passes bytes on between a port of its own and a server."""

    def __init__(self, host, port):
        self.target = (host, int(port))
        self.flowing = threading.Event()
        self.flowing.set()
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
                upstream = socket.create_connection(self.target)
            except OSError:
                return
            self.pairs.append((client, upstream))
            threading.Thread(target=self.pump, args=(client, upstream), daemon=True).start()

    def pump(self, client, upstream):
        """Passes bytes on, both ways, until one end closes; what comes while it is held waits."""
        other = {client: upstream, upstream: client}
        try:
            while True:
                for ready in select.select(list(other), [], [])[0]:
                    data = ready.recv(65536)
                    self.flowing.wait()
                    if not data:
                        raise OSError
                    other[ready].sendall(data)
        except (OSError, ValueError):
            for end in other:
                end.close()

    def hold(self):
        """From now on nothing is passed on."""
        self.flowing.clear()

    def release(self):
        self.flowing.set()

    def close(self):
        """The server is gone."""
        self.listener.close()
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.flowing.set()
