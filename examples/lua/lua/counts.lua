-- Hits and misses of a yes-or-no prediction. Required by score.lua, and so part of its key.

local counts = {}

function counts.of(scores, truth, threshold)
  local c = { true_positive = 0, false_positive = 0, true_negative = 0, false_negative = 0 }
  for i, score in ipairs(scores) do
    local said, is = score >= threshold, truth[i] == 1
    local key = (said == is and "true_" or "false_") .. (said and "positive" or "negative")
    c[key] = c[key] + 1
  end
  return c
end

function counts.accuracy(c)
  local right = c.true_positive + c.true_negative
  return right / (right + c.false_positive + c.false_negative)
end

-- 0 when nothing is positive, neither in truth nor as predicted.
function counts.f1(c)
  local all = 2 * c.true_positive + c.false_positive + c.false_negative
  return all > 0 and 2 * c.true_positive / all or 0
end

return counts
