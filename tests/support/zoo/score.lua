local norm = require("norm")

return {
	name = "score",
	run = function(ctx)
		local x = norm.of({ sum = 3 })
		ctx:log(x)
	end,
}
