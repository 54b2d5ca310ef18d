return {
  run = function(ctx)
    ctx:write("o", nothing.here)
  end,
}
