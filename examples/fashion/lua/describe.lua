-- What is in the data: rows of each class, and how bright the pixels are.

-- Mean and standard deviation of pixel / 255, from how often each of the 256 values occurs.
local function brightness(counts)
  local total, sum, square = 0, 0, 0
  for value = 0, 255 do
    total = total + counts[value]
    sum = sum + counts[value] * value
    square = square + counts[value] * value * value
  end
  local mean = sum / total
  return mean / 255, math.sqrt(math.max(square / total - mean * mean, 0)) / 255, total
end

local function classes(counts)
  local list = {}
  for class = 0, 255 do
    if counts[class] > 0 then
      list[#list + 1] = { class = class, rows = counts[class] }
    end
  end
  return list
end

return {
  name = "describe",
  version = "1",
  help = "count the classes and measure the pixels of labelled images",
  inputs = { images = "idx", labels = "idx" },
  outputs = { summary = "json" },

  run = function(ctx)
    local labels = ctx:read("labels")
    local images = ctx:read("images")
    if images.dims[1] ~= labels.dims[1] then
      ctx:fail("there are %d images, but %d labels", images.dims[1], labels.dims[1])
    end
    local counts = bytes.histogram(images.data)
    local mean, deviation, pixels = brightness(counts)
    local list = classes(bytes.histogram(labels.data))

    ctx:metric("rows", images.dims[1])
    ctx:metric("classes", #list)
    ctx:metric("pixel_mean", mean)
    ctx:metric("pixel_std", deviation)
    ctx:write("summary", {
      rows = images.dims[1],
      height = images.dims[2],
      width = images.dims[3],
      classes = list,
      pixel = { mean = mean, std = deviation, black = counts[0] / pixels },
    })
  end,

  tests = {
    {
      name = "half black, half white",
      inputs = {
        images = { dims = { 2, 1, 2 }, data = "\0\255\0\255" },
        labels = { dims = { 2 }, data = "\3\5" },
      },
      expect = { metrics = { rows = 2, classes = 2, pixel_mean = 0.5, pixel_std = 0.5 } },
    },
  },
}
