"""Looks at what `pony template preview --html` makes, in a real browser.

    look_at_previews.py FOLDER PONY...

FOLDER is an empty one for the pages and pictures, PONY... the command, whose
configuration names FOLDER/templates. Says what is wrong and ends with 1.
"""

import http.server
import json
import os
import subprocess
import sys
import threading

from browser import Browser

folder, pony = sys.argv[1], sys.argv[2:]
wrong = []


def expect(fine, *what):
    if not fine:
        wrong.append(" ".join(str(one) for one in what))


class Server:
    """Answers everything, and counts: whoever connects, even without a word."""

    def __init__(self):
        server = self
        self.connections = 0
        self.paths = set()
        self.news = threading.Condition()

        class Handler(http.server.BaseHTTPRequestHandler):
            def setup(self):
                server.connections += 1
                super().setup()

            def do_GET(self):
                with server.news:
                    server.paths.add(self.path.strip("/"))
                    server.news.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def missing(self, paths, wait=20):
        """Those of `paths` that nobody has asked for, not even a while later."""
        with self.news:
            self.news.wait_for(lambda: paths <= self.paths, wait)
            return paths - self.paths


def write(path, text):
    path = os.path.join(folder, "templates", path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)


def run(*arguments):
    done = subprocess.run([*pony, "template", "preview", *arguments], capture_output=True,
                          text=True)
    return done.returncode, done.stdout


def page_of(template, *arguments):
    file = os.path.join(folder, template + ".html")
    code, _ = run(template, "--html", file, *arguments)
    expect(code == 0, template, "was answered by", code)
    return file


BREAKOUT = ("\"'--></iframe></textarea></pre></title></style></article></main>"
            "<script>document.documentElement.style.background='#f00'</script>"
            "<img src=x onerror=\"document.documentElement.style.background='#f00'\">")

# Each word is a path that is asked for where nothing keeps the mail from it.
FETCHES = {
    "script-src": "<script src='URL/script-src'></script>",
    "script": "<script>new Image().src='URL/script'</script>",
    "onerror": "<img src='data:,' onerror=\"new Image().src='URL/onerror'\">",
    "onload": "<svg onload=\"new Image().src='URL/onload'\"></svg>",
    "img": "<img src='URL/img' alt=x>",
    "srcset": "<img srcset='URL/srcset' alt=x>",
    "source": "<picture><source srcset='URL/source'><img src='data:,' alt=x></picture>",
    "background": "<table background='URL/background'><tr><td>x</table>",
    "style": "<p style=\"background:url('URL/style')\">x</p>",
    "css": "<link rel=stylesheet href='URL/css'>",
    "import": "<style>@import 'URL/import';</style>",
    "font": "<style>@font-face{font-family:f;src:url('URL/font')}</style><p style='font-family:f'>x",
    "preload": "<link rel=preload as=image href='URL/preload'>",
    "prefetch": "<link rel=prefetch href='URL/prefetch'>",
    "poster": "<video poster='URL/poster'></video>",
    "video": "<video src='URL/video' autoplay muted></video>",
    "object": "<object data='URL/object'></object>",
    "embed": "<embed src='URL/embed'>",
    "iframe": "<iframe src='URL/iframe'></iframe>",
    "frame-in-frame": "<iframe srcdoc=\"<link rel=preload as=image href='URL/frame-in-frame'>\">"
                      "</iframe>",
    "svg-image": "<svg><image href='URL/svg-image' width=9 height=9 /></svg>",
    "input": "<input type=image src='URL/input'>",
    "refresh": "<meta http-equiv=refresh content='1;url=URL/refresh'>",
}


def hostile_mail(url):
    table = "<table>" + "<tr><td>cell<td>another</tr>" * 4000 + "</table>"
    # In front, where it is seen: red once any script has run.
    return ("<!DOCTYPE html><html><head><base href='URL/base/'>"
            "<link rel=preconnect href='URL'><LINK rel=dns-prefetch href='URL'>"
            "<style>html{background:#e0f0d0}</style></head><body background='URL/body'>"
            "<a href='URL/click' style='display:block;height:100px'>a link</a>"
            "<a href='URL/self' target=_self style='display:block;height:100px'>a link</a>"
            "<script>document.documentElement.style.background='#f00';document.title='ran'</script>"
            + "".join(FETCHES.values()) + "<form id=f action='URL/form'></form>"
            "$value</textarea></iframe>" + BREAKOUT + table).replace("URL", url)


def frame_at(page, number=0):
    """Where the frame of a language lies in the window: x, y, width, height."""
    return page.eval(f"(() => {{ const f = document.querySelectorAll('iframe')[{number}];"
                     "f.scrollIntoView({block: 'start'}); scrollBy(0, -150);"
                     "const r = f.getBoundingClientRect();"
                     "return [r.x, r.y, r.width, r.height] })()")


def colour_in(page, x, y, number=0):
    left, top, _, _ = frame_at(page, number)
    return page.picture(clip=(left + x, top + y, 4, 4)).at(1, 1)


def choose(page, label):
    page.eval(f"document.querySelector('label[for={label}]').click()")
    page.settle()


def shows(page, look):
    """Does `look` come true within some frames? A mail is loaded when it is seen."""
    for _ in range(200):
        if look():
            return True
        page.settle()
    return False


def look_at_samples(browser, names):
    for name in names:
        file = page_of(name)
        for width, height in ((1280, 800), (375, 812)):
            page = browser.open("file://" + file, width, height, mobile=width < 500)
            told = page.eval("[...document.querySelectorAll('article')].map(a => a.id).join()")
            expect(told == "lang-de,lang-en,lang-es,lang-ja", name, "shows", told)
            frames = page.eval("document.querySelectorAll('iframe[sandbox=\"\"]').length")
            expect(frames == 4, name, "has", frames, "frames")
            seen = page.picture(os.path.join(folder, f"{name}-{width}.png"), scale=0.25)
            expect(seen.colours() > 40, name, "at", width, "has", seen.colours(), "colours")
            if width < 500:
                needed = page.eval("document.documentElement.scrollWidth")
                expect(needed <= width, name, "is", needed, "wide on a phone")
                expect(shows(page, lambda: page.picture(clip=frame_at(page, 3), scale=0.25)
                             .colours() > 20), name, "shows no mail")
            page.close()


def look_at_switches(browser):
    write("switches/en/subject.txt", "Hello")
    write("switches/en/body.html",
          "<!DOCTYPE html><style>body{background:#e0f0d0}"
          "@media (max-width:400px){body{background:#d0e0f0}}"
          "@media (prefers-color-scheme:dark){body{background:#203040}}"
          "</style><body>" + "<p>Hello</p>" * 99)
    file = page_of("switches")
    for scheme in ("light", "dark"):
        page = browser.open("file://" + file, 1280, 800, scheme)
        for labels, wanted in ((("at-desk", "in-light"), (0xE0, 0xF0, 0xD0)),
                               (("on-phone",), (0xD0, 0xE0, 0xF0)),
                               (("in-dark",), (0x20, 0x30, 0x40)),
                               (("at-desk",), (0x20, 0x30, 0x40)),
                               (("in-light",), (0xE0, 0xF0, 0xD0))):
            for label in labels:
                choose(page, label)
            expect(shows(page, lambda: colour_in(page, 3, 60) == wanted), "on a", scheme, "page",
                   labels[-1], "is", colour_in(page, 3, 60))
        page.eval("scrollTo(0, 200)")
        choose(page, "in-dark")
        expect(page.eval("scrollY") == 200, "a switch scrolls the page")
        page.close()


def look_at_hostile(browser):
    watched, control = Server(), Server()
    write("hostile/template.yaml", "name: " + json.dumps(BREAKOUT) + "\n")
    for lang in ("en", "es"):
        write(f"hostile/{lang}/subject.txt", BREAKOUT + " $value")
        write(f"hostile/{lang}/body.txt", BREAKOUT + " $value")
        write(f"hostile/{lang}/body.html", hostile_mail(watched.url))
    given = ("--set", "value=" + BREAKOUT)
    file = page_of("hostile", *given)
    page = browser.open("file://" + file, 1280, 800)
    told = page.eval("[...document.querySelectorAll('main > article > h2')]"
                     ".map(h => h.textContent).join()")
    expect(told == "en,es", "the hostile page shows", told)
    expect(page.eval("document.querySelectorAll('script, [onerror], main img').length") == 0,
           "something broke out")
    expect(page.eval("document.querySelectorAll('iframe').length") == 2, "frames broke out")
    expect(page.eval("document.title") == "hostile – preview", "the title was changed")
    expect(page.eval("document.querySelector('pre').textContent.startsWith("
                     + json.dumps(BREAKOUT) + ")"), "the text is not as it was written")
    for number in (0, 1):
        expect(shows(page, lambda: colour_in(page, 3, 60, number) == (0xE0, 0xF0, 0xD0)),
               "a hostile mail looks like", colour_in(page, 3, 60, number))

    # Clicks on links: one does nothing at all, the other leads nowhere.
    left, top, _, _ = frame_at(page)
    before = len(browser.call("Target.getTargets")["targetInfos"])
    page.click(left + 40, top + 60)
    page.settle()
    expect(colour_in(page, 300, 60) == (0xE0, 0xF0, 0xD0), "a click changed the mail",
           colour_in(page, 300, 60))
    page.click(left + 40, top + 160)
    page.settle()
    expect(len(browser.call("Target.getTargets")["targetInfos"]) == before,
           "a click opened a page")

    # The same mail with nothing around it: all of it works. When its slowest
    # part has come, the page's, which is older, would have come too.
    code, out = run("hostile", "--json", "--lang", "en", *given)
    expect(code == 0, "--json was answered by", code)
    bare = os.path.join(folder, "bare.html")
    with open(bare, "w") as plain:
        plain.write(json.loads(out)["html"].replace(watched.url, control.url)
                    .replace(FETCHES["refresh"].replace("URL", control.url), ""))
    other = browser.open("file://" + bare, 1280, 800)
    other.settle()
    expect(other.picture(clip=(700, 40, 4, 4)).at(1, 1) == (255, 0, 0),
           "the control's script did not run")
    refreshing = os.path.join(folder, "refresh.html")
    with open(refreshing, "w") as plain:
        plain.write(FETCHES["refresh"].replace("URL", control.url))
    browser.open("file://" + refreshing)
    missing = control.missing(set(FETCHES))
    expect(not missing, "the control did not load", missing)
    expect(watched.connections == 0, "the page connected", watched.connections,
           "times, and asked for", watched.paths)
    browser.call("Target.activateTarget", targetId=page.target)
    for label in ("on-phone", "in-dark", "at-desk", "in-light"):
        choose(page, label)
        expect(colour_in(page, 3, 60) == (0xE0, 0xF0, 0xD0), "a script of the mail ran")
    page.picture(os.path.join(folder, "hostile.png"))


with Browser() as chromium:
    look_at_samples(chromium, ("alert", "password_reset", "receipt", "welcome"))
    look_at_switches(chromium)
    look_at_hostile(chromium)
for one in wrong:
    print(one, file=sys.stderr)
sys.exit(1 if wrong else 0)
