/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A native program that offers 5 MiB, and takes them back in each way there is but for one. */

#include <stdlib.h>
#include <string.h>

#include "core/core.h"

#define MIB ((SIZE_T)1 << 20)

static void offer(char *base, SIZE_T size_bytes, OFFER_PRIORITY priority)
{
	if (OfferVirtualMemory(base, size_bytes, priority) != ERROR_SUCCESS)
		exit(1);
}

static void reclaim(const char *base, SIZE_T size_bytes, DWORD expected)
{
	if (ReclaimVirtualMemory(base, size_bytes) != expected)
		exit(2);
}

int main(void)
{
	char *base = VirtualAlloc(NULL, 8 * MIB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	if (!base)
		return 3;
	memset(base, 'x', 8 * MIB);
	offer(base, 3 * MIB, VmOfferPriorityLow);
	offer(base + 3 * MIB, 2 * MIB, VmOfferPriorityNormal);
	if (OfferVirtualMemory(base, MIB, (OFFER_PRIORITY)5) != ERROR_INVALID_PARAMETER)
		return 4;
	/* Zeros are what it finds where the system has taken a page. */
	memset(base + MIB, 0, MIB);
	reclaim(base + MIB, MIB, ERROR_BUSY);
	if (DiscardVirtualMemory(base + 2 * MIB, MIB) != ERROR_SUCCESS)
		return 5;
	VirtualFree(base + 3 * MIB, MIB, MEM_DECOMMIT);
	return 0;
}
