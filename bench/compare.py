"""Do both sides give the same? Order is compared where neither statement says it: not at all."""

import json

from client import rows_of


def canonical(value):
    """Text that is the same for the same JSON."""
    return json.dumps(value, sort_keys=True)


def canonical_list(text):
    """The elements of a JSON array in some order that does not depend on theirs."""
    return sorted(map(canonical, json.loads(text or "[]")))


def count(result):
    """How many rows were written: what our function returns, or the command's own count."""
    return int(result.get_value(0, 0)) if result.nfields else result.command_tuples


def report(result):
    """What sync and toggle say that they did: sets of ids."""
    return [canonical_list(value) for value in rows_of(result)[0]]


def rows(result):
    """Rows as text."""
    return sorted(rows_of(result), key=repr)


def json_rows(result):
    """Rows of one JSON value."""
    return sorted(canonical(json.loads(value)) for value, in rows_of(result))


def lists(result):
    """A JSON array for each parent, of those that have rows."""
    return {parent: canonical_list(value) for parent, value in rows_of(result) if value not in (None, "[]")}


KINDS = {"count": count, "report": report, "rows": rows, "json": json_rows, "lists": lists}


def comparable(kind, results):
    """What both sides must agree on, of the results of all calls."""
    return [KINDS[kind](result) for result in results]
