-- flow.markdown - pieces of a Markdown page, as strings.
--
--     local md = require "flow.markdown"
--     local page = md.join {
--       md.heading(1, "Results"),
--       md.table({ "class", "f1" }, { { "shirt", md.number(0.5871, 3) } }, { "left", "right" }),
--     }
--
-- Text that comes from data goes through md.escape(); heading(), table() and list() do that with
-- what they are given, paragraph() and join() take Markdown as it is. No function keeps state, and
-- none has an order that depends on the order of keys in a table.

local markdown = {}

local special = "[\\`*_{}%[%]<>#|~]"

-- Text as it is: no character of it means anything to Markdown, and it stays on one line.
function markdown.escape(value)
  local text = tostring(value):gsub("%s+", " ")
  return (text:gsub(special, "\\%0"))
end

-- A number with so many digits after the point (4 when not given); whole numbers stay whole.
function markdown.number(value, digits)
  if math.type(value) == "integer" then
    return tostring(value)
  end
  if value ~= value then
    return "n/a"
  end
  return string.format("%." .. (digits or 4) .. "f", value)
end

-- A share of 1 in percent.
function markdown.percent(value, digits)
  return string.format("%." .. (digits or 1) .. "f %%", 100 * value)
end

function markdown.heading(level, text)
  if math.type(level) ~= "integer" or level < 1 or level > 6 then
    error("markdown.heading: the level is 1 to 6, not " .. tostring(level), 2)
  end
  return string.rep("#", level) .. " " .. markdown.escape(text)
end

function markdown.paragraph(text)
  return text
end

-- Text in a block of its own. The fence is longer than any run of backticks in it.
function markdown.code(text, language)
  local longest = 2
  for run in text:gmatch("`+") do
    longest = math.max(longest, #run)
  end
  local fence = string.rep("`", longest + 1)
  local body = text:sub(-1) == "\n" and text or text .. "\n"
  return fence .. (language or "") .. "\n" .. body .. fence
end

function markdown.list(items)
  local lines = {}
  for i, item in ipairs(items) do
    lines[i] = "- " .. markdown.escape(item)
  end
  return table.concat(lines, "\n")
end

local rule = { left = ":---", right = "---:", center = ":---:" }

local function row(cells, columns)
  local parts = {}
  for i = 1, columns do
    local cell = cells[i]
    parts[i] = cell == nil and "" or markdown.escape(cell)
  end
  return "| " .. table.concat(parts, " | ") .. " |"
end

-- A table: headers, rows (each a list of cells; what is missing stays empty), and for each column
-- "left", "right" or "center" (left when not given).
function markdown.table(headers, rows, align)
  local rules, lines = {}, {}
  for i = 1, #headers do
    local wanted = align and align[i] or "left"
    rules[i] = rule[wanted] or error("markdown.table: unknown alignment " .. tostring(wanted), 2)
  end
  lines[1] = row(headers, #headers)
  lines[2] = "| " .. table.concat(rules, " | ") .. " |"
  for i, cells in ipairs(rows) do
    if #cells > #headers then
      error(("markdown.table: row %d has %d cells for %d headers"):format(i, #cells, #headers), 2)
    end
    lines[#lines + 1] = row(cells, #headers)
  end
  return table.concat(lines, "\n")
end

local function add_leaves(rows, prefix, value)
  if type(value) ~= "table" then
    rows[#rows + 1] = { prefix, tostring(value) }
    return
  end
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then
      return a < b
    end
    return type(a) == "number"
  end)
  for _, key in ipairs(keys) do
    add_leaves(rows, prefix == "" and tostring(key) or prefix .. "." .. key, value[key])
  end
end

-- { {"train.lr", "0.01"}, ... } from nested tables, sorted by key: the rows of a table.
function markdown.leaves(value)
  local rows = {}
  add_leaves(rows, "", value)
  return rows
end

-- The pieces with an empty line between them, and a line end at the end.
function markdown.join(pieces)
  return table.concat(pieces, "\n\n") .. "\n"
end

return markdown
