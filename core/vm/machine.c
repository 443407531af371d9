/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The machine's figures, cut by each control group from this process's own up to the root:
 *
 *   total       min(MemTotal, each limit)
 *   available   min(MemAvailable, each limit - use)
 *
 * No state, no lock. */

#include "core/vm/machine.h"

#include "core/os/os.h"
#include "core/vm/cgroup.h"

/* Percent of the last ten seconds in which nobody got on for want of memory. */
#define PRESSURE_MAX 10

/* Swap of the machine, which the groups share. */
struct swap {
	uint64_t total;
	uint64_t available;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t less(uint64_t number, uint64_t part)
{
	return number > part ? number - part : 0;
}

/* The system refuses to commit more than a limit of its own. */
static bool has_commit_limit(void)
{
	struct text_file file;
	uint64_t mode;

	return text_file_read(&file, "/proc/sys/vm/overcommit_memory") == 0 &&
	       text_file_number(&file, &mode) && mode == 2;
}

static void take_commit_limit(const struct text_file *meminfo, struct machine_memory *memory)
{
	uint64_t limit, committed;

	if (!has_commit_limit() || !text_file_find_kib(meminfo, "CommitLimit", &limit) ||
	    !text_file_find_kib(meminfo, "Committed_AS", &committed))
		return;
	memory->commit_limit = limit;
	memory->commit_available = less(limit, committed);
}

static int read_machine(struct machine_memory *memory, struct swap *swap)
{
	struct text_file file;
	int error = text_file_read(&file, "/proc/meminfo");

	*memory = (struct machine_memory){ 0, 0, 0, 0 };
	*swap = (struct swap){ 0, 0 };
	if (error < 0)
		return error;
	text_file_find_kib(&file, "MemTotal", &memory->total);
	if (!text_file_find_kib(&file, "MemAvailable", &memory->available))
		text_file_find_kib(&file, "MemFree", &memory->available);
	text_file_find_kib(&file, "SwapTotal", &swap->total);
	text_file_find_kib(&file, "SwapFree", &swap->available);
	memory->commit_limit = memory->total + swap->total;
	memory->commit_available = memory->available + swap->available;
	take_commit_limit(&file, memory);
	return 0;
}

static void cut(struct machine_memory *memory, const struct swap *swap,
		const struct cgroup_limits *limits)
{
	uint64_t available = less(limits->memory, limits->memory_used);
	uint64_t swap_total = least(swap->total, limits->swap);
	uint64_t swap_available = least(swap->available, less(limits->swap, limits->swap_used));

	if (limits->memory >= memory->total && available >= memory->available)
		return;
	memory->total = least(memory->total, limits->memory);
	memory->available = least(memory->available, available);
	memory->commit_limit = least(memory->commit_limit, memory->total + swap_total);
	memory->commit_available =
		least(memory->commit_available, memory->available + swap_available);
}

static void cut_by_groups(struct machine_memory *memory, const struct swap *swap,
			  enum cgroup_version version)
{
	struct cgroup_limits limits;
	struct cgroup group;

	if (!cgroup_find(&group, version))
		return;
	do {
		cgroup_limits(&group, &limits);
		cut(memory, swap, &limits);
	} while (cgroup_up(&group));
}

int machine_memory(struct machine_memory *memory)
{
	struct machine_memory answer;
	struct swap swap;
	int error = read_machine(&answer, &swap);

	if (error < 0)
		return error;
	cut_by_groups(&answer, &swap, CGROUP_V1);
	cut_by_groups(&answer, &swap, CGROUP_V2);
	answer.available = least(answer.available, answer.total);
	answer.commit_available = least(answer.commit_available, answer.commit_limit);
	*memory = answer;
	return 0;
}

bool machine_is_short_of_memory(void)
{
	struct text_file file;
	struct cgroup group;
	uint64_t percent;

	if (!cgroup_find(&group, CGROUP_V2) || cgroup_read(&group, "memory.pressure", &file) < 0) {
		if (text_file_read(&file, "/proc/pressure/memory") < 0)
			return false;
	}
	return text_file_find(&file, "full avg10", &percent) && percent > PRESSURE_MAX;
}

size_t machine_large_page_bytes(void)
{
	struct text_file file;
	uint64_t size_bytes;

	if (text_file_read(&file, "/proc/meminfo") < 0 ||
	    !text_file_find_kib(&file, "Hugepagesize", &size_bytes))
		return 0;
	return (size_t)size_bytes;
}

uint64_t machine_mapped_bytes(void)
{
	struct text_file file;
	uint64_t pages;

	if (text_file_read(&file, "/proc/self/statm") < 0 || !text_file_number(&file, &pages))
		return 0;
	return pages * OS_PAGE_SIZE;
}

/* A list such as 0-3,8. */
static uint32_t count_list(const char *at, uint64_t *mask)
{
	uint32_t count = 0;
	uint64_t first, last;

	while (text_number(&at, &first)) {
		last = first;
		if (*at == '-' && (at++, !text_number(&at, &last)))
			break;
		for (uint64_t i = first; i <= last; i++, count++)
			*mask |= i < 64 ? UINT64_C(1) << i : 0;
		if (*at++ != ',')
			break;
	}
	return count;
}

uint32_t machine_processors(uint64_t *mask)
{
	struct text_file file;
	uint32_t count = 0;

	*mask = 0;
	if (text_file_read(&file, "/sys/devices/system/cpu/online") == 0)
		count = count_list(file.bytes, mask);
	if (count == 0) {
		*mask = 1;
		return 1;
	}
	return count;
}
