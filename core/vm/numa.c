/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads a few small files of the system's; remembers which nodes there are, because that does not
 * change while a process runs.
 *
 *   /sys/devices/system/node/online          0-1,3      the nodes
 *   /sys/devices/system/node/node3/cpulist   4-7,12     the processors of one
 *   /sys/devices/system/node/node3/meminfo   Node 3 MemFree:   5120 kB
 *
 * Holds no lock: whoever comes first writes the word down, and everybody reads the same files. */

#include "core/vm/numa.h"

#include <errno.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/os/text_file.h"

#define NODE_FOLDER "/sys/devices/system/node/"
#define NAME_BYTES_MAX 64

/* A set that was read; 0: not yet. */
static uint64_t known_nodes;

/* "0-3,8" as bits; what is past the 64th is left out. */
static uint64_t read_set(const char *at)
{
	uint64_t set = 0, first, last;

	while (text_number(&at, &first)) {
		last = first;
		if (*at == '-') {
			at++;
			text_number(&at, &last);
		}
		for (uint64_t i = first; i <= last && i < NUMA_NODES_MAX; i++)
			set |= UINT64_C(1) << i;
		at += *at == ',';
	}
	return set;
}

uint64_t numa_nodes(void)
{
	uint64_t nodes = __atomic_load_n(&known_nodes, __ATOMIC_RELAXED);
	struct text_file file;
	int error;

	if (nodes)
		return nodes;
	error = text_file_read(&file, NODE_FOLDER "online");
	if (error == 0)
		nodes = read_set(file.bytes);
	nodes = nodes ? nodes : 1;
	/* A system that has no room for the answer now is asked again. */
	if (error < 0 && error != -ENOENT)
		return nodes;
	__atomic_store_n(&known_nodes, nodes, __ATOMIC_RELAXED);
	return nodes;
}

static bool is_node(uint32_t node)
{
	return node < NUMA_NODES_MAX && numa_nodes() & UINT64_C(1) << node;
}

/* Writes prefix, number and suffix one behind the other; `text` has room. */
static void write_name(char *text, const char *prefix, uint32_t node, const char *suffix)
{
	while (*prefix)
		*text++ = *prefix++;
	if (node >= 10)
		*text++ = (char)('0' + node / 10);
	*text++ = (char)('0' + node % 10);
	do
		*text++ = *suffix;
	while (*suffix++);
}

bool numa_processors(uint32_t node, uint64_t *mask)
{
	struct text_file file;
	char path[NAME_BYTES_MAX];

	if (!is_node(node))
		return false;
	write_name(path, NODE_FOLDER "node", node, "/cpulist");
	if (text_file_read(&file, path) < 0)
		return false;
	*mask = read_set(file.bytes);
	return true;
}

bool numa_free_bytes(uint32_t node, uint64_t *free_bytes)
{
	struct text_file file;
	char path[NAME_BYTES_MAX], key[NAME_BYTES_MAX];

	if (!is_node(node))
		return false;
	write_name(path, NODE_FOLDER "node", node, "/meminfo");
	write_name(key, "Node ", node, " MemFree");
	return text_file_read(&file, path) == 0 && text_file_find_kib(&file, key, free_bytes);
}

NTSTATUS numa_prefer(uint32_t node, struct vm_request *request)
{
	if (node == NUMA_NO_PREFERRED_NODE)
		return STATUS_SUCCESS;
	if (!is_node(node))
		return STATUS_INVALID_PARAMETER;
	request->node = (uint16_t)(node + 1);
	return STATUS_SUCCESS;
}

/* On a machine with one node there is nothing to prefer. */
void numa_bind(uintptr_t base, uintptr_t end, uint16_t node)
{
	uint64_t nodes;

	if (!node || (numa_nodes() & (numa_nodes() - 1)) == 0)
		return;
	nodes = UINT64_C(1) << (node - 1);
	os_prefer_nodes((void *)base, end - base, nodes);
}
