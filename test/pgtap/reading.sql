-- Reading as an ORM does: eager loads, pages, the first of each, counts, existence.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(23);

CREATE TABLE authors (id int PRIMARY KEY, name text);
CREATE TABLE books (id int PRIMARY KEY, title text, year int);
CREATE TABLE author_books (author_id int REFERENCES authors, book_id int REFERENCES books, share int, PRIMARY KEY (author_id, book_id));
INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 5) i;
INSERT INTO books SELECT i, 'book ' || i, 2000 + i % 4 FROM generate_series(1, 20) i;
INSERT INTO author_books SELECT a, b, (a + b) % 7 FROM generate_series(1, 4) a, generate_series(1, 20) b WHERE b % a = 0;
SELECT create_relation('author_books', with_pivot(belongs_to_many('authors', 'books'), 'share'));

-- with(): the parents' own query, and the related rows of all of them in one call
SELECT results_eq($$SELECT a.name, jsonb_array_length(f.results) FROM authors a JOIN get_results_for('author_books', ARRAY(SELECT id FROM authors)) f ON f.parent = a.id ORDER BY a.id$$,
	$$VALUES ('author 1', 20), ('author 2', 10), ('author 3', 6), ('author 4', 5), ('author 5', 0)$$, 'an eager load');
SELECT is((SELECT jsonb_agg(to_jsonb(a) || jsonb_build_object('books', f.results) ORDER BY a.id) #> '{1,books,0}'
	FROM authors a JOIN get_results_for(order_by('author_books', 'id'), ARRAY(SELECT id FROM authors)) f ON f.parent = a.id),
	'{"id": 2, "title": "book 2", "year": 2002, "pivot": {"author_id": 2, "book_id": 2, "share": 4}}', 'nested in the parent');
SELECT is((SELECT jsonb_agg(jsonb_path_query_array(results, '$.id') ORDER BY parent) FROM get_results_for(order_by('author_books', 'id', 'desc'), ARRAY[1, 2, 5], 2)), '[[20, 19], [20, 18], []]', 'the last two of each');
SELECT is((SELECT jsonb_agg(jsonb_path_query_array(results, '$.id') ORDER BY parent) FROM get_results_for(order_by(order_by_pivot('author_books', 'share', 'desc'), 'id'), ARRAY[1, 4], 1)), '[[5], [16]]', 'the one with the greatest share of each');
-- nested: books of authors, authors of those books
SELECT is((SELECT count(DISTINCT g.result ->> 'id') FROM get_results('author_books', 4) b, get_results(inverse('author_books'), (b.result ->> 'id')::int) g), 4::bigint, 'authors of an author''s books');

-- pages
SELECT is((SELECT jsonb_agg(result -> 'id') FROM get_results(take(order_by('author_books', 'id'), 3), 2)), '[2, 4, 6]', 'page 1');
SELECT is((SELECT jsonb_agg(result -> 'id') FROM get_results(take(order_by('author_books', 'id'), 3, 3), 2)), '[8, 10, 12]', 'page 2');
SELECT is((SELECT jsonb_agg(result -> 'id') FROM get_results(take(order_by('author_books', 'id'), 3, 9), 2)), '[20]', 'the last page');
SELECT is((SELECT jsonb_agg(result -> 'id') FROM get_results(take(order_by('author_books', 'id'), 3, 12), 2)), NULL, 'beyond it');
SELECT is(count_related(take('author_books', 3), 2), 10::bigint, 'the number of all of them');
SELECT is((SELECT result -> 'title' FROM get_results(take(order_by(order_by('author_books', 'year'), 'id', 'desc'), 1), 2)), '"book 20"', 'the first in an order of two columns');
SELECT is((SELECT count(*) FROM generate_series(0, 19, 7) o, get_results(take(order_by('author_books', 'id'), 7, o), 1)), 20::bigint, 'page after page');

-- filters on either side
SELECT is((SELECT count(*) FROM get_results(where_pivot('author_books', 'share', '>=', 3), 1)), (SELECT count(*) FROM author_books WHERE author_id = 1 AND share >= 3), 'on the pivot');
SELECT is((SELECT count(*) FROM get_results(where_related('author_books', 'year', 2001), 1)), 5::bigint, 'on the related row');
SELECT is((SELECT jsonb_agg(result -> 'id') FROM get_results(order_by(where_related(where_pivot_between('author_books', 'share', 1, 3), 'title', 'like', '%1%'), 'id'), 1)), '[1, 14, 15, 16]', 'on both');
SELECT is((SELECT jsonb_agg(result -> 'id') FROM get_results(order_by(where_pivot_not_in('author_books', 'share', '{0,1,2,3,4,5}'), 'id'), 1)), '[5, 12, 19]', 'not in a list');

-- has(), doesn't have, counts
SELECT is((SELECT array_agg(parent ORDER BY parent) FROM count_related_for('author_books', ARRAY(SELECT id FROM authors)) WHERE count = 0), '{5}', 'authors without a book');
SELECT is((SELECT array_agg(parent ORDER BY parent) FROM count_related_for(where_pivot('author_books', 'share', 6), ARRAY(SELECT id FROM authors)) WHERE count > 2), '{1}', 'authors with more than two of a kind');
SELECT is((SELECT array_agg(id) FROM authors WHERE is_attached('author_books', id, '{4,8}') AND NOT is_attached('author_books', id, 1)), '{2,4}', 'authors of these, and not of that');
SELECT is((SELECT sum(count) FROM count_related_for(inverse('author_books'), ARRAY(SELECT id FROM books))), 41::numeric, 'counts from the other side');

-- the same as a view, for joins over many parents
SELECT lives_ok($$SELECT create_relation_view('author_books', 'app.author_book_view')$$, 'a view');
SELECT results_eq('SELECT pivot_author_id, count(*), sum(pivot_share) FROM author_book_view WHERE year = 2000 GROUP BY 1 ORDER BY 1',
	'SELECT p.author_id, count(*), sum(p.share) FROM author_books p JOIN books b ON b.id = p.book_id WHERE b.year = 2000 GROUP BY 1 ORDER BY 1', 'is the join');
SELECT is((SELECT array_agg(x ORDER BY x) FROM (SELECT b.id FROM books b EXCEPT SELECT related_ids('author_books', 2, NULL::int)) s(x)), '{1,3,5,7,9,11,13,15,17,19}', 'books that an author has not written');

SELECT * FROM finish();
ROLLBACK;
