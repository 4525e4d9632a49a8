"""The tables that are measured, and the relations on them.

    packages         package_tags: Debian's packages and their tags, as scripts/demo-data loads them
    tags             the same pivot table from its other side: few parents with many rows
    groups           group_members: as many rows as are asked for, generated

All three pivots are of the usual shape: a foreign key to each side, a primary key on the pair, an
index on the other column, some columns more.
"""

import random
from dataclasses import dataclass, field


@dataclass
class Relation:
    """A relation, and what hand-written SQL must know about it."""

    name: str       # of the saved relation
    data: str       # short name, for the table of results
    parent: str
    related: str
    pivot: str
    fk: str
    rk: str
    fk_type: str
    rk_type: str
    row: str        # list of the related table's columns
    members: str    # the same as arguments of jsonb_build_object
    fresh: list = field(default_factory=list)   # parents that have no rows

    def sql(self, template, **more):
        """A statement with this relation's names in it."""
        return template.format_map(vars(self) | more)


def columns(names):
    """row and members of Relation."""
    return dict(row=", ".join(f"r.{name}" for name in names),
                members=", ".join(f"'{name}', r.{name}" for name in names))


PACKAGE = columns(["id", "name", "version", "section", "installed_size", "summary"])
TAG = columns(["id", "name", "facet"])
MEMBER = columns(["id", "name"])


def packages():
    """From a package to its tags: up to some twenty rows for each parent."""
    return Relation("package_tags", "packages", "packages", "tags", "package_tags",
                    "package_id", "tag_id", "bigint", "int", **TAG)


def tags():
    """From a tag to its packages: up to ten thousand rows for one parent."""
    return Relation("tag_packages", "tags", "tags", "packages", "package_tags",
                    "tag_id", "package_id", "int", "bigint", **PACKAGE)


def groups():
    """Generated."""
    return Relation("group_members", "groups", "groups", "members", "group_members",
                    "group_id", "member_id", "bigint", "bigint", **MEMBER)


# A tag or a group is made for every write that wants one without rows.
FRESH = 20


def prepare_debian(connection):
    """Adds what is measured to the tables of scripts/demo-data."""
    connection.run("INSERT INTO tags (name, facet) SELECT 'bench::' || i, 'bench' FROM "
                   f"generate_series(1, {FRESH}) i")
    connection.run("""
        SELECT m2m.create_relation('package_tags',
          m2m.with_pivot(m2m.belongs_to_many('packages', 'tags', 'package_tags'), 'status', 'weight'));
        SELECT m2m.create_relation('tag_packages',
          m2m.with_pivot(m2m.belongs_to_many('tags', 'packages', 'package_tags'), 'status', 'weight'));
        SELECT m2m.create_relation_view('package_tags', 'package_tag_view');
        SELECT m2m.create_relation_view('tag_packages', 'tag_package_view');
        CREATE TYPE package_tag_row AS (id int, name text, facet text, pivot_package_id bigint,
          pivot_tag_id int, pivot_status text, pivot_weight int);
        CREATE TYPE tag_package_row AS (id bigint, name text, version text, section text,
          installed_size bigint, summary text, pivot_tag_id int, pivot_package_id bigint,
          pivot_status text, pivot_weight int)""")
    connection.run("VACUUM ANALYZE tags, packages, package_tags")


def generate(connection, parents, rows_each, related):
    """Makes groups, members and group_members, in place of what there may be of them."""
    connection.run(f"""
        DROP TABLE IF EXISTS group_members, groups, members;
        CREATE TABLE groups (id bigint PRIMARY KEY, name text NOT NULL);
        CREATE TABLE members (id bigint PRIMARY KEY, name text NOT NULL);
        CREATE TABLE group_members (
          group_id  bigint NOT NULL,
          member_id bigint NOT NULL,
          status    text NOT NULL DEFAULT 'active',
          weight    int,
          joined_at timestamptz NOT NULL DEFAULT now());
        INSERT INTO groups SELECT i, 'group ' || i FROM generate_series(1, {parents + FRESH}) i;
        INSERT INTO members SELECT i, 'member ' || i FROM generate_series(1, {related}) i;
        INSERT INTO group_members (group_id, member_id, weight)
        SELECT g, 1 + (g * 7919 + m * {max(related // rows_each, 1)}) % {related}, m % 100
        FROM generate_series(1, {parents}) g, generate_series(1, {rows_each}) m;
        ALTER TABLE group_members ADD PRIMARY KEY (group_id, member_id),
          ADD FOREIGN KEY (group_id) REFERENCES groups, ADD FOREIGN KEY (member_id) REFERENCES members;
        CREATE INDEX ON group_members (member_id);
        SELECT m2m.create_relation('group_members',
          m2m.with_pivot(m2m.belongs_to_many('groups', 'members', 'group_members'), 'status', 'weight'), true)""")
    connection.run("VACUUM ANALYZE groups, members, group_members")


class World:
    """The relations with their data, and choices among it that are the same in every run."""

    def __init__(self, connection, related):
        self.connection = connection
        self.random = random.Random(1)
        self.packages, self.tags, self.groups = packages(), tags(), groups()
        self.tags.fresh = self.ids("SELECT id FROM tags WHERE facet = 'bench' ORDER BY id")
        self.groups.fresh = self.ids(f"SELECT id FROM groups ORDER BY id DESC LIMIT {FRESH}")
        self.packages.fresh = self.ids("""
            SELECT id FROM packages WHERE id NOT IN (SELECT package_id FROM package_tags) ORDER BY id""")
        self.related = {
            "packages": self.ids("SELECT id FROM tags WHERE facet <> 'bench' ORDER BY id"),
            "tags": self.ids("SELECT id FROM packages ORDER BY id"),
            "groups": range(1, related + 1),
        }

    def ids(self, sql):
        """The first column of a query, as integers."""
        return [int(row[0]) for row in self.connection.run(sql)]

    def some_related(self, relation, n):
        """n related ids in random order."""
        return self.random.sample(self.related[relation.data], n)

    def parents_near(self, relation, rows, n):
        """n parents that have about so many rows each."""
        return self.ids(relation.sql(
            "SELECT {fk} FROM {pivot} GROUP BY 1 "
            f"ORDER BY abs(count(*) - {rows}), 1 LIMIT {n}"))

    def rows_of(self, relation, parent):
        """The related ids of a parent, in random order."""
        ids = self.ids(relation.sql(f"SELECT {{rk}} FROM {{pivot}} WHERE {{fk}} = {parent} ORDER BY 1"))
        self.random.shuffle(ids)
        return ids
