#!/usr/bin/env python3
"""Sums up a run of `meson test`: names what failed and why cases were skipped, then `N passed, N failed`.

    count-tests.py BUILD/meson-logs/testlog.json

A test that speaks TAP counts each of its cases, any other counts as one. A test that died, timed out or
announced more cases than it ran has failed in one case at least. Status 1 if anything failed, 2 if nothing ran.
"""

import json
import re
import sys
from collections import Counter, namedtuple

Case = namedtuple("Case", "name outcome reason")  # outcome: passed, failed, skipped

# Only lines without indent: a subtest's own cases are summed up by the line that closes it.
RESULT = re.compile(r"(?P<bad>not )?ok\b(?: +\d+)?(?P<name>.*?)(?:\s# *(?P<how>skip|todo)\S*(?P<reason>.*))?", re.I)
PLAN = re.compile(r"1\.\.(?P<n>\d+)(?: *# *skip\S*(?P<reason>.*))?", re.I)
MAX_REASON = 40  # lines


def read_tap(lines):
    """The cases that a TAP producer reports, and its plan: how many it announced and why none (None: no plan).
    Comments behind a failure are its reason. Dying is a failure, unless it is what the last case reported."""
    cases, plan = [], None
    for line in map(str.rstrip, lines):
        if found := PLAN.fullmatch(line):
            plan = int(found["n"]), (found["reason"] or "no cases").strip()
        elif found := RESULT.fullmatch(line):
            how = (found["how"] or "").lower()
            outcome = "skipped" if how == "skip" else "failed" if found["bad"] and how != "todo" else "passed"
            cases.append(Case(found["name"].strip(" -"), outcome, (found["reason"] or "").strip()))
        elif line.startswith("Bail out!") and not (cases and cases[-1].outcome == "failed"):
            cases.append(Case("", "failed", line[9:].strip()))
        elif line.startswith("# ") and cases and cases[-1].outcome == "failed":
            if cases[-1].reason.count("\n") < MAX_REASON:
                cases[-1] = cases[-1]._replace(reason=f"{cases[-1].reason}\n  {line[2:]}")
    return cases, plan


def cases_of(test):
    """All cases of one line of meson's log."""
    name, verdict = test["name"].split(" / ")[-1], test["result"]
    bad = verdict not in ("OK", "SKIP", "EXPECTEDFAIL")
    cases, plan = read_tap(test.get("stdout", "").splitlines())
    if not cases:
        skipped = verdict == "SKIP" or plan and plan[0] == 0 and not bad
        reason = plan[1] if plan and skipped else verdict.lower()
        return [Case(name, "failed" if bad else "skipped" if skipped else "passed", reason)]
    cases = [c._replace(name=f"{name}: {c.name}" if c.name else name) for c in cases]
    ended = f"{verdict.lower()} after {len(cases)} of {plan[0] if plan else 'an unknown number of'} cases"
    early = not plan or len(cases) < plan[0]
    failed = [i for i, c in enumerate(cases) if c.outcome == "failed"]
    if failed and early:
        last = cases[failed[-1]]
        cases[failed[-1]] = last._replace(reason=f"{last.reason}\n  {ended}")
    elif not failed and (bad or early):
        cases.append(Case(name, "failed", ended if early else f"{verdict.lower()}, status {test.get('returncode')}"))
    return cases


def main(path):
    with open(path, encoding="utf-8") as log:
        cases = [case for line in log for case in cases_of(json.loads(line))]
    count = Counter(case.outcome for case in cases)
    reasons = Counter(case.reason or "no reason given" for case in cases if case.outcome == "skipped")
    for reason, n in reasons.most_common():
        print(f"skipped {n}: {reason}")
    for case in cases:
        if case.outcome == "failed":
            print(f"failed: {case.name}" + (": " if case.reason[:1].strip() else "") + case.reason)
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    print(f"{count['passed']} passed, {count['failed']} failed{skipped}")
    return 1 if count["failed"] else 0 if count["passed"] else 2


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
