-- Fails in a module, three calls deep.
local norm = {}

local function mean(t)
	return t.sum / t.count
end

function norm.of(t)
	local m = mean(t)
	return m
end

return norm
