/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* C++ that allocates in all its ways: containers, exceptions, threads, aligned new. */

#include <algorithm>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

namespace
{

struct Shape {
	virtual ~Shape() = default;
	virtual double area() const = 0;
};

struct Square : Shape {
	double side;
	explicit Square(double s) : side(s)
	{
	}
	double area() const override
	{
		return side * side;
	}
};

struct alignas(256) Circle : Shape {
	double radius;
	explicit Circle(double r) : radius(r)
	{
	}
	double area() const override
	{
		return 3 * radius * radius;
	}
};

double total_area(int count)
{
	std::vector<std::unique_ptr<Shape>> shapes;

	for (int i = 0; i < count; i++)
		if (i % 2)
			shapes.push_back(std::make_unique<Square>(i % 10));
		else
			shapes.push_back(std::make_unique<Circle>(i % 10));
	return std::accumulate(shapes.begin(), shapes.end(), 0.0,
			       [](double sum, const auto &shape) { return sum + shape->area(); });
}

int deep_throw(int depth)
{
	std::string ballast(static_cast<size_t>(depth) * 10, 'x');

	if (depth == 0)
		throw std::runtime_error("from the bottom");
	return deep_throw(depth - 1) + static_cast<int>(ballast.size());
}

int count_exceptions(int times)
{
	int count = 0;

	for (int i = 0; i < times; i++)
		try {
			deep_throw(20);
		} catch (const std::runtime_error &error) {
			count += error.what()[0] == 'f';
		}
	return count;
}

size_t count_words()
{
	std::ostringstream text;
	std::map<std::string, int> words;

	for (int i = 0; i < 2000; i++)
		text << "word" << i % 123 << (i % 3 ? ", " : "; ");
	const std::string all = text.str();
	const std::regex word("[a-z]+[0-9]+");
	for (std::sregex_iterator it(all.begin(), all.end(), word), end; it != end; ++it)
		words[it->str()]++;
	return words.size();
}

} // namespace

int main()
{
	std::vector<std::future<double>> results;
	std::unordered_map<int, std::string> names;
	thread_local std::vector<int> own(100);

	for (int i = 0; i < 8; i++)
		results.push_back(std::async(std::launch::async, [i] {
			thread_local std::string text(1000, 'a');
			return total_area(1000 * (i + 1)) + static_cast<double>(text.size());
		}));
	for (auto &result : results)
		std::cout << result.get() << '\n';
	for (int i = 0; i < 10000; i++)
		names[i * 7919] = std::to_string(i);
	std::cout << names.size() << ' ' << names[7919 * 99] << ' ' << own.size() << '\n';
	std::cout << count_exceptions(200) << ' ' << count_words() << '\n';
	try {
		std::vector<char> impossible(static_cast<size_t>(-1) / 4);
		std::cout << impossible.size() << '\n';
	} catch (const std::bad_alloc &error) {
		std::cout << error.what() << '\n';
	}
	return 0;
}
