return { head = function(s, n) return s:sub(1, n) end }
