-- The example of docs/scylla.md. Tables users and roles are there, and the foreign table role_user.
-- doc:begin
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'role_user', 'user_id', 'role_id'));
SELECT attach('user_roles', 1, '{1,2,3}');
SELECT * FROM sync('user_roles', 1, '{"2": {"status": "paused"}, "4": {}}');
-- [4] | [1, 3] | [2]
-- doc:end
