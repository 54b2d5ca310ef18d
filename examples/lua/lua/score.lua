-- Compare scores with the truth: a score from the threshold up says yes.

local counts = require "counts"

return {
  name = "score",
  version = "1",
  help = "score predictions against labels",
  inputs = { scores = "json", truth = "json" },
  outputs = { report = "json" },
  params = {
    threshold = { type = "number", default = 0.5, min = 0, max = 1, help = "cut-off" },
  },

  run = function(ctx)
    local scores, truth = ctx:read("scores"), ctx:read("truth")
    if #scores ~= #truth then
      ctx:fail("there are %d scores, but %d labels", #scores, #truth)
    end
    if #scores == 0 then
      ctx:fail("there is nothing to score")
    end
    local c = counts.of(scores, truth, ctx.with.threshold)
    ctx:metric("accuracy", counts.accuracy(c))
    ctx:metric("f1", counts.f1(c))
    ctx:write("report", {
      n = #scores,
      threshold = ctx.with.threshold,
      accuracy = counts.accuracy(c),
      f1 = counts.f1(c),
      counts = c,
    })
  end,

  tests = {
    {
      name = "all right",
      with = { threshold = 0.5 },
      inputs = { scores = { 1, 0, 0.5 }, truth = { 1, 0, 1 } },
      expect = { metrics = { accuracy = 1, f1 = 1 } },
    },
    {
      name = "never says yes",
      with = { threshold = 1 },
      inputs = { scores = { 0.9, 0.2 }, truth = { 1, 0 } },
      expect = { metrics = { accuracy = 0.5, f1 = 0 } },
    },
  },
}
