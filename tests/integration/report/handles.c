/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A native program with Global and Local memory: what it keeps, and one handle freed twice. */

#include "core/core.h"

#define TIMES 10

__attribute__((noinline)) static HGLOBAL keep_moveable(void)
{
	return GlobalAlloc(GMEM_MOVEABLE, 1234);
}

__attribute__((noinline)) static HLOCAL keep_fixed(void)
{
	return LocalAlloc(LMEM_FIXED, 777);
}

__attribute__((noinline)) static void keep_discarded(void)
{
	GlobalDiscard(GlobalAlloc(GMEM_MOVEABLE, 555));
}

__attribute__((noinline)) static void use_and_free(void)
{
	HGLOBAL handle = GlobalAlloc(GHND, 5000);

	GlobalReAlloc(handle, 9000, GMEM_MOVEABLE);
	GlobalLock(handle);
	GlobalFree(handle);
}

__attribute__((noinline)) static void free_twice(void)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 50);

	GlobalFree(handle);
	GlobalFree(handle);
}

int main(void)
{
	for (int i = 0; i < TIMES; i++) {
		keep_moveable();
		keep_fixed();
		keep_discarded();
		use_and_free();
	}
	free_twice();
	return 0;
}
