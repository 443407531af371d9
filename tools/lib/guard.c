/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The function below has the name of libbabeltrace2's, and the program's own functions come first:
 * the plugin that decodes CTF calls it. */

#include "tools/lib/guard.h"

#include <babeltrace2/babeltrace.h>
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* No sub-buffer of LTTng's holds an event with more. */
enum { LENGTH_MAX = 1 << 20 };

typedef bt_field_array_dynamic_set_length_status set_length(bt_field *field, uint64_t length);

static set_length *real_set_length;

void guard_arrays(void)
{
	void *found = dlsym(RTLD_NEXT, "bt_field_array_dynamic_set_length");

	memcpy(&real_set_length, &found, sizeof(found));
}

bt_field_array_dynamic_set_length_status bt_field_array_dynamic_set_length(bt_field *field,
									   uint64_t length)
{
	if (!real_set_length || length > LENGTH_MAX)
		return BT_FIELD_DYNAMIC_ARRAY_SET_LENGTH_STATUS_MEMORY_ERROR;
	return real_set_length(field, length);
}
