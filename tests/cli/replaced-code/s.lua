return { run = function(ctx) ctx:write('o', 'one') end }
