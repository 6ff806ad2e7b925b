"""Looks at what `pony report --format html` makes, in a real browser.

    look_at_report.py FOLDER LOG PONY...

FOLDER is an empty one for pages and pictures, LOG the spool's log folder, into
which a month of mail is written, PONY... the command that reads it. Says what
is wrong and ends with 1.
"""

import base64
import datetime
import http.server
import json
import math
import os
import random
import subprocess
import sys
import threading

from browser import Browser

folder, log, pony = sys.argv[1], sys.argv[2], sys.argv[3:]
wrong = []
chance = random.Random(7)
now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def expect(fine, *what):
    if not fine:
        wrong.append(" ".join(str(one) for one in what))


class Server:
    """Answers nothing, and counts who connects."""

    def __init__(self):
        server = self
        self.connections = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def setup(self):
                server.connections += 1
                super().setup()

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


watched = Server()
BREAKOUT = ("\"'--></style></title></svg></td></table><script>document.title='ran'</script>"
            f"<img src='{watched.url}/x' onerror=\"document.title='ran'\">\x1b[31m\u202e")

numbers = iter(range(1, 10**9))


def message(at, tag, template, domain, failed, dead):
    """The events of one message, by kind."""
    shared = {"id": f"01KAQ4Z7N8Q2M3V5X6{next(numbers):08d}", "by": "test:1", "template": template,
              "lang": "en", "pool": "default", "tags": [tag], "domain": domain}

    def event(name, after, **more):
        ts = (at + datetime.timedelta(milliseconds=after)).isoformat(timespec="milliseconds")
        return {"ts": ts.replace("+00:00", "Z"), "event": name, **shared, **more}

    first, second = ("sendgrid", "mailgun") if dead else (chance.choice(("sendgrid", "relay")), "")
    yield event("queued", 0)
    latency = int(chance.lognormvariate(5, 0.7))
    if dead:
        yield event("attempted", 1, attempt=1, provider=first, latency_ms=latency,
                    outcome="unavailable", error="503 service unavailable")
    provider, attempt = second or first, 2 if dead else 1
    yield event("attempted", 2, attempt=attempt, provider=provider, latency_ms=latency,
                outcome="rejected" if failed else "accepted")
    if failed:
        yield event("failed", 3, attempt=attempt, provider=provider, reason=failed)
    else:
        yield event("sent", 3, attempt=attempt, provider=provider,
                    queue_ms=int(chance.lognormvariate(7, 1.5)))


def write_log():
    """Mail by day and by night, a provider that dies for the last six hours, and at last one
    message after another that tries to be more than text."""
    tags = ["signup", "password-reset", "receipt", "newsletter", "invite", "alert",
            "a-tag-with-a-name-that-somebody-must-have-liked-very-much-indeed"] + [
                f"campaign-{i}" for i in range(12)]
    reasons = ["550 5.1.1 no such user here", "552 5.2.2 mailbox full, and a few words more "
               "about it that nobody will ever read to their end"]
    for hour in range(30 * 24, 0, -1):
        at = now - datetime.timedelta(hours=hour)
        for number in range(int(7 + 6 * math.sin(at.hour / 24 * 6.3))):
            when = at + datetime.timedelta(seconds=number)
            failed = chance.choice(reasons) if chance.random() < 0.02 else ""
            write(message(when, tags[int(chance.random() ** 3 * len(tags))],
                          chance.choice(("welcome", "receipt")),
                          chance.choice(("gmail.com", "web.de", "漢字.example")), failed,
                          hour <= 6))
    for number in range(9):
        write(message(now - datetime.timedelta(minutes=9, seconds=number), BREAKOUT,
                      BREAKOUT, "w" * 240 + ".example", BREAKOUT, False))


def write(events):
    for event in events:
        with open(os.path.join(log, f"events-{event['ts'][:10]}.jsonl"), "a") as out:
            out.write(json.dumps(event, ensure_ascii=False) + "\n")


def page_of(name, *arguments):
    file = os.path.join(folder, name + ".html")
    done = subprocess.run([*pony, "report", "--format", "html", "--output", file, *arguments],
                          capture_output=True, text=True)
    expect(done.returncode == 0 and not done.stdout and not done.stderr, name, "was answered by",
           done.returncode, done.stderr)
    expect(os.stat(file).st_mode & 0o777 == 0o644, name, "is not for all")
    return file


# Rectangles of all visible text, cut where a box cuts what flows over; and those
# that lie over each other.
OVERLAPS = """(() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const add = (text, r, of, node) => {
    if (r.width < 1 || r.height < 1) return;
    let top = r.top, bottom = r.bottom;
    for (let up = of; up; up = up.parentElement) {
      if (getComputedStyle(up).overflow == 'hidden') {
        const box = up.getBoundingClientRect();
        top = Math.max(top, box.top); bottom = Math.min(bottom, box.bottom);
      }
    }
    if (bottom - top > 1) found.push({text, node, left: r.left, right: r.right, top, bottom});
  };
  for (let node; node = walker.nextNode();) {
    const hidden = node.parentElement.closest('svg, details:not([open]) > :not(summary)');
    if (!node.data.trim() || hidden) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) add(node.data, r, node.parentElement, node);
  }
  for (const tick of document.querySelectorAll('[data-t]'))
    for (const r of tick.getClientRects()) add(tick.dataset.t, r, tick, tick);
  const over = [];
  for (let i = 0; i < found.length; ++i) for (let k = i + 1; k < found.length; ++k) {
    const a = found[i], b = found[k];
    // A font's letters are higher than its lines: those of one text may touch.
    if (a.node != b.node && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
      over.push(a.text.slice(0, 40) + ' / ' + b.text.slice(0, 40));
  }
  return found.length < 40 ? ['there is no text'] : over;
})()"""

# The least contrast (WCAG 2) of text with what is behind it.
CONTRAST = """(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => {
    v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const solid = c => c != 'rgba(0, 0, 0, 0)';
  let least = 99, where = '';
  for (const one of document.querySelectorAll('body *:not(svg, svg *, style)')) {
    if (![...one.childNodes].some(n => n.nodeType == 3 && n.data.trim())) continue;
    let behind = one;
    while (behind && !solid(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const a = light(getComputedStyle(one).color);
    const b = light(getComputedStyle(behind || document.body).backgroundColor);
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < least) { least = contrast; where = one.textContent.slice(0, 40); }
  }
  return [least, where];
})()"""

ACCENTS = {"light": ((28, 101, 131), (224, 105, 42)), "dark": ((95, 176, 208), (242, 138, 75))}


def colours_of(page, selector):
    box = page.eval(f"(() => {{ const r = document.querySelector('{selector}')"
                    ".getBoundingClientRect(); return [r.x, r.y, r.width, r.height] })()")
    picture = page.picture(clip=box)
    return {picture.at(x, y) for y in range(0, picture.height, 3)
            for x in range(0, picture.width, 3)}


def look_at(browser, name, file, width, scheme):
    which = f"{name}, {scheme}, {width} px:"
    page = browser.open("file://" + file, width, 900, scheme, mobile=width < 500)
    needed = page.eval("document.documentElement.scrollWidth")
    expect(needed <= width, which, "is", needed, "wide")
    expect(page.eval("document.title").startswith("Mail report, "), which, "its title is",
           page.eval("document.title"))
    expect(page.eval("document.querySelectorAll('script, img, iframe, [onerror]').length") == 0,
           which, "something broke out")
    expect(page.eval("performance.getEntriesByType('resource').length") == 0, which,
           "something was loaded")
    for selector, colour in zip((".of-sent .plot svg", ".of-failed .plot svg"), ACCENTS[scheme]):
        expect(colour in colours_of(page, selector), which, "no bars in", selector)
    paper = page.picture(clip=(0, 0, 4, 4)).at(1, 1)
    expect(page.eval("[...document.querySelectorAll('.strip')].length") > 2, which, "no strips")
    expect((sum(paper) > 380) == (scheme == "light"), which, "its paper is", paper)
    for opened in (False, True):
        page.eval(f"document.querySelector('details').open = {json.dumps(opened)}")
        page.settle()
        over = page.eval(OVERLAPS)
        expect(not over, which, "text over text:", over[:5])
        needed = page.eval("document.documentElement.scrollWidth")
        expect(needed <= width, which, "is", needed, "wide, opened:", opened)
    contrast, where = page.eval(CONTRAST)
    expect(contrast >= 4.5, which, "the contrast of", where, "is", contrast)
    expect(page.eval("[...document.querySelectorAll('svg')].every(s => s.ariaHidden == 'true' || "
                     "(s.role == 'img' && (s.ariaLabel || s.querySelector('title') && "
                     "s.querySelector('desc'))))"),
           which, "a picture has no words")
    expect(page.eval("[...document.querySelectorAll('th')].every(h => h.scope)"), which,
           "a heading heads nothing")
    page.picture(os.path.join(folder, f"{name}-{width}-{scheme}.png"))
    page.close()


def look_at_print_and_mail(browser, file):
    page = browser.open("file://" + file, 800, 900)
    pdf = base64.b64decode(page.call("Page.printToPDF", printBackground=False)["data"])
    expect(pdf.startswith(b"%PDF") and len(pdf) > 10000, "it cannot be printed")
    # What a mail program leaves of it.
    text = page.eval("(() => { document.querySelectorAll('svg, style').forEach(e => e.remove());"
                     "document.querySelectorAll('details').forEach(d => d.open = true);"
                     "return document.body.innerText })()")
    expect("each day" not in text, "a mail has captions of pictures that it has not")
    for word in ("messages failed or expired", "sendgrid", "unavailable", "no such user",
                 "p95", "receipt", "web.de"):
        expect(word in text, "without pictures and style there is no", word)
    page.close()


write_log()
pages = {"month": page_of("month", "--since", "30d"),
         "day": page_of("day", "--since", "1d", "--top", "0", "--by", "pool,lang")}
with Browser() as chromium:
    for name, file in pages.items():
        for width in (1200, 360):
            for scheme in ("light", "dark"):
                look_at(chromium, name, file, width, scheme)
    look_at_print_and_mail(chromium, pages["month"])
expect(watched.connections == 0, "something connected", watched.connections, "times")
for one in wrong:
    print(one, file=sys.stderr)
sys.exit(1 if wrong else 0)
