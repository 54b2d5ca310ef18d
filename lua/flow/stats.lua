--- Numbers about lists of numbers.
---
---     local stats = require "flow.stats"
---     local s = stats.summary({ 3, 1, 2 })   -- s.count, s.mean, s.stddev, s.min, s.median, s.max
---
--- Lists are not changed. An empty list is an error, because no number would be right for it.
local stats = {}

local function check(list, what)
	if type(list) ~= "table" or #list == 0 then
		error(what .. " of an empty list", 3)
	end
end

--- Sum with the rounding errors carried along (Neumaier), so that the order of the numbers hardly matters.
local function sum(list)
	local total, carry = 0.0, 0.0
	for i = 1, #list do
		local x = list[i]
		local t = total + x
		if math.abs(total) >= math.abs(x) then
			carry = carry + ((total - t) + x)
		else
			carry = carry + ((x - t) + total)
		end
		total = t
	end
	return total + carry
end

---@param list number[]
---@return number
function stats.sum(list)
	return sum(list)
end

---@param list number[]
---@return number
function stats.mean(list)
	check(list, "mean")
	return sum(list) / #list
end

--- Of a sample: divided by n - 1. One number has variance 0.
---@param list number[]
---@return number
function stats.variance(list)
	check(list, "variance")
	local n = #list
	if n == 1 then
		return 0.0
	end
	local mean, squares = sum(list) / n, {}
	for i = 1, n do
		squares[i] = (list[i] - mean) ^ 2
	end
	return sum(squares) / (n - 1)
end

---@param list number[]
---@return number
function stats.stddev(list)
	check(list, "stddev")
	return math.sqrt(stats.variance(list))
end

local function quantile_of_sorted(sorted, q)
	local at = 1 + (#sorted - 1) * q
	local below = math.floor(at)
	local above = math.min(below + 1, #sorted)
	return sorted[below] + (sorted[above] - sorted[below]) * (at - below)
end

local function sorted_copy(list)
	local copy = table.move(list, 1, #list, 1, {})
	table.sort(copy)
	return copy
end

--- The value below which the part q of the numbers lies, interpolated between neighbours (NumPy's default).
---@param list number[]
---@param q number from 0 to 1
---@return number
function stats.quantile(list, q)
	check(list, "quantile")
	if q < 0 or q > 1 then
		error("a quantile is from 0 to 1, not " .. q, 2)
	end
	return quantile_of_sorted(sorted_copy(list), q)
end

---@param list number[]
---@return number
function stats.median(list)
	check(list, "median")
	return quantile_of_sorted(sorted_copy(list), 0.5)
end

---@class flow.stats.Summary
---@field count integer
---@field mean number
---@field stddev number
---@field min number
---@field median number
---@field max number

---@param list number[]
---@return flow.stats.Summary
function stats.summary(list)
	check(list, "summary")
	local sorted = sorted_copy(list)
	return {
		count = #sorted,
		mean = stats.mean(sorted),
		stddev = stats.stddev(sorted),
		min = sorted[1],
		median = quantile_of_sorted(sorted, 0.5),
		max = sorted[#sorted],
	}
end

return stats
