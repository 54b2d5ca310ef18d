local m = require "no.such"
return { run = function(ctx) end }
