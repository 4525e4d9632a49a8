"""What is measured: every row of the table of results, with the statements on both sides.

A hand-written opponent is one prepared statement that does the same and reports the same. Of each
kind several are written, and the fastest counts. None of them takes a lock that would make it safe
against another caller at the same time; the extension always does.

In the statements, {pivot}, {fk}, {rk} and so on stand for names of the relation (data.Relation).
"""

from dataclasses import dataclass, field

from client import to_text


@dataclass
class Case:
    """One row of the table."""

    name: str
    target: float           # ours / best hand-written may be so much; None: no target
    relation: object
    ours: str
    theirs: dict            # name of the variant: statement
    calls: list             # of tuples of parameters, run one after the other
    their_calls: list = None        # where the parameters of hand-written SQL differ
    result: str = "rows"    # what is compared: see compare.py
    writes: list = None     # parents whose rows are written, and so restored; None: it reads
    start: dict = field(default_factory=dict)   # parent: related ids that it has at the start
    runs: int = 11
    memory: int = None      # megabytes that a backend may use for one call
    # by hand also with this plan_cache_mode: what the server chooses by itself may not be the best
    plan_mode: str = "force_generic_plan"

    def __post_init__(self):
        self.ours = self.relation.sql(self.ours)
        self.theirs = {name: self.relation.sql(sql) for name, sql in self.theirs.items()}
        self.their_calls = encode(self.their_calls or self.calls)
        self.calls = encode(self.calls)


def plan_mode(n):
    """Planning anew for each call pays for many ids, and a plan for any number of them for few."""
    return "force_custom_plan" if n >= 1000 else "force_generic_plan"


def encode(calls):
    """Parameters as they go to the server."""
    return [tuple(map(to_text, call)) for call in calls]


@dataclass
class Sizes:
    """How much: the full run, or the quick one, which is about results and not about time."""

    quick: bool

    def ids(self, n):
        """A number of ids or rows."""
        quick = {1000: 100, 10_000: 300, 50_000: 500, 1_000_000: 2000}
        return quick.get(n, n) if self.quick else n

    def calls(self, n):
        """How often a statement runs in one measurement."""
        return min(n, 3) if self.quick else n

    def groups(self):
        """Generated data: groups, rows in each, members."""
        return (50, 10, 2500) if self.quick else (10_000, 100, 1_000_000)


# ---- attach

ATTACH = "SELECT m2m.attach('{name}', $1::{fk_type}, $2::{rk_type}[])"

ATTACH_THEIRS = {
    "unnest": """
        INSERT INTO {pivot} ({fk}, {rk})
        SELECT $1::{fk_type}, id FROM unnest($2::{rk_type}[]) id ON CONFLICT DO NOTHING""",
    "unnest, sorted": """
        INSERT INTO {pivot} ({fk}, {rk})
        SELECT $1::{fk_type}, id FROM unnest($2::{rk_type}[]) id ORDER BY 2 ON CONFLICT DO NOTHING""",
    "NOT EXISTS, sorted": """
        INSERT INTO {pivot} ({fk}, {rk})
        SELECT $1::{fk_type}, id FROM unnest($2::{rk_type}[]) id
        WHERE NOT EXISTS (SELECT FROM {pivot} p WHERE p.{fk} = $1 AND p.{rk} = id)
        ORDER BY 2 ON CONFLICT DO NOTHING""",
    # fails where another session inserts one of the pairs meanwhile
    "NOT EXISTS, no ON CONFLICT": """
        INSERT INTO {pivot} ({fk}, {rk})
        SELECT DISTINCT $1::{fk_type}, id FROM unnest($2::{rk_type}[]) id
        WHERE NOT EXISTS (SELECT FROM {pivot} p WHERE p.{fk} = $1 AND p.{rk} = id)
        ORDER BY 2""",
}


def attach_one(world, sizes):
    """One id for each of many parents."""
    relation = world.packages
    parents = world.random.sample(relation.fresh, sizes.calls(2000))
    return Case(
        "attach 1", 1.10, relation,
        "SELECT m2m.attach('{name}', $1::{fk_type}, $2::{rk_type})",
        {"VALUES": "INSERT INTO {pivot} ({fk}, {rk}) VALUES ($1, $2) ON CONFLICT DO NOTHING",
         "VALUES, arbiter": "INSERT INTO {pivot} ({fk}, {rk}) VALUES ($1, $2) ON CONFLICT ({fk}, {rk}) DO NOTHING"},
        [(parent, world.some_related(relation, 1)[0]) for parent in parents],
        result="count", writes=parents)


def attach(world, sizes, relation, n, target, calls=1, **options):
    """n ids for each of some parents that have no rows."""
    parents = relation.fresh[:sizes.calls(calls)]
    return Case(
        f"attach {n:,}", target, relation, ATTACH, ATTACH_THEIRS,
        [(parent, world.some_related(relation, sizes.ids(n))) for parent in parents],
        result="count", writes=parents, plan_mode=plan_mode(n), **options)


# ---- sync

SYNC = "SELECT * FROM m2m.sync('{name}', $1::{fk_type}, $2::{rk_type}[])"

REPORT = """
    SELECT coalesce((SELECT jsonb_agg({rk}) FROM new), '[]'),
           coalesce((SELECT jsonb_agg({rk}) FROM gone), '[]'), '[]'::jsonb"""

SYNC_THEIRS = {
    "CTE, ON CONFLICT": """
        WITH gone AS (
          DELETE FROM {pivot} WHERE {fk} = $1 AND {rk} <> ALL ($2::{rk_type}[]) RETURNING {rk}),
        new AS (
          INSERT INTO {pivot} ({fk}, {rk}) SELECT $1::{fk_type}, id FROM unnest($2::{rk_type}[]) id
          ON CONFLICT DO NOTHING RETURNING {rk})""" + REPORT,
    "CTE, anti joins": """
        WITH given AS MATERIALIZED (SELECT DISTINCT id FROM unnest($2::{rk_type}[]) id),
        gone AS (
          DELETE FROM {pivot} p WHERE {fk} = $1 AND NOT EXISTS (SELECT FROM given WHERE id = p.{rk})
          RETURNING {rk}),
        new AS (
          INSERT INTO {pivot} ({fk}, {rk}) SELECT $1::{fk_type}, id FROM given
          WHERE NOT EXISTS (SELECT FROM {pivot} p WHERE p.{fk} = $1 AND p.{rk} = id)
          ON CONFLICT DO NOTHING RETURNING {rk})""" + REPORT,
    "CTE, hashed sets": """
        WITH current AS MATERIALIZED (SELECT {rk} FROM {pivot} WHERE {fk} = $1),
        gone AS (
          DELETE FROM {pivot} WHERE {fk} = $1
          AND {rk} NOT IN (SELECT id FROM unnest($2::{rk_type}[]) id) RETURNING {rk}),
        new AS (
          INSERT INTO {pivot} ({fk}, {rk}) SELECT $1::{fk_type}, id FROM unnest($2::{rk_type}[]) id
          WHERE id NOT IN (SELECT {rk} FROM current)
          ON CONFLICT DO NOTHING RETURNING {rk})""" + REPORT,
    "CTE, full join": """
        WITH difference AS MATERIALIZED (
          SELECT p.ctid, g.id FROM (SELECT ctid, {rk} FROM {pivot} WHERE {fk} = $1) p
          FULL JOIN (SELECT DISTINCT id FROM unnest($2::{rk_type}[]) id) g ON g.id = p.{rk}
          WHERE p.{rk} IS NULL OR g.id IS NULL),
        gone AS (
          DELETE FROM {pivot} p USING difference d
          WHERE p.ctid = d.ctid AND d.id IS NULL RETURNING p.{rk}),
        new AS (
          INSERT INTO {pivot} ({fk}, {rk}) SELECT $1::{fk_type}, id FROM difference
          WHERE id IS NOT NULL ON CONFLICT DO NOTHING RETURNING {rk})""" + REPORT,
}


def replaced(world, relation, ids, n):
    """The ids with n of them replaced by others."""
    taken = set(ids)
    others = [id for id in world.related[relation.data] if id not in taken]
    result = ids[n:] + world.random.sample(others, n)
    world.random.shuffle(result)
    return result


def sync_few(world, sizes):
    """Parents with some ten rows: one comes, one goes."""
    relation = world.packages
    parents = world.parents_near(relation, 10, sizes.calls(500))
    return Case(
        "sync 10, 1 changed", 0.9, relation, SYNC, SYNC_THEIRS,
        [(parent, replaced(world, relation, world.rows_of(relation, parent), 1)) for parent in parents],
        result="report", writes=parents)


def sync(world, sizes, relation, n, percent, target, calls=1, **options):
    """Parents with n rows of which some percent come and go."""
    parents = relation.fresh[:sizes.calls(calls)]
    start = {parent: world.some_related(relation, sizes.ids(n)) for parent in parents}
    changed = sizes.ids(n) * percent // 100
    name = f"sync {n:,}, {percent}% changed" if percent else f"sync {n:,}, no change"
    return Case(
        name, target, relation, SYNC, SYNC_THEIRS,
        [(parent, replaced(world, relation, start[parent], changed)) for parent in parents],
        result="report", writes=parents, start=start, plan_mode=plan_mode(n), **options)


# ---- toggle

TOGGLE = "SELECT * FROM m2m.toggle('{name}', $1::{fk_type}, $2::{rk_type}[])"

TOGGLE_REPORT = """
    SELECT coalesce((SELECT jsonb_agg({rk}) FROM new), '[]'),
           coalesce((SELECT jsonb_agg({rk}) FROM gone), '[]')"""

TOGGLE_THEIRS = {
    "CTE, anti join": """
        WITH given AS MATERIALIZED (SELECT DISTINCT id FROM unnest($2::{rk_type}[]) id),
        gone AS (
          DELETE FROM {pivot} USING given WHERE {fk} = $1 AND {rk} = id RETURNING {rk}),
        new AS (
          INSERT INTO {pivot} ({fk}, {rk}) SELECT $1::{fk_type}, id FROM given
          WHERE NOT EXISTS (SELECT FROM {pivot} p WHERE p.{fk} = $1 AND p.{rk} = id)
          ON CONFLICT DO NOTHING RETURNING {rk})""" + TOGGLE_REPORT,
    "CTE, not those deleted": """
        WITH gone AS (
          DELETE FROM {pivot} WHERE {fk} = $1 AND {rk} = ANY ($2::{rk_type}[]) RETURNING {rk}),
        new AS (
          INSERT INTO {pivot} ({fk}, {rk}) SELECT $1::{fk_type}, id FROM unnest($2::{rk_type}[]) id
          WHERE id NOT IN (SELECT {rk} FROM gone)
          ON CONFLICT DO NOTHING RETURNING {rk})""" + TOGGLE_REPORT,
    "CTE, joined, not those deleted": """
        WITH gone AS (
          DELETE FROM {pivot} USING unnest($2::{rk_type}[]) id WHERE {fk} = $1 AND {rk} = id RETURNING {rk}),
        new AS (
          INSERT INTO {pivot} ({fk}, {rk}) SELECT $1::{fk_type}, id FROM unnest($2::{rk_type}[]) id
          WHERE id NOT IN (SELECT {rk} FROM gone)
          ON CONFLICT DO NOTHING RETURNING {rk})""" + TOGGLE_REPORT,
}


def toggle_few(world, sizes):
    """Five ids that the parent has, and five that it has not."""
    relation = world.packages
    parents = world.parents_near(relation, 10, sizes.calls(500))
    calls = [(parent, replaced(world, relation, world.rows_of(relation, parent)[:10], 5)) for parent in parents]
    return Case("toggle 10", 0.8, relation, TOGGLE, TOGGLE_THEIRS, calls, result="report", writes=parents)


def toggle(world, sizes, relation, n, target, calls=1, **options):
    """n ids, half of which the parent has."""
    parents = relation.fresh[:sizes.calls(calls)]
    start = {parent: world.some_related(relation, sizes.ids(n)) for parent in parents}
    return Case(
        f"toggle {n:,}", target, relation, TOGGLE, TOGGLE_THEIRS,
        [(parent, replaced(world, relation, start[parent], sizes.ids(n) // 2)) for parent in parents],
        result="report", writes=parents, start=start, plan_mode=plan_mode(n), **options)


# ---- detach

def detach(world, sizes, relation, n, target, calls=1):
    """n of the twice as many rows that a parent has."""
    parents = relation.fresh[:sizes.calls(calls)]
    start = {parent: world.some_related(relation, 2 * sizes.ids(n)) for parent in parents}
    return Case(
        f"detach {n:,}", target, relation,
        "SELECT m2m.detach('{name}', $1::{fk_type}, $2::{rk_type}[])",
        {"ANY": "DELETE FROM {pivot} WHERE {fk} = $1 AND {rk} = ANY ($2::{rk_type}[])",
         "unnest": "DELETE FROM {pivot} USING unnest($2::{rk_type}[]) id WHERE {fk} = $1 AND {rk} = id",
         "IN unnest": "DELETE FROM {pivot} WHERE {fk} = $1 AND {rk} IN (SELECT unnest($2::{rk_type}[]))"},
        [(parent, start[parent][::2]) for parent in parents],
        result="count", writes=parents, start=start, plan_mode=plan_mode(n))


def detach_all(world, sizes, relation, n, target, calls=1):
    """All of n rows."""
    parents = relation.fresh[:sizes.calls(calls)]
    start = {parent: world.some_related(relation, sizes.ids(n)) for parent in parents}
    return Case(
        f"detach all of {n:,}", target, relation,
        "SELECT m2m.detach('{name}', $1::{fk_type})",
        {"DELETE": "DELETE FROM {pivot} WHERE {fk} = $1"},
        [(parent,) for parent in parents], result="count", writes=parents, start=start)


# ---- update_existing_pivot

UPDATE = "SELECT m2m.update_existing_pivot('{name}', $1::{fk_type}, $2::{rk_type}[], $3::jsonb)"


def update_one(world, sizes):
    """One row of each of many parents."""
    relation = world.packages
    parents = world.parents_near(relation, 5, sizes.calls(2000))
    pairs = [(parent, world.rows_of(relation, parent)[0]) for parent in parents]
    return Case(
        "update_existing_pivot 1", 1.10, relation,
        "SELECT m2m.update_existing_pivot('{name}', $1::{fk_type}, $2::{rk_type}, $3::jsonb)",
        {"UPDATE": """
            UPDATE {pivot} SET status = $3 WHERE {fk} = $1 AND {rk} = $2 AND status IS DISTINCT FROM $3"""},
        [(parent, id, '{"status": "measured"}') for parent, id in pairs],
        [(parent, id, "measured") for parent, id in pairs],
        result="count", writes=parents)


def update(world, sizes, relation, n, target, calls=1):
    """All of n rows."""
    parents = relation.fresh[:sizes.calls(calls)]
    start = {parent: world.some_related(relation, sizes.ids(n)) for parent in parents}
    return Case(
        f"update_existing_pivot {n:,}", target, relation, UPDATE,
        {"ANY": """
            UPDATE {pivot} SET status = $3
            WHERE {fk} = $1 AND {rk} = ANY ($2::{rk_type}[]) AND status IS DISTINCT FROM $3""",
         "unnest": """
            UPDATE {pivot} SET status = $3 FROM unnest($2::{rk_type}[]) id
            WHERE {fk} = $1 AND {rk} = id AND status IS DISTINCT FROM $3"""},
        [(parent, start[parent], '{"status": "measured"}') for parent in parents],
        [(parent, start[parent], "measured") for parent in parents],
        result="count", writes=parents, start=start, plan_mode=plan_mode(n))


# ---- reads

PIVOT_OBJECT = """jsonb_build_object('{fk}', p.{fk}, '{rk}', p.{rk}, 'status', p.status, 'weight', p.weight)"""

# The related row with its pivot row, as jsonb.
OBJECTS = {
    "to_jsonb ||": "to_jsonb(r) || jsonb_build_object('pivot', " + PIVOT_OBJECT + ")",
    "jsonb_build_object": "jsonb_build_object({members}, 'pivot', " + PIVOT_OBJECT + ")",
}

READ = "SELECT result FROM m2m.get_results('{name}', $1::{fk_type}) result"

FROM = " FROM {pivot} p JOIN {related} r ON r.id = p.{rk} WHERE p.{fk} = $1"

ROW = "{row}, p.{fk}, p.{rk}, p.status, p.weight"


def parents_to_read(world, sizes, n):
    """A relation and some parents of it that have about n rows each."""
    relation = world.packages if n <= 10 else world.tags
    calls = sizes.calls({10: 500, 100: 50}.get(n, 3))
    return relation, [(parent,) for parent in world.parents_near(relation, sizes.ids(n), calls)]


def read_jsonb(world, sizes, n, target):
    """get_results as jsonb."""
    relation, calls = parents_to_read(world, sizes, n)
    return Case(
        f"get_results {n:,}, jsonb", target, relation, READ,
        {name: f"SELECT {object}" + FROM for name, object in OBJECTS.items()},
        calls, result="json", plan_mode=plan_mode(n))


def read_typed(world, sizes, n, target):
    """get_results as rows of a type."""
    relation, calls = parents_to_read(world, sizes, n)
    return Case(
        f"get_results {n:,}, typed", target, relation,
        f"SELECT * FROM m2m.get_results('{{name}}', $1::{{fk_type}}, NULL::{relation.name[:-1]}_row)",
        {"join": "SELECT " + ROW + FROM}, calls, plan_mode=plan_mode(n))


def read_view(world, sizes, n, target):
    """The view that create_relation_view made. 1.0 is the target; 5% is what a run can tell apart."""
    relation, calls = parents_to_read(world, sizes, n)
    return Case(
        f"view {n:,}", target, relation,
        f"SELECT * FROM {relation.name[:-1]}_view WHERE pivot_{{fk}} = $1",
        {"join": "SELECT " + ROW + FROM}, calls, plan_mode=None)


def eager_theirs():
    """Statements that read the related rows of many parents."""
    result = {}
    for name, obj in OBJECTS.items():
        result[f"GROUP BY, {name}"] = (
            f"SELECT p.{{fk}}, jsonb_agg({obj}) FROM unnest($1::{{fk_type}}[]) u (parent) "
            "JOIN {pivot} p ON p.{fk} = u.parent JOIN {related} r ON r.id = p.{rk} GROUP BY p.{fk}")
        result[f"ANY, {name}"] = (
            f"SELECT p.{{fk}}, jsonb_agg({obj}) FROM {{pivot}} p JOIN {{related}} r ON r.id = p.{{rk}} "
            "WHERE p.{fk} = ANY ($1::{fk_type}[]) GROUP BY p.{fk}")
        result[f"LATERAL, {name}"] = (
            "SELECT u.parent, o.list FROM unnest($1::{fk_type}[]) u (parent), "
            f"LATERAL (SELECT jsonb_agg({obj}) AS list "
            "FROM {pivot} p JOIN {related} r ON r.id = p.{rk} WHERE p.{fk} = u.parent) o")
    return result


def eager(world, sizes, name, parents, target):
    """get_results_for."""
    return Case(
        name, target, world.packages, "SELECT parent, results FROM m2m.get_results_for('{name}', $1::{fk_type}[])",
        eager_theirs(), [(parents,)] * sizes.calls(5), result="lists", plan_mode="force_custom_plan")


# ---- all of them

def cases(world, sizes):
    """The rows of the table. Whatever one case does to the data is undone before the next, so all may
    be chosen beforehand."""
    packages, tags, groups = world.packages, world.tags, world.groups
    return [
        attach_one(world, sizes),
        attach(world, sizes, packages, 10, 0.75, 1000),
        attach(world, sizes, tags, 1000, 0.40, 5),
        attach(world, sizes, groups, 1000, 0.40, 5),
        attach(world, sizes, tags, 50_000, 0.33, runs=7),
        attach(world, sizes, groups, 50_000, 0.33, runs=7),
        attach(world, sizes, groups, 1_000_000, 0.33, runs=7, memory=300),
        sync_few(world, sizes),
        sync(world, sizes, tags, 1000, 10, 0.6, 5),
        sync(world, sizes, groups, 1000, 10, 0.6, 5),
        sync(world, sizes, tags, 50_000, 10, 0.5, runs=7),
        sync(world, sizes, groups, 50_000, 10, 0.5, runs=7),
        sync(world, sizes, tags, 1000, 0, 0.6, 5),
        sync(world, sizes, groups, 1000, 0, 0.6, 5),
        toggle_few(world, sizes),
        toggle(world, sizes, tags, 1000, 0.5, 5),
        toggle(world, sizes, groups, 1000, 0.5, 5),
        detach(world, sizes, tags, 1000, 1.05, 5),
        detach(world, sizes, groups, 1000, 1.05, 5),
        detach_all(world, sizes, tags, 1000, 1.05, 5),
        detach_all(world, sizes, groups, 1000, 1.05, 5),
        update_one(world, sizes),
        update(world, sizes, tags, 1000, 1.0, 5),
        update(world, sizes, groups, 1000, 1.0, 5),
        *(read_jsonb(world, sizes, n, 0.8) for n in (10, 100, 10_000)),
        *(read_typed(world, sizes, n, 1.1) for n in (10, 100, 10_000)),
        *(read_view(world, sizes, n, 1.05) for n in (10, 100, 10_000)),
        eager(world, sizes, "eager load 1,000 parents", some_parents(world, sizes.ids(1000)), 0.8),
        eager(world, sizes, "eager load 1,000 parents of 10 rows",
              world.parents_near(packages, 10, sizes.ids(1000)), 0.8),
    ]


def some_parents(world, n):
    """n packages that have tags."""
    tagged = world.ids("SELECT DISTINCT package_id FROM package_tags ORDER BY 1")
    return world.random.sample(tagged, n)
