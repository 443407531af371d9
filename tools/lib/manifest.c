/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The manifest as JSON. Each key stands in one line of the writer and one of the reader. Knows
 * nothing of how the values come about. */

#include "tools/lib/manifest.h"

#include "trace/schema/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANIFEST_BYTES_MAX = 64 << 20 };

/* Writing. */

static void put_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void put_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static void put_truth(struct json_object *object, const char *key, bool truth)
{
	json_object_object_add(object, key, json_object_new_boolean(truth));
}

static void put_command(struct json_object *root, char *const *command)
{
	struct json_object *words = json_object_new_array();

	for (; *command; command++)
		json_object_array_add(words, json_object_new_string(*command));
	json_object_object_add(root, "command", words);
}

static void put_host(struct json_object *root, const struct manifest_host *host)
{
	struct json_object *object = json_object_new_object();

	put_text(object, "node", host->node);
	put_text(object, "system", host->system);
	put_text(object, "release", host->release);
	put_text(object, "machine", host->machine);
	json_object_object_add(root, "host", object);
}

struct json_object *manifest_clock_json(const struct manifest_clock *clock)
{
	struct json_object *object = json_object_new_object();

	put_text(object, "name", "CLOCK_MONOTONIC");
	put_text(object, "source", clock->source);
	put_number(object, "resolution_ns", clock->resolution_ns);
	put_number(object, "reading_ns", clock->reading_ns);
	put_number(object, "realtime_offset_ns", clock->realtime_offset_ns);
	put_number(object, "uncertainty_ns", clock->uncertainty_ns);
	return object;
}

static void put_options(struct json_object *root, const struct manifest_options *options)
{
	struct json_object *object = json_object_new_object();

	put_truth(object, "children", options->children);
	put_truth(object, "discard", options->discard);
	if (options->plain)
		put_truth(object, "plain", true);
	put_number(object, "stack_depth", options->stack_depth);
	put_number(object, "min_size_bytes", options->min_size_bytes);
	if (options->commit_limit_bytes)
		put_number(object, "commit_limit_bytes", options->commit_limit_bytes);
	put_number(object, "buffer_bytes", options->buffer_bytes);
	put_number(object, "buffer_count", options->buffer_count);
	if (options->snapshot_bytes)
		put_number(object, "snapshot_bytes", options->snapshot_bytes);
	if (options->relay_url)
		put_text(object, "relay_url", options->relay_url);
	json_object_object_add(root, "options", object);
}

static void put_end(struct json_object *root, const struct manifest_end *end)
{
	struct json_object *object;

	if (!end->known)
		return;
	object = json_object_new_object();
	if (end->signal)
		put_number(object, "signal", (uint64_t)end->signal);
	else
		put_number(object, "exit_status", (uint64_t)end->exit_status);
	json_object_object_add(root, "end", object);
}

static void put_loss(struct json_object *root, const struct manifest_loss *loss)
{
	struct json_object *object;

	if (!loss->known)
		return;
	object = json_object_new_object();
	put_number(object, "events_discarded", loss->events_discarded);
	put_number(object, "packets_lost", loss->packets_lost);
	if (loss->blocked_buffers)
		put_number(object, "blocked_buffers", loss->blocked_buffers);
	json_object_object_add(root, "lttng", object);
}

static void put_snapshot(struct json_object *root, const struct manifest_snapshot *snapshot)
{
	struct json_object *object;

	if (!snapshot->number)
		return;
	object = json_object_new_object();
	put_number(object, "number", snapshot->number);
	put_text(object, "reason", snapshot->reason);
	put_number(object, "begin_ns", snapshot->begin_ns);
	put_number(object, "end_ns", snapshot->end_ns);
	json_object_object_add(root, "snapshot", object);
}

static struct json_object *to_json(const struct manifest *manifest)
{
	struct json_object *root = json_object_new_object();

	put_number(root, "format_version", manifest->format_version);
	put_number(root, "schema_version", manifest->schema_version);
	put_text(root, "vadtrace_version", manifest->vadtrace_version);
	put_text(root, "session", manifest->session);
	put_text(root, "mode", manifest->mode);
	put_command(root, manifest->command);
	put_text(root, "executable", manifest->executable);
	put_text(root, "cwd", manifest->cwd);
	put_host(root, &manifest->host);
	put_number(root, "pid", (uint64_t)manifest->pid);
	put_number(root, "start_realtime_ns", manifest->start_realtime_ns);
	put_number(root, "start_monotonic_ns", manifest->start_monotonic_ns);
	put_number(root, "duration_ns", manifest->duration_ns);
	json_object_object_add(root, "clock", manifest_clock_json(&manifest->clock));
	put_options(root, &manifest->options);
	put_end(root, &manifest->end);
	put_loss(root, &manifest->loss);
	put_snapshot(root, &manifest->snapshot);
	put_text(root, "stopped", manifest->stopped);
	put_truth(root, "complete", manifest->complete);
	return root;
}

static int write_all(int file, const char *text, size_t length)
{
	while (length) {
		ssize_t done = write(file, text, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		text += done;
		length -= (size_t)done;
	}
	return 0;
}

static int write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int status;

	if (file < 0)
		return -errno;
	status = write_all(file, text, strlen(text));
	if (!status)
		status = write_all(file, "\n", 1);
	if (!status && fsync(file) < 0)
		status = -errno;
	if (close(file) < 0 && !status)
		status = -errno;
	return status;
}

static int replace_file(const char *folder, const char *text)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int status;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, VADTRACE_MANIFEST_FILE) >=
		    sizeof(path) ||
	    (size_t)snprintf(fresh, sizeof(fresh), "%s/.%s.new", folder, VADTRACE_MANIFEST_FILE) >=
		    sizeof(fresh))
		return -ENAMETOOLONG;
	status = write_file(fresh, text);
	if (!status && rename(fresh, path) < 0)
		status = -errno;
	if (status)
		unlink(fresh);
	return status;
}

int manifest_write(const char *folder, const struct manifest *manifest)
{
	struct json_object *root = to_json(manifest);
	const char *text = json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	int status = text ? replace_file(folder, text) : -ENOMEM;

	json_object_put(root);
	return status;
}

/* Reading. Each getter answers the zero of its type for a key that is missing or of another type.
 */

static char *get_text(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return strdup(json_object_is_type(value, json_type_string) ? json_object_get_string(value)
								   : "");
}

static uint64_t get_number(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, json_type_int) ? json_object_get_uint64(value) : 0;
}

static bool get_truth(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

/* NULL, which the getters take as an empty object, when there is none. */
static struct json_object *get_object(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, json_type_object) ? value : NULL;
}

static char **get_command(struct json_object *root)
{
	struct json_object *words = NULL;
	size_t count = 0;
	char **command;

	json_object_object_get_ex(root, "command", &words);
	if (json_object_is_type(words, json_type_array))
		count = json_object_array_length(words);
	command = calloc(count + 2, sizeof(*command));
	if (!command)
		return NULL;
	command[0] = count ? NULL : strdup("");
	for (size_t i = 0; i < count; i++) {
		const char *word = json_object_get_string(json_object_array_get_idx(words, i));

		command[i] = strdup(word ? word : "");
	}
	return command;
}

static void get_host(struct json_object *root, struct manifest_host *host)
{
	struct json_object *object = get_object(root, "host");

	host->node = get_text(object, "node");
	host->system = get_text(object, "system");
	host->release = get_text(object, "release");
	host->machine = get_text(object, "machine");
}

static void get_clock(struct json_object *root, struct manifest_clock *clock)
{
	struct json_object *object = get_object(root, "clock");

	clock->source = get_text(object, "source");
	clock->resolution_ns = get_number(object, "resolution_ns");
	clock->reading_ns = get_number(object, "reading_ns");
	clock->realtime_offset_ns = get_number(object, "realtime_offset_ns");
	clock->uncertainty_ns = get_number(object, "uncertainty_ns");
}

static void get_options(struct json_object *root, struct manifest_options *options)
{
	struct json_object *object = get_object(root, "options");

	options->children = get_truth(object, "children");
	options->discard = get_truth(object, "discard");
	options->plain = get_truth(object, "plain");
	options->stack_depth = (uint32_t)get_number(object, "stack_depth");
	options->min_size_bytes = get_number(object, "min_size_bytes");
	options->commit_limit_bytes = get_number(object, "commit_limit_bytes");
	options->snapshot_bytes = get_number(object, "snapshot_bytes");
	options->buffer_bytes = get_number(object, "buffer_bytes");
	options->buffer_count = (uint32_t)get_number(object, "buffer_count");
	options->relay_url = get_text(object, "relay_url");
	if (options->relay_url && !*options->relay_url) {
		free(options->relay_url);
		options->relay_url = NULL;
	}
}

static void get_end(struct json_object *root, struct manifest_end *end)
{
	struct json_object *object = get_object(root, "end");

	end->known = object != NULL;
	end->signal = (int)get_number(object, "signal");
	end->exit_status = end->signal ? -1 : (int)get_number(object, "exit_status");
}

static void get_loss(struct json_object *root, struct manifest_loss *loss)
{
	struct json_object *object = get_object(root, "lttng");

	loss->known = object != NULL;
	loss->events_discarded = get_number(object, "events_discarded");
	loss->packets_lost = get_number(object, "packets_lost");
	loss->blocked_buffers = get_number(object, "blocked_buffers");
}

static void get_snapshot(struct json_object *root, struct manifest_snapshot *snapshot)
{
	struct json_object *object = get_object(root, "snapshot");

	snapshot->number = (uint32_t)get_number(object, "number");
	snapshot->reason = get_text(object, "reason");
	snapshot->begin_ns = get_number(object, "begin_ns");
	snapshot->end_ns = get_number(object, "end_ns");
}

static void from_json(struct json_object *root, struct manifest *manifest)
{
	manifest->schema_version = (uint32_t)get_number(root, "schema_version");
	manifest->vadtrace_version = get_text(root, "vadtrace_version");
	manifest->session = get_text(root, "session");
	manifest->mode = get_text(root, "mode");
	manifest->command = get_command(root);
	manifest->executable = get_text(root, "executable");
	manifest->cwd = get_text(root, "cwd");
	get_host(root, &manifest->host);
	manifest->pid = (int64_t)get_number(root, "pid");
	manifest->start_realtime_ns = get_number(root, "start_realtime_ns");
	manifest->start_monotonic_ns = get_number(root, "start_monotonic_ns");
	manifest->duration_ns = get_number(root, "duration_ns");
	get_clock(root, &manifest->clock);
	get_options(root, &manifest->options);
	get_end(root, &manifest->end);
	get_loss(root, &manifest->loss);
	get_snapshot(root, &manifest->snapshot);
	manifest->stopped = get_text(root, "stopped");
	manifest->complete = get_truth(root, "complete");
}

/* The whole file as text, to be freed; NULL with errno. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t length;

	if (!file)
		return NULL;
	length = getdelim(&text, &size, '\0', file);
	fclose(file);
	if (length > 0 && length < MANIFEST_BYTES_MAX)
		return text;
	free(text);
	errno = EBADMSG;
	return NULL;
}

static int parse_file(const char *folder, struct json_object **root)
{
	char path[PATH_MAX];
	char *text;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, VADTRACE_MANIFEST_FILE) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	text = read_file(path);
	if (!text)
		return -errno;
	*root = json_tokener_parse(text);
	free(text);
	if (json_object_is_type(*root, json_type_object))
		return 0;
	json_object_put(*root);
	return -EBADMSG;
}

int manifest_read(const char *folder, struct manifest *manifest)
{
	struct json_object *root;
	int status = parse_file(folder, &root);

	memset(manifest, 0, sizeof(*manifest));
	if (status)
		return status;
	manifest->format_version = (uint32_t)get_number(root, "format_version");
	if (!manifest->format_version)
		status = -EBADMSG;
	else if (manifest->format_version > MANIFEST_FORMAT_VERSION)
		status = -ENOTSUP;
	else
		from_json(root, manifest);
	json_object_put(root);
	return status;
}

void manifest_free(struct manifest *manifest)
{
	for (char **word = manifest->command; word && *word; word++)
		free(*word);
	free(manifest->command);
	free(manifest->vadtrace_version);
	free(manifest->session);
	free(manifest->mode);
	free(manifest->executable);
	free(manifest->cwd);
	free(manifest->stopped);
	free(manifest->snapshot.reason);
	free(manifest->host.node);
	free(manifest->host.system);
	free(manifest->host.release);
	free(manifest->host.machine);
	free(manifest->clock.source);
	free(manifest->options.relay_url);
	memset(manifest, 0, sizeof(*manifest));
}
