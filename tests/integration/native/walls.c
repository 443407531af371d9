/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* walls WALL: a program that shuts itself in, as servers do, then goes on in threads and a child.
 */

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20000
#define THREADS 4
#define NOBODY 65534

static int change_root(void)
{
	return chroot("/proc/self/fdinfo") || chdir("/");
}

static int open_nothing(void)
{
	struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_NOFILE, &none);
}

static int give_up_rights(void)
{
	return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY);
}

static int leave_namespaces(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_FILES | CLONE_FS);
}

static int hide(void)
{
	return prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int forbid(unsigned int call)
{
	struct sock_filter lines[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(lines) / sizeof(lines[0]), lines };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* What LTTng cannot do without, and what nobody here needs. */
static int forbid_barriers(void)
{
	return forbid(SYS_membarrier);
}

static int forbid_mounts(void)
{
	return forbid(SYS_mount);
}

static const struct {
	const char *name;
	int (*build)(void);
} walls[] = {
	{ "root", change_root },      { "descriptors", open_nothing },
	{ "rights", give_up_rights }, { "namespaces", leave_namespaces },
	{ "hidden", hide },           { "barriers", forbid_barriers },
	{ "mounts", forbid_mounts },
};

static void *work(void *unused)
{
	void *ring[64] = { NULL };

	for (size_t i = 0; i < ROUNDS; i++) {
		free(ring[i % 64]);
		ring[i % 64] = malloc(i % (i % 50 ? 3000 : 300000) + 1);
	}
	for (int i = 0; i < 64; i++)
		free(ring[i]);
	return unused;
}

static void go_on(void)
{
	pthread_t threads[THREADS];
	int status = -1;
	pid_t child;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		work(NULL);
		exit(5);
	}
	waitpid(child, &status, 0);
	printf("child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		if (argc != 2 || strcmp(argv[1], walls[i].name))
			continue;
		work(NULL);
		printf("%s: %d\n", walls[i].name, walls[i].build());
		go_on();
		return 3;
	}
	return 2;
}
