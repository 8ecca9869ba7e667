/* SPDX-License-Identifier: Apache-2.0 */
/* What every way of carrying agents' messages must do, and a suite that tries it.
 *
 * A host that writes a transport of its own fills the table and calls transport_conforms() for each case: three members bargain
 * over it while messages are delayed, reordered, lost, repeated, late and spoilt on purpose, and must agree on the very bytes
 * that they agree on in one process; a member that falls silent must be named.  Nothing but the public API is used. */
#ifndef TESTS_BARGAIN_TRANSPORT_H
#define TESTS_BARGAIN_TRANSPORT_H

#include <stdbool.h>

#include "mgchain/bargain.h"

enum { TRANSPORT_MEMBERS = 3 };

typedef struct transport {
    const char *name;
    /* For members 0..n-1; NULL: cannot.  Everything below gets what it answers. */
    void *(*open)(size_t n);
    void (*close)(void *self);
    /* Does this process run that member? */
    bool (*mine)(void *self, size_t member);
    /* Carry a message; bytes are the caller's again afterwards.  false: cannot. */
    bool (*send)(void *self, size_t from, size_t to, const uint8_t *bytes, size_t len);
    /* A message that has arrived for one of this process' members, borrowed until the next call; false: none now. */
    bool (*next)(void *self, size_t *from, size_t *to, const uint8_t **bytes, size_t *len);
    /* Once a turn, by every process: is `yes` true at all of them? */
    bool (*all)(void *self, bool yes);
} transport;

/* The cases, from 0. */
enum {
    TRANSPORT_PLAIN,
    TRANSPORT_LARGE,     /* the longest message that an agent sends, and an empty one, arrive whole and from whom they say */
    TRANSPORT_ORDER,     /* messages overtake each other */
    TRANSPORT_LOSS,
    TRANSPORT_REPETITION,
    TRANSPORT_LATE,      /* every message once more when its step is long over */
    TRANSPORT_MALFORMED, /* spoilt, cut and foreign copies of every message */
    TRANSPORT_ALL_OF_IT,
    TRANSPORT_SILENT,    /* member 1 falls silent */
    TRANSPORT_CASES
};
const char *transport_case(int number);

/* Run one case at all processes of the transport at once.  true: passed here; else why says what did not hold. */
bool transport_conforms(const transport *t, int number, char *why, size_t size);

#endif
