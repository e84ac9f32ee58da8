-- Reads a manifest: each call of an unknown function adds to the entry of its name.
local source, add = ...
local environment = setmetatable({}, {
    __index = function(_, name)
        return function(value)
            if type(value) == "table" then
                for _, item in ipairs(value) do
                    add(name, item)
                end
            else
                add(name, tostring(value))
            end
            return function() end -- the extra data of `key 'value' { … }`
        end
    end,
})
assert(load(source, "@fxmanifest.lua", "t", environment))()
