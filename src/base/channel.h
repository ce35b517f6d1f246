/* SPDX-License-Identifier: Apache-2.0 */
/* The channel between supervisor and front: one word of one byte a message, over a SEQPACKET
 * socket. Both ends of two versions may meet at an upgrade: words keep their meaning. */
#pragma once

enum channel_word {
    CHANNEL_NONE = 0, /* the other end is gone, or said something else */

    /* The front says: */
    CHANNEL_WAITS = 'W',        /* prepared; the store is next */
    CHANNEL_READY = 'R',        /* connections are accepted */
    CHANNEL_FIRST_READY = 'F',  /* the same, after a first start */
    CHANNEL_STORE_FREE = 'D',   /* handed over: the database is closed */
    CHANNEL_SIGNER_HANGS = 'S', /* or is of no use */

    /* The supervisor says: */
    CHANNEL_GO = 'G',        /* the store is yours */
    CHANNEL_HAND_OVER = 'H', /* another front is prepared: answer what runs, close the store */
    CHANNEL_LANES = 'L',     /* with SCM_RIGHTS: the front's ends of the lanes to a new signer */
};
