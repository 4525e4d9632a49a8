"""Test lines for prove, for tests that are written in Python."""

import sys


class Tap:
    """Prints test lines as they come, and the plan at the end."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, passed, name, *why):
        self.count += 1
        self.failed += not passed
        name = name.replace("#", r"\#")
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}", flush=True)
        if not passed:
            for line in "\n".join(str(part) for part in why).splitlines():
                print("#", line)

    def finish(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)
