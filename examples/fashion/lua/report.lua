-- One page that a person reads: what was asked for, what came out, and where the model is wrong.

local md = require "flow.markdown"

local function results(test)
  return md.table({ "figure", "value" }, {
    { "images", md.number(test.n) },
    { "accuracy", md.percent(test.accuracy, 2) },
    { "log loss", md.number(test.log_loss) },
    { "macro F1", md.number(test.macro.f1) },
  }, { "left", "right" })
end

local function class_name(entry)
  return entry.name or tostring(entry.class)
end

local function per_class(test)
  local rows = {}
  for i, entry in ipairs(test.classes) do
    rows[i] = {
      class_name(entry),
      md.number(entry.precision, 3),
      md.number(entry.recall, 3),
      md.number(entry.f1, 3),
      md.number(entry.support),
    }
  end
  return md.table({ "class", "precision", "recall", "F1", "images" }, rows,
    { "left", "right", "right", "right", "right" })
end

-- Truth down, prediction across.
local function confusion(test)
  local headers, align, rows = { "truth" }, { "left" }, {}
  for i, entry in ipairs(test.classes) do
    headers[i + 1] = class_name(entry)
    align[i + 1] = "right"
    rows[i] = { class_name(entry) }
    for j, count in ipairs(test.confusion[i]) do
      rows[i][j + 1] = count == 0 and "." or md.number(count)
    end
  end
  return md.table(headers, rows, align)
end

-- The pairs that are taken for each other most, worst first.
local function mistakes(test, most)
  local list = {}
  for i, truth in ipairs(test.classes) do
    for j, count in ipairs(test.confusion[i]) do
      if i ~= j and count > 0 then
        list[#list + 1] = { count = count, from = class_name(truth), to = class_name(test.classes[j]) }
      end
    end
  end
  table.sort(list, function(a, b)
    if a.count ~= b.count then
      return a.count > b.count
    end
    return a.from .. a.to < b.from .. b.to
  end)
  local lines = {}
  for i = 1, math.min(most, #list) do
    lines[i] = ("%d times a %s was taken for a %s"):format(list[i].count, list[i].from, list[i].to)
  end
  return md.list(lines)
end

local function data_line(data)
  return md.paragraph(("%d images of %d x %d pixels in %d classes; mean %s, standard deviation %s of 1."):format(
    data.rows, data.width, data.height, #data.classes,
    md.number(data.pixel.mean), md.number(data.pixel.std)))
end

return {
  name = "report",
  version = "1",
  help = "write a page of results in Markdown",
  inputs = { data = "json", test = "json" },
  outputs = { page = "text" },

  run = function(ctx)
    local data, test = ctx:read("data"), ctx:read("test")
    ctx:write("page", md.join {
      md.heading(1, "Fashion-MNIST"),
      md.heading(2, "Results on the test images"),
      results(test),
      md.heading(2, "Parameters"),
      md.table({ "parameter", "value" }, md.leaves(ctx.params), { "left", "right" }),
      md.heading(2, "Training data"),
      data_line(data),
      md.heading(2, "By class"),
      per_class(test),
      md.heading(2, "What is mixed up most"),
      mistakes(test, 5),
      md.heading(2, "Confusion matrix"),
      md.paragraph("A row is what the image shows, a column what the model said."),
      confusion(test),
    })
  end,
}
