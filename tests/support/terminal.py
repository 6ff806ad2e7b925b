"""A terminal of a test's own: runs a program in a pseudo-terminal, and knows
what a person would see of it.

    terminal = Terminal(["pony", "top"], columns=80, rows=24)
    terminal.wait_for("PROVIDER")
    terminal.type("q")
    assert terminal.end() == 0

It understands the escapes that pony writes, and fails on any other.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

ESCAPE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Terminal:
    def __init__(self, argv, columns=80, rows=24, environment=None):
        self.columns, self.rows = columns, rows
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update(environment or {})
            os.execvp(argv[0], argv)
        self.resize(columns, rows, tell=False)
        self.raw = b""        # everything that was written
        self.rest = b""       # of it, what is not interpreted yet
        self.other = False    # on the other screen
        self.cursor = True
        self.wraps = True
        self.screen = {False: {}, True: {}}
        self.at = [0, 0]
        self.widest = 0
        self.colours = 0
        self.status = None

    def resize(self, columns, rows, tell=True):
        self.columns, self.rows = columns, rows
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            os.kill(self.pid, signal.SIGWINCH)

    def settings(self):
        return termios.tcgetattr(self.fd)

    def type(self, text):
        os.write(self.fd, text.encode())

    def lines(self):
        rows = self.screen[self.other]
        last = max(rows, default=-1)
        return ["".join(rows.get(row, [])).rstrip() for row in range(last + 1)]

    def text(self):
        return "\n".join(self.lines())

    def read(self, seconds):
        """Reads for so long, or until something came; False at the end."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.raw += data
        self.rest += data
        self.interpret()
        return bool(data)

    def wait_for(self, condition, seconds=20):
        if isinstance(condition, str):
            wanted = condition
            condition = lambda: wanted in self.text()
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "waited in vain; the screen:\n" + self.text()
            if not self.read(0.05):
                assert condition(), "it ended; the screen:\n" + self.text()

    def end(self, seconds=20):
        """Waits for its end; the exit code, or minus the signal."""
        until = time.monotonic() + seconds
        while self.read(0.05):
            assert time.monotonic() < until, "it did not end"
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.status = status
                while self.read(0) and select.select([self.fd], [], [], 0)[0]:
                    pass
                break
        if self.status is None:
            _, self.status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(self.status)

    # --- what a terminal does

    def interpret(self):
        while self.rest:
            byte = self.rest[:1]
            if byte == b"\x1b":
                found = ESCAPE.match(self.rest)
                if not found:
                    assert len(self.rest) < 20, f"unknown escape {self.rest[:20]!r}"
                    return
                self.rest = self.rest[found.end():]
                self.escape(*[part.decode() for part in found.groups()])
                continue
            if byte in b"\r\n":
                self.rest = self.rest[1:]
                if byte == b"\r":
                    self.at[1] = 0
                else:
                    self.at[0] += 1
                continue
            length = 1
            if byte[0] >= 0xC0:
                length = 2 if byte[0] < 0xE0 else 3 if byte[0] < 0xF0 else 4
                if len(self.rest) < length:
                    return
            character = self.rest[:length].decode()
            assert character.isprintable(), f"{character!r} is not printable"
            self.rest = self.rest[length:]
            self.put(character)

    def put(self, character):
        row = self.screen[self.other].setdefault(self.at[0], [])
        while len(row) <= self.at[1]:
            row.append(" ")
        row[self.at[1]] = character
        self.at[1] += 1
        self.widest = max(self.widest, self.at[1])

    def escape(self, private, numbers, letter):
        if private:
            on = letter == "h"
            assert letter in "hl"
            if numbers == "1049":
                self.other = on
                if on:
                    self.screen[True] = {}
                    self.at = [0, 0]
            elif numbers == "25":
                self.cursor = on
            elif numbers == "7":
                self.wraps = on
            else:
                raise AssertionError(f"unknown mode {numbers}")
        elif letter == "H":
            assert numbers == ""
            self.at = [0, 0]
        elif letter == "K":
            row = self.screen[self.other].setdefault(self.at[0], [])
            del row[self.at[1]:]
        elif letter == "J":
            rows = self.screen[self.other]
            for row in [r for r in rows if r > self.at[0]]:
                del rows[row]
            if self.at[0] in rows:
                del rows[self.at[0]][self.at[1]:]
        elif letter == "m":
            self.colours += 1
        else:
            raise AssertionError(f"unknown escape {numbers}{letter}")
