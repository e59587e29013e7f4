"""The Test Anything Protocol, as far as the checks of this tree need it."""

import sys


def report(checks):
    """Prints one case for each (name, problems, skip reason or None) and exits as meson expects."""
    failed = 0
    checks = list(checks)
    print(f"1..{len(checks)}")
    for number, (name, problems, skip) in enumerate(checks, 1):
        failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {number} {name}" + (f" # SKIP {skip}" if skip else ""))
        for problem in problems:
            print(f"# {problem}")
    sys.exit(1 if failed else 0)
