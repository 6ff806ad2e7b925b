#!/usr/bin/python3
"""A proxy that takes CONNECT and says so in a file. connect_proxy.py LOG MODE:
pass on, or answer 200 and then be silent, close, or refuse with 403.
Prints "port=N" once it listens on 127.0.0.1."""

import socket
import socketserver
import sys
import threading

LOG, MODE = sys.argv[1:]


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Proxy(socketserver.StreamRequestHandler):
    rbufsize = 0

    def handle(self):
        first = self.rfile.readline().decode()
        with open(LOG, "a") as log:
            log.write(first)
        while self.rfile.readline().strip():
            pass
        if MODE == "refuse" or not first.startswith("CONNECT "):
            self.wfile.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n"
                         b"X-Message-Id: of-the-proxy\r\n\r\n")
        if MODE == "silent":
            copy(self.connection, socket.socketpair()[0])
        if MODE != "pass":
            return
        host, _, port = first.split()[1].rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            thread = threading.Thread(target=copy,
                                      args=(server, self.connection))
            thread.start()
            copy(self.connection, server)
            thread.join()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Proxy)
print(f"port={server.server_address[1]}", flush=True)
server.serve_forever()
