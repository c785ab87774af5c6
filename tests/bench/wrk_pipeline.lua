-- 16 requests at once.
init = function(args)
        local request = wrk.format()
        batch = string.rep(request, 16)
end

request = function()
        return batch
end
