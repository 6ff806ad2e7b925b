"""Drives a headless Chromium through its pipe, for tests that have to look.

No library: the DevTools protocol is JSON objects, each ended by a NUL, on the
descriptors 3 (to the browser) and 4 (from it).
"""

import base64
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import zlib


class Browser:
    def __init__(self, program="chromium", wait=60):
        self.profile = tempfile.mkdtemp(prefix="pony-browser.")
        to_read, self.to = os.pipe()
        self.answers, from_write = os.pipe()

        def descriptors():
            # Both may stand where the other is wanted.
            ours = os.dup(to_read), os.dup(from_write)
            os.dup2(ours[0], 3)
            os.dup2(ours[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-component-update", "--disable-background-networking",
             "--remote-debugging-pipe", "--user-data-dir=" + self.profile, "about:blank"],
            preexec_fn=descriptors, close_fds=False, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.wait = wait
        self.calls = 0
        self.buffer = b""
        self.events = []

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, method, session=None, **params):
        """Calls a method of the protocol; what else was told is in `events`."""
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self.calls:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _read(self):
        end = time.monotonic() + self.wait
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser says nothing")
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise EOFError("the browser is gone")
            self.buffer += more
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, url, width=1280, height=900, scheme="light", mobile=False):
        """Opens a page and returns it once everything it loads is there."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        page.call("Page.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=mobile)
        page.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events = []
        page.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())
        return page


class Page:
    def __init__(self, browser, session, target):
        self.browser = browser
        self.session = session
        self.target = target

    def call(self, method, **params):
        return self.browser.call(method, session=self.session, **params)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def eval(self, expression):
        """What an expression is in the page (ours, the page has no script)."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def settle(self):
        """Two frames later, what was clicked is painted."""
        self.eval("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                      clickCount=1)

    def picture(self, file=None, clip=None, scale=1):
        """What is seen (within `clip`: x, y, width, height), as a Picture; also
        written to `file`. A quarter of the size is read in a sixteenth of the time."""
        x, y, width, height = clip or (0, 0, self.eval("innerWidth"), self.eval("innerHeight"))
        area = {"x": x + self.eval("scrollX"), "y": y + self.eval("scrollY"),
                "width": width, "height": height, "scale": scale}
        png = base64.b64decode(
            self.call("Page.captureScreenshot", format="png", clip=area)["data"])
        if file:
            with open(file, "wb") as out:
                out.write(png)
        return Picture(png)


class Picture:
    """A PNG of 8 bits a channel, without interlacing, as browsers write it."""

    def __init__(self, png):
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        at, data = 8, b""
        while at < len(png):
            size, kind = struct.unpack(">I4s", png[at:at + 8])
            chunk = png[at + 8:at + 8 + size]
            if kind == b"IHDR":
                self.width, self.height, depth, colours, _, _, interlaced = struct.unpack(
                    ">IIBBBBB", chunk)
                assert depth == 8 and colours in (2, 6) and not interlaced
                self.channels = 3 if colours == 2 else 4
            elif kind == b"IDAT":
                data += chunk
            at += size + 12
        self.rows = self._rows(zlib.decompress(data))

    def _rows(self, data):
        n, size = self.channels, self.width * self.channels
        rows, above = [], bytearray(size)
        for y in range(self.height):
            begin = y * (size + 1)
            kind, row = data[begin], bytearray(data[begin + 1:begin + 1 + size])
            if kind == 1:
                for i in range(n, size):
                    row[i] = (row[i] + row[i - n]) & 255
            elif kind == 2:
                row = bytearray((a + b) & 255 for a, b in zip(row, above))
            elif kind in (3, 4):
                for i in range(size):
                    a = row[i - n] if i >= n else 0
                    b, c = above[i], above[i - n] if i >= n else 0
                    if kind == 3:
                        guess = (a + b) >> 1
                    else:
                        p = a + b - c
                        pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
                        guess = a if pa <= pb and pa <= pc else b if pb <= pc else c
                    row[i] = (row[i] + guess) & 255
            rows.append(row)
            above = row
        return rows

    def at(self, x, y):
        """The colour of a pixel: (red, green, blue)."""
        begin = x * self.channels
        return tuple(self.rows[y][begin:begin + 3])

    def colours(self):
        """How many colours there are; one in a picture of nothing."""
        found = set()
        for y in range(self.height):
            found.update(self.at(x, y) for x in range(self.width))
        return len(found)
