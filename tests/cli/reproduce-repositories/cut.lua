local text = require "text"
return { run = function(ctx) ctx:write("head", text.head(ctx:read("all"), ctx.with.n)) end }
