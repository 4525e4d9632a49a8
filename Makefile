# belongs_to_many: many-to-many relations in the server.
#
#   make && make install
#   make installcheck          (scripts/test runs everything)
#
# PG_CONFIG=/path/to/pg_config chooses the server to build for.

MODULE_big = belongs_to_many
OBJS = \
	src/belongs_to_many.o \
	src/cql/base.o \
	src/cql/buffer.o \
	src/cql/elements.o \
	src/cql/frame.o \
	src/cql/handshake.o \
	src/cql/incoming.o \
	src/cql/name.o \
	src/cql/number.o \
	src/cql/protocol.o \
	src/cql/replication.o \
	src/cql/reprepare.o \
	src/cql/request.o \
	src/cql/requests.o \
	src/cql/response.o \
	src/cql/response_error.o \
	src/cql/response_result.o \
	src/cql/ring.o \
	src/cql/scan.o \
	src/cql/session.o \
	src/cql/statements.o \
	src/cql/streams.o \
	src/cql/supported.o \
	src/cql/token.o \
	src/cql/type.o \
	src/cql/type_class.o \
	src/cql/type_text.o \
	src/cql/value.o \
	src/pivot/attach.o \
	src/pivot/attributes.o \
	src/pivot/bulk.o \
	src/pivot/call.o \
	src/pivot/detach.o \
	src/pivot/difference.o \
	src/pivot/estimate.o \
	src/pivot/foreign.o \
	src/pivot/foreign_reads.o \
	src/pivot/ids.o \
	src/pivot/input.o \
	src/pivot/insert_rows.o \
	src/pivot/jsonrow.o \
	src/pivot/key_reader.o \
	src/pivot/keys.o \
	src/pivot/local.o \
	src/pivot/lock.o \
	src/pivot/pair_index.o \
	src/pivot/plan.o \
	src/pivot/queries.o \
	src/pivot/reads.o \
	src/pivot/references.o \
	src/pivot/results.o \
	src/pivot/results_for.o \
	src/pivot/run.o \
	src/pivot/sqltext.o \
	src/pivot/statements.o \
	src/pivot/support.o \
	src/pivot/sync.o \
	src/pivot/toggle.o \
	src/pivot/update.o \
	src/pivot/value.o \
	src/pivot/view.o \
	src/relation/arguments.o \
	src/relation/builders.o \
	src/relation/cache.o \
	src/relation/condition.o \
	src/relation/constructor.o \
	src/relation/filters.o \
	src/relation/foreign_keys.o \
	src/relation/foreign_table.o \
	src/relation/infer.o \
	src/relation/names.o \
	src/relation/operator_text.o \
	src/relation/relation_parse.o \
	src/relation/relation_text.o \
	src/relation/relation_value.o \
	src/relation/resolve.o \
	src/relation/saved.o \
	src/relation/saved_cache.o \
	src/relation/saved_commands.o \
	src/relation/saved_store.o \
	src/scylla/analyze.o \
	src/scylla/cluster.o \
	src/scylla/codec.o \
	src/scylla/connection.o \
	src/scylla/connection_cache.o \
	src/scylla/convert.o \
	src/scylla/count.o \
	src/scylla/cqltext.o \
	src/scylla/cqltext_write.o \
	src/scylla/direct.o \
	src/scylla/errors.o \
	src/scylla/explain.o \
	src/scylla/fdw.o \
	src/scylla/flush.o \
	src/scylla/import.o \
	src/scylla/json.o \
	src/scylla/marker.o \
	src/scylla/memory.o \
	src/scylla/modify.o \
	src/scylla/modify_plan.o \
	src/scylla/nanotime.o \
	src/scylla/options.o \
	src/scylla/overlay.o \
	src/scylla/overlay_plan.o \
	src/scylla/overlay_static.o \
	src/scylla/pending.o \
	src/scylla/pending_bytes.o \
	src/scylla/pending_change.o \
	src/scylla/pipeline.o \
	src/scylla/pipeline_request.o \
	src/scylla/pipeline_send.o \
	src/scylla/plan.o \
	src/scylla/primary_key.o \
	src/scylla/pump.o \
	src/scylla/query.o \
	src/scylla/reader.o \
	src/scylla/restriction.o \
	src/scylla/route.o \
	src/scylla/row.o \
	src/scylla/scan.o \
	src/scylla/schema.o \
	src/scylla/sender.o \
	src/scylla/spill.o \
	src/scylla/statement.o \
	src/scylla/table.o \
	src/scylla/tls.o \
	src/scylla/topology.o \
	src/scylla/transport.o \
	src/scylla/upper.o \
	src/scylla/write.o

EXTENSION = belongs_to_many
DATA = belongs_to_many--1.0.sql
PGFILEDESC = "belongs_to_many - many-to-many relations in the server"

REGRESS = \
	attach \
	attributes \
	bad_input \
	builders \
	bulk \
	constructor \
	detach \
	foreign_pivot \
	ids \
	insert_rows \
	morph \
	install \
	large \
	plans \
	privileges \
	queries \
	reads \
	references \
	regressions \
	relation_type \
	results \
	results_for \
	saved \
	scylla_connections \
	scylla_options \
	support \
	sync \
	toggle \
	update_existing_pivot \
	view
ISOLATION = \
	alter-table \
	both-sides \
	bulk-foreign-keys-rc \
	bulk-foreign-keys-rr \
	bulk-foreign-keys-ser \
	bulk-rows \
	foreign-pivot \
	keys \
	lock-relation \
	max-locks \
	old-snapshot \
	one-call \
	pairs-bulk-noindex-rc \
	pairs-bulk-noindex-rr \
	pairs-bulk-noindex-ser \
	pairs-bulk-unique-rc \
	pairs-bulk-unique-rr \
	pairs-bulk-unique-ser \
	pairs-bulknew-noindex-rc \
	pairs-bulknew-noindex-rr \
	pairs-bulknew-noindex-ser \
	pairs-bulknew-unique-rc \
	pairs-bulknew-unique-rr \
	pairs-bulknew-unique-ser \
	pairs-new-morph-rc \
	pairs-new-noindex-rc \
	pairs-new-noindex-rr \
	pairs-new-noindex-ser \
	pairs-new-unique-rc \
	pairs-new-unique-rr \
	pairs-new-unique-ser \
	pairs-old-morph-rc \
	pairs-old-noindex-rc \
	pairs-old-noindex-rr \
	pairs-old-noindex-ser \
	pairs-old-unique-rc \
	pairs-old-unique-rr \
	pairs-old-unique-ser \
	pairs-same-morph-rc \
	pairs-same-noindex-rc \
	pairs-same-noindex-rr \
	pairs-same-noindex-ser \
	pairs-same-unique-rc \
	pairs-same-unique-rr \
	pairs-same-unique-ser \
	pairs-single-unique-rc \
	pairs-sql-noindex-rc \
	pairs-sql-noindex-rr \
	pairs-sql-noindex-ser \
	pairs-sql-unique-rc \
	pairs-sql-unique-rr \
	pairs-sql-unique-ser \
	redefine \
	references \
	row-order \
	savepoints \
	several-calls \
	waits
ISOLATION_OPTS = --inputdir=$(srcdir)/test --load-extension=belongs_to_many
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

ifdef VPATH
srcdir = $(VPATH)
else
srcdir = .
endif

PG_CPPFLAGS = -I$(srcdir)/src
SHLIB_LINK += -llz4 -lssl -lcrypto
PG_CFLAGS = -std=gnu99 -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter -MMD -MP
EXTRA_CLEAN = $(OBJS:.o=.d) $(OBJS:.o=.bc)

# Objects live in sub-directories, which a VPATH build must make first.
$(shell mkdir -p $(sort $(dir $(OBJS))))

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# A changed list of objects links anew.
$(shlib): $(srcdir)/Makefile

# The server's headers are not tracked by PGXS; the compiler does it (-MMD).
-include $(OBJS:.o=.d)
