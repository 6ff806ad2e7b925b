#!/usr/bin/env bash
# 1,000 messages over three providers that answer in every way by chance, with
# two runners and in several passes: each request is one attempt that was told,
# each message ends in one place, and none is sent twice but for a lost answer.
#   MIXED_SEED: another course of events (it is printed when something fails)
source "$(dirname "$0")/../support/shell.sh"
source "$PONY_SOURCE/tests/support/stand_in.sh"
: "${MIXED_SEED:=1}"

start_stand_in main second third
config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
retry: {first: 10m, factor: 1, max: 10m, jitter: 0%}
breaker: {failures: 4, cool_down: 1s, max_cool_down: 1m}
providers:
$(provider main sendgrid "timeout: 1s, connections: 5")
$(provider second mandrill "timeout: 1s, connections: 5")
$(provider third resend "timeout: 1s, connections: 5, rate: 100/s")
pools: {default: {strategy: random, providers: [main, second, third]}}
YAML

# One course of behaviours for each provider: success most of the time, else
# any, often several times in a row.
/usr/bin/python3 - "$T" "$MIXED_SEED" <<'PY'
import json, pathlib, random, sys
folder, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
common = ["429", "429-empty", "408", "500", "500-empty", "502-html", "503",
          "504", "504-json", "400-html", "404-html", "200-html", "200-types",
          "301", "nul", "garbage", "cut-status-line", "cut-headers",
          "200-cut-body", "close-after-body", "reset-after-body",
          "close-before-body", "close-in-body", "silent", "early-413"]
own = {"main": ["401-key", "400-recipient", "401-credits"],
       "second": ["partial", "Invalid_Key", "queued-account-suspended",
                  "rejected-hard-bounce", "rejected-test-mode-limit"],
       "third": ["422-validation_error", "429-daily_quota_exceeded",
                 "409-concurrent_idempotent_requests"]}
for name, more in own.items():
    chance = random.Random(f"{seed} {name}")
    lines = []
    for number in range(150):
        lines.append({"behaviour": "success", "times": chance.randint(1, 8)})
        lines.append({"behaviour": chance.choice(common + 2 * more),
                      "times": chance.choice([1, 1, 1, 2, 6])})
    lines = [json.dumps({**line, "mark": n}) for n, line in enumerate(lines)]
    (folder / f"{name}.script").write_text("\n".join(lines) + "\n")
PY

/usr/bin/python3 - <<'PY' | pony enqueue >"$T/ids"
import json
for n in range(1000):
    to = [f"ann{n}@example.com"]
    if n % 3 == 0:
        to += [f"bob{n}@example.com", f"bad{n}@example.com"]
    print(json.dumps({"to": to, "subject": f"Mail {n}", "text": "x"}))
PY
is_so 1000 "$(wc -l <"$T/ids")"

# Passes an hour apart, each with two runners, until nothing waits.
passes=0
while (($(count_in new) + $(count_in deferred) > 0)); do
  ((++passes <= 12)) || fail "still not done; MIXED_SEED=$MIXED_SEED"
  pids=()
  for n in 1 2; do
    at "+${passes}h" run --jobs 20 >"$T/run.$passes.$n" 2>&1 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || (($? == 75)) || fail "a run failed: $(cat "$T/run.$passes".*)"
  done
done

/usr/bin/python3 - "$T" "$SPOOL" >"$T/judged" 2>&1 <<'PY' || fail "$(cat "$T/judged"); MIXED_SEED=$MIXED_SEED"
import collections, json, pathlib, sys
folder, spool = map(pathlib.Path, sys.argv[1:])
ids = set((folder / "ids").read_text().split())
wrong = []

def same(got, wanted, words):
    if got != wanted:
        wrong.append(f"{words}: {got} instead of {wanted}")

# Where each message is, and its life.
places, events = collections.defaultdict(list), {}
for place in ("new", "deferred", "held", "cur", "sent", "failed", "tmp"):
    for path in (spool / place).rglob("*.jsonl"):
        places[path.stem].append(place)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        events[path.stem] = lines[1:]
same(set(places), ids, "messages")
for id, where in places.items():
    if where not in (["sent"], ["failed"]):
        wrong.append(f"{id} is in {where}")

# Requests and attempts, by provider; and the log has what the files have.
attempts = collections.Counter()
for id, life in events.items():
    for event in life:
        if event["event"] == "attempted":
            attempts[event["provider"]] += 1
logged = collections.Counter()
for path in (spool / "log").glob("*.jsonl"):
    for line in path.read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "attempted":
            logged[event["provider"]] += 1
same(logged, attempts, "attempts in the log")
accepted = collections.Counter()  # of (message, recipient)
for name in ("main", "second", "third"):
    asked = [json.loads(line)
             for line in (folder / f"{name}.log").read_text().splitlines()]
    same(len(asked), attempts[name], f"requests at '{name}'")
    for one in asked:
        if "bad" in one:
            wrong.append(f"{name}: {one['bad']}")
        if one["behaviour"] in ("", "success") and one["answered"] in (200, 202):
            number = one["mail"]["subject"].split()[1]
            for person in one["mail"]["to"]:
                accepted[number, person["email"]] += 1

# What the events say is what happened: who was accepted was so once, unless
# an answer was lost before.
for id, life in events.items():
    told = [e for e in life if e["event"] == "attempted"]
    in_doubt = any(o == "unknown" for e in told for o in
                   [e["outcome"], *(r["outcome"] for r in e.get("recipients", []))])
    last = life[-1]["event"]
    if (last == "sent") != any(e["outcome"] == "accepted" for e in told):
        wrong.append(f"{id}: ends with {last}: {life}")
    path = next((spool / places[id][0]).rglob(f"{id}.jsonl"))
    head = json.loads(path.read_text().splitlines()[0])
    number = head.get("message", head)["subject"].split()[1]
    for (which, email), count in accepted.items():
        if which == number and count > 1 and not in_doubt:
            wrong.append(f"{id}: {email} was accepted {count} times: {life}")
ends = collections.Counter(where[0] for where in places.values())
print(dict(ends), dict(attempts))
for words in wrong[:20]:
    print(words)
sys.exit(bool(wrong))
PY
cat "$T/judged"
expect 0 pony fsck --dry-run
