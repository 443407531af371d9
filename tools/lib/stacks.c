/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Arrays that only grow, with open-addressing tables of their numbers for interning. */

#include "tools/lib/stacks.h"
#include "tools/lib/xalloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024 };

void stacks_init(struct stacks *stacks)
{
	memset(stacks, 0, sizeof(*stacks));
	stacks->location_slots = stacks->node_slots = FIRST_SLOTS;
	stacks->location_table = xcalloc(FIRST_SLOTS, sizeof(uint32_t));
	stacks->node_table = xcalloc(FIRST_SLOTS, sizeof(uint32_t));
	stacks->locations = xgrow(NULL, 0, &stacks->location_capacity, sizeof(*stacks->locations));
	stacks->nodes = xgrow(NULL, 0, &stacks->node_capacity, sizeof(*stacks->nodes));
	stacks->locations[stacks->location_count++] = (struct stacks_location){ 0, 0 };
	stacks->nodes[stacks->node_count++] = (struct stacks_node){ .parent = 0 };
	stacks_add_file(stacks, "", "");
}

void stacks_free(struct stacks *stacks)
{
	for (size_t i = 0; i < stacks->file_count; i++) {
		free(stacks->files[i].path);
		free(stacks->files[i].build_id);
	}
	free(stacks->files);
	free(stacks->locations);
	free(stacks->nodes);
	free(stacks->location_table);
	free(stacks->node_table);
}

static bool is_tracer(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(slash ? slash + 1 : path, "liblttng-ust", 12);
}

uint32_t stacks_add_file(struct stacks *stacks, const char *path, const char *build_id)
{
	for (size_t i = stacks->file_count; i-- > 0;)
		if (!strcmp(stacks->files[i].path, path) &&
		    !strcasecmp(stacks->files[i].build_id, build_id))
			return (uint32_t)i;
	stacks->files = xgrow(stacks->files, stacks->file_count, &stacks->file_capacity,
			      sizeof(*stacks->files));
	struct stacks_file *file = &stacks->files[stacks->file_count];
	file->path = xstrdup(path);
	file->build_id = xstrdup(build_id);
	file->is_tracer = is_tracer(path);
	for (char *digit = file->build_id; *digit; digit++)
		*digit = (char)tolower((unsigned char)*digit);
	return (uint32_t)stacks->file_count++;
}

static uint64_t hash_location(const struct stacks_location *location)
{
	return hash_word(location->offset ^ (uint64_t)location->file << 52);
}

static uint64_t hash_node(const struct stacks_node *node)
{
	return hash_word((uint64_t)node->parent << 32 | node->location);
}

static void enlarge_locations(struct stacks *stacks)
{
	stacks->location_slots *= 2;
	free(stacks->location_table);
	stacks->location_table = xcalloc(stacks->location_slots, sizeof(uint32_t));
	for (uint32_t i = 1; i < stacks->location_count; i++) {
		size_t slot = hash_location(&stacks->locations[i]) & (stacks->location_slots - 1);

		while (stacks->location_table[slot])
			slot = (slot + 1) & (stacks->location_slots - 1);
		stacks->location_table[slot] = i;
	}
}

static void enlarge_nodes(struct stacks *stacks)
{
	stacks->node_slots *= 2;
	free(stacks->node_table);
	stacks->node_table = xcalloc(stacks->node_slots, sizeof(uint32_t));
	for (uint32_t i = 1; i < stacks->node_count; i++) {
		size_t slot = hash_node(&stacks->nodes[i]) & (stacks->node_slots - 1);

		while (stacks->node_table[slot])
			slot = (slot + 1) & (stacks->node_slots - 1);
		stacks->node_table[slot] = i;
	}
}

uint32_t stacks_add_location(struct stacks *stacks, uint32_t file, uint64_t offset)
{
	struct stacks_location wanted = { file, offset };
	size_t slot = hash_location(&wanted) & (stacks->location_slots - 1);

	for (uint32_t i; (i = stacks->location_table[slot]);
	     slot = (slot + 1) & (stacks->location_slots - 1))
		if (stacks->locations[i].file == file && stacks->locations[i].offset == offset)
			return i;
	stacks->locations = xgrow(stacks->locations, stacks->location_count,
				  &stacks->location_capacity, sizeof(*stacks->locations));
	uint32_t number = (uint32_t)stacks->location_count++;
	stacks->locations[number] = wanted;
	stacks->location_table[slot] = number;
	if (2 * stacks->location_count > stacks->location_slots)
		enlarge_locations(stacks);
	return number;
}

uint32_t stacks_add_node(struct stacks *stacks, uint32_t parent, uint32_t location)
{
	struct stacks_node wanted = { .parent = parent, .location = location };
	size_t slot = hash_node(&wanted) & (stacks->node_slots - 1);

	for (uint32_t i; (i = stacks->node_table[slot]);
	     slot = (slot + 1) & (stacks->node_slots - 1))
		if (stacks->nodes[i].parent == parent && stacks->nodes[i].location == location)
			return i;
	stacks->nodes = xgrow(stacks->nodes, stacks->node_count, &stacks->node_capacity,
			      sizeof(*stacks->nodes));
	uint32_t number = (uint32_t)stacks->node_count++;
	wanted.is_tracer = stacks->nodes[parent].is_tracer ||
			   stacks->files[stacks->locations[location].file].is_tracer;
	stacks->nodes[number] = wanted;
	stacks->node_table[slot] = number;
	if (2 * stacks->node_count > stacks->node_slots)
		enlarge_nodes(stacks);
	return number;
}

/* Two threads may both tell of a module that is new. */
static bool is_known(const struct stacks_modules *modules, const struct trace_module *module)
{
	for (size_t i = modules->count; i-- > 0;)
		if (modules->list[i].id == module->id && !modules->list[i].gone_ns)
			return true;
	return false;
}

void stacks_modules_add(struct stacks *stacks, struct stacks_modules *modules,
			const struct trace_event *event)
{
	const struct trace_module *module = event->module;

	if (is_known(modules, module))
		return;
	modules->list =
		xgrow(modules->list, modules->count, &modules->capacity, sizeof(*modules->list));
	modules->list[modules->count++] = (struct stacks_module){
		.id = module->id,
		.base = module->base,
		.start = module->start,
		.end = module->end,
		.load_ns = event->time_ns,
		.file = stacks_add_file(stacks, module->path, module->build_id),
	};
}

void stacks_modules_remove(struct stacks_modules *modules, const struct trace_event *event)
{
	for (size_t i = modules->count; i-- > 0;)
		if (modules->list[i].id == event->module->id && !modules->list[i].gone_ns) {
			modules->list[i].gone_ns = event->time_ns ? event->time_ns : 1;
			return;
		}
}

static bool covers(const struct stacks_module *module, uint64_t address)
{
	return !module->gone_ns && address >= module->start && address < module->end;
}

/* The newest module that covers the address: an older one there has been missed when it went. */
static const struct stacks_module *find_module(struct stacks_modules *modules, uint64_t address)
{
	if (modules->last < modules->count && covers(&modules->list[modules->last], address))
		return &modules->list[modules->last];
	for (size_t i = modules->count; i-- > 0;)
		if (covers(&modules->list[i], address)) {
			modules->last = i;
			return &modules->list[i];
		}
	return NULL;
}

/* A return address is looked up one byte before: the call may be its function's last instruction.
 */
static uint32_t locate(struct stacks *stacks, struct stacks_modules *modules, uint64_t address)
{
	const struct stacks_module *module = find_module(modules, address - 1);

	return module ? stacks_add_location(stacks, module->file, address - module->base)
		      : stacks_add_location(stacks, 0, address);
}

uint32_t stacks_add_stack(struct stacks *stacks, struct stacks_modules *modules,
			  const struct trace_frames *frames)
{
	uint32_t node = 0;

	for (size_t i = frames->count; i-- > 0;)
		node = stacks_add_node(stacks, node, locate(stacks, modules, frames->addresses[i]));
	return node;
}
