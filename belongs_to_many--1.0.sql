/* belongs_to_many--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION belongs_to_many" to load this file. \quit

-- Arguments that are one value, or a list of values, of a type that depends
-- on the relation are declared "any", for typed arguments, and text, for
-- untyped literals and parameters; where a function has two of them, in all
-- four combinations. With fewer, an untyped parameter beside a typed argument
-- finds no function whose type it could take.
--
-- But for the type's input and output and the foreign data wrapper's own
-- functions, which are the server's to call, no function is STRICT: NULL is
-- an error with a reason, or a value.

-- -------------------------------------------------------------------------
-- The type
-- -------------------------------------------------------------------------

CREATE TYPE @extschema@.belongs_to_many;

CREATE FUNCTION @extschema@.belongs_to_many_in(pg_catalog.cstring)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many_in(pg_catalog.cstring)
IS 'I/O';

CREATE FUNCTION @extschema@.belongs_to_many_out(@extschema@.belongs_to_many)
RETURNS pg_catalog.cstring
AS 'MODULE_PATHNAME', 'btm_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many_out(@extschema@.belongs_to_many)
IS 'I/O';

CREATE FUNCTION @extschema@.belongs_to_many_recv(pg_catalog.internal)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_recv' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many_recv(pg_catalog.internal)
IS 'I/O';

CREATE FUNCTION @extschema@.belongs_to_many_send(@extschema@.belongs_to_many)
RETURNS pg_catalog.bytea
AS 'MODULE_PATHNAME', 'btm_send' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many_send(@extschema@.belongs_to_many)
IS 'I/O';

CREATE TYPE @extschema@.belongs_to_many (
	INPUT = @extschema@.belongs_to_many_in,
	OUTPUT = @extschema@.belongs_to_many_out,
	RECEIVE = @extschema@.belongs_to_many_recv,
	SEND = @extschema@.belongs_to_many_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.belongs_to_many
IS 'a many-to-many relation: a JSON object that defines it, or the name of a saved relation';

-- Implicit casts, so that a variable or a typed parameter works wherever a
-- literal does. (The cast to text is the automatic one.)

CREATE FUNCTION @extschema@.belongs_to_many(pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_from_text' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many(pg_catalog.text)
IS 'the relation written in a text';

CREATE FUNCTION @extschema@.belongs_to_many(pg_catalog.name)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_from_name' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many(pg_catalog.name)
IS 'the saved relation of a name';

CREATE CAST (pg_catalog.text AS @extschema@.belongs_to_many)
WITH FUNCTION @extschema@.belongs_to_many(pg_catalog.text) AS IMPLICIT;
COMMENT ON CAST (pg_catalog.text AS @extschema@.belongs_to_many)
IS 'lets a text value stand for a relation';

CREATE CAST (pg_catalog.varchar AS @extschema@.belongs_to_many)
WITH FUNCTION @extschema@.belongs_to_many(pg_catalog.text) AS IMPLICIT;
COMMENT ON CAST (pg_catalog.varchar AS @extschema@.belongs_to_many)
IS 'lets a varchar value stand for a relation';

CREATE CAST (pg_catalog.name AS @extschema@.belongs_to_many)
WITH FUNCTION @extschema@.belongs_to_many(pg_catalog.name) AS IMPLICIT;
COMMENT ON CAST (pg_catalog.name AS @extschema@.belongs_to_many)
IS 'lets a name value stand for a relation';

-- -------------------------------------------------------------------------
-- Constructor
-- -------------------------------------------------------------------------

CREATE FUNCTION @extschema@.belongs_to_many(
	parent pg_catalog.regclass, related pg_catalog.regclass,
	pivot_table pg_catalog.regclass DEFAULT NULL, foreign_key pg_catalog.name DEFAULT NULL,
	related_key pg_catalog.name DEFAULT NULL, parent_key pg_catalog.name DEFAULT NULL,
	related_pivot_key pg_catalog.name DEFAULT NULL)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_construct' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many(pg_catalog.regclass, pg_catalog.regclass, pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.name, pg_catalog.name)
IS 'a many-to-many relation; what is left out is inferred from foreign keys';

CREATE FUNCTION @extschema@.belongs_to_many(
	parent pg_catalog.regclass, related pg_catalog.regclass, pivot_table pg_catalog.regclass,
	foreign_key pg_catalog.name[], related_key pg_catalog.name[],
	parent_key pg_catalog.name[] DEFAULT NULL, related_pivot_key pg_catalog.name[] DEFAULT NULL)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_construct_composite' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many(pg_catalog.regclass, pg_catalog.regclass, pg_catalog.regclass, pg_catalog.name[], pg_catalog.name[], pg_catalog.name[], pg_catalog.name[])
IS 'a many-to-many relation with keys of several columns';

-- -------------------------------------------------------------------------
-- Builders
-- -------------------------------------------------------------------------

-- Each returns a changed copy of the relation.

CREATE FUNCTION @extschema@.with_pivot(
	relation @extschema@.belongs_to_many, VARIADIC columns pg_catalog.name[])
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_with_pivot' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.with_pivot(@extschema@.belongs_to_many, VARIADIC pg_catalog.name[])
IS 'adds pivot columns to results';

CREATE FUNCTION @extschema@.with_timestamps(
	relation @extschema@.belongs_to_many, created_at pg_catalog.name DEFAULT 'created_at',
	updated_at pg_catalog.name DEFAULT 'updated_at')
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_with_timestamps' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.with_timestamps(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.name)
IS 'has attach set both columns to now(), and an update that changes something the second; NULL disables one';

CREATE FUNCTION @extschema@.with_pivot_value(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, value pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_with_pivot_value' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.with_pivot_value(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any")
IS 'filters on a pivot column and writes the value on attach';

CREATE FUNCTION @extschema@.with_pivot_value(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, value pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_with_pivot_value' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.with_pivot_value(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'filters on a pivot column and writes the value on attach';

CREATE FUNCTION @extschema@.morph(
	relation @extschema@.belongs_to_many, type_column pg_catalog.name,
	type_value pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_morph' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.morph(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'polymorphic pivot: with_pivot_value for the column that names the parents type';

CREATE FUNCTION @extschema@.where_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, value pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any")
IS 'filter, AND: a pivot column equals a value';

CREATE FUNCTION @extschema@.where_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, value pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'filter, AND: a pivot column equals a value';

CREATE FUNCTION @extschema@.where_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name,
	operator pg_catalog.text, value pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_op' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog."any")
IS 'filter, AND: a pivot column compares to a value';

CREATE FUNCTION @extschema@.where_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name,
	operator pg_catalog.text, value pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_op' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog.text)
IS 'filter, AND: a pivot column compares to a value';

CREATE FUNCTION @extschema@.where_pivot_in(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, list pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_in' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_in(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any")
IS 'filter, AND: a pivot column is one of a list';

CREATE FUNCTION @extschema@.where_pivot_in(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, list pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_in' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_in(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'filter, AND: a pivot column is one of a list';

CREATE FUNCTION @extschema@.where_pivot_not_in(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, list pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_not_in' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_not_in(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any")
IS 'filter, AND: a pivot column is none of a list';

CREATE FUNCTION @extschema@.where_pivot_not_in(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, list pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_not_in' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_not_in(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'filter, AND: a pivot column is none of a list';

CREATE FUNCTION @extschema@.where_pivot_null(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_null' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_null(@extschema@.belongs_to_many, pg_catalog.name)
IS 'filter, AND: a pivot column is null';

CREATE FUNCTION @extschema@.where_pivot_not_null(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_not_null' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_not_null(@extschema@.belongs_to_many, pg_catalog.name)
IS 'filter, AND: a pivot column is not null';

CREATE FUNCTION @extschema@.where_pivot_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog."any",
	high pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any", pg_catalog."any")
IS 'filter, AND: a pivot column is between two values, both included';

CREATE FUNCTION @extschema@.where_pivot_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog."any",
	high pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any", pg_catalog.text)
IS 'filter, AND: a pivot column is between two values, both included';

CREATE FUNCTION @extschema@.where_pivot_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog.text,
	high pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog."any")
IS 'filter, AND: a pivot column is between two values, both included';

CREATE FUNCTION @extschema@.where_pivot_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog.text,
	high pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog.text)
IS 'filter, AND: a pivot column is between two values, both included';

CREATE FUNCTION @extschema@.where_pivot_not_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog."any",
	high pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_not_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_not_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any", pg_catalog."any")
IS 'filter, AND: a pivot column is not between two values';

CREATE FUNCTION @extschema@.where_pivot_not_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog."any",
	high pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_not_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_not_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any", pg_catalog.text)
IS 'filter, AND: a pivot column is not between two values';

CREATE FUNCTION @extschema@.where_pivot_not_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog.text,
	high pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_not_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_not_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog."any")
IS 'filter, AND: a pivot column is not between two values';

CREATE FUNCTION @extschema@.where_pivot_not_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog.text,
	high pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_pivot_not_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_pivot_not_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog.text)
IS 'filter, AND: a pivot column is not between two values';

CREATE FUNCTION @extschema@.or_where_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, value pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any")
IS 'filter, OR: a pivot column equals a value';

CREATE FUNCTION @extschema@.or_where_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, value pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'filter, OR: a pivot column equals a value';

CREATE FUNCTION @extschema@.or_where_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name,
	operator pg_catalog.text, value pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_op' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog."any")
IS 'filter, OR: a pivot column compares to a value';

CREATE FUNCTION @extschema@.or_where_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name,
	operator pg_catalog.text, value pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_op' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog.text)
IS 'filter, OR: a pivot column compares to a value';

CREATE FUNCTION @extschema@.or_where_pivot_in(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, list pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_in' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_in(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any")
IS 'filter, OR: a pivot column is one of a list';

CREATE FUNCTION @extschema@.or_where_pivot_in(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, list pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_in' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_in(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'filter, OR: a pivot column is one of a list';

CREATE FUNCTION @extschema@.or_where_pivot_not_in(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, list pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_not_in' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_not_in(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any")
IS 'filter, OR: a pivot column is none of a list';

CREATE FUNCTION @extschema@.or_where_pivot_not_in(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, list pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_not_in' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_not_in(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'filter, OR: a pivot column is none of a list';

CREATE FUNCTION @extschema@.or_where_pivot_null(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_null' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_null(@extschema@.belongs_to_many, pg_catalog.name)
IS 'filter, OR: a pivot column is null';

CREATE FUNCTION @extschema@.or_where_pivot_not_null(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_not_null' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_not_null(@extschema@.belongs_to_many, pg_catalog.name)
IS 'filter, OR: a pivot column is not null';

CREATE FUNCTION @extschema@.or_where_pivot_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog."any",
	high pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any", pg_catalog."any")
IS 'filter, OR: a pivot column is between two values, both included';

CREATE FUNCTION @extschema@.or_where_pivot_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog."any",
	high pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any", pg_catalog.text)
IS 'filter, OR: a pivot column is between two values, both included';

CREATE FUNCTION @extschema@.or_where_pivot_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog.text,
	high pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog."any")
IS 'filter, OR: a pivot column is between two values, both included';

CREATE FUNCTION @extschema@.or_where_pivot_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog.text,
	high pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog.text)
IS 'filter, OR: a pivot column is between two values, both included';

CREATE FUNCTION @extschema@.or_where_pivot_not_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog."any",
	high pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_not_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_not_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any", pg_catalog."any")
IS 'filter, OR: a pivot column is not between two values';

CREATE FUNCTION @extschema@.or_where_pivot_not_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog."any",
	high pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_not_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_not_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any", pg_catalog.text)
IS 'filter, OR: a pivot column is not between two values';

CREATE FUNCTION @extschema@.or_where_pivot_not_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog.text,
	high pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_not_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_not_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog."any")
IS 'filter, OR: a pivot column is not between two values';

CREATE FUNCTION @extschema@.or_where_pivot_not_between(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name, low pg_catalog.text,
	high pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_or_where_pivot_not_between' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.or_where_pivot_not_between(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog.text)
IS 'filter, OR: a pivot column is not between two values';

CREATE FUNCTION @extschema@.where_related(
	relation @extschema@.belongs_to_many, related_column pg_catalog.name,
	value pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_related' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_related(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog."any")
IS 'filter for reads, AND: a related column equals a value';

CREATE FUNCTION @extschema@.where_related(
	relation @extschema@.belongs_to_many, related_column pg_catalog.name, value pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_related' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_related(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'filter for reads, AND: a related column equals a value';

CREATE FUNCTION @extschema@.where_related(
	relation @extschema@.belongs_to_many, related_column pg_catalog.name,
	operator pg_catalog.text, value pg_catalog."any")
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_related_op' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_related(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog."any")
IS 'filter for reads, AND: a related column compares to a value';

CREATE FUNCTION @extschema@.where_related(
	relation @extschema@.belongs_to_many, related_column pg_catalog.name,
	operator pg_catalog.text, value pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_where_related_op' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.where_related(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text, pg_catalog.text)
IS 'filter for reads, AND: a related column compares to a value';

CREATE FUNCTION @extschema@.order_by_pivot(
	relation @extschema@.belongs_to_many, pivot_column pg_catalog.name,
	direction pg_catalog.text DEFAULT 'asc')
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_order_by_pivot' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.order_by_pivot(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'orders results by a pivot column';

CREATE FUNCTION @extschema@.order_by(
	relation @extschema@.belongs_to_many, related_column pg_catalog.name,
	direction pg_catalog.text DEFAULT 'asc')
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_order_by' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.order_by(@extschema@.belongs_to_many, pg_catalog.name, pg_catalog.text)
IS 'orders results by a related column';

CREATE FUNCTION @extschema@.take(
	relation @extschema@.belongs_to_many, max_rows pg_catalog.int8,
	skip pg_catalog.int8 DEFAULT 0)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_take' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.take(@extschema@.belongs_to_many, pg_catalog.int8, pg_catalog.int8)
IS 'a page of results; NULL is no limit';

CREATE FUNCTION @extschema@.pivot_as(relation @extschema@.belongs_to_many, name pg_catalog.text)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_pivot_as' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.pivot_as(@extschema@.belongs_to_many, pg_catalog.text)
IS 'names the member of results that holds the pivot columns';

CREATE FUNCTION @extschema@.inverse(relation @extschema@.belongs_to_many)
RETURNS @extschema@.belongs_to_many
AS 'MODULE_PATHNAME', 'btm_inverse' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.inverse(@extschema@.belongs_to_many)
IS 'the same relation seen from the other side';

-- -------------------------------------------------------------------------
-- Operations that write
-- -------------------------------------------------------------------------

CREATE FUNCTION @extschema@.attach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog."any",
	attributes pg_catalog.jsonb DEFAULT '{}', on_conflict pg_catalog.text DEFAULT 'ignore')
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_attach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.attach(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog."any", pg_catalog.jsonb, pg_catalog.text)
IS 'attaches ids to a parent; returns how many pairs are new';

CREATE FUNCTION @extschema@.attach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog.text,
	attributes pg_catalog.jsonb DEFAULT '{}', on_conflict pg_catalog.text DEFAULT 'ignore')
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_attach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.attach(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.text, pg_catalog.jsonb, pg_catalog.text)
IS 'attaches ids to a parent; returns how many pairs are new';

CREATE FUNCTION @extschema@.attach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog."any",
	attributes pg_catalog.jsonb DEFAULT '{}', on_conflict pg_catalog.text DEFAULT 'ignore')
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_attach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.attach(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog."any", pg_catalog.jsonb, pg_catalog.text)
IS 'attaches ids to a parent; returns how many pairs are new';

CREATE FUNCTION @extschema@.attach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog.text,
	attributes pg_catalog.jsonb DEFAULT '{}', on_conflict pg_catalog.text DEFAULT 'ignore')
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_attach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.attach(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text)
IS 'attaches ids to a parent; returns how many pairs are new';

CREATE FUNCTION @extschema@.detach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any")
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_detach_all' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.detach(@extschema@.belongs_to_many, pg_catalog."any")
IS 'detaches all ids from a parent; returns how many pivot rows are deleted';

CREATE FUNCTION @extschema@.detach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text)
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_detach_all' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.detach(@extschema@.belongs_to_many, pg_catalog.text)
IS 'detaches all ids from a parent; returns how many pivot rows are deleted';

CREATE FUNCTION @extschema@.detach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog."any")
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_detach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.detach(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog."any")
IS 'detaches ids from a parent; returns how many pivot rows are deleted';

CREATE FUNCTION @extschema@.detach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog.text)
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_detach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.detach(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.text)
IS 'detaches ids from a parent; returns how many pivot rows are deleted';

CREATE FUNCTION @extschema@.detach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog."any")
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_detach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.detach(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog."any")
IS 'detaches ids from a parent; returns how many pivot rows are deleted';

CREATE FUNCTION @extschema@.detach(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog.text)
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_detach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.detach(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.text)
IS 'detaches ids from a parent; returns how many pivot rows are deleted';

CREATE FUNCTION @extschema@.sync(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog."any",
	detaching pg_catalog.bool DEFAULT true, attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb, updated pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.sync(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog."any", pg_catalog.bool, pg_catalog.jsonb)
IS 'makes the ids of a parent those given; returns what changed';

CREATE FUNCTION @extschema@.sync(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog.text,
	detaching pg_catalog.bool DEFAULT true, attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb, updated pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.sync(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.text, pg_catalog.bool, pg_catalog.jsonb)
IS 'makes the ids of a parent those given; returns what changed';

CREATE FUNCTION @extschema@.sync(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog."any",
	detaching pg_catalog.bool DEFAULT true, attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb, updated pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.sync(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog."any", pg_catalog.bool, pg_catalog.jsonb)
IS 'makes the ids of a parent those given; returns what changed';

CREATE FUNCTION @extschema@.sync(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog.text,
	detaching pg_catalog.bool DEFAULT true, attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb, updated pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.sync(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.text, pg_catalog.bool, pg_catalog.jsonb)
IS 'makes the ids of a parent those given; returns what changed';

CREATE FUNCTION @extschema@.sync_without_detaching(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog."any",
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb, updated pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_sync_without_detaching' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.sync_without_detaching(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog."any", pg_catalog.jsonb)
IS 'attaches and updates ids of a parent, and detaches none; returns what changed';

CREATE FUNCTION @extschema@.sync_without_detaching(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog.text,
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb, updated pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_sync_without_detaching' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.sync_without_detaching(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.text, pg_catalog.jsonb)
IS 'attaches and updates ids of a parent, and detaches none; returns what changed';

CREATE FUNCTION @extschema@.sync_without_detaching(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog."any",
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb, updated pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_sync_without_detaching' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.sync_without_detaching(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog."any", pg_catalog.jsonb)
IS 'attaches and updates ids of a parent, and detaches none; returns what changed';

CREATE FUNCTION @extschema@.sync_without_detaching(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog.text,
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb, updated pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_sync_without_detaching' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.sync_without_detaching(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb)
IS 'attaches and updates ids of a parent, and detaches none; returns what changed';

CREATE FUNCTION @extschema@.toggle(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog."any",
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_toggle' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.toggle(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog."any", pg_catalog.jsonb)
IS 'detaches those ids that are attached to a parent, and attaches the others';

CREATE FUNCTION @extschema@.toggle(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog.text,
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_toggle' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.toggle(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.text, pg_catalog.jsonb)
IS 'detaches those ids that are attached to a parent, and attaches the others';

CREATE FUNCTION @extschema@.toggle(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog."any",
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_toggle' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.toggle(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog."any", pg_catalog.jsonb)
IS 'detaches those ids that are attached to a parent, and attaches the others';

CREATE FUNCTION @extschema@.toggle(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog.text,
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (attached pg_catalog.jsonb, detached pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_toggle' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION @extschema@.toggle(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb)
IS 'detaches those ids that are attached to a parent, and attaches the others';

CREATE FUNCTION @extschema@.update_existing_pivot(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog."any",
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_update_existing_pivot' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.update_existing_pivot(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog."any", pg_catalog.jsonb)
IS 'sets pivot columns of ids that are attached; returns how many rows changed';

CREATE FUNCTION @extschema@.update_existing_pivot(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog.text,
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_update_existing_pivot' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.update_existing_pivot(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.text, pg_catalog.jsonb)
IS 'sets pivot columns of ids that are attached; returns how many rows changed';

CREATE FUNCTION @extschema@.update_existing_pivot(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog."any",
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_update_existing_pivot' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.update_existing_pivot(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog."any", pg_catalog.jsonb)
IS 'sets pivot columns of ids that are attached; returns how many rows changed';

CREATE FUNCTION @extschema@.update_existing_pivot(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog.text,
	attributes pg_catalog.jsonb DEFAULT '{}')
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'btm_update_existing_pivot' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.update_existing_pivot(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb)
IS 'sets pivot columns of ids that are attached; returns how many rows changed';

CREATE FUNCTION @extschema@.lock_relation(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any",
	exclusive pg_catalog.bool DEFAULT true)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'btm_lock_relation' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.lock_relation(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.bool)
IS 'takes the lock of an operation on a parent until the transaction ends';

CREATE FUNCTION @extschema@.lock_relation(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text,
	exclusive pg_catalog.bool DEFAULT true)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'btm_lock_relation' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.lock_relation(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.bool)
IS 'takes the lock of an operation on a parent until the transaction ends';

-- -------------------------------------------------------------------------
-- Operations that read
-- -------------------------------------------------------------------------

CREATE FUNCTION @extschema@.belongs_to_many_support(pg_catalog.internal)
RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME', 'btm_rows_support' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.belongs_to_many_support(pg_catalog.internal)
IS 'planner support: estimates the number of result rows';

CREATE FUNCTION @extschema@.get_results(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any")
RETURNS TABLE (result pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_get_results' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 20 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.get_results(@extschema@.belongs_to_many, pg_catalog."any")
IS 'the related rows of a parent, each with its pivot columns';

CREATE FUNCTION @extschema@.get_results(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text)
RETURNS TABLE (result pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_get_results' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 20 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.get_results(@extschema@.belongs_to_many, pg_catalog.text)
IS 'the related rows of a parent, each with its pivot columns';

CREATE FUNCTION @extschema@.get_results(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any",
	row_type pg_catalog.anyelement)
RETURNS SETOF pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'btm_get_results_typed' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 20 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.get_results(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.anyelement)
IS 'the related rows of a parent, as rows of the type given';

CREATE FUNCTION @extschema@.get_results(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text,
	row_type pg_catalog.anyelement)
RETURNS SETOF pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'btm_get_results_typed' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 20 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.get_results(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.anyelement)
IS 'the related rows of a parent, as rows of the type given';

CREATE FUNCTION @extschema@.get_results_for(
	relation @extschema@.belongs_to_many, parents pg_catalog.anyarray,
	limit_per_parent pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (parent pg_catalog.anyelement, results pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_get_results_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 10 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.get_results_for(@extschema@.belongs_to_many, pg_catalog.anyarray, pg_catalog.int8)
IS 'the related rows of many parents, one row per parent';

CREATE FUNCTION @extschema@.get_results_for(
	relation @extschema@.belongs_to_many, parents pg_catalog.text,
	limit_per_parent pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (parent pg_catalog.jsonb, results pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_get_results_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 10 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.get_results_for(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.int8)
IS 'the related rows of many parents, one row per parent';

CREATE FUNCTION @extschema@.get_results_for(
	relation @extschema@.belongs_to_many, parents pg_catalog.jsonb,
	limit_per_parent pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (parent pg_catalog.jsonb, results pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'btm_get_results_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 10 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.get_results_for(@extschema@.belongs_to_many, pg_catalog.jsonb, pg_catalog.int8)
IS 'the related rows of many parents, one row per parent';

CREATE FUNCTION @extschema@.related_ids(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any")
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'btm_related_ids' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.related_ids(@extschema@.belongs_to_many, pg_catalog."any")
IS 'the ids attached to a parent';

CREATE FUNCTION @extschema@.related_ids(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'btm_related_ids' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.related_ids(@extschema@.belongs_to_many, pg_catalog.text)
IS 'the ids attached to a parent';

CREATE FUNCTION @extschema@.related_ids(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any",
	key_type pg_catalog.anyelement)
RETURNS SETOF pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'btm_related_ids_typed' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 20 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.related_ids(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.anyelement)
IS 'the ids attached to a parent, as values of the type given';

CREATE FUNCTION @extschema@.related_ids(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text,
	key_type pg_catalog.anyelement)
RETURNS SETOF pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'btm_related_ids_typed' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 20 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.related_ids(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.anyelement)
IS 'the ids attached to a parent, as values of the type given';

CREATE FUNCTION @extschema@.is_attached(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog."any")
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'btm_is_attached' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.is_attached(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog."any")
IS 'are all these ids attached to a parent?';

CREATE FUNCTION @extschema@.is_attached(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", ids pg_catalog.text)
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'btm_is_attached' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.is_attached(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.text)
IS 'are all these ids attached to a parent?';

CREATE FUNCTION @extschema@.is_attached(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog."any")
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'btm_is_attached' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.is_attached(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog."any")
IS 'are all these ids attached to a parent?';

CREATE FUNCTION @extschema@.is_attached(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, ids pg_catalog.text)
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'btm_is_attached' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.is_attached(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.text)
IS 'are all these ids attached to a parent?';

CREATE FUNCTION @extschema@.count_related(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any")
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME', 'btm_count_related' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.count_related(@extschema@.belongs_to_many, pg_catalog."any")
IS 'number of pivot rows of a parent';

CREATE FUNCTION @extschema@.count_related(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text)
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME', 'btm_count_related' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.count_related(@extschema@.belongs_to_many, pg_catalog.text)
IS 'number of pivot rows of a parent';

CREATE FUNCTION @extschema@.count_related_for(
	relation @extschema@.belongs_to_many, parents pg_catalog.anyarray)
RETURNS TABLE (parent pg_catalog.anyelement, count pg_catalog.int8)
AS 'MODULE_PATHNAME', 'btm_count_related_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 10 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.count_related_for(@extschema@.belongs_to_many, pg_catalog.anyarray)
IS 'number of pivot rows of many parents, one row per parent';

CREATE FUNCTION @extschema@.count_related_for(
	relation @extschema@.belongs_to_many, parents pg_catalog.text)
RETURNS TABLE (parent pg_catalog.jsonb, count pg_catalog.int8)
AS 'MODULE_PATHNAME', 'btm_count_related_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 10 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.count_related_for(@extschema@.belongs_to_many, pg_catalog.text)
IS 'number of pivot rows of many parents, one row per parent';

CREATE FUNCTION @extschema@.count_related_for(
	relation @extschema@.belongs_to_many, parents pg_catalog.jsonb)
RETURNS TABLE (parent pg_catalog.jsonb, count pg_catalog.int8)
AS 'MODULE_PATHNAME', 'btm_count_related_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 10 SUPPORT @extschema@.belongs_to_many_support;
COMMENT ON FUNCTION @extschema@.count_related_for(@extschema@.belongs_to_many, pg_catalog.jsonb)
IS 'number of pivot rows of many parents, one row per parent';

-- -------------------------------------------------------------------------
-- Building blocks for SQL of one's own
-- -------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_pivot_columns(relation @extschema@.belongs_to_many)
RETURNS pg_catalog.text[]
AS 'MODULE_PATHNAME', 'btm_get_pivot_columns' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.get_pivot_columns(@extschema@.belongs_to_many)
IS 'the pivot columns of results, as a select list';

CREATE FUNCTION @extschema@.new_pivot_query(relation @extschema@.belongs_to_many)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_new_pivot_query' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.new_pivot_query(@extschema@.belongs_to_many)
IS 'SELECT on the pivot table with the constraints of the relation';

CREATE FUNCTION @extschema@.new_pivot_query(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any")
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_new_pivot_query_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.new_pivot_query(@extschema@.belongs_to_many, pg_catalog."any")
IS 'SELECT on the pivot table with the constraints of the relation and a parent';

CREATE FUNCTION @extschema@.new_pivot_query(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_new_pivot_query_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.new_pivot_query(@extschema@.belongs_to_many, pg_catalog.text)
IS 'SELECT on the pivot table with the constraints of the relation and a parent';

CREATE FUNCTION @extschema@.pivot_predicate(relation @extschema@.belongs_to_many)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_pivot_predicate' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.pivot_predicate(@extschema@.belongs_to_many)
IS 'the constraints of the relation as a condition on the pivot table';

CREATE FUNCTION @extschema@.pivot_predicate(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any")
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_pivot_predicate_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.pivot_predicate(@extschema@.belongs_to_many, pg_catalog."any")
IS 'the constraints of the relation and a parent as a condition on the pivot table';

CREATE FUNCTION @extschema@.pivot_predicate(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_pivot_predicate_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.pivot_predicate(@extschema@.belongs_to_many, pg_catalog.text)
IS 'the constraints of the relation and a parent as a condition on the pivot table';

CREATE FUNCTION @extschema@.add_constraints(
	relation @extschema@.belongs_to_many, query pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_add_constraints' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.add_constraints(@extschema@.belongs_to_many, pg_catalog.text)
IS 'a query on the related table, joined to the pivot and constrained by the relation';

CREATE FUNCTION @extschema@.add_constraints(
	relation @extschema@.belongs_to_many, parent_id pg_catalog."any", query pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_add_constraints_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.add_constraints(@extschema@.belongs_to_many, pg_catalog."any", pg_catalog.text)
IS 'a query on the related table, joined to the pivot and constrained by the relation and a parent';

CREATE FUNCTION @extschema@.add_constraints(
	relation @extschema@.belongs_to_many, parent_id pg_catalog.text, query pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'btm_add_constraints_for' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.add_constraints(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.text)
IS 'a query on the related table, joined to the pivot and constrained by the relation and a parent';

CREATE FUNCTION @extschema@.get_related_table(relation @extschema@.belongs_to_many)
RETURNS pg_catalog.regclass
AS 'MODULE_PATHNAME', 'btm_get_related_table' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.get_related_table(@extschema@.belongs_to_many)
IS 'the related table';

CREATE FUNCTION @extschema@.create_relation_view(
	relation @extschema@.belongs_to_many, view_name pg_catalog.text,
	replace pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'btm_create_relation_view' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION @extschema@.create_relation_view(@extschema@.belongs_to_many, pg_catalog.text, pg_catalog.bool)
IS 'creates a view of the related rows with their pivot columns';

-- -------------------------------------------------------------------------
-- Saved relations
-- -------------------------------------------------------------------------

-- The store. Its schema is not that of the relations in it: a saved relation
-- lives in the schema of its pivot table. Users write to it through
-- create_relation() and drop_relation() only. Everybody may read it, as
-- everybody may read the catalogs; without that, only a superuser could dump
-- a database. The functions of the extension read and write it as they would
-- a catalog, which works for tables of access method heap.

CREATE TABLE @extschema@.belongs_to_many_store (
	id pg_catalog.int8 NOT NULL,
	name pg_catalog.name NOT NULL,
	relation @extschema@.belongs_to_many NOT NULL,
	CONSTRAINT belongs_to_many_store_pkey PRIMARY KEY (id)
) USING heap;
COMMENT ON TABLE @extschema@.belongs_to_many_store
IS 'saved relations; see belongs_to_many_relations';

CREATE INDEX belongs_to_many_store_name_idx ON @extschema@.belongs_to_many_store (name);
COMMENT ON INDEX @extschema@.belongs_to_many_store_name_idx
IS 'finds saved relations by name';

GRANT SELECT ON TABLE @extschema@.belongs_to_many_store TO PUBLIC;

-- Changes that the functions do not make themselves, such as a restore, are
-- made known to all sessions by triggers. Logical replication fires row
-- triggers only.

CREATE FUNCTION @extschema@.belongs_to_many_store_changed()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'btm_store_changed' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION @extschema@.belongs_to_many_store_changed()
IS 'makes changes of the store known to all sessions';

CREATE TRIGGER belongs_to_many_store_changed
AFTER INSERT OR UPDATE OR DELETE ON @extschema@.belongs_to_many_store
FOR EACH ROW EXECUTE FUNCTION @extschema@.belongs_to_many_store_changed();
COMMENT ON TRIGGER belongs_to_many_store_changed ON @extschema@.belongs_to_many_store
IS 'makes changes of the store known to all sessions';

CREATE TRIGGER belongs_to_many_store_truncated
AFTER TRUNCATE ON @extschema@.belongs_to_many_store
FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.belongs_to_many_store_changed();
COMMENT ON TRIGGER belongs_to_many_store_truncated ON @extschema@.belongs_to_many_store
IS 'makes changes of the store known to all sessions';

ALTER TABLE @extschema@.belongs_to_many_store
	ENABLE ALWAYS TRIGGER belongs_to_many_store_changed,
	ENABLE ALWAYS TRIGGER belongs_to_many_store_truncated;

-- Rows whose tables are gone, or are temporary, are left out of dumps. The
-- condition is kept as text, so it must not name a schema that may be
-- renamed: a cast is found by its types alone.

CREATE FUNCTION @extschema@.belongs_to_many_present(@extschema@.belongs_to_many)
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'btm_relation_present' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.belongs_to_many_present(@extschema@.belongs_to_many)
IS 'do all tables of a relation exist, for other sessions too?';

CREATE CAST (@extschema@.belongs_to_many AS pg_catalog.bool)
WITH FUNCTION @extschema@.belongs_to_many_present(@extschema@.belongs_to_many);
COMMENT ON CAST (@extschema@.belongs_to_many AS pg_catalog.bool)
IS 'true if all tables of a relation exist; selects the rows of the store that are dumped';

SELECT pg_catalog.pg_extension_config_dump(
	'@extschema@.belongs_to_many_store', 'WHERE relation::pg_catalog.bool');

CREATE FUNCTION @extschema@.create_relation(
	name pg_catalog.text, relation @extschema@.belongs_to_many,
	replace pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'btm_create_relation' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.create_relation(pg_catalog.text, @extschema@.belongs_to_many, pg_catalog.bool)
IS 'saves a relation under a name, in the schema of its pivot table';

CREATE FUNCTION @extschema@.drop_relation(
	name pg_catalog.text, if_exists pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'btm_drop_relation' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.drop_relation(pg_catalog.text, pg_catalog.bool)
IS 'drops a saved relation';

CREATE FUNCTION @extschema@.belongs_to_many_saved()
RETURNS TABLE (schema pg_catalog.name, name pg_catalog.name, parent pg_catalog.regclass, related pg_catalog.regclass, pivot_table pg_catalog.regclass, relation @extschema@.belongs_to_many)
AS 'MODULE_PATHNAME', 'btm_saved_relations' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION @extschema@.belongs_to_many_saved()
IS 'the rows of belongs_to_many_relations';

CREATE VIEW @extschema@.belongs_to_many_relations AS
SELECT s.schema, s.name, s.parent, s.related, s.pivot_table, s.relation
FROM @extschema@.belongs_to_many_saved() AS s;
COMMENT ON VIEW @extschema@.belongs_to_many_relations
IS 'saved relations, of which all tables exist';

GRANT SELECT ON TABLE @extschema@.belongs_to_many_relations TO PUBLIC;

-- -------------------------------------------------------------------------
-- ScyllaDB and Apache Cassandra
-- -------------------------------------------------------------------------

CREATE FUNCTION @extschema@.scylla_validator(pg_catalog.text[], pg_catalog.oid)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'btm_scylla_validator' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.scylla_validator(pg_catalog.text[], pg_catalog.oid)
IS 'checks options of servers, user mappings, foreign tables and columns';

CREATE FUNCTION @extschema@.scylla_handler()
RETURNS pg_catalog.fdw_handler
AS 'MODULE_PATHNAME', 'btm_scylla_handler' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.scylla_handler()
IS 'callbacks of the foreign data wrapper';

CREATE FOREIGN DATA WRAPPER scylla
HANDLER @extschema@.scylla_handler VALIDATOR @extschema@.scylla_validator;
COMMENT ON FOREIGN DATA WRAPPER scylla
IS 'servers of ScyllaDB and Apache Cassandra';

CREATE FUNCTION @extschema@.scylla_connections()
RETURNS TABLE (server pg_catalog.name, user_name pg_catalog.name, host pg_catalog.text, port integer, rack pg_catalog.text, dc pg_catalog.text, protocol integer, compression pg_catalog.text, tls pg_catalog.text, in_flight integer, used_in_transaction boolean, valid boolean)
AS 'MODULE_PATHNAME', 'btm_scylla_connections' LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100 ROWS 10;
COMMENT ON FUNCTION @extschema@.scylla_connections()
IS 'connections of this session to nodes of ScyllaDB and Apache Cassandra';

CREATE FUNCTION @extschema@.scylla_disconnect(server pg_catalog.name)
RETURNS boolean
AS 'MODULE_PATHNAME', 'btm_scylla_disconnect' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.scylla_disconnect(pg_catalog.name)
IS 'closes the connections of this session to a server that this transaction does not use; true if there were any';

CREATE FUNCTION @extschema@.scylla_query(
	server pg_catalog.name, cql pg_catalog.text,
	VARIADIC params pg_catalog.text[] DEFAULT '{}')
RETURNS SETOF pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'btm_scylla_query' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION @extschema@.scylla_query(pg_catalog.name, pg_catalog.text, pg_catalog.text[])
IS 'runs a CQL statement on a server at once, outside of the transaction, and returns its rows';
REVOKE EXECUTE ON FUNCTION @extschema@.scylla_query(pg_catalog.name, pg_catalog.text, pg_catalog.text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.scylla_execute(
	server pg_catalog.name, cql pg_catalog.text,
	VARIADIC params pg_catalog.text[] DEFAULT '{}')
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'btm_scylla_execute' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION @extschema@.scylla_execute(pg_catalog.name, pg_catalog.text, pg_catalog.text[])
IS 'runs a CQL statement on a server at once, outside of the transaction; false if its condition did not hold';
REVOKE EXECUTE ON FUNCTION @extschema@.scylla_execute(pg_catalog.name, pg_catalog.text, pg_catalog.text[]) FROM PUBLIC;
