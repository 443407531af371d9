/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The way out of ELF code to Windows code, for a signal that waits until it is gone:
 *
 *   rip, rsp -> a function --return address--> another ... one of ours --return address--> Windows
 *                                                                       this one is wanted
 *
 * Only functions of ours are known to return by the word that is found here. Wine's dispatcher of
 * system calls takes it off the stack at once, and comes back to 11 bytes before it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/stack/cfi.h"
#include "trace/stack/own.h"
#include "trace/system.h"
#include "trace/trace.h"

#define FRAMES_MAX 100

struct registers {
	uint64_t rip, rsp, rbp;
	bool is_return; /* rip is a return address */
};

static bool load(uint64_t address, uint64_t *value)
{
	return system_read_memory(address, value, sizeof(*value));
}

static bool load_rbp(struct cfi_rule rule, uint64_t cfa, uint64_t *rbp)
{
	if (rule.rbp == CFI_RBP_KEPT)
		return true;
	return load((rule.rbp == CFI_RBP_AT_CFA ? cfa : *rbp) + (uint64_t)(int64_t)rule.rbp_offset,
		    rbp);
}

/* One frame outwards; the return address was at rsp - 8. */
static bool step_out(struct registers *at)
{
	struct cfi_rule rule = cfi_find(at->rip - at->is_return);
	uint64_t cfa;

	if (rule.kind != CFI_STANDARD)
		return false;
	cfa = (rule.is_cfa_of_rbp ? at->rbp : at->rsp) + (uint64_t)(int64_t)rule.cfa_offset;
	if ((rule.is_cfa_loaded && !load(cfa, &cfa)) || !load_rbp(rule, cfa, &at->rbp) ||
	    !load(cfa - 8, &at->rip))
		return false;
	at->rsp = cfa;
	at->is_return = true;
	return true;
}

uint64_t *trace_find_return(uint64_t rip, uint64_t rsp, uint64_t rbp)
{
	struct registers at = { rip, rsp, rbp, false };
	bool is_own = own_has(rip);

	for (int i = 0; i < FRAMES_MAX && step_out(&at); i++) {
		if (cfi_find(at.rip - 1).kind == CFI_NO_MODULE)
			return is_own ? (uint64_t *)at.rsp - 1 : NULL;
		is_own = own_has(at.rip);
	}
	return NULL;
}
