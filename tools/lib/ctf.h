/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads streams that LTTng-UST wrote, without libbabeltrace2: the same events in the same order,
 * many times faster. */

#ifndef VADTRACE_TOOLS_LIB_CTF_H
#define VADTRACE_TOOLS_LIB_CTF_H

#include <stdbool.h>

#include "tools/lib/images.h"
#include "tools/lib/reader.h"
#include "tools/lib/streams.h"

struct ctf;

/* Opens all streams. NULL when their layout is not LTTng-UST's: *why says so in words, which the
 * caller frees. The streams must outlive the result. */
struct ctf *ctf_open(const struct streams *streams, char **why);
void ctf_close(struct ctf *ctf);

/* Applies all events to the images; counts, and what went wrong, go into the summary. What images
 * wait for lies in the streams: they are not closed before images_finish. */
void ctf_read(struct ctf *ctf, struct images *images, struct reader_summary *summary);

#endif
