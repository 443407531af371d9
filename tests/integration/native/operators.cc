/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* All forms of operator new and delete, exceptions, and destructors of thread-local objects. */

#include <cstdio>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{

struct alignas(64) wide {
	char bytes[200];
};

volatile std::size_t huge = PTRDIFF_MAX;

void simple_forms()
{
	const std::nothrow_t &quiet = std::nothrow;

	::operator delete(::operator new(10));
	::operator delete(::operator new(20), 20);
	::operator delete(::operator new(30, quiet), quiet);
	::operator delete[](::operator new[](40));
	::operator delete[](::operator new[](50), 50);
	::operator delete[](::operator new[](60, quiet), quiet);
}

void aligned_forms()
{
	const std::nothrow_t &quiet = std::nothrow;
	const std::align_val_t alignment{ 128 };
	void *block = ::operator new(10, alignment);

	std::printf("aligned: %d\n", int(reinterpret_cast<std::uintptr_t>(block) % 128));
	::operator delete(block, alignment);
	::operator delete(::operator new(20, alignment), 20, alignment);
	::operator delete(::operator new(30, alignment, quiet), alignment, quiet);
	::operator delete[](::operator new[](40, alignment), alignment);
	::operator delete[](::operator new[](50, alignment), 50, alignment);
	::operator delete[](::operator new[](60, alignment, quiet), alignment, quiet);
	delete new wide;
	delete[] new wide[7];
	delete new int(5);
	delete[] new std::string[9];
}

void failures()
{
	try {
		::operator delete(::operator new(huge));
	} catch (const std::bad_alloc &error) {
		std::printf("bad_alloc: %s\n", error.what());
	}
	std::printf("nothrow: %p\n", ::operator new(huge, std::nothrow));
	int calls = 0;
	static int *counter = &calls;
	std::set_new_handler([] {
		if (++*counter == 3)
			std::set_new_handler(nullptr);
	});
	try {
		::operator delete(::operator new(huge));
	} catch (const std::bad_alloc &) {
		std::printf("handler calls: %d\n", calls);
	}
}

void thrower(int depth)
{
	std::vector<std::string> ballast(10, std::string(100, 'x'));

	if (depth == 0)
		throw std::runtime_error("from the deep " + ballast[3].substr(0, 3));
	thrower(depth - 1);
}

void exceptions()
{
	int caught = 0;

	for (int i = 0; i < 1000; i++) {
		try {
			thrower(i % 30);
		} catch (const std::runtime_error &error) {
			caught += error.what() == std::string("from the deep xxx");
		}
	}
	std::printf("caught: %d\n", caught);
}

struct keeper {
	std::vector<std::string> words;
	~keeper()
	{
		std::string last(words.size() * 10, 'z');
		words.push_back(last);
	}
};

thread_local keeper kept;

void thread_locals()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 50; i++)
		threads.emplace_back([i] {
			for (int j = 0; j < 100; j++)
				kept.words.emplace_back(std::size_t(i + j), 'w');
		});
	for (std::thread &thread : threads)
		thread.join();
	std::printf("threads: %d\n", int(threads.size()));
}

std::string global(1000, 'g'); // freed after main

} // namespace

/* With an argument: memory does not run out. There are allocators that abort then. */
extern "C" int run(int argc)
{
	simple_forms();
	aligned_forms();
	if (argc < 2)
		failures();
	exceptions();
	thread_locals();
	kept.words.emplace_back(global);
	return 0;
}

int main(int argc, char **)
{
	return run(argc);
}
