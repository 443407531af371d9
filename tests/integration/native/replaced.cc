/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A program, or a plugin, that replaces the plain operators only, as was usual before C++14. The
 * blocks have a head, so that nothing else can free them. All other forms must come here. */

#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wsized-deallocation"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace
{

const std::size_t head_bytes = 16;
int made, gone;

} // namespace

void *operator new(std::size_t size)
{
	char *head = static_cast<char *>(std::malloc(size + head_bytes));

	if (!head)
		throw std::bad_alloc();
	made++;
	return head + head_bytes;
}

void operator delete(void *block) noexcept
{
	if (!block)
		return;
	gone++;
	std::free(static_cast<char *>(block) - head_bytes);
}

static void forms()
{
	const std::nothrow_t &quiet = std::nothrow;

	::operator delete(::operator new(10));
	::operator delete(::operator new(20), 20);
	::operator delete(::operator new(30, quiet), quiet);
	::operator delete[](::operator new[](40));
	::operator delete[](::operator new[](50), 50);
	::operator delete[](::operator new[](60, quiet), quiet);
}

static void aligned_forms()
{
	const std::align_val_t alignment{ 256 };

	::operator delete(::operator new(10, alignment), alignment);
	::operator delete[](::operator new[](50, alignment), 50, alignment);
}

extern "C" int run(int)
{
	std::vector<std::string> words;

	made = gone = 0;
	forms();
	aligned_forms();
	std::printf("forms: %d made, %d gone\n", made, gone);
	for (int i = 0; i < 100; i++)
		words.emplace_back(std::size_t(i), 'w');
	words.clear();
	words.shrink_to_fit();
	std::printf("words: %d made, %d left\n", made, made - gone);
	std::fflush(stdout);
	return 0;
}

int main()
{
	return run(1);
}
