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

#include <fcntl.h>
#include <string.h>

#include "core/base/status.h"
#include "core/os/os.h"

#define NODE_FOLDER "/sys/devices/system/node/"
#define FILE_BYTES_MAX 4096

/* A set that was read; 0: not yet. */
static uint64_t known_nodes;

/* The file as a string; false: it cannot be read. */
static bool read_text(const char *path, char *text, size_t size_bytes)
{
	int fd = os_open(path, O_RDONLY | O_CLOEXEC, /* mode */ 0);
	ssize_t got;

	if (fd < 0)
		return false;
	got = os_read(fd, text, size_bytes - 1);
	os_close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static const char *read_number(const char *at, uint64_t *number)
{
	*number = 0;
	while (*at >= '0' && *at <= '9' && *number < UINT64_MAX / 16)
		*number = *number * 10 + (uint64_t)(*at++ - '0');
	return at;
}

/* "0-3,8" as bits; what is past the 64th is left out. */
static uint64_t read_set(const char *at)
{
	uint64_t set = 0, first, last;

	while (*at >= '0' && *at <= '9') {
		at = read_number(at, &first);
		last = first;
		if (*at == '-')
			at = read_number(at + 1, &last);
		for (uint64_t i = first; i <= last && i < NUMA_NODES_MAX; i++)
			set |= UINT64_C(1) << i;
		at += *at == ',';
	}
	return set;
}

uint64_t numa_nodes(void)
{
	uint64_t nodes = __atomic_load_n(&known_nodes, __ATOMIC_RELAXED);
	char text[256];

	if (nodes)
		return nodes;
	if (read_text(NODE_FOLDER "online", text, sizeof text))
		nodes = read_set(text);
	nodes = nodes ? nodes : 1;
	__atomic_store_n(&known_nodes, nodes, __ATOMIC_RELAXED);
	return nodes;
}

static bool is_node(uint32_t node)
{
	return node < NUMA_NODES_MAX && numa_nodes() & UINT64_C(1) << node;
}

/* Reads a file of a node's folder. */
static bool read_of_node(uint32_t node, const char *name, char *text, size_t size_bytes)
{
	char path[64] = NODE_FOLDER "node";
	size_t length = strlen(path);

	if (!is_node(node))
		return false;
	if (node >= 10)
		path[length++] = (char)('0' + node / 10);
	path[length++] = (char)('0' + node % 10);
	path[length++] = '/';
	memcpy(path + length, name, strlen(name) + 1);
	return read_text(path, text, size_bytes);
}

bool numa_processors(uint32_t node, uint64_t *mask)
{
	char text[1024];

	if (!read_of_node(node, "cpulist", text, sizeof text))
		return false;
	*mask = read_set(text);
	return true;
}

bool numa_free_bytes(uint32_t node, uint64_t *free_bytes)
{
	char text[FILE_BYTES_MAX];
	const char *at;

	if (!read_of_node(node, "meminfo", text, sizeof text))
		return false;
	at = strstr(text, "MemFree:");
	if (!at)
		return false;
	for (at += strlen("MemFree:"); *at == ' ';)
		at++;
	read_number(at, free_bytes);
	*free_bytes *= 1024;
	return true;
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
