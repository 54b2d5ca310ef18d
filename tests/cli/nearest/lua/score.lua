return {
	name = "score", version = "1", help = "a number",
	params = { name = { type = "string", help = "what it is called" } },
	inputs = { model = "text" },
	run = function(ctx) ctx:metric(ctx.params.name, #ctx:read("model")) end,
}
