# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Programs whose stacks are hard to follow, built in $scratch: exceptions, jumps, coroutines, and
# loader with plugin40.so and plugin200.so. Sourced after tap.sh.

# build_c NAME FLAG...: a program, or a library, of the source on stdin.
build_c() {
	cat >"$scratch/$1.c"
	"${CC:-cc}" -O2 -fno-optimize-sibling-calls -fno-builtin "${@:2}" -o "$scratch/$1" \
		"$scratch/$1.c"
}

# Exceptions: in depth, through destructors that allocate, thrown again, in threads.
cat >"$scratch/exceptions.cc" <<'CODE'
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct Leaver {
	int n;
	explicit Leaver(int n) : n(n) {}
	~Leaver() { volatile std::size_t size = std::string(100 + n, 'l').size(); (void)size; }
};
static int deep(int n)
{
	Leaver leaver(n);
	if (n == 0)
		throw std::runtime_error(std::string(100, 'x'));
	return deep(n - 1) + static_cast<int>(std::string(40 + n, 'd').size());
}
static int thrown(int n)
{
	try {
		try {
			return deep(n % 30);
		} catch (const std::logic_error &) {
			return 1;
		} catch (...) {
			std::string again(60, 'a');
			throw;
		}
	} catch (const std::exception &error) {
		return static_cast<int>(std::string(error.what()).size() +
					std::string(99, 'y').size());
	}
}
static void work()
{
	std::map<int, std::string> map;
	for (int i = 0; i < 300; i++)
		map[thrown(i) + i] = std::string(200, 'z');
	std::cout << map.size() << std::endl;
}
int main()
{
	std::vector<std::thread> threads;
	work();
	for (int i = 0; i < 3; i++)
		threads.emplace_back(work);
	for (auto &thread : threads)
		thread.join();
}
CODE
"${CXX:-c++}" -O2 -pthread -o "$scratch/exceptions" "$scratch/exceptions.cc"

# Jumps, and handlers on both stacks. The timer's signals meet code that does not allocate: at any
# of its instructions.
build_c jumps <<'CODE'
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
static jmp_buf back;
static sigjmp_buf out;
static volatile int ticks, sum;
__attribute__((noinline)) static void take(int n)
{
	free(malloc(16 + n));
	sum++;
}
__attribute__((noinline)) static void descend(int n, int is_jump)
{
	volatile char *room = __builtin_alloca(16 + n * 16 % 64);
	room[0] = 1;
	take(n);
	if (n > 0)
		descend(n - 1, is_jump);
	else if (is_jump)
		longjmp(back, 1);
	sum += room[0];
}
static void on_raise(int number)
{
	descend(3, 0);
	if (sum % 2)
		siglongjmp(out, number);
}
static void on_tick(int number)
{
	take(number);
	ticks++;
}
__attribute__((noinline)) static int add(int a, int b)
{
	int values[8] = { a, b };
	for (int i = 2; i < 8; i++)
		values[i] = values[i - 1] * 3 + values[i - 2];
	__asm__ volatile("" : : "r"(values) : "memory");
	return values[7];
}
__attribute__((noinline)) static int fold(int n)
{
	return n < 2 ? n : add(fold(n - 1), fold(n - 2));
}
static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	sigaction(number, &action, NULL);
}
static void wait_for_ticks(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	setitimer(ITIMER_REAL, &often, NULL);
	for (ticks = 0; ticks < 500;)
		sum += fold(15);
	setitimer(ITIMER_REAL, &never, NULL);
}
int main(void)
{
	stack_t other = { .ss_sp = malloc(1 << 18), .ss_size = 1 << 18 };
	sigaltstack(&other, NULL);
	for (int i = 0; i < 1000; i++) {
		if (!setjmp(back))
			descend(i % 20, 1);
		handle(SIGUSR1, on_raise, SA_NODEFER | (i & 1 ? SA_ONSTACK : 0));
		if (!sigsetjmp(out, 1))
			raise(SIGUSR1);
		take(i);
	}
	handle(SIGALRM, on_tick, 0);
	wait_for_ticks();
	handle(SIGALRM, on_tick, SA_ONSTACK);
	wait_for_ticks();
	return 0;
}
CODE

# Coroutines, whose stacks go and come back with other frames in the same place.
build_c coroutines <<'CODE'
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
enum { SIZE = 1 << 16, COUNT = 8 };
static ucontext_t home, routines[COUNT];
static char *stacks[COUNT];
static volatile int sum;
__attribute__((noinline)) static void give(int routine, int n)
{
	free(malloc(16 + n));
	if (n % 3 == 0)
		swapcontext(&routines[routine], &home);
	sum++;
}
__attribute__((noinline)) static void left(int routine, int n);
__attribute__((noinline)) static void right(int routine, int n)
{
	volatile char *room = __builtin_alloca(16 + n % 4 * 16);
	room[0] = 1;
	give(routine, n);
	if (n > 0)
		(sum & 1 ? left : right)(routine, n - 1);
	sum += room[0];
}
static void left(int routine, int n)
{
	give(routine, n);
	if (n > 0)
		(sum & 2 ? left : right)(routine, n - 1);
	sum++;
}
static void start(int routine)
{
	for (;;)
		right(routine, 20 + routine);
}
static void renew(int i)
{
	if (stacks[i])
		munmap(stacks[i], SIZE);
	stacks[i] = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	getcontext(&routines[i]);
	routines[i].uc_stack.ss_sp = stacks[i];
	routines[i].uc_stack.ss_size = SIZE;
	makecontext(&routines[i], (void (*)(void))start, 1, i);
}
int main(void)
{
	for (int i = 0; i < COUNT; i++)
		renew(i);
	for (int i = 0; i < 4000; i++) {
		if (i % 29 == 0)
			renew(i / 29 % COUNT);
		if (i % 6 == 0)
			free(malloc(100));
		swapcontext(&home, &routines[i % 5 + i % 3]);
	}
	return 0;
}
CODE

# Libraries that come and go at one address: their calls are at the same instruction, but in a frame
# of another size.
for frame in 40 200; do
	build_c "plugin$frame.so" -shared -fPIC -fno-stack-protector -DFRAME=$frame <<-'CODE'
		#include <stdlib.h>
		__attribute__((aligned(64))) void plugin_take(void (*function)(char *));
		void plugin_take(void (*function)(char *))
		{
			char room[FRAME], *at = room;
			__asm__ volatile(".p2align 6" : "+r"(at), "+r"(function) : : "memory");
			function(at);
			__asm__ volatile("" : : "r"(at) : "memory");
			free(malloc(100));
		}
	CODE
done
build_c loader <<'CODE'
#include <dlfcn.h>
#include <stdlib.h>
static volatile int sum;
static void back(char *room)
{
	room[0] = 1;
	free(malloc(16));
	sum++;
}
int main(int argc, char **argv)
{
	for (int i = 0; i < 200; i++) {
		void *handle = dlopen(argv[1 + i % 2], RTLD_NOW);
		void (*take)(void (*)(char *)) =
			(void (*)(void (*)(char *)))dlsym(handle, "plugin_take");
		if (!take)
			return 1;
		take(back);
		dlclose(handle);
	}
	return 0;
}
CODE
