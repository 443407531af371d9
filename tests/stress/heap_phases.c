/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Phases of a long life: in each, all blocks are replaced, in random order, by blocks of other
 * sizes, and the amount that is alive changes. After each, the memory that the process holds is
 * compared with what the blocks need. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/heap/heap.h"
#include "tests/lib/tap.h"

#define MIB ((size_t)1 << 20)
/* More than any phase has. */
#define SLOTS_MAX ((size_t)4 << 20)
/* Of the live bytes, in percent: blocks are rounded up, not all pages of blocks are full, and a
 * little is free that is needed now and then. */
#define PERCENT_MAX 120
/* What may be left when no block is. */
#define REST_BYTES MIB
/* The heap gives back what nobody needed between two looks at the clock: it has to move on. */
#define PAUSES 8
#define PAUSE_US 60000

/* Sizes are drawn from smallest to largest, the smaller the more often. */
struct phase {
	const char *name;
	size_t live_bytes;
	size_t smallest;
	size_t largest;
};

static const struct phase phases[] = {
	{ "small ones", 160 * MIB, 16, 256 },        { "middle ones", 160 * MIB, 256, 4000 },
	{ "few of them", 48 * MIB, 256, 4000 },      { "big ones", 160 * MIB, 4000, 120000 },
	{ "spans", 200 * MIB, 70000, 1000000 },      { "large ones", 240 * MIB, 1100000, 20000000 },
	{ "small ones again", 100 * MIB, 16, 1000 }, { "all kinds", 200 * MIB, 16, 3000000 },
	{ "a handful", 20 * MIB, 16, 400 },
};

struct slot {
	char *block;
	size_t size_bytes;
};

static struct slot *slots;
static size_t slot_count, live_bytes;
static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % limit;
}

static size_t draw_size(const struct phase *phase)
{
	size_t range = phase->largest - phase->smallest + 1;

	return phase->smallest + draw(1 + draw(range));
}

/* What the process holds of private memory, in bytes. */
static size_t resident(void)
{
	size_t size, resident, shared;
	char text[128] = "";
	int file = open("/proc/self/statm", O_RDONLY);

	if (file < 0 || read(file, text, sizeof(text) - 1) <= 0)
		return 0;
	close(file);
	if (sscanf(text, "%zu %zu %zu", &size, &resident, &shared) != 3)
		return 0;
	return (resident - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

static void drop(size_t slot)
{
	heap_free(slots[slot].block);
	live_bytes -= slots[slot].size_bytes;
	slots[slot] = slots[--slot_count];
}

static bool add(const struct phase *phase)
{
	size_t size_bytes = draw_size(phase);
	char *block = heap_malloc(size_bytes);

	if (!block || slot_count == SLOTS_MAX)
		return false;
	memset(block, 1, size_bytes);
	slots[slot_count++] = (struct slot){ block, size_bytes };
	live_bytes += size_bytes;
	return true;
}

static bool fill_up(const struct phase *phase)
{
	while (live_bytes < phase->live_bytes)
		if (!add(phase))
			return false;
	return true;
}

/* As many blocks are replaced as there are, with a few pauses. */
static bool replace_blocks(const struct phase *phase)
{
	size_t count = slot_count;

	for (size_t i = 0; i < count; i++) {
		if (i % (count / PAUSES + 1) == 0)
			usleep(PAUSE_US);
		drop(draw(slot_count));
		if (!fill_up(phase))
			return false;
	}
	return true;
}

/* The blocks of before go one by one, while those of this phase come; then these are replaced for a
 * while. False: no memory. */
static bool live_through(const struct phase *phase)
{
	size_t old_count = slot_count;

	while (old_count) {
		size_t slot = draw(old_count--);
		struct slot last = slots[old_count];

		heap_free(slots[slot].block);
		live_bytes -= slots[slot].size_bytes;
		slots[slot] = last;
		slots[old_count] = slots[--slot_count];
		if (!fill_up(phase))
			return false;
	}
	return fill_up(phase) && replace_blocks(phase);
}

/* Whether little more is held than the blocks need. */
static bool is_tight(const struct phase *phase, size_t before_bytes)
{
	size_t held_bytes = resident() - before_bytes;

	printf("# %s: %zu MiB alive in %zu blocks, %zu MiB held: %zu %%\n", phase->name,
	       live_bytes / MIB, slot_count, held_bytes / MIB, held_bytes * 100 / live_bytes);
	return held_bytes <= live_bytes / 100 * PERCENT_MAX;
}

static void check_phase(const struct phase *phase, size_t before_bytes)
{
	ok(live_through(phase), "%s: there is memory", phase->name);
	ok(is_tight(phase, before_bytes), "%s: what is not needed is given back, unasked",
	   phase->name);
}

int main(void)
{
	size_t before_bytes;

	slots = malloc(SLOTS_MAX * sizeof(*slots));
	if (!slots)
		tap_skip_all("no memory for the test itself");
	memset(slots, 1, SLOTS_MAX * sizeof(*slots));
	before_bytes = resident();
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		check_phase(&phases[i], before_bytes);
	while (slot_count)
		drop(slot_count - 1);
	heap_trim();
	ok(resident() < before_bytes + REST_BYTES, "at the end nothing is held");
	return tap_done();
}
