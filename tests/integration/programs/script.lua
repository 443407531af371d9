-- SPDX-FileCopyrightText: 2026 The vadtrace authors
-- SPDX-License-Identifier: MIT

-- Tables, strings, coroutines, weak tables and the collector.

local function tree(depth)
	if depth == 0 then
		return { 1 }
	end
	return { tree(depth - 1), tree(depth - 1) }
end

local function count(node)
	return type(node[1]) == "table" and 1 + count(node[1]) + count(node[2]) or 1
end

for depth = 4, 14, 2 do
	print("tree", depth, count(tree(depth)))
end

local words, text = {}, {}
for i = 1, 50000 do
	text[#text + 1] = string.format("w%d-%s", i % 977, ("x"):rep(i % 13))
end
for word in table.concat(text, " "):gmatch("%S+") do
	words[word] = (words[word] or 0) + 1
end
local keys = {}
for word in pairs(words) do
	keys[#keys + 1] = word
end
table.sort(keys)
print("words", #keys, keys[1], words[keys[1]], keys[#keys])

local generators = {}
for i = 1, 500 do
	generators[i] = coroutine.wrap(function()
		local held = {}
		for step = 1, 20 do
			held[step] = ("%d"):rep(step)
			coroutine.yield(i * step)
		end
	end)
end
local sum = 0
for _ = 1, 20 do
	for _, generator in ipairs(generators) do
		sum = sum + generator()
	end
end
print("coroutines", sum)

local weak = setmetatable({}, { __mode = "k" })
for i = 1, 1000 do
	weak[{}] = i
end
collectgarbage()
print("weak", next(weak))
print("error", select(2, pcall(error, { code = 7 })).code)
io.stderr:write("to standard error\n")
