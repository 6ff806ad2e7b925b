# pony report in every format: what people read, and what other programs do.
source "$(dirname "$0")/../support/shell.sh"

# Two hours of mail: sendgrid dies, mailgun carries its mail; tags from a
# stranger, of whom spreadsheets and scrapers must be safe.
pony enqueue --to ann@example.com --subject One --text x --tag mine >"$T/ids"
python3 - "$SPOOL/log" <<'PY'
import datetime, json, os, sys
now = datetime.datetime.now(datetime.timezone.utc)
def write(minutes, number, event, **more):
    at = now - datetime.timedelta(minutes=minutes, microseconds=1000 * number)
    ts = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"ts": ts, "event": event, "id": f"01KAQ4Z7N8Q2M3V5X6{number:08d}", "by": "test:1",
            "template": "welcome", "lang": "en", "pool": "default", "domain": "example.com", **more}
    with open(os.path.join(sys.argv[1], f"events-{ts[:10]}.jsonl"), "a") as log:
        log.write(json.dumps(line) + "\n")
for number in range(60):
    tag = "signup" if number < 30 else f"campaign-{number}"
    write(90, number, "queued", tags=[tag])
    write(89, number, "attempted", tags=[tag], attempt=1, provider="sendgrid", latency_ms=2000,
          outcome="unavailable", error="503 service unavailable")
    write(88, number, "attempted", tags=[tag], attempt=2, provider="mailgun", latency_ms=123,
          outcome="accepted")
    write(87, number, "sent", tags=[tag], attempt=2, provider="mailgun", queue_ms=30000 + number)
hostile = ["=1+1", " =1+1", "-2", "\t@x", "a;=2", 'say "no"\nand {go}', "漢字, é", "\\", "x\\"]
for number, tag in enumerate(hostile, 100):
    write(60, number, "failed", tags=[tag], reason=tag)
PY

# A table: how it went, then problems first; what is cut is counted.
expect 0 pony report --by provider --since 2h
head -n3 "$T/out" | grep -q "60 of 120 attempts were not accepted (50.0 %)" || fail "no headline"
out_has "sendgrid: 60 of 60 attempts since "
out_has "failed (60 unavailable); mailgun accepted 60 meanwhile"
[[ $(awk '/^provider/ {getline; print $1}' "$T/out") == sendgrid ]] || fail "problems are not first"
expect 0 pony report --top 12
out_has "; mailgun accepted 60 meanwhile"
out_has "… and 29 more"
[[ $(awk '/^tag/ {getline; print $1}' "$T/out") != signup ]] || fail "problems are not first"
grep -qE '^total +61 +60 +9 ' "$T/out" || fail "the total is not of all"
expect 0 pony report
[[ $(grep -c . "$T/out") == 45 ]] || fail "a file does not get all rows"
expect 0 pony report --by hour --top 1
out_has " before"

# It fits a terminal, which gets the first twenty rows unless it asks for more.
cat >"$T/terminal.py" <<'PY'
import fcntl, os, pty, struct, sys, termios, unicodedata
columns = int(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
text = b""
try:
    while more := os.read(terminal, 65536):
        text += more
except OSError:
    pass
assert os.waitpid(child, 0)[1] == 0
lines = text.decode().replace("\r\n", "\n").splitlines()
for line in lines:
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
    assert wide <= columns, (wide, line)
print(len(lines))
PY
lines_at() { python3 "$T/terminal.py" "$1" "$PONY" --config "$T/pony.yaml" report "${@:2}"; }
for by in tag provider reason event hour template,lang provider,reason day,domain; do
  lines_at 80 --by "$by" >/dev/null
  lines_at 40 --by "$by" >/dev/null
done
[[ $(lines_at 80) == 27 ]] || fail "a terminal gets $(lines_at 80) lines"
[[ $(lines_at 80 --top 0) == 47 ]] || fail "--top 0"

# JSON and CSV say the same; a spreadsheet gets no formula.
expect 0 pony report --format csv
cp "$T/out" "$T/csv"
expect 0 pony report --json
python3 - "$T/csv" "$T/out" <<'PY'
import csv, json, sys
cells = list(csv.DictReader(open(sys.argv[1], newline="")))
rows = json.load(open(sys.argv[2]))
assert list(rows[0]) == ["tag", "queued", "sent", "failed", "deferred", "cancelled", "expired",
                         "attempts", "unknown", "failure_rate", "queue_ms", "provider_ms"], rows[0]
assert len(cells) == len(rows) == 41, (len(cells), len(rows))
for cell, row in zip(cells, rows):
    assert cell["tag"] in (row["tag"], "'" + row["tag"]), (cell, row)
    assert cell["tag"].lstrip()[:1] not in ("=", "+", "-", "@"), cell
    for name in list(row)[1:9]:
        assert int(cell[name]) == row[name], (cell, row)
    assert float(cell["failure_rate"]) == row["failure_rate"], (cell, row)
    for what in ("queue", "provider"):
        for name, ms in row[what + "_ms"].items():
            assert cell[f"{what}_{name}_ms"] == ("" if ms is None else str(ms)), (cell, row)
# A program that splits at semicolons too must not find a cell in a cell.
raw = open(sys.argv[1], newline="").read()
assert '"a;=2"' in raw and "'=1+1," in raw and "\"'\t@x\"" in raw, raw
PY
expect 0 pony report --format csv --top 3
[[ $(wc -l <"$T/out") -ge 4 ]] || fail "--top 3"
grep -q '^signup' "$T/out" && fail "what went well is not among the worst"

# Metrics, checked by Prometheus' own tool.
for by in tag provider reason event template,lang; do
  expect 0 pony report --by "$by" --format prometheus --output "$T/pony-$by.prom" --since 2h
  [[ ! -s $T/out ]] || fail "the file's content is printed"
  [[ $(stat -c %a "$T/pony-$by.prom") == 644 ]] || fail "node_exporter cannot read it"
done
if command -v promtool >/dev/null; then
  for file in "$T"/pony-*.prom; do
    expect 0 promtool check metrics <"$file"
    [[ ! -s $T/out && ! -s $T/err ]] || { cat "$T/out" "$T/err" >&2; fail "promtool on $file"; }
  done
fi
grep -qx 'pony_report_attempts{by="provider",provider="sendgrid",outcome="unavailable"} 60' \
  "$T/pony-provider.prom" || fail "no attempts"
grep -qx 'pony_report_queue_seconds_bucket{by="provider",provider="mailgun",le="60"} 60' \
  "$T/pony-provider.prom" || fail "no histogram"
# All of them in one folder: no series twice, no metric with two kinds of help.
[[ -z $(cat "$T"/pony-*.prom | grep -v '^#' | sed 's/ [^ ]*$//; s/,[a-z]*=""//g' | sort | uniq -d) ]] ||
  fail "a series twice"
[[ -z $(cat "$T"/pony-*.prom | grep '^# HELP' | sort -u | cut -d' ' -f3 | uniq -d) ]] || fail "two helps"
expect 64 pony report --format prometheus --top 3
err_has "--top cannot be combined with --format prometheus"

# A file is replaced by rename, or not at all; no link is followed.
echo old >"$T/report.html"
exec 9<"$T/report.html"
expect 0 pony report --format html --output "$T/report.html"
[[ $(cat <&9) == old ]] || fail "the old file was written into"
head -n1 "$T/report.html" | grep -qx '<!DOCTYPE html>' || fail "no page"
expect 73 pony report --format html --output "$T/none/report.html"
ln -s "$T/csv" "$T/link"
expect 73 pony report --output "$T/link"
[[ $(ls -A "$T" | grep -c '^\.') == 0 ]] || fail "something was left behind"
expect 0 pony report --format html --output -
out_has "</html>"

command -v chromium >/dev/null || exit 77
mkdir "$T/look"
expect 0 /usr/bin/python3 -B "$PONY_SOURCE/tests/support/look_at_report.py" "$T/look" "$SPOOL/log" \
  "$PONY" --config "$T/pony.yaml"
