--
-- What CREATE EXTENSION makes: objects, comments, marks, grants; where it can
-- be installed, and who can do it
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA install;
SET search_path = install, m2m;

SELECT e.extname, n.nspname, v.version, v.superuser, v.trusted, v.relocatable
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
JOIN pg_available_extension_versions v ON v.name = e.extname AND v.version = e.extversion
WHERE e.extname = 'belongs_to_many';

-- ---- objects

-- The members of the extension. (Whether array and row types count as members
-- depends on the server's version.)
CREATE TEMP VIEW members AS
SELECT d.classid, d.objid, d.objsubid,
	pg_describe_object(d.classid, d.objid, d.objsubid) AS description
FROM pg_depend d
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND d.objid = t.oid
WHERE e.extname = 'belongs_to_many' AND d.deptype = 'e'
	AND (t.oid IS NULL OR (t.typelem = 0 AND t.typrelid = 0));
CREATE TEMP VIEW functions AS
SELECT p.* FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

SELECT description FROM members WHERE classid <> 'pg_proc'::regclass
ORDER BY description COLLATE "C";
SELECT proname, pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result
FROM functions ORDER BY proname COLLATE "C", pronargs, pg_get_function_arguments(oid) COLLATE "C";

-- all is in the extension's schema
SELECT description FROM members m
WHERE (pg_identify_object(classid, objid, objsubid)).schema <> 'm2m';

-- every object says what it is
SELECT description FROM members
WHERE coalesce(obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)), '') = '';
SELECT tgname FROM pg_trigger
WHERE tgrelid = 'belongs_to_many_store'::regclass AND obj_description(oid, 'pg_trigger') IS NULL;
SELECT indexrelid::regclass FROM pg_index
WHERE indrelid = 'belongs_to_many_store'::regclass AND NOT indisprimary
	AND obj_description(indexrelid, 'pg_class') IS NULL;

-- overloads of one name and number of arguments say the same
SELECT proname, pronargs FROM functions
WHERE proname <> 'belongs_to_many'
GROUP BY 1, 2 HAVING count(DISTINCT obj_description(oid, 'pg_proc')) > 1;

-- "any" and text come in every combination: for each function that takes an
-- "any", there is one with text in place of each of them
CREATE TEMP VIEW signatures AS
SELECT proname, ARRAY(SELECT unnest(proargtypes)) AS types FROM functions;
SELECT s.proname, s.types::regtype[], i AS lacks_text_at
FROM signatures s, generate_subscripts(s.types, 1) AS i
WHERE s.types[i] = '"any"'::regtype AND NOT EXISTS (
	SELECT FROM signatures o
	WHERE o.proname = s.proname
		AND o.types = s.types[:i - 1] || 'text'::regtype::oid || s.types[i + 1:]);
SELECT proname, pronargs, count(*) FROM functions
WHERE proname IN (SELECT proname FROM functions WHERE '"any"'::regtype = ANY (proargtypes))
GROUP BY 1, 2 ORDER BY 1, 2;

-- all arguments have names that named notation can use
SELECT oid::regprocedure FROM functions
WHERE proargnames && ARRAY['column', 'values'] OR '' = ANY (proargnames);
SELECT oid::regprocedure FROM functions
WHERE pronargs > 0 AND proargnames IS NULL ORDER BY oid::regprocedure::text COLLATE "C";

-- ---- marks

SELECT DISTINCT provolatile, proparallel, proname FROM functions ORDER BY 1, 2, 3;
-- strict are only the type's own functions; nothing is leakproof, nothing runs
-- with other privileges or settings than the caller's
SELECT proname FROM functions WHERE proisstrict ORDER BY 1;
SELECT proname FROM functions WHERE proleakproof OR prosecdef OR proconfig IS NOT NULL;
-- a set of rows has an estimate; reports of writes are one row
SELECT DISTINCT proname, prorows, prosupport FROM functions WHERE proretset ORDER BY 1;

-- ---- the type and its casts

SELECT typname, typtype, typcategory, typispreferred, typlen, typbyval, typalign, typstorage,
	typinput, typoutput, typreceive, typsend, typmodin, typcollation
FROM pg_type WHERE oid = 'belongs_to_many'::regtype \gx
SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod, castfunc::regprocedure
FROM pg_cast c JOIN members m ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid
ORDER BY 1, 2;

-- ---- grants

CREATE ROLE regress_btm_install;
GRANT USAGE ON SCHEMA m2m, install TO regress_btm_install;
SELECT proname FROM functions WHERE proacl IS NOT NULL;
SET ROLE regress_btm_install;
-- the store and the view can be read like catalogs
SELECT count(*) >= 0 FROM belongs_to_many_store;
SELECT count(*) >= 0 FROM belongs_to_many_relations;
-- and are written by functions only
INSERT INTO belongs_to_many_store VALUES (1, 'x', 'x');
\echo :LAST_ERROR_SQLSTATE
UPDATE belongs_to_many_store SET name = 'x';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM belongs_to_many_store;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE belongs_to_many_store;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO belongs_to_many_relations (name) VALUES ('x');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- ---- settings

-- (calling a function loads the library, which defines them)
SELECT pivot_as('saved', 'link');
SELECT name, setting, unit, min_val, max_val, context, vartype, category
FROM pg_settings WHERE name LIKE 'belongs\_to\_many.%' ORDER BY name COLLATE "C";
SELECT name FROM pg_settings WHERE name LIKE 'belongs\_to\_many.%' AND coalesce(short_desc, '') = '';
-- a misspelt one is an error
SET belongs_to_many.max_lock = 10;
\echo :LAST_ERROR_SQLSTATE

-- ---- installing

-- only a superuser can
BEGIN;
DROP EXTENSION belongs_to_many CASCADE;
DO $$
BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_btm_install', current_database());
END
$$;
SET LOCAL ROLE regress_btm_install;
CREATE EXTENSION belongs_to_many SCHEMA install;
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
DROP OWNED BY regress_btm_install;
DROP ROLE regress_btm_install;

-- into any schema, also one whose name must be quoted
BEGIN;
DROP EXTENSION belongs_to_many CASCADE;
CREATE SCHEMA "Many to.many";
CREATE EXTENSION belongs_to_many SCHEMA "Many to.many";
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY);
CREATE TABLE user_roles (user_id bigint REFERENCES users, role_id bigint REFERENCES roles,
	PRIMARY KEY (user_id, role_id));
INSERT INTO users VALUES (1);
INSERT INTO roles VALUES (1), (2);
SELECT "Many to.many".create_relation('user_roles',
	"Many to.many".belongs_to_many('users', 'roles'));
SELECT "Many to.many".attach('user_roles', 1, '{1,2}');
SELECT * FROM "Many to.many".get_results('user_roles', 1);
SELECT schema, name, pivot_table, relation FROM "Many to.many".belongs_to_many_relations;
-- whose name may change
ALTER SCHEMA "Many to.many" RENAME TO other;
SELECT * FROM other.sync('user_roles', 1, '{2}');
SELECT other.create_relation('again', other.inverse('user_roles'));
SELECT name FROM other.belongs_to_many_relations ORDER BY 1;
ROLLBACK;

-- without a schema it goes where search_path says
BEGIN;
DROP EXTENSION belongs_to_many CASCADE;
CREATE EXTENSION belongs_to_many;
SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'belongs_to_many';
ROLLBACK;

-- it is found again after it was dropped and made anew in the same session
BEGIN;
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE user_users (user_id bigint, other_id bigint, PRIMARY KEY (user_id, other_id));
SELECT create_relation('friends', belongs_to_many('users', 'users', 'user_users', 'user_id', 'other_id'));
DROP EXTENSION belongs_to_many CASCADE;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
SELECT count(*) FROM belongs_to_many_relations;
SELECT attach('friends', 1, 2);
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE

-- only one of it, and it stays where it is
CREATE EXTENSION belongs_to_many SCHEMA install;
\echo :LAST_ERROR_SQLSTATE
ALTER EXTENSION belongs_to_many SET SCHEMA install;
\echo :LAST_ERROR_SQLSTATE

-- it does not go while values of its type are stored
CREATE TABLE uses_it (r belongs_to_many);
DROP EXTENSION belongs_to_many;
\echo :LAST_ERROR_SQLSTATE
-- and none of its parts goes alone
DROP FUNCTION take(belongs_to_many, bigint, bigint);
\echo :LAST_ERROR_SQLSTATE

DROP VIEW members, functions, signatures;
DROP SCHEMA install CASCADE;
