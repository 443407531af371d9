/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* From LTTng's events to happenings and definitions: tells process images of one pid apart, and
 * keeps one merge per image. Single-threaded; knows nothing of files. */

#ifndef VADTRACE_TOOLS_LIB_IMAGES_H
#define VADTRACE_TOOLS_LIB_IMAGES_H

#include "tools/lib/decode.h"
#include "tools/lib/live.h"
#include "tools/lib/reader.h"

struct images;

/* `live` and `summary` stay the caller's and are written to: slots that were taken, counts. */
struct images *images_create(const struct reader_input *input, reader_deliver deliver,
			     void *context, struct live *live, struct reader_summary *summary);
/* One event of ours, in LTTng's order. */
void images_apply(struct images *images, const struct decoded *event);
/* Delivers all that still waits, and the records that killed processes left. */
void images_finish(struct images *images);
void images_destroy(struct images *images);

#endif
