/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A library for the test of modules to load and unload: it calls back. Built twice; in the second
 * the call is at another address. */

void plugin_call(void (*function)(void));

void plugin_call(void (*function)(void))
{
#ifdef PLUGIN_PADDING
	__asm__ volatile(".skip 64, 0x90");
#endif
	function();
	__asm__ volatile("");
}
