#!/usr/bin/env python3
"""Watches `pony top` as a person at a terminal would: pony, config."""
import os
import signal
import subprocess
import sys

from terminal import Terminal

PONY, CONFIG = sys.argv[1:3]
TOP = [PONY, "--config", CONFIG, "top", "--interval", "100ms"]
UTF8 = {"LC_ALL": "C.UTF-8"}


def is_restored(terminal, before):
    assert not terminal.other, "the other screen is left"
    assert terminal.cursor, "no cursor"
    assert terminal.wraps, "lines do not wrap any more"
    assert terminal.settings()[3] == before[3], "no echo, or no line mode"


def opened(columns=100, rows=40, **environment):
    terminal = Terminal(TOP, columns, rows, {**UTF8, **environment})
    before = terminal.settings()
    terminal.wait_for("PROVIDER")
    assert terminal.other and not terminal.cursor
    return terminal, before


def enqueue():
    subprocess.run([PONY, "--config", CONFIG, "enqueue", "--to", "ann@example.com",
                    "--subject", "x", "--text", "x"], check=True, stdout=subprocess.DEVNULL)


# It shows what is there, and what comes; q ends it and restores the screen.
terminal, before = opened()
terminal.wait_for("new 0")
enqueue()
terminal.wait_for("new 1")
terminal.wait_for("arrivals")
terminal.wait_for(lambda: any(bar in terminal.text() for bar in "▁▂▃▄▅▆▇█"))
assert terminal.colours > 0, "no colours"
terminal.type("x")
terminal.type("q")
assert terminal.end() == 0
is_restored(terminal, before)

# So do ^C and the signals that end a program.
for how in ["\x03", signal.SIGTERM, signal.SIGHUP, signal.SIGINT]:
    terminal, before = opened()
    if isinstance(how, str):
        terminal.type(how)
    else:
        os.kill(terminal.pid, how)
    assert terminal.end() == 0, how
    is_restored(terminal, before)

# In 20 columns, and in 5 rows, nothing runs over; a change of size is seen.
terminal, before = opened(20, 40)
assert terminal.widest <= 20, terminal.widest
terminal.resize(120, 5)
terminal.wait_for(lambda: terminal.widest > 20)
terminal.wait_for(lambda: len(terminal.lines()) == 5)
terminal.resize(1, 1)
terminal.wait_for(lambda: len(terminal.lines()) == 1)
terminal.resize(80, 24)
terminal.wait_for("PROVIDER")
terminal.type("q")
assert terminal.end() == 0
is_restored(terminal, before)

# ^Z gives the terminal back; afterwards it is taken again.
terminal, before = opened()
terminal.type("\x1a")
terminal.wait_for(lambda: not terminal.other)
_, status = os.waitpid(terminal.pid, os.WUNTRACED)
assert os.WIFSTOPPED(status)
is_restored(terminal, before)
os.kill(terminal.pid, signal.SIGCONT)
terminal.wait_for(lambda: terminal.other)
terminal.wait_for("PROVIDER")
terminal.type("q")
assert terminal.end() == 0
is_restored(terminal, before)

# Without colour where that is wanted, without bars where they cannot be shown.
terminal, _ = opened(NO_COLOR="1", LC_ALL="C")
assert terminal.colours == 0
assert terminal.raw.isascii()
terminal.type("q")
assert terminal.end() == 0

# Once is text, on a terminal too.
terminal = Terminal(TOP + ["--once"], 60, 24, UTF8)
assert terminal.end() == 0
assert b"\x1b" not in terminal.raw, terminal.raw
assert terminal.widest <= 60
print("top behaves")
