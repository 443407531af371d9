/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Who answers operator new and operator delete:
 *
 *   the next one in line is                     then we
 *   the C++ library's, or the program's         pass the call on: it comes to malloc by itself
 *   of the library that has the next malloc     serve it as malloc and free
 *   not there (C++ came with a plugin)          pass it on to the one in the plugin's own scope
 *
 * jemalloc, tcmalloc and the like go round malloc in their operators. Where we stand before such a
 * library, one kind of block would be ours and the other its own, and either may be given to the
 * other's operator delete (jemalloc's forms with a size do not ask whose a block is). What we
 * cannot serve goes to the library: it calls the new handler and throws, we have no C++ library.
 *
 * The forms differ in their arguments; all fit into three registers, and a function leaves alone
 * those that it does not take. */

#include "preload/native/operators.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "preload/native/real.h"
#include "preload/native/scope.h"
#include "preload/start.h"

typedef uintptr_t word;
typedef void *(*operator_function)(word first, word second, word third);
typedef void *(*server)(operator_function last, word first, word second, word third);

/* Each form by its name in the x86-64 C++ ABI, and what serves it. */
/* clang-format off */
#define FORMS(ROW)                                              \
	ROW(_Znwm, serve_new)                                   \
	ROW(_Znam, serve_new)                                   \
	ROW(_ZnwmRKSt9nothrow_t, serve_new)                     \
	ROW(_ZnamRKSt9nothrow_t, serve_new)                     \
	ROW(_ZnwmSt11align_val_t, serve_aligned_new)            \
	ROW(_ZnamSt11align_val_t, serve_aligned_new)            \
	ROW(_ZnwmSt11align_val_tRKSt9nothrow_t, serve_aligned_new) \
	ROW(_ZnamSt11align_val_tRKSt9nothrow_t, serve_aligned_new) \
	ROW(_ZdlPv, serve_delete)                               \
	ROW(_ZdaPv, serve_delete)                               \
	ROW(_ZdlPvm, serve_delete)                              \
	ROW(_ZdaPvm, serve_delete)                              \
	ROW(_ZdlPvRKSt9nothrow_t, serve_delete)                 \
	ROW(_ZdaPvRKSt9nothrow_t, serve_delete)                 \
	ROW(_ZdlPvSt11align_val_t, serve_delete)                \
	ROW(_ZdaPvSt11align_val_t, serve_delete)                \
	ROW(_ZdlPvmSt11align_val_t, serve_delete)               \
	ROW(_ZdaPvmSt11align_val_t, serve_delete)               \
	ROW(_ZdlPvSt11align_val_tRKSt9nothrow_t, serve_delete)  \
	ROW(_ZdaPvSt11align_val_tRKSt9nothrow_t, serve_delete)

#define FORM_NAME(name, serve) FORM##name,
enum form { FORMS(FORM_NAME) FORM_COUNT };
/* clang-format on */

_Static_assert(FORM_COUNT == SCOPE_NAMES, "scope.c keeps an answer for each form");

/* We serve; what is not to be had is asked of `last`, if it is there. Not inline: the forms need no
 * frame of their own then. */
static __attribute__((noinline)) void *serve_new(operator_function last, word size_bytes,
						 word second, word third)
{
	void *block = malloc(size_bytes ? size_bytes : 1);

	return likely(block || !last) ? block : last(size_bytes, second, third);
}

static __attribute__((noinline)) void *serve_aligned_new(operator_function last, word size_bytes,
							 word alignment_bytes, word third)
{
	size_t alignment =
		alignment_bytes < sizeof(void *) ? sizeof(void *) : (size_t)alignment_bytes;
	void *block = NULL;

	(void)posix_memalign(&block, alignment, size_bytes ? size_bytes : 1);
	return likely(block || !last) ? block : last(size_bytes, alignment_bytes, third);
}

static __attribute__((noinline)) void *serve_delete(operator_function last, word block, word second,
						    word third)
{
	(void)last, (void)second, (void)third;
	free((void *)block);
	return NULL;
}

#define FORM_ROW(name, serve) { #name, serve },

static const struct {
	const char *name;
	server serve;
} forms[] = { FORMS(FORM_ROW) };

/* Written once, before any other thread exists. Of each form at most one is set: `passed` where
 * calls are passed on, `behind` where we serve them. */
static operator_function passed[FORM_COUNT], behind[FORM_COUNT];

/* Neither of them is known: before our start, and where C++ came with a plugin. */
static __attribute__((noinline)) void *decide(enum form form, const void *caller, word first,
					      word second, word third)
{
	bool is_started = serve_now() != SERVE_NONE;
	operator_function next = NULL;

	if (is_started && behind[form])
		return forms[form].serve(behind[form], first, second, third);
	if (is_started)
		next = passed[form] ? passed[form]
				    : (operator_function)scope_find(caller, forms[form].name, form);
	return next ? next(first, second, third) : forms[form].serve(NULL, first, second, third);
}

/* clang-format off */
#define DEFINE_FORM(name, serve)                                                        \
	CORE_API void *name(word first, word second, word third);                       \
	CORE_API void *name(word first, word second, word third)                        \
	{                                                                               \
		if (likely(passed[FORM##name] != NULL))                                 \
			return passed[FORM##name](first, second, third);                \
		if (behind[FORM##name])                                                 \
			return serve(behind[FORM##name], first, second, third);         \
		return decide(FORM##name, __builtin_return_address(0), first, second,   \
			      third);                                                   \
	}
/* clang-format on */

FORMS(DEFINE_FORM)

static void resolve(enum form form)
{
	void *next = dlsym(RTLD_NEXT, forms[form].name);

	if (!next)
		real_forget_failure();
	else if (real_is_of_next_malloc(next))
		behind[form] = (operator_function)next;
	else
		passed[form] = (operator_function)next;
}

/* Where the first form is not, none is. */
void operators_resolve(void)
{
	for (enum form form = 0; form < FORM_COUNT; form++) {
		resolve(form);
		if (!behind[0] && !passed[0])
			return;
	}
}
