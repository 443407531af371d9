/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The loader's calls that matter to stacks. dlopen is not here: the loader looks at who calls it.
 */

#include <dlfcn.h>
#include <link.h>

#include "preload/native/real.h"
#include "preload/native/scope.h"
#include "preload/process.h"
#include "preload/start.h"
#include "preload/recorder.h"

CORE_API int dlclose(void *handle)
{
	int result;

	if (serve_now() == SERVE_NONE)
		return -1;
	result = real.dlclose(handle);
	scope_forget();
	if (process_is_tracing())
		tracer->modules_changed();
	return result;
}

/* The unwinder asks while a traced call runs: then no lock of the loader may be waited for. */
CORE_API int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data)
{
	if (serve_now() == SERVE_NONE)
		return 0;
	if (tracer->is_unwinding())
		return tracer->iterate_modules(callback, data);
	return real.dl_iterate_phdr(callback, data);
}
