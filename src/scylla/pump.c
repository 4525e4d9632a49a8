/*-------------------------------------------------------------------------
 *
 * pump.c
 *	  Moves bytes between a cluster's connections and their sessions, and hands
 *	  out what comes of it.
 *
 * One call of btm_scylla_pump does as much as is possible at once, or waits
 * until something is possible.  Whoever wants an answer calls it until the
 * answer is there.  All connections take part, so that requests to several
 * nodes proceed together, and so that events and closed connections are seen.
 *
 * Errors are raised only between the steps, by the wait: a cancel finds the
 * sessions in order, and leaves the connections usable.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "miscadmin.h"
#include "scylla/cluster.h"
#include "utils/wait_event.h"

/* How often a connection is read before the others have their turn. */
#define MAX_FILLS 16

/* Events that are taken from the kernel at once. */
#define MAX_EVENTS 16

/* Backoff of what has failed: from one second, doubled each time. */
#define MIN_BACKOFF INT64CONST(1000000)
#define MAX_BACKOFF INT64CONST(60000000)

/* ---- health */

bool
btm_scylla_is_healthy(const BtmScyllaHealth *health)
{
	return health->retry_at == 0 || health->retry_at <= btm_scylla_now();
}

void
btm_scylla_note_failure(BtmScyllaHealth *health)
{
	int			doublings = Min(health->failures, 10);

	health->failures++;
	health->retry_at = btm_scylla_now() + Min(MIN_BACKOFF << doublings, MAX_BACKOFF);
}

void
btm_scylla_note_success(BtmScyllaHealth *health)
{
	health->failures = 0;
	health->retry_at = 0;
}

/* ---- time */

/*
 * The time that requests are measured by: that of the pump's work and waits.
 */
static int64
clock_of(const BtmScyllaCluster *cluster)
{
	return cluster->left_at - cluster->paused;
}

/*
 * When a request that is made now is to be answered, in that time.
 */
int64
btm_scylla_deadline(const BtmScyllaCluster *cluster)
{
	return clock_of(cluster) + cluster->options->request_timeout * INT64CONST(1000);
}

/*
 * Begins to count time.
 */
static void
enter(BtmScyllaCluster *cluster)
{
	int64		now = btm_scylla_now();

	cluster->paused += now - cluster->left_at;
	cluster->left_at = now;
}

/*
 * Counts the time that has passed.
 */
static void
count_time(BtmScyllaCluster *cluster)
{
	cluster->left_at = btm_scylla_now();
}

/* ---- failures */

/*
 * Closes a connection that has failed.  Its requests are lost, and the node is
 * avoided for a while.  Does not raise.
 */
void
btm_scylla_lose(BtmScyllaConnection *connection, const BtmScyllaFailure *failure)
{
	BtmScyllaCluster *cluster = connection->cluster;

	cluster->losses++;
	btm_scylla_fail(&cluster->last_loss, failure->sqlstate, "%s:%d: %s",
					connection->host, connection->port, failure->reason);
	cluster->last_loss.timed_out = failure->timed_out;
	if (connection->node != NULL)
		btm_scylla_note_failure(&connection->node->health);
	if (connection->contact != NULL)
		btm_scylla_note_failure(&connection->contact->health);
	while (!dlist_is_empty(&connection->requests))
		btm_scylla_request_lose(dlist_head_element(BtmScyllaRequest, link,
												   &connection->requests));
	btm_scylla_connection_close(connection);
}

/* ---- one connection */

/*
 * Hands an event to whom it belongs.
 */
static void
hand_out(BtmScyllaConnection *connection, CqlEvent *event)
{
	if (event->kind == CQL_EVENT_SERVER)
		btm_scylla_topology_event(connection->cluster, &event->response->u.event);
	else if (event->tag != NULL)
	{
		btm_scylla_request_answer(event->tag, connection, event);
		return;
	}

	/* an event, or the answer to REGISTER */
	if (event->response != NULL)
		cql_response_free(event->response);
}

/*
 * Hands out all events that the session has.  False with the failure if it does
 * not trust its bytes any more.
 */
static bool
hand_out_all(BtmScyllaConnection *connection, bool *any, BtmScyllaFailure *failure)
{
	for (;;)
	{
		CqlEvent	event = {0};

		if (cql_session_next(connection->session, &event) != CQL_OK)
		{
			btm_scylla_fail_wire(failure, cql_session_error(connection->session));
			return false;
		}
		if (event.kind == CQL_EVENT_NONE)
			return true;
		hand_out(connection, &event);
		*any = true;
	}
}

/*
 * Reads what has come, and hands it out.  A connection that fails is closed.
 * Does not raise.
 */
void
btm_scylla_service(BtmScyllaConnection *connection, bool readable)
{
	BtmScyllaFailure failure = {0};
	bool		any = false;

	for (int i = 0; i < MAX_FILLS && readable; i++)
	{
		if (!btm_scylla_connection_fill(connection, &readable, &failure) ||
			(readable && !hand_out_all(connection, &any, &failure)))
		{
			btm_scylla_lose(connection, &failure);
			return;
		}
		readable = readable && connection->more;
	}
}

/*
 * Sends what a session wants sent, as far as it goes.  A connection that fails
 * is closed.  Does not raise.
 */
void
btm_scylla_flush(BtmScyllaConnection *connection)
{
	BtmScyllaFailure failure = {0};

	if (!btm_scylla_connection_flush(connection, &failure))
		btm_scylla_lose(connection, &failure);
}

/* ---- all connections */

/*
 * Sends on all connections, and hands out what sessions have known without
 * asking.  Returns whether anything happened that somebody may wait for.
 */
static bool
work_at_hand(BtmScyllaCluster *cluster)
{
	uint64		losses = cluster->losses;
	bool		any = false;
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &cluster->connections)
	{
		BtmScyllaConnection *connection = dlist_container(BtmScyllaConnection, link, iter.cur);
		BtmScyllaFailure failure = {0};

		if (!hand_out_all(connection, &any, &failure) ||
			!btm_scylla_connection_flush(connection, &failure))
			btm_scylla_lose(connection, &failure);
	}
	return any || cluster->losses != losses;
}

/*
 * Notes that the server has until `deadline` to answer a request that nobody
 * waits for.
 */
void
btm_scylla_note_unclaimed(BtmScyllaConnection *connection, int64 deadline)
{
	connection->nunclaimed++;
	if (connection->unclaimed_until == 0)
		connection->unclaimed_until = deadline;
	connection->unclaimed_last = Max(connection->unclaimed_last, deadline);
}

/*
 * The deadline of requests that nobody waits for and that the server has not
 * answered yet; PG_INT64_MAX if there are none.  As long as none of them is
 * answered, the deadline of the first holds, however many follow: a server that
 * has fallen silent is found out, also if all its clients are impatient.
 */
static int64
unclaimed_deadline(BtmScyllaConnection *connection)
{
	uint32		in_flight = cql_session_in_flight(connection->session);
	uint32		nunclaimed = in_flight - Min(in_flight, connection->nrequests);

	if (nunclaimed == 0)
		connection->unclaimed_until = connection->unclaimed_last = 0;
	else if (nunclaimed < connection->nunclaimed)
		connection->unclaimed_until = connection->unclaimed_last;
	connection->nunclaimed = nunclaimed;
	return connection->unclaimed_until != 0 ? connection->unclaimed_until : PG_INT64_MAX;
}

/*
 * The deadline of the connection's oldest request; PG_INT64_MAX if it has none.
 */
static int64
deadline_of(BtmScyllaConnection *connection)
{
	int64		deadline = unclaimed_deadline(connection);

	if (!dlist_is_empty(&connection->requests))
		deadline = Min(deadline,
					   dlist_head_element(BtmScyllaRequest, link, &connection->requests)->deadline);
	return deadline;
}

/*
 * Closes the connections whose server has not answered in time.
 */
static void
expire(BtmScyllaCluster *cluster)
{
	int64		now = clock_of(cluster);
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &cluster->connections)
	{
		BtmScyllaConnection *connection = dlist_container(BtmScyllaConnection, link, iter.cur);
		BtmScyllaFailure failure;

		if (deadline_of(connection) > now)
			continue;
		btm_scylla_fail(&failure, ERRCODE_CONNECTION_FAILURE,
						"no answer within the request_timeout of %d ms",
						cluster->options->request_timeout);
		failure.timed_out = true;
		btm_scylla_lose(connection, &failure);
	}
}

/*
 * Milliseconds until something must be looked at; -1: never.
 */
static long
time_to_wait(BtmScyllaCluster *cluster)
{
	int64		deadline = PG_INT64_MAX;
	dlist_iter	iter;

	dlist_foreach(iter, &cluster->connections)
	{
		BtmScyllaConnection *connection = dlist_container(BtmScyllaConnection, link, iter.cur);

		if (connection->more)
			return 0;
		deadline = Min(deadline, deadline_of(connection));
	}
	if (deadline == PG_INT64_MAX)
		return -1;
	return Max(0, (deadline - clock_of(cluster)) / 1000 + 1);
}

/* ---- waiting */

/*
 * Frees the wait event set.
 */
void
btm_scylla_pump_reset(BtmScyllaCluster *cluster)
{
	WaitEventSet *set = cluster->wait_set;

	cluster->wait_set = NULL;
	cluster->wait_set_size = -1;
	if (set != NULL)
		FreeWaitEventSet(set);
}

/*
 * What a connection must wait for.
 */
static uint32
wanted_events(const BtmScyllaConnection *connection)
{
	return btm_scylla_transport_wanted(connection->transport,
									   btm_scylla_connection_has_output(connection));
}

/*
 * Makes the wait event set anew.
 */
static void
build_wait_set(BtmScyllaCluster *cluster)
{
	int			n = 0;
	dlist_iter	iter;

	btm_scylla_pump_reset(cluster);
	dlist_foreach(iter, &cluster->connections)
		n++;
	cluster->wait_set = CreateWaitEventSet(NULL, n + 2);
	AddWaitEventToSet(cluster->wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(cluster->wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	dlist_foreach(iter, &cluster->connections)
	{
		BtmScyllaConnection *connection = dlist_container(BtmScyllaConnection, link, iter.cur);

		connection->waiting_for = wanted_events(connection);
		connection->position =
			AddWaitEventToSet(cluster->wait_set, connection->waiting_for,
							  btm_scylla_transport_socket(connection->transport),
							  NULL, connection);
	}
	cluster->wait_set_size = n;
}

/*
 * Brings the wait event set up to date with what connections want.
 */
static void
update_wait_set(BtmScyllaCluster *cluster)
{
	dlist_iter	iter;

	if (cluster->wait_set_size < 0)
	{
		build_wait_set(cluster);
		return;
	}
	dlist_foreach(iter, &cluster->connections)
	{
		BtmScyllaConnection *connection = dlist_container(BtmScyllaConnection, link, iter.cur);
		uint32		wanted = wanted_events(connection);

		if (wanted == connection->waiting_for)
			continue;
		ModifyWaitEvent(cluster->wait_set, connection->position, wanted, NULL);
		connection->waiting_for = wanted;
	}
}

/*
 * The wait event of requests.
 */
static uint32
request_wait_event(void)
{
	static uint32 wait_event = 0;

	if (wait_event == 0)
		wait_event = WaitEventExtensionNew("ScyllaRequest");
	return wait_event;
}

/*
 * Waits, and marks connections on which something can be done (`more`).
 */
static void
wait_for_connections(BtmScyllaCluster *cluster)
{
	WaitEvent	events[MAX_EVENTS];
	int			n;

	update_wait_set(cluster);
	n = WaitEventSetWait(cluster->wait_set, time_to_wait(cluster), events,
						 MAX_EVENTS, request_wait_event());
	for (int i = 0; i < n; i++)
	{
		if (events[i].events & WL_LATCH_SET)
			ResetLatch(MyLatch);
		else if (events[i].user_data != NULL)
			((BtmScyllaConnection *) events[i].user_data)->more = true;
	}
}

/*
 * Does what can be done, or waits until something can.  The caller looks
 * whether that was what it wants, and calls again.  There must be something
 * under way: otherwise it waits for ever.
 */
void
btm_scylla_pump(BtmScyllaCluster *cluster)
{
	dlist_mutable_iter iter;

	CHECK_FOR_INTERRUPTS();
	enter(cluster);
	if (work_at_hand(cluster))
		return;
	wait_for_connections(cluster);
	dlist_foreach_modify(iter, &cluster->connections)
	{
		BtmScyllaConnection *connection = dlist_container(BtmScyllaConnection, link, iter.cur);

		if (connection->more)
			btm_scylla_service(connection, true);
	}
	count_time(cluster);
	expire(cluster);
	CHECK_FOR_INTERRUPTS();
}
